package postgres

import (
	"testing"
	"time"
)

func TestSeveralHostsMeanTheOneThatTakesWrites(t *testing.T) {
	for _, c := range []struct {
		url  string
		want bool
	}{
		{"postgres://a/db", false},
		{"postgres://a,b/db", true},
		{"postgres://a:1,a:2/db?sslmode=disable", true},
		{"postgres://a,b/db?target_session_attrs=any", false},
		{"postgres://a/db?target_session_attrs=read-write", true},
	} {
		config, err := poolConfig(Options{URL: c.url})
		if err != nil {
			t.Fatal(err)
		}
		if got := config.ConnConfig.ValidateConnect != nil; got != c.want {
			t.Errorf("%s: looks for the writer: %v, want %v", c.url, got, c.want)
		}
	}
}

func TestNoURLWeakensASession(t *testing.T) {
	config, err := poolConfig(Options{URL: "postgres://a/db?synchronous_commit=off&statement_timeout=0&timezone=CET&pool_max_conn_lifetime=1h&pool_max_conns=7"})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"synchronous_commit": "on", "statement_timeout": "2s", "lock_timeout": "500ms", "timezone": "UTC"} {
		if got := config.ConnConfig.RuntimeParams[name]; got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if config.MaxConnLifetime+config.MaxConnLifetimeJitter > 5*time.Minute || config.MaxConns != 7 {
		t.Errorf("lifetime %s + %s, %d connections", config.MaxConnLifetime, config.MaxConnLifetimeJitter, config.MaxConns)
	}
}
