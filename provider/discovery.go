package provider

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/provider/token"
)

// metadata derives RFC 8414's document from the route table and the rooms' own lists: an entry that is published and not
// implemented, or the reverse, would be a defect.
func (p *Provider) metadata() map[string]any {
	methods := client.Methods()
	m := map[string]any{
		"issuer":                                p.config.Issuer,
		"response_types_supported":              []string{oauth.ResponseTypeCode},
		"response_modes_supported":              []string{oauth.ModeQuery, oauth.ModeFragment, oauth.ModeFormPost},
		"code_challenge_methods_supported":      []string{oauth.ChallengeS256},
		"prompt_values_supported":               []string{oauth.PromptNone, oauth.PromptLogin, oauth.PromptConsent, oauth.PromptSelectAccount},
		"display_values_supported":              []string{"page"},
		"claim_types_supported":                 []string{"normal"},
		"grant_types_supported":                 append(token.Grants(), oauth.GrantMFAOTP),
		"scopes_supported":                      oauth.UserScopes(),
		"claims_supported":                      append([]string{"sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "amr", "nonce", "at_hash", "sid"}, account.ClaimNames()...),
		"subject_types_supported":               []string{"public", "pairwise"},
		"id_token_signing_alg_values_supported": p.ring.Algorithms(),
		"userinfo_signing_alg_values_supported": p.ring.Algorithms(),
		"acr_values_supported":                  []string{oauth.ACRPassword, oauth.ACRMFA},
		"request_parameter_supported":           false,
		"request_uri_parameter_supported":       false,
		"claims_parameter_supported":            true,
		"require_pushed_authorization_requests": false,

		"authorization_response_iss_parameter_supported": true,

		"backchannel_logout_supported":          true,
		"backchannel_logout_session_supported":  true,
		"frontchannel_logout_supported":         true,
		"frontchannel_logout_session_supported": true,
	}
	if p.door.SignUp {
		m["prompt_values_supported"] = []string{oauth.PromptNone, oauth.PromptLogin, oauth.PromptConsent, oauth.PromptSelectAccount, oauth.PromptCreate}
	}
	if p.config.Documents.On {
		m["client_id_metadata_document_supported"] = true
	}
	if len(p.config.UILocales) > 0 {
		m["ui_locales_supported"] = p.config.UILocales
	}
	for _, r := range p.table() {
		if r.Metadata == "" {
			continue
		}
		m[r.Metadata] = p.config.Issuer + r.Path
		if slices.Contains(authMetadata(), r.Metadata) {
			offered := methods
			if r.Public {
				offered = append(append([]string{}, methods...), oauth.AuthNone)
			}
			m[r.Metadata+"_auth_methods_supported"] = offered
			m[r.Metadata+"_auth_signing_alg_values_supported"] = append(keys.AssertionAlgorithms(), keys.SecretAlgorithms()...)
		}
	}
	return m
}

// authMetadata are the endpoints whose client authentication has metadata members of its own (RFC 8414 §2); at the others it is the
// token endpoint's (RFC 8628 §3.1, RFC 9126 §2).
func authMetadata() []string {
	return []string{"token_endpoint", "introspection_endpoint", "revocation_endpoint"}
}

func (p *Provider) serveMetadata(w http.ResponseWriter, r *http.Request) error {
	p.published.serve(w, r)
	return nil
}

// serveJWKS publishes the keys that verify our signatures (RFC 7517 §5).
func (p *Provider) serveJWKS(w http.ResponseWriter, r *http.Request) error {
	if err := p.ring.Freshen(r.Context()); err != nil && !p.ring.Publishable() {
		return err
	}
	body := p.ring.JWKS()
	d := p.keySet.Load()
	if d == nil || !bytes.Equal(d.body, body) { // the ring was read anew
		d = newDocument(body)
		p.keySet.Store(d)
	}
	d.serve(w, r)
	return nil
}

// document is a public JSON text with the tag by which caches know it.
type document struct {
	body         []byte
	etag, length string
}

func newDocument(body []byte) *document {
	sum := sha256.Sum256(body)
	return &document{body, `"` + base64.RawURLEncoding.EncodeToString(sum[:12]) + `"`, strconv.Itoa(len(body))}
}

// serve answers with the document, or 304 to who has it already (RFC 9110 §13.1.2).
func (d *document) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("ETag", d.etag)
	for known := range strings.SplitSeq(r.Header.Get("If-None-Match"), ",") {
		if known = strings.TrimPrefix(strings.TrimSpace(known), "W/"); known == d.etag || known == "*" {
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", d.length)
	_, _ = w.Write(d.body)
}
