package mail

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestAServerThatFailedIsLeftAlone, so that the rest of the outbox does not wait for it, and tried again by and by.
func TestAServerThatFailedIsLeftAlone(t *testing.T) {
	t.Parallel()
	server := startServer(t, func(m *mailServer) { m.answers["EHLO"] = "drop" })
	o := newOffice(t, server.transport("smtp", false))
	ada := o.user("ada", "ada@example.org")
	for range 3 {
		o.write("password_changed", ada, nil)
	}
	if n, err := o.deliverDue(); n != 3 || !errors.Is(err, errResting) || fmt.Sprint(o.failed) != "[unreachable]" {
		t.Fatalf("%d letters, %v, failures %v", n, err, o.failed)
	}
	back := startServer(t, nil)
	o.Mail.config.Transport = back.transport("smtp", false)
	o.pass(firstRetry)
	if n, err := o.deliverDue(); n != 3 || !errors.Is(err, errResting) {
		t.Errorf("%d letters, %v", n, err)
	}
	o.pass(time.Minute)
	if n, err := o.deliverDue(); n != 3 || err != nil || len(back.took()) != 3 {
		t.Errorf("%d letters, %v, %d mails", n, err, len(back.took()))
	}
}

func TestFewMailsAreUnderWayAtOnce(t *testing.T) {
	t.Parallel()
	server := startServer(t, func(m *mailServer) { m.hold = make(chan struct{}) })
	o := newOffice(t, server.transport("smtp", false))
	ada := o.user("ada", "ada@example.org")
	for range 3 * atOnce {
		o.write("password_changed", ada, nil)
	}
	var all sync.WaitGroup
	for _, l := range o.claim() {
		all.Go(func() {
			if err := o.Deliver(t.Context(), l); err != nil && !errors.Is(err, errBusy) {
				t.Error(err)
			}
		})
	}
	for range atOnce {
		<-server.hangs
	}
	close(server.hold)
	all.Wait()
	if n := len(server.took()); n < atOnce || server.top != atOnce {
		t.Errorf("%d mails, %d at once", n, server.top)
	}
}

// TestALetterThatGetsNoTurnGoesBack into the outbox before its lease ends.
func TestALetterThatGetsNoTurnGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(time.Now)
		for range atOnce {
			if err := g.enter(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if err := g.enter(t.Context()); !errors.Is(err, errBusy) {
			t.Errorf("the fifth: %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := g.enter(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("a server that stops: %v", err)
		}
		for range atOnce {
			g.leave(true)
		}
		for _, rest := range []time.Duration{firstRest, 2 * firstRest, 4 * firstRest, 8 * firstRest, lastRest, lastRest} {
			time.Sleep(rest - time.Second)
			if err := g.enter(t.Context()); !errors.Is(err, errResting) {
				t.Fatalf("it rests for less than %s: %v", rest, err)
			}
			time.Sleep(time.Second)
			if err := g.enter(t.Context()); err != nil {
				t.Fatalf("it rests for more than %s: %v", rest, err)
			}
			g.leave(true)
		}
		time.Sleep(lastRest)
		if err := g.enter(t.Context()); err != nil {
			t.Fatal(err)
		}
		g.leave(false)
		if err := g.enter(t.Context()); err != nil {
			t.Errorf("a server that is well again rests: %v", err)
		}
	})
}

// TestAServerThatStopsSendsNothingTwice: what was taken is finished, what was not is left to its lease.
func TestAServerThatStopsSendsNothingTwice(t *testing.T) {
	t.Parallel()
	server := startServer(t, func(m *mailServer) { m.answers["END"] = "hang" })
	o := newOffice(t, server.transport("smtp", false))
	o.write("password_changed", o.user("ada", "ada@example.org"), nil)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-server.hangs
		cancel()
	}()
	if err := o.Deliver(ctx, o.claim()[0]); err == nil {
		t.Error("a mail that nobody took was delivered")
	}
	if o.gate.resting() {
		t.Error("that the node stops is no fault of the mail server's")
	}
	after := &stopping{Transport: startServer(t, nil).transport("smtp", false)}
	o.Mail.config.Transport = after
	ctx, after.stop = context.WithCancel(t.Context())
	o.pass(time.Hour)
	if err := o.Deliver(ctx, o.claim()[0]); err != nil {
		t.Error(err)
	}
	o.pass(time.Hour)
	if n := len(o.claim()); n != 0 {
		t.Error("a mail that was taken goes out again")
	}
}

// stopping is a transport whose node stops while the server answers.
type stopping struct {
	Transport
	stop context.CancelFunc
}

func (s *stopping) Send(ctx context.Context, m Message) error {
	defer s.stop()
	return s.Transport.Send(ctx, m)
}
