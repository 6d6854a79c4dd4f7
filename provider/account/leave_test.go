package account

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func TestAnAccountGoesWhenTheTimeToThinkBetterOfItHasPassed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	ada := h.create(t, storage.User{Username: "ada", Email: "ada@example.org", Profile: storage.Profile{Locale: "ar"}})
	bob := h.create(t, storage.User{Username: "bob"})
	ticket, err := h.AskToDelete(ctx, ada, own(ada))
	if err != nil || !ticket.RipeAt.Equal(h.time().Add(DeletionDelay)) {
		t.Fatalf("%+v, %v", ticket, err)
	}
	if l := h.letter(t, "deletion_asked"); l.UserID != ada.ID || l.Data["ripe_at"] != ticket.RipeAt.Format(time.RFC3339) {
		t.Errorf("the letter is %+v", l)
	}
	if _, err := h.AskToDelete(ctx, bob, own(bob)); err != nil { // without an address
		t.Fatal(err)
	}
	_, err = h.AskToDelete(ctx, ada, own(ada))
	is(t, "again", err, ErrPending)
	recovery, deletion, _, err := h.Pending(ctx, ada.ID)
	if err != nil || recovery != nil || deletion == nil || deletion.ID != ticket.ID {
		t.Errorf("pending are %v and %v, %v", recovery, deletion, err)
	}
	h.now.Add(14*24*60*60 - 1)
	if n, err := h.EraseRipe(ctx); n != 0 || err != nil {
		t.Errorf("a second early: %d, %v", n, err)
	}
	h.now.Add(1)
	counts := make(chan int, 8)
	for _, err := range atOnce(8, func() error {
		n, err := h.EraseRipe(ctx)
		counts <- n
		return err
	}) {
		if err != nil {
			t.Error(err)
		}
	}
	close(counts)
	all := 0
	for n := range counts {
		all += n
	}
	if all != 2 {
		t.Errorf("two users were deleted %d times", all)
	}
	if _, err := h.Find(ctx, ada.ID.String()); !errors.Is(err, ErrNotFound) {
		t.Errorf("the account: %v", err)
	}
	l := h.letter(t, "account_deleted")
	if l.Data[storage.LetterTo] != "ada@example.org" || !l.UserID.IsZero() || l.Data["locale"] != "ar" {
		t.Errorf("the letter is %+v", l)
	}
	if told := h.told(t, ada.ID); !slices.Equal(told, []string{"user.created", "user.deletion_asked", "user.deleted"}) {
		t.Errorf("the events are %v", told)
	}
}

func TestWhoeverThinksBetterOfItKeepsTheAccount(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	ada := h.create(t, storage.User{Username: "ada", Email: "ada@example.org"})
	if err := h.KeepAccount(ctx, ada, own(ada)); err != nil { // there is nothing to take back
		t.Fatal(err)
	}
	if _, err := h.AskToDelete(ctx, ada, own(ada)); err != nil {
		t.Fatal(err)
	}
	if err := h.KeepAccount(ctx, ada, own(ada)); err != nil {
		t.Fatal(err)
	}
	h.letter(t, "deletion_withdrawn")
	h.now.Add(30 * 24 * 60 * 60)
	if n, err := h.EraseRipe(ctx); n != 0 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := h.signIn(ctx, "ada", good); err != nil {
		t.Errorf("signing in: %v", err)
	}
	if told := h.told(t, ada.ID); !slices.Equal(told, []string{"user.created", "user.deletion_asked", "user.deletion_withdrawn"}) {
		t.Errorf("the events are %v", told)
	}
	if _, err := h.AskToDelete(ctx, ada, own(ada)); err != nil {
		t.Errorf("once more: %v", err)
	}
}
