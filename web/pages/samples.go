package pages

import "slices"

// samples are page structs of every kind, each filled and each as empty as it can be: what every template is tried with at the start.
func samples() []page {
	app := &appView{Name: "Bookshop", Logo: "https://shop.example/logo.png", Host: "shop.example", Initial: "B"}
	plain := &appView{Name: "Bookshop", Host: "shop.example", Initial: "B"}
	agent := &appView{Name: "Agent", Host: "127.0.0.1:51000", Initial: "A", Of: "agent.example", Device: true}
	sealed := form{Tx: "stx_sample", Token: "sft_sample"}
	you := youView{Text: "you.as", Name: "Ada Lovelace", Change: "/login/choose?tx=stx_sample"}
	asks := []ask{{Text: "See your email address", Values: []string{"ada@example.com"}}, {Text: "Use the permission books:read"}}
	passkey := &passkeyPrompt{Options: `{"challenge":"AA"}`, Sealed: "stx_sample"}
	ada := accountView{ID: "0192", Name: "Ada Lovelace", Login: "ada", Initial: "A"}
	eve := accountView{ID: "0193", Name: "eve", Initial: "E", Half: true}
	return append(slices.Concat(accountSamples(), joiningSamples(), developerSamples(), tokenSamples(), playgroundSamples(), haltedSamples()),
		signInPage{App: app, Action: "/login", Form: sealed, Forgot: "/recover?tx=stx_sample", SignUp: "/signup?tx=stx_sample", Done: "Done."},
		signInPage{
			App: plain, Again: true, Create: true, Action: "/login", Form: sealed, Username: "ada", Problem: "Wrong.", Choose: "/login/choose?tx=stx_sample",
		},
		signInPage{Device: true, Action: "/login", Form: sealed},
		signInPage{App: plain, Action: "/login", Form: sealed, Passkey: passkey, PasskeyProblem: "Wrong."},
		choosePage{App: app, Action: "/login/choose", Form: sealed, Accounts: []accountView{ada, eve}, Other: "/login?tx=stx_sample"},
		choosePage{Action: "/login/choose", Form: sealed, Accounts: []accountView{ada}, Other: "/login?tx=stx_sample", Problem: "Gone."},
		factorPage{App: app, Action: "/mfa", Form: sealed, Remember: true, OTP: true, You: youView{Text: "you.signing", Name: "Ada", Change: "/login/choose?tx=stx_sample"}},
		factorPage{App: plain, StepUp: "Bookshop", Action: "/mfa", Form: sealed, OTP: true, Passkey: passkey, Problem: "Wrong.", You: you},
		factorPage{Action: "/mfa", Form: sealed, Remember: true, Passkey: passkey, PasskeyProblem: "Wrong.", You: you},
		factorPage{Action: "/mfa", Form: sealed, OTP: true, RecoveryProblem: "Wrong.", You: you},
		enrolPage{App: app, Client: "Bookshop", Action: "/mfa/enrol", Form: sealed, You: you},
		enrolPage{Action: "/mfa/enrol", Form: sealed, Problem: "Wrong.", You: you},
		enrolPage{App: plain, Action: "/mfa/enrol", Form: sealed, Seed: seedSample("Phone"), Problem: "Wrong.", You: you},
		enrolPage{App: plain, Action: "/mfa/enrol", Form: sealed, Seed: seedSample(""), You: you},
		enrolCodes{App: app, Action: "/mfa/enrol", Form: sealed, Codes: []string{"0123-4567-89ab-cdef-ghjk-mnpq-rstv"}, Sealed: "stx_sample", You: you},
		lostPage{App: app, Action: "/mfa/lost", Form: sealed, Back: "/mfa?tx=stx_sample", Offered: true, At: sampleMoment(), You: you},
		lostPage{Action: "/mfa/lost", Form: sealed, Back: "/mfa?tx=stx_sample", You: you},
		lostPage{App: plain, Action: "/mfa/lost", Form: sealed, Back: "/mfa?tx=stx_sample", Offered: true, At: sampleMoment(), Since: sampleMoment(), You: you},
		lostPage{Action: "/mfa/lost", Form: sealed, Back: "/mfa?tx=stx_sample", At: sampleMoment(), Since: sampleMoment(), Ripe: true, You: you},
		consentPage{
			App: app, Asks: asks, Resources: asks, Origin: originView{Unverified: true}, Policy: "https://shop.example/privacy", TOS: "https://shop.example/terms",
			Action: "/consent", Form: sealed, You: you,
		},
		consentPage{App: plain, Action: "/consent", Form: sealed, You: you},
		consentPage{App: agent, Origin: originView{Of: "agent.example", Unverified: true}, Action: "/consent", Form: sealed, You: you},
		consentPage{App: plain, Origin: originView{Registered: "2026-11-22", Unverified: true}, Action: "/consent", Form: sealed, You: you},
		devicePage{Action: "/device", Form: sealed, You: you},
		devicePage{Action: "/device", Form: sealed, UserCode: "BCDF-GHJK", Problem: "Wrong.", You: you},
		deviceConfirmPage{
			Client: "Television", Origin: originView{Of: "agent.example", Unverified: true}, Asks: asks, Resources: asks, UserCode: "BCDF-GHJK", Device: "stx_sample", Action: "/device", Form: sealed, You: you,
		},
		deviceConfirmPage{Client: "Television", UserCode: "BCDF-GHJK", Device: "stx_sample", Action: "/device", Form: sealed, You: you},
		toldPage{"device.allowed_title", "device.allowed"},
		toldPage{"device.denied_title", "device.denied"},
		toldPage{"signout.stay_title", "signout.stay"},
		signOutPage{Client: "Bookshop", Accounts: []accountView{ada, eve}, Action: "/oauth2/logout", Form: sealed},
		signOutPage{Action: "/oauth2/logout", Form: sealed},
		signedOutPage{Frames: []string{"https://shop.example/out?iss=i&sid=s"}, Return: "https://shop.example/", Note: "It is not registered."},
		signedOutPage{},
		formPostPage{Action: "https://shop.example/cb", Host: "shop.example", Fields: [][2]string{{"code", "sac_sample"}, {"state", "s"}}},
		refusalPage{
			Heading: "refusal.redirect_uri_mismatch", Text: "refusal.redirect_uri_mismatch.text", Wait: "Wait.", Continue: "/oauth2/authorize?tx=stx_sample",
			Code: "invalid_request", Description: "redirect_uri is not registered", Client: "bookshop", Parameter: "redirect_uri",
			Received: &compared{"https://shop.example/", "other"}, Registered: []compared{{"https://shop.example/", "cb"}}, ID: "SAMPLE",
		},
		refusalPage{Heading: "refusal.redirect_uri_missing", Text: "refusal.redirect_uri_missing.text", Parameter: "redirect_uri", ID: "SAMPLE"},
		refusalPage{Heading: "refusal.no_request", Text: "refusal.no_request.text", ID: "SAMPLE"},
	)
}

// joiningSamples are those of the pages by which people come, and come back.
func joiningSamples() []page {
	app := &appView{Name: "Bookshop", Logo: "https://shop.example/logo.png", Host: "shop.example", Initial: "B"}
	sealed, landed := form{Tx: "stx_sample", Token: "sft_sample"}, landing{"/signup", "stx_sample", "sft_sample"}
	return []page{
		noticePage{Heading: "link.title", Text: "link.text", Next: &next{"/recover", "link.again"}},
		noticePage{Heading: "setup.none_title", Text: "setup.none", Command: "signet setup-link"},
		noticePage{Heading: "sent.title", Text: "signup.sent"},
		signUpPage{App: app, Action: "/signup", Form: sealed, SignIn: "/login?tx=stx_sample"},
		signUpPage{Invited: true, Action: "/signup", Form: sealed, Email: "nobody", Problem: "Wrong.", SignIn: "/login"},
		joinPage{landing: landed, App: app, Address: "ada@example.com", Least: 8},
		joinPage{landing: landed, Address: "ada@example.com", Username: "ada", Name: "Ada", Least: 8, Wrong: "username", Problem: "Taken."},
		joinPage{landing: landed, Setup: true, Email: "ada@example.com", Least: 8, Wrong: "password", Problem: "Weak."},
		joinPage{landing: landed, Setup: true, Least: 8},
		recoverPage{App: app, Action: "/recover", Form: sealed, SignIn: "/login?tx=stx_sample"},
		recoverPage{Action: "/recover", Form: sealed, Username: "ada", Problem: "Wrong.", SignIn: "/login"},
		resetPage{landing: landed, App: app, Username: "ada", Least: 8},
		resetPage{landing: landed, Username: "ada", Least: 8, OTP: true, Recovery: true, Wrong: "code", Problem: "Wrong."},
		resetPage{
			landing: landed, Username: "ada", Least: 8, Recovery: true, Passkey: &passkeyPrompt{Options: `{"challenge":"AA"}`, Sealed: "stx_sample"},
			Wrong: "password", Problem: "Weak.",
		},
	}
}
