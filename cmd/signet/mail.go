package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/signet-idp/signet/provider/mail"
	"github.com/signet-idp/signet/storage"
)

// mailServer is the way to the server of SIGNET_SMTP_URL; nil where that is not set.
func (s settings) mailServer() (*mail.SMTP, error) {
	if s.SMTPURL == "" {
		return nil, nil
	}
	server, err := mail.ParseServer(s.SMTPURL)
	if err != nil {
		return nil, fmt.Errorf("SIGNET_SMTP_URL %w", err)
	}
	roots, err := s.outboundRoots()
	if err != nil {
		return nil, nil // refused already, by the setting's own name
	}
	return mail.NewSMTP(server, roots, s.IssuerURL), nil
}

// checkMail judges what provider.Config does not see: the URL itself, and a sender without a server.
func (s settings) checkMail() error {
	if _, err := s.mailServer(); err != nil {
		return err
	}
	if s.SMTPURL == "" && s.MailFrom != "" {
		if _, err := mail.ParseFrom(s.MailFrom); err != nil {
			return fmt.Errorf("SIGNET_MAIL_FROM %w", err)
		}
	}
	return nil
}

// mailPatience is how long signet doctor waits for a mail server.
const mailPatience = 10 * time.Second

// checkMail goes as far as a mail does, and sends none.
func (d *doctor) checkMail(ctx context.Context) {
	server, err := d.settings.mailServer()
	switch {
	case err != nil: // no settings are loaded with one
		d.fail("mail", oneLine(err), "the server does not start with it", "set it as the line says")
		return
	case server == nil && strings.HasPrefix(d.settings.IssuerURL, "https:"):
		d.warn("mail", "SIGNET_SMTP_URL is not set, so mail goes to the log", "nobody hears that somebody else changed their password",
			"set SIGNET_SMTP_URL and SIGNET_MAIL_FROM; docs/configuration.md says how")
		return
	case server == nil:
		d.ok("mail", "there is no mail server; mail goes to the log")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, mailPatience)
	defer cancel()
	var f *mail.Failure
	if err := server.Check(ctx); errors.As(err, &f) {
		d.fail("mail", fmt.Sprintf("the mail server %s cannot be used: %v", server, f), "mails wait for it, and are given up after three days", mendMail(f.Reason))
		return
	}
	d.ok("mail", "the server %s can be used", server)
}

// mendMail says what to do about a mail server that fails for a reason.
func mendMail(reason string) string {
	switch reason {
	case mail.ReasonTLS:
		return "use the name that its certificate has; smtps:// if it speaks TLS from the first byte, smtp:// if it does not; and SIGNET_OUTBOUND_CA_FILE for an authority of your own"
	case mail.ReasonAuth:
		return "see that user and password in SIGNET_SMTP_URL are right, with %40 for @ and the like; many services want a password made for applications"
	case mail.ReasonProtocol:
		return "see that the port is the one for submission: 587 with smtp://, 465 with smtps://"
	case mail.ReasonRefused:
		return "ask whoever runs it why it refuses this machine"
	}
	return "see that the host and port in SIGNET_SMTP_URL are right, and can be reached from here"
}

// checkUndelivered looks for mails that were given up.
func (d *doctor) checkUndelivered(ctx context.Context, store storage.Store) {
	const many, lately = 100, 7 * day
	events, err := store.ListEvents(ctx, storage.EventFilter{Kind: "mail.undelivered", Limit: many})
	if err != nil {
		d.fail("mail", oneLine(err), "the events could not be read", "run this again")
		return
	}
	n := 0
	for _, e := range events {
		if time.Since(e.At) < lately {
			n++
		}
	}
	if n == 0 {
		return
	}
	count := fmt.Sprint(n)
	if n == many {
		count += " or more"
	}
	d.warn("mail", count+" mails of the last 7 days were given up", "these people were not told what happened to their accounts",
		"signet audit list --kind mail.undelivered says whose, and why")
}
