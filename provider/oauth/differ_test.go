package oauth_test

import (
	"strings"
	"testing"

	"github.com/signet-idp/signet/provider/oauth"
)

// TestADifferenceNamesTheNearestAddressThePartAndTheByte holds what a person is told about an address that is not registered.
func TestADifferenceNamesTheNearestAddressThePartAndTheByte(t *testing.T) {
	t.Parallel()
	registered := []string{
		"https://app.example/callback", "https://app.example/other?x=1", "http://127.0.0.1/cb", "com.example.app:/callback", "https://app.example/a%2Db",
	}
	for name, c := range map[string]struct {
		uri     string
		nearest int
		at      int
		part    oauth.PartedAt
	}{
		"scheme":         {"http://app.example/callback", 0, 4, oauth.PartedScheme},
		"own scheme":     {"com.example.other:/callback", 3, 12, oauth.PartedScheme},
		"host":           {"https://www.app.example/callback", 0, 8, oauth.PartedHost},
		"loopback name":  {"http://localhost/cb", 2, 7, oauth.PartedHost},
		"port":           {"https://app.example:8443/callback", 0, 19, oauth.PartedPort},
		"slash":          {"https://app.example/callback/", 0, 28, oauth.PartedSlash},
		"case of path":   {"https://app.example/Callback", 0, 20, oauth.PartedCase},
		"case of host":   {"https://App.example/callback", 0, 8, oauth.PartedCase},
		"path":           {"https://app.example/callbacks", 0, 28, oauth.PartedPath},
		"encoding":       {"https://app.example/a-b", 4, 21, oauth.PartedEncoding},
		"query":          {"https://app.example/other?x=2", 1, 28, oauth.PartedQuery},
		"query added":    {"https://app.example/callback?x=2", 0, 28, oauth.PartedQuery},
		"fragment":       {"https://app.example/callback#a", 0, 28, oauth.PartedFragment},
		"space":          {"https://app.example/callback ", 0, 28, oauth.PartedSpace},
		"user":           {"https://me@app.example/callback", 0, 8, oauth.PartedUser},
		"no URI at all":  {"callback", 0, 0, oauth.PartedScheme},
		"IPv6 and ports": {"http://[::1]:80/cb", 2, 7, oauth.PartedHost},
	} {
		d := oauth.Differ(registered, c.uri)
		if d.Nearest != registered[c.nearest] && name != "no URI at all" || d.At != c.at || d.Part != c.part {
			t.Errorf("%s: %+v, want %q at %d, %s", name, d, registered[c.nearest], c.at, c.part)
		}
		if d.Part.Why() == "they differ" {
			t.Errorf("%s: nothing is said of it", name)
		}
	}
	if d := oauth.Differ(nil, "https://app.example/callback"); d.Part != oauth.PartedNone || d.Nearest != "" {
		t.Errorf("with nothing to compare with: %+v", d)
	}
}

// TestWhatIsKeptOfAnAddressHasNoSecretInIt: an address may come with anything behind the question mark.
func TestWhatIsKeptOfAnAddressHasNoSecretInIt(t *testing.T) {
	t.Parallel()
	for uri, want := range map[string]string{
		"https://app.example/cb":                     "https://app.example/cb",
		"https://app.example/cb?code=S&state=S&x=#S": "https://app.example/cb?code=[cut]&state=[cut]&x=#[cut]",
		"https://app.example/cb?S":                   "https://app.example/cb?[cut]",
		"https://u:S@app.example:8443/cb":            "https://[cut]@app.example:8443/cb",
		"com.example.app:/cb?token=S":                "com.example.app:/cb?token=[cut]",
		"https:relative?a=S":                         "https:relative?a=[cut]",
		"nothing":                                    "nothing",
		"":                                           "",
		"https://app.example?next=https://x.example/S": "https://app.example?next=[cut]",
	} {
		if got := oauth.Redact(uri); got != want || strings.Contains(got, "S") {
			t.Errorf("%q is kept as %q, want %q", uri, got, want)
		}
	}
}
