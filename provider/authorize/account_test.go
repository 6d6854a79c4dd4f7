package authorize

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/storage"
)

// account opens a page of the person's own.
func (p *person) account(t *testing.T, page AccountPage) *Passage {
	t.Helper()
	v := p.visit(t)
	passage, err := p.w.BeginAccount(t.Context(), v, page, "")
	must(t, err)
	p.take(v)
	return passage
}

func TestOnesOwnPagesWantASignInAndThoseThatChangeProofsAFreshOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	u := w.user(t, "ada")
	p := w.browser()
	all := []AccountPage{
		AccountOverview, AccountProfile, AccountPassword, AccountFactors, AccountSessions, AccountApps, AccountEvents,
		DeveloperApps, DeveloperApp, DeveloperSettings, DeveloperRedirects, DeveloperErrors, DeveloperWaiting, DeveloperNew, DeveloperTokens, DeveloperSecrets,
		DeveloperDelete,
	}
	guarded := []AccountPage{AccountPassword, AccountFactors, DeveloperNew, DeveloperTokens, DeveloperSettings, DeveloperSecrets, DeveloperDelete}
	asked := func(when string, step Step, pages ...AccountPage) {
		t.Helper()
		for _, page := range all {
			want := StepAccount
			if slices.Contains(pages, page) {
				want = step
			}
			if got := p.account(t, page); got.Step != want || got.Request.Page != page {
				t.Errorf("%s: %q leads to %s, want %s", when, page, got.Step, want)
			}
		}
	}
	asked("before signing in", StepSignIn, all...)
	first := p.account(t, AccountSessions)
	p.signIn(t, "ada")
	if again := p.resume(t, StepAccount, first); again.Request.Page != AccountSessions || again.Account.User.ID != u.ID {
		t.Errorf("signed in it leads to %q", again.Request.Page)
	}
	asked("just signed in", "")
	w.pass(11 * time.Minute)
	asked("later", StepSignIn, guarded...)
	p.signIn(t, "ada")
	asked("signed in again", "")
	app := w.enrol(t, u)
	asked("with a second factor since", StepSecondFactor, guarded...)
	p.factor(t, app)
	asked("with it given", "")
	w.pass(11 * time.Minute)
	asked("later, with a factor", StepSignIn, guarded...)
	p.signIn(t, "ada")
	asked("with half of it", StepSecondFactor, guarded...)
	p.factor(t, app)
	asked("with all of it", "")

	// No code comes of such a request, and no device is found with it.
	own := p.account(t, AccountOverview)
	if _, err := w.Issue(t.Context(), p.visit(t), own); !errors.Is(err, ErrAgain) {
		t.Errorf("a code: %v", err)
	}
	if _, err := w.FindDevice(t.Context(), p.visit(t), own, "BCDF-GHJK"); !errors.Is(err, ErrAgain) {
		t.Errorf("a device: %v", err)
	}
	if err := w.Allow(t.Context(), p.visit(t), own); !errors.Is(err, ErrAgain) {
		t.Errorf("a consent: %v", err)
	}
}

func TestAPersonSeesWhatTheyGaveAndTakesItBackAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	shop, house := w.app(t, "shop", nil), w.app(t, "house", func(m *storage.ClientMetadata) { m.FirstParty = true })
	w.app(t, "other", nil)
	ada, bob := w.user(t, "ada"), w.user(t, "bob")
	grant := func(n byte, u storage.User, c storage.Client, issued time.Time, scope ...string) storage.ID {
		g := storage.Grant{
			ID: storage.ID{n}, ClientID: c.ID, UserID: u.ID, Scope: scope, State: storage.Active, Generation: 1, IssuedAt: issued,
			Audience: []string{issuer, "https://api.example"}, CreatedAt: w.time(), ExpiresAt: w.time().Add(time.Hour),
		}
		must(t, w.store.CreateGrant(t.Context(), g, storage.Spend{}, storage.Also{}))
		return g.ID
	}
	p, q := w.browser(), w.browser()
	p.signIn(t, "ada")
	q.signIn(t, "bob")
	for _, one := range []*person{p, q} {
		one.allow(t, one.at(t, StepConsent, query("shop", "scope", "openid email")))
	}
	since := w.time()
	mine := grant(1, ada, shop, since.Add(time.Minute), "openid", "notes")
	homely := grant(2, ada, house, since.Add(2*time.Minute), "openid")
	foreign := grant(3, bob, shop, since, "openid")
	expired := storage.Grant{ID: storage.ID{4}, ClientID: "other", UserID: ada.ID, State: storage.Active, CreatedAt: since, ExpiresAt: since}
	must(t, w.store.CreateGrant(t.Context(), expired, storage.Spend{}, storage.Also{}))

	own := p.account(t, AccountApps)
	apps, err := w.Apps(t.Context(), own)
	must(t, err)
	if len(apps) != 2 || apps[0].Client.ID != "house" || apps[1].Client.ID != "shop" {
		t.Fatalf("the applications are %+v", apps)
	}
	got := apps[1]
	if !slices.Equal(got.Allowed.Scope, []string{"openid", "email", "notes"}) || !slices.Equal(got.Allowed.Resources, []string{"https://api.example"}) ||
		!got.UsedAt.Equal(since.Add(time.Minute)) || !got.Since.Before(since) || got.Client.Metadata.Name != "shop" {
		t.Errorf("the shop is %+v", got)
	}

	state := func(id storage.ID) storage.State {
		s, err := w.store.FindGrant(t.Context(), id)
		must(t, err)
		return s.Grant.State
	}
	for _, id := range []string{"other", "nobody", ""} {
		must(t, w.Disconnect(t.Context(), p.visit(t), own, id))
	}
	must(t, w.Disconnect(t.Context(), p.visit(t), own, "shop"))
	if state(mine) != storage.Revoked || state(homely) != storage.Active || state(foreign) != storage.Active {
		t.Errorf("the grants are %s, %s and another person's %s", state(mine), state(homely), state(foreign))
	}
	p.at(t, StepConsent, query("shop", "scope", "openid email"))
	q.at(t, StepIssue, query("shop", "scope", "openid email"))
	events, err := w.store.ListEvents(t.Context(), storage.EventFilter{Kind: "consent.withdrawn", Limit: 10})
	must(t, err)
	if len(events) != 1 || events[0].UserID != ada.ID || events[0].Actor != ada.ID.String() || events[0].ClientID != "shop" {
		t.Errorf("in the log: %+v", events)
	}

	w.pass(11 * time.Minute)
	stranger := p.account(t, AccountPassword)
	if _, err := w.Apps(t.Context(), stranger); !errors.Is(err, ErrAgain) {
		t.Errorf("without a step to it: %v", err)
	}
	if err := w.Disconnect(t.Context(), p.visit(t), stranger, "house"); !errors.Is(err, ErrAgain) || state(homely) != storage.Active {
		t.Errorf("without a step to it: %v", err)
	}
}

func TestAPersonReadsTheirOwnEventsOfNinetyDays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ada, bob := w.user(t, "ada"), w.user(t, "bob")
	record := func(u storage.User, kind string) {
		must(t, w.store.RecordEvents(t.Context(), []storage.Event{{Kind: kind, UserID: u.ID}}))
	}
	record(ada, "test.old")
	w.pass(91 * 24 * time.Hour)
	record(bob, "test.foreign")
	for n := range 60 {
		record(ada, fmt.Sprint("test.", n))
	}
	p := w.browser()
	p.signIn(t, "ada")
	own := p.account(t, AccountEvents)
	var kinds []string
	var before storage.ID
	for more, pages := true, 0; more && pages < 9; pages++ {
		var events []storage.Event
		var err error
		events, more, err = w.Events(t.Context(), own, before)
		must(t, err)
		if more != (pages == 0) || len(events) == 0 {
			t.Fatalf("page %d has %d events, more: %v", pages, len(events), more)
		}
		for _, e := range events {
			kinds = append(kinds, e.Kind)
		}
		before = events[len(events)-1].ID
	}
	if len(kinds) != 61 || kinds[0] != "signin.succeeded" || kinds[1] != "test.59" || kinds[60] != "test.0" {
		t.Errorf("the events are %v", kinds)
	}
	var nobody browser.Account
	if _, _, err := w.Events(t.Context(), &Passage{Step: StepSignIn, Account: &nobody}, storage.ID{}); !errors.Is(err, ErrAgain) {
		t.Errorf("without a step to them: %v", err)
	}
}
