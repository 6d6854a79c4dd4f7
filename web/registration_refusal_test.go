package web_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/register"
)

// TestRegistrationSaysWhatToMend: each fault has its code, and a description that names the member and what is allowed.
func TestRegistrationSaysWhatToMend(t *testing.T) {
	registering(t, register.ModeOpen, func(w *world) {
		uri := func(uri string) object { return object{"redirect_uris": []string{uri}} }
		for name, c := range map[string]struct {
			change object
			code   string
			says   string
		}{
			"a fragment":               {uri("https://a.example/cb#x"), "invalid_redirect_uri", "redirect_uris[0] must not have a fragment"},
			"an empty fragment":        {uri("https://a.example/cb#"), "invalid_redirect_uri", "fragment"},
			"plain http":               {uri("http://a.example/cb"), "invalid_redirect_uri", "must use https"},
			"a scheme without a dot":   {uri("myapp:/callback"), "invalid_redirect_uri", "reversed domain name, such as com.example.app:/callback"},
			"a scheme and a host":      {uri("com.example.app://callback"), "", ""},
			"javascript":               {uri("JavaScript:alert(1)"), "invalid_redirect_uri", "lower case"},
			"data":                     {uri("data:text/html,x"), "invalid_redirect_uri", "must use https"},
			"a wildcard":               {uri("https://*.a.example/cb"), "invalid_redirect_uri", "asterisk"},
			"private, but a web app":   {object{"redirect_uris": []string{"com.example.app:/cb"}, "application_type": "web"}, "invalid_redirect_uri", "register application_type native"},
			"no redirect_uris":         {object{"redirect_uris": nil}, "invalid_redirect_uri", "at least one"},
			"one string":               {object{"redirect_uris": "https://a.example/cb"}, "invalid_redirect_uri", "an array of strings"},
			"a number":                 {object{"client_name": 7}, "invalid_client_metadata", "client_name must be a string"},
			"text for a truth":         {object{"require_auth_time": "true"}, "invalid_client_metadata", "require_auth_time must be true or false"},
			"a fraction":               {object{"default_max_age": 1.5}, "invalid_client_metadata", "default_max_age must be a whole number"},
			"http to begin sign-ins":   {object{"initiate_login_uri": "http://a.example/start"}, "invalid_client_metadata", "initiate_login_uri must use https"},
			"javascript as logo":       {object{"logo_uri": "JavaScript:alert(1)"}, "invalid_client_metadata", "logo_uri"},
			"data as policy":           {object{"policy_uri": "DATA:text/html,x"}, "invalid_client_metadata", "policy_uri"},
			"javascript as terms":      {object{"tos_uri": "javascript:alert(1)"}, "invalid_client_metadata", "tos_uri"},
			"vbscript as its page":     {object{"client_uri": "vbscript:x"}, "invalid_client_metadata", "client_uri"},
			"javascript after logout":  {object{"post_logout_redirect_uris": []string{"jaVaScript:alert(1)"}}, "invalid_client_metadata", "post_logout_redirect_uris[0]"},
			"file as keys":             {object{"jwks_uri": "file:///etc/passwd"}, "invalid_client_metadata", "jwks_uri"},
			"javascript to begin":      {object{"initiate_login_uri": "Javascript:x"}, "invalid_client_metadata", "initiate_login_uri"},
			"file as back channel":     {object{"backchannel_logout_uri": "file:///x"}, "invalid_client_metadata", "backchannel_logout_uri"},
			"a front channel apart":    {object{"frontchannel_logout_uri": "https://other.example/x"}, "invalid_client_metadata", "frontchannel_logout_uri"},
			"both kinds of keys":       {object{"jwks_uri": "https://a.example/k", "jwks": object{"keys": []any{}}}, "invalid_client_metadata", "jwks"},
			"a private key":            {object{"jwks": object{"keys": []any{object{"kty": "EC", "crv": "P-256", "d": "x"}}}}, "invalid_client_metadata", "private"},
			"an implicit client":       {object{"grant_types": []string{"implicit"}}, "invalid_client_metadata", "grant_types"},
			"another response":         {object{"response_types": []string{"token"}}, "invalid_client_metadata", "response_types must be code"},
			"an unknown method":        {object{"token_endpoint_auth_method": "tls_client_auth"}, "invalid_client_metadata", "token_endpoint_auth_method must be"},
			"no signature":             {object{"id_token_signed_response_alg": "none"}, "invalid_client_metadata", "id_token_signed_response_alg must be one of"},
			"a name that turns around": {object{"client_name": "evil\u202egro.elgoog"}, "invalid_client_metadata", "client_name"},
			"a name of many lines":     {object{"client_name": "a\nb"}, "invalid_client_metadata", "client_name"},
		} {
			a := w.ask(http.MethodPost, "/oauth2/register", "", software(c.change))
			w.clock.Advance(time.Second)
			if c.code == "" {
				w.want(a, http.StatusCreated, "")
				continue
			}
			if a.status != http.StatusBadRequest || a.text("error") != c.code || !strings.Contains(a.text("error_description"), c.says) {
				t.Errorf("%s: %d %s", name, a.status, a.raw)
			}
			if a.header.Get("Content-Type") != "application/json" || a.header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %v", name, a.header)
			}
		}
	})
}

// TestRegistrationReadsInBounds: what is too large, too deep, ambiguous or no JSON is refused as such.
func TestRegistrationReadsInBounds(t *testing.T) {
	registering(t, register.ModeOpen, func(w *world) {
		members := func(n int) string {
			var b strings.Builder
			for i := range n {
				b.WriteString(`,"m` + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + strings.Repeat("y", i/26) + `":1`)
			}
			return b.String()
		}
		good := `{"redirect_uris":["https://a.example/cb"],"token_endpoint_auth_method":"none"`
		for name, c := range map[string]struct {
			body   string
			header []string
			status int
			code   string
		}{
			"a form":              {"redirect_uris=x", []string{"Content-Type", "application/x-www-form-urlencoded"}, 415, "invalid_request"},
			"no type":             {good + "}", []string{"Content-Type", ""}, 415, "invalid_request"},
			"another charset":     {good + "}", []string{"Content-Type", "application/json; charset=latin1"}, 415, "invalid_request"},
			"UTF-8 said":          {good + "}", []string{"Content-Type", "application/json; charset=utf-8"}, 201, ""},
			"compressed":          {good + "}", []string{"Content-Encoding", "gzip"}, 415, "invalid_request"},
			"nothing":             {"", nil, 400, "invalid_client_metadata"},
			"an array":            {"[]", nil, 400, "invalid_client_metadata"},
			"null":                {"null", nil, 400, "invalid_client_metadata"},
			"half of it":          {good, nil, 400, "invalid_client_metadata"},
			"something behind it": {good + "}{}", nil, 400, "invalid_client_metadata"},
			"a member twice":      {good + `,"client_name":"a","client_name":"b"}`, nil, 400, "invalid_client_metadata"},
			"a member twice deep": {good + `,"x":{"a":1,"a":2}}`, nil, 400, "invalid_client_metadata"},
			"broken UTF-8":        {good + `,"client_name":"` + "\xff" + `"}`, nil, 400, "invalid_client_metadata"},
			"16 deep":             {good + `,"x":` + strings.Repeat("[", 15) + strings.Repeat("]", 15) + "}", nil, 201, ""},
			"17 deep":             {good + `,"x":` + strings.Repeat("[", 16) + strings.Repeat("]", 16) + "}", nil, 400, "invalid_client_metadata"},
			"very deep":           {good + `,"x":` + strings.Repeat("[", 30_000) + strings.Repeat("]", 30_000) + "}", nil, 400, "invalid_client_metadata"},
			"200 members":         {good + members(200) + "}", nil, 201, ""},
			"256 members and on":  {good + members(260) + "}", nil, 400, "invalid_client_metadata"},
			"over 64 KiB":         {good + `,"x":"` + strings.Repeat("x", 64<<10) + `"}`, nil, 413, "invalid_request"},
		} {
			a := w.ask(http.MethodPost, "/oauth2/register", "", c.body, c.header...)
			w.clock.Advance(time.Second)
			if a.status != c.status || a.text("error") != c.code || strings.Contains(a.raw, "latin1") {
				t.Errorf("%s: %d %s", name, a.status, a.raw)
			}
		}
	})
}
