package oauth

import "testing"

func TestARedirectURIIsMatchedByteForByteButForALoopbackPort(t *testing.T) {
	registered := []string{
		"https://app.example/cb", "https://app.example/cb?tenant=1", "http://127.0.0.1/cb", "http://[::1]:9000/cb?x=1",
		"http://localhost:3000/cb", "com.example.app:/cb",
	}
	for uri, want := range map[string]bool{
		"https://app.example/cb":           true,
		"https://app.example/cb?tenant=1":  true,
		"http://127.0.0.1/cb":              true,
		"http://127.0.0.1:49152/cb":        true,
		"http://127.0.0.1:1/cb":            true,
		"http://[::1]/cb?x=1":              true,
		"http://[::1]:65535/cb?x=1":        true,
		"http://localhost:3000/cb":         true,
		"com.example.app:/cb":              true,
		"":                                 false,
		"https://app.example/cb/":          false,
		"https://app.example/CB":           false,
		"HTTPS://app.example/cb":           false,
		"https://app.example:443/cb":       false,
		"https://app.example/cb?":          false,
		"https://app.example/cb#":          false,
		"https://app.example/cb?tenant=1&": false,
		"https://app.example.evil/cb":      false,
		"https://user@app.example/cb":      false,
		"http://127.0.0.1:/cb":             false,
		"http://127.0.0.1:0/cb":            false,
		"http://127.0.0.1:080/cb":          false,
		"http://127.0.0.1:65536/cb":        false,
		"http://127.0.0.1:80@evil/cb":      false,
		"http://127.0.0.1:80#/cb":          false,
		"http://127.0.0.1.evil/cb":         false,
		"http://127.0.0.1@evil/cb":         false,
		"http://127.0.0.1\\@evil/cb":       false,
		"http://127.0.0.1/cb?x":            false,
		"http://127.0.0.1/other":           false,
		"https://127.0.0.1/cb":             false,
		"http://[::1]/cb":                  false,
		"http://localhost:3001/cb":         false,
		"http://localhost/cb":              false,
		"com.example.app://cb":             false,
	} {
		target, ok := Match(registered, uri)
		if ok != want || ok == target.IsZero() || ok && target.String() != uri {
			t.Errorf("%q: %v, want %v", uri, ok, want)
		}
	}
	if _, ok := Match([]string{""}, ""); ok {
		t.Error("an empty URI matched")
	}
}

func TestATargetSaysWhereItLeads(t *testing.T) {
	for uri, want := range map[string][4]string{
		"https://app.example:8443/cb?a=b": {"https://app.example:8443", "app.example:8443", "https://app.example:8443/cb?a=b&code=x", "https://app.example:8443/cb?a=b#code=x"},
		"https://app.example":             {"https://app.example", "app.example", "https://app.example?code=x", "https://app.example#code=x"},
		"https://app.example/?":           {"https://app.example", "app.example", "https://app.example/?code=x", "https://app.example/?#code=x"},
		"com.example.app:/cb":             {"com.example.app:", "com.example.app:", "com.example.app:/cb?code=x", "com.example.app:/cb#code=x"},
		"http://[::1]:4000/cb":            {"http://[::1]:4000", "[::1]:4000", "http://[::1]:4000/cb?code=x", "http://[::1]:4000/cb#code=x"},
	} {
		target, _ := Match([]string{uri}, uri)
		got := [4]string{target.Origin(), target.Host(), target.WithQuery("code=x"), target.WithFragment("code=x")}
		if got != want || target.WithQuery("") != uri {
			t.Errorf("%s: %q", uri, got)
		}
	}
}

func FuzzNothingButARegisteredURIMatches(f *testing.F) {
	f.Add("http://127.0.0.1:80/cb")
	f.Add("http://127.0.0.1:80@evil.example/cb")
	f.Fuzz(func(t *testing.T, uri string) {
		target, ok := Match([]string{"https://app.example/cb", "http://127.0.0.1/cb"}, uri)
		if ok && uri != "https://app.example/cb" && target.Origin() != "http://"+target.Host() {
			t.Errorf("%q matched", uri)
		}
	})
}

func TestAChallengeIsMadeOfAVerifierAlone(t *testing.T) {
	const verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk" // RFC 7636, appendix B
	if got, ok := Challenge(verifier); !ok || got != "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" || !ValidChallenge(got) {
		t.Errorf("challenge %q %v", got, ok)
	}
	long := verifier + verifier + verifier
	for text, want := range map[string]bool{
		verifier[:42]: false, verifier: true, long[:128]: true, long[:129]: false, verifier[:42] + "+": false, verifier[:42] + " ": false,
		verifier[:20] + "\x00" + verifier[21:]: false, "": false,
	} {
		if _, ok := Challenge(text); ok != want {
			t.Errorf("%q: %v", text, ok)
		}
	}
	for text, want := range map[string]bool{
		"": false, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM": true, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=": false,
		"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-c": false, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM": false,
		"E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cN": false,
	} {
		if ValidChallenge(text) != want {
			t.Errorf("challenge %q", text)
		}
	}
}
