package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// heard is the longest that a client of these tests waits, and that any request may take: the server's deadline of ten seconds,
// and what a busy machine adds.
const heard = 20 * time.Second

// event is one request as its client saw it.
type event struct {
	at, took time.Duration // since the history began
	what     string
	answer   answer
	retry    string // Retry-After
	err      error  // the connection broke: no answer
}

// history is what clients saw, and nothing that the server believes. Honest clients fill it while something is broken; verify
// holds the promises against it when that is mended.
type history struct {
	nodes  []*node
	client registered // balanced: it asks again where an answer was lost
	began  time.Time

	mu      sync.Mutex
	events  []event
	devices []*device
	probe   *device  // a device that takes no part in load: it tells when the fault is over
	ended   []string // tokens whose revocation was acknowledged
}

// device holds one grant, and keeps the newest token it was given.
type device struct{ token string }

// newHistory signs n devices in at the nodes, which share a database. The user is ada.
func newHistory(t *testing.T, n int, nodes ...*node) *history {
	t.Helper()
	createUser(t, nodes[0].env, "ada")
	h := &history{nodes: nodes, began: time.Now(), client: balancedClient(t, nodes[0].env)}
	for range n {
		h.devices = append(h.devices, h.open(t))
	}
	h.probe = h.open(t)
	return h
}

func (h *history) open(t *testing.T) *device {
	t.Helper()
	return &device{token: signIn(t, h.nodes[0].URL, h.client, "ada").RefreshToken}
}

func balancedClient(t *testing.T, env settings) registered {
	t.Helper()
	return createClient(t, env, "--name", "tabs", "--grant-type", "password", "--grant-type", "refresh_token", "--grant-type", "client_credentials",
		"--scope", "openid api:read", "--refresh-rotation", "balanced")
}

func refreshForm(token string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}}
}

// ask sends one request to one of the nodes and writes down what came of it.
func (h *history) ask(i int, what, path string, form url.Values) event {
	began := time.Now()
	e := event{at: began.Sub(h.began), what: what}
	e.answer, e.retry, e.err = sendPatiently(h.nodes[i%len(h.nodes)].URL+path, h.client, form)
	e.took = time.Since(began)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.events = append(h.events, e)
	return e
}

// sendPatiently is send with a Retry-After, and with an end.
func sendPatiently(address string, c registered, form url.Values) (a answer, retry string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), heard)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address, strings.NewReader(form.Encode()))
	if err != nil {
		return a, "", err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth(url.QueryEscape(c.ID), url.QueryEscape(c.Secret))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return a, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return a, "", err
	}
	a = answer{Status: resp.StatusCode, Body: string(body)}
	if len(body) > 0 {
		err = json.Unmarshal(body, &a)
	}
	return a, resp.Header.Get("Retry-After"), err
}

// load lets honest clients work until stop is called, which waits for them: every device refreshes some ten times a second, and
// one more signs in and out.
func (h *history) load(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var clients sync.WaitGroup
	for i, d := range h.devices {
		clients.Go(func() {
			for pace(ctx, 80*time.Millisecond) {
				h.turn(i, d)
			}
		})
	}
	clients.Go(func() {
		for i := 0; pace(ctx, 200*time.Millisecond); i++ {
			h.inAndOut(ctx, i)
		}
	})
	return func() {
		cancel()
		clients.Wait()
	}
}

// pace waits for a while. false: ctx has ended.
func pace(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// turn refreshes once. A client keeps its token whatever it hears but a 200.
func (h *history) turn(i int, d *device) event {
	e := h.ask(i, "refresh", "/oauth2/token", refreshForm(d.token))
	if e.err == nil && e.answer.Status == http.StatusOK && e.answer.RefreshToken != "" {
		d.token = e.answer.RefreshToken
	}
	return e
}

// inAndOut signs in and revokes, as often as it takes.
func (h *history) inAndOut(ctx context.Context, i int) {
	e := h.ask(i, "password", "/oauth2/token", passwordForm("ada"))
	if e.err != nil || e.answer.Status != http.StatusOK {
		return
	}
	for {
		gone := h.ask(i, "revoke", "/oauth2/revoke", url.Values{"token": {e.answer.RefreshToken}})
		if gone.err == nil && gone.answer.Status == http.StatusOK {
			h.mu.Lock()
			h.ended = append(h.ended, e.answer.RefreshToken)
			h.mu.Unlock()
			return
		}
		if !pace(ctx, 50*time.Millisecond) {
			return
		}
	}
}

// recovered waits until every node answers a refresh, without a restart, and says how long that took.
func (h *history) recovered(t *testing.T) time.Duration {
	t.Helper()
	began := time.Now()
	for i := range h.nodes {
		for {
			e := h.turn(i, h.probe)
			if e.err == nil && e.answer.Status == http.StatusOK {
				break
			}
			if time.Since(began) > startup {
				t.Fatalf("no recovery within %v: %s", startup, e)
			}
			<-time.After(20 * time.Millisecond)
		}
	}
	return time.Since(began)
}

// verify holds the promises: nothing acknowledged is lost, no revocation is undone, one token has one successor, and what the
// infrastructure did is never said to be the client's fault. It returns how many requests were answered 200 and 503.
func (h *history) verify(t *testing.T) (good, outage int) {
	t.Helper()
	for i, d := range append(h.devices, h.probe) {
		old := d.token
		if e := h.turn(i, d); e.answer.Status != http.StatusOK {
			t.Errorf("device %d lost its grant: %s", i, e)
			continue
		}
		if again := h.ask(i, "retry", "/oauth2/token", refreshForm(old)); again.answer.RefreshToken != d.token {
			t.Errorf("device %d: one token has two successors, or a retry none: %s", i, again)
		}
	}
	for i, token := range h.ended {
		a, _, err := sendPatiently(h.nodes[i%len(h.nodes)].URL+"/oauth2/token", h.client, refreshForm(token))
		if err != nil {
			t.Fatal(err)
		}
		refused(t, a, "a token whose revocation was acknowledged")
		if introspect(t, h.nodes[i%len(h.nodes)].URL, h.client, token).Active {
			t.Error("introspection calls a revoked token active")
		}
	}
	for _, e := range h.events {
		switch {
		case e.err != nil || !e.honest():
			t.Errorf("dishonest: %s", e)
		case e.answer.Status == http.StatusOK:
			good++
		default:
			outage++
		}
	}
	return good, outage
}

// honest reports whether the answer is one that a client in the right may hear.
func (e event) honest() bool {
	if e.took > heard {
		return false
	}
	return e.answer.Status == http.StatusOK ||
		e.answer.Status == http.StatusServiceUnavailable && e.answer.Error == "temporarily_unavailable" && e.retry != ""
}

// slowest is the longest that a request which began within the span took.
func (h *history) slowest(from, to time.Duration) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	var took []time.Duration
	for _, e := range h.events {
		if e.at >= from && e.at < to {
			took = append(took, e.took)
		}
	}
	if took == nil {
		return 0
	}
	return slices.Max(took)
}

func (e event) String() string {
	return fmt.Sprintf("%s at %v, answered after %v: %d %s, Retry-After %q, %v", e.what, e.at, e.took, e.answer.Status, e.answer.Body, e.retry, e.err)
}
