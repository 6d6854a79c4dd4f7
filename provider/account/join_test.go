package account

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

// ask has a stranger ask for a link to the address and returns its ticket.
func (h *house) ask(t *testing.T, n byte, address string) storage.ID {
	t.Helper()
	from, by := stranger(n)
	if err := h.AskToJoin(t.Context(), h.limiter, from, address, "stx_request", by); err != nil {
		t.Fatal(err)
	}
	return h.mailed(t, "sign_up")
}

func newcomer() Newcomer { return Newcomer{Password: secret(good), Name: "Ada Lovelace", Locale: "de"} }

func TestWhoeverProvedAnAddressMakesAnAccountWithIt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	first, second := h.ask(t, 1, "Ada.L+shop@Example.org"), h.ask(t, 2, "ada.l+shop@example.ORG")
	other := h.ask(t, 3, "eve@example.org")
	t1, err := h.Joining(ctx, first)
	if err != nil || t1.Email != "Ada.L+shop@Example.org" || t1.Data[TicketTx] != "stx_request" {
		t.Fatalf("the ticket is %+v, %v", t1, err)
	}
	_, by := stranger(1)
	n := newcomer()
	n.Email = "mallory@example.org" // is not asked for, and not taken
	ada, err := h.Join(ctx, first, n, by)
	if err != nil {
		t.Fatal(err)
	}
	if ada.Username != "ada.l" || ada.Email != t1.Email || !ada.EmailVerified || ada.Admin || ada.Profile.Name != n.Name || ada.Profile.Locale != "de" || ada.Revision != 1 {
		t.Errorf("the account is %+v", ada)
	}
	if _, err := h.signIn(ctx, "ada.l+shop@example.org", good); err != nil {
		t.Errorf("signing in: %v", err)
	}
	if told := h.told(t, ada.ID); !slices.Equal(told, []string{"user.created", "user.joined"}) {
		t.Errorf("the events are %v", told)
	}
	for name, id := range map[string]storage.ID{"used": first, "another to the same address": second} {
		_, err := h.Joining(ctx, id)
		is(t, name, err, ErrLink)
		_, err = h.Join(ctx, id, n, by)
		is(t, name, err, ErrLink)
	}
	if _, err := h.Joining(ctx, other); err != nil {
		t.Errorf("somebody else's link: %v", err)
	}
	h.now.Add(30 * 60)
	_, err = h.Join(ctx, other, newcomer(), by)
	is(t, "late", err, ErrLink)
}

func TestWhatIsRefusedUsesUpNoLink(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	h.create(t, storage.User{Username: "taken", Email: "taken@example.org"})
	id := h.ask(t, 1, "ada@example.org")
	_, by := stranger(1)
	for field, edits := range map[string][]func(*Newcomer){
		"username": {func(n *Newcomer) { n.Username = "TAKEN" }, func(n *Newcomer) { n.Username = "a b" }, func(n *Newcomer) { n.Username = "a@b" }},
		"name":     {func(n *Newcomer) { n.Name = "a\nb" }},
		"locale":   {func(n *Newcomer) { n.Locale = "no language" }},
		"password": {
			func(n *Newcomer) { n.Password = storage.Secret{} }, func(n *Newcomer) { n.Password = secret("another good secret") },
			func(n *Newcomer) { n.Password = secret("ada lovelace ada lovelace") },
		},
	} {
		for _, edit := range edits {
			n := newcomer()
			edit(&n)
			before := h.rows(t)["hashes"]
			_, err := h.Join(ctx, id, n, by)
			refused(t, err, field)
			if n.Username == "TAKEN" {
				is(t, "it is somebody's", err, storage.ErrTaken)
			}
			if h.rows(t)["hashes"] != before {
				t.Errorf("%s: a hash was computed for it", field)
			}
		}
	}
	if _, err := h.Join(ctx, id, newcomer(), by); err != nil {
		t.Errorf("after all that: %v", err)
	}
	late := h.ask(t, 2, "late@example.org")
	h.create(t, storage.User{Username: "first", Email: "late@example.org"})
	_, err := h.Join(ctx, late, newcomer(), by)
	refused(t, err, "email")
	from, _ := stranger(3)
	refused(t, h.AskToJoin(ctx, h.limiter, from, "no address", "", by), "email")
}

func TestOneLinkMakesOneAccount(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	id := h.ask(t, 1, "ada@example.org")
	_, by := stranger(1)
	oneWinner(t, atOnce(64, func() error {
		_, err := h.Join(ctx, id, Newcomer{Username: "u" + randomDigits(12), Password: secret(good)}, by)
		return err
	}), ErrLink)
	if n := h.rows(t)["users"]; n != 1 {
		t.Errorf("%d users", n)
	}
}

func TestWhoMayJoinIsThePolicysOfToday(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	for _, c := range []struct {
		policy            SignUp
		anybody, invitees bool
	}{{SignUpOff, false, false}, {SignUpInvite, false, true}, {SignUpOn, true, true}} {
		h := houseOf(t, SignUpOn)
		invited, link, err := h.Invite(ctx, "Invited@example.org", false, cli())
		if err != nil || !strings.HasPrefix(link, houseIssuer+"/signup?link=") || h.mailed(t, "invitation") != invited.ID {
			t.Fatalf("%v, %s, %v", invited, link, err)
		}
		h.now.Add(7*24*60*60 - 1)
		if id, err := h.OpenLink(text(link)); err != nil || id != invited.ID {
			t.Errorf("the link of an invitation on its last day: %v", err)
		}
		asked, by := h.ask(t, 1, "anybody@example.org"), By{}
		standIn := h.ask(t, 2, "invited@example.org")
		h.signUp = c.policy // the operator starts it anew
		for name, at := range map[string]struct {
			id  storage.ID
			may bool
		}{"anybody": {asked, c.anybody}, "stand-in": {standIn, c.invitees}, "invitation": {invited.ID, c.invitees}} {
			if _, err := h.Joining(ctx, at.id); (err == nil) != at.may || !at.may && !errors.Is(err, ErrLink) {
				t.Errorf("%s, a link of %s: %v", c.policy, name, err)
			}
		}
		from, _ := stranger(3)
		if err := h.AskToJoin(ctx, h.limiter, from, "new@example.org", "", by); c.policy == SignUpOff != errors.Is(err, ErrSignUpOff) {
			t.Errorf("%s: asking: %v", c.policy, err)
		}
		if _, _, err := h.Invite(ctx, "friend@example.org", false, cli()); c.policy == SignUpOff != errors.Is(err, ErrSignUpOff) {
			t.Errorf("%s: inviting: %v", c.policy, err)
		}
		if !c.invitees {
			continue
		}
		if _, err := h.Join(ctx, standIn, newcomer(), by); err != nil {
			t.Fatal(err)
		}
		_, err = h.Joining(ctx, invited.ID)
		is(t, "the invitation after its stand-in", err, ErrLink)
		_, _, err = h.Invite(ctx, "INVITED@example.org", false, cli())
		refused(t, err, "email")
	}
}

func TestAnInvitationIsForItsAddressAndSaysWhatBecomesOfIt(t *testing.T) {
	t.Parallel()
	h := houseOf(t, SignUpInvite)
	ctx := t.Context()
	for address, admin := range map[string]bool{"boss@example.org": true, "clerk@example.org": false} {
		if _, _, err := h.Invite(ctx, address, admin, cli()); err != nil {
			t.Fatal(err)
		}
		h.mail(t)
		h.now.Add(24 * 60 * 60) // the mailed link is long over: another one, by the sign-up page
		u, err := h.Join(ctx, h.ask(t, 1, address), newcomer(), By{})
		if err != nil || u.Admin != admin || u.Email != address || !u.EmailVerified {
			t.Errorf("%s became %+v, %v", address, u, err)
		}
	}
}

func TestTheFirstAdministratorIsMadeOnce(t *testing.T) {
	t.Parallel()
	h := houseOf(t, SignUpOff)
	ctx := t.Context()
	if empty, err := h.Empty(ctx); err != nil || !empty {
		t.Fatalf("empty: %v, %v", empty, err)
	}
	var tickets []storage.ID
	for range 2 {
		link, expires, err := h.SetupLink(ctx, cli())
		if err != nil || !strings.HasPrefix(link, houseIssuer+"/setup?link=") || !expires.Equal(h.time().Add(15*time.Minute)) {
			t.Fatalf("%s until %v, %v", link, expires, err)
		}
		id, err := h.OpenLink(text(link))
		if err != nil {
			t.Fatal(err)
		}
		tickets = append(tickets, id)
	}
	n := newcomer()
	n.Username, n.Email = "root", "root@example.org"
	results := atOnce(16, func() error {
		_, err := h.Join(ctx, tickets[0], n, By{})
		return err
	})
	won := 0
	for _, err := range results {
		if err == nil {
			won++
		} else if !errors.Is(err, ErrLink) && !errors.Is(err, storage.ErrTaken) {
			t.Errorf("a loser got %v", err)
		}
	}
	root, err := h.Find(ctx, "root")
	if won != 1 || err != nil || !root.User.Admin || root.User.EmailVerified || root.User.Email != n.Email {
		t.Fatalf("%d won; %+v, %v", won, root.User, err)
	}
	if told := h.told(t, root.User.ID); !slices.Equal(told, []string{"user.created", "user.set_up"}) {
		t.Errorf("the events are %v", told)
	}
	n.Username, n.Email = "second", ""
	_, err = h.Join(ctx, tickets[1], n, By{})
	is(t, "the second link", err, ErrLink)
	_, _, err = h.SetupLink(ctx, cli())
	is(t, "a third", err, ErrSetUp)
	if empty, err := h.Empty(ctx); err != nil || empty {
		t.Errorf("empty: %v, %v", empty, err)
	}
}

func TestALinkToSetUpIsWorthNothingOnceThereIsAnAdministratorOrItIsLate(t *testing.T) {
	t.Parallel()
	h := houseOf(t, SignUpOff)
	ctx := t.Context()
	setup := func() storage.ID {
		link, _, err := h.SetupLink(ctx, cli())
		if err != nil {
			t.Fatal(err)
		}
		id, err := h.OpenLink(text(link))
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	late := setup()
	h.now.Add(15 * 60)
	_, err := h.Join(ctx, late, newcomer(), By{})
	is(t, "late", err, ErrLink)
	h.create(t, storage.User{Username: "bob"}) // no administrator
	beaten := setup()
	h.create(t, storage.User{Username: "root", Admin: true})
	n := newcomer()
	n.Username = "mallory"
	_, err = h.Join(ctx, beaten, n, By{})
	is(t, "after another way made one", err, ErrLink)
	if _, err := h.Find(ctx, "mallory"); !errors.Is(err, ErrNotFound) {
		t.Errorf("the loser is there: %v", err)
	}
}

func TestAUsernameIsMadeOfTheAddress(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for email, want := range map[string]string{
		"Ada@example.org": "ada", "ada.l+news@example.org": "ada.l", "+@example.org": "user", "ßtraße@example.org": "sstrasse",
		"аdmin@example.org": "user", strings.Repeat("x", 64) + "@example.org": strings.Repeat("x", 64), // the first letter is Cyrillic
		"0190b6a0-0000-7000-8000-000000000000@example.org": "user", // it has the form of a subject
	} {
		if got, err := h.freeUsername(t.Context(), email); err != nil || got != want {
			t.Errorf("%s becomes %q, %v; want %q", email, got, err, want)
		}
	}
	seen := map[string]bool{}
	for range 5 {
		name, err := h.freeUsername(t.Context(), "ada@example.org")
		if err != nil || seen[name] || !strings.HasPrefix(name, "ada") {
			t.Fatalf("%q, %v", name, err)
		}
		seen[name] = true
		h.create(t, storage.User{Username: name})
	}
}
