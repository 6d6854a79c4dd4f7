package authorize

import (
	"errors"
	"net/url"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

func TestARefusalStopsWhereNobodyIsSignedInAndNobodyVouchesForTheClient(t *testing.T) {
	t.Parallel()
	now := time.Unix(1700000000, 0)
	account := func(edit func(*browser.Account)) browser.Account {
		a := browser.Account{Session: storage.Session{AuthTime: now.Add(-time.Hour), ExpiresAt: now.Add(time.Hour)}}
		if edit != nil {
			edit(&a)
		}
		return a
	}
	software := storage.Client{Origin: storage.OriginSoftware}
	document := storage.Client{Origin: storage.OriginDocument}
	used := storage.Client{Origin: storage.OriginSoftware, UsedAt: now}
	whole := account(nil)
	half := account(func(a *browser.Account) { a.Session.AuthTime, a.Session.PasswordAt = time.Time{}, now })
	over := account(func(a *browser.Account) { a.Session.ExpiresAt = now })
	disabled := account(func(a *browser.Account) { a.User.DisabledAt = now })
	for name, c := range map[string]struct {
		client   storage.Client
		accounts []browser.Account
		code     oauth.Code
		halts    bool
	}{
		"software, nobody":              {software, nil, oauth.InvalidScope, true},
		"document, nobody":              {document, nil, oauth.InvalidRequest, true},
		"response type":                 {software, nil, oauth.UnsupportedResponseType, true},
		"grant type":                    {software, nil, oauth.UnauthorizedClient, true},
		"resource":                      {software, nil, oauth.InvalidTarget, true},
		"request object":                {software, nil, oauth.RequestNotSupported, true},
		"acr":                           {software, nil, oauth.UnmetAuthentication, true},
		"half a sign-in":                {software, []browser.Account{half}, oauth.InvalidScope, true},
		"a session that is over":        {software, []browser.Account{over}, oauth.InvalidScope, true},
		"somebody disabled":             {software, []browser.Account{disabled}, oauth.InvalidScope, true},
		"somebody":                      {software, []browser.Account{whole}, oauth.InvalidScope, false},
		"somebody, not the current one": {document, []browser.Account{half, whole}, oauth.InvalidRequest, false},
		"a client that was used":        {used, nil, oauth.InvalidScope, false},
		"an operator's":                 {storage.Client{Origin: storage.OriginOperator}, nil, oauth.InvalidScope, false},
		"a developer's":                 {storage.Client{Origin: storage.OriginPerson}, nil, oauth.InvalidScope, false},
		"login_required":                {software, nil, oauth.LoginRequired, false},
		"consent_required":              {software, nil, oauth.ConsentRequired, false},
		"interaction_required":          {software, nil, oauth.InteractionRequired, false},
		"account_selection_required":    {software, nil, oauth.AccountSelectionRequired, false},
	} {
		if got := halts(c.client, c.accounts, now, c.code); got != c.halts {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// newcomer is a client that registered itself.
func (w *world) newcomer(t *testing.T) storage.Client {
	t.Helper()
	made, err := w.Clients.Register(t.Context(), client.Newcomer{Origin: storage.OriginSoftware, Actor: "test", Metadata: storage.ClientMetadata{
		Name: "Agent", RedirectURIs: []string{callback}, TokenEndpointAuthMethod: oauth.AuthNone, Scope: "openid profile",
	}})
	must(t, err)
	return made.Client
}

func TestAHaltedRefusalIsTheVeryAnswerAndKeptAsOthersAre(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.user(t, "ada")
	c, known := w.newcomer(t), w.app(t, "known", nil)
	stopped := func(err error, code oauth.Code) *Returned {
		t.Helper()
		r := returned(t, err, code)
		who, halted := r.Halted()
		check(t, halted && who.ID == c.ID && who.ByMachine(), "%s: halted %t for %q", code, halted, who.ID)
		return r
	}
	goes := func(err error, code oauth.Code) {
		t.Helper()
		_, halted := returned(t, err, code).Halted()
		check(t, !halted, "%s is halted", code)
	}
	b := w.browser()
	var locations [2]string
	for i, id := range []string{c.ID, known.ID} {
		_, err := b.begin(t, query(id, "scope", "nothing"))
		if id == known.ID {
			goes(err, oauth.InvalidScope)
		} else {
			stopped(err, oauth.InvalidScope)
			var kept *client.Refused
			check(t, errors.As(err, &kept) && kept.About.ClientID == c.ID && kept.About.Code == string(oauth.InvalidScope), "not kept for signet explain: %v", err)
		}
		locations[i] = returned(t, err, oauth.InvalidScope).Location()
	}
	check(t, locations[0] == locations[1] && locations[0] != "", "the answer differs: %q", locations)
	_, err := b.begin(t, query(c.ID, "scope", "nothing", "prompt", "none"))
	stopped(err, oauth.InvalidScope)
	_, err = b.begin(t, query(c.ID, "prompt", "none"))
	goes(err, oauth.LoginRequired)

	// What its registration does not allow any more is said in the same way, to who has not signed in yet.
	waiting := b.at(t, StepSignIn, query(c.ID, "scope", "openid profile"))
	c, err = w.Clients.Find(t.Context(), c.ID)
	must(t, err)
	c.Metadata.Scope = "openid"
	must(t, w.store.UpdateClient(t.Context(), c, storage.Also{}))
	_, err = w.Resume(t.Context(), b.visit(t), waiting.Sealed)
	stopped(err, oauth.InvalidScope)
	b.signIn(t, "ada")
	_, err = w.Resume(t.Context(), b.visit(t), waiting.Sealed)
	goes(err, oauth.InvalidScope)
	for _, q := range []url.Values{query(c.ID, "scope", "nothing"), query(c.ID, "response_type", "token")} {
		_, err = b.begin(t, q)
		var r *Returned
		check(t, errors.As(err, &r) && r.halted == nil, "halted although ada is signed in: %v", err)
	}
}
