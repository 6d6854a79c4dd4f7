package provider

import "testing"

// TestIssuerPathIsPlain: the router serves every address under the issuer's path, so nothing in it may mean something to the
// router, or be spelt in two ways.
func TestIssuerPathIsPlain(t *testing.T) {
	t.Parallel()
	for issuer, good := range map[string]bool{
		"https://id.example.com": true, "https://id.example.com/a-b_c.d~e/F1": true, "http://localhost:8080": true,
		"https://id.example.com/:tenant": false, "https://id.example.com/*": false, "https://id.example.com/a%41": false,
		"https://id.example.com/a;b": false, "https://id.example.com/a//b": false, "https://id.example.com/../a": false,
		"https://id.example.com/a/": false, "https://id.example.com/a b": false, "https://id.example.com/\u00fc": false,
	} {
		if err := CheckIssuer(issuer); (err == nil) != good {
			t.Errorf("CheckIssuer(%q) = %v, want good %v", issuer, err, good)
		}
	}
}
