package account

import (
	"crypto/rand"
	"encoding/json"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/protocol/webauthncose"

	"github.com/signet-idp/signet/storage"
)

// MaxPasskeys bounds a user's passkeys.
const MaxPasskeys = 10

const (
	ceremonyLifetime = 30 * time.Minute // the page with the challenge lies open in front of people
	promptPatience   = 5 * time.Minute  // how long a browser waits for the person, once asked
	maxCredentialID  = 1023             // bytes, WebAuthn Level 3 §4
	maxPublicKey     = 640              // bytes: RSA with 4096 bits has 532
)

// relyingParty is who authenticators know the server as (WebAuthn Level 3 §4). The zero value: none, since the issuer has no domain.
type relyingParty struct{ id, origin string }

// relyingParty is the issuer's host. An address in place of a name is no domain: browsers refuse it.
func (p *People) relyingParty() relyingParty {
	u, err := url.Parse(p.issuer)
	if err != nil || u.Hostname() == "" || net.ParseIP(u.Hostname()) != nil {
		return relyingParty{}
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	rp := relyingParty{host, u.Scheme + "://" + host}
	if port != "" && (u.Scheme != "https" || port != "443") && (u.Scheme != "http" || port != "80") {
		rp.origin += ":" + port
	}
	return rp
}

// PasskeysOffered reports whether there can be passkeys at this server: its issuer has a domain, and not an IP address.
func (p *People) PasskeysOffered() bool { return p.relyingParty().id != "" }

// purpose is what a challenge was given for; it serves for nothing else.
type purpose string

const (
	toSignIn purpose = "sign in"
	toFactor purpose = "second factor"
	toAdd    purpose = "add"
)

// Ceremony is a challenge that was given to a browser, and what for. It comes back sealed, from the browser that it was given to.
type Ceremony struct {
	Purpose   purpose    `json:"purpose"`
	Challenge []byte     `json:"challenge"`
	UserID    storage.ID `json:"user"`     // zero: whoever it is
	Revision  int64      `json:"revision"` // of the user, to add: what is added raises it, so that one challenge adds one passkey
	ExpiresAt time.Time  `json:"expires"`
}

func (p *People) newCeremony(what purpose, u storage.User) Ceremony {
	c := Ceremony{Purpose: what, Challenge: make([]byte, 32), UserID: u.ID, Revision: u.Revision, ExpiresAt: p.clock().Add(ceremonyLifetime)}
	_, _ = rand.Read(c.Challenge) // never fails since Go 1.24
	return c
}

func (p *People) serves(c Ceremony, what purpose) bool {
	return c.Purpose == what && len(c.Challenge) > 0 && p.clock().Before(c.ExpiresAt)
}

// challenge is how clients give it back.
func (c Ceremony) challenge() string { return protocol.URLEncodedBase64(c.Challenge).String() }

func (c Ceremony) digest() storage.Digest {
	return storage.NewSecret(c.Challenge).Digest("signet/v1/passkey-challenge")
}

// BeginPasskeySignIn begins a sign-in by a passkey of whoever it is: the options of navigator.credentials.get as JSON (WebAuthn Level 3
// §5.1.8), nil where no passkeys are offered.
func (p *People) BeginPasskeySignIn() (options json.RawMessage, c Ceremony, err error) {
	return p.beginGet(toSignIn, storage.User{}, nil, protocol.VerificationRequired)
}

// BeginPasskeyFactor is BeginPasskeySignIn for a second factor of the person, with one of their passkeys; nil where they have none.
func (p *People) BeginPasskeyFactor(signIn storage.SignIn) (options json.RawMessage, c Ceremony, err error) {
	if len(signIn.Passkeys) == 0 {
		return nil, Ceremony{}, nil
	}
	return p.beginGet(toFactor, signIn.User, signIn.Passkeys, protocol.VerificationPreferred)
}

func (p *People) beginGet(
	what purpose, u storage.User, allowed []storage.Passkey, verification protocol.UserVerificationRequirement,
) (json.RawMessage, Ceremony, error) {
	rp := p.relyingParty()
	if rp.id == "" {
		return nil, Ceremony{}, nil
	}
	c := p.newCeremony(what, u)
	options, err := json.Marshal(protocol.PublicKeyCredentialRequestOptions{
		Challenge: c.Challenge, Timeout: int(promptPatience.Milliseconds()), RelyingPartyID: rp.id,
		AllowedCredentials: descriptors(allowed), UserVerification: verification,
	})
	return options, c, err
}

// BeginPasskey begins to give the person one more passkey: the options of navigator.credentials.create, nil where no passkeys are
// offered or the person has as many as can be.
func (p *People) BeginPasskey(signIn storage.SignIn) (options json.RawMessage, c Ceremony, err error) {
	rp := p.relyingParty()
	if rp.id == "" || len(signIn.Passkeys) >= MaxPasskeys {
		return nil, Ceremony{}, nil
	}
	c = p.newCeremony(toAdd, signIn.User)
	user := protocol.UserEntity{ID: protocol.URLEncodedBase64(signIn.User.ID[:]), DisplayName: signIn.User.Profile.Name}
	if user.Name = signIn.User.Username; user.DisplayName == "" {
		user.DisplayName = user.Name
	}
	required := true
	made := protocol.PublicKeyCredentialCreationOptions{
		RelyingParty: protocol.RelyingPartyEntity{ID: rp.id, CredentialEntity: protocol.CredentialEntity{Name: rp.id}},
		User:         user, Challenge: c.Challenge, Timeout: int(promptPatience.Milliseconds()),
		CredentialExcludeList: descriptors(signIn.Passkeys),
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			RequireResidentKey: &required, ResidentKey: protocol.ResidentKeyRequirementRequired, UserVerification: protocol.VerificationRequired,
		},
		Attestation: protocol.PreferNoAttestation,
	}
	for _, algorithm := range passkeyAlgorithms() {
		made.Parameters = append(made.Parameters, protocol.CredentialParameter{Type: protocol.PublicKeyCredentialType, Algorithm: algorithm})
	}
	options, err = json.Marshal(made)
	return options, c, err
}

// passkeyAlgorithms are those that authenticators may sign with, the preferred one first.
func passkeyAlgorithms() []webauthncose.COSEAlgorithmIdentifier {
	return []webauthncose.COSEAlgorithmIdentifier{webauthncose.AlgES256, webauthncose.AlgEdDSA, webauthncose.AlgRS256}
}

func descriptors(passkeys []storage.Passkey) []protocol.CredentialDescriptor {
	var all []protocol.CredentialDescriptor
	for _, k := range passkeys {
		d := protocol.CredentialDescriptor{Type: protocol.PublicKeyCredentialType, CredentialID: k.CredentialID}
		for _, t := range k.Transports {
			d.Transport = append(d.Transport, protocol.AuthenticatorTransport(t))
		}
		all = append(all, d)
	}
	return all
}

// transports are those of the names that are any (WebAuthn Level 3 §5.8.4), each once.
func transports(told []protocol.AuthenticatorTransport) []string {
	var known []string
	for _, t := range []protocol.AuthenticatorTransport{
		protocol.USB, protocol.NFC, protocol.BLE, protocol.SmartCard, protocol.Hybrid, protocol.Internal,
	} {
		if slices.Contains(told, t) {
			known = append(known, string(t))
		}
	}
	return known
}
