package e2e

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// shortest is the length from which on a secret is told from chance wherever it stands.
const shortest = 10

// hoard is every secret of a run, by what it is, in every form in which it might be written down.
type hoard struct {
	secrets map[string]bool
	needles map[[shortest]byte][]needle // by how they begin, so that a text is walked once for all of them
	digits  map[string]*regexp.Regexp   // one-time codes: too short to be looked for inside other numbers
}

type needle struct {
	name, form string
	bytes      []byte
}

func newHoard() *hoard {
	return &hoard{secrets: map[string]bool{}, needles: map[[shortest]byte][]needle{}, digits: map[string]*regexp.Regexp{}}
}

// add adds a secret in all its forms.
func (h *hoard) add(name string, secret []byte) {
	h.secrets[name] = true
	for form, text := range forms(secret) {
		if len(text) < shortest {
			continue // of bytes that printing shortens
		}
		start := [shortest]byte(text)
		h.needles[start] = append(h.needles[start], needle{name, form, text})
	}
}

// keep adds a secret and what it decodes to; a name may be given to several.
func (h *hoard) keep(t *testing.T, name, secret string) {
	t.Helper()
	name = fmt.Sprintf("%s (%d)", name, len(h.secrets)+len(h.digits))
	if regexp.MustCompile(`^\d{6}$`).MatchString(secret) {
		h.digits[name] = regexp.MustCompile(`(^|[^0-9.])` + secret + `([^0-9]|$)`)
		return
	}
	if len(secret) < shortest {
		t.Fatalf("%s is %q: too short to be found for certain", name, secret)
	}
	h.add(name, []byte(secret))
	parts := strings.Split(secret, ".")
	for i, part := range parts {
		_, body, tagged := strings.Cut(part, "_")
		if !tagged || len(body) < shortest {
			body = part
		}
		if raw, err := base64.RawURLEncoding.DecodeString(body); err == nil && len(raw) >= shortest && (len(parts) == 1 || i == 2) {
			h.add(name+", decoded", raw) // of a JWT the signature: the rest is public
		}
	}
}

// keepKey adds an unsealed key and its secret numbers.
func (h *hoard) keepKey(name string, plain []byte) {
	h.add(name, plain)
	key, err := x509.ParsePKCS8PrivateKey(plain)
	if err != nil {
		h.add(name+", first half", plain[:len(plain)/2])
		h.add(name+", second half", plain[len(plain)/2:])
		return
	}
	switch key := key.(type) {
	case *ecdsa.PrivateKey:
		if scalar, err := key.Bytes(); err == nil {
			h.add(name+", its number", scalar)
		}
	case ed25519.PrivateKey:
		h.add(name+", its seed", key.Seed())
	case *rsa.PrivateKey:
		h.add(name+", its exponent", key.D.Bytes())
		h.add(name+", a prime", key.Primes[0].Bytes())
	}
}

// found names the secrets that text holds, in whatever form.
func (h *hoard) found(text []byte, except ...string) []string {
	seen := map[string]bool{}
	for i := 0; i+shortest <= len(text); i++ {
		for _, n := range h.needles[[shortest]byte(text[i:])] {
			if bytes.HasPrefix(text[i:], n.bytes) && !excepted(n.name, except) {
				seen[n.name+", "+n.form] = true
			}
		}
	}
	for name, pattern := range h.digits {
		if pattern.Match(text) {
			seen[name] = true
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

func excepted(name string, except []string) bool {
	for _, e := range except {
		if strings.HasPrefix(name, e) {
			return true
		}
	}
	return false
}

// forms are the ways in which a secret might be written down. Inside something longer its base64 begins at one of three places.
func forms(secret []byte) map[string][]byte {
	all := map[string][]byte{
		"as it is": secret, "in lower case": bytes.ToLower(secret), "in upper case": bytes.ToUpper(secret),
		"in hex": []byte(hex.EncodeToString(secret)), "in upper hex": []byte(strings.ToUpper(hex.EncodeToString(secret))),
		"percent-encoded": []byte(url.QueryEscape(string(secret))), "quoted": []byte(strings.Trim(fmt.Sprintf("%q", secret), `"`)),
		"as a list of numbers": []byte(strings.Trim(fmt.Sprint(secret), "[]")),
	}
	for name, encoding := range map[string]*base64.Encoding{"base64": base64.RawStdEncoding, "base64url": base64.RawURLEncoding} {
		for before := range 3 {
			padded := append(make([]byte, before), secret...)
			whole := encoding.EncodeToString(padded)
			all[fmt.Sprintf("in %s, %d bytes in", name, before)] = []byte(whole[(before*8+5)/6 : len(padded)*8/6])
		}
	}
	return all
}

// TestTheSearchForSecretsSeesEachForm: what the search cannot find proves nothing where it finds nothing.
func TestTheSearchForSecretsSeesEachForm(t *testing.T) {
	t.Parallel()
	const secret = "s3cret/Value+with?Marks"
	h := newHoard()
	h.keep(t, "secret", secret)
	h.keep(t, "code", "042137")
	h.keep(t, "token", "srt_"+base64.RawURLEncoding.EncodeToString([]byte("what the token says")))
	for _, text := range []string{
		secret, "x" + secret + "y", strings.ToLower(secret), hex.EncodeToString([]byte(secret)), url.QueryEscape(secret), fmt.Sprint([]byte(secret)),
		"Basic " + base64.StdEncoding.EncodeToString([]byte("shop:"+secret)), base64.URLEncoding.EncodeToString([]byte("abcdefg:" + secret + "!")),
		base64.StdEncoding.EncodeToString([]byte("ab" + secret)), `{"otp":"042137"}`, "otp=042137", "what the token says", hex.EncodeToString([]byte("what the token says")),
	} {
		if len(h.found([]byte(text))) == 0 {
			t.Errorf("not found in %q", text)
		}
	}
	for _, text := range []string{"", "s3cret", "1042137", "0.042137", "0421375", "a secret"} {
		if names := h.found([]byte(text)); len(names) > 0 {
			t.Errorf("%v found in %q", names, text)
		}
	}
}
