package token_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/issue"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/storage"
)

// TestClaimsThatWereAskedForStandWhereTheyWereAskedFor: in the ID token or at userinfo, not in the other; what nobody has is left out.
func TestClaimsThatWereAskedForStandWhereTheyWereAskedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code, _ := w.code(func(g *storage.Grant) {
		g.Scope = []string{"openid"}
		g.Claims = &storage.RequestedClaims{
			IDToken: []string{"email", "email_verified", "birthdate", "unknown", "sub", "nonce"}, UserInfo: []string{"locale", "name", "iss"},
		}
	})
	a := w.granted(w.redeem("shop", code))
	claims := w.claims(a.text("id_token"))
	if claims["email"] != "ada@shop.example" || claims["email_verified"] != true || claims["locale"] != nil || claims["name"] != nil ||
		claims["birthdate"] != nil || claims["unknown"] != nil || claims["sub"] != w.user.String() || claims["nonce"] != "n-0S6_WzA2Mj" {
		t.Errorf("ID token %v", claims)
	}
	info := w.userinfo(a.text("access_token"))
	if len(info.body) != 3 || info.text("locale") != "en" || info.text("name") != "Ada Lovelace" || info.text("sub") != w.user.String() {
		t.Errorf("userinfo %s", info.raw)
	}
}

// TestRefreshedIDTokenSpeaksOfTheSameSignIn: same iss, sub, aud, sid, auth_time, acr and amr, newer iat, no nonce (OpenID Connect Core
// §12.2).
func TestRefreshedIDTokenSpeaksOfTheSameSignIn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.update("shop", func(m *storage.ClientMetadata) { m.IDTokenOnRefresh = true })
	session := w.session(24 * time.Hour)
	code, _ := w.code(func(g *storage.Grant) { g.SessionID = session })
	first := w.granted(w.redeem("shop", code))
	w.clock.advance(time.Minute)
	before, after := w.claims(first.text("id_token")), w.claims(w.granted(w.refresh("shop", first.text("refresh_token"))).text("id_token"))
	for _, name := range []string{"iss", "sub", "aud", "sid", "auth_time", "acr"} {
		if before[name] == nil || before[name] != after[name] {
			t.Errorf("%s was %v, is %v", name, before[name], after[name])
		}
	}
	if after["iat"] == before["iat"] || after["nonce"] != nil || after["amr"] == nil || after["at_hash"] == before["at_hash"] {
		t.Errorf("refreshed %v", after)
	}
}

// TestUserinfoIsSignedForWhoIsRegisteredSo: application/jwt with iss and aud, no nonce, and no ID token of ours (OpenID Connect Core
// §5.3.2).
func TestUserinfoIsSignedForWhoIsRegisteredSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.update("shop", func(m *storage.ClientMetadata) { m.UserinfoSignedAlg = keys.RS256 })
	code, _ := w.code(nil)
	a := w.granted(w.redeem("shop", code))
	info := w.userinfo(a.text("access_token"))
	if info.status != http.StatusOK || info.header.Get("Content-Type") != "application/jwt" {
		t.Fatalf("%d %s", info.status, info.header.Get("Content-Type"))
	}
	body, err := w.ring.Verify(info.raw, issue.TypeID)
	w.must(err)
	var claims map[string]any
	w.must(json.Unmarshal(body, &claims))
	if claims["iss"] != issuerURL || claims["aud"] != "shop" || claims["sub"] != w.user.String() || claims["name"] != "Ada Lovelace" ||
		claims["nonce"] != nil {
		t.Errorf("claims %v", claims)
	}
	if _, err := w.endpoint.Issuer.ReadIDToken(info.raw); err == nil {
		t.Error("it passes for an ID token")
	}
	if refused := w.userinfo("nonsense"); refused.status != http.StatusUnauthorized || refused.text("error") != "invalid_token" {
		t.Errorf("a refusal is %d %s", refused.status, refused.raw)
	}
}

// TestEveryRefusalOfUserinfoCarriesABearerChallenge: those of a malformed body too (RFC 6750 §3).
func TestEveryRefusalOfUserinfoCarriesABearerChallenge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, body := range []string{"access_token=a&access_token=b", "access_token=%zz", "access_token=%ff", strings.Repeat("a=b&", 200)} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, issuerURL+"/userinfo", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		a := w.serve(w.endpoint.Userinfo, r)
		if challenge := a.header.Get("WWW-Authenticate"); a.status != http.StatusBadRequest || !strings.HasPrefix(challenge, `Bearer error="invalid_request", error_description="`) {
			t.Errorf("%.20q: %d, %q", body, a.status, challenge)
		}
	}
}
