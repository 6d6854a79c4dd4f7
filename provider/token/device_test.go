package token_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

const deviceLife = 10 * time.Minute

// device leaves the pending grant of a device as the front door does, and returns its device code.
func (w *world) device(edit func(*storage.Grant)) (string, storage.ID) {
	w.t.Helper()
	secret := handle.NewSecret()
	g := storage.Grant{
		ID: w.newID(), ClientID: "shop", Scope: []string{"openid", "profile"}, Audience: []string{issuerURL}, State: storage.Pending,
		Pending:    &storage.Waiting{Kind: storage.WaitingDevice, Interval: 5 * time.Second},
		UserCode:   storage.NewSecret([]byte(rand())).Digest("test"),
		SecretHash: handle.SecretDigest(secret), ExpiresAt: w.clock.Now().Add(deviceLife), KeyID: w.mint.CurrentKey(),
	}
	if edit != nil {
		edit(&g)
	}
	w.must(w.store.CreateGrant(w.t.Context(), g, storage.Spend{}, storage.Also{}))
	text, err := w.mint.Handle(handle.Device, handle.Handle{Grant: g.ID, Secret: secret, Key: g.KeyID})
	w.must(err)
	return text, g.ID
}

// approvedBy is the person's yes, at once.
func approvedBy(user storage.ID) func(*storage.Grant) {
	return func(g *storage.Grant) {
		g.UserID, g.Pending.Answer = user, storage.DeviceApproved
		g.ACR, g.AMR, g.AuthTime = oauth.ACRPassword, []string{"pwd"}, time.Date(2026, time.November, 1, 11, 0, 0, 0, time.UTC)
	}
}

// answer writes what the person said to a device's request, as the front door does.
func (w *world) answer(id storage.ID, edit func(*storage.Grant)) {
	w.t.Helper()
	g := w.grant(id)
	revision := g.Revision
	edit(&g)
	w.must(w.store.RedeemGrant(w.t.Context(), storage.Redemption{Grant: g, Revision: revision}))
}

func (w *world) poll(clientID, deviceCode string) answer {
	w.t.Helper()
	return w.post(w.endpoint.Token, clientID, "grant_type", oauth.GrantDeviceCode, "device_code", deviceCode)
}

// TestDeviceWaitsAndIsToldToSlowDown: pending at its interval, slow_down before it, five seconds longer from then on, on every node;
// then the person's yes gives tokens.
func TestDeviceWaitsAndIsToldToSlowDown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code, id := w.device(nil)
	for i, step := range []struct {
		after time.Duration
		want  oauth.Code
		wait  string
	}{
		{0, oauth.AuthorizationPending, "5"},
		{5 * time.Second, oauth.AuthorizationPending, "5"},
		{4 * time.Second, oauth.SlowDown, "10"},
		{5 * time.Second, oauth.SlowDown, "15"},
		{15 * time.Second, oauth.AuthorizationPending, "15"},
		{10 * time.Second, oauth.SlowDown, "20"},
		{20 * time.Second, oauth.AuthorizationPending, "20"},
	} {
		w.clock.advance(step.after)
		a := w.refused(w.poll("shop", code), step.want)
		if got := a.header.Get("Retry-After"); got != step.wait {
			t.Errorf("poll %d: Retry-After %s, want %s", i, got, step.wait)
		}
	}
	w.answer(id, approvedBy(w.user))
	a := w.granted(w.poll("shop", code)) // at once: there is nothing to wait for any more
	claims := w.claims(a.text("id_token"))
	if claims["sub"] != w.user.String() || claims["nonce"] != nil || a.text("refresh_token") == "" {
		t.Errorf("answer %s, ID token %v", a.raw, claims)
	}
	if g := w.grant(id); g.State != storage.Active || !g.UserCode.IsZero() {
		t.Errorf("the grant is %s, its user code %v", g.State, g.UserCode)
	}
}

// TestDeviceThatIsDeniedOrLateIsToldSo, and gets nothing.
func TestDeviceThatIsDeniedOrLateIsToldSo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	denied, id := w.device(nil)
	w.answer(id, func(g *storage.Grant) { g.Pending.Answer = storage.DeviceDenied })
	w.refused(w.poll("shop", denied), oauth.AccessDenied)
	w.refused(w.poll("shop", denied), oauth.AccessDenied)
	late, _ := w.device(nil)
	approved, _ := w.device(approvedBy(w.user))
	w.clock.advance(deviceLife)
	w.refused(w.poll("shop", late), oauth.ExpiredToken)
	w.refused(w.poll("shop", approved), oauth.ExpiredToken)
}

// TestDeviceCodeServesItsClientAlone: another's poll is refused, changes nothing and slows nobody down.
func TestDeviceCodeServesItsClientAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register("other", func(*storage.ClientMetadata) {})
	w.register("tv", func(m *storage.ClientMetadata) { m.TokenEndpointAuthMethod = oauth.AuthNone })
	code, id := w.device(nil)
	before := w.grant(id).Revision
	for _, client := range []string{"other", "tv"} {
		w.refused(w.poll(client, code), oauth.InvalidGrant)
	}
	if w.grant(id).Revision != before {
		t.Error("another client's poll was noted")
	}
	w.answer(id, approvedBy(w.user))
	w.refused(w.poll("other", code), oauth.InvalidGrant)
	w.granted(w.poll("shop", code))
	w.refused(w.poll("other", code), oauth.InvalidGrant)
	if state := w.grant(id).State; state != storage.Active {
		t.Errorf("the grant is %s", state)
	}
}

// TestDeviceThatLostTheAnswerAsksAgain: a balanced client gets the same refresh token within the grace, a fork of it later; once the
// newest was used and time has passed, the device code is in foreign hands and the grant ends.
func TestDeviceThatLostTheAnswerAsksAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register("tv", func(m *storage.ClientMetadata) { m.TokenEndpointAuthMethod = oauth.AuthNone })
	approved := func(g *storage.Grant) { approvedBy(w.user)(g); g.ClientID = "tv" }
	code, id := w.device(approved)
	first := w.granted(w.poll("tv", code))
	again := w.granted(w.poll("tv", code))
	if first.text("refresh_token") != again.text("refresh_token") || again.text("id_token") == "" {
		t.Errorf("a retry at once got %s", again.raw)
	}
	w.clock.advance(5 * time.Minute)
	fork := w.granted(w.poll("tv", code))
	if fork.text("refresh_token") == first.text("refresh_token") {
		t.Error("a retry after the grace got the same refresh token")
	}
	renewed := w.granted(w.refresh("tv", fork.text("refresh_token")))
	w.clock.advance(5 * time.Minute)
	w.granted(w.refresh("tv", renewed.text("refresh_token")))
	w.refused(w.poll("tv", code), oauth.InvalidGrant)
	if g := w.grant(id); g.State != storage.Revoked || g.RevokedReason != storage.ReasonReuse {
		t.Errorf("the grant is %s %s", g.State, g.RevokedReason)
	}
}

// TestDeviceCodeOfAStrictClientServesOnce, and that of a client without refresh tokens too.
func TestDeviceCodeOfAStrictClientServesOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code, id := w.device(approvedBy(w.user))
	first := w.granted(w.poll("shop", code))
	w.refused(w.poll("shop", code), oauth.InvalidGrant)
	if g := w.grant(id); g.State != storage.Revoked || w.active("shop", first.text("access_token")) {
		t.Errorf("the grant is %s", g.State)
	}
	w.register("plain", func(m *storage.ClientMetadata) { m.GrantTypes = []string{oauth.GrantDeviceCode} })
	code, _ = w.device(func(g *storage.Grant) { approvedBy(w.user)(g); g.ClientID = "plain" })
	only := w.granted(w.poll("plain", code))
	if only.body["refresh_token"] != nil {
		t.Error("a refresh token for a client that is not registered for it")
	}
	w.refused(w.poll("plain", code), oauth.InvalidGrant)
}

// TestWaitingDeviceIsNoRefusedRequest: what a device goes on from is not kept for its operator to be asked about.
func TestWaitingDeviceIsNoRefusedRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code, _ := w.device(nil)
	for _, want := range []oauth.Code{oauth.AuthorizationPending, oauth.SlowDown} {
		form := url.Values{"grant_type": {oauth.GrantDeviceCode}, "device_code": {code}}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, issuerURL+"/oauth2/token", strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.SetBasicAuth("shop", w.secrets["shop"])
		err := w.endpoint.Token(httptest.NewRecorder(), r)
		var kept *client.Refused
		if e := oauth.As(err); e == nil || e.Code != want || errors.As(err, &kept) {
			t.Errorf("%v", err)
		}
	}
}
