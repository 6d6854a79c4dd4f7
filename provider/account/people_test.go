package account

import (
	"context"
	"encoding/base64"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/sqlite"
)

// house is a People over a real store with a clock of its own.
type house struct {
	*People
	store   *sqlite.Store
	path    string // of the database
	limiter *throttle.Limiter
	now     atomic.Int64 // seconds
}

func (h *house) time() time.Time { return time.Unix(h.now.Load(), 0) }

func newHouse(t *testing.T) *house { return houseOf(t, SignUpOn) }

// houseOf is a house with that policy.
func houseOf(t *testing.T, signUp SignUp) *house {
	t.Helper()
	h := &house{path: filepath.Join(t.TempDir(), "signet.db")}
	h.now.Store(1700000000)
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: h.path, Clock: h.time})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	sealer, err := keys.ParseSecretKeys(base64.StdEncoding.EncodeToString([]byte("0123456789abcdef0123456789abcdef")))
	if err != nil {
		t.Fatal(err)
	}
	config := Config{
		Issuer: houseIssuer, Hash: Params{Memory: 256, Time: 2, Threads: 1}, Clock: h.time, Mint: mintOf(t, houseIssuer),
		SignUp: signUp, FactorRecovery: 72 * time.Hour,
	}
	if err := config.Validate(); err != nil {
		t.Fatal(err)
	}
	h.store, h.limiter = store, throttle.New(store)
	h.People = New(store, sealer, NewHasher(2), config)
	return h
}

func cli() By { return By{Actor: "cli"} }

const good = "correct horse battery staple"

// create makes a user with the password good.
func (h *house) create(t *testing.T, u storage.User) storage.User {
	t.Helper()
	made, err := h.Create(t.Context(), u, secret(good), cli())
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// signIn looks login up and proves password.
func (h *house) signIn(ctx context.Context, login, password string) (storage.SignIn, error) {
	candidate, err := h.Lookup(ctx, login)
	if err != nil {
		return storage.SignIn{}, err
	}
	turn, err := h.Queue(ctx, "192.0.2.1")
	if err != nil {
		return storage.SignIn{}, err
	}
	defer turn.Leave()
	return h.Prove(ctx, turn, candidate, secret(password))
}

// audited returns the kinds of the user's audit events, oldest first.
func (h *house) audited(t *testing.T, userID storage.ID) []string {
	t.Helper()
	events, err := h.store.ListEvents(t.Context(), storage.EventFilter{UserID: userID, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, e := range slices.Backward(events) {
		if e.Actor != "cli" {
			t.Errorf("event %s by %q", e.Kind, e.Actor)
		}
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// posted returns the kinds of the letters that wait.
func (h *house) posted(t *testing.T) []string {
	t.Helper()
	letters, err := h.store.ClaimLetters(t.Context(), 100, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, l := range letters {
		kinds = append(kinds, l.Kind)
	}
	slices.Sort(kinds)
	return kinds
}

func TestEverySpellingSignsInAndSharesOneBucket(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.create(t, storage.User{Username: "Ada", Email: "Countess@Example.ORG"})
	for _, login := range []string{
		"ada", "ADA", " ada ", "Ａｄａ", "countess@example.org", "COUNTESS@example.org\n", "countess＠example.org",
		ada.ID.String(), strings.ToUpper(ada.ID.String()),
	} {
		candidate, err := h.Lookup(t.Context(), login)
		if err != nil || candidate.Account() != ada.ID.String() {
			t.Errorf("%q counts for %q: %v", login, candidate.Account(), err)
		}
		if got, err := h.signIn(t.Context(), login, good); err != nil || got.User.ID != ada.ID {
			t.Errorf("%q does not sign in: %v", login, err)
		}
	}
	ghost, _ := h.Lookup(t.Context(), " GHOST")
	if ghost.Account() != "ghost" {
		t.Errorf("an unknown name counts for %q", ghost.Account())
	}
}

func TestNoNameBelongsToTwo(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t, storage.User{Username: "ada", Email: "ada@example.org"})
	bob := h.create(t, storage.User{Username: "bob"})
	for _, u := range []storage.User{
		{Username: "ADA"}, {Username: "ａｄａ"}, {Username: "eve", Email: "ADA@example.org"}, {Username: "eve", Email: "ada@EXAMPLE.org"},
	} {
		var bad *Invalid
		if _, err := h.Create(t.Context(), u, secret(good), cli()); !errors.As(err, &bad) || !errors.Is(err, storage.ErrTaken) {
			t.Errorf("%q <%s> was created beside ada: %v", u.Username, u.Email, err)
		}
		u.ID, u.Revision = bob.ID, bob.Revision
		if _, err := h.Update(t.Context(), u, cli()); !errors.Is(err, storage.ErrTaken) {
			t.Errorf("bob became %q <%s>: %v", u.Username, u.Email, err)
		}
	}
}

func TestEveryFailureIsOneErrorAtOneCost(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.create(t, storage.User{Username: "ada"})
	disabled := h.create(t, storage.User{Username: "disabled"})
	if err := h.Disable(t.Context(), disabled.ID, cli()); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Create(t.Context(), storage.User{Username: "passwordless"}, storage.Secret{}, cli()); err != nil {
		t.Fatal(err)
	}
	old := h.create(t, storage.User{Username: "oldhash"})
	cheaper := h.hasher.hash([]byte(good), cheap())
	if err := h.store.SetPassword(t.Context(), old.ID, 0, cheaper, storage.Also{}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ login, password string }{
		{"ada", "wrong password"},
		{"ada", ""},
		{"ada", strings.Repeat("x", MaxPassword+1)},
		{"ada", "\xff"},
		{"oldhash", "wrong password"},
		{"unknown", good},
		{"unknown", ""},
		{"not a name", good},
		{"", good},
		{"a@b@c", good},
		{"\x00", good},
		{"x@example.org", good},
		{"disabled", good},
		{"disabled", "wrong password"},
		{"passwordless", good},
		{"passwordless", ""},
		{"01890a5d-ac96-774b-bcce-b302099a8057", good},
	} {
		before := h.hasher.work.Load()
		_, err := h.signIn(t.Context(), c.login, c.password)
		if err != ErrWrong {
			t.Errorf("%q with %.20q: %v, want exactly ErrWrong", c.login, c.password, err)
		}
		if cost := h.hasher.work.Load() - before; cost != h.hash.cost() {
			t.Errorf("%q with %.20q cost %d KiB×passes, want %d", c.login, c.password, cost, h.hash.cost())
		}
	}
}

func TestACheaperHashIsRaisedAtSignInAndNothingElseChanges(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.create(t, storage.User{Username: "ada"})
	if err := h.store.SetPassword(t.Context(), ada.ID, 0, h.hasher.hash([]byte(good), cheap()), storage.Also{}); err != nil {
		t.Fatal(err)
	}
	before, err := h.signIn(t.Context(), "ada", good)
	if err != nil {
		t.Fatal(err)
	}
	after, err := h.Find(t.Context(), "ada")
	if err != nil {
		t.Fatal(err)
	}
	phc, err := ParsePHC(after.PasswordHash)
	if err != nil || phc.Params != h.hash || after.User.Revision != before.User.Revision {
		t.Errorf("hash %v (%v), revision %d → %d", phc.Params, err, before.User.Revision, after.User.Revision)
	}
	if _, err := h.signIn(t.Context(), "ada", good); err != nil {
		t.Errorf("the raised hash does not verify: %v", err)
	}
}

func TestPasswordsAreComparedWhole(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	long := strings.Repeat("0123456789abcdefghi;", 50)[:999]
	made, err := h.Create(t.Context(), storage.User{Username: "ada"}, secret(long+"A"), cli())
	if err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]error{long + "A": nil, long + "B": ErrWrong, long: ErrWrong, long + "A ": ErrWrong, long[:72]: ErrWrong} {
		if _, err := h.signIn(t.Context(), "ada", password); !errors.Is(err, want) {
			t.Errorf("…%q: %v, want %v", password[len(password)-2:], err, want)
		}
	}
	if err := h.SetPassword(t.Context(), made.ID, secret("nul\x00 pa\u0308ss é"), cli()); err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]error{
		"nul\x00 pa\u0308ss é": nil, "nul\x00 päss e\u0301": nil, "nul\x00\u00a0päss é": nil, "nul": ErrWrong, "nul päss é": ErrWrong, long + "A": ErrWrong,
	} {
		if _, err := h.signIn(t.Context(), "ada", password); !errors.Is(err, want) {
			t.Errorf("%+q: %v, want %v", password, err, want)
		}
	}
}

func TestAnOverloadedPoolRefusesBeforeHashing(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before := h.hasher.hashes.Load()
	if _, err := h.Queue(ctx, "x"); !refusedBusy(err) || h.hasher.hashes.Load() != before {
		t.Errorf("got %v after %d hashes", err, h.hasher.hashes.Load()-before)
	}
}

func TestConcurrentSignInsRaiseOnceAndAllSucceed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.create(t, storage.User{Username: "ada"})
	if err := h.store.SetPassword(t.Context(), ada.ID, 0, h.hasher.hash([]byte(good), cheap()), storage.Also{}); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			if _, err := h.signIn(t.Context(), "ada", good); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
}

func TestZeroConfigIsUsableAndBadOnesAreNamed(t *testing.T) {
	t.Parallel()
	if err := (Config{}).Validate(); err != nil {
		t.Error(err)
	}
	err := Config{MinPassword: 7, Hash: Params{Memory: 1, Time: 1, Threads: 1}}.Validate()
	if err == nil || !strings.Contains(err.Error(), "MinPassword") || !strings.Contains(err.Error(), "Hash") {
		t.Errorf("got %v, want both problems", err)
	}
}
