package keys

import (
	"crypto"
	"crypto/hmac"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestOnlyTheHeaderThatSignWritesIsGood(t *testing.T) {
	t.Parallel()
	r := fixedRing(t)
	set := r.set.Load()
	kid, other := set.signing[EdDSA].kid, set.signing[ES256].kid
	jwk, err := set.signing[EdDSA].jwk().MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Verify(forge(t, r, fmt.Sprintf(`{"alg":"EdDSA","kid":%q,"typ":"JWT"}`, kid), `{}`), "JWT"); err != nil {
		t.Fatalf("the forger cannot even make a good token: %v", err)
	}
	for name, header := range map[string]string{
		"alg twice":              `{"alg":"EdDSA","alg":"EdDSA","kid":"KID","typ":"JWT"}`,
		"alg twice, none first":  `{"alg":"none","alg":"EdDSA","kid":"KID","typ":"JWT"}`,
		"kid twice":              `{"alg":"EdDSA","kid":"KID","kid":"KID","typ":"JWT"}`,
		"typ twice":              `{"alg":"EdDSA","kid":"KID","typ":"at+jwt","typ":"JWT"}`,
		"typ twice, escaped":     `{"alg":"EdDSA","kid":"KID","typ":"JWT","\u0074yp":"JWT"}`,
		"unknown crit":           `{"alg":"EdDSA","kid":"KID","typ":"JWT","crit":["exp"],"exp":1}`,
		"crit b64 true":          `{"alg":"EdDSA","kid":"KID","typ":"JWT","crit":["b64"],"b64":true}`,
		"empty crit":             `{"alg":"EdDSA","kid":"KID","typ":"JWT","crit":[]}`,
		"null crit":              `{"alg":"EdDSA","kid":"KID","typ":"JWT","crit":null}`,
		"crit no array":          `{"alg":"EdDSA","kid":"KID","typ":"JWT","crit":"exp"}`,
		"b64 alone":              `{"alg":"EdDSA","kid":"KID","typ":"JWT","b64":true}`,
		"own key inside":         `{"alg":"EdDSA","kid":"KID","typ":"JWT","jwk":JWK}`,
		"key address":            `{"alg":"EdDSA","kid":"KID","typ":"JWT","jku":"https://evil.example/jwks"}`,
		"nonce":                  `{"alg":"EdDSA","kid":"KID","typ":"JWT","nonce":"n"}`,
		"cty":                    `{"alg":"EdDSA","kid":"KID","typ":"JWT","cty":"JWT"}`,
		"no typ":                 `{"alg":"EdDSA","kid":"KID"}`,
		"typ no string":          `{"alg":"EdDSA","kid":"KID","typ":["JWT"]}`,
		"TYP in capitals":        `{"alg":"EdDSA","kid":"KID","TYP":"JWT"}`,
		"ALG in capitals":        `{"ALG":"EdDSA","kid":"KID","typ":"JWT"}`,
		"no kid":                 `{"alg":"EdDSA","typ":"JWT"}`,
		"kid of another key":     `{"alg":"EdDSA","kid":"OTHER","typ":"JWT"}`,
		"unknown kid":            `{"alg":"EdDSA","kid":"x","typ":"JWT"}`,
		"alg none":               `{"alg":"none","kid":"KID","typ":"JWT"}`,
		"alg of another key":     `{"alg":"ES256","kid":"KID","typ":"JWT"}`,
		"alg and kid of another": `{"alg":"ES256","kid":"OTHER","typ":"JWT"}`,
		"unoffered alg":          `{"alg":"RS512","kid":"KID","typ":"JWT"}`,
		"alg no string":          `{"alg":1,"kid":"KID","typ":"JWT"}`,
		"no object":              `["EdDSA"]`,
		"more after it":          `{"alg":"EdDSA","kid":"KID","typ":"JWT"}{}`,
		"empty":                  ``,
	} {
		header = strings.NewReplacer("KID", kid, "OTHER", other, "JWK", string(jwk)).Replace(header)
		if _, err := r.Verify(forge(t, r, header, `{}`), "JWT"); !errors.Is(err, ErrUnverified) {
			t.Errorf("%s: %v, want ErrUnverified", name, err)
		}
	}
}

func TestAPublicKeyIsNoSharedSecret(t *testing.T) {
	t.Parallel()
	r := fixedRing(t)
	key := r.set.Load().signing[RS256]
	der, err := x509.MarshalPKIXPublicKey(key.public)
	if err != nil {
		t.Fatal(err)
	}
	input := b64(fmt.Sprintf(`{"alg":"HS256","kid":%q,"typ":"JWT"}`, key.kid)) + "." + b64(`{}`)
	mac := hmac.New(sha256.New, der)
	mac.Write([]byte(input))
	if _, err := r.Verify(input+"."+b64(string(mac.Sum(nil))), "JWT"); !errors.Is(err, ErrUnverified) {
		t.Errorf("%v, want ErrUnverified", err)
	}
	if _, err := r.Verify(input+".", "JWT"); !errors.Is(err, ErrUnverified) {
		t.Errorf("unsigned: %v, want ErrUnverified", err)
	}
}

func TestAKeyServesItsOwnAlgorithmAlone(t *testing.T) {
	t.Parallel()
	r := fixedRing(t)
	key := r.set.Load().signing[RS256]
	input := b64(fmt.Sprintf(`{"alg":"PS256","kid":%q,"typ":"JWT"}`, key.kid)) + "." + b64(`{}`)
	sum := sha256.Sum256([]byte(input))
	signature, err := rsa.SignPSS(rand.Reader, key.private.(*rsa.PrivateKey), crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: 32})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Verify(input+"."+b64(string(signature)), "JWT"); !errors.Is(err, ErrUnverified) {
		t.Errorf("PS256 with the key for RS256: %v, want ErrUnverified", err)
	}
}
