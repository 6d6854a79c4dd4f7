package storetest

import (
	"fmt"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func devicePromises() []promise {
	return []promise{
		{"RememberDeviceKeepsEveryField", rememberDeviceKeepsFields},
		{"RememberDeviceGoesByTheUsersRevision", rememberDeviceRevision},
		{"RememberDeviceRefusesAnIDOrDigestThatExists", rememberDeviceTaken},
		{"FindDevicesReadsThoseThatExist", findDevices},
		{"ListDevicesShowsTheNewestFirst", listDevices},
		{"ForgetDevicesForgetsOneOrAllOfAUser", forgetDevices},
		{"ANewPasswordForgetsTheDevices", passwordForgets},
		{"NewFactorsForgetTheDevices", factorsForget},
		{"DeletingAUserForgetsTheDevices", deletionForgets},
		{"SweepRemovesDevicesPastTheirEnd", sweepDevices},
	}
}

func deviceDigest(n int) storage.Digest { return digest(fmt.Sprint("device ", n)) }

func fullDevice(n, user int) storage.RememberedDevice {
	return storage.RememberedDevice{
		ID: id(n), Digest: deviceDigest(n), UserID: id(user), CreatedAt: start, ExpiresAt: start.Add(30*24*time.Hour + time.Microsecond),
		Seen: storage.Seen{Address: "2001:db8::1%eth0", Agent: `Mozilla <"é"> \ 🔑`},
	}
}

// device remembers a device of the user as that is now.
func (s *subject) device(t *testing.T, d storage.RememberedDevice) {
	t.Helper()
	revision := s.signIn(t, d.UserID).User.Revision
	ok(t, s.RememberDevice(t.Context(), d, revision, storage.Also{}))
}

// remembered asserts which of the devices 60…69 exist.
func (s *subject) remembered(t *testing.T, want ...int) {
	t.Helper()
	var digests []storage.Digest
	for n := 60; n < 70; n++ {
		digests = append(digests, deviceDigest(n))
	}
	found, now, err := s.FindDevices(t.Context(), digests)
	ok(t, err)
	same(t, s.clock.Now(), now)
	var got []int
	for _, d := range found {
		got = append(got, int(d.ID[15]))
	}
	same(t, want, got)
}

func (s *subject) devices(t *testing.T, user int) []storage.RememberedDevice {
	t.Helper()
	listed, err := s.ListDevices(t.Context(), id(user))
	ok(t, err)
	return listed
}

func rememberDeviceKeepsFields(t *testing.T, s *subject) {
	s.user(t, 1)
	full := fullDevice(60, 1)
	wholeRecord(t, full)
	bare := storage.RememberedDevice{ID: id(61), Digest: deviceDigest(61), UserID: id(1), ExpiresAt: start.Add(time.Hour)}
	for _, want := range []storage.RememberedDevice{full, bare} {
		given := want
		given.CreatedAt = start.Add(time.Hour) // the store's to say
		s.device(t, given)
		want.CreatedAt = start
		found, _, err := s.FindDevices(t.Context(), []storage.Digest{want.Digest})
		ok(t, err)
		same(t, []storage.RememberedDevice{want}, found)
		same(t, want, s.devices(t, 1)[0])
	}
}

func rememberDeviceRevision(t *testing.T, s *subject) {
	remember := func(n, user int, revision int64) error {
		return s.RememberDevice(t.Context(), fullDevice(n, user), revision, storage.Also{})
	}
	fails(t, remember(60, 1, 1), storage.ErrMoved) // no such user
	s.user(t, 1)
	fails(t, remember(60, 1, 0), storage.ErrMoved)
	fails(t, remember(60, 1, 2), storage.ErrMoved)
	ok(t, s.SetPassword(t.Context(), id(1), 0, "new", storage.Also{}))
	fails(t, remember(60, 1, 1), storage.ErrMoved)
	s.remembered(t)
	ok(t, remember(60, 1, 2))
	s.remembered(t, 60)
	if got := s.signIn(t, id(1)).User.Revision; got != 2 {
		t.Fatalf("remembering a device made the user's revision %d", got)
	}
}

func rememberDeviceTaken(t *testing.T, s *subject) {
	s.user(t, 1)
	s.device(t, fullDevice(60, 1))
	before := s.devices(t, 1)
	sameID, sameDigest := fullDevice(61, 1), fullDevice(62, 1)
	sameID.ID, sameDigest.Digest = id(60), deviceDigest(60)
	for _, taken := range []storage.RememberedDevice{sameID, sameDigest} {
		fails(t, s.RememberDevice(t.Context(), taken, 1, storage.Also{}), storage.ErrTaken)
	}
	same(t, before, s.devices(t, 1))
}

func findDevices(t *testing.T, s *subject) {
	s.remembered(t)
	s.user(t, 1)
	s.user(t, 2)
	for n := 60; n < 64; n++ {
		s.device(t, fullDevice(n, 1+n%2))
	}
	s.clock.Advance(60 * 24 * time.Hour) // expired ones too
	s.remembered(t, 60, 61, 62, 63)
	found, now, err := s.FindDevices(t.Context(), nil)
	ok(t, err)
	same(t, s.clock.Now(), now)
	if len(found) != 0 {
		t.Fatalf("%d devices of no digest", len(found))
	}
}

func listDevices(t *testing.T, s *subject) {
	s.user(t, 1)
	s.user(t, 2)
	for _, n := range []int{62, 60, 63, 61} {
		s.device(t, fullDevice(n, 1+n/63))
		s.clock.Advance(time.Microsecond)
	}
	var got []int
	for _, d := range s.devices(t, 1) {
		got = append(got, int(d.ID[15]))
	}
	same(t, []int{61, 60, 62}, got)
	if n := len(s.devices(t, 3)); n != 0 {
		t.Fatalf("%d devices of nobody", n)
	}
}

func forgetDevices(t *testing.T, s *subject) {
	s.user(t, 1)
	s.user(t, 2)
	for n := 60; n < 65; n++ {
		s.device(t, fullDevice(n, 1+n/63))
	}
	forget := func(want, user int, device storage.ID) {
		t.Helper()
		n, err := s.ForgetDevices(t.Context(), id(user), device, storage.Also{})
		ok(t, err)
		if n != want {
			t.Fatalf("%d devices forgotten, want %d", n, want)
		}
	}
	forget(0, 2, id(60)) // another's
	forget(0, 1, id(69))
	forget(0, 3, storage.ID{})
	s.remembered(t, 60, 61, 62, 63, 64)
	forget(1, 1, id(61))
	forget(0, 1, id(61))
	s.remembered(t, 60, 62, 63, 64)
	forget(2, 1, storage.ID{})
	s.remembered(t, 63, 64)
	if got := s.signIn(t, id(1)).User.Revision; got != 1 {
		t.Fatalf("forgetting devices made the user's revision %d", got)
	}
}

// twoDevices makes users 1 and 2, each with a device that is remembered.
func (s *subject) twoDevices(t *testing.T) {
	t.Helper()
	for n := 1; n <= 2; n++ {
		s.user(t, n)
		s.device(t, fullDevice(60+n, n))
	}
}

func passwordForgets(t *testing.T, s *subject) {
	s.twoDevices(t)
	ok(t, s.RaiseHash(t.Context(), id(1), "hash", "costlier"))
	ok(t, s.UpdateUser(t.Context(), s.signIn(t, id(1)).User, "", storage.Also{}))
	s.remembered(t, 61, 62)
	ok(t, s.SetPassword(t.Context(), id(1), 0, "new", storage.Also{}))
	s.remembered(t, 62)
}

func factorsForget(t *testing.T, s *subject) {
	s.twoDevices(t)
	ok(t, s.EnrollTOTP(t.Context(), fullTOTP(5, 1), storage.Also{}))
	fails(t, s.ConfirmTOTP(t.Context(), id(1), id(6), 0, 1, nil, storage.Also{}), storage.ErrMoved)
	s.remembered(t, 61, 62)
	ok(t, s.ConfirmTOTP(t.Context(), id(1), id(5), 0, 1, nil, storage.Also{}))
	s.remembered(t, 62)
	s.device(t, fullDevice(61, 1))
	_, err := s.RemoveFactors(t.Context(), id(1), storage.Also{})
	ok(t, err)
	s.remembered(t, 62)
}

func deletionForgets(t *testing.T, s *subject) {
	s.twoDevices(t)
	ok(t, s.DeleteUser(t.Context(), id(1), storage.Also{}))
	s.remembered(t, 62)
}

func sweepDevices(t *testing.T, s *subject) {
	s.user(t, 1)
	for n := 60; n < 64; n++ {
		d := fullDevice(n, 1)
		d.ExpiresAt = start.Add(time.Hour + time.Duration(n/63)*time.Microsecond)
		s.device(t, d)
	}
	s.clock.Advance(time.Hour + time.Minute)
	s.sweeps(t, 0, 10, time.Minute, 0)
	s.clock.Advance(time.Microsecond)
	s.sweeps(t, 2, 2, time.Minute, 0)
	s.sweeps(t, 1, 2, time.Minute, 0)
	s.remembered(t, 63)
}
