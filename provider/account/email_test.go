package account

import (
	"slices"
	"testing"

	"github.com/signet-idp/signet/storage"
)

// wants has u ask for the address.
func (h *house) wants(t *testing.T, n byte, u storage.User, address string) error {
	t.Helper()
	from, by := stranger(n)
	by.Actor = u.ID.String()
	return h.AskToChangeEmail(t.Context(), h.limiter, from, u, address, by)
}

func TestAnAddressBecomesOnesOwnWhenItIsProvenAndBothAreTold(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	ada := h.create(t, storage.User{Username: "ada", Email: "old@example.org", EmailVerified: true})
	eve := h.create(t, storage.User{Username: "eve"})
	reset := h.forgotten(t, 1, "ada")
	if err := h.wants(t, 2, ada, "New@example.org"); err != nil {
		t.Fatal(err)
	}
	l := h.letter(t, "email_verify")
	if l.Data[storage.LetterTo] != "New@example.org" || l.UserID != ada.ID {
		t.Errorf("the link goes to %+v", l)
	}
	id, err := storage.ParseID(l.Data[storage.LetterTicket])
	if err != nil {
		t.Fatal(err)
	}
	if before, _ := h.Find(ctx, "ada"); before.User.Email != "old@example.org" {
		t.Errorf("before it is proven the address is %s", before.User.Email)
	}
	_, err = h.ChangingEmail(ctx, id, eve)
	is(t, "another user's", err, ErrLink)
	_, err = h.ChangeEmail(ctx, id, eve, own(eve))
	is(t, "another user's", err, ErrLink)
	if ticket, err := h.ChangingEmail(ctx, id, ada); err != nil || ticket.Email != "New@example.org" {
		t.Errorf("%+v, %v", ticket, err)
	}
	after, err := h.ChangeEmail(ctx, id, ada, own(ada))
	if err != nil || after.Email != "New@example.org" || !after.EmailVerified || after.Revision != ada.Revision+1 {
		t.Fatalf("%+v, %v", after, err)
	}
	var to []string
	for _, l := range h.mail(t) {
		if l.Kind == "email_changed" {
			to = append(to, l.Data[storage.LetterTo])
		}
	}
	if slices.Sort(to); !slices.Equal(to, []string{"New@example.org", "old@example.org"}) {
		t.Errorf("told are %v", to)
	}
	if told := h.told(t, ada.ID); !slices.Equal(told[len(told)-2:], []string{"user.email_change_asked", "user.email_changed"}) {
		t.Errorf("the events are %v", told)
	}
	_, err = h.ChangeEmail(ctx, id, after, own(ada))
	is(t, "twice", err, ErrLink)
	_, _, err = h.Resetting(ctx, reset)
	is(t, "a link to reset at the old address", err, ErrLink)
	if found, err := h.Find(ctx, "new@example.org"); err != nil || found.User.ID != ada.ID {
		t.Errorf("the new address names %v, %v", found.User.ID, err)
	}
}

func TestAnAddressOfSomebodyElseIsNotSaidToBe(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	ada := h.create(t, storage.User{Username: "ada", Email: "ada@example.org", EmailVerified: true})
	eve := h.create(t, storage.User{Username: "eve", Email: "eve@example.org"})
	var works []map[string]int
	for n, address := range []string{"free@example.org", "EVE@example.org"} {
		works = append(works, h.wrote(t, func() {
			if err := h.wants(t, byte(n), ada, address); err != nil {
				t.Errorf("%s: %v", address, err)
			}
		}))
	}
	if works[0]["tickets"] != 1 || works[0]["outbox"] != 1 || works[0]["audit_events"] != 1 || len(works[0]) != len(works[1]) {
		t.Errorf("the work for a free address is %v, for a taken one %v", works[0], works[1])
	}
	for kind, n := range works[0] {
		if works[1][kind] != n {
			t.Errorf("%s tells them apart: %d and %d", kind, n, works[1][kind])
		}
	}
	for _, l := range h.mail(t) {
		switch {
		case l.Kind == "email_verify" && l.Data[storage.LetterTo] == "free@example.org":
		case l.Kind == "address_in_use" && l.UserID == eve.ID && l.Data[storage.LetterTicket] == "":
		default:
			t.Errorf("a letter %+v", l)
		}
	}
	refused(t, h.wants(t, 3, ada, "ada@example.org"), "email")
	refused(t, h.wants(t, 3, ada, "nothing"), "email")
	if err := h.wants(t, 4, eve, "eve@example.org"); err != nil { // hers, and not proven yet
		t.Fatal(err)
	}
	after, err := h.ChangeEmail(ctx, h.mailed(t, "email_verify"), eve, own(eve))
	if err != nil || !after.EmailVerified || after.Email != eve.Email {
		t.Errorf("%+v, %v", after, err)
	}
	if n := len(h.mail(t)); n != 1 {
		t.Errorf("%d letters to one address", n)
	}
}

func TestAnAddressThatWasTakenMeanwhileOrAskedForByAStaleSessionChangesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	ada := h.create(t, storage.User{Username: "ada"})
	if err := h.wants(t, 1, ada, "late@example.org"); err != nil {
		t.Fatal(err)
	}
	late := h.mailed(t, "email_verify")
	if err := h.wants(t, 2, ada, "good@example.org"); err != nil {
		t.Fatal(err)
	}
	right := h.mailed(t, "email_verify")
	h.create(t, storage.User{Username: "bob", Email: "late@example.org"})
	_, err := h.ChangeEmail(ctx, late, ada, own(ada))
	refused(t, err, "email")
	stale := ada
	stale.Revision--
	_, err = h.ChangeEmail(ctx, right, stale, own(ada))
	is(t, "at a stale revision", err, ErrChanged)
	oneWinner(t, atOnce(64, func() error {
		_, err := h.ChangeEmail(ctx, right, ada, own(ada))
		return err
	}), ErrLink)
	if found, _ := h.Find(ctx, "ada"); found.User.Email != "good@example.org" {
		t.Errorf("the address is %q", found.User.Email)
	}
}
