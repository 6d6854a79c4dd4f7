package web_test

import (
	"net/http"
	"testing"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/register"
)

// TestWhatRegistersItselfUsesPKCEWhereTheOperatorSaysSo: a client with a secret may be let off, by itself or by the operator; one without
// credentials never is.
func TestWhatRegistersItselfUsesPKCEWhereTheOperatorSaysSo(t *testing.T) {
	web := object{"token_endpoint_auth_method": "client_secret_basic"}
	for _, c := range []struct {
		name    string
		rule    register.PKCE
		sent    object
		without bool // it does without
	}{
		{"required", "", web, false},
		{"required, let off by itself", register.PKCERequired, object{"token_endpoint_auth_method": "client_secret_basic", "require_pkce": false}, true},
		{"public", register.PKCEPublic, web, true},
		{"public, by default of the method", register.PKCEPublic, object{"token_endpoint_auth_method": nil}, true},
		{"public, held to it by itself", register.PKCEPublic, object{"token_endpoint_auth_method": "client_secret_basic", "require_pkce": true}, false},
		{"public, without credentials", register.PKCEPublic, object{}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			registering(t, register.ModeOpen, func(w *world) {
				w.user("ada")
				made := w.register("", c.sent)
				b := w.browser()
				if c.without {
					code := b.through(made.app, "ada", "", "code_challenge", "", "code_challenge_method", "").Get("code")
					w.want(w.exchange(made.app, code, "code_verifier", ""), http.StatusOK, "")
					changed := w.ask(http.MethodPut, made.uri, made.token, software(c.sent, object{"client_id": made.id, "client_name": "Renamed"}))
					w.want(changed, http.StatusOK, "")
					if changed.body["require_pkce"] != false {
						t.Errorf("a change of the name asks for PKCE: %s", changed.raw)
					}
				} else {
					b.tokens(made.app, "ada")
					b.visit(authorize(made.app, "code_challenge", "", "code_challenge_method", ""))
					if got := b.page.left.Query().Get("error"); got != "invalid_request" {
						t.Errorf("without PKCE: error %q", got)
					}
				}
			}, func(config *provider.Config) { config.Registration.PKCE = c.rule })
		})
	}
}
