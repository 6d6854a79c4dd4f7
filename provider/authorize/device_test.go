package authorize

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// device asks for a device code and returns what the device has then.
func (w *world) device(t *testing.T, q url.Values) map[string]any {
	t.Helper()
	status, body, err := post(t, w.DeviceAuthorization, q)
	must(t, err)
	check(t, status == 200, "status %d", status)
	return body
}

// waiting is the grant behind a device code.
func (w *world) waiting(t *testing.T, body map[string]any) storage.Standing {
	t.Helper()
	h, err := w.Mint.Parse(handle.Device, body["device_code"].(string))
	must(t, err)
	s, err := w.store.FindGrant(t.Context(), h.Grant)
	must(t, err)
	check(t, s.Grant.SecretHash.Equal(handle.SecretDigest(h.Secret)), "the device code's secret is not the grant's")
	return s
}

// atDevice is a person who may answer a device.
func (p *person) atDevice(t *testing.T, name string) *Passage {
	t.Helper()
	v := p.visit(t)
	begun, err := p.w.BeginDevice(t.Context(), v, "")
	must(t, err)
	p.take(v)
	check(t, begun.Step == StepSignIn, "step %s", begun.Step)
	p.signIn(t, name)
	return p.resume(t, StepDevice, begun)
}

func (p *person) find(t *testing.T, passage *Passage, code any) (*DeviceRequest, error) {
	t.Helper()
	return p.w.FindDevice(t.Context(), p.visit(t), passage, code.(string))
}

func TestAPersonAllowsADevice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, "tv", nil)
	u := w.user(t, "ada")
	body := w.device(t, url.Values{"client_id": {"tv"}, "scope": {"openid notes unknown"}, "resource": {"https://api.example"}})
	code, _ := body["user_code"].(string)
	check(t, len(code) == 9 && code[4] == '-' && body["verification_uri"] == issuer+"/device" && len(body) == 6 &&
		body["verification_uri_complete"] == issuer+"/device?user_code="+code && body["expires_in"] == 600.0 && body["interval"] == 5.0, "body %v", body)
	g := w.waiting(t, body).Grant
	check(t, g.State == storage.Pending && g.Pending.Kind == storage.WaitingDevice && g.Pending.Interval == 5*time.Second && g.UserID.IsZero() &&
		slices.Equal(g.Scope, []string{"openid", "notes"}) && slices.Equal(g.Audience, []string{"https://api.example", issuer}), "grant %+v", g)
	ada := w.browser()
	p := ada.atDevice(t, "ada")
	found, err := ada.find(t, p, strings.ToLower(strings.ReplaceAll(code, "-", " ")))
	must(t, err)
	check(t, found.Client.ID == "tv" && found.UserCode == code && slices.Equal(found.Asked.Scope, []string{"openid", "notes"}) &&
		slices.Equal(found.Asked.Resources, []string{"https://api.example"}), "found %+v", found)
	sealed, err := w.SealDevice(ada.visit(t), found)
	must(t, err)
	found, err = w.UnsealDevice(t.Context(), ada.visit(t), p, sealed)
	must(t, err)
	poll(t, w, body) // while the person reads
	must(t, w.AnswerDevice(t.Context(), ada.visit(t), p, found, true))
	g = w.waiting(t, body).Grant
	session := ada.visit(t).Accounts[0].Session
	check(t, g.State == storage.Pending && g.Pending.Answer == storage.DeviceApproved && g.UserID == u.ID && g.SessionID == session.ID &&
		g.AuthTime.Equal(session.AuthTime) && g.ACR == oauth.ACRPassword && slices.Equal(g.AMR, []string{oauth.AMRPassword}) &&
		g.Pending.SessionEnds.Equal(session.ExpiresAt) && !g.Pending.PolledAt.IsZero(), "grant %+v, waiting %+v", g, g.Pending)
	events, err := w.store.ListEvents(t.Context(), storage.EventFilter{Kind: "device.approved", UserID: u.ID, GrantID: g.ID, Limit: 10})
	must(t, err)
	check(t, len(events) == 1 && events[0].ClientID == "tv", "events %+v", events)
	_, err = ada.find(t, p, code)
	check(t, errors.Is(err, ErrUserCode), "a code that was answered: %v", err)
	check(t, errors.Is(w.AnswerDevice(t.Context(), ada.visit(t), p, found, false), ErrUserCode), "a second answer")
	_, err = w.UnsealDevice(t.Context(), ada.visit(t), p, sealed)
	check(t, errors.Is(err, ErrUserCode), "a form that was answered: %v", err)
}

// poll moves the grant's row as a device that polls does.
func poll(t *testing.T, w *world, body map[string]any) {
	t.Helper()
	s := w.waiting(t, body)
	g, pending := s.Grant, *s.Grant.Pending
	pending.PolledAt, g.Pending = s.Now, &pending
	must(t, w.store.RedeemGrant(t.Context(), storage.Redemption{Grant: g, Revision: s.Grant.Revision}))
}

func TestAPersonRefusesADevice(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, "tv", nil)
	u := w.user(t, "ada")
	body := w.device(t, url.Values{"client_id": {"tv"}, "scope": {"openid offline_access"}})
	ada := w.browser()
	p := ada.atDevice(t, "ada")
	found, err := ada.find(t, p, body["user_code"])
	must(t, err)
	must(t, w.AnswerDevice(t.Context(), ada.visit(t), p, found, false))
	g := w.waiting(t, body).Grant
	check(t, g.Pending.Answer == storage.DeviceDenied && g.UserID.IsZero() && g.SessionID.IsZero(), "grant %+v", g)
	events, err := w.store.ListEvents(t.Context(), storage.EventFilter{Kind: "device.denied", UserID: u.ID, Limit: 10})
	must(t, err)
	check(t, len(events) == 1, "events %+v", events)
}

func TestADeviceIsAnsweredByWhoEnteredItsCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, "tv", nil)
	w.user(t, "ada")
	w.user(t, "bob")
	body := w.device(t, url.Values{"client_id": {"tv"}})
	ada, bob := w.browser(), w.browser()
	p, other := ada.atDevice(t, "ada"), bob.atDevice(t, "bob")
	found, err := ada.find(t, p, body["user_code"])
	must(t, err)
	sealed, err := w.SealDevice(ada.visit(t), found)
	must(t, err)
	_, err = w.UnsealDevice(t.Context(), bob.visit(t), other, sealed) // the address, sent to somebody else
	refused(t, err, HeadingOtherBrowser)
	check(t, errors.Is(w.AnswerDevice(t.Context(), bob.visit(t), other, found, true), ErrAgain), "bob answers ada's")
	ada.signIn(t, "bob") // at the same browser
	v := ada.visit(t)
	begun, err := w.BeginDevice(t.Context(), v, "")
	must(t, err)
	_, err = w.UnsealDevice(t.Context(), v, begun, sealed)
	check(t, begun.Step == StepDevice && errors.Is(err, ErrUserCode), "%s: %v", begun.Step, err)
	check(t, w.waiting(t, body).Grant.Pending.Answer == "", "it was answered")
}

func TestADeviceIsAnsweredInALiveSessionAndInTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, "tv", nil)
	w.app(t, "off", nil)
	w.user(t, "ada")
	ada := w.browser()
	p := ada.atDevice(t, "ada")
	body := w.device(t, url.Values{"client_id": {"tv"}})
	found, err := ada.find(t, p, body["user_code"])
	must(t, err)
	_, err = w.store.EndSessions(t.Context(), storage.SessionsOf{ID: p.Account.Session.ID}, storage.ReasonLogout, storage.Also{})
	must(t, err)
	check(t, errors.Is(w.AnswerDevice(t.Context(), ada.visit(t), p, found, true), ErrAgain), "an answer after signing out")
	check(t, w.waiting(t, body).Grant.Pending.Answer == "", "it was answered")

	p = ada.atDevice(t, "ada")
	off := w.device(t, url.Values{"client_id": {"off"}})
	_, err = w.Clients.Disable(t.Context(), "off", "cli")
	must(t, err)
	_, err = ada.find(t, p, off["user_code"])
	check(t, errors.Is(err, ErrUserCode), "a disabled client's device: %v", err)
	w.pass(10 * time.Minute)
	_, err = ada.find(t, p, body["user_code"])
	check(t, errors.Is(err, ErrUserCode), "an expired code: %v", err)
	err = w.AnswerDevice(t.Context(), ada.visit(t), p, &DeviceRequest{standing: w.waiting(t, body), userID: p.Account.User.ID}, true)
	check(t, errors.Is(err, ErrUserCode) && w.waiting(t, body).Grant.Pending.Answer == "", "an answer to an expired code: %v", err)
}

func TestUserCodesAreNotGuessed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, "tv", nil)
	w.user(t, "ada")
	ada := w.browser()
	p := ada.atDevice(t, "ada")
	right := w.device(t, url.Values{"client_id": {"tv"}})["user_code"]
	for range 20 { // what can be no code is no guess, and neither is a right one
		_, err := ada.find(t, p, "ADA-AAAA")
		check(t, errors.Is(err, ErrUserCode), "%v", err)
		_, err = ada.find(t, p, right)
		must(t, err)
	}
	for range 5 {
		_, err := ada.find(t, p, showUserCode(newUserCode()))
		check(t, errors.Is(err, ErrUserCode), "%v", err)
	}
	_, err := ada.find(t, p, right)
	e := oauth.As(err)
	check(t, e != nil && e.Code == oauth.SlowDown && e.RetryAfter > 0, "after five guesses: %v", err)
	w.pass(time.Minute)
	_, err = ada.find(t, p, right)
	must(t, err)
	_, err = w.FindDevice(t.Context(), ada.visit(t), &Passage{Step: StepSignIn}, right.(string))
	check(t, errors.Is(err, ErrAgain), "somebody who is not signed in: %v", err)
}

func TestUserCodesAreReadHoweverTheyAreTyped(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 200 {
		code := newUserCode()
		check(t, len(code) == 8 && strings.Trim(code, userLetters) == "" && !seen[code], "code %s", code)
		seen[code] = true
		shown := showUserCode(code)
		for _, typed := range []string{shown, code, strings.ToLower(shown), " " + code[:3] + " - " + code[3:] + " "} {
			read, ok := readUserCode(typed)
			check(t, ok && read == code, "%q is read as %q", typed, read)
		}
	}
	letters := map[rune]bool{}
	for code := range seen {
		for _, c := range code {
			letters[c] = true
		}
	}
	check(t, len(letters) == 20 && len(userLetters) == 20, "%d letters", len(letters))
	for _, typed := range []string{"", "BCDF-GHJ", "BCDF-GHJKL", "ACDF-GHJK", "BCDF-GH1K", "BCDFGHJ\u212a", strings.Repeat("-", 99) + "BCDFGHJK"} {
		_, ok := readUserCode(typed)
		check(t, !ok, "%q is read", typed)
	}
}

func TestADeviceCodeIsForClientsThatMayHaveIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.app(t, "tv", nil)
	w.app(t, "web", func(m *storage.ClientMetadata) { m.GrantTypes = []string{oauth.GrantAuthorizationCode} })
	for name, c := range map[string]struct {
		q    url.Values
		want oauth.Code
	}{
		"another grant":  {url.Values{"client_id": {"web"}}, oauth.UnauthorizedClient},
		"unknown client": {url.Values{"client_id": {"nobody"}}, oauth.InvalidClient},
		"scope":          {url.Values{"client_id": {"tv"}, "scope": {"admin"}}, oauth.InvalidScope},
		"resource":       {url.Values{"client_id": {"tv"}, "resource": {"https://other.example"}}, oauth.InvalidTarget},
	} {
		_, _, err := post(t, w.DeviceAuthorization, c.q)
		e := oauth.As(err)
		check(t, e != nil && e.Code == c.want, "%s: %v, want %s", name, err, c.want)
		var kept *client.Refused
		check(t, errors.As(err, &kept) && kept.About.Endpoint == "device_authorization", "%s: %v", name, err)
	}
	for range 60 {
		w.device(t, url.Values{"client_id": {"tv"}})
	}
	_, _, err := post(t, w.DeviceAuthorization, url.Values{"client_id": {"tv"}})
	e := oauth.As(err)
	check(t, e != nil && e.Code == oauth.SlowDown, "%v", err)
}

func TestACodeInTheAddressFillsTheFormInAndProvesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for text, want := range map[string]string{"bcdfghjk": "BCDF-GHJK", "BCDF-GHJK": "BCDF-GHJK", "<script>": "", "": ""} {
		v := w.browser().visit(t)
		p, err := w.BeginDevice(t.Context(), v, text)
		must(t, err)
		check(t, p.Request.UserCode == want && p.Step == StepSignIn && p.Account == nil, "%q: %+v", text, p.Request)
	}
}
