package authorize

import (
	"slices"
	"time"

	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// decide names the next step of r, and whom it is taken with. accounts are the live sessions of the browser, the current one first;
// consent is what whom's account allowed the client. A nil account: nobody is signed in who would do. The error is one that the
// client hears.
//
// Nothing is remembered from one call to the next: each proof is compared with the time at which the request began, so that what was
// proven before does not pass for what is asked now, and the order in which pages are visited means nothing.
func decide(
	r Request, c storage.Client, accounts []browser.Account, consent storage.Consent, now time.Time,
) (Step, *browser.Account, *oauth.Error) {
	if r.EssentialACR && len(r.ACRValues) == 0 {
		return "", nil, errUnmet()
	}
	account := whom(r, accounts, now)
	if account == nil && !r.Subject.IsZero() && somebodyCame(r, accounts, now) {
		return "", nil, oauth.Errorf(oauth.LoginRequired, "somebody else signed in than the request names")
	}
	step := identify(r, account, now)
	if step == "" {
		var fault *oauth.Error
		if step, fault = strengthen(r, account, now); fault != nil {
			return "", nil, fault
		}
	}
	switch {
	case step != "":
	case r.Kind == KindDevice:
		step = StepDevice
	case r.Kind == KindAccount:
		step = StepAccount
	case !consented(r, c, account, consent):
		step = StepConsent
	default:
		step = StepIssue
	}
	if r.Prompts(oauth.PromptNone) {
		if fault := wouldAsk(step); fault != nil {
			return "", nil, fault
		}
	}
	return step, account, nil
}

// whom is the account that r goes on with: the person it names, else the current one. A sign-in that waits for its second factor
// counts where it was begun for this request, or where there is nobody else.
func whom(r Request, accounts []browser.Account, now time.Time) *browser.Account {
	var waiting *browser.Account
	for i := range accounts {
		a := &accounts[i]
		switch {
		case !usable(a, now) || (!r.Subject.IsZero() && a.User.ID != r.Subject):
		case a.Session.SignedIn():
			return a
		case !waits(a, now) || r.Prompts(oauth.PromptNone):
		case !a.Session.PasswordAt.Before(r.StartedAt):
			return a
		case waiting == nil:
			waiting = a
		}
	}
	return waiting
}

// usable reports whether an account may be used at all. Who is disabled has lost the session too; this says so once more.
func usable(a *browser.Account, now time.Time) bool {
	return a.User.DisabledAt.IsZero() && now.Before(a.Session.ExpiresAt)
}

// waits reports whether a password was proven, not long ago, and the second factor that belongs to it was not.
func waits(a *browser.Account, now time.Time) bool {
	return a.HasFactor && browser.AwaitsFactor(a.Session, now)
}

// somebodyCame reports whether anybody signed in since r began.
func somebodyCame(r Request, accounts []browser.Account, now time.Time) bool {
	return slices.ContainsFunc(accounts, func(a browser.Account) bool {
		return usable(&a, now) && a.Session.SignedIn() && !a.Session.AuthTime.Before(r.StartedAt)
	})
}

// identify asks who it is, and whether the sign-in is as fresh as r wants it; "": both are settled.
func identify(r Request, a *browser.Account, now time.Time) Step {
	if a == nil {
		return StepSignIn
	}
	s := a.Session
	if r.Prompts(oauth.PromptSelectAccount) && s.ChosenAt.Before(r.StartedAt) && s.AuthTime.Before(r.StartedAt) && s.PasswordAt.Before(r.StartedAt) {
		if s.SignedIn() {
			return StepChoose
		}
		return StepSignIn
	}
	switch {
	case fresh(r, s.AuthTime, now):
		return ""
	case waits(a, now) && fresh(r, s.PasswordAt, now):
		return StepSecondFactor
	}
	return StepSignIn
}

// mustSignIn reports whether only a sign-in after r began will do.
func mustSignIn(r Request) bool {
	return r.Prompts(oauth.PromptLogin) || r.Prompts(oauth.PromptCreate) || (r.MaxAge != nil && *r.MaxAge == 0)
}

// fresh reports whether a sign-in at this time is as young as r wants it. One that was made for r stays so, however long the person
// takes to read the next page.
func fresh(r Request, at, now time.Time) bool {
	switch {
	case at.IsZero():
		return false
	case !at.Before(r.StartedAt):
		return true
	case mustSignIn(r):
		return false
	}
	return r.MaxAge == nil || !now.After(at.Add(time.Duration(*r.MaxAge)*time.Second))
}

// strengthen asks for a second factor where r wants one that the sign-in does not have; "": it is strong enough.
func strengthen(r Request, a *browser.Account, now time.Time) (Step, *oauth.Error) {
	if len(r.ACRValues) == 0 {
		return "", nil
	}
	wanted := r.ACRValues[0] == oauth.ACRMFA
	needed := r.EssentialACR && !slices.Contains(r.ACRValues, oauth.ACRPassword)
	s := a.Session
	strong := s.ACR == oauth.ACRMFA && !s.FactorAt.IsZero() && (!mustSignIn(r) || !s.FactorAt.Before(r.StartedAt)) &&
		(r.Kind != KindAccount || fresh(r, s.FactorAt, now))
	switch {
	case strong || (!wanted && !needed):
		return "", nil
	case !a.HasFactor && needed:
		return "", errUnmet()
	case !a.HasFactor || (r.Prompts(oauth.PromptNone) && !needed):
		return "", nil
	}
	return StepSecondFactor, nil
}

// stated is the acr that the sign-in is told of with: what it proved, or, where only the lesser class is acceptable, that one, which
// it proved as well.
func stated(r Request, s storage.Session) string {
	if r.EssentialACR && !slices.Contains(r.ACRValues, s.ACR) && s.ACR == oauth.ACRMFA {
		return oauth.ACRPassword
	}
	return s.ACR
}

// consented reports whether the person allowed all that r asks, and, where r wants to be asked, since it began. Applications of the
// house are not asked about unless they want it.
func consented(r Request, c storage.Client, a *browser.Account, consent storage.Consent) bool {
	if r.Prompts(oauth.PromptConsent) {
		if consent.GivenAt.Before(r.StartedAt) {
			return false
		}
	} else if c.Metadata.FirstParty {
		return true
	}
	asked := asks(r)
	return consent.UserID == a.User.ID && consent.ClientID == c.ID && !consent.GivenAt.IsZero() &&
		consent.Covers(asked.Scope, asked.Claims, asked.Resources)
}

// wouldAsk is the error that prompt=none ends with where step would need a person (OpenID Connect Core §3.1.2.6).
func wouldAsk(step Step) *oauth.Error {
	switch step {
	case StepSignIn:
		return oauth.Errorf(oauth.LoginRequired, "the person must sign in, and prompt=none does not allow to ask")
	case StepChoose:
		return oauth.Errorf(oauth.AccountSelectionRequired, "the person must choose an account, and prompt=none does not allow to ask")
	case StepSecondFactor:
		return oauth.Errorf(oauth.InteractionRequired, "the person must give a second factor, and prompt=none does not allow to ask")
	case StepConsent:
		return oauth.Errorf(oauth.ConsentRequired, "the person must consent, and prompt=none does not allow to ask")
	}
	return nil
}

func errUnmet() *oauth.Error {
	return oauth.Errorf(oauth.UnmetAuthentication, "the person cannot sign in as strongly as the request demands")
}
