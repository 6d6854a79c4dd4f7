package web_test

import (
	"context"
	"encoding/json"
	"flag"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
)

// rounds is how often each race of the refresh token is run: make race asks for 1000, which is too long for every change. A crowd
// on two nodes shows a broken rule in its first few rounds.
var rounds = flag.Int("rounds", 25, "how often the races of the refresh token are run on each engine")

// crowd is how many present one token at once.
const crowd = 64

// direct hands a form to the node's whole handler without a socket in between, so that what is raced is Signet and not the
// network. Any goroutine may call it.
func (w *world) direct(ctx context.Context, path string, c app, v url.Values) answer {
	return call(ctx, w.server.Config.Handler, path, c, w.as(c, v))
}

// call posts a form to a handler as the client.
func call(ctx context.Context, handler http.Handler, path string, c app, v url.Values) answer {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, path, strings.NewReader(v.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if c.secret != "" && !c.post {
		r.SetBasicAuth(url.QueryEscape(c.id), url.QueryEscape(c.secret))
	}
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	a := answer{status: recorder.Code, header: recorder.Header(), raw: recorder.Body.String(), body: map[string]any{}}
	_ = json.Unmarshal(recorder.Body.Bytes(), &a.body)
	return a
}

// present is a refresh, handed over directly.
func (w *world) present(c app, token string) answer {
	return w.direct(w.Context(), "/oauth2/token", c, form("grant_type", "refresh_token", "refresh_token", token))
}

// together runs n calls that begin at once and returns what came of each.
func together(n int, do func(i int) answer) []answer {
	answers := make([]answer, n)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			<-start
			answers[i] = do(i)
		})
	}
	close(start)
	all.Wait()
	return answers
}

// storm presents one token at all nodes at once. On a machine that is busy with other things the database may not be asked in
// time; who is told so (503) does as told and tries again, as a client would.
func storm(nodes [2]*world, c app, token string) []answer {
	return together(crowd, func(i int) (a answer) {
		for range 5 {
			if a = nodes[i%len(nodes)].present(c, token); a.status != http.StatusServiceUnavailable {
				break
			}
		}
		return a
	})
}

// dead asserts that the token opens nothing any more, on any node.
func dead(nodes [2]*world, c app, token string) {
	for _, w := range nodes {
		w.Helper()
		seen := w.direct(w.Context(), "/oauth2/introspect", c, form("token", token))
		if seen.status != http.StatusOK || seen.body["active"] != false {
			w.Fatalf("a dead token: %d %s", seen.status, seen.raw)
		}
		if strings.HasPrefix(token, "srt_") {
			w.want(w.present(c, token), http.StatusBadRequest, "invalid_grant")
		}
	}
}
