package mail

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/mail"
	"slices"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// The bounds of a conversation.
const (
	// SendTimeout is how long one may take in all.
	SendTimeout    = 30 * time.Second
	connectTimeout = 10 * time.Second
	maxReplies     = 1 << 20 // bytes that a server may say, TLS included
)

// SMTP sends mails by a mail server, over a connection of its own each.
type SMTP struct {
	server Server
	roots  *x509.CertPool
	name   string
	dial   func(ctx context.Context, network, address string) (net.Conn, error)
}

// NewSMTP makes a Transport to a server. roots are the authorities that it may have its certificate of, nil: the system's; issuer is
// whose host we greet with.
func NewSMTP(server Server, roots *x509.CertPool, issuer string) *SMTP {
	return &SMTP{server: server, roots: roots, name: ownName(issuer), dial: (&net.Dialer{Timeout: connectTimeout}).DialContext}
}

// String is the server's host:port.
func (s *SMTP) String() string { return s.server.String() }

// Send implements Transport. The error is a *Failure. ctx bounds the conversation, which ends after SendTimeout in any case; where it
// ends after the message was sent and before the server answered, the mail may have been taken.
func (s *SMTP) Send(ctx context.Context, m Message) error {
	to, err := recipient(m.To)
	if err != nil {
		return &Failure{Reason: ReasonRecipient, step: stepTo, cause: err}
	}
	message, err := m.Bytes()
	if err != nil {
		return &Failure{Reason: ReasonRecipient, step: stepData, cause: err}
	}
	return s.talk(ctx, func(ctx context.Context, c *smtp.Client) *Failure {
		return send(ctx, c, m.From, to, message)
	})
}

// Check goes as far as a mail does without sending one: it connects, starts TLS and authenticates. The error is a *Failure.
func (s *SMTP) Check(ctx context.Context) error {
	return s.talk(ctx, func(context.Context, *smtp.Client) *Failure { return nil })
}

// talk opens a conversation, has it, and takes leave.
func (s *SMTP) talk(ctx context.Context, have func(context.Context, *smtp.Client) *Failure) error {
	ctx, cancel := context.WithTimeout(ctx, SendTimeout)
	defer cancel()
	conn, err := s.dial(ctx, "tcp", s.server.String())
	if err != nil {
		return failed(ctx, stepConnect, err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	c, failure := s.open(ctx, &bounded{Conn: conn, left: maxReplies})
	if failure == nil {
		failure = have(ctx, c)
	}
	if failure != nil {
		return failure
	}
	_ = c.Quit() // the mail is taken; who hangs up first does not matter
	return nil
}

// open greets the server, encrypts and authenticates.
func (s *SMTP) open(ctx context.Context, conn net.Conn) (*smtp.Client, *Failure) {
	secure := &tls.Config{ServerName: s.server.host, RootCAs: s.roots, MinVersion: tls.VersionTLS12}
	if s.server.implicit {
		encrypted := tls.Client(conn, secure)
		if err := encrypted.HandshakeContext(ctx); err != nil {
			return nil, failed(ctx, stepTLS, err)
		}
		conn = encrypted
	}
	c, err := smtp.NewClient(conn, s.server.host)
	if err != nil {
		return nil, failed(ctx, stepGreet, err)
	}
	if err := c.Hello(s.name); err != nil {
		return nil, failed(ctx, stepGreet, err)
	}
	if !s.server.implicit && !s.server.plain() {
		if offered, _ := c.Extension("STARTTLS"); !offered {
			return nil, &Failure{Reason: ReasonTLS, step: stepTLS, host: true, cause: errNoTLS}
		}
		if err := c.StartTLS(secure); err != nil {
			return nil, failed(ctx, stepTLS, err)
		}
	}
	if !s.server.Authenticates() {
		return c, nil
	}
	way := s.authentication(c)
	if way == nil {
		return nil, &Failure{Reason: ReasonAuth, step: stepAuth, host: true, cause: errNoAuth}
	}
	if err := c.Auth(way); err != nil {
		return nil, failed(ctx, stepAuth, err)
	}
	return c, nil
}

// authentication is the best way to authenticate (RFC 4954) that the server offers; nil: none. The password goes over the connection
// in the clear where that is encrypted, or does not leave the machine.
func (s *SMTP) authentication(c *smtp.Client) smtp.Auth {
	_, list := c.Extension("AUTH")
	offered := strings.Fields(strings.ToUpper(list))
	password := string(s.server.password.Reveal())
	switch {
	case slices.Contains(offered, "SCRAM-SHA-256"):
		return smtp.ScramSHA256Auth(s.server.user, password)
	case slices.Contains(offered, "PLAIN"):
		return smtp.PlainAuth("", s.server.user, password, s.server.host, s.server.plain())
	case slices.Contains(offered, "LOGIN"):
		return smtp.LoginAuth(s.server.user, password, s.server.host, s.server.plain())
	case slices.Contains(offered, "CRAM-MD5"):
		return smtp.CRAMMD5Auth(s.server.user, password)
	}
	return nil
}

// send hands over one message. SMTPUTF8 is asked for where the address needs it, and else left alone: a mail that asks for it is
// refused by every server further on that has none.
func send(ctx context.Context, c *smtp.Client, from *mail.Address, to string, message []byte) *Failure {
	c.SkipSMTPUTF8(ascii(to))
	if offered, _ := c.Extension("SMTPUTF8"); !offered && !ascii(to) {
		return &Failure{Reason: ReasonRecipient, step: stepTo, cause: errNoUTF8}
	}
	if err := c.Mail("<" + from.Address + ">"); err != nil {
		return failed(ctx, stepFrom, err)
	}
	if err := c.Rcpt("<" + to + ">"); err != nil {
		return failed(ctx, stepTo, err)
	}
	w, err := c.Data()
	if err == nil {
		_, err = w.Write(message)
	}
	if err != nil {
		return failed(ctx, stepData, err)
	}
	if err := w.Close(); err != nil {
		return failed(ctx, stepData, err)
	}
	return nil
}

// bounded is a connection to a server that may not talk without end.
type bounded struct {
	net.Conn
	left int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errFlood
	}
	n, err := b.Conn.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}

func isEOF(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }
