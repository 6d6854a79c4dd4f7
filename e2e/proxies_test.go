package e2e

import (
	"net/http"
	"regexp"
	"testing"
	"time"
)

// TestForwardedAddressesAreBelievedFromTrustedProxiesAlone: the address of a request is the connection's, unless that is a trusted
// proxy's; then it is the nearest one that is no proxy's, however many a client put before it, and no other header counts.
func TestForwardedAddressesAreBelievedFromTrustedProxiesAlone(t *testing.T) {
	t.Parallel()
	for trusted, chains := range map[string]map[string]string{
		"": {
			"192.0.2.1": "127.0.0.1", "192.0.2.1, 127.0.0.1": "127.0.0.1", "not an address": "127.0.0.1",
		},
		"127.0.0.0/8,198.51.100.0/24": {
			"192.0.2.1":                                       "192.0.2.1",
			"203.0.113.9, 192.0.2.1":                          "192.0.2.1",
			"203.0.113.9, 192.0.2.1, 198.51.100.7":            "192.0.2.1",
			"127.0.0.1, 203.0.113.9, 192.0.2.1, 198.51.100.7": "192.0.2.1",
			"2001:db8::1":                                     "2001:db8::1",
			"192.0.2.1, not an address":                       "127.0.0.1",
			"192.0.2.1:4711":                                  "127.0.0.1",
			"fe80::1%eth0":                                    "127.0.0.1",
			"":                                                "127.0.0.1",
		},
	} {
		t.Run("trusted="+trusted, func(t *testing.T) {
			t.Parallel()
			env := settings{"SIGNET_DATABASE_URL": "sqlite://" + t.TempDir() + "/signet.db"}
			if trusted != "" {
				env["SIGNET_TRUSTED_PROXIES"] = trusted
			}
			node := serve(t, env)
			for chain, want := range chains {
				if got := addressSeen(t, node, chain); got != want {
					t.Errorf("X-Forwarded-For: %q makes the address %s, want %s", chain, got, want)
				}
			}
		})
	}
}

// addressSeen asks with the chain, and returns the address that the log has for the request.
func addressSeen(t *testing.T, node *node, chain string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, node.URL+"/userinfo", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"X-Real-Ip", "Forwarded", "True-Client-Ip", "Cf-Connecting-Ip"} {
		req.Header.Set(name, "203.0.113.66")
	}
	if chain != "" {
		req.Header.Set("X-Forwarded-For", chain)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	line := regexp.MustCompile(`request_id=` + resp.Header.Get("X-Request-Id") + ` .* address=(\S+)`)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for until := time.Now().Add(startup); time.Now().Before(until); <-tick.C {
		if found := line.FindStringSubmatch(node.log.String()); found != nil {
			return found[1]
		}
	}
	t.Fatalf("no line of the log has the request %s", resp.Header.Get("X-Request-Id"))
	return ""
}
