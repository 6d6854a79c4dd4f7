package account

import (
	"errors"
	"slices"
	"testing"

	"github.com/signet-idp/signet/storage"
)

func own(u storage.User) By { return By{Actor: u.ID.String()} }

func TestAnAuthenticatorIsGoodOnlyWhenItsRecoveryCodesWereTaken(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	ada := h.create(t, storage.User{Username: "ada", Email: "ada@example.org"})
	id, err := h.BeginTOTP(ctx, ada.ID, " Phone ", own(ada))
	if err != nil {
		t.Fatal(err)
	}
	e, err := h.Enrolment(ctx, ada, id)
	if err != nil || e.ID != id || e.Name != "Phone" || len(e.Secret) != 32 || e.URI == "" {
		t.Fatalf("the enrolment is %+v, %v", e, err)
	}
	if again, err := h.Enrolment(ctx, ada, id); err != nil || again != e {
		t.Errorf("read again it is %+v, %v", again, err)
	}
	if _, _, err := h.ProveTOTP(ctx, ada.ID, id, "000000"); !errors.Is(err, ErrWrong) {
		t.Errorf("a wrong code: %v", err)
	}
	first, shown, err := h.ProveTOTP(ctx, ada.ID, id, h.code(t, e.Secret))
	if err != nil || len(shown) != 10 || len(first.Codes) != 10 {
		t.Fatalf("%d codes, %v", len(shown), err)
	}
	second, shownAgain, err := h.ProveTOTP(ctx, ada.ID, id, h.code(t, e.Secret))
	if err != nil || slices.ContainsFunc(shown, func(code string) bool { return slices.Contains(shownAgain, code) }) {
		t.Fatalf("a code was shown twice, %v", err)
	}
	if found, _ := h.Find(ctx, "ada"); len(found.Factors) != 0 || found.RecoveryCodes != 0 {
		t.Fatalf("before they were taken: %+v", found)
	}
	if err := h.FinishTOTP(ctx, ada, second, own(ada)); err != nil {
		t.Fatal(err)
	}
	if err := h.FinishTOTP(ctx, ada, first, own(ada)); !errors.Is(err, ErrChanged) {
		t.Errorf("the set that was shown before: %v", err)
	}
	found, _ := h.Find(ctx, "ada")
	if len(found.Factors) != 1 || found.RecoveryCodes != 10 || found.Factors[0].LastStep != second.Step {
		t.Fatalf("after they were taken: %+v", found)
	}
	if _, _, err := h.ProveTOTP(ctx, ada.ID, id, h.code(t, e.Secret)); !errors.Is(err, ErrNoEnrollment) {
		t.Errorf("proven again: %v", err)
	}
	h.now.Add(60)
	id, err = h.BeginTOTP(ctx, ada.ID, "Tablet", own(ada))
	if err != nil {
		t.Fatal(err)
	}
	e, err = h.Enrolment(ctx, ada, id)
	if err != nil {
		t.Fatal(err)
	}
	if _, shown, err := h.ProveTOTP(ctx, ada.ID, id, h.code(t, e.Secret)); err != nil || len(shown) != 0 {
		t.Errorf("the second authenticator comes with %d codes, %v", len(shown), err)
	}
}

func TestAnEnrolmentThatAnotherReplacedIsNeitherShownNorConfirmed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	ada := h.create(t, storage.User{Username: "ada"})
	first, err := h.BeginTOTP(ctx, ada.ID, "", own(ada))
	if err != nil {
		t.Fatal(err)
	}
	e, err := h.Enrolment(ctx, ada, first)
	if err != nil {
		t.Fatal(err)
	}
	proof, _, err := h.ProveTOTP(ctx, ada.ID, first, h.code(t, e.Secret))
	if err != nil {
		t.Fatal(err)
	}
	planted, err := h.BeginTOTP(ctx, ada.ID, "", own(ada))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.Enrolment(ctx, ada, first); !errors.Is(err, ErrNoEnrollment) {
		t.Errorf("shown: %v", err)
	}
	if _, _, err := h.ProveTOTP(ctx, ada.ID, first, h.code(t, e.Secret)); !errors.Is(err, ErrNoEnrollment) {
		t.Errorf("proven: %v", err)
	}
	if err := h.FinishTOTP(ctx, ada, proof, own(ada)); !errors.Is(err, ErrChanged) {
		t.Errorf("finished: %v", err)
	}
	eve := h.create(t, storage.User{Username: "eve"})
	if _, err := h.Enrolment(ctx, eve, planted); !errors.Is(err, ErrNoEnrollment) {
		t.Errorf("of another user: %v", err)
	}
}

func TestWhatASessionNoLongerKnowsChangesNothing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	ada := h.create(t, storage.User{Username: "ada"})
	h.enroll(t, ada.ID)
	h.now.Add(60)
	h.enroll(t, ada.ID)
	found, _ := h.Find(ctx, "ada")
	current, factor := found.User, found.Factors[0].ID
	_, digests := h.DrawRecoveryCodes(ada.ID)
	if len(digests) != 10 {
		t.Fatalf("%d recovery codes", len(digests))
	}
	for name, err := range map[string]error{
		"password": h.ChangePassword(ctx, ada, secret("another good long secret"), own(ada)),
		"factor":   h.RemoveFactor(ctx, ada, factor, own(ada)),
		"codes":    h.ReplaceRecoveryCodes(ctx, ada, digests, own(ada)),
	} {
		if !errors.Is(err, ErrChanged) {
			t.Errorf("%s at a stale revision: %v", name, err)
		}
	}
	if after, _ := h.Find(ctx, "ada"); after.PasswordHash != found.PasswordHash || len(after.Factors) != 2 || after.User.Revision != current.Revision {
		t.Errorf("something changed: %+v", after)
	}
	if err := h.RemoveFactor(ctx, current, newID(), own(ada)); !errors.Is(err, ErrNotFound) {
		t.Errorf("an authenticator of nobody: %v", err)
	}
	if err := h.RemoveFactor(ctx, current, factor, own(ada)); err != nil {
		t.Fatal(err)
	}
	current.Revision++
	if err := h.ReplaceRecoveryCodes(ctx, current, digests, own(ada)); err != nil {
		t.Fatal(err)
	}
	current.Revision++
	if err := h.ChangePassword(ctx, current, secret("another good long secret"), own(ada)); err != nil {
		t.Fatal(err)
	}
	after, _ := h.Find(ctx, "ada")
	if after.PasswordHash == found.PasswordHash || len(after.Factors) != 1 || after.RecoveryCodes != 10 || after.User.Revision != current.Revision+1 {
		t.Errorf("after all three: %+v", after)
	}
}

func TestAPasswordThatIsRefusedNamesTheRule(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.create(t, storage.User{Username: "adalovelace"})
	for password, rule := range map[string]Rule{
		"": RuleForm, "\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8": RuleForm, "short7c": RuleLength, "xx adalovelace 9": RuleOwn, "password1234567": RuleCommon, "abcabcabcabc": RulePattern,
		"another good secret": RuleWeak,
	} {
		var bad *Invalid
		if err := h.ChangePassword(t.Context(), ada, secret(password), own(ada)); !errors.As(err, &bad) || bad.Rule != rule {
			t.Errorf("%q: %v, want the rule %s", password, err, rule)
		}
	}
	if h.MinPassword() != DefaultMinPassword {
		t.Errorf("at least %d characters", h.MinPassword())
	}
}
