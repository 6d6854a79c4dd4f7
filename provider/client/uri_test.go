package client

import (
	"net/url"
	"strings"
	"testing"
)

// TestRedirectURIsThatTwoParsersMightReadDifferentlyAreRefused is the corpus of what went wrong elsewhere.
func TestRedirectURIsThatTwoParsersMightReadDifferentlyAreRefused(t *testing.T) {
	t.Parallel()
	for fault, corpus := range map[string][]string{
		faultLength:     {"", "https://a.example/" + strings.Repeat("a", maxURI)},
		faultCharacters: {"https://a.example/ cb", "https://a.example/\tcb", "https://a.example\r\n/cb", `https://a.example\@evil.example/`, "https://bücher.example/cb", "https://a.example/\"", "https://a.example/<x>", "https://a.example/\x00", " https://a.example/", "https://a.example/{x}", `\\evil.example`, "https://a.example/\x7f"},
		faultForm:       {"a.example/cb", "/cb", "//evil.example/cb", "///evil.example", "https:", "https:/a.example/cb", "https:a.example/cb", "https://a.example/%zz", "https://a.example/?x=%zz", "?x", "http:127.0.0.1/cb", "://a", "1https://a.example"},
		faultSchemeCase: {"HTTPS://a.example/cb", "JavaScript:alert(1)", "hTTp://127.0.0.1/cb", "com.Example.app:/cb"},
		faultFragment:   {"https://a.example/cb#x", "https://a.example/cb#", "com.example.app:/cb#x", "https://a.example#@evil.example/"},
		faultWildcard:   {"https://*.example/cb", "https://a.example/*", "com.example.app:/*"},
		faultUser:       {"https://good.example@evil.example/cb", "https://user:pass@a.example/", "http://127.0.0.1@evil.example/", "http://localhost:80@evil.example/", "com.example.app://user@host/cb"},
		faultHost: {
			"https:///cb", "https://:443/cb", "https://a.example:/cb", "https://a.example:0/cb", "https://a.example:65536/cb", "https://a.example:080/cb", "https://a.example:+80/cb",
			"https://a..example/cb", "https://a.example./cb", "https://.a.example/", "https://-a.example/cb", "https://a.example,evil.example/",
			"https://2130706433/cb", "https://127.1/cb", "https://0x7f.1/cb", "https://1.2.3.4.5/cb", "https://01.2.3.4/cb", "https://[::1%25eth0]/cb", "https://[127.0.0.1]/cb", "https://[::1]a/cb",
		},
		faultPath: {
			"https://a.example/../cb", "https://a.example/cb/..", "https://a.example/./cb", "https://a.example/..;/cb", "https://a.example/%2e%2e/cb", "https://a.example/.%2E/cb", "https://a.example/%2f..%2fcb",
			"https://a.example/%252fcb", "https://a.example/%5ccb", "https://a.example/%0d%0aSet-Cookie:x", "https://a.example/cb?x=%0a", "https://a.example/cb?x=%00", "com.example.app:/../cb",
		},
		faultPlain: {
			"http://a.example/cb", "http://127.0.0.2/cb", "http://localhost.evil.example/cb", "http://127.0.0.1.evil.example/cb", "http://[::2]/cb", "http://[0:0:0:0:0:0:0:1]/cb", "http://LOCALHOST/cb",
			"http://0.0.0.0/cb",
		},
		faultPrivate: {
			"javascript:alert(1)", "javascript://a.example/%0aalert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd", "blob:https://a.example/x", "about:blank", "myapp:/cb", "myapp://cb", "ftp://a.example/",
			"urn:ietf:wg:oauth:2.0:oob", "com.example.app:cb", "com..example:/cb", "com.example.:/cb", "ws://a.example/", "intent://a.example/",
		},
	} {
		for _, uri := range corpus {
			got, _ := redirectFault(uri)
			if got == "" {
				t.Errorf("%q was accepted", uri)
			} else if got != fault && !(fault == faultHost && got == faultForm) { // some hosts fail in url.Parse already
				t.Errorf("%q was refused for another reason: %s", uri, got)
			}
		}
	}
}

func TestRedirectURIsOfHonestClientsAreAccepted(t *testing.T) {
	t.Parallel()
	for uri, private := range map[string]bool{
		"https://a.example":                          false,
		"https://a.example/":                         false,
		"https://a.example/Callback?foo=bar&u=a%2Fb": false,
		"https://xn--bcher-kva.example:8443/cb":      false,
		"https://A.example/cb":                       false,
		"https://192.0.2.1/cb":                       false,
		"https://[2001:db8::1]:8443/cb":              false,
		"https://a_b.example/..foo/.well-known/cb":   false,
		"https://a.example//cb":                      false,
		"https://intranet/cb":                        false,
		"http://127.0.0.1/cb":                        false,
		"http://127.0.0.1:51004/cb":                  false,
		"http://[::1]/cb":                            false,
		"http://[::1]:1/cb":                          false,
		"http://localhost:3000/api/auth/callback":    false,
		"com.example.app:/cb":                        true,
		"com.example.app://cb":                       true,
		"com.example.app:///cb":                      true,
	} {
		if fault, got := redirectFault(uri); fault != "" || got != private {
			t.Errorf("%q: fault %q, private %v", uri, fault, got)
		}
	}
}

func TestLinksAndResources(t *testing.T) {
	t.Parallel()
	for uri, good := range map[string]bool{
		"https://a.example/terms#privacy": true, "http://localhost:3000/logo.png": true,
		"http://a.example/": false, "javascript:alert(1)": false, "data:image/png;base64,AA": false, "com.example.app:/x": false, "https://u@a.example/": false,
	} {
		if fault := linkFault(uri); (fault == "") != good {
			t.Errorf("link %q: %q", uri, fault)
		}
	}
	for uri, good := range map[string]bool{
		"https://api.example": true, "http://api.internal": true, "urn:example:api": true, "api": false, "https://api.example/#x": false, "https://u@api.example": false,
		"https:": false,
	} {
		if fault := resourceFault(uri); (fault == "") != good {
			t.Errorf("resource %q: %q", uri, fault)
		}
	}
}

// FuzzRedirectURI: whatever is accepted is what a browser would take to the host that it seems to name.
func FuzzRedirectURI(f *testing.F) {
	for _, seed := range []string{"https://a.example/cb?x=y", "http://[::1]:80/cb", "com.example.app:/cb", "https://good@evil/", "http://localhost\\@evil/", "https://a.example/%2e"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		fault, private := redirectFault(raw)
		if fault != "" {
			return
		}
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatalf("%q was accepted and does not parse: %v", raw, err)
		}
		if u.String() != raw && !strings.HasSuffix(raw, "?") && !private {
			t.Fatalf("%q was accepted and is read as %q", raw, u)
		}
		if u.User != nil || u.Fragment != "" || strings.ContainsAny(raw, "#\\ \r\n\t") {
			t.Fatalf("%q was accepted", raw)
		}
		if private != (u.Scheme != "https" && u.Scheme != "http") {
			t.Fatalf("%q: private %v", raw, private)
		}
		if u.Scheme == "http" && u.Hostname() != "localhost" && u.Hostname() != "127.0.0.1" && u.Hostname() != "::1" {
			t.Fatalf("%q was accepted", raw)
		}
	})
}
