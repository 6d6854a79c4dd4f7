package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func userPromises() []promise {
	return []promise{
		{"CreateUserKeepsEveryField", createUserKeepsFields},
		{"CreateUserRefusesALoginThatBelongsToSomebody", createUserTaken},
		{"LoginsAreComparedByteByByte", loginsExact},
		{"ListUsersPagesInTheOrderOfCreation", listUsersPages},
		{"UpdateUserReplacesWhatItSays", updateUserReplaces},
		{"UpdateUserGoesByTheRevision", updateUserRevision},
		{"UpdateUserMovesLogins", updateUserLogins},
		{"UpdateUserEndsGrantsWhereItHasAReason", updateUserRevokes},
		{"DeleteUserTakesAllThatWasTheirsAndNothingElse", deleteUserTakesAll},
	}
}

func createUserKeepsFields(t *testing.T, s *subject) {
	full, bare := fullUser(1), bareUser(2)
	wholeRecord(t, full, "Revision", "CreatedAt", "UpdatedAt")
	for i, u := range []storage.User{full, bare} {
		given, hash := u, []string{"$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", ""}[i]
		given.Revision, given.CreatedAt, given.UpdatedAt = 42, start.Add(time.Hour), start.Add(time.Hour) // the store's to say
		ok(t, s.CreateUser(t.Context(), given, hash, storage.Also{}))
		u.Revision, u.CreatedAt, u.UpdatedAt = 1, s.clock.Now(), s.clock.Now()
		s.clock.Advance(time.Microsecond)
		got := s.signIn(t, u.ID)
		sameUser(t, u, got.User)
		same(t, storage.SignIn{PasswordHash: hash, Now: s.clock.Now(), User: got.User}, got)
		for _, login := range u.Logins {
			found, err := s.FindLogin(t.Context(), login)
			ok(t, err)
			same(t, got, found)
		}
	}
	_, err := s.FindUser(t.Context(), id(3))
	fails(t, err, storage.ErrNotFound)
}

func createUserTaken(t *testing.T, s *subject) {
	ok(t, s.CreateUser(t.Context(), fullUser(1), "hash", storage.Also{}))
	for _, logins := range [][]string{{"ada"}, {"new", "ada.o'neil+%_@example.org"}, {"ada", "new"}} {
		u := bareUser(2)
		u.Logins = logins
		fails(t, s.CreateUser(t.Context(), u, "hash", storage.Also{}), storage.ErrTaken)
		_, err := s.FindUser(t.Context(), id(2))
		fails(t, err, storage.ErrNotFound)
		_, err = s.FindLogin(t.Context(), "new")
		fails(t, err, storage.ErrNotFound)
	}
	u := bareUser(1)
	u.Logins = []string{"another"}
	fails(t, s.CreateUser(t.Context(), u, "hash", storage.Also{}), storage.ErrTaken)
	found, err := s.FindLogin(t.Context(), "ada")
	ok(t, err)
	if found.User.ID != id(1) {
		t.Fatalf("the login went to %s", found.User.ID)
	}
}

func loginsExact(t *testing.T, s *subject) {
	for n, name := range oddNames {
		_, err := s.FindLogin(t.Context(), name)
		fails(t, err, storage.ErrNotFound)
		u := bareUser(n + 1)
		u.Username, u.Email, u.Logins = name, name, []string{name, name + "@example.org"}
		ok(t, s.CreateUser(t.Context(), u, name, storage.Also{}))
	}
	for n, name := range oddNames {
		found, err := s.FindLogin(t.Context(), name)
		ok(t, err)
		if found.User.ID != id(n+1) || found.User.Username != name || found.User.Email != name || found.PasswordHash != name {
			t.Fatalf("asked for %q, got %+v", name, found)
		}
	}
	_, err := s.FindLogin(t.Context(), "")
	fails(t, err, storage.ErrNotFound)
}

func listUsersPages(t *testing.T, s *subject) {
	// Bytes order IDs, and no byte is signed.
	ids := []storage.ID{{0x7f, 15: 0xff}, {0x80}, {0xff}, id(3), id(1), id(2), id(256), {15: 1}, {0x01, 15: 1}}
	for _, user := range ids {
		ok(t, s.CreateUser(t.Context(), storage.User{ID: user, Logins: []string{user.String()}}, "", storage.Also{}))
	}
	slices.SortFunc(ids, func(a, b storage.ID) int { return slices.Compare(a[:], b[:]) })
	var got []storage.ID
	for after := (storage.ID{}); ; {
		page, err := s.ListUsers(t.Context(), after, 2)
		ok(t, err)
		if len(page) == 0 {
			break
		}
		if len(page) > 2 {
			t.Fatalf("a page of %d, limit 2", len(page))
		}
		for _, u := range page {
			sameUser(t, s.signIn(t, u.ID).User, u)
			got = append(got, u.ID)
		}
		after = got[len(got)-1]
	}
	same(t, ids, got)
}

func updateUserReplaces(t *testing.T, s *subject) {
	ok(t, s.CreateUser(t.Context(), bareUser(1), "hash", storage.Also{}))
	for revision, u := range []storage.User{fullUser(1), bareUser(1)} {
		s.clock.Advance(time.Hour)
		u.Revision, u.CreatedAt, u.UpdatedAt = int64(revision+1), start.Add(99*time.Hour), start.Add(99*time.Hour)
		ok(t, s.UpdateUser(t.Context(), u, "", storage.Also{}))
		u.Revision, u.CreatedAt, u.UpdatedAt = int64(revision+2), start, s.clock.Now()
		got := s.signIn(t, id(1))
		sameUser(t, u, got.User)
		if got.PasswordHash != "hash" {
			t.Fatal("updating a user changed the password")
		}
	}
}

func updateUserRevision(t *testing.T, s *subject) {
	s.user(t, 1)
	s.create(t, bareGrant(10))
	before := s.signIn(t, id(1))
	for _, revision := range []int64{0, 2} {
		u := fullUser(1)
		u.Revision = revision
		fails(t, s.UpdateUser(t.Context(), u, storage.ReasonAdmin, storage.Also{}), storage.ErrMoved)
		same(t, before, s.signIn(t, id(1)))
	}
	u := fullUser(2)
	u.Revision = 1
	fails(t, s.UpdateUser(t.Context(), u, storage.ReasonAdmin, storage.Also{}), storage.ErrNotFound)
	if s.grant(t, id(10)).State != storage.Active {
		t.Fatal("an update that failed revoked a grant")
	}
}

func updateUserLogins(t *testing.T, s *subject) {
	ctx := t.Context()
	first, second := bareUser(1), bareUser(2)
	first.Logins, second.Logins = []string{"a", "b"}, []string{"c"}
	ok(t, s.CreateUser(ctx, first, "", storage.Also{}))
	ok(t, s.CreateUser(ctx, second, "", storage.Also{}))

	first.Revision, first.Logins = 1, []string{"c", "d"}
	fails(t, s.UpdateUser(ctx, first, storage.ReasonAdmin, storage.Also{}), storage.ErrTaken)
	if u := s.signIn(t, id(1)).User; u.Revision != 1 || !slices.Contains(u.Logins, "a") || !slices.Contains(u.Logins, "b") {
		t.Fatalf("an update that failed changed the user: %+v", u)
	}
	first.Logins = []string{"b", "d"}
	ok(t, s.UpdateUser(ctx, first, "", storage.Also{}))
	second.Revision, second.Logins = 1, []string{"a"}
	ok(t, s.UpdateUser(ctx, second, "", storage.Also{}))
	for login, owner := range map[string]int{"a": 2, "b": 1, "d": 1} {
		found, err := s.FindLogin(ctx, login)
		ok(t, err)
		if found.User.ID != id(owner) {
			t.Fatalf("login %q belongs to %s, want %s", login, found.User.ID, id(owner))
		}
	}
	_, err := s.FindLogin(ctx, "c")
	fails(t, err, storage.ErrNotFound)
}

func updateUserRevokes(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	s.user(t, 2)
	s.create(t, bareGrant(10))
	s.create(t, waitingGrant(11))
	other := bareGrant(12)
	other.UserID = id(2)
	s.create(t, other)
	u := s.signIn(t, id(1)).User
	ok(t, s.UpdateUser(ctx, u, "", storage.Also{}))
	if s.grant(t, id(10)).State != storage.Active || s.grant(t, id(11)).State != storage.Pending {
		t.Fatal("an update without a reason revoked a grant")
	}
	s.clock.Advance(time.Second)
	u.Revision, u.DisabledAt = 2, s.clock.Now()
	ok(t, s.UpdateUser(ctx, u, storage.ReasonAdmin, storage.Also{}))
	for _, n := range []int{10, 11} {
		g := s.grant(t, id(n))
		if g.State != storage.Revoked || g.RevokedReason != storage.ReasonAdmin || !g.RevokedAt.Equal(s.clock.Now()) || g.Revision != 2 {
			t.Fatalf("grant %d of the disabled user: %+v", n, g)
		}
	}
	if s.grant(t, id(12)).State != storage.Active {
		t.Fatal("another user's grant was revoked")
	}
}

func deleteUserTakesAll(t *testing.T, s *subject) {
	ctx := t.Context()
	for n := 1; n <= 2; n++ {
		s.user(t, n)
		s.factor(t, n, 10*n, 100, digest("a"), digest("b"))
		ok(t, s.EnrollTOTP(ctx, storage.TOTP{ID: id(10*n + 1), UserID: id(n), Sealed: []byte("x")}, storage.Also{}))
		for m, g := range []storage.Grant{bareGrant(10 * n), waitingGrant(10*n + 1)} {
			g.UserID, g.ClientID = id(n), []string{"a", "b"}[m]
			s.create(t, g)
		}
	}
	login := s.signIn(t, id(1)).User.Logins[0]
	ok(t, s.DeleteUser(ctx, id(1), storage.Also{}))
	fails(t, s.DeleteUser(ctx, id(1), storage.Also{}), storage.ErrNotFound)
	_, err := s.FindUser(ctx, id(1))
	fails(t, err, storage.ErrNotFound)
	_, err = s.FindLogin(ctx, login)
	fails(t, err, storage.ErrNotFound)
	_, _, err = s.FindEnrollment(ctx, id(1))
	fails(t, err, storage.ErrNotFound)
	s.absent(t, 10)
	s.absent(t, 11)

	kept := s.signIn(t, id(2))
	if len(kept.Factors) != 1 || kept.RecoveryCodes != 2 || kept.PasswordHash != "hash" {
		t.Fatalf("another user lost something: %+v", kept)
	}
	s.grant(t, id(20))
	s.grant(t, id(21))
	heir := bareUser(3)
	heir.Logins = []string{login}
	ok(t, s.CreateUser(ctx, heir, "", storage.Also{}))
	if got := s.signIn(t, id(3)); got.PasswordHash != "" || len(got.Factors) != 0 || got.RecoveryCodes != 0 {
		t.Fatalf("the login's next owner inherited something: %+v", got)
	}
}
