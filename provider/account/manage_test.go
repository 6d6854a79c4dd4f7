package account

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/pquerna/otp/totp"

	"github.com/signet-idp/signet/storage"
)

func TestManagingAUserIsAuditedAndToldToThePerson(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	ada := h.create(t, storage.User{Username: "ada", Email: "countess@example.org"})
	ada.Profile.GivenName, ada.Admin = "Ada", true
	ada, err := h.Update(ctx, ada, cli())
	if err != nil || ada.Profile.GivenName != "Ada" || !ada.Admin {
		t.Fatalf("%+v, %v", ada, err)
	}
	for _, act := range []error{
		h.SetPassword(ctx, ada.ID, secret("another good secret"), cli()),
		h.Disable(ctx, ada.ID, cli()), h.Disable(ctx, ada.ID, cli()),
		h.Enable(ctx, ada.ID, cli()), h.Enable(ctx, ada.ID, cli()),
	} {
		if act != nil {
			t.Fatal(act)
		}
	}
	if _, err := h.signIn(ctx, "ada", "another good secret"); err != nil {
		t.Error(err)
	}
	if err := h.Delete(ctx, ada.ID, cli()); err != nil {
		t.Fatal(err)
	}
	want := []string{"user.created", "user.updated", "user.password_changed", "user.disabled", "user.enabled", "user.deleted"}
	if diff := cmp.Diff(want, h.audited(t, ada.ID)); diff != "" {
		t.Error(diff)
	}
	events, _ := h.store.ListEvents(ctx, storage.EventFilter{Kind: "user.updated", Limit: 1})
	if len(events) != 1 || events[0].Detail["changed"] != "admin given_name" {
		t.Errorf("the update is reported as %v", events)
	}
	for _, err := range []error{
		h.Delete(ctx, ada.ID, cli()), h.Disable(ctx, ada.ID, cli()), h.SetPassword(ctx, ada.ID, secret(good), cli()),
	} {
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("of a deleted user: %v", err)
		}
	}
	if _, err := h.Find(ctx, "ada"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a deleted user is found: %v", err)
	}
}

func TestWhoIsToldOfWhat(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.create(t, storage.User{Username: "ada", Email: "countess@example.org"})
	bob := h.create(t, storage.User{Username: "bob"})
	for _, id := range []storage.ID{ada.ID, bob.ID} {
		h.enroll(t, id)
		if n, err := h.RemoveFactors(t.Context(), id, cli()); err != nil || n != 1 {
			t.Errorf("%d, %v", n, err)
		}
		if err := h.SetPassword(t.Context(), id, secret("another good secret"), cli()); err != nil {
			t.Error(err)
		}
	}
	// Bob has no address to write to.
	if diff := cmp.Diff([]string{"factor_added", "factor_removed", "password_changed"}, h.posted(t)); diff != "" {
		t.Error(diff)
	}
}

func TestARefusedPasswordChangesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.create(t, storage.User{Username: "ada_l"})
	for _, password := range []string{"", "short", "ada_l-and-more", "password1"} {
		var bad *Invalid
		if err := h.SetPassword(t.Context(), ada.ID, secret(password), cli()); !errors.As(err, &bad) || bad.Field != "password" {
			t.Errorf("%q: %v", password, err)
		}
		if strings.Contains(bad.Error(), "ada_l") {
			t.Errorf("the refusal repeats the input: %v", bad)
		}
	}
	if _, err := h.Create(t.Context(), storage.User{Username: "eve"}, secret("short"), cli()); err == nil {
		t.Error("a user was created with a refused password")
	}
	if _, err := h.Find(t.Context(), "eve"); !errors.Is(err, ErrNotFound) {
		t.Error("a refused user was stored")
	}
	if _, err := h.signIn(t.Context(), "ada_l", good); err != nil {
		t.Error(err)
	}
}

func TestAnUpdateOfAnOldReadingIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.create(t, storage.User{Username: "ada"})
	if _, err := h.Update(t.Context(), ada, cli()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Update(t.Context(), ada, cli()); !errors.Is(err, ErrChanged) {
		t.Errorf("got %v, want ErrChanged", err)
	}
}

func TestAnUpdateDoesNotEnableADisabledUser(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.create(t, storage.User{Username: "ada"})
	if err := h.Disable(t.Context(), ada.ID, cli()); err != nil {
		t.Fatal(err)
	}
	ada.Revision++
	if _, err := h.Update(t.Context(), ada, cli()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.signIn(t.Context(), "ada", good); err != ErrWrong {
		t.Errorf("got %v", err)
	}
}

// enroll gives the user an authenticator and returns its secret and the recovery codes.
func (h *house) enroll(t *testing.T, userID storage.ID) (secret string, recovery []string) {
	t.Helper()
	secret, _, err := h.EnrollTOTP(t.Context(), userID, "phone", cli())
	if err != nil {
		t.Fatal(err)
	}
	recovery, err = h.ConfirmTOTP(t.Context(), userID, h.code(t, secret), cli())
	if err != nil {
		t.Fatal(err)
	}
	return secret, recovery
}

func (h *house) code(t *testing.T, secret string) string {
	t.Helper()
	code, err := totp.GenerateCode(secret, h.time())
	if err != nil {
		t.Fatal(err)
	}
	return code
}

func TestAnAuthenticatorIsGoodFromItsFirstCodeOnAndThatCodeIsBurned(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	ada := h.create(t, storage.User{Username: "ada"})
	if _, err := h.ConfirmTOTP(ctx, ada.ID, "123456", cli()); !errors.Is(err, ErrNoEnrollment) {
		t.Errorf("nothing enrolled: %v", err)
	}
	first, _, err := h.EnrollTOTP(ctx, ada.ID, "", cli())
	if err != nil {
		t.Fatal(err)
	}
	second, uri, err := h.EnrollTOTP(ctx, ada.ID, "phone", cli())
	if err != nil || !strings.HasPrefix(uri, "otpauth://totp/id.example.org:ada?") || !strings.Contains(uri, second) {
		t.Fatalf("%s, %v", uri, err)
	}
	if found, _ := h.Find(ctx, "ada"); len(found.Factors) != 0 {
		t.Error("an unconfirmed authenticator is asked for")
	}
	if _, err := h.ConfirmTOTP(ctx, ada.ID, h.code(t, first), cli()); !errors.Is(err, ErrWrong) {
		t.Errorf("the replaced seed confirms: %v", err)
	}
	code := h.code(t, second)
	recovery, err := h.ConfirmTOTP(ctx, ada.ID, code, cli())
	if err != nil || len(recovery) != 10 {
		t.Fatalf("%d recovery codes, %v", len(recovery), err)
	}
	found, err := h.Find(ctx, "ada")
	if err != nil || len(found.Factors) != 1 || found.RecoveryCodes != 10 || found.User.Revision == ada.Revision {
		t.Fatalf("%+v, %v", found, err)
	}
	if _, _, err := h.MatchFactor(found, code); !errors.Is(err, ErrWrong) {
		t.Errorf("the confirming code serves again: %v", err)
	}
	h.now.Add(30)
	factor, step, err := h.MatchFactor(found, h.code(t, second))
	if err != nil || factor != found.Factors[0].ID || step != h.now.Load()/30 {
		t.Errorf("factor %s, step %d, %v", factor, step, err)
	}
	if diff := cmp.Diff([]string{"user.created", "user.totp_enrolled", "user.totp_enrolled", "user.totp_confirmed"}, h.audited(t, ada.ID)); diff != "" {
		t.Error(diff)
	}
}

func TestASecondAuthenticatorKeepsTheRecoveryCodes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.create(t, storage.User{Username: "ada"})
	phone, first := h.enroll(t, ada.ID)
	h.now.Add(60)
	tablet, second := h.enroll(t, ada.ID)
	if len(first) != 10 || second != nil {
		t.Errorf("%d codes, then %v", len(first), second)
	}
	h.now.Add(60)
	found, _ := h.Find(t.Context(), "ada")
	seen := map[storage.ID]bool{}
	for _, device := range []string{phone, tablet} {
		factor, _, err := h.MatchFactor(found, h.code(t, device))
		if err != nil || seen[factor] {
			t.Errorf("factor %s, %v", factor, err)
		}
		seen[factor] = true
	}
	for range MaxAuthenticators - 2 {
		h.now.Add(60)
		h.enroll(t, ada.ID)
	}
	var bad *Invalid
	if _, _, err := h.EnrollTOTP(t.Context(), ada.ID, "", cli()); !errors.As(err, &bad) {
		t.Errorf("one authenticator too many: %v", err)
	}
}

func TestASeedMovedToAnotherRowDoesNotOpen(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.create(t, storage.User{Username: "ada"})
	device, _ := h.enroll(t, ada.ID)
	h.now.Add(60)
	found, _ := h.Find(t.Context(), "ada")
	found.Factors = slices.Clone(found.Factors)
	found.Factors[0].UserID = newID()
	if _, _, err := h.MatchFactor(found, h.code(t, device)); err == nil || errors.Is(err, ErrWrong) {
		t.Errorf("got %v, want the server's own fault", err)
	}
}

// ready is a grant that needs no more than what it spends.
func (h *house) ready(userID storage.ID) storage.Grant {
	return storage.Grant{
		ID: newID(), ClientID: "app", UserID: userID, State: storage.Active, IssuedAt: h.time(), ExpiresAt: h.time().Add(time.Hour),
	}
}

func TestWhatWasMatchedIsSpentOnceHoweverItWasSpelt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	ada := h.create(t, storage.User{Username: "ada"})
	if err := h.store.CreateClient(ctx, storage.Client{ID: "app"}, storage.Also{}); err != nil {
		t.Fatal(err)
	}
	device, recovery := h.enroll(t, ada.ID)
	h.now.Add(60)
	found, err := h.signIn(ctx, "ada", good)
	if err != nil {
		t.Fatal(err)
	}
	code := h.code(t, device)
	won := 0
	for _, spelling := range []string{code, " " + code, code + " ", code[:3] + " " + code[3:]} {
		factor, step, err := h.MatchFactor(found, spelling)
		if err != nil {
			t.Fatal(err)
		}
		spend := storage.Spend{UserID: ada.ID, UserRevision: found.User.Revision, FactorID: factor, Step: step}
		switch err := h.store.CreateGrant(ctx, h.ready(ada.ID), spend, storage.Also{}); {
		case err == nil:
			won++
		case !errors.Is(err, storage.ErrSpent):
			t.Errorf("%q: %v", spelling, err)
		}
	}
	if won != 1 {
		t.Errorf("one code served %d times", won)
	}
	won = 0
	for _, spelling := range []string{recovery[3], strings.ToUpper(recovery[3]), strings.ReplaceAll(recovery[3], "-", "")} {
		digest, err := RecoverySpend(ada.ID, spelling)
		if err != nil {
			t.Fatal(err)
		}
		spend := storage.Spend{UserID: ada.ID, UserRevision: found.User.Revision, RecoveryCode: digest}
		switch err := h.store.CreateGrant(ctx, h.ready(ada.ID), spend, storage.Also{}); {
		case err == nil:
			won++
		case !errors.Is(err, storage.ErrSpent):
			t.Errorf("%q: %v", spelling, err)
		}
	}
	if won != 1 {
		t.Errorf("one recovery code served %d times", won)
	}
}

func TestANewPasswordUndoesAProofOfTheOld(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.create(t, storage.User{Username: "ada"})
	proven, err := h.signIn(t.Context(), "ada", good)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.SetPassword(t.Context(), ada.ID, secret("another good secret"), cli()); err != nil {
		t.Fatal(err)
	}
	spend := storage.Spend{UserID: ada.ID, UserRevision: proven.User.Revision}
	if err := h.store.CreateGrant(t.Context(), h.ready(ada.ID), spend, storage.Also{}); !errors.Is(err, storage.ErrMoved) {
		t.Errorf("got %v, want ErrMoved", err)
	}
}
