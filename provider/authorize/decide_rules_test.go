package authorize

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// TestNoCodeIsIssuedWithoutEveryProof generates requests, sessions and consents, and judges what decide lets through by the rules
// alone, in other words than decide's own.
func TestNoCodeIsIssuedWithoutEveryProof(t *testing.T) {
	t.Parallel()
	instant := rapid.Custom(func(t *rapid.T) time.Time {
		at := rapid.IntRange(-1300, 60).Draw(t, "at")
		if at < -1200 {
			return time.Time{}
		}
		return began().Add(time.Duration(at) * time.Second)
	})
	subject := rapid.Custom(func(t *rapid.T) storage.ID { return storage.ID{byte(rapid.IntRange(1, 3).Draw(t, "person"))} })
	person := rapid.Custom(func(t *rapid.T) browser.Account {
		a := browser.Account{HasFactor: rapid.Bool().Draw(t, "has factor")}
		a.User.ID, a.User.Admin = subject.Draw(t, "user"), rapid.Bool().Draw(t, "admin")
		if rapid.IntRange(0, 9).Draw(t, "disabled") == 0 {
			a.User.DisabledAt = began()
		}
		a.Session = storage.Session{
			ID: a.User.ID, UserID: a.User.ID, PasswordAt: instant.Draw(t, "password"), AuthTime: instant.Draw(t, "auth_time"),
			FactorAt: instant.Draw(t, "factor"), ChosenAt: instant.Draw(t, "chosen"),
			ACR:       rapid.SampledFrom([]string{"", oauth.ACRPassword, oauth.ACRMFA}).Draw(t, "acr"),
			ExpiresAt: later().Add(time.Duration(rapid.IntRange(-1, 9).Draw(t, "expires")) * time.Second),
		}
		return a
	})
	some := func(t *rapid.T, name string, of ...string) []string {
		return rapid.SliceOfNDistinct(rapid.SampledFrom(of), 0, len(of), rapid.ID).Draw(t, name)
	}
	property := func(t *rapid.T) {
		r := Request{
			Kind: rapid.SampledFrom([]Kind{KindAuthorize, KindAuthorize, KindDevice, KindAccount}).Draw(t, "kind"), StartedAt: began(),
			Scope: some(t, "scope", "openid", "email", "notes"), Resources: some(t, "resource", "https://api.example"),
			ACRValues: some(t, "acr_values", oauth.ACRPassword, oauth.ACRMFA), EssentialACR: rapid.Bool().Draw(t, "essential"),
		}
		if r.Prompt = some(t, "prompt", "login", "consent", "select_account", "create"); rapid.IntRange(0, 2).Draw(t, "none") == 0 {
			r.Prompt = []string{oauth.PromptNone}
		}
		if rapid.Bool().Draw(t, "max_age is there") {
			r.MaxAge = seconds(rapid.Int64Range(0, 900).Draw(t, "max_age"))
		}
		if rapid.Bool().Draw(t, "a person is named") {
			r.Subject = plainly(storage.User{ID: subject.Draw(t, "named")})
		}
		if rapid.Bool().Draw(t, "claims are there") {
			r.Claims = &storage.RequestedClaims{IDToken: some(t, "claims", "email", "name")}
		}
		c := storage.Client{ID: "app", Metadata: storage.ClientMetadata{
			FirstParty: rapid.Bool().Draw(t, "first party"), RequireSecondFactor: rapid.IntRange(0, 3).Draw(t, "required") == 0,
		}}
		if r.Kind != KindAuthorize {
			c = storage.Client{}
		}
		r.Strong = r.Kind == KindDevice && rapid.Bool().Draw(t, "the device's client demands a factor")
		policy := rapid.SampledFrom([]account.SecondFactor{account.SecondFactorOptional, account.SecondFactorAdmins, account.SecondFactorAll}).Draw(t, "policy")
		accounts := rapid.SliceOfN(person, 0, 3).Draw(t, "accounts")
		consent := storage.Consent{
			UserID: subject.Draw(t, "consenting"), ClientID: rapid.SampledFrom([]string{"app", "other"}).Draw(t, "consented"),
			Scope: some(t, "allowed scope", "openid", "email", "notes"), Claims: some(t, "allowed claims", "email", "name"),
			Resources: some(t, "allowed resource", "https://api.example"), GivenAt: instant.Draw(t, "given"),
		}
		st := standing{
			subject: plainly,
			client:  c, accounts: accounts, consent: consent, must: policy.Asks, remembered: rapid.Bool().Draw(t, "remembered"),
			signUp: rapid.Bool().Draw(t, "sign-up"), now: later(),
		}
		step, a, fault := decide(r, st)
		if fault != nil {
			if step != "" || a != nil {
				t.Fatalf("an error with step %q", step)
			}
			return
		}
		if r.Prompts(oauth.PromptNone) && r.Kind == KindAuthorize && step != StepIssue {
			t.Fatalf("prompt=none leads to the page %s", step)
		}
		if step == StepIssue || step == StepDevice || step == StepAccount || step == StepConsent {
			judgeSession(t, r, a)
			judgeDemand(t, r, st, a)
		}
		if step == StepIssue {
			judgeConsent(t, r, c, a, consent)
		}
		if step == StepSecondFactor && (a == nil || !a.HasFactor) {
			t.Fatal("a second factor is asked of who has none")
		}
		if step == StepEnrol {
			judgeEnrolment(t, r, st, a)
		}
		if step == StepSignUp && !(st.signUp && r.Prompts("create")) {
			t.Fatal("an account is to be made that nobody asked for, or may make")
		}
	}
	for range 20 { // a hundred cases each
		rapid.Check(t, property)
	}
}

func judgeSession(t *rapid.T, r Request, a *browser.Account) {
	s := a.Session
	old := func(at time.Time) bool { return at.Before(r.StartedAt) }
	switch {
	case s.AuthTime.IsZero() || !later().Before(s.ExpiresAt) || !a.User.DisabledAt.IsZero():
		t.Fatal("without a live, whole session of somebody who may")
	case r.Subject != "" && plainly(a.User) != r.Subject:
		t.Fatal("for another person than the one named")
	case (r.Prompts("login") || r.Prompts("create")) && old(s.AuthTime):
		t.Fatal("with an old sign-in, and a new one was demanded")
	case r.MaxAge != nil && old(s.AuthTime) && (*r.MaxAge == 0 || later().Sub(s.AuthTime) > time.Duration(*r.MaxAge)*time.Second):
		t.Fatal("with a sign-in that is older than max_age")
	case r.Prompts("select_account") && old(s.ChosenAt) && old(s.AuthTime) && old(s.PasswordAt):
		t.Fatal("without a choice")
	case r.EssentialACR && !slices.Contains(r.ACRValues, oauth.ACRPassword) && (s.ACR != oauth.ACRMFA || s.FactorAt.IsZero()):
		t.Fatal("with a weaker sign-in than was essential")
	}
}

// judgeDemand: nobody goes on with less than this server or the client wants.
func judgeDemand(t *rapid.T, r Request, st standing, a *browser.Account) {
	strong := a.Session.ACR == oauth.ACRMFA && !a.Session.FactorAt.IsZero()
	switch {
	case st.client.Metadata.RequireSecondFactor && !strong:
		t.Fatal("without the second factor that the client requires")
	case r.Strong && !strong:
		t.Fatal("without the second factor that the device's client requires")
	case st.must(a.User) && !strong && !(a.HasFactor && st.remembered):
		t.Fatal("without the second factor that this server requires")
	}
}

// judgeEnrolment: a first factor is added by who has just proven the password, and by nobody who has one.
func judgeEnrolment(t *rapid.T, r Request, st standing, a *browser.Account) {
	switch {
	case a == nil || a.HasFactor || !a.User.DisabledAt.IsZero() || !later().Before(a.Session.ExpiresAt):
		t.Fatal("an enrolment of who has a factor, or is nobody")
	case !st.must(a.User) && !st.client.Metadata.RequireSecondFactor && !r.Strong:
		t.Fatal("an enrolment that nothing demands")
	case a.Session.PasswordAt.Before(r.StartedAt) && later().Sub(a.Session.PasswordAt) >= 10*time.Minute:
		t.Fatal("an enrolment on the word of an old session")
	}
}

func judgeConsent(t *rapid.T, r Request, c storage.Client, a *browser.Account, consent storage.Consent) {
	if r.Kind != KindAuthorize {
		t.Fatal("a code for what is no authorization request")
	}
	if c.Metadata.FirstParty && !r.Prompts("consent") {
		return
	}
	var claims []string
	if r.Claims != nil {
		for _, name := range r.Claims.IDToken {
			if name != "email" || !slices.Contains(r.Scope, "email") {
				claims = append(claims, name)
			}
		}
	}
	switch {
	case consent.UserID != a.User.ID || consent.ClientID != c.ID || consent.GivenAt.IsZero():
		t.Fatal("without this person's consent to this client")
	case r.Prompts("consent") && consent.GivenAt.Before(r.StartedAt):
		t.Fatal("with an old consent, and a new one was demanded")
	case !consent.Covers(r.Scope, claims, r.Resources):
		t.Fatal("beyond what was allowed")
	}
}
