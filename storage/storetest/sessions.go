package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func sessionPromises() []promise {
	return []promise{
		{"StartSessionKeepsEveryField", startSessionKeepsFields},
		{"StartSessionRefusesAnIDOrDigestThatExists", startSessionTaken},
		{"StartSessionSpendsAsCreateGrantDoes", startSessionSpends},
		{"FindSessionsReadsThoseThatExistInTheOrderOfTheDigests", findSessionsOrder},
		{"FindSessionsTellsTheUserAndWhetherThereIsAFactor", findSessionsTellsUser},
		{"ChangeSessionReplacesAllButWhoseItIs", changeSessionReplaces},
		{"ChangeSessionGoesByTheRevision", changeSessionRevision},
		{"ChangeSessionSpendsAsCreateGrantDoes", changeSessionSpends},
		{"TouchSessionNotesTheUseAndNothingElse", touchSession},
		{"ListSessionsShowsThoseUsedLastFirst", listSessions},
	}
}

func bareSession(n, user int) storage.Session {
	return storage.Session{
		ID: id(n), Digest: sessionDigest(n), UserID: id(user), CreatedAt: start, UsedAt: start, ExpiresAt: start.Add(12 * time.Hour),
	}
}

func sessionDigest(n int) storage.Digest { return digest(fmt.Sprint("session ", n)) }

func fullSession(n, user int) storage.Session {
	return storage.Session{
		ID: id(n), Digest: sessionDigest(n), UserID: id(user),
		PasswordAt: start.Add(-time.Microsecond), FactorAt: start.Add(-2 * time.Microsecond), AuthTime: start.Add(-3 * time.Microsecond),
		ACR: "urn:acr:2 ", AMR: []string{"pwd", "otp", `a"b\c`}, ChosenAt: start.Add(-4 * time.Microsecond),
		CreatedAt: start.Add(-5 * time.Microsecond), UsedAt: start.Add(-6 * time.Microsecond),
		ExpiresAt: start.Add(12*time.Hour + time.Microsecond),
		Seen:      storage.Seen{Address: "2001:db8::1%eth0", Agent: `Mozilla <"é"> \ 🔑`},
	}
}

// session starts a session that relies on nothing, among as many as there may be.
func (s *subject) session(t *testing.T, in storage.Session) {
	t.Helper()
	ok(t, s.StartSession(t.Context(), in, 100, storage.Spend{}, storage.Also{}))
}

// found are those of the sessions that exist.
func (s *subject) found(t *testing.T, sessions ...int) []storage.SessionStanding {
	t.Helper()
	var digests []storage.Digest
	for _, n := range sessions {
		digests = append(digests, sessionDigest(n))
	}
	found, now, err := s.FindSessions(t.Context(), digests)
	ok(t, err)
	same(t, s.clock.Now(), now)
	return found
}

// standing is one session that must exist.
func (s *subject) standing(t *testing.T, n int) storage.Session {
	t.Helper()
	found := s.found(t, n)
	if len(found) != 1 {
		t.Fatalf("%d sessions of number %d", len(found), n)
	}
	return found[0].Session
}

// live asserts which of the sessions 1…99 exist.
func (s *subject) live(t *testing.T, want ...int) {
	t.Helper()
	var all, got []int
	for n := range 100 {
		all = append(all, n)
	}
	for _, st := range s.found(t, all...) {
		got = append(got, int(st.Session.ID[15]))
	}
	same(t, want, got)
}

func startSessionKeepsFields(t *testing.T, s *subject) {
	s.user(t, 1)
	full := fullSession(70, 1)
	wholeRecord(t, full, "Revision")
	bare := storage.Session{ID: id(71), Digest: sessionDigest(71), UserID: id(1), ExpiresAt: start.Add(time.Hour)}
	for _, want := range []storage.Session{full, bare} {
		given := want
		given.Revision = 42 // whatever the caller says, the row begins at 1
		s.session(t, given)
		want.Revision = 1
		if want.CreatedAt.IsZero() {
			want.CreatedAt = s.clock.Now()
		}
		same(t, want, s.standing(t, int(want.ID[15])))
	}
}

func startSessionTaken(t *testing.T, s *subject) {
	s.user(t, 1)
	s.session(t, fullSession(70, 1))
	before := s.standing(t, 70)
	sameID, sameDigest := bareSession(71, 1), bareSession(72, 1)
	sameID.ID, sameDigest.Digest = id(70), sessionDigest(70)
	for _, taken := range []storage.Session{sameID, sameDigest} {
		fails(t, s.StartSession(t.Context(), taken, 1, storage.Spend{}, storage.Also{}), storage.ErrTaken)
	}
	same(t, before, s.standing(t, 70))
	s.live(t, 70)
}

func startSessionSpends(t *testing.T, s *subject) {
	ctx := t.Context()
	begin := func(n int, spend storage.Spend) error {
		return s.StartSession(ctx, bareSession(n, 1), 100, spend, storage.Also{})
	}
	fails(t, begin(70, storage.Spend{}), storage.ErrNotFound, storage.ErrMoved) // no such user
	s.user(t, 1)
	s.factor(t, 1, 5, 100, digest("a"))
	proof := s.proof(t, 1)
	moved, step, code := proof, proof, proof
	moved.UserRevision--
	step.FactorID, step.Step = id(5), 101
	code.RecoveryCode = digest("a")
	fails(t, begin(70, moved), storage.ErrMoved)
	ok(t, begin(70, step))
	fails(t, begin(71, step), storage.ErrSpent)
	ok(t, begin(72, code))
	fails(t, begin(73, code), storage.ErrSpent)
	u := s.signIn(t, id(1)).User
	u.DisabledAt = s.clock.Now()
	ok(t, s.UpdateUser(ctx, u, "", storage.Also{}))
	fails(t, begin(74, s.proof(t, 1)), storage.ErrMoved)
	s.live(t, 70, 72)
}

func findSessionsOrder(t *testing.T, s *subject) {
	s.user(t, 1)
	s.user(t, 2)
	for _, n := range []int{70, 71, 72, 73} {
		s.session(t, bareSession(n, 1+n%2))
	}
	s.clock.Advance(13 * time.Hour) // expired ones too
	for _, asked := range [][]int{{70, 71, 72}, {72, 71, 70}, {71, 99, 73, 98, 70}, {99}, nil} {
		var want, got []int
		for _, n := range asked {
			if n < 90 {
				want = append(want, n)
			}
		}
		for _, st := range s.found(t, asked...) {
			got = append(got, int(st.Session.ID[15]))
		}
		same(t, want, got)
	}
}

func findSessionsTellsUser(t *testing.T, s *subject) {
	ctx := t.Context()
	ok(t, s.CreateUser(ctx, fullUser(1), "hash", storage.Also{}))
	s.user(t, 2)
	s.session(t, bareSession(70, 1))
	s.session(t, bareSession(71, 2))
	tells := func(want ...bool) {
		t.Helper()
		for i, st := range s.found(t, 70, 71) {
			sameUser(t, s.signIn(t, id(i+1)).User, st.User)
			if st.HasFactor != want[i] {
				t.Fatalf("user %d has a factor: %v", i+1, st.HasFactor)
			}
		}
	}
	tells(false, false)
	ok(t, s.EnrollTOTP(ctx, fullTOTP(5, 1), storage.Also{}))
	tells(false, false)
	ok(t, s.ConfirmTOTP(ctx, id(1), id(5), 0, 1, nil, storage.Also{}))
	tells(true, false)
	_, err := s.RemoveFactors(ctx, id(1), storage.Also{})
	ok(t, err)
	tells(false, false)
}

func changeSessionReplaces(t *testing.T, s *subject) {
	s.user(t, 1)
	s.user(t, 2)
	s.session(t, bareSession(70, 1))
	s.session(t, bareSession(71, 1))
	neighbour := s.standing(t, 71)
	s.clock.Advance(time.Hour)
	shall := fullSession(70, 2) // another's it cannot become
	shall.Revision, shall.Digest = 1, sessionDigest(75)
	ok(t, s.ChangeSession(t.Context(), shall, storage.Spend{}, storage.Also{}))
	shall.Revision, shall.UserID, shall.CreatedAt = 2, id(1), start
	same(t, shall, s.standing(t, 75))
	if found := s.found(t, 70); len(found) != 0 {
		t.Fatal("the secret that was replaced still opens the session")
	}
	emptied := storage.Session{ID: id(70), Digest: sessionDigest(70), Revision: 2, ExpiresAt: start.Add(time.Hour)}
	ok(t, s.ChangeSession(t.Context(), emptied, storage.Spend{}, storage.Also{}))
	emptied.Revision, emptied.UserID, emptied.CreatedAt = 3, id(1), start
	same(t, emptied, s.standing(t, 70))
	same(t, neighbour, s.standing(t, 71))
}

func changeSessionRevision(t *testing.T, s *subject) {
	s.user(t, 1)
	s.session(t, bareSession(70, 1))
	before := s.standing(t, 70)
	change := func(n int, revision int64) error {
		shall := fullSession(n, 1)
		shall.Revision = revision
		return s.ChangeSession(t.Context(), shall, storage.Spend{}, storage.Also{})
	}
	fails(t, change(70, 0), storage.ErrMoved)
	fails(t, change(70, 2), storage.ErrMoved)
	fails(t, change(71, 1), storage.ErrNotFound)
	same(t, before, s.standing(t, 70))
	s.live(t, 70)
}

func changeSessionSpends(t *testing.T, s *subject) {
	s.user(t, 1)
	s.factor(t, 1, 5, 100)
	s.session(t, bareSession(70, 1))
	change := func(revision int64, spend storage.Spend) error {
		shall := bareSession(70, 1)
		shall.Revision, shall.Digest = revision, sessionDigest(71)
		return s.ChangeSession(t.Context(), shall, spend, storage.Also{})
	}
	proof := s.proof(t, 1)
	moved, step := proof, proof
	moved.UserRevision--
	step.FactorID, step.Step = id(5), 101
	fails(t, change(1, moved), storage.ErrMoved)
	s.live(t, 70)
	ok(t, change(1, step))
	fails(t, change(2, step), storage.ErrSpent)
	own := s.proof(t, 1) // a change may rely on the session as it was
	own.SessionID, own.SessionRevision = id(70), 2
	ok(t, change(2, own))
	fails(t, change(3, own), storage.ErrMoved)
	if got := s.standing(t, 71).Revision; got != 3 {
		t.Fatalf("revision %d, want 3", got)
	}
}

func touchSession(t *testing.T, s *subject) {
	s.user(t, 1)
	want := fullSession(70, 1)
	s.session(t, want)
	s.session(t, bareSession(71, 1))
	s.clock.Advance(20 * time.Minute)
	want.Revision, want.UsedAt, want.Seen = 1, s.clock.Now(), storage.Seen{Address: "192.0.2.7", Agent: "é "}
	ok(t, s.TouchSession(t.Context(), id(70), want.Seen))
	same(t, want, s.standing(t, 70))
	want.Seen = storage.Seen{}
	ok(t, s.TouchSession(t.Context(), id(70), want.Seen))
	same(t, want, s.standing(t, 70))
	ok(t, s.TouchSession(t.Context(), id(72), storage.Seen{}))
	if got := s.standing(t, 71); !got.UsedAt.Equal(start) {
		t.Fatalf("another session was used at %v", got.UsedAt)
	}
	s.live(t, 70, 71)
}

func listSessions(t *testing.T, s *subject) {
	s.user(t, 1)
	s.user(t, 2)
	used := map[int]time.Duration{70: 3 * time.Second, 71: time.Microsecond, 72: 5 * time.Second, 73: 4 * time.Second}
	for _, n := range []int{70, 71, 72, 73} {
		in := fullSession(n, 1+n/73)
		in.UsedAt = start.Add(used[n])
		s.session(t, in)
	}
	s.clock.Advance(13 * time.Hour)
	listed, now, err := s.ListSessions(t.Context(), id(1))
	ok(t, err)
	same(t, s.clock.Now(), now)
	same(t, []storage.Session{s.standing(t, 72), s.standing(t, 70), s.standing(t, 71)}, listed)
	listed, now, err = s.ListSessions(t.Context(), id(3))
	ok(t, err)
	same(t, s.clock.Now(), now)
	if len(listed) != 0 {
		t.Fatalf("sessions of nobody: %+v", listed)
	}
}
