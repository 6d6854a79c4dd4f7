package mail

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/mail"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const issuer = "https://id.example.com"

func sample() Message {
	return Message{
		ID: "0193@id.example.com", From: &mail.Address{Name: "Beispiel-Konten für alle", Address: "no-reply@example.com"}, To: "ada@example.org",
		Subject: "Your passwörd was changed", Language: "en", Text: "Hello.\n.\nA line that ends with a dot.\n", HTML: "<p>Hello.</p>",
		Date: time.Date(2026, 11, 22, 14, 5, 0, 0, time.UTC),
	}
}

func TestAMailArrivesWhole(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		scheme string
		login  bool
		edit   func(*mailServer)
	}{
		"STARTTLS":                {"smtp", false, nil},
		"STARTTLS and AUTH PLAIN": {"smtp", true, nil},
		"AUTH LOGIN": {"smtp", true, func(m *mailServer) {
			m.offers = []string{"STARTTLS", "AUTH LOGIN"}
		}},
		"TLS from the first byte": {"smtps", true, func(m *mailServer) {
			m.implicit, m.offers = true, []string{"AUTH PLAIN"}
		}},
		"a server that hangs up at the end": {"smtp", false, func(m *mailServer) { m.answers["QUIT"] = "drop" }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := startServer(t, c.edit)
			if err := server.transport(c.scheme, c.login).Send(t.Context(), sample()); err != nil {
				t.Fatal(err)
			}
			mails := server.took()
			if len(mails) != 1 || mails[0].from != "FROM:<no-reply@example.com>"+body8(server) || mails[0].to != "TO:<ada@example.org>" {
				t.Fatalf("the server took %+v", mails)
			}
			if !strings.Contains(server.heard(), "EHLO id.example.com") {
				t.Errorf("it was greeted otherwise: %s", server.heard())
			}
			checkSample(t, mails[0].data)
		})
	}
}

func body8(m *mailServer) string {
	if strings.Contains(strings.Join(m.offers, " "), "8BITMIME") {
		return " BODY=8BITMIME"
	}
	return ""
}

// checkSample reads a mail as its receiver does.
func checkSample(t *testing.T, data []byte) {
	t.Helper()
	m, err := mail.ReadMessage(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	var decoder mime.WordDecoder
	subject, _ := decoder.DecodeHeader(m.Header.Get("Subject"))
	from, err := m.Header.AddressList("From")
	if err != nil || len(from) != 1 || *from[0] != *sample().From {
		t.Errorf("From %v, %v", from, err)
	}
	date, _ := m.Header.Date()
	got := []string{subject, m.Header.Get("To"), m.Header.Get("Message-Id"), m.Header.Get("Auto-Submitted"), m.Header.Get("Content-Language"), date.UTC().String()}
	want := []string{sample().Subject, "<ada@example.org>", "<0193@id.example.com>", "auto-generated", "en", sample().Date.String()}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the header (-want +got):\n%s", diff)
	}
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("%s, %v", kind, err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for _, want := range []struct{ kind, text string }{{"text/plain", sample().Text}, {"text/html", sample().HTML}} {
		part, err := parts.NextPart()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(part) // which undoes quoted-printable
		kind, params, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		if got := strings.ReplaceAll(string(text), "\r\n", "\n"); err != nil || kind != want.kind || params["charset"] != "UTF-8" || got != want.text {
			t.Errorf("%s %v: %q, %v", kind, params, got, err)
		}
	}
}

func TestNothingIsEncryptedOnThisMachineAlone(t *testing.T) {
	t.Parallel()
	server := startServer(t, func(m *mailServer) { m.offers = []string{"AUTH PLAIN"} })
	address := server.listener.Addr().String()
	here, err := ParseServer("smtp://" + smtpUser + ":pass%2Fword%3Awith%40all@" + address)
	if err != nil {
		t.Fatal(err)
	}
	if err := NewSMTP(here, nil, issuer).Send(t.Context(), sample()); err != nil || len(server.took()) != 1 {
		t.Errorf("by %s: %v", address, err)
	}
	for text, plain := range map[string]bool{
		"smtp://localhost": true, "smtp://127.0.0.2:25": true, "smtp://[::1]": true, "smtps://localhost": false,
		"smtp://10.0.0.1": false, "smtp://localhost.example.com": false, "smtp://mail.example.com": false,
	} {
		if s, err := ParseServer(text); err != nil || s.plain() != plain {
			t.Errorf("%s: in the clear %v, %v", text, s.plain(), err)
		}
	}
}

// TestEachFaultOfAServerHasItsReason: what a server does wrong is told apart, so that a mail is given up only where that is right, and
// no word of the server's is in the error: some repeat passwords.
func TestEachFaultOfAServerHasItsReason(t *testing.T) {
	t.Parallel()
	answering := func(verb, reply string) func(*mailServer) {
		return func(m *mailServer) { m.answers[verb] = reply }
	}
	const why = " because of hunter2"
	for name, c := range map[string]struct {
		edit   func(*mailServer)
		reason string
		host   bool // the server is to be left alone
	}{
		"it is not SMTP":                     {answering("GREETING", "HTTP/1.1 400 Bad Request"+why), ReasonProtocol, true},
		"it says nothing that can be read":   {answering("GREETING", "\x16\x03\x01\x00"+why), ReasonProtocol, true},
		"it does not stop to talk":           {answering("GREETING", "flood"), ReasonProtocol, true},
		"it hangs up":                        {answering("GREETING", "drop"), ReasonUnreachable, true},
		"it wants nobody":                    {answering("GREETING", "554 5.3.2"+why), ReasonRefused, true},
		"it is too busy":                     {answering("GREETING", "421 4.3.2"+why), ReasonRefused, true},
		"garbage in the middle":              {answering("MAIL", "ok"+why), ReasonProtocol, true},
		"it has no TLS":                      {func(m *mailServer) { m.offers = []string{"AUTH PLAIN"} }, ReasonTLS, true},
		"it has no TLS today":                {answering("STARTTLS", "454 4.7.0"+why), ReasonTLS, true},
		"it starts TLS and does not mean it": {answering("STARTTLS", "220 go on\r\n250 hello"+why), ReasonTLS, true},
		"its certificate is another host's":  {func(m *mailServer) { m.cert = certificate(m.t, "other.example") }, ReasonTLS, true},
		"it takes no passwords":              {func(m *mailServer) { m.offers = []string{"STARTTLS"} }, ReasonAuth, true},
		"it knows no way that we know":       {func(m *mailServer) { m.offers = []string{"STARTTLS", "AUTH GSSAPI"} }, ReasonAuth, true},
		"the password is wrong":              {answering("AUTH", "535 5.7.8"+why), ReasonAuth, true},
		"it does not relay":                  {answering("MAIL", "550 5.7.1"+why), ReasonRefused, false},
		"not for this sender":                {answering("MAIL", "550 5.1.8"+why), ReasonRefused, false},
		"come later":                         {answering("RCPT", "450 4.2.0"+why), ReasonRefused, false},
		"it relays not to there":             {answering("RCPT", "554 5.7.1"+why), ReasonRefused, false},
		"nobody has this address":            {answering("RCPT", "550 5.1.1"+why), ReasonRecipient, false},
		"nobody has it, without a code":      {answering("RCPT", "550 no such user"+why), ReasonRecipient, false},
		"no data today":                      {answering("DATA", "451 4.3.0"+why), ReasonRefused, false},
		"not this message":                   {answering("END", "552 5.3.4"+why), ReasonRecipient, false},
		"this message later":                 {answering("END", "452 4.3.1"+why), ReasonRefused, false},
		"it hangs up on a message":           {answering("END", "drop"), ReasonUnreachable, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := startServer(t, c.edit)
			err := server.transport("smtp", true).Send(t.Context(), sample())
			var f *Failure
			if !errors.As(err, &f) || f.Reason != c.reason || f.host != c.host {
				t.Fatalf("%#v, want %s, of the server: %v", err, c.reason, c.host)
			}
			if text := err.Error() + inWords(err); strings.Contains(text, "hunter2") || strings.Contains(text, smtpSecret) {
				t.Errorf("the error repeats the server: %s", text)
			}
			if permanent(err) != (c.reason == ReasonRecipient) {
				t.Errorf("given up: %v", permanent(err))
			}
			if heard := server.heard(); c.reason == ReasonTLS && (strings.Contains(heard, "AUTH") || strings.Contains(heard, "MAIL")) {
				t.Errorf("said without TLS: %s", heard)
			}
			if len(server.took()) != 0 {
				t.Error("it took the mail all the same")
			}
		})
	}
}

func TestAServerThatIsNotThereIsUnreachable(t *testing.T) {
	t.Parallel()
	server := startServer(t, nil)
	_ = server.listener.Close()
	var f *Failure
	if err := server.transport("smtp", false).Send(t.Context(), sample()); !errors.As(err, &f) || f.Reason != ReasonUnreachable || !f.host {
		t.Errorf("%v", err)
	}
	stranger := startServer(t, nil)
	s := stranger.transport("smtps", false)
	if err := s.Send(t.Context(), sample()); !errors.As(err, &f) || f.Reason != ReasonTLS {
		t.Errorf("TLS with a server that has none on this port: %v", err)
	}
	s = stranger.transport("smtp", false)
	s.roots = nil
	if err := s.Check(t.Context()); !errors.As(err, &f) || f.Reason != ReasonTLS {
		t.Errorf("a certificate of an authority that nobody knows: %v", err)
	}
}

// TestAServerThatHangsIsLeft: the context ends a conversation wherever it hangs.
func TestAServerThatHangsIsLeft(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"GREETING", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "END"} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			server := startServer(t, func(m *mailServer) { m.answers[verb] = "hang" })
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				<-server.hangs
				cancel()
			}()
			var f *Failure
			if err := server.transport("smtp", true).Send(ctx, sample()); !errors.As(err, &f) || f.Reason != ReasonUnreachable {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestACheckSendsNothing(t *testing.T) {
	t.Parallel()
	server := startServer(t, nil)
	if err := server.transport("smtp", true).Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if heard := server.heard(); !strings.Contains(heard, "AUTH") || strings.Contains(heard, "MAIL") || strings.Contains(heard, "RCPT") {
		t.Errorf("it heard %s", heard)
	}
}

// TestAddressesBeyondASCII: SMTPUTF8 is asked for where an address needs it, and nowhere else; a domain never needs it.
func TestAddressesBeyondASCII(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		to, sent string
		utf8     bool // the server has it
		want     string
	}{
		{"ada@bücher.example", "TO:<ada@xn--bcher-kva.example>", false, ""},
		{"ada@bücher.example", "TO:<ada@xn--bcher-kva.example>", true, ""},
		{"dörte@bücher.example", "TO:<dörte@xn--bcher-kva.example>", true, ""},
		{"dörte@example.org", "", false, ReasonRecipient},
	} {
		server := startServer(t, func(m *mailServer) {
			if c.utf8 {
				m.offers = append(m.offers, "SMTPUTF8")
			}
		})
		m := sample()
		m.To = c.to
		err := server.transport("smtp", false).Send(t.Context(), m)
		var f *Failure
		if c.want != "" {
			if !errors.As(err, &f) || f.Reason != c.want {
				t.Errorf("%s: %v", c.to, err)
			}
			continue
		}
		if mails := server.took(); err != nil || len(mails) != 1 || mails[0].to != c.sent {
			t.Errorf("%s: %v, %+v", c.to, err, mails)
		} else if asked := strings.HasSuffix(mails[0].from, " SMTPUTF8"); asked != strings.HasPrefix(c.to, "dörte") {
			t.Errorf("%s: %s", c.to, mails[0].from)
		}
	}
}
