package web_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
)

// knownMetadata are the members that an issuer may publish, with their JSON type: IANA's registry of OAuth Authorization Server
// Metadata, where all of OpenID Connect Discovery stands too, and prompt_values_supported of the final specification Initiating User
// Registration via OpenID Connect. What is in neither is ours alone, and clients stumble over it.
var knownMetadata = map[string]string{
	"issuer": "string", "service_documentation": "https", "op_policy_uri": "https", "op_tos_uri": "https",

	"authorization_endpoint": "https", "token_endpoint": "https", "jwks_uri": "https", "registration_endpoint": "https",
	"revocation_endpoint": "https", "introspection_endpoint": "https", "device_authorization_endpoint": "https",
	"userinfo_endpoint": "https", "pushed_authorization_request_endpoint": "https", "end_session_endpoint": "https",
	"check_session_iframe": "https", "backchannel_authentication_endpoint": "https",

	"scopes_supported": "list", "response_types_supported": "list", "response_modes_supported": "list", "grant_types_supported": "list",
	"token_endpoint_auth_methods_supported": "list", "token_endpoint_auth_signing_alg_values_supported": "list",
	"revocation_endpoint_auth_methods_supported": "list", "revocation_endpoint_auth_signing_alg_values_supported": "list",
	"introspection_endpoint_auth_methods_supported": "list", "introspection_endpoint_auth_signing_alg_values_supported": "list",
	"code_challenge_methods_supported": "list", "acr_values_supported": "list", "subject_types_supported": "list",
	"id_token_signing_alg_values_supported": "list", "userinfo_signing_alg_values_supported": "list",
	"request_object_signing_alg_values_supported": "list", "display_values_supported": "list", "claim_types_supported": "list",
	"claims_supported": "list", "dpop_signing_alg_values_supported": "list", "authorization_signing_alg_values_supported": "list",
	"introspection_signing_alg_values_supported": "list", "authorization_details_types_supported": "list", "prompt_values_supported": "list",
	"ui_locales_supported": "locales", "claims_locales_supported": "locales",

	"claims_parameter_supported": "bool", "request_parameter_supported": "bool", "request_uri_parameter_supported": "bool",
	"require_request_uri_registration": "bool", "require_signed_request_object": "bool", "require_pushed_authorization_requests": "bool",
	"authorization_response_iss_parameter_supported": "bool", "tls_client_certificate_bound_access_tokens": "bool",
	"backchannel_logout_supported": "bool", "backchannel_logout_session_supported": "bool",
	"frontchannel_logout_supported": "bool", "frontchannel_logout_session_supported": "bool",
}

// discovery is what a client reads of an issuer.
func discovery(t *testing.T, issuer string) map[string]any {
	t.Helper()
	u, err := url.Parse(issuer)
	if err != nil {
		t.Fatal(err)
	}
	a := newBare(t, issuer, u.Scheme == "https").ask(http.MethodGet, u.Path+"/.well-known/openid-configuration", nil, nil)
	if a.Code != http.StatusOK || a.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("discovery: %d %s", a.Code, a.Header().Get("Content-Type"))
	}
	var document map[string]any
	if err := json.Unmarshal(a.Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	return document
}

func TestEveryMemberOfTheMetadataIsRegisteredAndOfItsType(t *testing.T) {
	for _, issuer := range []string{"https://id.example.com", "https://example.com/a/tenant", issuerURL} {
		scheme, _, _ := strings.Cut(issuer, "//")
		document := discovery(t, issuer)
		for member, value := range document {
			kind, known := knownMetadata[member]
			if !known {
				t.Errorf("%s is no registered member", member)
			}
			if fault := metadataFault(kind, value, scheme+"//"); fault != "" {
				t.Errorf("%s of %s %s: %v", member, issuer, fault, value)
			}
		}
		if document["issuer"] != issuer {
			t.Errorf("issuer %v, want %s byte for byte", document["issuer"], issuer)
		}
		for _, needed := range []string{
			"authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint", "end_session_endpoint", "scopes_supported",
			"response_types_supported", "grant_types_supported", "subject_types_supported", "id_token_signing_alg_values_supported",
			"claims_supported",
		} {
			if document[needed] == nil {
				t.Errorf("%s is missing", needed)
			}
		}
	}
}

// metadataFault says what is wrong with a member of that kind; endpoints have the issuer's scheme.
func metadataFault(kind string, value any, scheme string) string {
	switch kind {
	case "bool":
		if _, ok := value.(bool); !ok {
			return "is no boolean"
		}
	case "string", "https":
		text, ok := value.(string)
		u, err := url.Parse(text)
		if !ok || err != nil || u.Host == "" || u.Fragment != "" || u.User != nil {
			return "is no address"
		}
		if !strings.HasPrefix(text, scheme) {
			return "does not have the issuer's scheme"
		}
	case "list", "locales":
		list, ok := value.([]any)
		if !ok || len(list) == 0 {
			return "is no list with something in it"
		}
		seen := map[string]bool{}
		for _, item := range list {
			text, ok := item.(string)
			if !ok || text == "" || seen[text] {
				return "has a member that is empty, there twice or no text"
			}
			seen[text] = true
			if kind == "locales" && !localeTag(text) {
				return "has a member that is no language tag in its usual case"
			}
		}
	}
	return ""
}

// localeTag reports whether text is a BCP 47 tag of language, script and region in the case in which those are written.
func localeTag(text string) bool {
	for i, part := range strings.Split(text, "-") {
		lower, upper := strings.ToLower(part), strings.ToUpper(part)
		switch {
		case i == 0 && (len(part) == 2 || len(part) == 3) && part == lower:
		case i == 1 && len(part) == 4 && part == upper[:1]+lower[1:]:
		case i > 0 && len(part) == 2 && part == upper:
		default:
			return false
		}
	}
	return true
}

func TestTheCheckOfTheMetadataSeesItsFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind  string
		value any
		good  bool
	}{
		{"bool", true, true},
		{"bool", "true", false},
		{"https", "https://id.example/x", true},
		{"https", "http://id.example/x", false},
		{"https", "/x", false},
		{"https", []any{"https://id.example/x"}, false},
		{"list", []any{"a", "b"}, true},
		{"list", "a b", false},
		{"list", []any{}, false},
		{"list", []any{"a", "a"}, false},
		{"locales", []any{"en", "de-CH", "zh-Hant-TW"}, true},
		{"locales", []any{"en_US"}, false},
		{"locales", []any{"EN"}, false},
		{"locales", []any{"de-ch"}, false},
	} {
		if fault := metadataFault(c.kind, c.value, "https://"); (fault == "") != c.good {
			t.Errorf("%s %v: %q", c.kind, c.value, fault)
		}
	}
}

func TestTheMetadataPromisesWhatTheFourProfilesNeed(t *testing.T) {
	document := discovery(t, "https://id.example.com")
	for member, wants := range map[string][]string{
		"scopes_supported":                      {"openid", "offline_access"},
		"response_types_supported":              {"code"},
		"response_modes_supported":              {"query", "fragment", "form_post"},
		"grant_types_supported":                 {"authorization_code", "refresh_token"},
		"subject_types_supported":               {"public", "pairwise"},
		"id_token_signing_alg_values_supported": {"RS256"},
		"userinfo_signing_alg_values_supported": {"RS256"},
		"token_endpoint_auth_methods_supported": {"client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt"},
		"code_challenge_methods_supported":      {"S256"},
	} {
		list, _ := document[member].([]any)
		for _, want := range wants {
			if !slices.Contains(list, any(want)) {
				t.Errorf("%s lacks %s: %v", member, want, list)
			}
		}
	}
	for member, want := range map[string]bool{
		"request_parameter_supported": false, "request_uri_parameter_supported": false, "claims_parameter_supported": true,
		"authorization_response_iss_parameter_supported": true, "backchannel_logout_supported": true,
		"backchannel_logout_session_supported": true, "frontchannel_logout_supported": true, "frontchannel_logout_session_supported": true,
	} {
		if document[member] != any(want) {
			t.Errorf("%s is %v, want %v", member, document[member], want)
		}
	}
	for _, insecure := range []string{"id_token_signing_alg_values_supported", "userinfo_signing_alg_values_supported"} {
		if list, _ := document[insecure].([]any); slices.Contains(list, any("none")) {
			t.Errorf("%s offers none", insecure)
		}
	}
	if list, _ := document["code_challenge_methods_supported"].([]any); slices.Contains(list, any("plain")) {
		t.Error("code_challenge_methods_supported offers plain")
	}
}
