package account

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

const better = "purple monkey dishwasher tuning fork"

// forgotten has somebody ask for a link to reset login's password and returns its ticket.
func (h *house) forgotten(t *testing.T, n byte, login string) storage.ID {
	t.Helper()
	from, by := stranger(n)
	if err := h.AskToReset(t.Context(), h.limiter, from, login, "stx_request", by); err != nil {
		t.Fatal(err)
	}
	return h.mailed(t, "reset")
}

// reset chooses the password better by the ticket.
func (h *house) reset(ctx context.Context, id storage.ID, proof Proof) (storage.User, error) {
	from, by := stranger(1)
	return h.ResetPassword(ctx, h.limiter, from, id, proof, secret(better), by)
}

func TestANewPasswordEndsWhatTheOldOneHadOpened(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	ada := h.create(t, storage.User{Username: "ada", Email: "Ada@example.org"})
	client := storage.Client{ID: "app"}
	grant := storage.Grant{ID: newID(), ClientID: "app", UserID: ada.ID, State: storage.Active, ExpiresAt: h.time().Add(time.Hour), Offline: true}
	session := storage.Session{ID: newID(), Digest: storage.Digest{1}, UserID: ada.ID, ExpiresAt: h.time().Add(time.Hour)}
	spend := storage.Spend{UserID: ada.ID, UserRevision: ada.Revision}
	if err := errors.Join(h.store.CreateClient(ctx, client, storage.Also{}), h.store.CreateGrant(ctx, grant, spend, storage.Also{}),
		h.store.StartSession(ctx, session, 9, spend, storage.Also{})); err != nil {
		t.Fatal(err)
	}
	first, second := h.forgotten(t, 1, "ada"), h.forgotten(t, 2, "ada@example.org")
	if _, err := h.AskToDelete(ctx, ada, own(ada)); err != nil {
		t.Fatal(err)
	}
	h.mail(t)
	ticket, person, err := h.Resetting(ctx, first)
	if err != nil || person.User.ID != ada.ID || ticket.Data[TicketTx] != "stx_request" {
		t.Fatalf("%+v, %+v, %v", ticket, person.User, err)
	}
	after, err := h.reset(ctx, first, Proof{})
	if err != nil || after.ID != ada.ID || after.Revision != ada.Revision+1 {
		t.Fatalf("%+v, %v", after, err)
	}
	if _, err := h.signIn(ctx, "ada", good); !errors.Is(err, ErrWrong) {
		t.Errorf("the old password: %v", err)
	}
	if _, err := h.signIn(ctx, "ada", better); err != nil {
		t.Errorf("the new password: %v", err)
	}
	if sessions, _, err := h.store.ListSessions(ctx, ada.ID); err != nil || len(sessions) != 0 {
		t.Errorf("%d sessions, %v", len(sessions), err)
	}
	if standing, err := h.store.FindGrant(ctx, grant.ID); err != nil || standing.Grant.RevokedReason != storage.ReasonPasswordChanged {
		t.Errorf("the grant is %+v, %v", standing.Grant, err)
	}
	for name, id := range map[string]storage.ID{"used": first, "asked for before": second} {
		_, _, err := h.Resetting(ctx, id)
		is(t, name, err, ErrLink)
		_, err = h.reset(ctx, id, Proof{})
		is(t, name, err, ErrLink)
	}
	if _, deletion, _, err := h.Pending(ctx, ada.ID); err != nil || deletion == nil {
		t.Errorf("a deletion that is under way: %v, %v", deletion, err)
	}
	h.letter(t, "password_changed")
	if told := h.told(t, ada.ID); !slices.Equal(told, []string{"user.created", "user.reset_asked", "user.reset_asked", "user.deletion_asked", "user.password_reset"}) {
		t.Errorf("the events are %v", told)
	}
}

func TestALinkToResetIsWorthNothingOnceItsReasonIsGone(t *testing.T) {
	t.Parallel()
	h, ctx := newHouse(t), t.Context()
	move := func(u storage.User, email string) error {
		u.Email = email
		_, err := h.Update(ctx, u, cli())
		return err
	}
	for i, c := range []struct {
		name string
		undo func(u storage.User) error
	}{
		{"disabled", func(u storage.User) error { return h.Disable(ctx, u.ID, cli()) }},
		{"deleted", func(u storage.User) error { return h.Delete(ctx, u.ID, cli()) }},
		{"moved", func(u storage.User) error { return move(u, "new@example.org") }},
		{"unreachable", func(u storage.User) error { return move(u, "") }},
		{"changed", func(u storage.User) error { return h.SetPassword(ctx, u.ID, secret(better), cli()) }},
		{"late", func(storage.User) error { h.now.Add(30 * 60); return nil }},
	} {
		u := h.create(t, storage.User{Username: c.name, Email: c.name + "@example.org"})
		id := h.forgotten(t, byte(i), c.name)
		if err := c.undo(u); err != nil {
			t.Fatal(err)
		}
		before := h.rows(t)["hashes"]
		_, _, err := h.Resetting(ctx, id)
		is(t, c.name, err, ErrLink)
		_, err = h.reset(ctx, id, Proof{})
		is(t, c.name, err, ErrLink)
		if h.rows(t)["hashes"] != before {
			t.Errorf("%s: a hash was computed for it", c.name)
		}
	}
	// Tickets of other kinds, and of strangers.
	ada := h.create(t, storage.User{Username: "ada", Email: "ada@example.org"})
	for _, ticket := range []storage.Ticket{
		{Kind: storage.TicketReset}, {Kind: storage.TicketSignUp, Login: ada.Email}, {Kind: storage.TicketEmail, UserID: ada.ID, Login: ada.Email},
	} {
		ticket.ID = newID()
		if _, err := h.store.IssueTicket(ctx, ticket, 0, time.Hour, storage.Also{}); err != nil {
			t.Fatal(err)
		}
		_, err := h.reset(ctx, ticket.ID, Proof{})
		is(t, string(ticket.Kind), err, ErrLink)
	}
}

func TestALinkAloneResetsNoPasswordThatHasASecondFactor(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	ada := h.create(t, storage.User{Username: "ada", Email: "ada@example.org"})
	seed, codes := h.enroll(t, ada.ID)
	burned := h.code(t, seed)
	id := h.forgotten(t, 1, "ada")
	h.mail(t)
	wrong := 0
	for name, proof := range map[string]Proof{
		"none": {}, "a wrong code": {OTP: "000000"}, "a code that served": {OTP: burned}, "no recovery code": {RecoveryCode: "0000"},
		"a recovery code of nobody": {RecoveryCode: "0000-0000-0000-0000-0000-0000-0000"},
	} {
		_, err := h.reset(ctx, id, proof)
		is(t, name, err, ErrWrong)
		wrong++
	}
	_, err := h.reset(ctx, id, Proof{OTP: "000000"})
	if refusal := oauth.As(err); refusal == nil || refusal.Code != oauth.SlowDown {
		t.Errorf("after %d wrong codes: %v", wrong, err)
	}
	if _, err := h.signIn(ctx, "ada", good); err != nil {
		t.Errorf("the old password: %v", err)
	}
	failed := slices.DeleteFunc(h.told(t, ada.ID), func(kind string) bool { return kind != "signin.second_factor_failed" })
	if len(failed) != wrong {
		t.Errorf("%d events of %d wrong codes", len(failed), wrong)
	}
	h.now.Add(5 * 60)
	from, by := stranger(1)
	for range 12 { // a right code with a password that is refused is spent by nobody, and costs no attempt
		_, err := h.ResetPassword(ctx, h.limiter, from, id, Proof{OTP: h.code(t, seed)}, secret("another good secret"), by)
		refused(t, err, "password")
	}
	code := h.code(t, seed)
	if _, err := h.reset(ctx, id, Proof{OTP: code}); err != nil {
		t.Fatal(err)
	}
	found, _ := h.Find(ctx, "ada")
	if _, _, err := h.MatchFactor(found, code); !errors.Is(err, ErrWrong) {
		t.Errorf("the code serves again: %v", err)
	}
	second := h.forgotten(t, 2, "ada")
	if _, err := h.reset(ctx, second, Proof{RecoveryCode: codes[0]}); err != nil {
		t.Fatal(err)
	}
	third := h.forgotten(t, 3, "ada")
	_, err = h.reset(ctx, third, Proof{RecoveryCode: codes[0]})
	is(t, "a recovery code that served", err, ErrWrong)
	if _, err := h.reset(ctx, third, Proof{RecoveryCode: codes[1]}); err != nil {
		t.Errorf("after that the link: %v", err)
	}
	if found, _ := h.Find(ctx, "ada"); found.RecoveryCodes != 8 {
		t.Errorf("%d recovery codes are left", found.RecoveryCodes)
	}
}

func TestOneLinkResetsOnePassword(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	h.create(t, storage.User{Username: "ada", Email: "ada@example.org"})
	eve := h.create(t, storage.User{Username: "eve", Email: "eve@example.org"})
	_, codes := h.enroll(t, eve.ID)
	bare, guarded := h.forgotten(t, 1, "ada"), h.forgotten(t, 2, "eve")
	oneWinner(t, atOnce(64, func() error {
		_, err := h.reset(ctx, bare, Proof{})
		return err
	}), ErrLink)
	oneWinner(t, atOnce(5, func() error { // as many as there are attempts
		_, err := h.reset(ctx, guarded, Proof{RecoveryCode: codes[3]})
		return err
	}), ErrLink)
	told := h.told(t, eve.ID)
	if slices.Contains(told, "signin.second_factor_failed") {
		t.Errorf("a right code was taken for wrong: %v", told)
	}
}

func TestACodeThatServedElsewhereMeanwhileResetsNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	ada := h.create(t, storage.User{Username: "ada", Email: "ada@example.org"})
	seed, _ := h.enroll(t, ada.ID)
	id := h.forgotten(t, 1, "ada")
	h.now.Add(60)
	found, _ := h.Find(ctx, "ada")
	spend, amr, err := h.ProveFactor(found, Proof{OTP: h.code(t, seed)})
	if err != nil || !slices.Equal(amr, []string{oauth.AMROTP, oauth.AMRMFA}) || spend.UserRevision != found.User.Revision {
		t.Fatalf("%+v, %v, %v", spend, amr, err)
	}
	// The code is spent elsewhere between the match and the commit.
	session := storage.Session{ID: newID(), Digest: storage.Digest{1}, UserID: ada.ID, ExpiresAt: h.time().Add(time.Hour)}
	if err := h.store.StartSession(ctx, session, 9, spend, storage.Also{}); err != nil {
		t.Fatal(err)
	}
	_, err = h.reset(ctx, id, Proof{OTP: h.code(t, seed)})
	is(t, "a code that another sign-in spent", err, ErrWrong)
	u := found.User
	err = h.resetBy(ctx, storage.Ticket{ID: id}, &u, spend, secret(better), cli())
	is(t, "one that was spent meanwhile", err, ErrWrong)
	if _, _, err := h.Resetting(ctx, id); err != nil {
		t.Errorf("the link after that: %v", err)
	}
}

func TestAPasskeyResetsAPasswordAndACopyOfItDoesNot(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	ada := h.create(t, storage.User{Username: "ada", Email: "ada@example.org"})
	d := newDevice(ada.ID)
	h.addPasskey(t, ada.ID, d)
	answer := func() Proof {
		options, c, err := h.BeginPasskeyFactor(h.person(t, ada.ID))
		if err != nil {
			t.Fatal(err)
		}
		return Proof{Passkey: &PasskeyProof{c, d.get(t, options)}}
	}
	first := h.forgotten(t, 1, "ada")
	_, err := h.reset(ctx, first, Proof{})
	is(t, "the link alone", err, ErrWrong)
	good := answer()
	if _, err := h.reset(ctx, first, good); err != nil {
		t.Fatal(err)
	}
	second := h.forgotten(t, 2, "ada")
	_, err = h.reset(ctx, second, good)
	is(t, "an answer that served", err, ErrWrong)
	d.key.Counter = 0 // as a copy from before counts
	_, err = h.reset(ctx, second, answer())
	is(t, "a copy", err, ErrWrong)
	told := h.told(t, ada.ID)
	if want := "signin.passkey_cloned"; told[len(told)-1] != want {
		t.Errorf("the events are %v, want %s at last", told, want)
	}
	if _, _, err := h.Resetting(ctx, second); err != nil {
		t.Errorf("the link after that: %v", err)
	}
}

// overtaken is the real store, at which something else happens before a ticket is written.
type overtaken struct {
	Store
	first func()
}

func (s overtaken) IssueTicket(
	ctx context.Context, ticket storage.Ticket, wait, life time.Duration, also storage.Also,
) (storage.Ticket, error) {
	s.first()
	return s.Store.IssueTicket(ctx, ticket, wait, life, also)
}

func TestWhoIsDeletedWhileALinkIsAskedForIsNobody(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.create(t, storage.User{Username: "ada", Email: "ada@example.org"})
	once := sync.OnceFunc(func() {
		if err := h.Delete(t.Context(), ada.ID, cli()); err != nil {
			t.Error(err)
		}
	})
	h.People.store = overtaken{h.store, once}
	from, by := stranger(1)
	if err := h.AskToReset(t.Context(), h.limiter, from, "ada", "", by); err != nil {
		t.Fatal(err)
	}
	h.letter(t, "nothing_here")
}
