package e2e

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"testing"
	"time"

	"github.com/signet-idp/signet/e2e/toxic"
)

// deepest is more round trips to the database than any request makes.
const deepest = 40

// TestFaultLostAcknowledgement: the answer to the first, the second, … the last request that Signet sends PostgreSQL for one
// request of a client is lost, commits among them. The client who asks again is where it would be without: the token it holds
// serves, with one successor; what it was told is ended is; a proof serves once; and it never hears that it is to blame.
func TestFaultLostAcknowledgement(t *testing.T) {
	t.Parallel()
	env, p, _ := onProxied(t)
	node := serve(t, env)
	h := newHistory(t, 0, node)
	t.Run("refresh", func(t *testing.T) {
		h.everyAnswerLost(t, p, rotated, func(arm func()) {
			h.refreshed(t, h.open(t)) // so that the statements are prepared
			d := h.open(t)
			arm()
			h.refreshed(t, d)
		})
	})
	t.Run("password", func(t *testing.T) {
		h.everyAnswerLost(t, p, committed, func(arm func()) {
			h.open(t)
			arm()
			signedIn := h.insist(t, "password", "/oauth2/token", passwordForm("ada"))
			h.refreshed(t, &device{token: signedIn.RefreshToken})
		})
	})
	t.Run("revoke", func(t *testing.T) {
		h.everyAnswerLost(t, p, committed, func(arm func()) {
			token := h.open(t).token
			arm()
			h.insist(t, "revoke", "/oauth2/revoke", url.Values{"token": {token}})
			h.ended = append(h.ended, token)
		})
	})
	t.Run("mfa", func(t *testing.T) { h.proofsLost(t, p) })
	h.verify(t)
}

// How PostgreSQL says that it committed: to a transaction, and to the one statement that rotates grants, whose answer
// ends with whether the one grant moved.
const (
	committed = `COMMIT\x00`
	rotated   = `\x00\x00\x00\x01[\x01t]C\x00\x00\x00\x0dSELECT 1\x00`
)

// everyAnswerLost lets act happen once for each request that it sends the database from the call of arm, and loses the answer
// to that one. An answer that matches done must have been among them: otherwise nothing was committed unknown to Signet.
func (h *history) everyAnswerLost(t *testing.T, p *toxic.Proxy, done string, act func(arm func())) {
	t.Helper()
	confirms := regexp.MustCompile(done)
	var cuts, commits int
	for n := 1; n <= deepest; n++ {
		act(func() { p.CutAnswer(n) })
		lost, fired := p.Lost()
		if !fired {
			break
		}
		cuts++
		if confirms.Match(lost) {
			commits++
		}
	}
	if commits == 0 || cuts == deepest {
		t.Errorf("%d answers were lost, and %d of them confirmed a commit", cuts, commits)
	}
	t.Logf("%d answers lost, %d of them confirmed a commit", cuts, commits)
}

// insist asks until it is answered 200, as often as a client would.
func (h *history) insist(t *testing.T, what, path string, form url.Values) answer {
	t.Helper()
	var e event
	for range 5 {
		if e = h.ask(0, what, path, form); e.err == nil && e.answer.Status == http.StatusOK {
			return e.answer
		}
		if e.err != nil || !e.honest() {
			break
		}
	}
	t.Fatalf("a client in the right: %s", e)
	return answer{}
}

// refreshed exchanges the device's token, twice: the second answer must be the first.
func (h *history) refreshed(t *testing.T, d *device) {
	t.Helper()
	first := h.insist(t, "refresh", "/oauth2/token", refreshForm(d.token))
	if again := h.insist(t, "refresh again", "/oauth2/token", refreshForm(d.token)); again.RefreshToken != first.RefreshToken {
		t.Error("one token has two successors")
	}
	d.token = first.RefreshToken
}

// proofsLost redeems a recovery code for each request to the database. The code may have served unheard: then it is spent, and
// the next one serves. What it may not is serve twice.
func (h *history) proofsLost(t *testing.T, p *toxic.Proxy) {
	var codes []string
	var user string
	h.everyAnswerLost(t, p, committed, func(arm func()) {
		for served, try := 0, 0; served == 0; try++ {
			if try == 2 {
				t.Fatal("two recovery codes did not serve")
			}
			if len(codes) == 0 {
				user = fmt.Sprintf("grace%d", time.Now().UnixNano())
				createUser(t, h.nodes[0].env, user)
				_, codes = enroll(t, h.nodes[0].env, user)
			}
			half := post(t, h.nodes[0].URL, "/oauth2/token", h.client, passwordForm(user))
			if try == 0 {
				arm()
			}
			if served = h.redeem(t, half.MFAToken, codes[0]); served > 1 {
				t.Errorf("one recovery code served %d times", served)
			}
			codes = codes[1:]
		}
	})
}

// redeem presents a proof three times, whatever it hears, and returns how often it served.
func (h *history) redeem(t *testing.T, mfaToken, code string) (served int) {
	t.Helper()
	for try := range 3 {
		a, retry, err := sendPatiently(h.nodes[0].URL+"/oauth2/token", h.client, url.Values{
			"grant_type": {"urn:signet:oauth:grant-type:mfa-otp"}, "mfa_token": {mfaToken}, "recovery_code": {code},
		})
		switch {
		case err != nil:
			t.Fatal(err)
		case a.Status == http.StatusOK:
			served++
		case a.Status == http.StatusServiceUnavailable && retry != "":
		case try == 0:
			t.Errorf("an unspent proof: %d %s", a.Status, a.Body)
		}
	}
	return served
}
