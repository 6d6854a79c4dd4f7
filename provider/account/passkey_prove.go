package account

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// PasskeyProof is what a browser answered to a challenge: PublicKeyCredential.toJSON() as it was sent.
type PasskeyProof struct {
	Ceremony Ceremony
	Response []byte
}

// Cloned is the ErrWrong of a passkey whose signature is right and whose counter is not higher than before: there may be two of it
// (WebAuthn Level 3 §6.1.1).
type Cloned struct{ PasskeyID storage.ID }

// Error implements error.
func (e *Cloned) Error() string {
	return "account: the counter of passkey " + e.PasskeyID.String() + " did not rise: there may be a copy of it"
}

// Unwrap returns ErrWrong.
func (e *Cloned) Unwrap() error { return ErrWrong }

// ProvePasskey checks the answer to BeginPasskeySignIn (WebAuthn Level 3 §7.2): the authenticator must have verified its user. It returns
// whose passkey it is, what a sign-in with it spends in its commit, and the methods (RFC 8176). Nothing is written.
//
// Errors: ErrWrong, one answer for an unknown passkey, a wrong signature, a disabled user and whatever else does not match: signIn is
// then who is claimed to be, for the audit log alone; the store's.
func (p *People) ProvePasskey(ctx context.Context, proof PasskeyProof) (signIn storage.SignIn, spend storage.Spend, amr []string, err error) {
	if !p.serves(proof.Ceremony, toSignIn) {
		return signIn, spend, nil, fmt.Errorf("%w: the challenge does not serve any more", ErrWrong)
	}
	answer, err := parseAssertion(proof.Response)
	if err != nil {
		return signIn, spend, nil, err
	}
	signIn, err = p.store.FindPasskey(ctx, answer.RawID)
	if errors.Is(err, storage.ErrNotFound) {
		return signIn, spend, nil, fmt.Errorf("%w: nobody has this passkey", ErrWrong)
	}
	if err != nil {
		return signIn, spend, nil, err
	}
	if len(answer.Response.UserHandle) == 0 {
		return signIn, spend, nil, fmt.Errorf("%w: the authenticator does not say whose passkey it is", ErrWrong)
	}
	spend, used, err := p.verifyAssertion(signIn, proof.Ceremony, answer, true)
	return signIn, spend, []string{used, oauth.AMRMFA}, err
}

// provePasskeyFactor checks the answer to BeginPasskeyFactor for the person. ErrWrong.
func (p *People) provePasskeyFactor(signIn storage.SignIn, proof PasskeyProof) (spend storage.Spend, used string, err error) {
	if !p.serves(proof.Ceremony, toFactor) || proof.Ceremony.UserID != signIn.User.ID {
		return spend, "", fmt.Errorf("%w: the challenge does not serve any more", ErrWrong)
	}
	answer, err := parseAssertion(proof.Response)
	if err != nil {
		return spend, "", err
	}
	return p.verifyAssertion(signIn, proof.Ceremony, answer, false)
}

func parseAssertion(response []byte) (*protocol.ParsedCredentialAssertionData, error) {
	answer, err := protocol.ParseCredentialRequestResponseBytes(response)
	if err != nil {
		return nil, wrongPasskey(err)
	}
	if len(answer.RawID) > maxCredentialID {
		return nil, fmt.Errorf("%w: the credential ID is too long", ErrWrong)
	}
	return answer, nil
}

// verifyAssertion checks that one of the person's passkeys signed the challenge, here. used is hwk or swk.
func (p *People) verifyAssertion(
	signIn storage.SignIn, c Ceremony, answer *protocol.ParsedCredentialAssertionData, verified bool,
) (spend storage.Spend, used string, err error) {
	i := slices.IndexFunc(signIn.Passkeys, func(k storage.Passkey) bool { return bytes.Equal(k.CredentialID, answer.RawID) })
	rp := p.relyingParty()
	data, flags := &answer.Response.CollectedClientData, answer.Response.AuthenticatorData.Flags
	switch handle := answer.Response.UserHandle; {
	case i < 0:
		return spend, "", fmt.Errorf("%w: the person has no such passkey", ErrWrong)
	case len(handle) > 0 && !bytes.Equal(handle, signIn.User.ID[:]):
		return spend, "", fmt.Errorf("%w: the passkey was made for somebody else", ErrWrong)
	case !signIn.User.DisabledAt.IsZero():
		return spend, "", fmt.Errorf("%w: the user is disabled", ErrWrong)
	case rp.id == "" || data.Origin != rp.origin:
		return spend, "", fmt.Errorf("%w: it was signed for another origin", ErrWrong)
	}
	k := signIn.Passkeys[i]
	if err := answer.Verify(c.challenge(), rp.id, "", []string{rp.origin}, nil, nil, protocol.TopOriginExplicitVerificationMode, false,
		verified, true, k.PublicKey, protocol.SignaturePolicy{}); err != nil {
		return spend, "", wrongPasskey(err)
	}
	if flags.HasBackupEligible() != k.BackupEligible || (flags.HasBackupState() && !flags.HasBackupEligible()) {
		return spend, "", fmt.Errorf("%w: the backup flags contradict those of before", ErrWrong)
	}
	count := answer.Response.AuthenticatorData.Counter
	if count <= k.SignCount && (count != 0 || k.SignCount != 0) {
		return spend, "", &Cloned{k.ID}
	}
	spend = storage.Spend{
		UserID: signIn.User.ID, UserRevision: signIn.User.Revision, PasskeyID: k.ID, SignCount: count, BackedUp: flags.HasBackupState(),
		// The store's clock may be behind ours: a challenge is remembered for longer than it serves.
		Challenge: c.digest(), ChallengeEnds: c.ExpiresAt.Add(ceremonyLifetime),
	}
	return spend, method(k), nil
}

// method is the authentication method reference of a passkey (RFC 8176 §2).
func method(k storage.Passkey) string {
	if k.BackupEligible {
		return oauth.AMRSoftwareKey
	}
	return oauth.AMRHardwareKey
}

// wrongPasskey is ErrWrong, with what the library found wrong for the log.
func wrongPasskey(cause error) error {
	var found *protocol.Error
	if errors.As(cause, &found) {
		return fmt.Errorf("%w: %s (%s)", ErrWrong, found.Details, found.Type)
	}
	return fmt.Errorf("%w: the authenticator's answer cannot be read", ErrWrong)
}
