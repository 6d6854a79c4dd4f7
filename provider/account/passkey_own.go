package account

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncbor"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"

	"github.com/signet-idp/signet/storage"
)

// PasskeyConfirmation is what FinishPasskey will write: a passkey that was proven, and the digests of recovery codes that the person
// was shown. It holds no secret, and buys nothing but for the user, at the revision, that it was made for.
type PasskeyConfirmation struct {
	Passkey  storage.Passkey  `json:"passkey"`
	Revision int64            `json:"revision"`
	Codes    []storage.Digest `json:"codes,omitempty"`
}

// Method is how the passkey proves its person (RFC 8176): hwk or swk.
func (c PasskeyConfirmation) Method() string { return method(c.Passkey) }

// ProvePasskeyNew checks the answer to BeginPasskey (WebAuthn Level 3 §7.1) and writes nothing. signIn was just read; name tells
// passkeys apart, "" is fine. No attestation is asked for, and one that comes all the same is not looked at. Where the user has no
// recovery codes it draws them (recovery), to be shown once: they are good, as the passkey is, only when FinishPasskey has written
// the confirmation.
//
// Errors: *Invalid, the name, or there are as many passkeys as can be; ErrChanged, the user is another than at the beginning; ErrWrong.
func (p *People) ProvePasskeyNew(
	signIn storage.SignIn, c Ceremony, response []byte, name string,
) (done PasskeyConfirmation, recovery []string, err error) {
	name, err = line("name", name, 64)
	switch {
	case err != nil:
		return done, nil, err
	case !p.serves(c, toAdd) || c.UserID != signIn.User.ID:
		return done, nil, fmt.Errorf("%w: the challenge does not serve any more", ErrWrong)
	case c.Revision != signIn.User.Revision:
		return done, nil, ErrChanged
	case len(signIn.Passkeys) >= MaxPasskeys:
		return done, nil, invalid("name", "the user has %d passkeys, which is the most; remove one first", MaxPasskeys)
	}
	k, err := p.verifyAttestation(c, response)
	if err != nil {
		return done, nil, err
	}
	if slices.ContainsFunc(signIn.Passkeys, func(other storage.Passkey) bool { return bytes.Equal(other.CredentialID, k.CredentialID) }) {
		return done, nil, fmt.Errorf("%w: the person has this passkey already", ErrWrong)
	}
	k.ID, k.UserID, k.Name = newID(), signIn.User.ID, name
	done = PasskeyConfirmation{Passkey: k, Revision: c.Revision}
	if signIn.RecoveryCodes == 0 {
		recovery, done.Codes = newRecoveryCodes(signIn.User.ID)
	}
	return done, recovery, nil
}

func (p *People) verifyAttestation(c Ceremony, response []byte) (k storage.Passkey, err error) {
	answer, err := protocol.ParseCredentialCreationResponseBytes(response)
	if err != nil {
		return k, wrongPasskey(err)
	}
	rp := p.relyingParty()
	client, made := &answer.Response.CollectedClientData, &answer.Response.AttestationObject.AuthData
	if rp.id == "" || client.Origin != rp.origin {
		return k, fmt.Errorf("%w: it was made for another origin", ErrWrong)
	}
	if err := client.Verify(c.challenge(), protocol.CreateCeremony, []string{rp.origin}, nil, nil,
		protocol.TopOriginExplicitVerificationMode, false); err != nil {
		return k, wrongPasskey(err)
	}
	digest := sha256.Sum256([]byte(rp.id))
	if err := made.Verify(digest[:], nil, true, true); err != nil {
		return k, wrongPasskey(err)
	}
	credential, key := made.AttData.CredentialID, made.AttData.CredentialPublicKey
	switch flags := made.Flags; {
	case len(credential) == 0 || len(credential) > maxCredentialID || !bytes.Equal(credential, answer.RawID):
		return k, fmt.Errorf("%w: the credential ID is not what was made, or too long", ErrWrong)
	case !goodKey(key):
		return k, fmt.Errorf("%w: the public key is of no kind that was asked for", ErrWrong)
	case flags.HasBackupState() && !flags.HasBackupEligible():
		return k, fmt.Errorf("%w: the backup flags contradict each other", ErrWrong)
	}
	k = storage.Passkey{
		CredentialID: credential, PublicKey: key, Transports: transports(answer.Response.Transports), SignCount: made.Counter,
		BackupEligible: made.Flags.HasBackupEligible(), BackedUp: made.Flags.HasBackupState(),
	}
	copy(k.AAGUID[:], made.AttData.AAGUID)
	return k, nil
}

// goodKey reports whether the COSE_Key is one of the algorithms, whole, and on its curve.
func goodKey(key []byte) bool {
	var head webauthncose.PublicKeyData
	if len(key) > maxPublicKey || webauthncbor.Unmarshal(key, &head) != nil {
		return false
	}
	_, err := webauthncose.ParsePublicKey(key)
	return err == nil && slices.Contains(passkeyAlgorithms(), webauthncose.COSEAlgorithmIdentifier(head.Algorithm))
}

// FinishPasskey makes the passkey good and tells the user. Errors: ErrChanged, the user changed since it was proven, or it is somebody
// else; ErrWrong, the credential belongs to an account already; the store's.
func (p *People) FinishPasskey(ctx context.Context, u storage.User, done PasskeyConfirmation, by By) error {
	if done.Passkey.UserID != u.ID {
		return ErrChanged
	}
	added := event("user.passkey_added", u.ID, by)
	added.Detail = map[string]string{"passkey_id": done.Passkey.ID.String()}
	also := storage.Also{Events: []storage.Event{added}, Letters: letters("passkey_added", u)}
	err := p.store.AddPasskey(ctx, done.Passkey, done.Revision, done.Codes, also)
	if errors.Is(err, storage.ErrTaken) {
		return fmt.Errorf("%w: the credential belongs to an account already (%w)", ErrWrong, err)
	}
	if err == nil {
		p.notLost(ctx, u, by)
	}
	return translate(err)
}

// RenamePasskey names one of the user's passkeys anew. Errors: *Invalid; ErrNotFound; the store's.
func (p *People) RenamePasskey(ctx context.Context, u storage.User, id storage.ID, name string) error {
	name, err := line("name", name, 64)
	if err != nil {
		return err
	}
	return translate(p.store.RenamePasskey(ctx, u.ID, id, name))
}

// RemovePasskey takes one of the user's passkeys away, and with the last second factor the recovery codes. u was just read with the
// person's session. Errors: ErrNotFound, the user has no such passkey; ErrChanged; the store's.
func (p *People) RemovePasskey(ctx context.Context, u storage.User, id storage.ID, by By) error {
	found, err := p.store.FindUser(ctx, u.ID)
	if err != nil {
		return translate(err)
	}
	letter := "passkey_removed"
	if len(found.Factors)+len(found.Passkeys) == 1 {
		letter = "factor_removed" // and the codes with it
	}
	removed := event("user.passkey_removed", u.ID, by)
	removed.Detail = map[string]string{"passkey_id": id.String()}
	also := storage.Also{Events: []storage.Event{removed}, Letters: letters(letter, u)}
	return translate(p.store.RemovePasskey(ctx, u.ID, id, u.Revision, also))
}
