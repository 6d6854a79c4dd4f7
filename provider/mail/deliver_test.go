package mail

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/quotedprintable"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func TestALetterBecomesAMailToItsPerson(t *testing.T) {
	t.Parallel()
	server := startServer(t, nil)
	o := newOffice(t, server.transport("smtp", true))
	o.write("refresh_token_reuse", o.user("ada", "ada@example.org"), map[string]string{"client_id": "shop", "address": "192.0.2.7"})
	letters := o.claim()
	o.must(o.Deliver(t.Context(), letters[0]))
	mails := server.took()
	if len(mails) != 1 || mails[0].to != "TO:<ada@example.org>" {
		t.Fatalf("the server took %+v", mails)
	}
	if id := header(t, mails[0].data).Get("Message-Id"); id != "<"+letters[0].ID.String()+"@id.example.com>" {
		t.Errorf("Message-ID %s", id)
	}
	for _, words := range []string{"ada", "The <Shop>", "The &lt;Shop&gt;", "192.0.2.7", "2026-11-22 14:05 UTC", "id.example.com"} {
		if !strings.Contains(string(mails[0].data), words) {
			t.Errorf("the mail does not tell of %s:\n%s", words, mails[0].data)
		}
	}
	o.pass(time.Hour)
	if n, _ := o.deliverDue(); n != 0 || o.sent != 1 || len(o.failed) != 0 {
		t.Errorf("%d letters are left, %d mails counted, failures %v", n, o.sent, o.failed)
	}
	if log := o.log.String(); strings.Contains(log, "ada@") || strings.Contains(log, smtpSecret) {
		t.Errorf("the log has an address or the password:\n%s", log)
	}
}

// TestALetterThatGoesOutTwiceIsTheSameMail: whoever gets it twice can tell.
func TestALetterThatGoesOutTwiceIsTheSameMail(t *testing.T) {
	t.Parallel()
	server := startServer(t, nil)
	o := newOffice(t, server.transport("smtp", false))
	o.write("password_changed", o.user("ada", "ada@example.org"), nil)
	first := o.claim() // its node goes away after sending: the letter is not finished
	o.pass(2 * time.Minute)
	second := o.claim()
	o.must(o.Deliver(t.Context(), first[0]))
	o.must(o.Deliver(t.Context(), second[0]))
	mails := server.took()
	if len(mails) != 2 {
		t.Fatalf("%d mails", len(mails))
	}
	one, two := header(t, mails[0].data), header(t, mails[1].data)
	if one.Get("Message-Id") != two.Get("Message-Id") || one.Get("Date") != two.Get("Date") {
		t.Errorf("two mails:\n%v\n%v", one, two)
	}
}

// TestALetterWaitsForAServerThatFails: it is tried again and again for three days, ever less often, and nothing of it is lost before.
func TestALetterWaitsForAServerThatFails(t *testing.T) {
	t.Parallel()
	server := startServer(t, nil)
	transport := server.transport("smtp", false)
	_ = server.listener.Close()
	o := newOffice(t, transport)
	user := o.user("ada", "ada@example.org")
	o.write("factor_added", user, nil)
	tries, until := 0, o.clock().Add(72*time.Hour)
	for o.clock().Before(until.Add(time.Hour)) {
		n, err := o.deliverDue()
		if n == 0 && len(o.events("mail.undelivered")) > 0 {
			break
		}
		if tries += n; n > 0 && err == nil {
			t.Fatal("it was delivered to nobody")
		}
		o.pass(lastRetry)
	}
	events := o.events("mail.undelivered")
	if len(events) != 1 || events[0].UserID != user || events[0].Detail["letter"] != "factor_added" || !strings.Contains(events[0].Detail["why"], "connecting") {
		t.Fatalf("given up with %+v", events)
	}
	if at := events[0].At; at.Before(until) || at.After(until.Add(time.Hour)) {
		t.Errorf("given up at %s, want about %s", at, until)
	}
	if tries < 200 || tries > 400 {
		t.Errorf("%d tries in three days", tries)
	}
	o.pass(24 * time.Hour)
	if n, _ := o.deliverDue(); n != 0 {
		t.Error("a letter that was given up is still there")
	}
}

func TestALetterGoesOutWhenTheServerIsBack(t *testing.T) {
	t.Parallel()
	server := startServer(t, func(m *mailServer) { m.answers["RCPT"] = "450 4.2.0 greylisted" })
	o := newOffice(t, server.transport("smtp", false))
	o.write("factor_removed", o.user("ada", "ada@example.org"), nil)
	if n, err := o.deliverDue(); n != 1 || err == nil || !strings.Contains(err.Error(), "450 4.2.0") {
		t.Fatalf("%d letters, %v", n, err)
	}
	o.pass(firstRetry - time.Second)
	if n, _ := o.deliverDue(); n != 0 {
		t.Error("it is tried again at once")
	}
	back := startServer(t, nil)
	o.Mail.config.Transport = back.transport("smtp", false)
	o.pass(time.Second)
	if n, err := o.deliverDue(); n != 1 || err != nil || len(back.took()) != 1 {
		t.Errorf("%d letters, %v, %d mails", n, err, len(back.took()))
	}
	if o.sent != 1 || fmt.Sprint(o.failed) != "[refused]" {
		t.Errorf("counted %d and %v", o.sent, o.failed)
	}
}

func TestAnAddressThatIsNoGoodIsGivenUpAtOnce(t *testing.T) {
	t.Parallel()
	server := startServer(t, func(m *mailServer) { m.answers["RCPT"] = "550 5.1.1 no such user hunter2" })
	o := newOffice(t, server.transport("smtp", false))
	o.write("password_changed", o.user("ada", "gone@example.org"), nil)
	if n, err := o.deliverDue(); n != 1 || err == nil {
		t.Fatalf("%d letters, %v", n, err)
	}
	events := o.events("mail.undelivered")
	if len(events) != 1 || !strings.Contains(events[0].Detail["why"], "550 5.1.1") || strings.Contains(fmt.Sprint(events), "hunter2") ||
		strings.Contains(fmt.Sprint(events), "gone@") {
		t.Errorf("%+v", events)
	}
	o.pass(time.Hour)
	if n, _ := o.deliverDue(); n != 0 {
		t.Error("it is tried again")
	}
}

// TestNoNameAndNoAddressAddsALine to the conversation or the header, whatever got into the database.
func TestNoNameAndNoAddressAddsALine(t *testing.T) {
	t.Parallel()
	server := startServer(t, nil)
	o := newOffice(t, server.transport("smtp", false))
	for _, email := range []string{
		"ada@example.org\r\nBcc: eve@evil.example", "ada@example.org>\r\nRCPT TO:<eve@evil.example", "ada\r\nRCPT TO:<eve@evil.example>@example.org",
		"ada@example.org, eve@evil.example", "ada@example.org> <eve@evil.example", "Ada <eve@evil.example>", `"ada eve"@example.org`, "ada", "ada@", "@example.org",
		"ada@example.org (eve)", "ada@exa\x00mple.org",
	} {
		o.write("password_changed", o.user("ada", email), nil)
		if n, err := o.deliverDue(); n != 1 || !errors.Is(err, errAddress) {
			t.Errorf("%q: %d letters, %v", email, n, err)
		}
	}
	if events := o.events("mail.undelivered"); len(events) != 12 || len(server.took()) != 0 || strings.Contains(server.heard(), "eve") {
		t.Errorf("%d given up, heard:\n%s", len(events), server.heard())
	}

	o.must(o.store.CreateClient(t.Context(), storage.Client{ID: "evil", Metadata: storage.ClientMetadata{Name: "Shop\r\nBcc: eve@evil.example\r\n\r\n.\r\n\u202e{{.URL}}"}}, storage.Also{}))
	o.write("code_replay", o.user("ada\r\nBcc: eve@evil.example", "ada@example.org"), map[string]string{"client_id": "evil", "address": "192.0.2.7\r\nBcc: eve@evil.example"})
	if _, err := o.deliverDue(); err != nil {
		t.Fatal(err)
	}
	mails := server.took()
	if len(mails) != 1 {
		t.Fatalf("%d mails", len(mails))
	}
	if h := header(t, mails[0].data); h.Get("Bcc") != "" || len(h) != 9 {
		t.Errorf("the header has more: %v", h)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(bytes.NewReader(mails[0].data)))
	if err != nil || strings.Contains(string(text), "\nBcc") || strings.Contains(string(text), "\u202e") {
		t.Errorf("the text has lines of somebody else's: %v\n%s", err, text)
	}
}

func TestWhoHasNoAddressGetsNoMailAndNoLetterWaits(t *testing.T) {
	t.Parallel()
	server := startServer(t, nil)
	o := newOffice(t, server.transport("smtp", false))
	gone := o.user("gone", "gone@example.org")
	o.write("password_changed", gone, nil)
	o.must(o.store.DeleteUser(t.Context(), gone, storage.Also{}))
	o.write("password_changed", o.user("bob", ""), nil)
	if _, err := o.deliverDue(); err != nil {
		t.Error(err)
	}
	o.pass(time.Hour)
	if n, _ := o.deliverDue(); n != 0 || len(server.took()) != 0 || len(o.events("mail.undelivered")) != 0 {
		t.Errorf("%d letters wait, %d mails", n, len(server.took()))
	}
	if !strings.Contains(o.log.String(), "level=DEBUG") || strings.Contains(o.log.String(), "level=WARN") {
		t.Errorf("the log:\n%s", o.log.String())
	}
}

func TestLettersGoToTheLogWithoutAServer(t *testing.T) {
	t.Parallel()
	o := newOffice(t, nil)
	ada := o.user("ada", "ada@example.org")
	o.write("password_changed", ada, nil)
	o.write("of_another_version", ada, nil)
	if n, err := o.deliverDue(); n != 2 || err != nil {
		t.Fatalf("%d, %v", n, err)
	}
	if log := o.log.String(); !strings.Contains(log, "kind=password_changed user_id="+ada.String()) || strings.Contains(log, "ada@") {
		t.Errorf("the log:\n%s", log)
	}
	o.pass(time.Hour)
	if n, _ := o.deliverDue(); n != 0 {
		t.Errorf("%d letters are left", n)
	}
}

// TestALetterOfANewerVersionWaitsForANodeThatKnowsIt, while nodes are replaced one by one.
func TestALetterOfANewerVersionWaitsForANodeThatKnowsIt(t *testing.T) {
	t.Parallel()
	o := newOffice(t, startServer(t, nil).transport("smtp", false))
	o.write("of_another_version", o.user("ada", "ada@example.org"), nil)
	for range 5 {
		if n, err := o.deliverDue(); n != 1 || !errors.Is(err, errUnknown) {
			t.Fatalf("%d, %v", n, err)
		}
		o.pass(lastRetry)
	}
}
