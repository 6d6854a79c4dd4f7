package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// knownParameters are the names that an error may repeat.
var knownParameters = strings.Fields("grant_type client_id client_secret username password scope refresh_token otp recovery_code " +
	"mfa_token token token_type_hint access_token")

// errand is one good request of each kind.
type errand struct {
	name, path string
	form       url.Values
}

func errands(w *world, c app, username, seed string) []errand {
	w.Helper()
	issued := w.login(c, username, "otp", w.code(seed))
	w.clock.Advance(30 * time.Second)
	of := func(pairs ...string) url.Values { return w.as(c, form(pairs...)) }
	return []errand{
		{"introspection", "/oauth2/introspect", of("token", issued.refresh())},
		{"refresh", "/oauth2/token", of("grant_type", "refresh_token", "refresh_token", issued.refresh())},
		{"second factor", "/oauth2/token", of("grant_type", mfaGrant, "mfa_token", w.half(c, username), "otp", w.code(seed))},
		{"client credentials", "/oauth2/token", of("grant_type", "client_credentials")},
		{"userinfo", "/userinfo", form("access_token", issued.access())},
		{"revocation", "/oauth2/revoke", of("token", issued.access())},
	}
}

func TestEveryRepeatedParameterRefusesTheRequestAndSpendsNothing(t *testing.T) {
	each(t, func(w *world) {
		seed, _ := w.enrol(w.user("grace"))
		c := w.confidential(posts)
		for _, e := range errands(w, c, "grace", seed) {
			good := e.form.Encode()
			for _, name := range knownParameters {
				value := e.form.Get(name)
				for _, again := range []string{value, "other", ""} {
					body := good + "&" + form(name, again).Encode()
					if value == "" {
						body += "&" + form(name, "x").Encode()
					}
					a := w.send(http.MethodPost, e.path, nil, body)
					if err := wants(a, http.StatusBadRequest, "invalid_request"); err != nil {
						t.Errorf("%s with %s twice: %v", e.name, name, err)
					}
					if !strings.Contains(a.text("error_description"), "parameter "+name+" ") {
						t.Errorf("%s with %s twice does not say so: %s", e.name, name, a.raw)
					}
				}
			}
			a := w.send(http.MethodPost, e.path, nil, good+"&%3Czebra%3E=1&%3Czebra%3E=2")
			if wants(a, http.StatusBadRequest, "invalid_request") != nil || strings.Contains(a.raw, "zebra") {
				t.Errorf("%s with an unknown parameter twice: %d %s", e.name, a.status, a.raw)
			}
			if a := w.send(http.MethodPost, e.path, nil, good); a.status != http.StatusOK {
				t.Errorf("%s afterwards: %d %s", e.name, a.status, a.raw)
			}
		}
	})
}

func TestUnknownParametersAreIgnoredAndEmptyOnesAreAbsent(t *testing.T) {
	each(t, func(w *world) {
		seed, _ := w.enrol(w.user("grace"))
		c := w.confidential(posts)
		for _, e := range errands(w, c, "grace", seed) {
			for name := range e.form {
				if name == "grant_type" || name == "client_id" || name == "client_secret" {
					continue
				}
				without := w.as(app{}, e.form)
				without.Set(name, "")
				empty := w.send(http.MethodPost, e.path, nil, without.Encode())
				without.Del(name)
				absent := w.send(http.MethodPost, e.path, nil, without.Encode()+"&x=1")
				if empty.status < 400 || empty.status != absent.status || empty.raw != absent.raw {
					t.Errorf("%s with an empty %s: %d %s, without: %d %s", e.name, name, empty.status, empty.raw, absent.status, absent.raw)
				}
			}
			// resource alone may be repeated; empty it is absent.
			body := e.form.Encode() + "&unknown=1&=2&%F0%9F%98%80=smile&scope=&resource=&resource=&recovery_code=&token_type_hint=nonsense&&"
			if a := w.send(http.MethodPost, e.path+"?grant_type=password&token=x&scope=nonsense", nil, body); a.status != http.StatusOK {
				t.Errorf("%s with unknown and empty parameters, and others in the address: %d %s", e.name, a.status, a.raw)
			}
		}
	})
}

func TestParametersInTheAddressAreNotRead(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c := w.confidential(posts)
		whole := w.as(c, form("grant_type", "password", "username", "ada", "password", password)).Encode()
		w.want(w.send(http.MethodPost, "/oauth2/token?"+whole, nil, "x=1"), http.StatusBadRequest, "invalid_request")
		a := w.login(c, "ada")
		w.want(w.send(http.MethodGet, "/userinfo?access_token="+a.access(), nil, ""), http.StatusUnauthorized, "invalid_token")
		w.want(w.send(http.MethodPost, "/userinfo?access_token="+a.access(), nil, "x=1"), http.StatusUnauthorized, "invalid_token")
		both := http.Header{"Authorization": {"Bearer " + a.access()}}
		w.want(w.send(http.MethodPost, "/userinfo", both, form("access_token", a.access()).Encode()), http.StatusBadRequest, "invalid_request")
		w.want(w.send(http.MethodPost, "/userinfo", both, "access_token="), http.StatusOK, "")
		twice := http.Header{"Authorization": {"Bearer " + a.access(), "Bearer " + a.access()}}
		w.want(w.send(http.MethodGet, "/userinfo", twice, ""), http.StatusBadRequest, "invalid_request")
	})
}
