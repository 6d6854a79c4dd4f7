package toxic

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"
)

// echo answers every line with itself.
func echo(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(c, c); _ = c.Close() }()
		}
	}()
	return l.Addr().String()
}

type peer struct {
	net.Conn
	lines *bufio.Reader
}

func dial(t *testing.T, p *Proxy) peer {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return peer{c, bufio.NewReader(c)}
}

// say sends a line and returns what comes back within wait.
func (c peer) say(line string, wait time.Duration) (string, error) {
	_ = c.SetDeadline(time.Now().Add(wait))
	if _, err := io.WriteString(c, line+"\n"); err != nil {
		return "", err
	}
	return c.lines.ReadString('\n')
}

func TestTheAnswerToTheChosenRequestIsLostAndNoOther(t *testing.T) {
	t.Parallel()
	p := New(t, echo(t))
	c, other := dial(t, p), dial(t, p)
	p.CutAnswer(2)
	if got, err := c.say("one", time.Minute); got != "one\n" {
		t.Errorf("the first request: %q, %v", got, err)
	}
	if got, err := c.say("two", time.Minute); err == nil {
		t.Errorf("the second request was answered %q", got)
	}
	if lost, fired := p.Lost(); !fired || string(lost) != "two\n" {
		t.Errorf("lost %q, %v", lost, fired)
	}
	if got, err := other.say("three", time.Minute); got != "three\n" {
		t.Errorf("another connection: %q, %v", got, err)
	}
}

func TestAFrozenProxyHoldsAndAThawedOnePassesOn(t *testing.T) {
	t.Parallel()
	p := New(t, echo(t))
	c := dial(t, p)
	p.Freeze()
	if got, err := c.say("one", 50*time.Millisecond); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a frozen proxy: %q, %v", got, err)
	}
	p.Thaw()
	if got, err := c.say("two", time.Minute); got != "one\n" {
		t.Errorf("what was held: %q, %v", got, err)
	}
}

func TestDelayRefusalResetAndHalfClose(t *testing.T) {
	t.Parallel()
	p := New(t, echo(t))
	c := dial(t, p)
	p.Delay(100 * time.Millisecond)
	began := time.Now()
	if got, err := c.say("late", time.Minute); got != "late\n" || time.Since(began) < 100*time.Millisecond {
		t.Errorf("%q, %v after %v", got, err, time.Since(began))
	}
	p.Delay(0)
	p.HalfClose()
	if got, err := c.say("half", time.Minute); !errors.Is(err, io.EOF) {
		t.Errorf("a half-closed connection: %q, %v", got, err)
	}
	c = dial(t, p)
	if got, err := c.say("new", time.Minute); got != "new\n" {
		t.Errorf("a new connection: %q, %v", got, err)
	}
	p.Reset()
	if _, err := c.say("gone", time.Minute); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a reset connection: %v", err)
	}
	p.Refuse(true)
	refused, err := net.Dial("tcp", p.Addr)
	if err == nil { // the reset may come before the dial returns, or after
		defer refused.Close()
		_, err = peer{refused, bufio.NewReader(refused)}.say("no", time.Minute)
	}
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a refused connection: %v", err)
	}
}
