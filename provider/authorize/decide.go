package authorize

import (
	"slices"
	"time"

	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// standing is what decides about a request besides itself, as it stands now.
type standing struct {
	client   storage.Client
	accounts []browser.Account // the live sessions of the browser, the current one first
	consent  storage.Consent   // what the account that whom names allowed the client
	// must says who may not be without a second factor here. remembered: this browser spares the account that whom names from giving it.
	must       func(storage.User) bool
	remembered bool
	subject    func(storage.User) string // by which the client knows a person
	signUp     bool                      // people may make accounts for themselves
	now        time.Time
}

// decide names the next step of r, and whom it is taken with. A nil account: nobody is signed in who would do. The error is one that
// the client hears.
//
// Nothing is remembered from one call to the next: each proof is compared with the time at which the request began, so that what was
// proven before does not pass for what is asked now, and the order in which pages are visited means nothing.
func decide(r Request, st standing) (Step, *browser.Account, *oauth.Error) {
	if r.EssentialACR && len(r.ACRValues) == 0 {
		return "", nil, errUnmet()
	}
	account := st.whom(r)
	if account == nil && r.Subject != "" && somebodyCame(r, st.accounts, st.now) {
		return "", nil, oauth.Errorf(oauth.LoginRequired, "somebody else signed in than the request names")
	}
	step := st.identify(r, account)
	if step == "" {
		var fault *oauth.Error
		if step, fault = st.strengthen(r, account); fault != nil {
			return "", nil, fault
		}
	}
	switch {
	case step != "":
	case r.Kind == KindDevice:
		step = StepDevice
	case r.Kind == KindAccount:
		step = StepAccount
	case !consented(r, st.client, account, st.consent):
		step = StepConsent
	default:
		step = StepIssue
	}
	if step == StepSignIn && st.signUp && r.Prompts(oauth.PromptCreate) {
		step = StepSignUp
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
func (st standing) whom(r Request) *browser.Account {
	var waiting *browser.Account
	for i := range st.accounts {
		a := &st.accounts[i]
		switch {
		case !usable(a, st.now) || (r.Subject != "" && st.subject(a.User) != r.Subject):
		case a.Session.SignedIn():
			return a
		case !st.waits(r, a) || r.Prompts(oauth.PromptNone):
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

// waits reports whether a password was proven, not long ago, and the second factor that belongs to it was not, or is still to be
// enrolled.
func (st standing) waits(r Request, a *browser.Account) bool {
	if a.HasFactor {
		return browser.AwaitsFactor(a.Session, st.now)
	}
	return st.must(a.User) && browser.AwaitsEnrolment(*a, st.now) && st.mayEnrol(r, a)
}

// mayEnrol reports whether the person was proven lately enough to add what proves them: within the time that all who change proofs
// have, or for r, however long it takes them then.
func (st standing) mayEnrol(r Request, a *browser.Account) bool {
	at := a.Session.PasswordAt
	return !at.IsZero() && (!at.Before(r.StartedAt) || st.now.Sub(at) < proofAge)
}

// somebodyCame reports whether anybody signed in since r began.
func somebodyCame(r Request, accounts []browser.Account, now time.Time) bool {
	return slices.ContainsFunc(accounts, func(a browser.Account) bool {
		return usable(&a, now) && a.Session.SignedIn() && !a.Session.AuthTime.Before(r.StartedAt)
	})
}

// identify asks who it is, and whether the sign-in is as fresh as r wants it; "": both are settled.
func (st standing) identify(r Request, a *browser.Account) Step {
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
	case fresh(r, s.AuthTime, st.now):
		return ""
	case st.waits(r, a) && fresh(r, s.PasswordAt, st.now):
		return st.factorOf(r, a)
	}
	return StepSignIn
}

// factorOf is the step of who must give a second factor: to give it, or to enrol one first. Nobody enrols on the word of an old
// session: the password is asked for again.
func (st standing) factorOf(r Request, a *browser.Account) Step {
	switch {
	case a.HasFactor:
		return StepSecondFactor
	case st.mayEnrol(r, a):
		return StepEnrol
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

// strengthen asks for a second factor where r, its client or this server wants one that the sign-in does not have; "": it is strong
// enough.
func (st standing) strengthen(r Request, a *browser.Account) (Step, *oauth.Error) {
	s := a.Session
	if s.ACR == oauth.ACRMFA && !s.FactorAt.IsZero() && (!mustSignIn(r) || !s.FactorAt.Before(r.StartedAt)) &&
		(r.Kind != KindAccount || fresh(r, s.FactorAt, st.now)) {
		return "", nil
	}
	if st.demanded(r, a) {
		return st.factorOf(r, a), nil
	}
	wanted := len(r.ACRValues) > 0 && r.ACRValues[0] == oauth.ACRMFA
	needed := r.EssentialACR && !slices.Contains(r.ACRValues, oauth.ACRPassword)
	switch {
	case !wanted && !needed:
		return "", nil
	case !a.HasFactor && needed:
		return "", errUnmet()
	case !a.HasFactor || (r.Prompts(oauth.PromptNone) && !needed):
		return "", nil
	}
	return StepSecondFactor, nil
}

// demanded reports whether nobody goes on without a second factor: the client's own wish is one that this very sign-in must keep;
// the server's is kept at a browser that remembers the factor, too.
func (st standing) demanded(r Request, a *browser.Account) bool {
	return r.Strong || st.client.Metadata.RequireSecondFactor || st.must(a.User) && !(a.HasFactor && st.remembered)
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
	} else if c.Metadata.FirstParty && !c.ByMachine() {
		return true
	}
	asked := asks(r)
	return consent.UserID == a.User.ID && consent.ClientID == c.ID && !consent.GivenAt.IsZero() &&
		consent.Covers(asked.Scope, asked.Claims, asked.Resources)
}

// wouldAsk is the error that prompt=none ends with where step would need a person (OpenID Connect Core §3.1.2.6).
func wouldAsk(step Step) *oauth.Error {
	switch step {
	case StepSignIn, StepSignUp:
		return oauth.Errorf(oauth.LoginRequired, "the person must sign in, and prompt=none does not allow to ask")
	case StepChoose:
		return oauth.Errorf(oauth.AccountSelectionRequired, "the person must choose an account, and prompt=none does not allow to ask")
	case StepSecondFactor:
		return oauth.Errorf(oauth.InteractionRequired, "the person must give a second factor, and prompt=none does not allow to ask")
	case StepEnrol:
		return oauth.Errorf(oauth.InteractionRequired, "the person must enrol a second factor, and prompt=none does not allow to ask")
	case StepConsent:
		return oauth.Errorf(oauth.ConsentRequired, "the person must consent, and prompt=none does not allow to ask")
	}
	return nil
}

func errUnmet() *oauth.Error {
	return oauth.Errorf(oauth.UnmetAuthentication, "the person cannot sign in as strongly as the request demands")
}
