package web_test

import (
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/web"
)

// BenchmarkKnownAndUnknown is the form of each page that takes anybody's name, sent for somebody who is known here and for somebody who
// is not, by turns: the medians of both should be the same. It is a figure to look at, at the cost of the hash that is the default.
func BenchmarkKnownAndUnknown(b *testing.B) {
	for _, engine := range []string{"sqlite", "postgres"} {
		b.Run(engine, func(b *testing.B) {
			n, c := newBenchAt(b, engine)
			for name, ask := range map[string]struct {
				page, field string
				more        []string
			}{
				"SignIn": {"/account", "username", []string{"password", "not the password"}},
				"SignUp": {"/signup", "email", nil},
				"Reset":  {"/recover", "username", nil},
			} {
				b.Run(name, func(b *testing.B) {
					n.B = b
					var known, unknown []time.Duration
					for i := 0; b.Loop(); i++ {
						turns := []struct {
							login string
							took  *[]time.Duration
						}{{"known@example.com", &known}, {"nobod@example.com", &unknown}}
						if i%2 == 0 { // neither is always the one after which garbage is collected
							slices.Reverse(turns)
						}
						for _, of := range turns {
							c.Advance(2 * time.Hour) // nobody is throttled
							*of.took = append(*of.took, n.timed(ask.page, append([]string{ask.field, of.login}, ask.more...)))
						}
					}
					b.ReportMetric(median(known), "known-µs")
					b.ReportMetric(median(unknown), "unknown-µs")
				})
			}
		})
	}
}

// newBenchAt is newBench with a clock that is moved, and one person whose address is known.
func newBenchAt(b *testing.B, engine string) (bench, *clock) {
	b.Helper()
	must := func(err error) {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
	}
	c := newClock()
	store := newSite(b, engine).open(b, c.Now)
	b.Cleanup(func() { _ = store.Close() })
	sealer, err := keys.ParseSecretKeys(keys.GenerateSecretKey())
	must(err)
	logger := slog.New(slog.DiscardHandler)
	p, err := provider.New(b.Context(), provider.Config{Issuer: issuerURL, Clock: c.Now, Logger: logger, SignUp: account.SignUpOn}, store, sealer)
	must(err)
	handler, err := web.New(web.Options{Provider: p, Logger: logger})
	must(err)
	_, err = p.People().Create(b.Context(), storage.User{Username: "known", Email: "known@example.com"}, storage.NewSecret([]byte(password)), account.By{Actor: "bench"})
	must(err)
	return bench{B: b, handler: handler}, c
}

// timed opens a page in a new browser, and returns how long its form takes to be answered.
func (n bench) timed(address string, pairs []string) time.Duration {
	n.Helper()
	s := n.surfer()
	var p page
	for at := issuerURL + address; at != ""; {
		if p = s.hand(http.MethodGet, at, ""); p.location() == "" {
			break
		}
		at = issuerURL + p.location()
	}
	for _, f := range p.forms {
		if f.takes(pairs) {
			began := time.Now()
			s.hand(http.MethodPost, issuerURL+f.action, f.filled(pairs).Encode())
			return time.Since(began)
		}
	}
	n.Fatalf("%s: no form takes %q\n%s", address, pairs, p.raw)
	return 0
}

// hand sends one request, which must be answered with a page of ours or an address.
func (s surfer) hand(method, address, body string) page {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), method, address, strings.NewReader(body))
	if err != nil {
		s.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	response, err := s.client.Do(r)
	if err != nil {
		s.Fatal(err)
	}
	raw, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= 400 && response.StatusCode != http.StatusUnprocessableEntity {
		s.Fatalf("%s %s: %d %v", method, address, response.StatusCode, err)
	}
	p := page{status: response.StatusCode, url: r.URL, header: response.Header, raw: string(raw)}
	p.read()
	return p
}

// median is the middle one, in microseconds.
func median(took []time.Duration) float64 {
	slices.Sort(took)
	return float64(took[len(took)/2]) / float64(time.Microsecond)
}
