package account

import (
	"context"
	"errors"
	"fmt"

	"github.com/signet-idp/signet/storage"
)

// What people do themselves, at their account page: slower than an operator's command, since a person must have seen the recovery
// codes before anything depends on them.

// Enrolment is an authenticator that waits to be confirmed, with what an app needs to know.
type Enrolment struct {
	ID     storage.ID
	Name   string
	Secret string // base32
	URI    string // otpauth
}

func (p *People) describe(device storage.TOTP, seed []byte, u storage.User) Enrolment {
	secret, uri := describeSeed(seed, p.issuer, u.Username)
	return Enrolment{ID: device.ID, Name: device.Name, Secret: secret, URI: uri}
}

// BeginTOTP is EnrollTOTP for a person, who is shown the seed by Enrolment. Errors as EnrollTOTP's.
func (p *People) BeginTOTP(ctx context.Context, userID storage.ID, name string, by By) (storage.ID, error) {
	enrolment, err := p.enroll(ctx, userID, name, by)
	return enrolment.ID, err
}

// Enrolment is the authenticator that waits, as long as it is the one with id: an enrolment that somebody else began is never shown
// to be confirmed. Errors: ErrNoEnrollment; the store's.
func (p *People) Enrolment(ctx context.Context, u storage.User, id storage.ID) (Enrolment, error) {
	device, seed, err := p.enrolled(ctx, u.ID, id)
	if err != nil {
		return Enrolment{}, err
	}
	return p.describe(device, seed, u), nil
}

func (p *People) enrolled(ctx context.Context, userID, id storage.ID) (storage.TOTP, []byte, error) {
	device, err := p.waiting(ctx, userID)
	if err == nil && device.ID != id {
		err = ErrNoEnrollment
	}
	if err != nil {
		return device, nil, err
	}
	seed, err := p.sealer.Open(device.Sealed, SeedRow(device))
	if err != nil {
		return device, nil, fmt.Errorf("account: open the seed of authenticator %s: %w", device.ID, err)
	}
	return device, seed, nil
}

// waiting is the user's device that waits to be confirmed.
func (p *People) waiting(ctx context.Context, userID storage.ID) (storage.TOTP, error) {
	device, _, err := p.store.FindEnrollment(ctx, userID)
	if errors.Is(err, storage.ErrNotFound) {
		return device, fmt.Errorf("%w (%w)", ErrNoEnrollment, err)
	}
	return device, err
}

// Confirmation is what FinishTOTP will write: a step that was proven, and the digests of recovery codes that the person was shown.
// It holds no secret, and buys nothing but for the user it was made for.
type Confirmation struct {
	FactorID storage.ID       `json:"factor"`
	Step     int64            `json:"step"`
	Codes    []storage.Digest `json:"codes,omitempty"`
}

// ProveTOTP checks the first code of the authenticator with id and writes nothing. Where the user has no recovery codes it draws them
// (recovery), to be shown once: they are good, as the authenticator is, only when FinishTOTP has written the confirmation. Errors:
// ErrNoEnrollment; ErrWrong; the store's.
func (p *People) ProveTOTP(ctx context.Context, userID, id storage.ID, code string) (c Confirmation, recovery []string, err error) {
	found, err := p.store.FindUser(ctx, userID)
	if err != nil {
		return c, nil, translate(err)
	}
	device, err := p.waiting(ctx, userID)
	if err == nil && device.ID != id {
		err = ErrNoEnrollment
	}
	if err != nil {
		return c, nil, err
	}
	return p.proveEnrolled(device, code, found.RecoveryCodes == 0)
}

func (p *People) proveEnrolled(device storage.TOTP, code string, draw bool) (c Confirmation, recovery []string, err error) {
	c.FactorID = device.ID
	if c.Step, err = p.matchDevice(device, code); err != nil {
		return Confirmation{}, nil, err
	}
	if draw {
		recovery, c.Codes = newRecoveryCodes(device.UserID)
	}
	return c, recovery, nil
}

// FinishTOTP makes the authenticator good and tells the user. Errors: ErrChanged, it is confirmed already or was enrolled anew;
// the store's.
func (p *People) FinishTOTP(ctx context.Context, u storage.User, c Confirmation, by By) error {
	also := storage.Also{
		Events:  []storage.Event{event("user.totp_confirmed", u.ID, by)},
		Letters: letters("factor_added", u),
	}
	if err := p.store.ConfirmTOTP(ctx, u.ID, c.FactorID, u.Revision, c.Step, c.Codes, also); err != nil {
		return translate(err)
	}
	p.notLost(ctx, u, by)
	return nil
}

// RemoveFactor takes one confirmed authenticator away, and with the last one the recovery codes. u was just read with the person's
// session. Errors: ErrNotFound, the user has no such authenticator; ErrChanged; the store's.
func (p *People) RemoveFactor(ctx context.Context, u storage.User, factorID storage.ID, by By) error {
	found, err := p.store.FindUser(ctx, u.ID)
	if err != nil {
		return translate(err)
	}
	letter := "authenticator_removed"
	if len(found.Factors)+len(found.Passkeys) == 1 {
		letter = "factor_removed" // and the codes with it
	}
	also := storage.Also{Events: []storage.Event{event("user.totp_removed", u.ID, by)}, Letters: letters(letter, u)}
	return translate(p.store.RemoveFactor(ctx, u.ID, factorID, u.Revision, also))
}

// DrawRecoveryCodes draws a set for the user, to be shown once. It is worth nothing until ReplaceRecoveryCodes has written the
// digests.
func (p *People) DrawRecoveryCodes(userID storage.ID) (codes []string, digests []storage.Digest) {
	return newRecoveryCodes(userID)
}

// ReplaceRecoveryCodes makes these the user's recovery codes, and no others. u was just read with the person's session. Errors:
// ErrNotFound, the user has no authenticator; ErrChanged; the store's.
func (p *People) ReplaceRecoveryCodes(ctx context.Context, u storage.User, digests []storage.Digest, by By) error {
	also := storage.Also{
		Events:  []storage.Event{event("user.recovery_codes_replaced", u.ID, by)},
		Letters: letters("recovery_codes_replaced", u),
	}
	return translate(p.store.ReplaceRecoveryCodes(ctx, u.ID, u.Revision, digests, also))
}
