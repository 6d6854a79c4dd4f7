package keys

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync"
	"testing"
)

func pkcs8Of(t testing.TB, alg string, private crypto.Signer) (*signingKey, []byte) {
	t.Helper()
	pkcs8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	key, err := newSigningKey(alg, private)
	if err != nil {
		t.Fatal(err)
	}
	return key, pkcs8
}

func headerOf(t testing.TB, token string) (header map[string]any) {
	t.Helper()
	head, _, _ := strings.Cut(token, ".")
	raw, err := base64.RawURLEncoding.DecodeString(head)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &header); err != nil {
		t.Fatal(err)
	}
	return header
}

func b64(raw string) string { return base64.RawURLEncoding.EncodeToString([]byte(raw)) }

// forge signs any header with the ring's Ed25519 key: what could only exist if Signet itself had erred.
func forge(t testing.TB, r *Ring, header, payload string) string {
	t.Helper()
	input := b64(header) + "." + b64(payload)
	return input + "." + b64(string(ed25519.Sign(r.set.Load().signing[EdDSA].private.(ed25519.PrivateKey), []byte(input))))
}

func TestEveryAlgorithmVerifiesWithTheStandardLibraryAlone(t *testing.T) {
	t.Parallel()
	r := fixedRing(t)
	for _, alg := range r.Algorithms() {
		token, err := r.Sign(alg, "at+jwt", map[string]any{"sub": "ada", "n": 1})
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(token, ".")
		signature, err := base64.RawURLEncoding.DecodeString(parts[2])
		if err != nil || len(parts) != 3 {
			t.Fatalf("%s: %q, %v", alg, token, err)
		}
		input := []byte(parts[0] + "." + parts[1])
		sum, sum384 := sha256.Sum256(input), sha512.Sum384(input)
		half := len(signature) / 2
		rInt, sInt := new(big.Int).SetBytes(signature[:half]), new(big.Int).SetBytes(signature[half:])
		public, ok := r.set.Load().signing[alg].public, false
		switch alg {
		case RS256:
			ok = rsa.VerifyPKCS1v15(public.(*rsa.PublicKey), crypto.SHA256, sum[:], signature) == nil
		case PS256:
			ok = rsa.VerifyPSS(public.(*rsa.PublicKey), crypto.SHA256, sum[:], signature, &rsa.PSSOptions{SaltLength: 32}) == nil
		case ES256:
			ok = len(signature) == 64 && ecdsa.Verify(public.(*ecdsa.PublicKey), sum[:], rInt, sInt)
		case ES384:
			ok = len(signature) == 96 && ecdsa.Verify(public.(*ecdsa.PublicKey), sum384[:], rInt, sInt)
		case EdDSA:
			ok = ed25519.Verify(public.(ed25519.PublicKey), input, signature)
		}
		if !ok {
			t.Errorf("%s: the signature is not what the RFC says", alg)
		}
		if h := headerOf(t, token); len(h) != 3 || h["alg"] != alg || h["typ"] != "at+jwt" || h["kid"] != r.set.Load().signing[alg].kid {
			t.Errorf("%s: header %v", alg, h)
		}
		if claims, err := r.Verify(token, "JWT", "at+jwt"); err != nil || string(claims) != `{"n":1,"sub":"ada"}` {
			t.Errorf("%s: verified as %q, %v", alg, claims, err)
		}
	}
	if _, err := r.Sign("none", "JWT", struct{}{}); err == nil {
		t.Error("the algorithm none signs")
	}
	if _, err := r.Sign("", "JWT", struct{}{}); err == nil {
		t.Error("no algorithm signs")
	}
}

func TestATokenOfOneTypeIsNoneOfAnother(t *testing.T) {
	t.Parallel()
	r := fixedRing(t)
	token, err := r.Sign(ES256, "JWT", struct{}{})
	if err != nil {
		t.Fatal(err)
	}
	for _, types := range [][]string{{"at+jwt"}, {"jwt"}, {""}, nil} {
		if _, err := r.Verify(token, types...); !errors.Is(err, ErrUnverified) {
			t.Errorf("types %q: %v, want ErrUnverified", types, err)
		}
	}
}

func TestATokenHasOneSpelling(t *testing.T) {
	t.Parallel()
	r := fixedRing(t)
	good, err := r.Sign(ES256, "JWT", map[string]string{"sub": "ada"})
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(good, ".")
	for name, token := range map[string]string{
		"empty":             "",
		"dots":              "..",
		"space before":      " " + good,
		"line after":        good + "\n",
		"line within":       good[:20] + "\n" + good[20:],
		"padding":           good + "=",
		"fourth part":       good + ".",
		"two parts":         parts[0] + "." + parts[1],
		"no signature":      parts[0] + "." + parts[1] + ".",
		"no payload":        parts[0] + ".." + parts[2],
		"JSON form":         fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q}`, parts[0], parts[1], parts[2]),
		"standard alphabet": strings.NewReplacer("-", "+", "_", "/").Replace(good) + "+",
	} {
		if _, err := r.Verify(token, "JWT"); !errors.Is(err, ErrUnverified) {
			t.Errorf("%s: %v, want ErrUnverified", name, err)
		}
	}
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range good {
		for _, c := range []byte{'A', 'z', '.', '=', '\r', alphabet[(strings.IndexByte(alphabet, good[i])+1)%64]} {
			if c == good[i] {
				continue
			}
			if _, err := r.Verify(good[:i]+string(c)+good[i+1:], "JWT"); !errors.Is(err, ErrUnverified) {
				t.Fatalf("with %q in place %d: %v, want ErrUnverified", c, i, err)
			}
		}
		if _, err := r.Verify(good[:i], "JWT"); !errors.Is(err, ErrUnverified) {
			t.Fatalf("the first %d characters: %v, want ErrUnverified", i, err)
		}
	}
}

func TestLongTokensAreNeitherMadeNorRead(t *testing.T) {
	t.Parallel()
	r := fixedRing(t)
	long := map[string]string{"x": strings.Repeat("a", 6200)}
	if token, err := r.Sign(EdDSA, "JWT", long); err == nil {
		t.Errorf("a token of %d bytes is made", len(token))
	}
	header := fmt.Sprintf(`{"alg":"EdDSA","kid":%q,"typ":"JWT"}`, r.set.Load().signing[EdDSA].kid)
	if _, err := r.Verify(forge(t, r, header, `{"x":"`+long["x"]+`"}`), "JWT"); !errors.Is(err, ErrUnverified) {
		t.Errorf("%v, want ErrUnverified", err)
	}
	if _, err := r.Verify(forge(t, r, header, `{"x":"`+long["x"][:5800]+`"}`), "JWT"); err != nil {
		t.Errorf("a token under 8 KiB: %v", err)
	}
	if _, err := r.Sign(EdDSA, "JWT", func() {}); err == nil {
		t.Error("claims that do not encode are signed")
	}
}

func TestSigningFromManyGoroutinesIsSafe(t *testing.T) {
	t.Parallel()
	r := fixedRing(t)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for range 20 {
				token, err := r.Sign(EdDSA, []string{"JWT", "at+jwt"}[i%2], map[string]int{"i": i})
				if err != nil {
					t.Error(err)
					return
				}
				if claims, err := r.Verify(token, "JWT", "at+jwt"); err != nil || string(claims) != fmt.Sprintf(`{"i":%d}`, i) {
					t.Errorf("%d: %q, %v", i, claims, err)
				}
			}
		})
	}
	all.Wait()
}

func TestHashHalfIsThatOfTheStandard(t *testing.T) {
	t.Parallel()
	// OpenID Connect Core, appendix A.4 and A.5.
	const token, tokenHash = "jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y", "77QmUPtjPfzWtF2AnpK9RQ"
	const code, codeHash = "Qcb0Orv1zh30vL1MPRsbm-diHiMwcLyZvn1arpZv-Jxf_11jnpEX3Tgfvk", "LDktKdoQak3Pk0cnXxCltA"
	sum384, sum512 := sha512.Sum384([]byte(token)), sha512.Sum512([]byte(token))
	for _, c := range []struct{ alg, value, want string }{
		{RS256, token, tokenHash},
		{RS256, code, codeHash},
		{PS256, token, tokenHash},
		{ES256, token, tokenHash},
		{ES384, token, b64(string(sum384[:24]))},
		{EdDSA, token, b64(string(sum512[:32]))},
	} {
		if got, err := HashHalf(c.alg, c.value); err != nil || got != c.want {
			t.Errorf("%s: %q, %v, want %q", c.alg, got, err, c.want)
		}
	}
	if _, err := HashHalf("none", token); err == nil {
		t.Error("the algorithm none has a hash")
	}
}

func FuzzVerify(f *testing.F) {
	r := fixedRing(f)
	const claims = `{"sub":"ada"}`
	for _, alg := range r.Algorithms() {
		token, err := r.Sign(alg, "JWT", json.RawMessage(claims))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(token)
		f.Add(token[:len(token)-1])
	}
	kid := r.set.Load().signing[EdDSA].kid
	f.Add(forge(f, r, fmt.Sprintf(`{"alg":"EdDSA","kid":%q,"typ":"JWT","crit":["b64"],"b64":false}`, kid), claims))
	f.Add(forge(f, r, fmt.Sprintf(`{"alg":"EdDSA","alg":"none","kid":%q,"typ":"JWT"}`, kid), claims))
	f.Add(b64(`{"alg":"none"}`) + "." + b64(claims) + ".")
	f.Fuzz(func(t *testing.T, text string) {
		got, err := r.Verify(text, "JWT")
		if err == nil && string(got) != claims {
			t.Errorf("%q verifies as %q, which was never signed", text, got)
		}
		if err != nil && !errors.Is(err, ErrUnverified) {
			t.Errorf("%q: %v", text, err)
		}
	})
}
