package mail

import (
	"bytes"
	"context"
	"errors"
	"io"
	"mime/quotedprintable"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/signet-idp/signet/storage"
)

// ticket names one in a letter, which goes to an address; "": to its user's.
func ticket(to string) (storage.ID, map[string]string) {
	id := storage.ID(uuid.Must(uuid.NewV7()))
	data := map[string]string{storage.LetterTicket: id.String()}
	if to != "" {
		data[storage.LetterTo] = to
	}
	return id, data
}

// said is all that a mail says, as its reader has it.
func said(t *testing.T, mail received) string {
	t.Helper()
	text, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(mail.data)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestALinkGoesToWhomTheLetterNames: to the address in it before that of the user, and without any user too; and it names the account
// only where there is one.
func TestALinkGoesToWhomTheLetterNames(t *testing.T) {
	t.Parallel()
	server := startServer(t, nil)
	o := newOffice(t, server.transport("smtp", false))
	ada, gone := o.user("ada", "ada@example.org"), o.user("gone", "gone@example.org")
	for _, c := range []struct {
		kind    string
		user    storage.ID
		to      string
		want    string
		account bool
		given   bool // the address is not the account's
	}{
		{"sign_up", storage.ID{}, "new@example.org", "new@example.org", false, true},
		{"reset", ada, "", "ada@example.org", true, false},
		{"reset", ada, "ada@example.org", "ada@example.org", true, false},
		{"email_verify", ada, "other@example.org", "other@example.org", false, true}, // a username is a person's own words
		{"invitation", gone, "back@example.org", "back@example.org", false, true},
	} {
		id, data := ticket(c.to)
		o.write(c.kind, c.user, data)
		if c.user == gone {
			o.must(o.store.DeleteUser(t.Context(), gone, storage.Also{}))
		}
		if n, err := o.deliverDue(); n != 1 || err != nil {
			t.Fatalf("%s: %d letters, %v", c.kind, n, err)
		}
		mails := server.took()
		last := mails[len(mails)-1]
		text := said(t, last)
		if last.to != "TO:<"+c.want+">" || strings.Contains(text, "  Account: ada") != c.account || strings.Contains(text, "gone") {
			t.Errorf("%s went to %s:\n%s", c.kind, last.to, text)
		}
		if strings.Contains(text, "an address that was given there") != c.given {
			t.Errorf("%s to %s says why it comes:\n%s", c.kind, last.to, text)
		}
		if link := issuer + "/recover?link=sml_" + id.String(); !slices.Contains(strings.Split(text, "\r\n"), link) && !slices.Contains(strings.Split(text, "\n"), link) {
			t.Errorf("%s does not bring %s on a line of its own:\n%s", c.kind, link, text)
		}
	}
	if n := len(server.took()); n != 5 || o.sent != 5 {
		t.Errorf("%d mails were taken, and %d counted", n, o.sent)
	}
}

// TestWhoIsGoneIsToldSo: the account is deleted before its letter goes out.
func TestWhoIsGoneIsToldSo(t *testing.T) {
	t.Parallel()
	server := startServer(t, nil)
	o := newOffice(t, server.transport("smtp", false))
	o.write("account_deleted", o.user("ada", "new@example.org"), map[string]string{storage.LetterTo: "ada@example.org", dataLocale: "de"})
	letters := o.claim()
	o.must(o.store.DeleteUser(t.Context(), letters[0].UserID, storage.Also{}))
	o.must(o.Deliver(t.Context(), letters[0]))
	mails := server.took()
	if len(mails) != 1 || mails[0].to != "TO:<ada@example.org>" || header(t, mails[0].data).Get("Content-Language") != "de" {
		t.Fatalf("%+v", mails)
	}
}

// TestALinkThatHasEndedIsNotSent, and neither is what is for nobody: the letters are finished, and nobody hears of it.
func TestALinkThatHasEndedIsNotSent(t *testing.T) {
	t.Parallel()
	server := startServer(t, nil)
	o := newOffice(t, server.transport("smtp", false))
	id, data := ticket("new@example.org")
	o.end(id)
	o.write("sign_up", storage.ID{}, data)
	o.write(nothingHere, storage.ID{}, nil)
	o.write(nothingHere, o.user("ada", "ada@example.org"), map[string]string{storage.LetterTo: "ada@example.org"})
	if n, err := o.deliverDue(); n != 3 || err != nil {
		t.Errorf("%d letters, %v", n, err)
	}
	o.pass(time.Hour)
	if n, _ := o.deliverDue(); n != 0 || strings.Contains(server.heard(), "MAIL") || o.sent != 0 || len(o.failed) != 0 || len(o.events("mail.undelivered")) != 0 {
		t.Errorf("%d letters wait, and the server heard %s", n, server.heard())
	}
	if log := o.log.String(); strings.Contains(log, "level=WARN") || strings.Contains(log, "@example.org") {
		t.Errorf("the log:\n%s", log)
	}
}

// TestALetterThatIsTriedAgainBringsTheSameLink, for as long as it opens something.
func TestALetterThatIsTriedAgainBringsTheSameLink(t *testing.T) {
	t.Parallel()
	server := startServer(t, func(m *mailServer) { m.answers["END"] = "451 4.3.0 and yet it is kept" })
	o := newOffice(t, server.transport("smtp", false))
	id, data := ticket("new@example.org")
	o.write("sign_up", storage.ID{}, data)
	var sent []Message
	transport := o.Mail.config.Transport
	o.Mail.config.Transport = transportFunc(func(m Message) error {
		sent = append(sent, m)
		return transport.Send(t.Context(), m)
	})
	for range 3 {
		if n, err := o.deliverDue(); n != 1 || err == nil {
			t.Fatalf("%d letters, %v", n, err)
		}
		o.pass(lastRetry)
	}
	for _, m := range sent {
		if m.ID != sent[0].ID || m.Text != sent[0].Text || m.HTML != sent[0].HTML || !m.Date.Equal(sent[0].Date) || !strings.Contains(m.Text, id.String()) {
			t.Errorf("another mail than the first:\n%+v\n%+v", sent[0], m)
		}
	}
	o.end(id)
	if n, err := o.deliverDue(); n != 1 || err != nil || len(sent) != 3 {
		t.Errorf("%d letters, %v, %d sent", n, err, len(sent))
	}
	o.pass(lastRetry)
	if n, _ := o.deliverDue(); n != 0 {
		t.Error("it waits for a link that has ended")
	}
}

// transportFunc is a Transport.
type transportFunc func(Message) error

func (f transportFunc) Send(_ context.Context, m Message) error { return f(m) }

// TestAStrangersLetterIsGivenUpToo: there is no user whose store tells the time.
func TestAStrangersLetterIsGivenUpToo(t *testing.T) {
	t.Parallel()
	server := startServer(t, func(m *mailServer) { m.answers["RCPT"] = "450 4.2.0 greylisted" })
	o := newOffice(t, server.transport("smtp", false))
	_, data := ticket("new@example.org")
	o.write("sign_up", storage.ID{}, data)
	o.pass(giveUp + time.Minute)
	if n, err := o.deliverDue(); n != 1 || err == nil {
		t.Fatalf("%d letters, %v", n, err)
	}
	events := o.events("mail.undelivered")
	if len(events) != 1 || events[0].Detail["letter"] != "sign_up" || strings.Contains(events[0].Detail["why"], "new@") {
		t.Errorf("%+v", events)
	}
	o.pass(time.Hour)
	if n, _ := o.deliverDue(); n != 0 {
		t.Error("it is tried again")
	}
}

// TestALetterThatNamesNoTicketIsGivenUpAtOnce, for an operator to see.
func TestALetterThatNamesNoTicketIsGivenUpAtOnce(t *testing.T) {
	t.Parallel()
	o := newOffice(t, startServer(t, nil).transport("smtp", false))
	for _, data := range []map[string]string{nil, {storage.LetterTicket: ""}, {storage.LetterTicket: "x"}} {
		o.write("reset", o.user("ada", "ada@example.org"), data)
		if n, err := o.deliverDue(); n != 1 || !errors.Is(err, errNoTicket) {
			t.Errorf("%v: %d letters, %v", data, n, err)
		}
	}
	if events := o.events("mail.undelivered"); len(events) != 3 || events[0].Detail["why"] != errNoTicket.Error() {
		t.Errorf("%+v", events)
	}
}

// TestNoMailLeadsElsewhere, whatever makes the links.
func TestNoMailLeadsElsewhere(t *testing.T) {
	t.Parallel()
	server := startServer(t, nil)
	o := newOffice(t, server.transport("smtp", false))
	_, data := ticket("new@example.org")
	o.write("sign_up", storage.ID{}, data)
	for _, link := range []string{"", "/signup?link=sml_x", "https://evil.example/signup", issuer + ".evil.example/signup", issuer + "@evil.example/", "http" + issuer[5:] + "/signup"} {
		o.Mail.config.Link = func(context.Context, storage.ID) (string, error) { return link, nil }
		if n, err := o.deliverDue(); n != 1 || !errors.Is(err, errElsewhere) {
			t.Errorf("%s: %d letters, %v", link, n, err)
		}
		o.pass(lastRetry)
	}
	if len(server.took()) != 0 {
		t.Error("it was sent")
	}
}

// TestALinkThatCannotBeMadeNowIsMadeLater: the database was away.
func TestALinkThatCannotBeMadeNowIsMadeLater(t *testing.T) {
	t.Parallel()
	server := startServer(t, nil)
	o := newOffice(t, server.transport("smtp", false))
	_, data := ticket("new@example.org")
	o.write("sign_up", storage.ID{}, data)
	o.Mail.config.Link = func(context.Context, storage.ID) (string, error) { return "", storage.ErrUnavailable }
	if n, err := o.deliverDue(); n != 1 || !errors.Is(err, storage.ErrUnavailable) {
		t.Fatalf("%d letters, %v", n, err)
	}
	o.pass(firstRetry)
	o.Mail.config.Link = o.link
	if n, err := o.deliverDue(); n != 1 || err != nil || len(server.took()) != 1 {
		t.Errorf("%d letters, %v, %d mails", n, err, len(server.took()))
	}
}

// TestNoLinkIsInTheLog: without a server letters go there, and a link is a secret.
func TestNoLinkIsInTheLog(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	ada := o.user("ada", "ada@example.org")
	for name, of := range kinds() {
		if of.ticket {
			_, data := ticket("new@example.org")
			o.write(name, ada, data)
		}
	}
	o.write("email_changed", ada, map[string]string{storage.LetterTo: "new@example.org"})
	if n, err := o.deliverDue(); n != 5 || err != nil {
		t.Fatalf("%d letters, %v", n, err)
	}
	log := o.log.String()
	if strings.Contains(log, "sml_") || strings.Contains(log, "link=") || strings.Contains(log, "@example.org") {
		t.Errorf("the log has a link or an address:\n%s", log)
	}
	if strings.Count(log, "level=WARN") != 4 || strings.Count(log, "SIGNET_SMTP_URL") != 4 || !strings.Contains(log, "kind=reset user_id="+ada.String()) {
		t.Errorf("the log does not say which mails were not sent, and why:\n%s", log)
	}
}

// TestNoPartOfALetterAddsALine to the conversation or the header, or turns a line around.
func TestNoPartOfALetterAddsALine(t *testing.T) {
	t.Parallel()
	server := startServer(t, nil)
	o := newOffice(t, server.transport("smtp", false))
	for _, to := range []string{"new@example.org\r\nBcc: eve@evil.example", "new@example.org>\r\nRCPT TO:<eve@evil.example", "new@example.org, eve@evil.example", "Ada <eve@evil.example>"} {
		_, data := ticket(to)
		o.write("sign_up", storage.ID{}, data)
		if n, err := o.deliverDue(); n != 1 || !errors.Is(err, errAddress) {
			t.Errorf("%q: %d letters, %v", to, n, err)
		}
	}
	const hostile = "x\r\nBcc: eve@evil.example\r\n\r\n.\r\n\u202e<b>{{.URL}}</b>\u2066"
	o.write("new_device", o.user("ada", "ada@example.org"), map[string]string{
		dataAddress: hostile, dataAgent: "Firefox/1 https://evil.example " + hostile, dataRipe: hostile, dataLocale: hostile, storage.LetterTicket: hostile,
	})
	if n, err := o.deliverDue(); n != 1 || err != nil {
		t.Fatalf("%d letters, %v", n, err)
	}
	mails := server.took()
	if len(mails) != 1 || strings.Contains(server.heard(), "eve") {
		t.Fatalf("%d mails, heard:\n%s", len(mails), server.heard())
	}
	if h := header(t, mails[0].data); h.Get("Bcc") != "" || len(h) != 9 {
		t.Errorf("the header has more: %v", h)
	}
	text := said(t, mails[0])
	if strings.Contains(text, "\nBcc") || strings.ContainsAny(text, "\u202e\u2066") || strings.Contains(text, "https://evil") || strings.Count(text, "<b>{{.URL}}</b>") != 1 ||
		!strings.Contains(text, "&lt;b&gt;{{.URL}}&lt;/b&gt;") {
		t.Errorf("a value got out of its place:\n%s", text)
	}
}
