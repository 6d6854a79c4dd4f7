package client

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/signet-idp/signet/provider/oauth"
)

func TestARegistrationInJSONIsReadInOneWayOnly(t *testing.T) {
	t.Parallel()
	m, rest, err := ReadMetadata([]byte(`{"client_name":"A","redirect_uris":["https://a.example/cb"],"Client_Name":"B","default_max_age":60,
		"require_auth_time":true,"jwks":{"keys":[]},"logo_uri":null,"x":[1,{"y":null}],"z":null,"require_pkce":false}`))
	if err != nil || m.Name != "A" || len(m.RedirectURIs) != 1 || *m.DefaultMaxAge != 60 || !m.RequireAuthTime || m.LogoURI != "" ||
		string(m.JWKS) != `{"keys":[]}` || m.RequirePKCE == nil || *m.RequirePKCE {
		t.Errorf("read %+v, %v", m, err)
	}
	if len(rest) != 2 || string(rest["Client_Name"]) != `"B"` || string(rest["x"]) != `[1,{"y":null}]` {
		t.Errorf("the rest is %s", rest)
	}
	many := ""
	for i := range maxMembers {
		many += `"m` + strings.Repeat("x", i%200) + string(rune('a'+i/200)) + `":1,`
	}
	for text, want := range map[string]string{
		"": "one JSON object", "null": "one JSON object", "[]": "one JSON object", `{"a":1`: "one JSON object", `{"a":1}{}`: "one JSON object",
		`{"a":1,}`: "one JSON object", `{a:1}`: "one JSON object", `"text"`: "one JSON object", `{"a":1} x`: "one JSON object",
		`{"a":1,"a":2}`: "twice", `{"jwks":{"keys":[{"kty":"EC","kty":"RSA"}]}}`: "twice", `{"client_name":"a","client_name":"b"}`: "twice",
		`{"a":` + strings.Repeat("[", 16) + strings.Repeat("]", 16) + `}`: "nested deeper", "{" + many + `"z":1}`: "256 members",
		`{"` + strings.Repeat("n", 257) + `":1}`: "256 bytes", "{\"a\":\"\xff\"}": "UTF-8",
		`{"a":"` + strings.Repeat("n", MaxMetadata) + `"}`: "64 KiB", `{"redirect_uris":"https://a.example"}`: "redirect_uris must be an array of strings",
		`{"redirect_uris":[1]}`: "redirect_uris must be an array of strings", `{"client_name":1}`: "client_name must be a string",
		`{"require_auth_time":"true"}`: "require_auth_time must be true or false", `{"default_max_age":1.5}`: "default_max_age must be a whole number",
	} {
		_, _, err := ReadMetadata([]byte(text))
		e := oauth.As(err)
		if e == nil || !strings.Contains(e.Description, want) {
			t.Errorf("%.60q: %v, want %q", text, err, want)
			continue
		}
		code := oauth.InvalidClientMetadata
		if strings.HasPrefix(want, "redirect_uris") {
			code = oauth.InvalidRedirectURI
		}
		if e.Code != code {
			t.Errorf("%.60q: %s, want %s", text, e.Code, code)
		}
	}
}

func FuzzReadMetadata(f *testing.F) {
	f.Add([]byte(`{"client_name":"A","redirect_uris":["https://a.example/cb"],"jwks":{"keys":[]}}`))
	f.Add([]byte(`{"a":{"b":[1,2,{"c":null}]},"a":1}`))
	f.Add([]byte(`{"Client_name":1,"client_name":null}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, rest, err := ReadMetadata(text)
		if err != nil {
			if oauth.As(err) == nil {
				t.Errorf("%v is no error for the caller", err)
			}
			return
		}
		written, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if again, left, err := ReadMetadata(written); err != nil || len(left) != 0 || len(differences(m, again)) != 0 {
			t.Errorf("%s was read as %+v with the rest %s, %v", written, again, left, err)
		}
		if _, there := rest["client_name"]; there {
			t.Error("client_name was read as no member")
		}
	})
}
