package oauth

import "testing"

// TestABrowserIsNamedByWordsOfOurs alone: what else a User-Agent says may be anything, also a lure.
func TestABrowserIsNamedByWordsOfOurs(t *testing.T) {
	t.Parallel()
	for agent, want := range map[string]string{
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                                  "Firefox, Linux",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1": "Safari, iPhone",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36 Edg/140.0":                   "Edge, Windows",
		"Chrome/1 to save your account visit https://evil.example":                                                                                "Chrome",
		"visit https://evil.example": "",
		"":                           "",
	} {
		if got := AgentName(agent); got != want {
			t.Errorf("%q is named %q, want %q", agent, got, want)
		}
	}
}
