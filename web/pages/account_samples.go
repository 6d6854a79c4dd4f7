package pages

import "github.com/signet-idp/signet/storage"

// accountSamples are those of the pages of a person's own.
func accountSamples() []page {
	ada := owned{
		Back: "/account", Name: "Ada Lovelace", Login: "ada", Initial: "A", Change: "/login/choose?tx=stx_sample", Action: "/account/factors",
		Token: "sft_sample", Done: "Done.",
	}
	warned := ada
	warned.Pending = []pendingView{
		{"account.pending.recovery", "account.pending.stop_recovery", moment{"2026-11-22T12:00:00Z", "2026-11-22 12:00 UTC"}, "recovery", "/account", "sft_sample"},
		{"account.pending.deletion", "account.pending.keep", moment{"2026-11-22T12:00:00Z", "2026-11-22 12:00 UTC"}, "deletion", "/account", "sft_sample"},
	}
	wrong := ada
	wrong.Login, wrong.Done, wrong.Problem = "", "", "Wrong."
	at := sampleMoment()
	here := sessionView{ID: "0192", Agent: "Firefox, Linux", Address: "192.0.2.1", Used: at, SignedIn: at}
	asks := []ask{{Text: "See your email address", Values: []string{"ada@example.com"}}, {Text: "Use the permission books:read"}}
	return []page{
		accountOverview{owned: ada, Links: []sectionLink{{"/account/profile", "account.profile.title", "account.profile.about"}}, SignOut: "/oauth2/logout"},
		accountProfile{
			owned: wrong, Facts: []profileFact{{Text: "account.claim.email", Value: "ada@example.com", Marked: true}},
			Common: profileForm(storage.User{})[0].Fields, Groups: profileSample(),
		},
		accountPassword{owned: ada, Username: "ada", Least: 8},
		accountPassword{owned: wrong, Username: "ada", Least: 8},
		accountFactors{owned: ada},
		accountFactors{owned: wrong, Authenticators: []authenticator{{"0192", "Phone", at}, {"0193", "", at}}, Codes: 9, Full: true, Bound: true, Remembered: []sessionView{here}},
		accountFactors{owned: wrong, Authenticators: []authenticator{{"0192", "Phone", at}}, Codes: 9},
		accountPasskeys{owned: ada, Offered: true, Passkey: &passkeyPrompt{Options: `{"challenge":"AA"}`, Sealed: "stx_sample"}},
		accountPasskeys{owned: wrong, Offered: true, Bound: true, Passkeys: []passkeyView{{ID: "0192", Name: "Laptop", Added: at, Used: at, Synced: true}}},
		accountPasskeys{owned: ada, Passkeys: []passkeyView{{ID: "0192", Added: at}, {ID: "0193", Name: "Key", Added: at}}},
		accountEnrol{owned: wrong, Seed: seedSample("Phone")},
		accountEnrol{owned: ada, Seed: seedSample("")},
		accountCodes{owned: ada, Codes: []string{"0123-4567-89ab-cdef-ghjk-mnpq-rstv"}, Sealed: "stx_sample"},
		accountSessions{owned: ada, Here: here, Others: []sessionView{here, here}},
		accountSessions{owned: ada, Here: sessionView{ID: "0192", Agent: "Unknown browser", Used: at, SignedIn: at}},
		accountApps{owned: ada, Apps: []connectedApp{
			{ID: "shop", Name: "Bookshop", Initial: "B", Asks: asks, Resources: asks, Since: at, Used: at}, {ID: "other", Name: "Other", Initial: "O", Since: at},
		}},
		accountApps{owned: ada},
		accountEvents{owned: ada, Older: "/account/events?before=0192", Events: []eventView{
			{What: "Signed in", App: "Bookshop", Agent: "Firefox, Linux", Address: "192.0.2.1", At: at}, {What: "Password changed", Operator: true, At: at}, {What: "Else", At: at},
		}},
		accountEvents{owned: ada},
		accountOverview{owned: warned, SignOut: "/oauth2/logout"},
		accountEmail{owned: ada, Address: "ada@example.com"},
		accountEmail{owned: wrong, Address: "ada@example.com", Verified: true, Email: "nobody"},
		accountEmail{owned: warned},
		accountEmailConfirm{owned: ada, Pass: "stx_sample", From: "ada@example.com", Into: "ada@example.org"},
		accountEmailConfirm{owned: wrong, Pass: "stx_sample", Into: "ada@example.org"},
		accountData{owned: ada},
		accountDelete{owned: ada, Days: 14},
		accountDelete{owned: wrong, Days: 14},
		accountDelete{owned: warned, Days: 14, Going: true},
	}
}

// profileSample is a form with a value and a problem in every field.
func profileSample() []profileGroup {
	groups := profileForm(storage.User{Phone: "+442079460000", PhoneVerified: true})[1:]
	for _, g := range groups {
		for i := range g.Fields {
			g.Fields[i].Value, g.Fields[i].Problem, g.Fields[i].First = "Value", "Wrong.", i == 0
		}
	}
	return groups
}

func seedSample(device string) *seedView {
	return &seedView{Enrolment: "stx_sample", Device: device, Secret: "ABCD EFGH", QR: qrCode{21, "M0 0h7v1h-7z"}}
}

func sampleMoment() moment { return moment{"2026-11-22T12:00:00Z", "2026-11-22 12:00 UTC"} }
