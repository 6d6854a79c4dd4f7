package issue

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/sqlite"
)

const issuerURL = "https://id.example"

// instant is when the tests' tokens are made.
func instant() time.Time { return time.Date(2026, time.November, 1, 12, 0, 0, 0, time.UTC) }

// open makes an Issuer over keys of its own.
func open(t *testing.T, issuer string) *Issuer {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "signet.db")})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	sealer, err := keys.ParseSecretKeys(keys.GenerateSecretKey())
	if err != nil {
		t.Fatal(err)
	}
	ring, err := keys.OpenRing(t.Context(), store, sealer, issuer, keys.Life{})
	if err != nil {
		t.Fatal(err)
	}
	return New(Config{Issuer: issuer, SigningAlg: keys.ES256}, ring, handle.New(ring))
}

func id(b byte) storage.ID { return storage.ID{15: b} }

// given is a grant of user 2, given in session 3, that lives for a day.
func given() storage.Grant {
	return storage.Grant{
		ID: id(1), ClientID: "shop", UserID: id(2), SessionID: id(3), Scope: []string{"openid"}, Nonce: "n-0S6", ACR: oauth.ACRPassword,
		AMR: []string{"pwd"}, AuthTime: instant().Add(-time.Minute), ExpiresAt: instant().Add(24 * time.Hour), State: storage.Active,
	}
}

// decode reads header and claims without verifying.
func decode(t *testing.T, token string) (header, claims map[string]any) {
	t.Helper()
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		t.Fatalf("%q is no JWT", token)
	}
	for i, into := range []*map[string]any{&header, &claims} {
		raw, err := base64.RawURLEncoding.DecodeString(parts[i])
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, into); err != nil {
			t.Fatal(err)
		}
	}
	return header, claims
}

// TestIDTokenSaysOfTheSignInWhatTheGrantKnows: sid, auth_time, nonce, acr, amr and at_hash, for one client alone, and nothing about
// the person.
func TestIDTokenSaysOfTheSignInWhatTheGrantKnows(t *testing.T) {
	t.Parallel()
	issuer := open(t, issuerURL)
	token, err := issuer.ID(storage.Client{}, given(), nil, "access", instant(), 2*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	header, claims := decode(t, token)
	atHash, err := keys.HashHalf(keys.DefaultIDTokenAlg, "access")
	if err != nil {
		t.Fatal(err)
	}
	if header["alg"] != keys.DefaultIDTokenAlg || header["kid"] == "" {
		t.Errorf("header %v", header)
	}
	want := map[string]any{
		"iss": issuerURL, "sub": id(2).String(), "aud": "shop", "sid": id(3).String(), "nonce": "n-0S6", "acr": oauth.ACRPassword,
		"amr": []any{"pwd"}, "at_hash": atHash, "iat": float64(instant().Unix()), "exp": float64(instant().Add(time.Hour).Unix()),
		"auth_time": float64(instant().Add(-time.Minute).Unix()),
	}
	if !reflect.DeepEqual(claims, want) {
		t.Errorf("claims %v\nwant   %v", claims, want)
	}
}

// TestIDTokenOfNoSessionHasNoSID: a sign-in without a browser names no session, and no time that never was.
func TestIDTokenOfNoSessionHasNoSID(t *testing.T) {
	t.Parallel()
	g := given()
	g.SessionID, g.Nonce, g.AuthTime = storage.ID{}, "", time.Time{}
	token, err := open(t, issuerURL).ID(storage.Client{}, g, nil, "access", instant(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	_, claims := decode(t, token)
	for _, name := range []string{"sid", "nonce", "auth_time"} {
		if value, there := claims[name]; there {
			t.Errorf("%s is %v", name, value)
		}
	}
}

// TestNoClaimAboutAPersonSaysWhatATokenIs: claims that were asked for stand beside the token's own and never in their place, be
// those there or not.
func TestNoClaimAboutAPersonSaysWhatATokenIs(t *testing.T) {
	t.Parallel()
	issuer := open(t, issuerURL)
	person := map[string]any{"name": "Ada", "email_verified": true}
	for _, name := range reserved() {
		person[name] = "stolen"
	}
	g := given()
	g.Nonce, g.SessionID = "", storage.ID{}
	token, err := issuer.ID(storage.Client{}, g, person, "access", instant(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	_, claims := decode(t, token)
	if claims["name"] != "Ada" || claims["email_verified"] != true {
		t.Errorf("what was asked for is missing: %v", claims)
	}
	for name, value := range claims {
		if value == "stolen" {
			t.Errorf("%s was taken over", name)
		}
	}
	if claims["sub"] != id(2).String() {
		t.Errorf("sub %v", claims["sub"])
	}
}

// TestEveryClaimOfAnIDTokenIsReserved: a new member of ID is protected as the others are.
func TestEveryClaimOfAnIDTokenIsReserved(t *testing.T) {
	t.Parallel()
	for field := range reflect.TypeFor[ID]().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if name != "-" && !slices.Contains(reserved(), name) {
			t.Errorf("a claim about a person may be called %s", name)
		}
	}
}

// TestReadIDTokenTakesIDTokensOfOursAlone: an expired one too, and nothing else that was signed here or elsewhere.
func TestReadIDTokenTakesIDTokensOfOursAlone(t *testing.T) {
	t.Parallel()
	issuer := open(t, issuerURL)
	metadata := storage.ClientMetadata{IDTokenSignedAlg: keys.ES256}
	c := storage.Client{ID: "shop", Metadata: metadata}
	long := time.Unix(1_000_000_000, 0)
	g := given()
	g.ExpiresAt = long.Add(time.Hour)
	token, err := issuer.ID(c, g, map[string]any{"name": "Ada"}, "access", long, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	claims, err := issuer.ReadIDToken(token)
	if err != nil || claims.Subject != id(2).String() || claims.SessionID != id(3).String() || claims.Audience != "shop" {
		t.Fatalf("an expired ID token: %+v, %v", claims, err)
	}

	access, _, err := issuer.Access(Order{
		Client: c, Grant: &g, Serial: 1, Audience: []string{issuerURL}, Now: long, Form: client.TokenForm{Format: oauth.FormatJWT, Lifetime: time.Hour},
	})
	if err != nil {
		t.Fatal(err)
	}
	logout, err := issuer.LogoutToken(c, id(2), id(3), long)
	if err != nil {
		t.Fatal(err)
	}
	userinfo, err := issuer.Userinfo(keys.ES256, "shop", map[string]any{"sub": id(2).String()})
	if err != nil {
		t.Fatal(err)
	}
	foreign, err := open(t, issuerURL).ID(c, g, nil, "access", long, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(token, ".")
	unsigned := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + parts[1] + "."
	for what, text := range map[string]string{
		"access token": access, "logout token": logout, "userinfo": userinfo, "another server's": foreign, "unsigned": unsigned,
		"empty": "", "cut": token[:len(token)-1], "half": parts[0] + "." + parts[1],
	} {
		if _, err := issuer.ReadIDToken(text); !errors.Is(err, ErrNotOurs) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestReadIDTokenKnowsItsIssuer: a database that was moved to another issuer takes no hint of the old one.
func TestReadIDTokenKnowsItsIssuer(t *testing.T) {
	t.Parallel()
	issuer := open(t, issuerURL)
	token, err := issuer.ID(storage.Client{}, given(), nil, "access", instant(), time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	moved := New(Config{Issuer: "https://other.example"}, issuer.ring, issuer.mint)
	if _, err := moved.ReadIDToken(token); !errors.Is(err, ErrNotOurs) {
		t.Errorf("%v", err)
	}
}

// TestLogoutTokenIsThatOfTheStandard: typ logout+jwt, the one event, no nonce, two minutes, a jti of its own each time
// (OpenID Connect Back-Channel Logout §2.4), signed as the client's ID tokens are.
func TestLogoutTokenIsThatOfTheStandard(t *testing.T) {
	t.Parallel()
	issuer := open(t, issuerURL)
	c := storage.Client{ID: "shop", Metadata: storage.ClientMetadata{IDTokenSignedAlg: keys.ES256}}
	seen := map[any]bool{}
	for range 2 {
		token, err := issuer.LogoutToken(c, id(2), id(3), instant())
		if err != nil {
			t.Fatal(err)
		}
		header, claims := decode(t, token)
		if header["typ"] != "logout+jwt" || header["alg"] != keys.ES256 {
			t.Errorf("header %v", header)
		}
		if jti, _ := claims["jti"].(string); len(jti) < 22 || seen[jti] {
			t.Errorf("jti %q", jti)
		}
		seen[claims["jti"]] = true
		delete(claims, "jti")
		want := map[string]any{
			"iss": issuerURL, "sub": id(2).String(), "aud": "shop", "sid": id(3).String(),
			"iat": float64(instant().Unix()), "exp": float64(instant().Unix() + 120),
			"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}},
		}
		if !reflect.DeepEqual(claims, want) {
			t.Errorf("claims %v\nwant   %v", claims, want)
		}
		if _, err := issuer.ReadAccess(token); !errors.Is(err, ErrNotOurs) {
			t.Errorf("a logout token was read as an access token: %v", err)
		}
	}
}

// TestSignedUserinfoSaysWhoSpeaksToWhom: iss and aud beside the claims, no times, no nonce; the claims of the caller stay as they are.
func TestSignedUserinfoSaysWhoSpeaksToWhom(t *testing.T) {
	t.Parallel()
	issuer := open(t, issuerURL)
	given := map[string]any{"sub": "s", "name": "Ada"}
	before := maps.Clone(given)
	token, err := issuer.Userinfo(keys.RS256, "shop", given)
	if err != nil {
		t.Fatal(err)
	}
	header, claims := decode(t, token)
	want := map[string]any{"sub": "s", "name": "Ada", "iss": issuerURL, "aud": "shop"}
	if header["alg"] != keys.RS256 || !reflect.DeepEqual(claims, want) || !reflect.DeepEqual(given, before) {
		t.Errorf("header %v, claims %v, given %v", header, claims, given)
	}
}
