package account

import (
	"database/sql"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/storage"
)

// stranger is somebody who has proven nothing, each at an address of their own.
func stranger(n byte) (throttle.Caller, By) {
	address := "192.0.2." + string('0'+n%10) + string('0'+n/10%10)
	return throttle.Caller{Address: address}, By{Seen: storage.Seen{Address: address}, Locale: "de"}
}

// rows counts what is in every table that an asking may write to.
func (h *house) rows(t *testing.T) map[string]int {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+h.path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	counts := map[string]int{"hashes": int(h.hasher.hashes.Load())}
	for _, table := range []string{"tickets", "outbox", "audit_events", "users", "logins", "buckets", "sessions"} {
		var n int
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
			t.Fatal(err)
		}
		counts[table] = n
	}
	return counts
}

// wrote is what act adds to each of them, without what it adds nothing to.
func (h *house) wrote(t *testing.T, act func()) map[string]int {
	t.Helper()
	before := h.rows(t)
	act()
	after := h.rows(t)
	for table := range after {
		after[table] -= before[table]
	}
	maps.DeleteFunc(after, func(_ string, n int) bool { return n == 0 })
	return after
}

// mail is the letters that wait; each is taken once.
func (h *house) mail(t *testing.T) []storage.Letter {
	t.Helper()
	all, err := h.store.ClaimLetters(t.Context(), 100, 1000*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// letter is the only letter of that kind that waits.
func (h *house) letter(t *testing.T, kind string) storage.Letter {
	t.Helper()
	var found []storage.Letter
	var kinds []string
	for _, l := range h.mail(t) {
		kinds = append(kinds, l.Kind)
		if l.Kind == kind {
			found = append(found, l)
		}
	}
	if len(found) != 1 {
		t.Fatalf("the letters are %v, want one %s", kinds, kind)
	}
	return found[0]
}

// mailed is the ticket whose link the only letter of that kind brings.
func (h *house) mailed(t *testing.T, kind string) storage.ID {
	t.Helper()
	l := h.letter(t, kind)
	id, err := storage.ParseID(l.Data[storage.LetterTicket])
	if err != nil {
		t.Fatalf("the letter %s: %v", kind, l.Data)
	}
	link, err := h.MailLink(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := h.OpenLink(link[strings.Index(link, "=")+1:])
	if err != nil || opened != id {
		t.Fatalf("%s opens %v, %v", link, opened, err)
	}
	return id
}

// told are the kinds of the user's events, oldest first.
func (h *house) told(t *testing.T, userID storage.ID) []string {
	t.Helper()
	events, err := h.store.ListEvents(t.Context(), storage.EventFilter{UserID: userID, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for _, e := range slices.Backward(events) {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

// atOnce has n callers do act at once and returns what each got.
func atOnce(n int, act func() error) []error {
	results := make([]error, n)
	var ready, all sync.WaitGroup
	ready.Add(n)
	start := make(chan struct{})
	for i := range n {
		all.Go(func() {
			ready.Done()
			<-start
			results[i] = act()
		})
	}
	ready.Wait()
	close(start)
	all.Wait()
	return results
}

// oneWinner fails where not exactly one got nil and all others lost.
func oneWinner(t *testing.T, results []error, lost error) {
	t.Helper()
	won := 0
	for _, err := range results {
		switch {
		case err == nil:
			won++
		case !errors.Is(err, lost):
			t.Errorf("a loser got %v, want %v", err, lost)
		}
	}
	if won != 1 {
		t.Errorf("%d of %d won", won, len(results))
	}
}

func is(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: %v, want %v", what, err, want)
	}
}

func refused(t *testing.T, err error, field string) {
	t.Helper()
	if bad := (*Invalid)(nil); !errors.As(err, &bad) || bad.Field != field {
		t.Errorf("got %v, want the field %s refused", err, field)
	}
}

func TestWhoIsAskedAboutCannotBeToldFromTheWork(t *testing.T) {
	t.Parallel()
	want := map[string]int{"tickets": 1, "outbox": 1, "audit_events": 1, "buckets": 2}
	for _, policy := range []SignUp{SignUpOn, SignUpInvite} {
		h := houseOf(t, policy)
		ctx := t.Context()
		h.create(t, storage.User{Username: "ada", Email: "ada@example.org"})
		h.create(t, storage.User{Username: "bare"})
		gone := h.create(t, storage.User{Username: "gone", Email: "gone@example.org"})
		if err := h.Disable(ctx, gone.ID, cli()); err != nil {
			t.Fatal(err)
		}
		if _, _, err := h.Invite(ctx, "invited@example.org", false, cli()); err != nil {
			t.Fatal(err)
		}
		h.mail(t)
		asked := byte(0)
		for address, letter := range map[string]map[SignUp]string{
			"ada@example.org":     {SignUpOn: "sign_up_known", SignUpInvite: "sign_up_known"},
			"GONE@example.org":    {SignUpOn: "sign_up_known", SignUpInvite: "sign_up_known"},
			"new@example.org":     {SignUpOn: "sign_up", SignUpInvite: "nothing_here"},
			"Invited@example.org": {SignUpOn: "sign_up", SignUpInvite: "sign_up"},
		} {
			asked++
			from, by := stranger(asked)
			got := h.wrote(t, func() {
				if err := h.AskToJoin(ctx, h.limiter, from, address, "stx_request", by); err != nil {
					t.Errorf("%s: %v", address, err)
				}
			})
			if !maps.Equal(got, want) {
				t.Errorf("%s signs up: %v, want %v", address, got, want)
			}
			h.letter(t, letter[policy])
		}
		h.now.Add(3600)
		for login, letter := range map[string]string{
			"ada": "reset", "bare": "nothing_here", "gone": "nothing_here", "Nobody@example.org": "nothing_here", "no\tname": "nothing_here",
		} {
			asked++
			from, by := stranger(asked)
			got := h.wrote(t, func() {
				if err := h.AskToReset(ctx, h.limiter, from, login, "stx_request", by); err != nil {
					t.Errorf("%s: %v", login, err)
				}
			})
			delete(got, "buckets") // those of the address were there, or swept
			if !maps.Equal(got, map[string]int{"tickets": 1, "outbox": 1, "audit_events": 1}) {
				t.Errorf("%s resets: %v", login, got)
			}
			h.letter(t, letter)
		}
	}
}

func TestMailToOneAddressIsBoundedByEachNameOfIts(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	h.create(t, storage.User{Username: "ada", Email: "ada@example.org"})
	for i, login := range []string{"ada@example.org", " ADA@example.org", "ada@EXAMPLE.org", "ada", "Ada", "ADA "} {
		from, by := stranger(byte(i))
		if err := h.AskToReset(ctx, h.limiter, from, login, "", by); err != nil {
			t.Fatal(err)
		}
	}
	from, by := stranger(9)
	for name, err := range map[string]error{
		"reset":             h.AskToReset(ctx, h.limiter, from, "Ada", "", by),
		"reset by address":  h.AskToReset(ctx, h.limiter, from, "Ada@example.org", "", by),
		"sign up":           h.AskToJoin(ctx, h.limiter, from, "ada@EXAMPLE.org", "", by),
		"have it by change": h.AskToChangeEmail(ctx, h.limiter, from, storage.User{}, "ada@example.org", by),
	} {
		if refusal := oauth.As(err); refusal == nil || refusal.Code != oauth.SlowDown {
			t.Errorf("the fourth mail, to %s: %v", name, err)
		}
	}
	if n := len(h.mail(t)); n != 6 {
		t.Errorf("%d mails to one address", n)
	}
}

// Whoever uses up the mails to an address, and then asks by a username, must not hear whether the two are one person's.
func TestMailsToAnAddressTellNothingOfUsernames(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := t.Context()
	h.create(t, storage.User{Username: "ada", Email: "ada@example.org"})
	for i := range 3 {
		from, by := stranger(byte(i))
		if err := h.AskToJoin(ctx, h.limiter, from, "ada@example.org", "", by); err != nil {
			t.Fatal(err)
		}
	}
	from, by := stranger(9)
	for _, login := range []string{"ada", "bob"} {
		if err := h.AskToReset(ctx, h.limiter, from, login, "", by); err != nil {
			t.Errorf("a reset by the username %s: %v", login, err)
		}
	}
}
