package web_test

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/register"
	"github.com/signet-idp/signet/storage"
)

// object is a JSON object.
type object = map[string]any

// registering runs test on both engines, with registration as mode says.
func registering(t *testing.T, mode register.Mode, test func(w *world), edit ...func(*provider.Config)) {
	t.Helper()
	for engine, open := range engines {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			c := &clock{now: time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)}
			test(newWorld(t, engine, open(t, c.Now), c, append(edit, func(c *provider.Config) { c.Registration.Mode = mode })...))
		})
	}
}

// ask sends what thing encodes to, or the text that it is, with a bearer token where there is one.
func (w *world) ask(method, address, token string, thing any, header ...string) answer {
	w.Helper()
	text, is := thing.(string)
	if !is && thing != nil {
		encoded, err := json.Marshal(thing)
		w.must(err)
		text = string(encoded)
	}
	r, err := http.NewRequestWithContext(w.Context(), method, w.server.URL+strings.TrimPrefix(address, issuerURL), bytes.NewReader([]byte(text)))
	w.must(err)
	r.Header.Set("Content-Type", "application/json")
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return w.do(r)
}

// software is what an application sends to register itself; changes replace its members, nil takes one out.
func software(changes ...object) object {
	m := object{"redirect_uris": []string{callback}, "client_name": "Agent", "token_endpoint_auth_method": "none"}
	for _, c := range changes {
		maps.Copy(m, c)
	}
	return m
}

// registered is software that registered itself.
type registered struct {
	app
	uri, token string
	answer     answer
}

// register registers software, and demands that it be let in.
func (w *world) register(token string, changes ...object) registered {
	w.Helper()
	a := w.ask(http.MethodPost, "/oauth2/register", token, software(changes...))
	w.want(a, http.StatusCreated, "")
	return registered{
		app: app{id: a.text("client_id"), secret: a.text("client_secret"), post: a.text("token_endpoint_auth_method") == "client_secret_post"},
		uri: a.text("registration_client_uri"), token: a.text("registration_access_token"), answer: a,
	}
}

// initialToken makes an initial access token.
func (w *world) initialToken(t storage.RegistrationToken, lifetime time.Duration) (string, storage.RegistrationToken) {
	w.Helper()
	t.Name = "test"
	text, made, err := w.provider.InitialTokens().Create(w.Context(), t, lifetime, "test", storage.Seen{})
	w.must(err)
	return text, made
}
