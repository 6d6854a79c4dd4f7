package account

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func TestAPasskeyIsGoodOnlyWhenItsRecoveryCodesWereTakenAndThenSignsInAlone(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.create(t, storage.User{Username: "ada", Email: "ada@example.org"})
	d := newDevice(ada.ID)
	person := h.person(t, ada.ID)
	options, c, err := h.BeginPasskey(person)
	if err != nil {
		t.Fatal(err)
	}
	done, codes, err := h.ProvePasskeyNew(person, c, d.create(t, options), " My laptop ")
	if err != nil || len(codes) != 10 || len(done.Codes) != 10 || done.Passkey.Name != "My laptop" {
		t.Fatalf("%d codes, %+v, %v", len(codes), done.Passkey, err)
	}
	if _, _, _, err := h.signInWith(t, d); !errors.Is(err, ErrWrong) || len(h.person(t, ada.ID).Passkeys) != 0 {
		t.Errorf("before they were taken: %v", err)
	}
	if err := h.FinishPasskey(t.Context(), ada, done, own(ada)); err != nil {
		t.Fatal(err)
	}
	if err := h.FinishPasskey(t.Context(), h.person(t, ada.ID).User, done, own(ada)); !errors.Is(err, ErrChanged) {
		t.Errorf("finished again: %v", err)
	}
	found := h.person(t, ada.ID)
	if len(found.Passkeys) != 1 || found.RecoveryCodes != 10 || !found.HasFactor() || found.Passkeys[0].AAGUID != storage.ID(d.auth.Aaguid) {
		t.Fatalf("with it: %+v", found)
	}
	signIn, spend, amr, err := h.signInWith(t, d)
	if err != nil || signIn.User.ID != ada.ID || !slices.Equal(amr, []string{"hwk", "mfa"}) {
		t.Fatalf("signed in as %v by %v, %v", signIn.User.ID, amr, err)
	}
	if spend.UserID != ada.ID || spend.UserRevision != found.User.Revision || spend.PasskeyID != found.Passkeys[0].ID || spend.SignCount != d.key.Counter ||
		spend.BackedUp || spend.Challenge.IsZero() || !spend.ChallengeEnds.After(h.time().Add(ceremonyLifetime)) {
		t.Errorf("it spends %+v", spend)
	}

	synced := newDevice(ada.ID)
	synced.auth.Options.BackupEligible, synced.auth.Options.BackupState = true, true
	if codes := h.addPasskey(t, ada.ID, synced); len(codes) != 0 {
		t.Errorf("the second passkey comes with %d codes", len(codes))
	}
	_, spend, amr, err = h.signInWith(t, synced)
	if err != nil || !spend.BackedUp || !slices.Equal(amr, []string{"swk", "mfa"}) {
		t.Errorf("one that is synchronised: %v, %+v, %v", amr, spend, err)
	}
	if kinds := h.posted(t); !slices.Equal(kinds, []string{"passkey_added", "passkey_added"}) {
		t.Errorf("letters: %v", kinds)
	}
}

func TestOnlyWhatThePersonsPasskeySignedHereForThisSignInServes(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada, bob := h.create(t, storage.User{Username: "ada"}), h.create(t, storage.User{Username: "bob"})
	d, foreign := newDevice(ada.ID), newDevice(bob.ID)
	h.addPasskey(t, ada.ID, d)
	h.addPasskey(t, bob.ID, foreign)
	stranger := newDevice(ada.ID)
	for name, tamper := range map[string]func(d *device, c *Ceremony){
		"another site":              func(d *device, _ *Ceremony) { d.rp.Origin = "https://id.example.com" },
		"a site below":              func(d *device, _ *Ceremony) { d.rp.Origin = "https://evil.id.example.org" },
		"another port":              func(d *device, _ *Ceremony) { d.rp.Origin = houseOrigin + ":8443" },
		"without TLS":               func(d *device, _ *Ceremony) { d.rp.Origin = "http://id.example.org" },
		"more than an origin":       func(d *device, _ *Ceremony) { d.rp.Origin = houseOrigin + "/path" },
		"an origin in capitals":     func(d *device, _ *Ceremony) { d.rp.Origin = "https://ID.example.org" },
		"no origin":                 func(d *device, _ *Ceremony) { d.rp.Origin = "" },
		"another relying party":     func(d *device, _ *Ceremony) { d.rp.ID = "example.org" },
		"another challenge":         func(_ *device, c *Ceremony) { c.Challenge = slices.Concat(c.Challenge[1:], []byte{0}) },
		"part of the challenge":     func(_ *device, c *Ceremony) { c.Challenge = c.Challenge[:31] },
		"no challenge":              func(_ *device, c *Ceremony) { c.Challenge = nil },
		"a challenge for a factor":  func(_ *device, c *Ceremony) { c.Purpose = toFactor },
		"a challenge to add":        func(_ *device, c *Ceremony) { c.Purpose = toAdd },
		"an old challenge":          func(_ *device, c *Ceremony) { c.ExpiresAt = h.time() },
		"the user was not verified": func(d *device, _ *Ceremony) { d.auth.Options.UserNotVerified = true },
		"nobody was present":        func(d *device, _ *Ceremony) { d.auth.Options.UserNotPresent = true },
		"another person's handle":   func(d *device, _ *Ceremony) { d.auth.Options.UserHandle = bob.ID[:] },
		"no handle":                 func(d *device, _ *Ceremony) { d.auth.Options.UserHandle = nil },
		"a stranger's key":          func(d *device, _ *Ceremony) { d.key.Key = stranger.key.Key },
		"an unknown passkey":        func(d *device, _ *Ceremony) { d.key = stranger.key },
		"somebody else's passkey":   func(d *device, _ *Ceremony) { d.key = foreign.key },
		"it can be backed up now":   func(d *device, _ *Ceremony) { d.auth.Options.BackupEligible = true },
		"backed up, but cannot be":  func(d *device, _ *Ceremony) { d.auth.Options.BackupState = true },
	} {
		options, c, err := h.BeginPasskeySignIn()
		if err != nil {
			t.Fatal(err)
		}
		other := *d
		other.key.Counter += 100
		tamper(&other, &c)
		if _, _, _, err := h.ProvePasskey(t.Context(), PasskeyProof{c, other.get(t, options)}); !errors.Is(err, ErrWrong) || strings.Contains(err.Error(), "%!") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, _, _, err := h.signInWith(t, d); err != nil {
		t.Fatalf("all as it should be: %v", err)
	}
	if err := h.Disable(t.Context(), ada.ID, cli()); err != nil {
		t.Fatal(err)
	}
	if _, _, _, err := h.signInWith(t, d); !errors.Is(err, ErrWrong) {
		t.Errorf("a disabled user: %v", err)
	}
}

func TestClientDataOfAnotherKindOrAFrameDoesNotServe(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.create(t, storage.User{Username: "ada"})
	d := newDevice(ada.ID)
	h.addPasskey(t, ada.ID, d)
	for name, c := range map[string]struct {
		change map[string]any
		serves bool
	}{
		"as it is":          {nil, true},
		"more members":      {map[string]any{"new": "things"}, true},
		"to create":         {map[string]any{"type": "webauthn.create"}, false},
		"a payment":         {map[string]any{"type": "payment.get"}, false},
		"in a frame":        {map[string]any{"crossOrigin": true}, false},
		"in another's page": {map[string]any{"crossOrigin": true, "topOrigin": "https://evil.example"}, false},
		"a top alone":       {map[string]any{"topOrigin": "https://evil.example"}, false},
		"a number":          {map[string]any{"challenge": 1}, false},
	} {
		_, ceremony, err := h.BeginPasskeySignIn()
		if err != nil {
			t.Fatal(err)
		}
		client := map[string]any{"type": "webauthn.get", "challenge": ceremony.challenge(), "origin": houseOrigin}
		maps.Copy(client, c.change)
		_, _, _, err = h.ProvePasskey(t.Context(), PasskeyProof{ceremony, d.signed(t, client)})
		if (err == nil) != c.serves || (err != nil && !errors.Is(err, ErrWrong)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestACounterThatDoesNotRiseIsWrongAndNamed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.create(t, storage.User{Username: "ada"})
	d, still := newDevice(ada.ID), newDevice(ada.ID)
	d.key.Counter = 6
	h.addPasskey(t, ada.ID, d)
	h.addPasskey(t, ada.ID, still)
	for count, want := range map[uint32]bool{0: false, 5: false, 6: false, 7: true, 1 << 31: true} {
		d.key.Counter = count - 1
		_, _, _, err := h.signInWith(t, d)
		var cloned *Cloned
		if (err == nil) != want || (err != nil && (!errors.Is(err, ErrWrong) || !errors.As(err, &cloned) || cloned.PasskeyID != h.person(t, ada.ID).Passkeys[0].ID)) {
			t.Errorf("after 6 came %d: %v", count, err)
		}
	}
	for range 2 { // one that does not count at all
		still.key.Counter = 1<<32 - 1
		if _, spend, _, err := h.signInWith(t, still); err != nil || spend.SignCount != 0 {
			t.Errorf("without a counter: %+v, %v", spend, err)
		}
	}
}

func TestASecondFactorIsOneOfThePersonsOwnPasskeysForTheirOwnChallenge(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada, bob := h.create(t, storage.User{Username: "ada"}), h.create(t, storage.User{Username: "bob"})
	mine, foreign := newDevice(ada.ID), newDevice(bob.ID)
	h.addPasskey(t, ada.ID, mine)
	h.addPasskey(t, bob.ID, foreign)
	mine.auth.Options.UserNotVerified = true // the password has done so
	person, other := h.person(t, ada.ID), h.person(t, bob.ID)
	prove := func(of storage.SignIn, d *device, c func(Ceremony) Ceremony, by storage.SignIn) error {
		options, ceremony, err := h.BeginPasskeyFactor(of)
		if err != nil {
			t.Fatal(err)
		}
		_, method, err := h.provePasskeyFactor(by, PasskeyProof{c(ceremony), d.get(t, options)})
		if err == nil && method != "hwk" {
			t.Errorf("the method is %q", method)
		}
		return err
	}
	same := func(c Ceremony) Ceremony { return c }
	if err := prove(person, mine, same, person); err != nil {
		t.Errorf("her own: %v", err)
	}
	mine.auth.Options.UserHandle = nil // authenticators need not say whose it is where they were asked for it
	if err := prove(person, mine, same, person); err != nil {
		t.Errorf("her own, without a handle: %v", err)
	}
	for name, err := range map[string]error{
		"somebody else's passkey":          prove(person, foreign, same, person),
		"somebody else's challenge":        prove(other, mine, same, person),
		"somebody else's, all of it":       prove(other, foreign, same, person),
		"a challenge to sign in":           prove(person, mine, func(c Ceremony) Ceremony { c.Purpose = toSignIn; return c }, person),
		"a challenge of no one":            prove(person, mine, func(c Ceremony) Ceremony { c.UserID = storage.ID{}; return c }, person),
		"a challenge that is over":         prove(person, mine, func(c Ceremony) Ceremony { c.ExpiresAt = h.time().Add(-time.Second); return c }, person),
		"hers, in somebody else's sitting": prove(person, mine, same, other),
	} {
		if !errors.Is(err, ErrWrong) {
			t.Errorf("%s: %v", name, err)
		}
	}
	nobody := h.create(t, storage.User{Username: "eve"})
	if options, _, err := h.BeginPasskeyFactor(h.person(t, nobody.ID)); options != nil || err != nil {
		t.Errorf("of whom has none: %s, %v", options, err)
	}
}

func TestWhatIsNoAnswerIsWrongAndNoPanic(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.create(t, storage.User{Username: "ada"})
	d := newDevice(ada.ID)
	person := h.person(t, ada.ID)
	options, adding, err := h.BeginPasskey(person)
	if err != nil {
		t.Fatal(err)
	}
	whole := string(d.create(t, options))
	h.addPasskey(t, ada.ID, d)
	gets, signing, err := h.BeginPasskeySignIn()
	if err != nil {
		t.Fatal(err)
	}
	answer := string(d.get(t, gets))
	bad := []string{"", "{}", "null", "[]", "0", `"x"`, strings.Repeat("[", 5000), "\xff", `{"id":"","rawId":"","type":"public-key","response":{}}`, `{"id":"AA","rawId":"AA","type":"public-key","response":null}`}
	for _, text := range []string{whole, answer} {
		bad = append(bad, text+"{}", text[:len(text)/2], strings.Replace(text, "public-key", "password", 1), strings.Replace(text, `"rawId":"`, `"rawId":"A`, 1),
			strings.Replace(text, `"id":"`, `"id":"A`, 1), strings.Replace(text, "clientDataJSON", "x", 1), strings.Replace(text, `"response":{`, `"response":{"x":{`, 1))
	}
	for _, text := range bad {
		if _, _, _, err := h.ProvePasskey(t.Context(), PasskeyProof{signing, []byte(text)}); !errors.Is(err, ErrWrong) {
			t.Errorf("a sign-in by %.60q: %v", text, err)
		}
		if _, _, err := h.ProvePasskeyNew(person, adding, []byte(text), ""); !errors.Is(err, ErrWrong) {
			t.Errorf("a new passkey by %.60q: %v", text, err)
		}
	}
	if _, _, _, err := h.ProvePasskey(t.Context(), PasskeyProof{signing, []byte(answer)}); err != nil {
		t.Errorf("whole: %v", err)
	}
}
