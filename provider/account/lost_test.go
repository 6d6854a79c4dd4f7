package account

import (
	"slices"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

// lost is a house with ada, who has a second factor, as a sign-in reads her.
func lost(t *testing.T) (*house, storage.SignIn) {
	t.Helper()
	h := newHouse(t)
	ada := h.create(t, storage.User{Username: "ada", Email: "ada@example.org"})
	h.enroll(t, ada.ID)
	h.mail(t)
	return h, h.read(t)
}

// read is ada as a sign-in of hers reads her now.
func (h *house) read(t *testing.T) storage.SignIn {
	t.Helper()
	person, err := h.signIn(t.Context(), "ada", good)
	if err != nil {
		t.Fatal(err)
	}
	return person
}

func TestLostFactorsGoAfterTheTimeToStopItAndNoSooner(t *testing.T) {
	t.Parallel()
	h, ada := lost(t)
	ctx := t.Context()
	by := own(ada.User)
	begun, err := h.BeginRecovery(ctx, ada, by)
	if err != nil || !begun.RipeAt.Equal(h.time().Add(72*time.Hour)) {
		t.Fatalf("%+v, %v", begun, err)
	}
	if l := h.letter(t, "recovery_begun"); l.Data["ripe_at"] != begun.RipeAt.Format(time.RFC3339) || l.UserID != ada.User.ID {
		t.Errorf("the letter is %+v", l)
	}
	_, err = h.BeginRecovery(ctx, ada, by)
	is(t, "again", err, ErrPending)
	is(t, "at once", h.FinishRecovery(ctx, h.read(t), begun, by), ErrNotRipe)
	h.now.Add(72*60*60 - 1)
	is(t, "a second early", h.FinishRecovery(ctx, h.read(t), begun, by), ErrNotRipe)
	forged := begun
	forged.RipeAt = begun.CreatedAt
	is(t, "by what the caller says of it", h.FinishRecovery(ctx, h.read(t), forged, by), ErrLink)
	h.now.Add(1)
	found, now, under, err := h.Recovery(ctx, ada.User.ID)
	if err != nil || !under || found.ID != begun.ID || !found.Serves(now) {
		t.Fatalf("%+v, %v, %v, %v", found, now, under, err)
	}
	eve := h.create(t, storage.User{Username: "eve", Email: "eve@example.org"})
	is(t, "another user's", h.FinishRecovery(ctx, storage.SignIn{User: eve, Now: now}, found, by), ErrLink)
	stale := h.read(t)
	stale.User.Revision--
	is(t, "at a stale revision", h.FinishRecovery(ctx, stale, found, by), ErrChanged)
	person := h.read(t)
	oneWinner(t, atOnce(64, func() error { return h.FinishRecovery(ctx, person, found, by) }), ErrLink)
	if after := h.read(t); after.HasFactor() || after.RecoveryCodes != 0 || after.User.Revision != person.User.Revision+1 {
		t.Errorf("afterwards: %+v", after)
	}
	h.letter(t, "factor_removed")
	told := h.told(t, ada.User.ID)
	if want := []string{"user.recovery_begun", "user.recovery_finished"}; !slices.Equal(told[len(told)-2:], want) {
		t.Errorf("the events are %v", told)
	}
	if _, _, under, err := h.Recovery(ctx, ada.User.ID); err != nil || under {
		t.Errorf("it is still under way: %v", err)
	}
}

func TestARecoveryThatWasStoppedOrMissedOrEndedByANewPasswordTakesNothing(t *testing.T) {
	t.Parallel()
	for name, stop := range map[string]func(h *house, ada storage.SignIn) error{
		"stopped": func(h *house, ada storage.SignIn) error {
			if stopped, err := h.CancelRecovery(t.Context(), ada.User, own(ada.User)); err != nil || !stopped {
				t.Errorf("stopped %v, %v", stopped, err)
			}
			h.letter(t, "recovery_withdrawn")
			h.now.Add(73 * 60 * 60)
			return nil
		},
		"missed": func(h *house, _ storage.SignIn) error { h.now.Add((72 + 7*24) * 60 * 60); return nil },
		"password": func(h *house, ada storage.SignIn) error {
			h.now.Add(73 * 60 * 60)
			return h.SetPassword(t.Context(), ada.User.ID, secret(good), cli())
		},
		"policy": func(h *house, _ storage.SignIn) error {
			h.now.Add(73 * 60 * 60)
			h.factorRecovery = 0 // the operator starts it anew
			return nil
		},
	} {
		h, ada := lost(t)
		begun, err := h.BeginRecovery(t.Context(), ada, own(ada.User))
		if err != nil {
			t.Fatal(err)
		}
		h.mail(t)
		if err := stop(h, ada); err != nil {
			t.Fatal(err)
		}
		is(t, name, h.FinishRecovery(t.Context(), h.read(t), begun, own(ada.User)), ErrLink)
		if after := h.read(t); !after.HasFactor() || after.RecoveryCodes != 10 {
			t.Errorf("%s: the factors are gone", name)
		}
		if name == "policy" {
			continue
		}
		if stopped, err := h.CancelRecovery(t.Context(), ada.User, own(ada.User)); err != nil || stopped && name != "missed" {
			t.Errorf("%s: stopped once more: %v, %v", name, stopped, err)
		}
	}
}

// An operator's reset ends no recovery by itself; a factor that is made after it does, lest an old recovery take that away too.
func TestARecoveryTakesNoFactorThatWasMadeAfterIt(t *testing.T) {
	t.Parallel()
	h, ada := lost(t)
	ctx := t.Context()
	begun, err := h.BeginRecovery(ctx, ada, own(ada.User))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.RemoveFactors(ctx, ada.User.ID, cli()); err != nil {
		t.Fatal(err)
	}
	h.enroll(t, ada.User.ID)
	h.now.Add(72 * 60 * 60)
	if _, _, found, err := h.Recovery(ctx, ada.User.ID); err != nil || found {
		t.Errorf("it goes on: %v, %v", found, err)
	}
	is(t, "with the ticket of before", h.FinishRecovery(ctx, h.read(t), begun, own(ada.User)), ErrLink)
	if !h.read(t).HasFactor() {
		t.Error("the new factor is gone")
	}
}

func TestRecoveryIsOfferedToThoseWhoCanBeWarned(t *testing.T) {
	t.Parallel()
	h, ada := lost(t)
	if !h.RecoveryOffered(ada) {
		t.Error("it is not offered to ada")
	}
	unreachable := ada
	unreachable.User.Email = ""
	bare := ada
	bare.Factors = nil
	for name, person := range map[string]storage.SignIn{"no address": unreachable, "no factor": bare} {
		if h.RecoveryOffered(person) {
			t.Errorf("%s: it is offered", name)
		}
		_, err := h.BeginRecovery(t.Context(), person, own(ada.User))
		is(t, name, err, ErrLink)
	}
	h.factorRecovery = 0
	if h.RecoveryOffered(ada) {
		t.Error("it is offered where the operator does not allow it")
	}
}
