package token_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// TestCodeBecomesTokensAndTheGrantGetsAnotherSecret: a redeemed code leaves an active grant, of which the code's secret opens
// nothing any more.
func TestCodeBecomesTokensAndTheGrantGetsAnotherSecret(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := w.session(time.Hour)
	code, id := w.code(func(g *storage.Grant) { g.SessionID, g.Pending.SessionEnds = session, w.clock.Now().Add(time.Hour) })
	before := w.grant(id)
	a := w.granted(w.redeem("shop", code))
	if a.text("token_type") != "Bearer" || a.text("scope") != "openid profile api" || a.text("refresh_token") == "" || a.body["expires_in"] != 900.0 {
		t.Errorf("answer %s", a.raw)
	}
	after := w.grant(id)
	if after.State != storage.Active || after.Pending != nil || after.Generation != 1 || after.SecretHash.Equal(before.SecretHash) ||
		!after.CodeHash.Equal(before.CodeHash) || after.SessionID != session {
		t.Errorf("grant %+v", after)
	}
	claims := w.claims(a.text("id_token"))
	for name, want := range map[string]any{
		"iss": issuerURL, "aud": "shop", "sub": w.user.String(), "nonce": "n-0S6_WzA2Mj", "sid": session.String(),
		"auth_time": float64(before.AuthTime.Unix()), "acr": oauth.ACRPassword, "iat": float64(w.clock.Now().Unix()),
	} {
		if claims[name] != want {
			t.Errorf("%s is %v, want %v", name, claims[name], want)
		}
	}
	if claims["at_hash"] == nil || claims["name"] != nil || claims["email"] != nil {
		t.Errorf("claims %v", claims)
	}
	if info := w.userinfo(a.text("access_token")); info.status != http.StatusOK || info.text("name") != "Ada Lovelace" || info.text("sub") != w.user.String() {
		t.Errorf("userinfo %d %s", info.status, info.raw)
	}
	w.granted(w.refresh("shop", a.text("refresh_token")))
}

// TestEachThingThatIsWrongRefusesTheCode is the truth table of {client, redirect_uri, verifier, expiry, used}: the one row in which
// nothing is wrong gives tokens. Who is wrong harms nobody: what was not used or late still serves the right client, and what was
// used is revoked by nobody but who holds the verifier too.
func TestEachThingThatIsWrongRefusesTheCode(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register("other", func(*storage.ClientMetadata) {})
	const badClient, badRedirect, badVerifier, late, used, all = 1, 2, 4, 8, 16, 32
	for row := range all {
		code, id := w.code(nil)
		var first answer
		if row&used != 0 {
			first = w.granted(w.redeem("shop", code))
		}
		if row&late != 0 {
			w.clock.advance(codeLife)
		}
		who, with := "shop", []string{}
		if row&badClient != 0 {
			who = "other"
		}
		if row&badRedirect != 0 {
			with = append(with, "redirect_uri", callback+"/")
		}
		if row&badVerifier != 0 {
			with = append(with, "code_verifier", strings.Repeat("x", 43))
		}
		a := w.redeem(who, code, with...)
		if row == 0 {
			w.granted(a)
			continue
		}
		t.Run(fmt.Sprintf("%05b", row), func(t *testing.T) {
			w.refused(a, oauth.InvalidGrant)
			switch {
			case row&used == 0 && row&late == 0:
				w.granted(w.redeem("shop", code))
			case row&used == 0:
				w.refused(w.redeem("shop", code), oauth.InvalidGrant)
				if state := w.grant(id).State; state != storage.Pending {
					t.Errorf("the grant is %s", state)
				}
			case row&badClient == 0 && row&badVerifier == 0:
				if g := w.grant(id); g.State != storage.Revoked || g.RevokedReason != storage.ReasonCodeReplay {
					t.Errorf("the grant is %s %s", g.State, g.RevokedReason)
				}
			default:
				if !w.active("shop", first.text("access_token")) {
					t.Error("somebody who was wrong revoked the grant")
				}
			}
		})
	}
}

// TestRedirectURIIsSentWhereTheRequestHadOne and only there.
func TestRedirectURIIsSentWhereTheRequestHadOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code, _ := w.code(nil)
	w.refused(w.redeem("shop", code, "redirect_uri", ""), oauth.InvalidGrant)
	w.granted(w.redeem("shop", code))
	code, _ = w.code(func(g *storage.Grant) { g.Pending.RedirectURI = "" })
	w.refused(w.redeem("shop", code), oauth.InvalidGrant)
	w.granted(w.redeem("shop", code, "redirect_uri", ""))
}

// TestVerifierIsHeldToItsForm: 43 to 128 unreserved characters (RFC 7636 §4.1); a failed one changes nothing.
func TestVerifierIsHeldToItsForm(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, c := range []struct {
		name     string
		verifier string
		ok       bool
	}{
		{"42", strings.Repeat("a", 42), false},
		{"43", strings.Repeat("a", 43), true},
		{"every character", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~", true},
		{"128", strings.Repeat("Z", 128), true},
		{"129", strings.Repeat("Z", 129), false},
		{"a plus", strings.Repeat("a", 42) + "+", false},
		{"padding", strings.Repeat("a", 42) + "=", false},
		{"a space", strings.Repeat("a", 42) + " ", false},
		{"beyond ASCII", strings.Repeat("a", 43) + "é", false},
	} {
		challenge, ok := oauth.Challenge(c.verifier)
		if ok != c.ok {
			t.Errorf("%s: may be a verifier: %v", c.name, ok)
		}
		if !ok { // as a client that computes one nevertheless would
			challenge, _ = oauth.Challenge(strings.Repeat("y", 43))
		}
		code, id := w.code(func(g *storage.Grant) { g.Pending.Challenge = challenge })
		a := w.redeem("shop", code, "code_verifier", c.verifier)
		if c.ok {
			w.granted(a)
			continue
		}
		w.refused(a, oauth.InvalidGrant)
		if state := w.grant(id).State; state != storage.Pending {
			t.Errorf("%s: the grant is %s", c.name, state)
		}
	}
}

// TestPKCEIsNeitherSkippedNorCutOut: a challenge demands its verifier, a verifier demands its challenge, and a public client has
// always sent one.
func TestPKCEIsNeitherSkippedNorCutOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register("spa", func(m *storage.ClientMetadata) { m.TokenEndpointAuthMethod = oauth.AuthNone })
	without := func(g *storage.Grant) { g.Pending.Challenge = "" }
	code, _ := w.code(nil)
	w.refused(w.redeem("shop", code, "code_verifier", ""), oauth.InvalidGrant)
	w.refused(w.redeem("shop", code, "code_verifier", strings.Repeat("x", 64)), oauth.InvalidGrant)
	w.granted(w.redeem("shop", code))

	code, _ = w.code(without)
	w.refused(w.redeem("shop", code), oauth.InvalidGrant)
	w.granted(w.redeem("shop", code, "code_verifier", ""))

	code, _ = w.code(func(g *storage.Grant) { g.ClientID = "spa"; without(g) })
	w.refused(w.redeem("spa", code, "code_verifier", ""), oauth.InvalidGrant)
	w.refused(w.redeem("spa", code), oauth.InvalidGrant)
	code, _ = w.code(func(g *storage.Grant) { g.ClientID = "spa" })
	w.granted(w.redeem("spa", code))
}

// TestSecondUseOfACodeEndsItsGrant: by the right client with the right verifier, at any time. What was issued is dead at once, one
// event and one letter say so, and a third use changes nothing.
func TestSecondUseOfACodeEndsItsGrant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code, id := w.code(nil)
	first := w.granted(w.redeem("shop", code))
	renewed := w.granted(w.refresh("shop", first.text("refresh_token")))
	w.clock.advance(10 * time.Minute)
	w.refused(w.redeem("shop", code), oauth.InvalidGrant)
	for _, a := range []answer{first, renewed} {
		if w.active("shop", a.text("access_token")) {
			t.Error("an access token lives on at introspection")
		}
		if info := w.userinfo(a.text("access_token")); info.status != http.StatusUnauthorized {
			t.Errorf("userinfo %d %s", info.status, info.raw)
		}
	}
	w.refused(w.refresh("shop", renewed.text("refresh_token")), oauth.InvalidGrant)
	w.refused(w.redeem("shop", code), oauth.InvalidGrant)
	if g := w.grant(id); g.RevokedReason != storage.ReasonCodeReplay {
		t.Errorf("reason %s", g.RevokedReason)
	}
	if n := w.events("grant.code_replay", id); n != 1 {
		t.Errorf("%d events", n)
	}
	if kinds := w.letters(); len(kinds) != 1 || kinds[0] != "code_replay" {
		t.Errorf("letters %v", kinds)
	}
}

// TestSecondUseOfACodeWithoutPKCEEndsItsGrant: then the client's credentials alone show who it is.
func TestSecondUseOfACodeWithoutPKCEEndsItsGrant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code, id := w.code(func(g *storage.Grant) { g.Pending.Challenge = "" })
	first := w.granted(w.redeem("shop", code, "code_verifier", ""))
	w.refused(w.redeem("shop", code), oauth.InvalidGrant) // a verifier that the code never had
	if !w.active("shop", first.text("access_token")) {
		t.Error("a wrong verifier revoked the grant")
	}
	w.refused(w.redeem("shop", code, "code_verifier", ""), oauth.InvalidGrant)
	if g := w.grant(id); g.RevokedReason != storage.ReasonCodeReplay {
		t.Errorf("the grant is %s", g.State)
	}
}

// TestReplayByWhoLacksSomethingChangesNothing: another client, or no verifier, or a wrong or malformed one.
func TestReplayByWhoLacksSomethingChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.register("other", func(*storage.ClientMetadata) {})
	w.register("spa", func(m *storage.ClientMetadata) { m.TokenEndpointAuthMethod = oauth.AuthNone })
	code, id := w.code(nil)
	first := w.granted(w.redeem("shop", code))
	before := w.grant(id)
	for _, client := range []string{"other", "spa"} {
		w.refused(w.redeem(client, code), oauth.InvalidGrant)
	}
	for _, wrong := range []string{"", "x", strings.Repeat("x", 43), verifier + "x", strings.Repeat("x", 200)} {
		w.refused(w.redeem("shop", code, "code_verifier", wrong), oauth.InvalidGrant)
	}
	if after := w.grant(id); after.Revision != before.Revision || after.State != storage.Active {
		t.Errorf("the grant is %s at revision %d, was at %d", after.State, after.Revision, before.Revision)
	}
	if !w.active("shop", first.text("access_token")) || w.events("grant.code_replay", id) != 0 {
		t.Error("the replay had an effect")
	}
}

// TestRaceForACodeHasOneWinnerAndEndsTheGrant: 32 callers, one answer with tokens, and since the code is in several hands the grant
// is revoked.
func TestRaceForACodeHasOneWinnerAndEndsTheGrant(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code, id := w.code(nil)
	w.refused(w.redeem("shop", code, "redirect_uri", ""), oauth.InvalidGrant) // a warm-up read
	const callers = 32
	answers := make([]answer, callers)
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for i := range answers {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			answers[i] = w.redeem("shop", code)
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	won := ""
	for _, a := range answers {
		if a.status != http.StatusOK {
			w.refused(a, oauth.InvalidGrant)
			continue
		}
		if won != "" {
			t.Error("two callers got tokens")
		}
		won = a.text("access_token")
	}
	if won == "" {
		t.Fatal("nobody got tokens")
	}
	if g := w.grant(id); g.State != storage.Revoked || g.RevokedReason != storage.ReasonCodeReplay {
		t.Errorf("the grant is %s %s", g.State, g.RevokedReason)
	}
	if w.active("shop", won) || w.events("grant.code_replay", id) != 1 {
		t.Error("the winner's token lives, or the revocation was not reported once")
	}
}

// TestNoMangledCodeIsTaken: no proper prefix or suffix, no code with a byte more, none with a bit flipped; and the code itself is
// none the worse for it.
func TestNoMangledCodeIsTaken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code, _ := w.code(nil)
	mangled := []string{code + "A", code + "=", "A" + code, code + "\n", " " + code, strings.ToUpper(code)}
	for i := range len(code) {
		mangled = append(mangled, code[i+1:])
		if i > 0 {
			mangled = append(mangled, code[:i])
		}
		for bit := range 7 {
			b := []byte(code)
			b[i] ^= 1 << bit
			mangled = append(mangled, string(b))
		}
	}
	for _, text := range mangled {
		if a := w.redeem("shop", text); a.status != http.StatusBadRequest {
			t.Errorf("%q: %d %s", text, a.status, a.raw)
		}
	}
	w.granted(w.redeem("shop", code))
}

// TestNoHandlePassesForAnother: handles of every kind, made with the true secret of a grant that waits for one kind, open nothing
// where that kind is not expected.
func TestNoHandlePassesForAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.update("shop", func(m *storage.ClientMetadata) { m.GrantTypes = append(m.GrantTypes, oauth.GrantPassword) })
	doors := map[handle.Kind][]string{
		handle.Code:    {"grant_type", oauth.GrantAuthorizationCode, "redirect_uri", callback, "code_verifier", verifier, "code"},
		handle.Device:  {"grant_type", oauth.GrantDeviceCode, "device_code"},
		handle.Refresh: {"grant_type", oauth.GrantRefreshToken, "refresh_token"},
		handle.MFA:     {"grant_type", oauth.GrantMFAOTP, "otp", "123456", "mfa_token"},
	}
	code, _ := w.code(nil)
	of, err := w.mint.Parse(handle.Code, code)
	w.must(err)
	device, _ := w.device(approvedBy(w.user))
	ofDevice, err := w.mint.Parse(handle.Device, device)
	w.must(err)
	for _, waits := range []handle.Handle{of, ofDevice} {
		for made := range doors {
			text, err := w.mint.Handle(made, waits)
			w.must(err)
			for door, form := range doors {
				if text == code && door == handle.Code || text == device && door == handle.Device {
					continue
				}
				w.refused(w.post(w.endpoint.Token, "shop", append(form[:len(form):len(form)], text)...), oauth.InvalidGrant)
			}
		}
	}
	asCode, err := w.mint.Handle(handle.Code, ofDevice)
	w.must(err)
	w.refused(w.redeem("shop", asCode, "redirect_uri", "", "code_verifier", ""), oauth.InvalidGrant)
	w.granted(w.redeem("shop", code))
	w.granted(w.poll("shop", device))
}

// TestWhatIsNotOfflineEndsWithItsSession: with the refresh token's whole lifetime where offline_access was granted, else with the
// browser session, and an access token with either.
func TestWhatIsNotOfflineEndsWithItsSession(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	session := w.session(10 * time.Minute)
	ends := w.clock.Now().Add(10 * time.Minute)
	for _, offline := range []bool{false, true} {
		code, id := w.code(func(g *storage.Grant) {
			g.SessionID, g.Pending.SessionEnds, g.Offline = session, ends, offline
		})
		a := w.granted(w.redeem("shop", code))
		expires := w.grant(id).ExpiresAt
		if offline && (expires.Before(ends.Add(24*time.Hour)) || a.body["expires_in"] != 900.0) {
			t.Errorf("offline: the grant ends at %v, the token in %v", expires, a.body["expires_in"])
		}
		if !offline && (!expires.Equal(ends) || a.body["expires_in"] != 600.0) {
			t.Errorf("not offline: the grant ends at %v, the token in %v", expires, a.body["expires_in"])
		}
	}
	code, _ := w.code(func(g *storage.Grant) { g.Pending.SessionEnds = w.clock.Now().Add(time.Second) })
	w.clock.advance(time.Second)
	w.refused(w.redeem("shop", code), oauth.InvalidGrant)
}

// TestResourcesAreChosenWhereTheCodeIsRedeemed: one access token may be for some of the resources that were granted, never for
// others, and the grant keeps all (RFC 8707 §2.2).
func TestResourcesAreChosenWhereTheCodeIsRedeemed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const one, two, three = "https://one.example", "https://two.example", "https://three.example"
	w.update("shop", func(m *storage.ClientMetadata) { m.Resources = []string{one, two, three} })
	code, id := w.code(func(g *storage.Grant) { g.Audience, g.Scope = []string{one, two}, []string{"api"} })
	w.refused(w.redeem("shop", code, "resource", three), oauth.InvalidTarget)
	a := w.granted(w.redeem("shop", code, "resource", one))
	if aud := w.claims(a.text("access_token"))["aud"]; aud != one {
		t.Errorf("aud %v", aud)
	}
	if a.body["id_token"] != nil {
		t.Error("an ID token without openid")
	}
	if audience := w.grant(id).Audience; len(audience) != 2 {
		t.Errorf("the grant has %v", audience)
	}
	a = w.granted(w.post(w.endpoint.Token, "shop", "grant_type", "refresh_token", "refresh_token", a.text("refresh_token"), "resource", two))
	if aud := w.claims(a.text("access_token"))["aud"]; aud != two {
		t.Errorf("aud after the refresh %v", aud)
	}
}

// unsure is the store with a network that loses the answer to RedeemGrant, or the call itself.
type unsure struct {
	storage.Store
	applied bool
}

func (u unsure) RedeemGrant(ctx context.Context, r storage.Redemption) error {
	if u.applied {
		if err := u.Store.RedeemGrant(ctx, r); err != nil {
			return err
		}
	}
	return fmt.Errorf("%w: the connection broke", storage.ErrUnknown)
}

// TestLostAnswerOfTheDatabaseIsLookedUp: a redemption that was committed is answered with its tokens, one that was not is an outage
// and never invalid_grant, and the code still serves.
func TestLostAnswerOfTheDatabaseIsLookedUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	code, _ := w.code(nil)
	w.endpoint.Store = unsure{Store: w.store}
	if a := w.redeem("shop", code); a.status != http.StatusServiceUnavailable {
		t.Errorf("%d %s", a.status, a.raw)
	}
	w.endpoint.Store = unsure{Store: w.store, applied: true}
	a := w.granted(w.redeem("shop", code))
	if !w.active("shop", a.text("access_token")) {
		t.Error("the tokens are dead")
	}
	w.granted(w.refresh("shop", a.text("refresh_token")))
}
