package storetest

import (
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func passkeyPromises() []promise {
	return []promise{
		{"AddPasskeyKeepsEveryFieldAndRaisesTheRevision", addPasskeyKeepsFields},
		{"AddPasskeyReplacesRecoveryCodesWhereItHasSome", addPasskeyCodes},
		{"AddPasskeyRefusesWhatIsTakenMovedOrNobodys", addPasskeyConditions},
		{"FindPasskeyFindsWhoseTheCredentialIsByteByByte", findPasskey},
		{"PasskeysAreReadOldestFirst", passkeysOldestFirst},
		{"RenamePasskeyChangesTheNameAlone", renamePasskey},
	}
}

func fullPasskey(n, user int) storage.Passkey {
	return storage.Passkey{
		ID: id(n), UserID: id(user), Name: "Key ‘1’ ", CredentialID: []byte{0, 0xff, '\'', byte(n)}, PublicKey: longKey(), AAGUID: id(99),
		Transports: []string{"internal", "hybrid", `a"b\c`}, SignCount: 1<<32 - 2, BackupEligible: true, BackedUp: true,
	}
}

func barePasskey(n, user int) storage.Passkey {
	return storage.Passkey{ID: id(n), UserID: id(user), CredentialID: []byte{byte(n)}, PublicKey: []byte{1}}
}

// longKey has all bytes and the length of an RSA key.
func longKey() []byte {
	key := make([]byte, 300)
	for i := range key {
		key[i] = byte(i)
	}
	return key
}

// passkey adds one at the user's revision.
func (s *subject) passkey(t *testing.T, p storage.Passkey, codes ...storage.Digest) {
	t.Helper()
	ok(t, s.AddPasskey(t.Context(), p, s.signIn(t, p.UserID).User.Revision, codes, storage.Also{}))
}

// ownDevice remembers a browser of user 1; ownDevices asserts how many are remembered.
func (s *subject) ownDevice(t *testing.T, n int) {
	t.Helper()
	d := storage.RememberedDevice{ID: id(n), Digest: deviceDigest(n), UserID: id(1), ExpiresAt: s.clock.Now().Add(time.Hour)}
	ok(t, s.RememberDevice(t.Context(), d, s.signIn(t, id(1)).User.Revision, storage.Also{}))
}

func (s *subject) ownDevices(t *testing.T, want int) {
	t.Helper()
	if n := len(s.devices(t, 1)); n != want {
		t.Fatalf("%d browsers are remembered, want %d", n, want)
	}
}

func addPasskeyKeepsFields(t *testing.T, s *subject) {
	full, bare := fullPasskey(5, 1), barePasskey(6, 1)
	s.user(t, 1)
	s.ownDevice(t, 20)
	given := full
	given.CreatedAt, given.UsedAt = start.Add(99*time.Hour), start.Add(98*time.Hour) // the store's to say
	before := s.signIn(t, id(1)).User
	ok(t, s.AddPasskey(t.Context(), given, 1, nil, storage.Also{}))
	s.ownDevices(t, 0)
	full.CreatedAt, bare.CreatedAt = start, start.Add(time.Microsecond)
	wholeRecord(t, full, "UsedAt")
	s.clock.Advance(time.Microsecond)
	s.passkey(t, bare)
	in := s.signIn(t, id(1))
	same(t, []storage.Passkey{full, bare}, in.Passkeys)
	before.Revision += 2 // and nothing else: updated_at speaks of claims
	sameUser(t, before, in.User)
	if !in.HasFactor() || in.RecoveryCodes != 0 {
		t.Fatalf("with two passkeys: %+v", in)
	}
	spend := s.proof(t, 1)
	spend.PasskeyID, spend.SignCount = id(5), 1<<32-1
	s.clock.Advance(time.Microsecond)
	ok(t, s.CreateGrant(t.Context(), bareGrant(10), spend, storage.Also{}))
	full.SignCount, full.BackedUp, full.UsedAt = 1<<32-1, false, s.clock.Now()
	s.clock.Advance(time.Hour)
	in = s.signIn(t, id(1))
	same(t, []storage.Passkey{full, bare}, in.Passkeys)
	login, err := s.FindLogin(t.Context(), in.User.Logins[0])
	ok(t, err)
	same(t, in, login)
}

func addPasskeyCodes(t *testing.T, s *subject) {
	s.user(t, 1)
	s.user(t, 2)
	s.passkey(t, fullPasskey(4, 2), digest("of 2"))
	s.passkey(t, fullPasskey(5, 1), digest("a"), digest("b"))
	s.passkey(t, fullPasskey(6, 1))
	if in := s.signIn(t, id(1)); in.RecoveryCodes != 2 || len(in.Passkeys) != 2 {
		t.Fatalf("%d codes and %d passkeys, want 2 and 2", in.RecoveryCodes, len(in.Passkeys))
	}
	s.passkey(t, fullPasskey(7, 1), digest("b"), digest("c"), digest("d"))
	if in := s.signIn(t, id(1)); in.RecoveryCodes != 3 || len(in.Passkeys) != 3 {
		t.Fatalf("%d codes and %d passkeys, want 3 and 3", in.RecoveryCodes, len(in.Passkeys))
	}
	spend := s.proof(t, 1)
	spend.RecoveryCode = digest("a")
	fails(t, s.CreateGrant(t.Context(), bareGrant(10), spend, storage.Also{}), storage.ErrSpent)
	spend.RecoveryCode = digest("c")
	ok(t, s.CreateGrant(t.Context(), bareGrant(10), spend, storage.Also{}))
	if in := s.signIn(t, id(2)); in.RecoveryCodes != 1 {
		t.Fatal("another user's codes were replaced")
	}
}

func addPasskeyConditions(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	s.user(t, 2)
	s.passkey(t, fullPasskey(5, 1), digest("a"))
	s.passkey(t, fullPasskey(7, 2))
	s.ownDevice(t, 20)
	before := s.signIn(t, id(1))
	now := before.User.Revision
	with := func(n, user int, credential []byte) storage.Passkey {
		p := fullPasskey(n, user)
		p.CredentialID = credential
		return p
	}
	for name, try := range map[string]struct {
		p        storage.Passkey
		revision int64
		want     error
	}{
		"an old revision":             {fullPasskey(6, 1), now - 1, storage.ErrMoved},
		"a revision to come":          {fullPasskey(6, 1), now + 1, storage.ErrMoved},
		"one's own ID":                {with(5, 1, []byte("new")), now, storage.ErrTaken},
		"another's ID":                {with(7, 1, []byte("new")), now, storage.ErrTaken},
		"one's own credential":        {with(6, 1, fullPasskey(5, 1).CredentialID), now, storage.ErrTaken},
		"another's credential":        {with(6, 1, fullPasskey(7, 2).CredentialID), now, storage.ErrTaken},
		"somebody who is not there":   {fullPasskey(6, 3), 1, storage.ErrNotFound},
		"that and a taken credential": {with(6, 3, fullPasskey(7, 2).CredentialID), 1, storage.ErrNotFound},
	} {
		if err := s.AddPasskey(ctx, try.p, try.revision, []storage.Digest{digest("x"), digest("y")}, storage.Also{}); !is(err, try.want) {
			t.Errorf("%s: %v, want %v", name, err, try.want)
		}
	}
	same(t, before, s.signIn(t, id(1)))
	s.ownDevices(t, 1)
}

func findPasskey(t *testing.T, s *subject) {
	ctx := t.Context()
	ids := [][]byte{{0}, {0, 0}, {}, []byte("a"), []byte("A"), []byte("a "), {0xff}, longKey()}
	for _, credential := range ids {
		_, err := s.FindPasskey(ctx, credential)
		fails(t, err, storage.ErrNotFound)
	}
	for n, credential := range ids {
		s.user(t, n+1)
		p := fullPasskey(100+n, n+1)
		p.CredentialID = credential
		s.passkey(t, p)
	}
	for n, credential := range ids {
		in, err := s.FindPasskey(ctx, credential)
		ok(t, err)
		same(t, s.signIn(t, id(n+1)), in)
	}
	_, err := s.FindPasskey(ctx, longKey()[:299])
	fails(t, err, storage.ErrNotFound)
}

func passkeysOldestFirst(t *testing.T, s *subject) {
	s.user(t, 1)
	s.factor(t, 1, 5, 100)
	s.factor(t, 1, 6, 100) // so that neither kind multiplies the other
	for _, n := range []int{13, 11, 12, 10} {
		s.passkey(t, fullPasskey(n, 1))
		s.clock.Advance(time.Second)
	}
	in := s.signIn(t, id(1))
	var got []int
	for _, p := range in.Passkeys {
		got = append(got, int(p.ID[15]))
	}
	same(t, []int{13, 11, 12, 10}, got)
	if len(in.Factors) != 2 {
		t.Fatalf("%d devices, want 2", len(in.Factors))
	}
}

func renamePasskey(t *testing.T, s *subject) {
	ctx := t.Context()
	s.user(t, 1)
	s.user(t, 2)
	s.passkey(t, fullPasskey(5, 1), digest("a"))
	s.passkey(t, fullPasskey(7, 2))
	s.ownDevice(t, 20)
	want := s.signIn(t, id(1))
	for _, c := range []struct{ user, key int }{{1, 7}, {2, 5}, {1, 6}, {3, 5}} {
		fails(t, s.RenamePasskey(ctx, id(c.user), id(c.key), "Mine"), storage.ErrNotFound)
	}
	same(t, want, s.signIn(t, id(1)))
	ok(t, s.RenamePasskey(ctx, id(1), id(5), "Ключ 'é' "))
	want.Passkeys[0].Name = "Ключ 'é' "
	same(t, want, s.signIn(t, id(1)))
	s.ownDevices(t, 1)
	if s.signIn(t, id(2)).Passkeys[0].Name != fullPasskey(7, 2).Name {
		t.Fatal("another user's passkey was renamed")
	}
}
