package browser

import (
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// authenticator is somebody's, with one passkey on it.
type authenticator struct {
	auth virtualwebauthn.Authenticator
	key  virtualwebauthn.Credential
}

var relyingParty = virtualwebauthn.RelyingParty{ID: "id.example", Origin: issuer}

// passkey gives the user one.
func (w *world) passkey(t *testing.T, u storage.User) *authenticator {
	t.Helper()
	d := &authenticator{auth: virtualwebauthn.NewAuthenticator()}
	d.auth.Options.UserHandle = u.ID[:]
	for len(d.key.ID) == 0 || len(d.key.Key.AttestationData()) != 77 { // it drops leading zeros of keys
		d.key = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	}
	person, err := w.people.Find(t.Context(), u.ID.String())
	must(t, err)
	options, ceremony, err := w.people.BeginPasskey(person)
	must(t, err)
	asked, err := virtualwebauthn.ParseAttestationOptions(string(options))
	must(t, err)
	answer := virtualwebauthn.CreateAttestationResponse(relyingParty, d.auth, d.key, *asked)
	done, _, err := w.people.ProvePasskeyNew(person, ceremony, []byte(answer), "")
	must(t, err)
	must(t, w.people.FinishPasskey(t.Context(), person.User, done, account.By{Actor: "cli"}))
	return d
}

// answer signs what was asked by options, counting one on.
func (d *authenticator) answer(t *testing.T, options []byte, c account.Ceremony, err error) account.PasskeyProof {
	t.Helper()
	must(t, err)
	asked, err := virtualwebauthn.ParseAssertionOptions(string(options))
	must(t, err)
	d.key.Counter++
	return account.PasskeyProof{Ceremony: c, Response: []byte(virtualwebauthn.CreateAssertionResponse(relyingParty, d.auth, d.key, *asked))}
}

// proof answers a sign-in.
func (w *world) proof(t *testing.T, d *authenticator) account.PasskeyProof {
	t.Helper()
	options, c, err := w.people.BeginPasskeySignIn()
	return d.answer(t, options, c, err)
}

func (c *client) passkeySignIn(t *testing.T, p account.PasskeyProof) (Account, error) {
	t.Helper()
	v := c.visit(t)
	a, err := c.b.PasskeySignIn(t.Context(), v, "app", p)
	c.take(v)
	return a, err
}

func TestAPasskeySignsInWholeAndAPasswordThenByHalf(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{SecondFactor: account.SecondFactorAll})
	ada := w.user(t, "ada")
	d := w.passkey(t, ada)
	p := w.browser()
	a, err := p.passkeySignIn(t, w.proof(t, d))
	must(t, err)
	s := a.Session
	check(t, a.User.ID == ada.ID && a.HasFactor && s.AuthTime.Equal(w.time()) && s.FactorAt.Equal(w.time()) && s.PasswordAt.IsZero() &&
		s.ACR == oauth.ACRMFA && slices.Equal(s.AMR, []string{"hwk", "mfa"}) && s.ExpiresAt.Equal(w.time().Add(30*24*time.Hour)), "%+v", s)
	check(t, !AwaitsFactor(s, w.time()), "it waits for a factor")
	check(t, p.cookies[hostPrefix+cookieDevice] != "", "the browser is not known")
	check(t, slices.Equal(w.events(t, ada), []string{"signin.succeeded"}), "the audit log has %v", w.events(t, ada))

	stale := p.copy()
	w.pass(time.Hour)
	again, err := p.passkeySignIn(t, w.proof(t, d))
	must(t, err)
	check(t, again.Session.ID == s.ID && again.Session.AuthTime.Equal(w.time()), "again: %+v", again.Session)
	check(t, len(stale.visit(t).Accounts) == 0, "the secret before still opens the session")

	q := w.browser()
	half := q.mustSignIn(t, "ada")
	check(t, !half.Session.SignedIn() && half.HasFactor && AwaitsFactor(half.Session, w.time()), "by a password: %+v", half)
	d.auth.Options.UserNotVerified = true // the password has done so
	person, err := w.people.Find(t.Context(), "ada")
	must(t, err)
	options, c, err := w.people.BeginPasskeyFactor(person)
	proof := d.answer(t, options, c, err)
	whole, err := q.factor(t, Proof{Proof: account.Proof{Passkey: &proof}})
	must(t, err)
	check(t, whole.Session.SignedIn() && whole.Session.ACR == oauth.ACRMFA && slices.Equal(whole.Session.AMR, []string{"pwd", "hwk", "mfa"}),
		"as second factor: %+v", whole.Session)
	_, err = q.factor(t, Proof{Proof: account.Proof{Passkey: &proof}})
	want(t, err, account.ErrWrong)
}

// One answer at two nodes and in many browsers at once, of an authenticator that does not count.
func TestWhatAPasskeySignedServesOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	ada := w.user(t, "ada")
	d := w.passkey(t, ada)
	d.key.Counter = 1<<32 - 1 // becomes 0
	proof := w.proof(t, d)
	other := w.node(Config{})
	var served, refused atomic.Int32
	var all sync.WaitGroup
	barrier := make(chan struct{})
	for i := range 16 {
		c := w.browser()
		if i%2 == 1 {
			c.b = other
		}
		v := c.visit(t)
		all.Go(func() {
			<-barrier
			switch _, err := c.b.PasskeySignIn(t.Context(), v, "app", proof); {
			case err == nil:
				served.Add(1)
			case errors.Is(err, account.ErrWrong):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	close(barrier)
	all.Wait()
	check(t, served.Load() == 1 && refused.Load() == 15, "it served %d times and was refused %d times", served.Load(), refused.Load())
	w.pass(2 * time.Hour)
	_, err := w.browser().passkeySignIn(t, proof)
	want(t, err, account.ErrWrong)
}

func TestWrongPasskeysAreOneAnswerCountedAndRecorded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	ada, bob := w.user(t, "ada"), w.user(t, "bob")
	d, disabled := w.passkey(t, ada), w.passkey(t, bob)
	must(t, w.people.Disable(t.Context(), bob.ID, account.By{Actor: "cli"}))
	copied := *d
	p := w.browser()
	for range 40 { // those that are right are given back
		_, err := p.passkeySignIn(t, w.proof(t, d))
		must(t, err)
	}
	stranger := *d
	stranger.key.ID = []byte("nobody's")
	forged := *d
	forged.key.Key = disabled.key.Key
	forged.key.Counter = 1000
	for name, proof := range map[string]account.PasskeyProof{
		"unknown": w.proof(t, &stranger), "forged": w.proof(t, &forged), "disabled": w.proof(t, disabled), "a copy": w.proof(t, &copied), "nothing": {},
	} {
		_, err := p.passkeySignIn(t, proof)
		check(t, errors.Is(err, account.ErrWrong), "%s: %v", name, err)
	}
	count := func(u storage.User, kind string) (n int) {
		for _, k := range w.events(t, u) {
			if k == kind {
				n++
			}
		}
		return n
	}
	check(t, count(ada, "signin.passkey_failed") == 2 && count(ada, "signin.passkey_cloned") == 1 && count(bob, "signin.passkey_failed") == 1,
		"recorded of ada: %v, of bob: %v", w.events(t, ada), w.events(t, bob))
	for range 25 {
		_, err := p.passkeySignIn(t, account.PasskeyProof{})
		want(t, err, account.ErrWrong)
	}
	_, err := p.passkeySignIn(t, w.proof(t, d))
	check(t, oauth.As(err) != nil && oauth.As(err).Code == oauth.SlowDown, "after thirty that were wrong: %v", err)
	elsewhere := w.browser()
	elsewhere.address = "198.51.100.7"
	_, err = elsewhere.passkeySignIn(t, w.proof(t, d))
	must(t, err)
}
