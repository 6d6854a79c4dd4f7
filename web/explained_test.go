package web_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

// TestARefusedCodeIsExplained holds what the owner of a client is told about a code that is not taken.
func TestARefusedCodeIsExplained(t *testing.T) {
	t.Parallel()
	eachFault(t, func(f *faults) {
		c, b := f.relying(), f.browser()
		f.hides(c.secret, codeVerifier, password)
		code := func(pairs ...string) string {
			code := b.through(c, "ada", "", pairs...).Get("code")
			f.hides(code)
			return code
		}
		other := strings.Repeat("Another-verifier", 3)
		f.hides(other)
		f.answered("no verifier", f.exchange(c, code(), "code_verifier", ""), c, "invalid_grant", "cause", "PKCE", "code_challenge", "sent", "code_verifier", "absent")
		f.answered("another verifier", f.exchange(c, code(), "code_verifier", other), c, "invalid_grant",
			"cause", "another one's", "code_challenge", challengeOf(codeVerifier), "code_challenge_of_verifier", challengeOf(other))
		f.answered("short verifier", f.exchange(c, code(), "code_verifier", "short-verifier"), c, "invalid_grant", "code_verifier_length", "14")
		plain := "plain-verifier-that-is-sent-as-its-challengeA"[:42] + "A"
		f.hides(plain)
		f.answered("plain", f.exchange(c, code("code_challenge", plain), "code_verifier", plain), c, "invalid_grant", "cause", "the code_verifier itself")
		f.answered("hashed twice", f.exchange(c, code("code_challenge", challengeOf(challengeOf(codeVerifier)))), c, "invalid_grant", "cause", "hashed twice")
		f.answered("other redirect_uri", f.exchange(c, code(), "redirect_uri", callback+"/?code=MARKED-value"), c, "invalid_grant",
			"received", callback+"/?code=[cut]", "registered", callback, "at", fmt.Sprint(len(callback)), "part", "slash")
		f.hides("MARKED-value")
		f.answered("forged", f.exchange(c, "sac_MARKED-code"), c, "invalid_grant", "cause", "forged", "length", "15")
		f.hides("MARKED-code")

		late, issued := code(), f.clock.Now()
		f.clock.Advance(90 * time.Second)
		f.answered("late", f.exchange(c, late), c, "invalid_grant", "cause", "30s later",
			"expires_at", issued.Add(time.Minute).Format(time.RFC3339), "now", f.clock.Now().Format(time.RFC3339))

		thief := f.relying()
		f.hides(thief.secret)
		stolen := code()
		f.answered("another client's", f.exchange(thief, stolen), thief, "invalid_grant", "cause", "another client's")
		good := f.exchange(c, stolen)
		f.want(good, http.StatusOK, "")
		f.hides(good.access(), good.refresh(), good.text("id_token"))
		f.answered("twice", f.exchange(c, stolen), c, "invalid_grant", "cause", "a second time", "redeemed_from", "the same address", "redeemed_at", "20*")
		f.answered("thrice", f.exchange(c, stolen), c, "invalid_grant", "cause", "revoked", "reason", string(storage.ReasonCodeReplay))
	})
}

// TestARefusedRefreshTokenIsExplained: rotated, reused, revoked, idle and expired are told apart, with when and from where.
func TestARefusedRefreshTokenIsExplained(t *testing.T) {
	t.Parallel()
	eachFault(t, func(f *faults) {
		c := f.confidential(strict, func(m *storage.ClientMetadata) { m.RefreshTokenLifetime, m.RefreshTokenIdleLifetime = 7200, 3600 })
		f.hides(c.secret, password)
		login := func() answer {
			a := f.login(c, "ada")
			f.hides(a.refresh(), a.access())
			return a
		}
		stamp := func() string { return f.clock.Now().Format(time.RFC3339) }

		first := login()
		f.clock.Advance(time.Minute)
		second := f.refreshWith(c, first.refresh())
		f.want(second, http.StatusOK, "")
		f.hides(second.refresh(), second.access())
		rotated := stamp()
		f.clock.Advance(time.Minute)
		f.answered("reuse", f.refreshWith(c, first.refresh()), c, "invalid_grant", "cause", "reuse", "rotated_at", rotated, "presented_generation", "1",
			"newest_generation", "2", "last_exchange_from", "the same address", "refresh_rotation", "strict", "became", "rotated at "+rotated)
		f.answered("after reuse", f.refreshWith(c, second.refresh()), c, "invalid_grant", "cause", "used again", "reason", "reuse", "revoked_at", stamp())

		idle, issued := login(), f.clock.Now()
		f.clock.Advance(2 * time.Hour / 2)
		f.clock.Advance(time.Second)
		f.answered("idle", f.refreshWith(c, idle.refresh()), c, "invalid_grant", "cause", "idle", "issued_at", issued.Format(time.RFC3339),
			"expires_at", issued.Add(time.Hour).Format(time.RFC3339), "now", stamp())
		f.clock.Advance(2 * time.Hour)
		f.answered("expired", f.refreshWith(c, idle.refresh()), c, "invalid_grant", "cause", "expired", "expires_at", issued.Add(2*time.Hour).Format(time.RFC3339))

		revoked := login()
		f.want(f.post("/oauth2/revoke", c, form("token", revoked.refresh())), http.StatusOK, "")
		f.answered("revoked", f.refreshWith(c, revoked.refresh()), c, "invalid_grant", "cause", "the client revoked it", "reason", "client", "revoked_at", stamp())

		thief, own := f.confidential(), login()
		f.hides(thief.secret)
		f.answered("another client's", f.refreshWith(thief, own.refresh()), thief, "invalid_grant", "cause", "another client's")
		f.answered("wrong kind", f.refreshWith(c, own.access()), c, "invalid_grant", "cause", "a JWT")
		f.answered("altered", f.refreshWith(c, own.refresh()[:30]), c, "invalid_grant", "cause", "altered or cut", "length", "30")
		f.answered("more scope", f.refreshWith(c, own.refresh(), "scope", "openid api:delete"), c, "invalid_scope", "beyond", "api:delete", "received", "openid api:delete")
		f.answered("resource", f.refreshWith(c, own.refresh(), "resource", "https://api.example/?key=MARKED-key"), c, "invalid_target", "received", "https://api.example/?key=[cut]")
		f.hides("MARKED-key")
		_, err := f.provider.Clients().Disable(f.Context(), c.id, "test")
		f.must(err)
		f.answered("disabled", f.refreshWith(c, own.refresh()), c, "invalid_client", "cause", "an operator switched it off", "disabled_at", stamp())
	})
}

// TestARefusedAuthenticationOfAClientIsExplained: which secret, whose clock and by how much, which key.
func TestARefusedAuthenticationOfAClientIsExplained(t *testing.T) {
	t.Parallel()
	eachFault(t, func(f *faults) {
		c := f.confidential()
		f.hides(c.secret)
		own := []string{"grant_type", "client_credentials"}
		f.answered("wrong", f.token(app{id: c.id, secret: "MARKED-secret"}, own...), c, "invalid_client", "cause", "none of the client's", "secrets_made_at", "20*")
		f.hides("MARKED-secret")
		f.answered("none", f.token(app{id: c.id}, own...), c, "invalid_client", "received", "none", "registered", "client_secret_basic")
		f.answered("in the body", f.token(app{id: c.id, secret: c.secret, post: true}, own...), c, "invalid_client", "received", "client_secret_post", "registered", "client_secret_basic")
		f.answered("grant", f.token(c, "grant_type", "authorization_code", "code", "MARKED-code"), c, "unauthorized_client", "received", "authorization_code", "registered", "password refresh_token client_credentials")
		f.hides("MARKED-code")
		made, _, err := f.provider.Clients().RotateSecret(f.Context(), c.id, time.Hour, "test")
		f.must(err)
		f.hides(made)
		ends := f.clock.Now().Add(time.Hour)
		f.clock.Advance(2 * time.Hour)
		f.answered("expired", f.token(c, own...), c, "invalid_client", "cause", "expired", "expires_at", ends.Format(time.RFC3339), "now", f.clock.Now().Format(time.RFC3339))

		signer, k := f.confidential(byKeys), keyPairs()["ES256"]
		assert := func(changes map[string]any, header string) answer {
			signed := k.sign(header, f.claims(signer, fmt.Sprint(len(f.secrets)), changes))
			f.hides(signed, signed[strings.LastIndex(signed, ".")+1:])
			return f.assert("/oauth2/token", signed, own...)
		}
		now := f.clock.Now()
		for name, v := range map[string]struct {
			changes map[string]any
			header  string
			want    []string
		}{
			"exp passed":  {map[string]any{"exp": now.Unix() - 95}, k.header(), []string{"cause", "exp has passed by 1m35s", "off_by", "1m35s", "now", now.Format(time.RFC3339)}},
			"exp far":     {map[string]any{"exp": now.Unix() + 3600}, k.header(), []string{"cause", "more than five minutes ahead", "off_by", "1h0m0s"}},
			"iat ahead":   {map[string]any{"iat": now.Unix() + 90}, k.header(), []string{"cause", "iat is in the future by 1m30s", "off_by", "1m30s", "iat", now.Add(90 * time.Second).Format(time.RFC3339)}},
			"nbf ahead":   {map[string]any{"nbf": now.Unix() + 20}, k.header(), []string{"cause", "nbf", "off_by", "20s"}},
			"aud":         {map[string]any{"aud": "https://other.example"}, k.header(), []string{"aud", "https://other.example", "registered", issuerURL}},
			"iss":         {map[string]any{"iss": "other"}, k.header(), []string{"iss", "other", "sub", signer.id}},
			"kid":         {nil, `{"alg":"ES256","kid":"of-yesterday"}`, []string{"kid", "of-yesterday", "kids_registered", "rsa ec ed"}},
			"alg":         {nil, `{"alg":"none","kid":"ec"}`, []string{"alg", "none", "algs_allowed", "*"}},
			"jti missing": {map[string]any{"jti": nil}, k.header(), []string{"cause", "jti is missing"}},
		} {
			f.answered(name, assert(v.changes, v.header), signer, "invalid_client", v.want...)
		}
		twice := map[string]any{"jti": "twice"}
		f.want(assert(twice, k.header()), http.StatusOK, "")
		f.answered("jti again", assert(twice, k.header()), signer, "invalid_client", "cause", "jti was used before")
	})
}
