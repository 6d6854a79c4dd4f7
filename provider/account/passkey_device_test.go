package account

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"github.com/signet-idp/signet/storage"
)

const houseOrigin = "https://id.example.org"

// device is somebody's authenticator with one passkey on it.
type device struct {
	rp   virtualwebauthn.RelyingParty
	auth virtualwebauthn.Authenticator
	key  virtualwebauthn.Credential
}

func newDevice(owner storage.ID) *device {
	d := &device{rp: virtualwebauthn.RelyingParty{ID: "id.example.org", Origin: houseOrigin}, auth: virtualwebauthn.NewAuthenticator()}
	d.auth.Options.UserHandle = owner[:]
	for len(d.key.ID) == 0 || len(d.key.Key.AttestationData()) != 77 { // it drops leading zeros, which RFC 9053 §7.1.1 forbids
		d.key = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	}
	return d
}

// create answers the options of BeginPasskey.
func (d *device) create(t *testing.T, options json.RawMessage) []byte {
	t.Helper()
	asked, err := virtualwebauthn.ParseAttestationOptions(string(options))
	if err != nil {
		t.Fatal(err)
	}
	return []byte(virtualwebauthn.CreateAttestationResponse(d.rp, d.auth, d.key, *asked))
}

// get answers the options of a Begin of sign-ins, counting one on.
func (d *device) get(t *testing.T, options json.RawMessage) []byte {
	t.Helper()
	asked, err := virtualwebauthn.ParseAssertionOptions(string(options))
	if err != nil {
		t.Fatal(err)
	}
	d.key.Counter++
	return []byte(virtualwebauthn.CreateAssertionResponse(d.rp, d.auth, d.key, *asked))
}

// signed is an assertion over client data as it is given, which virtualwebauthn's own is not.
func (d *device) signed(t *testing.T, client map[string]any) []byte {
	t.Helper()
	clientData, err := json.Marshal(client)
	if err != nil {
		t.Fatal(err)
	}
	rp := sha256.Sum256([]byte(d.rp.ID))
	data := append(rp[:], 0x05, 0, 0, 0, 0)
	hash := sha256.Sum256(clientData)
	digest := sha256.Sum256(slices.Concat(data, hash[:]))
	signature, err := d.key.Key.Sign(digest[:])
	if err != nil {
		t.Fatal(err)
	}
	text := base64.RawURLEncoding.EncodeToString
	answer, err := json.Marshal(map[string]any{
		"id": text(d.key.ID), "rawId": text(d.key.ID), "type": "public-key",
		"response": map[string]any{
			"authenticatorData": text(data), "clientDataJSON": text(clientData), "signature": text(signature),
			"userHandle": text(d.auth.Options.UserHandle),
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// person reads the user as they are now.
func (h *house) person(t *testing.T, id storage.ID) storage.SignIn {
	t.Helper()
	found, err := h.store.FindUser(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// addPasskey gives the user the device's passkey, and returns the recovery codes that came with it.
func (h *house) addPasskey(t *testing.T, id storage.ID, d *device) []string {
	t.Helper()
	person := h.person(t, id)
	options, c, err := h.BeginPasskey(person)
	if err != nil {
		t.Fatal(err)
	}
	done, codes, err := h.ProvePasskeyNew(person, c, d.create(t, options), "Laptop")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.FinishPasskey(t.Context(), person.User, done, own(person.User)); err != nil {
		t.Fatal(err)
	}
	return codes
}

// signInWith begins a sign-in and answers it with the device.
func (h *house) signInWith(t *testing.T, d *device) (storage.SignIn, storage.Spend, []string, error) {
	t.Helper()
	options, c, err := h.BeginPasskeySignIn()
	if err != nil {
		t.Fatal(err)
	}
	return h.ProvePasskey(t.Context(), PasskeyProof{c, d.get(t, options)})
}

func FuzzPasskeyAnswers(f *testing.F) {
	owner := storage.ID{1}
	d := newDevice(owner)
	p := New(nil, nil, nil, Config{Issuer: houseOrigin, Clock: func() time.Time { return time.Unix(1700000000, 0) }})
	adding := Ceremony{Purpose: toAdd, Challenge: make([]byte, 32), UserID: owner, ExpiresAt: time.Unix(1800000000, 0)}
	ask := fmt.Sprintf(`{"challenge":%q,"user":{"id":"AA"}}`, adding.challenge())
	made, err := virtualwebauthn.ParseAttestationOptions(ask)
	if err != nil {
		f.Fatal(err)
	}
	whole := virtualwebauthn.CreateAttestationResponse(d.rp, d.auth, d.key, *made)
	f.Add([]byte(whole))
	got, err := virtualwebauthn.ParseAssertionOptions(ask)
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(virtualwebauthn.CreateAssertionResponse(d.rp, d.auth, d.key, *got)))
	f.Add([]byte(`{"id":"AA","rawId":"AA","type":"public-key","response":{"attestationObject":"oA"}}`))
	k, err := p.verifyAttestation(adding, []byte(whole))
	if err != nil {
		f.Fatal(err)
	}
	factor := adding
	factor.Purpose = toFactor
	person := storage.SignIn{User: storage.User{ID: owner}, Passkeys: []storage.Passkey{k}}
	f.Fuzz(func(t *testing.T, answer []byte) {
		if k, err := p.verifyAttestation(adding, answer); err != nil && !errors.Is(err, ErrWrong) || err == nil && (len(k.CredentialID) == 0 || len(k.PublicKey) == 0) {
			t.Errorf("a new passkey: %+v, %v", k, err)
		}
		if _, _, err := p.provePasskeyFactor(person, PasskeyProof{factor, answer}); err != nil && !errors.Is(err, ErrWrong) {
			t.Errorf("a factor: %v", err)
		}
	})
}
