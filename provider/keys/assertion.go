package keys

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/signet-idp/signet/storage"
)

// Assertion is a JWT that a client signed to say who it is (RFC 7523 §3). Until Verify has returned nil, Claims are what anybody
// may have written.
type Assertion struct {
	Claims map[string]json.RawMessage
	token  string
	alg    string
	kid    string
	hasKID bool
}

// ParseAssertion reads a JWT in the compact serialization, of at most 8 KiB, without believing it. Header and claims are JSON
// objects that name no member twice. An extension that must be understood (crit) is not; a key, or the address of one, in the
// header (jwk, jku, x5c, x5u) is passed over. The error is for the log.
func ParseAssertion(token string) (Assertion, error) {
	if !compact(token) {
		return Assertion{}, fmt.Errorf("it is not a JWT in the compact serialization of at most %d bytes", maxToken)
	}
	parts := strings.Split(token, ".")
	var header map[string]json.RawMessage
	a := Assertion{token: token}
	if err := objectOf(parts[0], &header); err != nil {
		return a, fmt.Errorf("header: %w", err)
	}
	if err := objectOf(parts[1], &a.Claims); err != nil {
		return a, fmt.Errorf("claims: %w", err)
	}
	if _, there := header["crit"]; there {
		return a, errors.New("its header has crit, and no extension is understood")
	}
	var ok bool
	if a.alg, ok = Text(header["alg"]); !ok {
		return a, errors.New("its header has no alg")
	}
	if kid, there := header["kid"]; there {
		if a.kid, a.hasKID = Text(kid); !a.hasKID {
			return a, errors.New("its kid is not a string")
		}
	}
	if typ, there := header["typ"]; there {
		// Other types are other things: an access token must not pass for an assertion (RFC 8725 §3.11).
		text, ok := Text(typ)
		if text = strings.ToLower(strings.TrimPrefix(text, "application/")); !ok || text != "jwt" && text != "client-authentication+jwt" {
			return a, errors.New("its typ is neither JWT nor client-authentication+jwt")
		}
	}
	return a, nil
}

// Header returns what the assertion says that it was signed with; kid is "" where it does not say.
func (a Assertion) Header() (alg, kid string) { return a.alg, a.kid }

// KeyIDs are the kids of the keys in set, which ClientKeySet or PublishedKeySet wrote.
func KeyIDs(set []byte) (kids []string) {
	var known jose.JSONWebKeySet
	if len(set) == 0 || json.Unmarshal(set, &known) != nil {
		return nil
	}
	for _, k := range known.Keys {
		if k.KeyID != "" {
			kids = append(kids, k.KeyID)
		}
	}
	return kids
}

// ErrNoKey says that the key that signed an assertion is not in the set, as far as can be told: a newer set may have it.
var ErrNoKey = errors.New("none of the client's keys")

// Verify proves that a key of the set, which ClientKeySet or PublishedKeySet wrote, signed the assertion with one of algs. kid picks
// the key; without it, it is the only one that fits. The error is for the log, but for ErrNoKey.
func (a Assertion) Verify(set []byte, algs []string) error {
	if !slices.Contains(algs, a.alg) || !Signs(a.alg) {
		return errors.New("its alg is not one that the client may use")
	}
	var keys jose.JSONWebKeySet
	if err := json.Unmarshal(set, &keys); err != nil {
		return fmt.Errorf("the registered key set: %w", err)
	}
	fit := slices.DeleteFunc(keys.Keys, func(k jose.JSONWebKey) bool {
		return !allows(k, a.alg) || a.hasKID && k.KeyID != a.kid
	})
	switch {
	case len(fit) == 0:
		return fmt.Errorf("%w has its kid and fits its alg", ErrNoKey)
	case len(fit) > 1:
		return fmt.Errorf("%d of the client's keys have its kid and fit its alg", len(fit))
	}
	signed, err := jose.ParseSignedCompact(a.token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(a.alg)})
	if err != nil {
		return fmt.Errorf("it is not a signed token: %w", err)
	}
	_, err = signed.Verify(fit[0].Key)
	switch {
	case err == nil:
		return nil
	case !a.hasKID:
		return fmt.Errorf("%w made its signature", ErrNoKey)
	}
	return errors.New("its signature is wrong")
}

// VerifySecret proves that who has the secret, of SecretBytes or more, signed the assertion with one of algs. kid names nothing there.
// The error is for the log.
func (a Assertion) VerifySecret(secret storage.Secret, algs []string) error {
	if !slices.Contains(algs, a.alg) || !slices.Contains(SecretAlgorithms(), a.alg) {
		return errors.New("its alg is not one that the client may use")
	}
	if len(secret.Reveal()) < SecretBytes {
		return fmt.Errorf("the secret is shorter than %d bytes", SecretBytes)
	}
	signed, err := jose.ParseSignedCompact(a.token, []jose.SignatureAlgorithm{jose.SignatureAlgorithm(a.alg)})
	if err != nil {
		return fmt.Errorf("it is not a signed token: %w", err)
	}
	if _, err := signed.Verify(secret.Reveal()); err != nil {
		return errors.New("its signature is wrong")
	}
	return nil
}

// Text reads a JSON string. false: raw is absent, or something else.
func Text(raw json.RawMessage) (text string, ok bool) {
	if len(raw) == 0 || raw[0] != '"' {
		return "", false
	}
	return text, json.Unmarshal(raw, &text) == nil
}

func objectOf(part string, into *map[string]json.RawMessage) error {
	text, err := strictBase64.DecodeString(part)
	if err != nil {
		return err
	}
	return object(text, into)
}

// StrictObject reads a JSON object into what into points to: no object in it, however deep, names a member twice, and every member is
// one of into's.
func StrictObject(text []byte, into any) error {
	if err := unambiguous(text); err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return d.Decode(into)
}

// object reads a JSON object in which no object, however deep, names a member twice: of two readers of such a text each may believe
// another one (RFC 8725 §2.4).
func object(text []byte, into *map[string]json.RawMessage) error {
	if err := unambiguous(text); err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil || *into == nil {
		return errors.New("not a JSON object")
	}
	return nil
}

func unambiguous(text []byte) error {
	d := json.NewDecoder(bytes.NewReader(text))
	if err := value(d, 0); err != nil {
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.New("text behind the JSON value")
	}
	return nil
}

// maxDepth is how deep objects may lie in one another; claims and keys need a few.
const maxDepth = 16

func value(d *json.Decoder, depth int) error {
	token, err := d.Token()
	if err != nil {
		return err
	}
	opened, ok := token.(json.Delim)
	if !ok {
		return nil
	}
	if depth == maxDepth {
		return errors.New("objects are nested too deep")
	}
	seen := map[string]bool{}
	for d.More() {
		if opened == '{' {
			name, err := d.Token()
			if err != nil {
				return err
			}
			if text := name.(string); seen[text] {
				return errors.New("a member is there twice")
			} else {
				seen[text] = true
			}
		}
		if err := value(d, depth+1); err != nil {
			return err
		}
	}
	_, err = d.Token()
	return err
}
