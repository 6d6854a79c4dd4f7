package postgres_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/postgres"
)

func TestAGrantThatIsBeingMadeEndsWithItsSession(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	url := migrated(t)
	s := patient(t, url, nil)
	p := personIn(t, s, 1)
	in := p.sessions[0]
	push := storage.PushedRequest{Digest: digestOf(newID()), ClientID: p.client, Params: "a=b", ExpiresAt: time.Now().Add(time.Hour)}
	must(t, s.PushRequest(ctx, push))
	h := holding(t, url, `SELECT FROM pushed_requests FOR UPDATE`)
	code, spend := p.code(in), p.in(in)
	spend.Pushed = push.Digest
	making := begun(func() error { return s.CreateGrant(ctx, code, spend, storage.Also{}) })
	h.waiters(t, 1) // it has its session, and waits for its request
	var ended []storage.EndedSession
	ending := begun(func() (err error) {
		ended, err = s.EndSessions(ctx, storage.SessionsOf{ID: in.ID}, storage.ReasonLogout, storage.Also{})
		return err
	})
	h.waiters(t, 2)
	h.release(t)
	must(t, <-making)
	must(t, <-ending)
	if got := state(t, s, code.ID); got != storage.Revoked {
		t.Errorf("the session has ended, and what was granted in it is %s", got)
	}
	if len(ended) != 1 || len(ended[0].ClientIDs) != 1 || ended[0].ClientIDs[0] != p.client {
		t.Errorf("ended %+v, want the session with its client", ended)
	}
	letters, err := s.ClaimLetters(ctx, 2, time.Minute)
	if err != nil || len(letters) != 1 || letters[0].Data["client_ids"] != p.client || letters[0].Data["session_id"] != in.ID.String() {
		t.Fatalf("letters %+v, %v", letters, err)
	}
	// The database draws this ID, which is as any other: its time and version are in their places.
	id := uuid.UUID(letters[0].ID)
	sec, nsec := id.Time().UnixTime()
	if off := time.Unix(sec, nsec).Sub(letters[0].CreatedAt); id.Version() != 7 || id.Variant() != uuid.RFC4122 || off.Abs() > 2*time.Millisecond {
		t.Errorf("letter %s of version %d is %s off its creation", id, id.Version(), off)
	}
}

func TestNoGrantIsMadeInASessionThatIsEnding(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	url := migrated(t)
	s := patient(t, url, nil)
	p := personIn(t, s, 1)
	in := p.sessions[0]
	first, second, device := p.code(in), p.code(in), p.code(storage.Session{})
	must(t, s.CreateGrant(ctx, first, p.in(in), storage.Also{}))
	must(t, s.CreateGrant(ctx, device, storage.Spend{}, storage.Also{}))
	h := holding(t, url, `SELECT FROM grants WHERE id = $1 FOR UPDATE`, first.ID.String())
	ending := begun(func() error {
		_, err := s.EndSessions(ctx, storage.SessionsOf{ID: in.ID}, storage.ReasonLogout, storage.Also{})
		return err
	})
	h.waiters(t, 1) // it has the session, and waits for what was granted in it
	making := begun(func() error { return s.CreateGrant(ctx, second, p.in(in), storage.Also{}) })
	device.SessionID = in.ID
	moving := begun(func() error {
		return s.RedeemGrant(ctx, storage.Redemption{Grant: device, Revision: 1, Spend: p.in(in)})
	})
	h.waiters(t, 3)
	h.release(t)
	must(t, <-ending)
	for _, late := range []<-chan error{making, moving} {
		if err := <-late; !errors.Is(err, storage.ErrMoved) {
			t.Errorf("granted in a session that has ended: %v, want ErrMoved", err)
		}
	}
	if got := state(t, s, first.ID); got != storage.Revoked {
		t.Errorf("the session has ended, and what was granted in it is %s", got)
	}
}

func TestASessionThatIsBeingStartedEndsWithThePassword(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	url := migrated(t)
	s := patient(t, url, nil)
	p := personIn(t, s, 1)
	h := holding(t, url, `SELECT FROM sessions WHERE id = $1 FOR UPDATE`, p.sessions[0].ID.String())
	in, late := p.session(), p.session()
	starting := begun(func() error { return s.StartSession(ctx, in, 1, p.spend(1), storage.Also{}) })
	h.waiters(t, 1) // it is there, and waits for the one that it displaces
	changing := begun(func() error { return s.SetPassword(ctx, p.id, 0, "new", storage.Also{}) })
	h.waiters(t, 2)
	starting2 := begun(func() error { return s.StartSession(ctx, late, 1, p.spend(1), storage.Also{}) })
	h.waiters(t, 3)
	h.release(t)
	must(t, <-starting)
	must(t, <-changing)
	if err := <-starting2; !errors.Is(err, storage.ErrMoved) {
		t.Errorf("a sign-in with the old password: %v, want ErrMoved", err)
	}
	if left, _, err := s.ListSessions(ctx, p.id); err != nil || len(left) != 0 {
		t.Errorf("sessions %+v, %v: they outlive the password", left, err)
	}
}

func TestOneWhoHoldsASessionDelaysNoOther(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	url := migrated(t)
	s := open(t, postgres.Options{URL: url})
	p := personIn(t, s, 2)
	held, other := p.sessions[0], p.sessions[1]
	h := holding(t, url, `SELECT FROM sessions WHERE id = $1 FOR UPDATE`, held.ID.String())
	if found, _, err := s.FindSessions(ctx, []storage.Digest{held.Digest, other.Digest}); err != nil || len(found) != 2 {
		t.Errorf("reading waits: %d found, %v", len(found), err)
	}
	must(t, s.TouchSession(ctx, other.ID, storage.Seen{Agent: "a"}))
	must(t, s.CreateGrant(ctx, p.code(other), p.in(other), storage.Also{}))
	must(t, s.ChangeSession(ctx, other, p.in(other), storage.Also{}))
	if err := s.ChangeSession(ctx, held, p.in(held), storage.Also{}); !errors.Is(err, storage.ErrUnavailable) {
		t.Errorf("the one that is held: %v, want ErrUnavailable after the lock timeout", err)
	}
	if n, err := s.SweepExpired(ctx, 10, -2*time.Hour, 0); err != nil || n != 2 { // the other session and its grant
		t.Errorf("%d swept, %v: what somebody holds is left for the next time", n, err)
	}
	h.release(t)
	must(t, s.ChangeSession(ctx, held, p.in(held), storage.Also{}))
}

// What two want at once they take in one order, so that neither waits for the other: held is the session that nobody can change
// until both have begun, though they may rely on it.
func TestTwoWhoWantTheSameSessionsTakeThemInOneOrder(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		held          int
		first, second func(p *person) error
	}{
		{"TwoChanges", 0, func(p *person) error { return p.change(0) }, func(p *person) error { return p.change(0) }},
		{"AnEndOfAllAndAStart", 1, (*person).endAll, func(p *person) error {
			return p.StartSession(context.Background(), p.session(), 1, p.in(p.sessions[2]), storage.Also{})
		}},
		{"AnEndOfAllAndAChange", 1, (*person).endAll, func(p *person) error { return p.change(2) }},
		{"TwoEndsOfAll", 1, (*person).endAll, (*person).endAll},
		{"TwoStarts", 1, (*person).start, (*person).start},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			url := migrated(t)
			s := patient(t, url, nil)
			p := personIn(t, s, 3)
			h := holding(t, url, `SELECT FROM sessions WHERE id = $1 FOR KEY SHARE`, p.sessions[c.held].ID.String())
			first := begun(func() error { return c.first(p) })
			h.waiters(t, 1)
			second := begun(func() error { return c.second(p) })
			if c.name != "AnEndOfAllAndAChange" { // which need not wait, for it wants another session
				h.waiters(t, 2)
			}
			h.release(t)
			for _, answer := range []<-chan error{first, second} {
				if err := <-answer; err != nil && !errors.Is(err, storage.ErrMoved) && !errors.Is(err, storage.ErrNotFound) {
					t.Error(err)
				}
			}
			noCircle(t, s, url)
		})
	}
}

func (p *person) change(i int) error {
	in := p.sessions[i]
	return p.ChangeSession(context.Background(), in, p.in(in), storage.Also{})
}

func (p *person) start() error {
	return p.StartSession(context.Background(), p.session(), 1, p.spend(1), storage.Also{})
}

func (p *person) endAll() error { return p.end(storage.SessionsOf{UserID: p.id}) }

func (p *person) end(of storage.SessionsOf) error {
	_, err := p.EndSessions(context.Background(), of, storage.ReasonLogout, storage.Also{})
	return err
}

// Everything that touches a person's sessions at once, in any order: nobody waits in a circle.
func TestNobodyWaitsForSessionsInACircle(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	url := migrated(t)
	s := patient(t, url, nil)
	for range 12 {
		p := personIn(t, s, 4)
		todo := make(chan func() error, 100)
		for i, in := range p.sessions {
			code, elsewhere := p.code(in), p.in(p.sessions[(i+3)%len(p.sessions)])
			must(t, s.CreateGrant(ctx, code, p.in(in), storage.Also{}))
			must(t, s.RememberConsent(ctx, storage.Consent{UserID: p.id, ClientID: p.client, Scope: []string{"a"}}, storage.Also{}))
			for _, verb := range []func() error{
				func() error { return s.StartSession(ctx, p.session(), 2, elsewhere, storage.Also{}) },
				func() error { return s.StartSession(ctx, p.session(), 2, storage.Spend{}, storage.Also{}) },
				func() error { return p.change(i) },
				func() error { return s.ChangeSession(ctx, in, storage.Spend{}, storage.Also{}) },
				func() error { return s.TouchSession(ctx, in.ID, storage.Seen{}) },
				func() error { return s.CreateGrant(ctx, p.code(in), p.in(in), storage.Also{}) },
				func() error {
					return s.RedeemGrant(ctx, storage.Redemption{Grant: code, Revision: 1, Spend: elsewhere})
				},
				func() error { return p.end(storage.SessionsOf{UserID: p.id, Except: in.ID}) },
				func() error { return p.end(storage.SessionsOf{ID: in.ID}) },
				func() error { return s.SetPassword(ctx, p.id, 0, "new", storage.Also{}) },
				func() error {
					return s.UpdateUser(ctx, storage.User{ID: p.id, Revision: 1}, storage.ReasonAdmin, storage.Also{})
				},
				func() error { _, err := s.RemoveFactors(ctx, p.id, storage.Also{}); return err },
				func() error { _, err := s.WithdrawConsent(ctx, p.id, p.client, storage.Also{}); return err },
				func() error {
					if i == 0 {
						return s.DeleteClient(ctx, p.client, storage.Also{})
					}
					return s.DeleteUser(ctx, p.id, storage.Also{})
				},
			} {
				todo <- verb
			}
		}
		close(todo)
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				for verb := range todo {
					if err := verb(); err != nil && !errors.Is(err, storage.ErrMoved) && !errors.Is(err, storage.ErrNotFound) {
						t.Error(err)
					}
				}
			})
		}
		group.Wait()
	}
	noCircle(t, s, url)
}
