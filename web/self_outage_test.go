package web_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/mail"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/web"
)

// held is a mail server that takes a connection and then says nothing until it is let go.
type held struct {
	entered chan struct{}
	release chan error
}

func (h *held) Send(ctx context.Context, _ mail.Message) error {
	h.entered <- struct{}{}
	select {
	case err := <-h.release:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// office delivers the mails of the world by a transport, and counts what becomes of them.
func (w *world) office(t mail.Transport, m *web.Metrics) *mail.Mail {
	w.Helper()
	office, err := mail.New(w.store, mail.Config{
		Issuer: issuerURL, Transport: t, From: "no-reply@example.com", Clock: w.clock.Now, Observer: m, Logger: slog.New(slog.DiscardHandler),
		Link: func(ctx context.Context, id storage.ID) (string, error) { return w.provider.People().MailLink(ctx, id) },
	})
	w.must(err)
	return office
}

// waiting claims the only letter that waits.
func (w *world) waiting() storage.Letter {
	w.Helper()
	letters, err := w.store.ClaimLetters(w.Context(), 10, time.Minute)
	w.must(err)
	if len(letters) != 1 {
		w.Fatalf("%d letters wait, want one", len(letters))
	}
	return letters[0]
}

func (w *world) counted(m *web.Metrics) string {
	w.Helper()
	page := httptest.NewRecorder()
	web.NewProbes(w.provider.Ready, slog.New(slog.DiscardHandler)).Handler(m).ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return page.Body.String()
}

// TestNoRequestWaitsForTheMailServer: each of the pages that send mail answers while a mail that it asked for hangs, and the mail goes
// out later all the same.
func TestNoRequestWaitsForTheMailServer(t *testing.T) {
	eachSet(t, func(w *world) {
		w.user("ada")
		m, hangs := web.NewMetrics("test"), &held{make(chan struct{}, 1), make(chan error)}
		office := w.office(hangs, m)
		b := w.near()
		b.visit("/recover")
		if b.submit("username", "ada"); b.page.h1 != "Look into your mail" {
			w.Fatalf("%d %q", b.page.status, b.page.h1)
		}
		delivered := make(chan error, 1)
		letter := w.waiting()
		go func() { delivered <- office.Deliver(w.Context(), letter) }()
		<-hangs.entered
		for path, pair := range map[string][2]string{"/recover": {"username", "ada"}, "/signup": {"email", "grace@example.org"}} {
			b.visit(path)
			if p := b.submit(pair[0], pair[1]); p.h1 != "Look into your mail" {
				w.Errorf("%s, while a mail hangs: %d %q", path, p.status, p.h1)
			}
		}
		b.visit("/account")
		if b.signIn("ada"); b.page.h1 != "Your account" {
			w.Errorf("signing in, while a mail hangs: %d %q", b.page.status, b.page.h1)
		}
		hangs.release <- &mail.Failure{Reason: mail.ReasonUnreachable}
		if err := <-delivered; err == nil {
			w.Error("what was not sent is said to be")
		}
		if counts := w.counted(m); !strings.Contains(counts, `signet_mail_failed_total{reason="unreachable"} 1`) {
			w.Error("the failure is not counted")
		}
		w.clock.Advance(5 * time.Minute)
		w.comesLater("ada@example.com", 2, w.mails())
	}, openToAll)
}

// comesLater asserts that so many mails with a link went to the address.
func (w *world) comesLater(to string, n int, mails []mail.Message) {
	w.Helper()
	for _, m := range mails {
		if m.To == to && strings.Contains(m.Text, "?link=sml_") {
			n--
		}
	}
	if n != 0 {
		w.Errorf("of the mails to %s, %d are missing", to, n)
	}
}

// TestAMailIsKeptHoweverTheServerFails: over SMTP, with a server that is not there, one that talks nonsense, one that refuses for now,
// and one that hangs up. The operator sees each in the metrics, and the mail arrives when the server is well.
func TestAMailIsKeptHoweverTheServerFails(t *testing.T) {
	for reason, talk := range map[string]func(c net.Conn){
		"unreachable": nil,
		"protocol":    func(c net.Conn) { _, _ = fmt.Fprint(c, "HTTP/1.1 400 Bad Request\r\n\r\n<html>\x00\xff") },
		"refused": func(c net.Conn) {
			_, _ = fmt.Fprint(c, "220 hello\r\n")
			for in := bufio.NewScanner(c); in.Scan(); {
				if strings.HasPrefix(in.Text(), "EHLO") {
					_, _ = fmt.Fprint(c, "250 hello\r\n")
					continue
				}
				_, _ = fmt.Fprint(c, "451 not now\r\n")
			}
		},
		"unreachable after a greeting": func(c net.Conn) { _, _ = fmt.Fprint(c, "220 hello\r\n") },
	} {
		t.Run(reason, func(t *testing.T) {
			solo(t, func(w *world) {
				w.user("ada")
				m := web.NewMetrics("test")
				server, err := mail.ParseServer("smtp://" + badServer(t, talk))
				w.must(err)
				office := w.office(mail.NewSMTP(server, nil, issuerURL), m)
				b := w.near()
				b.visit("/recover")
				b.submit("username", "ada")
				for range 2 {
					if err := office.Deliver(w.Context(), w.waiting()); err == nil {
						w.Fatal("what was not sent is said to be")
					}
					w.clock.Advance(5 * time.Minute)
				}
				reason, _, _ := strings.Cut(reason, " ")
				if counts := w.counted(m); !strings.Contains(counts, `signet_mail_failed_total{reason="`+reason+`"} `) || !strings.Contains(counts, "signet_mail_sent_total 0") {
					w.Errorf("it is counted as\n%s", counts[strings.Index(counts, "# HELP signet_mail"):])
				}
				w.comesLater("ada@example.com", 1, w.mails())
			})
		})
	}
}

// badServer listens, talks and hangs up; with nil nobody listens. It returns its address.
func badServer(t *testing.T, talk func(c net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var closed atomic.Bool
	stop := func() {
		if !closed.Swap(true) {
			_ = l.Close()
		}
	}
	t.Cleanup(stop)
	if talk == nil {
		stop()
		return l.Addr().String()
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				talk(c)
			}()
		}
	}()
	return l.Addr().String()
}
