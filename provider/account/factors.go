package account

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// MaxAuthenticators bounds a user's authenticators: each one more is one more code that a guess may hit.
const MaxAuthenticators = 5

// EnrollTOTP begins to give the user an authenticator: it draws a seed, keeps it sealed and unconfirmed, and returns it once,
// in base32 and as an otpauth URI. It is asked for nothing until ConfirmTOTP; enrolling again replaces it. name tells devices
// apart, "" is fine. Errors: ErrNotFound; *Invalid; the store's.
func (p *People) EnrollTOTP(ctx context.Context, userID storage.ID, name string, by By) (secret, uri string, err error) {
	enrolment, err := p.enroll(ctx, userID, name, by)
	return enrolment.Secret, enrolment.URI, err
}

func (p *People) enroll(ctx context.Context, userID storage.ID, name string, by By) (Enrolment, error) {
	found, err := p.store.FindUser(ctx, userID)
	if err != nil {
		return Enrolment{}, translate(err)
	}
	name, err = line("name", name, 64)
	switch {
	case err != nil:
		return Enrolment{}, err
	case len(found.Factors) >= MaxAuthenticators:
		return Enrolment{}, invalid("name", "the user has %d authenticators, which is the most; remove them first", MaxAuthenticators)
	}
	seed := newSeed()
	device := storage.TOTP{ID: newID(), UserID: userID, Name: name}
	if device.Sealed, err = p.sealer.Seal(seed, SeedRow(device)); err != nil {
		return Enrolment{}, fmt.Errorf("account: seal the seed: %w", err)
	}
	also := storage.Also{Events: []storage.Event{event("user.totp_enrolled", userID, by)}}
	if err := p.store.EnrollTOTP(ctx, device, also); err != nil {
		return Enrolment{}, translate(err)
	}
	return p.describe(device, seed, found.User), nil
}

// ConfirmTOTP makes the enrolled authenticator good by its first code, whose step is burned. Where the user has no recovery
// codes left it returns a new set, which is shown once; else none, and those there are stay good. Errors: ErrNoEnrollment;
// ErrWrong, the code is not the device's now; ErrNotFound; ErrChanged; the store's.
func (p *People) ConfirmTOTP(ctx context.Context, userID storage.ID, code string, by By) (recovery []string, err error) {
	found, err := p.store.FindUser(ctx, userID)
	if err != nil {
		return nil, translate(err)
	}
	device, err := p.waiting(ctx, userID)
	if err != nil {
		return nil, err
	}
	proof, recovery, err := p.proveEnrolled(device, code, found.RecoveryCodes == 0)
	if err != nil {
		return nil, err
	}
	return recovery, p.FinishTOTP(ctx, found.User, proof, by)
}

// RemoveFactors takes away all the user's authenticators, passkeys and recovery codes and returns how many of the first two there were.
// Errors: ErrNotFound; the store's.
func (p *People) RemoveFactors(ctx context.Context, userID storage.ID, by By) (n int, err error) {
	found, err := p.store.FindUser(ctx, userID)
	if err != nil {
		return 0, translate(err)
	}
	also := storage.Also{Events: []storage.Event{event("user.factors_removed", userID, by)}}
	if found.HasFactor() {
		also.Letters = letters("factor_removed", found.User)
	}
	n, err = p.store.RemoveFactors(ctx, userID, also)
	return n, translate(err)
}

// Proof is a second factor: Passkey, or else OTP, or else RecoveryCode.
type Proof struct {
	OTP          string
	RecoveryCode string
	Passkey      *PasskeyProof // the answer to BeginPasskeyFactor
}

// ProveFactor matches a proof of one of the person's second factors. It returns what is to be spent with that which the proof buys, and
// the methods (RFC 8176) besides the password's. ErrWrong, which a spend that the store refuses (storage.ErrSpent) is too; any other
// error is the server's fault.
func (p *People) ProveFactor(signIn storage.SignIn, proof Proof) (spend storage.Spend, amr []string, err error) {
	if proof.Passkey != nil {
		spend, method, err := p.provePasskeyFactor(signIn, *proof.Passkey)
		return spend, []string{method, oauth.AMRMFA}, err
	}
	spend = storage.Spend{UserID: signIn.User.ID, UserRevision: signIn.User.Revision}
	amr = []string{oauth.AMRMFA}
	if proof.OTP != "" {
		amr = []string{oauth.AMROTP, oauth.AMRMFA}
		spend.FactorID, spend.Step, err = p.MatchFactor(signIn, proof.OTP)
	} else {
		spend.RecoveryCode, err = RecoverySpend(signIn.User.ID, proof.RecoveryCode)
	}
	if err != nil {
		return storage.Spend{}, nil, err
	}
	return spend, amr, nil
}

// MatchFactor finds the authenticator whose code it is, and the step to spend with it (storage.Spend). ErrWrong: none of
// them, or of a step that no longer serves. Any other error: a seed could not be opened, which is the server's fault.
func (p *People) MatchFactor(signIn storage.SignIn, code string) (factorID storage.ID, step int64, err error) {
	var broken error
	for _, device := range signIn.Factors {
		step, err := p.matchDevice(device, code)
		switch {
		case err == nil:
			return device.ID, step, nil
		case !errors.Is(err, ErrWrong):
			broken = err
		}
	}
	if broken != nil {
		return storage.ID{}, 0, broken
	}
	return storage.ID{}, 0, ErrWrong
}

func (p *People) matchDevice(device storage.TOTP, code string) (step int64, err error) {
	seed, err := p.sealer.Open(device.Sealed, SeedRow(device))
	if err != nil {
		return 0, fmt.Errorf("account: open the seed of authenticator %s: %w", device.ID, err)
	}
	step, ok := MatchStep(seed, code, p.clock(), device.LastStep)
	if !ok {
		return 0, ErrWrong
	}
	return step, nil
}

// SeedRow names the row that a seed is sealed for.
func SeedRow(device storage.TOTP) string {
	return "totp " + device.ID.String() + " of " + device.UserID.String()
}

// newID draws a UUID of version 7.
func newID() storage.ID { return storage.ID(uuid.Must(uuid.NewV7())) }
