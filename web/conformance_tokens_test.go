package web_test

import (
	"math"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func TestSignedUserinfoIsSignedForItsClient(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada")
		for _, alg := range []string{"RS256", "ES256"} {
			c := w.relying(func(m *storage.ClientMetadata) { m.UserinfoSignedAlg = alg })
			b := w.browser()
			a := b.tokens(c, "ada", "scope", "openid email")
			for what, r := range map[string]*http.Request{
				"get":       w.request(http.MethodGet, "/userinfo", "", a.access()),
				"post":      w.request(http.MethodPost, "/userinfo", "", a.access()),
				"post body": w.request(http.MethodPost, "/userinfo", form("access_token", a.access()).Encode(), ""),
			} {
				info := w.do(r)
				if info.status != http.StatusOK || info.header.Get("Content-Type") != "application/jwt" {
					w.Fatalf("%s: %d %v", what, info.status, info.header)
				}
				claims := w.verified(strings.TrimSpace(info.raw), alg, "JWT")
				for name, want := range map[string]any{"iss": issuerURL, "aud": c.id, "sub": u.ID.String(), "email": "ada@example.com"} {
					if claims[name] != want {
						w.Errorf("%s: %s is %v, want %v", what, name, claims[name], want)
					}
				}
				if claims["nonce"] != nil || claims["name"] != nil {
					w.Errorf("%s: %v", what, claims)
				}
			}
			w.want(w.userinfo("nonsense"), http.StatusUnauthorized, "invalid_token")
		}
	})
}

func TestALogoutEndsWhatIsOnlineAndLeavesWhatIsOffline(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, b := w.relying(balanced, leaving), w.browser()
		online := b.tokens(c, "ada")
		offline := b.tokens(c, "ada", "scope", "openid offline_access", "prompt", "consent")
		elsewhere := w.browser().tokens(c, "ada")
		if strings.Contains(online.text("scope"), "offline_access") || online.refresh() == "" || offline.refresh() == "" {
			w.Fatalf("online %s\noffline %s", online.raw, offline.raw)
		}
		if p := b.visit(endSession("id_token_hint", online.text("id_token"), "post_logout_redirect_uri", afterwards)); p.left == nil {
			w.Fatalf("%d %q", p.status, p.h1)
		}
		w.want(w.refreshWith(c, online.refresh()), http.StatusBadRequest, "invalid_grant")
		if w.active(c, online.access()) || w.userinfo(online.access()).status != http.StatusUnauthorized {
			w.Error("an access token of the session is alive")
		}
		w.want(w.refreshWith(c, elsewhere.refresh()), http.StatusOK, "") // another browser's
		for range 3 {
			w.clock.Advance(20 * 24 * time.Hour) // beyond any session
			next := w.refreshWith(c, offline.refresh())
			w.want(next, http.StatusOK, "")
			offline = next
		}
	})
}

func TestWhatIsOnlineEndsWithTheSessionsTime(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, b := w.relying(balanced), w.browser()
		a := b.tokens(c, "ada")
		for range 2 { // as long as the session could last at most
			w.clock.Advance(14 * 24 * time.Hour)
			a = w.refreshWith(c, a.refresh())
			w.want(a, http.StatusOK, "")
		}
		w.clock.Advance(2*24*time.Hour + time.Second)
		w.want(w.refreshWith(c, a.refresh()), http.StatusBadRequest, "invalid_grant")
	})
}

func TestOfflineAccessIsForClientsThatRefresh(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c := w.relying(func(m *storage.ClientMetadata) { m.GrantTypes = []string{"authorization_code"} })
		a := w.browser().tokens(c, "ada", "scope", "openid offline_access", "prompt", "consent")
		if a.refresh() != "" || a.text("scope") != "openid" {
			w.Errorf("answer %s", a.raw)
		}
	})
}

func TestTheSIDIsThatOfTheBrowsersSession(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, second, b := w.relying(leaving), w.relying(), w.browser()
		one, two := b.tokens(c, "ada"), w.idToken(b.tokens(second, "ada"))
		sid := w.idToken(one)["sid"]
		if text := asText(sid); len(text) < 16 || sid != two["sid"] {
			w.Errorf("one session, sid %v and %v", sid, two["sid"])
		}
		if other := w.idToken(w.browser().tokens(c, "ada")); other["sid"] == sid {
			w.Error("two browsers, one sid")
		}
		b.visit(endSession("id_token_hint", one.text("id_token")))
		if again := w.idToken(b.tokens(c, "ada")); again["sid"] == sid {
			w.Error("the sid of a session that ended is used again")
		}
		if direct := w.idToken(w.login(w.confidential(), "ada")); direct["sid"] != nil {
			w.Errorf("without a browser there is a sid: %v", direct["sid"])
		}
	})
}

func TestARefreshTokenServesItsClientAloneAfterTheCodeFlow(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, b := w.relying(balanced), w.browser()
		public := w.relying(balanced, func(m *storage.ClientMetadata) { m.TokenEndpointAuthMethod = "none" })
		a := b.tokens(c, "ada")
		for what, thief := range map[string]app{"confidential": w.relying(balanced), "public": public} {
			refused := w.refreshWith(thief, a.refresh())
			if refused.status != http.StatusBadRequest || refused.text("error") != "invalid_grant" || refused.header.Get("Content-Type") != "application/json" {
				w.Errorf("%s: %d %s", what, refused.status, refused.raw)
			}
		}
		w.want(w.refreshWith(app{id: c.id}, a.refresh()), http.StatusUnauthorized, "invalid_client")
		next := w.refreshWith(c, a.refresh()) // what others tried took nothing away
		w.want(next, http.StatusOK, "")
		if next.header.Get("Cache-Control") != "no-store" || next.body["expires_in"].(float64) <= 0 {
			w.Errorf("answer %s %v", next.raw, next.header)
		}
	})
}

func TestACodeServesItsClientAlone(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c, thief, b := w.relying(), w.relying(), w.browser()
		code := b.through(c, "ada", "").Get("code")
		w.want(w.exchange(thief, code), http.StatusBadRequest, "invalid_grant")
		w.want(w.exchange(c, code, "redirect_uri", "https://app.example/other"), http.StatusBadRequest, "invalid_grant")
		w.want(w.exchange(c, code, "redirect_uri", ""), http.StatusBadRequest, "invalid_grant")
		w.want(w.exchange(c, code, "client_id", thief.id), http.StatusUnauthorized, "invalid_client")
		w.want(w.exchange(c, code), http.StatusOK, "")
	})
}

func TestEveryStandardClaimHasItsType(t *testing.T) {
	each(t, func(w *world) {
		u := w.user("ada")
		w.fill(u)
		c := w.relying()
		info := w.userinfo(w.browser().tokens(c, "ada", "scope", allScopes).access())
		if info.header.Get("Content-Type") != "application/json" {
			w.Errorf("Content-Type %q", info.header.Get("Content-Type"))
		}
		text := func(v any) bool {
			s, ok := v.(string)
			return ok && s != "" && s != "null" && s == strings.TrimSpace(s)
		}
		link := func(v any) bool { return text(v) && strings.HasPrefix(v.(string), "https://") }
		yes := func(v any) bool { _, ok := v.(bool); return ok }
		kinds := map[string]func(any) bool{
			"profile": link, "picture": link, "website": link, "email_verified": yes, "phone_number_verified": yes,
			"address": func(v any) bool { parts, ok := v.(map[string]any); return ok && len(parts) > 0 },
			"updated_at": func(v any) bool {
				at, ok := v.(float64)
				return ok && at > 631152000 && at <= float64(w.clock.Now().Unix())
			},
			"birthdate": func(v any) bool { _, err := time.Parse(time.DateOnly, asText(v)); return err == nil },
			"zoneinfo":  func(v any) bool { _, err := time.LoadLocation(asText(v)); return text(v) && err == nil },
			"locale":    func(v any) bool { return localeTag(asText(v)) },
		}
		if len(info.body) != 20 { // sub and the nineteen of OpenID Connect Core §5.1
			w.Errorf("userinfo has %d claims: %s", len(info.body), info.raw)
		}
		for name, value := range info.body {
			good := text
			if kind, special := kinds[name]; special {
				good = kind
			}
			if !good(value) {
				w.Errorf("%s is %#v", name, value)
			}
		}
	})
}

// bits estimates, as a test of a client would, how much chance is in a text: the entropy of its characters times their number.
func bits(text string) float64 {
	counts := map[rune]float64{}
	for _, r := range text {
		counts[r]++
	}
	var each float64
	for _, n := range counts {
		p := n / float64(len(text))
		each -= p * math.Log2(p)
	}
	return each * float64(len(text))
}

func TestWhatMustBeUnguessableLooksSoAndIsPlainText(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c := w.relying(opaque)
		code := w.browser().through(c, "ada", "").Get("code")
		a := w.exchange(c, code)
		for what, text := range map[string]string{
			"code": code, "access token": a.access(), "refresh token": a.refresh(), "request_uri": strings.TrimPrefix(w.push(c).text("request_uri"), requestURIPrefix),
			"device code": w.device(w.television()).text("device_code"),
		} {
			if len(text) < 22 || bits(text) <= 96 || strings.Trim(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") != "" {
				w.Errorf("%s %q: %v bits", what, text, bits(text))
			}
		}
	})
}
