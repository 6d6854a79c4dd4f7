package web_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/register"
)

// publisher signs software statements, without any library of ours.
type publisher struct {
	t   *testing.T
	iss string
	key *ecdsa.PrivateKey
}

func newPublisher(t *testing.T, iss string) publisher {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return publisher{t, iss, key}
}

// trusted is what an operator says of the publisher.
func (p publisher) trusted(required bool) client.StatementIssuer {
	p.t.Helper()
	point, err := p.key.PublicKey.Bytes()
	if err != nil {
		p.t.Fatal(err)
	}
	set, err := json.Marshal(object{"keys": []object{{"kty": "EC", "crv": "P-256", "kid": "1", "x": b64(point[1:33]), "y": b64(point[33:])}}})
	if err != nil {
		p.t.Fatal(err)
	}
	return client.StatementIssuer{Issuer: p.iss, JWKS: set, Required: required}
}

// statement says claims, besides the issuer.
func (p publisher) statement(header string, claims object) string {
	p.t.Helper()
	said := object{"iss": p.iss}
	for name, value := range claims {
		said[name] = value
	}
	body, err := json.Marshal(said)
	if err != nil {
		p.t.Fatal(err)
	}
	input := b64([]byte(header)) + "." + b64(body)
	sum := sha256.Sum256([]byte(input))
	r, s, err := ecdsa.Sign(rand.Reader, p.key, sum[:])
	if err != nil {
		p.t.Fatal(err)
	}
	var signature [64]byte
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return input + "." + b64(signature[:])
}

const signedES256 = `{"alg":"ES256","kid":"1","typ":"JWT"}`

// TestASoftwareStatementTakesThePlaceOfWhatSoftwareSays: as far as its publisher is believed, and no further.
func TestASoftwareStatementTakesThePlaceOfWhatSoftwareSays(t *testing.T) {
	known, stranger := newPublisher(t, "https://publisher.example"), newPublisher(t, "https://stranger.example")
	impostor := newPublisher(t, known.iss)
	registering(t, register.ModeOpen, func(w *world) {
		now := w.clock.Now().Unix()
		statement := known.statement(signedES256, object{
			"software_id": "agent-7", "client_name": "Agent Seven", "redirect_uris": []string{callback}, "exp": now + 60, "iat": now,
			"first_party": true, "contacts": nil,
		})
		own := object{"client_name": "Somebody else", "redirect_uris": []string{"https://evil.example/cb"}, "contacts": []string{"a@b.example"}}
		c := w.register("", own, object{"software_statement": statement})
		a := c.answer
		if a.text("client_name") != "Agent Seven" || a.text("software_id") != "agent-7" || a.body["redirect_uris"].([]any)[0] != callback ||
			a.text("software_statement") != statement || a.body["first_party"] != nil || a.body["contacts"] == nil {
			t.Errorf("answer %s", a.raw)
		}
		for name, c := range map[string]struct{ statement, code string }{
			"a stranger's":                {stranger.statement(signedES256, nil), "unapproved_software_statement"},
			"another's signature":         {impostor.statement(signedES256, nil), "invalid_software_statement"},
			"expired":                     {known.statement(signedES256, object{"exp": now - 60}), "invalid_software_statement"},
			"of the future":               {known.statement(signedES256, object{"iat": now + 60}), "invalid_software_statement"},
			"an end that is no time":      {known.statement(signedES256, object{"exp": "soon"}), "invalid_software_statement"},
			"another algorithm":           {known.statement(`{"alg":"HS256","kid":"1"}`, nil), "invalid_software_statement"},
			"no signature":                {known.statement(`{"alg":"none"}`, nil), "invalid_software_statement"},
			"another kind of token":       {known.statement(`{"alg":"ES256","typ":"at+jwt"}`, nil), "invalid_software_statement"},
			"an extension":                {known.statement(`{"alg":"ES256","crit":["x"],"x":1}`, nil), "invalid_software_statement"},
			"no issuer":                   {known.statement(signedES256, object{"iss": nil}), "invalid_software_statement"},
			"a member of another type":    {known.statement(signedES256, object{"client_name": 7}), "invalid_software_statement"},
			"no token at all":             {"statement", "invalid_software_statement"},
			"a grant that it cannot give": {known.statement(signedES256, object{"grant_types": []string{"password"}}), "invalid_client_metadata"},
		} {
			a := w.ask(http.MethodPost, "/oauth2/register", "", software(object{"software_statement": c.statement}))
			if a.status != http.StatusBadRequest || a.text("error") != c.code || a.text("error_description") == "" {
				t.Errorf("%s: %d %s", name, a.status, a.raw)
			}
		}
		plain := w.register("", own)
		if plain.answer.text("client_name") != "Somebody else" {
			t.Errorf("answer %s", plain.answer.raw)
		}
		w.clock.Advance(5 * time.Minute)
		w.want(w.ask(http.MethodPost, "/oauth2/register", "", software(object{"software_statement": statement})), http.StatusBadRequest, "invalid_software_statement")
	}, func(c *provider.Config) { c.Registration.Statements = []client.StatementIssuer{known.trusted(false)} })
}

// TestWhereAStatementIsRequiredNoneComesWithoutOne: and it stays so when a registration is replaced.
func TestWhereAStatementIsRequiredNoneComesWithoutOne(t *testing.T) {
	known := newPublisher(t, "https://publisher.example")
	registering(t, register.ModeOpen, func(w *world) {
		w.want(w.ask(http.MethodPost, "/oauth2/register", "", software()), http.StatusBadRequest, "invalid_software_statement")
		c := w.register("", object{"software_statement": known.statement(signedES256, nil)})
		w.want(w.ask(http.MethodPut, c.uri, c.token, software(object{"client_id": c.id})), http.StatusBadRequest, "invalid_software_statement")
	}, func(c *provider.Config) { c.Registration.Statements = []client.StatementIssuer{known.trusted(true)} })
}

// TestAStatementThatNobodyIsBelievedForIsPassedOver: RFC 7591 §2.3 lets a server ignore it, and then it is not kept.
func TestAStatementThatNobodyIsBelievedForIsPassedOver(t *testing.T) {
	registering(t, register.ModeOpen, func(w *world) {
		stranger := newPublisher(w.T, "https://stranger.example")
		c := w.register("", object{"software_statement": stranger.statement(signedES256, object{"client_name": "Other"})})
		if c.answer.body["software_statement"] != nil || c.answer.text("client_name") != "Agent" {
			t.Errorf("answer %s", c.answer.raw)
		}
	})
}
