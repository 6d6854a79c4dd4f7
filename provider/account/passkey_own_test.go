package account

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/descope/virtualwebauthn"

	"github.com/signet-idp/signet/storage"
)

func TestOptionsNameTheIssuersHostAndWhatIsAskedOfAuthenticators(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ issuer, id, origin string }{
		{"https://id.example.org", "id.example.org", "https://id.example.org"},
		{"https://ID.Example.org:443/tenant", "id.example.org", "https://id.example.org"},
		{"https://id.example.org:8443", "id.example.org", "https://id.example.org:8443"},
		{"http://localhost:8080", "localhost", "http://localhost:8080"},
		{"http://localhost:80", "localhost", "http://localhost"},
		{"http://127.0.0.1:8080", "", ""},
		{"https://192.0.2.1", "", ""},
		{"http://[::1]:8080", "", ""},
		{"https://[2001:db8::1]", "", ""},
		{"", "", ""},
	} {
		p := New(nil, nil, nil, Config{Issuer: c.issuer})
		if rp := p.relyingParty(); rp != (relyingParty{c.id, c.origin}) || p.PasskeysOffered() != (c.id != "") {
			t.Errorf("%s is the relying party %+v", c.issuer, rp)
		}
	}
	h := newHouse(t)
	ada := h.create(t, storage.User{Username: "ada"})
	d := newDevice(ada.ID)
	h.addPasskey(t, ada.ID, d)
	person := h.person(t, ada.ID)
	id := base64.RawURLEncoding.EncodeToString(d.key.ID)
	add, c, err := h.BeginPasskey(person)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf(`{"rp":{"name":"id.example.org","id":"id.example.org"},"user":{"name":"ada","displayName":"ada","id":%q},`+
		`"challenge":%q,"pubKeyCredParams":[{"type":"public-key","alg":-7},{"type":"public-key","alg":-8},{"type":"public-key","alg":-257}],`+
		`"timeout":300000,"excludeCredentials":[{"type":"public-key","id":%q}],"authenticatorSelection":{"requireResidentKey":true,`+
		`"residentKey":"required","userVerification":"required"},"attestation":"none"}`,
		base64.RawURLEncoding.EncodeToString(ada.ID[:]), c.challenge(), id)
	if string(add) != want {
		t.Errorf("to add:\n%s, want\n%s", add, want)
	}
	in, c, err := h.BeginPasskeySignIn()
	if want := fmt.Sprintf(`{"challenge":%q,"timeout":300000,"rpId":"id.example.org","userVerification":"required"}`, c.challenge()); err != nil || string(in) != want {
		t.Errorf("to sign in:\n%s, want\n%s, %v", in, want, err)
	}
	factor, c, err := h.BeginPasskeyFactor(person)
	if want := fmt.Sprintf(`{"challenge":%q,"timeout":300000,"rpId":"id.example.org","allowCredentials":[{"type":"public-key","id":%q}],"userVerification":"preferred"}`,
		c.challenge(), id); err != nil || string(factor) != want {
		t.Errorf("as a factor:\n%s, want\n%s, %v", factor, want, err)
	}
	if raw, err := base64.RawURLEncoding.DecodeString(c.challenge()); err != nil || len(raw) != 32 {
		t.Errorf("the challenge has %d bytes, %v", len(raw), err)
	}
}

func TestWithoutADomainThereAreNoPasskeys(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.create(t, storage.User{Username: "ada"})
	d := newDevice(ada.ID)
	h.addPasskey(t, ada.ID, d)
	options, c, err := h.BeginPasskeySignIn()
	if err != nil {
		t.Fatal(err)
	}
	person := h.person(t, ada.ID)
	add, adding, err := h.BeginPasskey(person)
	if err != nil {
		t.Fatal(err)
	}
	h.issuer = "http://127.0.0.1:8080"
	for _, begin := range []func() (json.RawMessage, Ceremony, error){
		h.BeginPasskeySignIn, func() (json.RawMessage, Ceremony, error) { return h.BeginPasskeyFactor(person) },
		func() (json.RawMessage, Ceremony, error) { return h.BeginPasskey(person) },
	} {
		if options, _, err := begin(); options != nil || err != nil {
			t.Errorf("options: %s, %v", options, err)
		}
	}
	d.rp = virtualwebauthn.RelyingParty{}
	if _, _, _, err := h.ProvePasskey(t.Context(), PasskeyProof{c, d.get(t, options)}); !errors.Is(err, ErrWrong) {
		t.Errorf("a sign-in: %v", err)
	}
	if _, _, err := h.ProvePasskeyNew(person, adding, newDevice(ada.ID).create(t, add), ""); !errors.Is(err, ErrWrong) {
		t.Errorf("a new one: %v", err)
	}
}

func TestAPasskeyIsAddedForWhatWasAskedAlone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada, bob := h.create(t, storage.User{Username: "ada"}), h.create(t, storage.User{Username: "bob"})
	person := h.person(t, ada.ID)
	edit := func(from string, change func(at []byte)) func([]byte) []byte { // the attestation object, from where from stands
		return func(answer []byte) []byte {
			var sent map[string]any
			if err := json.Unmarshal(answer, &sent); err != nil {
				t.Fatal(err)
			}
			response := sent["response"].(map[string]any)
			raw, err := base64.RawURLEncoding.DecodeString(response["attestationObject"].(string))
			i := bytes.Index(raw, []byte(from))
			if err != nil || i < 0 {
				t.Fatalf("%q is not in % x, %v", from, raw, err)
			}
			change(raw[i:])
			response["attestationObject"] = base64.RawURLEncoding.EncodeToString(raw)
			edited, err := json.Marshal(sent)
			if err != nil {
				t.Fatal(err)
			}
			return edited
		}
	}
	flip := func(i int, bits byte) func([]byte) { return func(at []byte) { at[i] ^= bits } }
	const key = "\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20" // EC2, ES256, P-256, and an x of 32 bytes
	for name, c := range map[string]struct {
		tamper func(*device, *Ceremony)
		edit   func([]byte) []byte
		want   error
	}{
		"as it should be":          {},
		"an attestation that lies": {edit: edit("calg\x26", flip(4, 1))},
		"of another site":          {tamper: func(d *device, _ *Ceremony) { d.rp.Origin = "https://id.example.com" }, want: ErrWrong},
		"with a path":              {tamper: func(d *device, _ *Ceremony) { d.rp.Origin += "/" }, want: ErrWrong},
		"of another relying party": {tamper: func(d *device, _ *Ceremony) { d.rp.ID = "example.org" }, want: ErrWrong},
		"for another challenge":    {tamper: func(_ *device, c *Ceremony) { c.Challenge = make([]byte, 32) }, want: ErrWrong},
		"for a sign-in":            {tamper: func(_ *device, c *Ceremony) { c.Purpose = toSignIn }, want: ErrWrong},
		"for somebody else":        {tamper: func(_ *device, c *Ceremony) { c.UserID = bob.ID }, want: ErrWrong},
		"too late":                 {tamper: func(_ *device, c *Ceremony) { c.ExpiresAt = h.time() }, want: ErrWrong},
		"of who has changed since": {tamper: func(_ *device, c *Ceremony) { c.Revision-- }, want: ErrChanged},
		"whose user is unverified": {tamper: func(d *device, _ *Ceremony) { d.auth.Options.UserNotVerified = true }, want: ErrWrong},
		"where nobody was present": {tamper: func(d *device, _ *Ceremony) { d.auth.Options.UserNotPresent = true }, want: ErrWrong},
		"backed up, but cannot be": {tamper: func(d *device, _ *Ceremony) { d.auth.Options.BackupState = true }, want: ErrWrong},
		"with too long an ID":      {tamper: func(d *device, _ *Ceremony) { d.key.ID = make([]byte, 1024) }, want: ErrWrong},
		"with the longest ID":      {tamper: func(d *device, _ *Ceremony) { d.key.ID = slices.Repeat([]byte{7}, 1023) }},
		"with another algorithm":   {edit: edit(key, flip(4, 3)), want: ErrWrong},
		"with a key off its curve": {edit: edit(key, flip(20, 1)), want: ErrWrong},
		"with a curve of no key":   {edit: edit(key, flip(6, 3)), want: ErrWrong},
		"with data that is cut":    {edit: edit("authData\x58", flip(8, 0x18)), want: ErrWrong},
		"attested as nobody knows": {edit: edit("packed", flip(0, 3))},
		"with RSA":                 {tamper: func(d *device, _ *Ceremony) { d.key = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeRSA) }},
	} {
		d := newDevice(ada.ID)
		options, ceremony, err := h.BeginPasskey(person)
		if err != nil {
			t.Fatal(err)
		}
		if c.tamper != nil {
			c.tamper(d, &ceremony)
		}
		answer := d.create(t, options)
		if c.edit != nil {
			answer = c.edit(answer)
		}
		done, codes, err := h.ProvePasskeyNew(person, ceremony, answer, "")
		if !errors.Is(err, c.want) || (err == nil) != (len(codes) == 10 && bytes.Equal(done.Passkey.CredentialID, d.key.ID)) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var bad *Invalid
	if _, _, err := h.ProvePasskeyNew(person, Ceremony{}, nil, strings.Repeat("x", 65)); !errors.As(err, &bad) {
		t.Errorf("too long a name: %v", err)
	}
	// What is sealed into the form with the codes, at its largest, fits into what a form's sealed text may be.
	largest, err := json.Marshal(PasskeyConfirmation{Revision: 1 << 62, Codes: slices.Repeat([]storage.Digest{{255, 255, 255}}, 10), Passkey: storage.Passkey{
		Name: strings.Repeat("𝒳", 64), CredentialID: make([]byte, maxCredentialID), PublicKey: make([]byte, maxPublicKey), SignCount: 1<<32 - 1,
		Transports: []string{"usb", "nfc", "ble", "smart-card", "hybrid", "internal"},
	}})
	if err != nil || len(largest) > 4300 {
		t.Errorf("a confirmation has up to %d bytes, %v", len(largest), err)
	}
}

func TestAChallengeAddsOnePasskeyAndACredentialHasOneOwner(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada, bob := h.create(t, storage.User{Username: "ada"}), h.create(t, storage.User{Username: "bob"})
	first, second := newDevice(ada.ID), newDevice(ada.ID)
	person := h.person(t, ada.ID)
	options, c, err := h.BeginPasskey(person)
	if err != nil {
		t.Fatal(err)
	}
	one, _, err := h.ProvePasskeyNew(person, c, first.create(t, options), "")
	if err != nil {
		t.Fatal(err)
	}
	other, _, err := h.ProvePasskeyNew(person, c, second.create(t, options), "")
	if err != nil {
		t.Fatal(err)
	}
	if err := h.FinishPasskey(t.Context(), bob, one, own(bob)); !errors.Is(err, ErrChanged) {
		t.Errorf("finished by somebody else: %v", err)
	}
	if err := h.FinishPasskey(t.Context(), ada, one, own(ada)); err != nil {
		t.Fatal(err)
	}
	now := h.person(t, ada.ID)
	if err := h.FinishPasskey(t.Context(), now.User, other, own(ada)); !errors.Is(err, ErrChanged) {
		t.Errorf("the same challenge again, proven before: %v", err)
	}
	if _, _, err := h.ProvePasskeyNew(now, c, second.create(t, options), ""); !errors.Is(err, ErrChanged) {
		t.Errorf("the same challenge again: %v", err)
	}
	for _, u := range []storage.User{ada, bob} {
		person := h.person(t, u.ID)
		options, c, err := h.BeginPasskey(person)
		if err != nil {
			t.Fatal(err)
		}
		done, _, err := h.ProvePasskeyNew(person, c, first.create(t, options), "")
		if err == nil {
			err = h.FinishPasskey(t.Context(), person.User, done, own(u))
		}
		if !errors.Is(err, ErrWrong) {
			t.Errorf("the credential again for %s: %v", u.Username, err)
		}
	}
}

func TestThereAreTenPasskeysAtMostAndTheLastFactorTakesTheCodesAlong(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	ada, bob := h.create(t, storage.User{Username: "ada", Email: "ada@example.org"}), h.create(t, storage.User{Username: "bob"})
	early, c, err := h.BeginPasskey(h.person(t, ada.ID))
	if err != nil {
		t.Fatal(err)
	}
	for range MaxPasskeys {
		h.addPasskey(t, ada.ID, newDevice(ada.ID))
	}
	full := h.person(t, ada.ID)
	if options, _, err := h.BeginPasskey(full); options != nil || err != nil {
		t.Errorf("the eleventh is offered: %s, %v", options, err)
	}
	c.Revision = full.User.Revision
	var bad *Invalid
	if _, _, err := h.ProvePasskeyNew(full, c, newDevice(ada.ID).create(t, early), ""); !errors.As(err, &bad) {
		t.Errorf("the eleventh: %v", err)
	}

	id := full.Passkeys[0].ID
	if err := h.RenamePasskey(ctx, ada, id, "  Old phone "); err != nil || h.person(t, ada.ID).Passkeys[0].Name != "Old phone" {
		t.Errorf("renamed: %v", err)
	}
	if err := h.RenamePasskey(ctx, ada, id, "a\nb"); !errors.As(err, &bad) {
		t.Errorf("a name of two lines: %v", err)
	}
	if err := h.RenamePasskey(ctx, bob, id, "x"); !errors.Is(err, ErrNotFound) {
		t.Errorf("renamed by somebody else: %v", err)
	}
	if err := h.RemovePasskey(ctx, bob, id, own(bob)); !errors.Is(err, ErrNotFound) {
		t.Errorf("removed by somebody else: %v", err)
	}
	if err := h.RemovePasskey(ctx, ada, id, own(ada)); !errors.Is(err, ErrChanged) {
		t.Errorf("removed on an old page: %v", err)
	}
	h.posted(t)
	for i, k := range full.Passkeys {
		if err := h.RemovePasskey(ctx, h.person(t, ada.ID).User, k.ID, own(ada)); err != nil {
			t.Fatal(err)
		}
		want, letter := 10, "passkey_removed"
		if i == MaxPasskeys-1 {
			want, letter = 0, "factor_removed"
		}
		if found := h.person(t, ada.ID); found.RecoveryCodes != want || len(found.Passkeys) != MaxPasskeys-1-i {
			t.Errorf("with %d passkeys left there are %d codes", len(found.Passkeys), found.RecoveryCodes)
		}
		if kinds := h.posted(t); !slices.Equal(kinds, []string{letter}) {
			t.Errorf("removing the %dth is told by %v", i+1, kinds)
		}
	}
}
