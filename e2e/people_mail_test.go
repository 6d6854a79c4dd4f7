package e2e

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net"
	netmail "net/mail"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
)

// Who may send by the mail server that lets in nobody else. The password has what a URL needs escapes for.
const (
	mailUser     = "signet"
	mailPassword = "pass/word:with@all"
)

// mailbox is a mail server which keeps what it takes, for everybody.
type mailbox struct {
	url    string // as SIGNET_SMTP_URL has it
	strict bool   // takes nothing before STARTTLS and AUTH

	mu    sync.Mutex
	mails []letter
}

// letter is a mail as people read it.
type letter struct {
	To, Subject, Text, HTML string
	Language                string // as its header names it
}

// openMailbox starts a server on loopback, which demands STARTTLS and a password (strict), or neither.
func openMailbox(t *testing.T, strict bool) *mailbox {
	t.Helper()
	m := &mailbox{strict: strict}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		taken := &taking{box: m, welcome: !strict}
		if strict {
			return &guarded{taken}, nil
		}
		return taken, nil
	}))
	server.Domain, server.MaxMessageBytes = "localhost", 1<<20
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(l.Addr().String())
	m.url = "smtp://127.0.0.1:" + port
	if strict {
		// Loopback addresses are spoken to without TLS. This one leads here too, and is none.
		m.url = "smtp://" + mailUser + ":pass%2Fword%3Awith%40all@0.0.0.0:" + port
		server.TLSConfig = ca.serverConfig(t)
	}
	var open sync.WaitGroup
	open.Go(func() { _ = server.Serve(l) })
	t.Cleanup(func() {
		_ = server.Close()
		open.Wait()
	})
	return m
}

// settings are those of a server that sends its mails here.
func (m *mailbox) settings() settings {
	return settings{
		"SIGNET_SMTP_URL": m.url, "SIGNET_MAIL_FROM": "Example Accounts <no-reply@example.com>",
		"SSL_CERT_FILE": ca.file, // of the mail server: a certificate of the tests' authority
	}
}

// taking is one conversation with a mailbox.
type taking struct {
	box      *mailbox
	welcome  bool
	from, to string
}

var errUnwelcome = &smtp.SMTPError{Code: 530, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "authenticate first"}

func (s *taking) Mail(from string, _ *smtp.MailOptions) error {
	if !s.welcome {
		return errUnwelcome
	}
	s.from = from
	return nil
}

func (s *taking) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.to = to
	return nil
}

func (s *taking) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	l, err := open(raw)
	if err != nil {
		return err
	}
	if s.from != "no-reply@example.com" || l.To != s.to {
		return errors.New("the envelope is from " + s.from + " to " + s.to + ", the letter to " + l.To)
	}
	s.box.mu.Lock()
	defer s.box.mu.Unlock()
	s.box.mails = append(s.box.mails, l)
	return nil
}

func (s *taking) Reset()        { s.from, s.to = "", "" }
func (s *taking) Logout() error { return nil }

// guarded is a conversation that begins with a user and a password. go-smtp offers that only where the connection is encrypted.
type guarded struct{ *taking }

func (s *guarded) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *guarded) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != mailUser || password != mailPassword {
			return smtp.ErrAuthFailed
		}
		s.welcome = true
		return nil
	}), nil
}

// open reads a mail as a mail program does.
func open(raw []byte) (l letter, err error) {
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return l, err
	}
	to, err := netmail.ParseAddress(m.Header.Get("To"))
	if err != nil {
		return l, err
	}
	l.To, l.Language = to.Address, m.Header.Get("Content-Language")
	if l.Subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		return l, err
	}
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		return l, err
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		part, err := parts.NextPart() // which undoes quoted-printable
		if errors.Is(err, io.EOF) {
			return l, nil
		}
		if err != nil {
			return l, err
		}
		text, err := io.ReadAll(part)
		if err != nil {
			return l, err
		}
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			l.HTML = string(text)
		} else {
			l.Text = string(text)
		}
	}
}

// linkLine is a link on a line of its own, as a mail in plain text has it.
var linkLine = regexp.MustCompile(`(?m)^(https?://\S+\?link=sml_\S+?)\r?$`)

// link is what a mail leads to; the same in its two forms.
func (l letter) link(t *testing.T) string {
	t.Helper()
	found := linkLine.FindStringSubmatch(l.Text)
	if found == nil || strings.Count(l.HTML, `href="`+found[1]+`"`) != 2 {
		t.Fatalf("%q to %s: its link is %q\n%s\n%s", l.Subject, l.To, found, l.Text, l.HTML)
	}
	return found[1]
}

// wait returns the mail with that subject ("" any) to an address, and takes it out of the box; the outbox is looked into every few seconds.
func (m *mailbox) wait(t *testing.T, to, subject string) letter {
	t.Helper()
	var found letter
	if !eventually(t.Context(), func() (there bool) {
		found, there = m.take(to, subject)
		return there
	}) {
		m.mu.Lock()
		defer m.mu.Unlock()
		var there []string
		for _, l := range m.mails {
			there = append(there, l.To+": "+l.Subject)
		}
		t.Fatalf("no mail %q came to %s; what came was\n%s", subject, to, strings.Join(there, "\n"))
	}
	return found
}

func (m *mailbox) take(to, subject string) (letter, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	i := slices.IndexFunc(m.mails, func(l letter) bool { return l.To == to && (subject == "" || l.Subject == subject) })
	if i < 0 {
		return letter{}, false
	}
	l := m.mails[i]
	m.mails = slices.Delete(m.mails, i, i+1)
	return l, true
}
