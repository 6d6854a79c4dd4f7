package main

import (
	"fmt"
	"html"
	"net"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"net/textproto"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/mail"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/sqlite"
)

// smtpServer answers as a mail server without extensions does, AUTH by auth.
func smtpServer(t *testing.T, auth string) (address string) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				c := textproto.NewConn(conn)
				defer c.Close()
				_ = c.PrintfLine("220 ready")
				for {
					line, err := c.ReadLine()
					switch verb, _, _ := strings.Cut(line, " "); {
					case err != nil:
						return
					case verb == "EHLO":
						_ = c.PrintfLine("250-mail\r\n250 AUTH PLAIN")
					case verb == "AUTH":
						_ = c.PrintfLine("%s", auth)
					default:
						_ = c.PrintfLine("221 bye")
					}
				}
			}()
		}
	}()
	return listener.Addr().String()
}

func TestTheDoctorTriesTheMailServer(t *testing.T) {
	t.Parallel()
	for auth, want := range map[string]verdict{"235 welcome": verdictOK, "535 5.7.8 not hunter2": verdictFail} {
		d := newDoctor(t, "SIGNET_SMTP_URL=smtp://signet:hunter2@"+smtpServer(t, auth), "SIGNET_MAIL_FROM=no-reply@example.com")
		d.checkMail(t.Context())
		if len(d.findings) != 1 || d.findings[0].Status != want {
			t.Errorf("%s: %+v", auth, d.findings)
		}
		if strings.Contains(fmt.Sprint(d.findings), "hunter2") {
			t.Errorf("the findings have the password: %+v", d.findings)
		}
		if want == verdictFail && !strings.Contains(d.findings[0].Mend, "password") {
			t.Errorf("it says to %s", d.findings[0].Mend)
		}
	}
	for issuer, want := range map[string]verdict{"http://localhost:8080": verdictOK, "https://id.example.com": verdictWarn} {
		d := newDoctor(t, "SIGNET_ISSUER_URL="+issuer)
		if d.checkMail(t.Context()); d.found("mail", "goes to the log") != want {
			t.Errorf("%s without a mail server: %+v", issuer, d.findings)
		}
	}
}

func TestTheDoctorSeesMailsThatWereGivenUpLately(t *testing.T) {
	t.Parallel()
	now := time.Now().Add(-30 * day)
	store, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "signet.db"), Clock: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	givenUp := func() {
		if err := store.RecordEvents(t.Context(), []storage.Event{{Kind: "mail.undelivered", Actor: "server"}}); err != nil {
			t.Fatal(err)
		}
	}
	givenUp()
	d := newDoctor(t)
	if d.checkUndelivered(t.Context(), store); len(d.findings) != 0 {
		t.Errorf("%+v", d.findings)
	}
	now = time.Now()
	givenUp()
	if d.checkUndelivered(t.Context(), store); d.found("mail", "1 mails of the last 7 days") != verdictWarn {
		t.Errorf("%+v", d.findings)
	}
}

// A mail is shown as in a mail program: what is in it cannot run.
func TestTheMailboxOfDevShowsMailsAndRunsNothingOfThem(t *testing.T) {
	t.Parallel()
	box := &mailbox{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /mail", box.list)
	mux.HandleFunc("GET /mail/{number}", box.rendered)
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w
	}
	if page := get("/mail"); page.Code != http.StatusOK || !strings.Contains(page.Body.String(), "There are none yet") {
		t.Errorf("empty: %d %s", page.Code, page.Body)
	}
	const script = "<script>alert(1)</script>"
	for i := range mailboxSize + 5 {
		m := mail.Message{
			ID: "x@localhost", From: &netmail.Address{Name: "Signet dev", Address: "no-reply@localhost"}, To: "demo@example.com",
			Subject: fmt.Sprintf("Mail %d %s", i, script), Language: "en", Text: script, HTML: "<p>Hello</p>" + script, Date: time.Now(),
		}
		if err := box.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	page := get("/mail")
	text := page.Body.String()
	if n := strings.Count(text, "<article>"); n != mailboxSize || strings.Contains(text, script) || !strings.Contains(text, "Mail 54") || strings.Contains(text, "Mail 4 ") {
		t.Errorf("%d mails:\n%s", n, text)
	}
	if strings.Index(text, "Mail 54") > strings.Index(text, "Mail 53") || strings.Contains(page.Header().Get("Content-Security-Policy"), "script") {
		t.Error("the newest is not first, or scripts may run")
	}
	whole := get("/mail/55")
	if policy := whole.Header().Get("Content-Security-Policy"); whole.Code != http.StatusOK || !strings.HasPrefix(policy, "sandbox;") || strings.Contains(policy, "allow-") ||
		!strings.Contains(whole.Body.String(), "<p>Hello</p>") {
		t.Errorf("%d %s", whole.Code, policy)
	}
	for _, path := range []string{"/mail/5", "/mail/56", "/mail/x", "/mail/-1"} {
		if w := get(path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if err := box.Send(t.Context(), mail.Message{To: "demo@example.com\r\nBcc: eve@example.com"}); err == nil {
		t.Error("a mail that no server could be sent is shown")
	}
}

// The mailbox is the mail program of signet dev: links are followed there, and none leads anywhere else.
func TestTheMailboxLinksTheIssuersAddressesAlone(t *testing.T) {
	t.Parallel()
	const issuer = "http://localhost:8080"
	for text, want := range map[string][]string{
		"Choose:\n" + issuer + "/recover?link=sml_A-_9\n\nNext": {issuer + "/recover?link=sml_A-_9"},
		"at " + issuer + "/signup. If not":                      {issuer + "/signup"},
		issuer + "/a and " + issuer + "/b":                      {issuer + "/a", issuer + "/b"},
		issuer + " sends this":                                  nil,

		issuer + "80/x " + issuer + "@evil.example/ http://evil.example/ javascript:alert(1)": nil,
		issuer + `/"><script>alert(1)</script>`:                                               {issuer + "/"},
		issuer + "/x\u202ey":                                                                  {issuer + "/x"},
		"":                                                                                    nil,
	} {
		box := &mailbox{issuer: issuer}
		m := mail.Message{ID: "x@localhost", From: &netmail.Address{Address: "no-reply@localhost"}, To: "demo@example.com", Subject: "Mail", Language: "en", Text: text, HTML: "<p>", Date: time.Now()}
		if err := box.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		box.list(w, httptest.NewRequest(http.MethodGet, "/mail", nil))
		_, shown, _ := strings.Cut(w.Body.String(), "<pre ")
		shown, _, _ = strings.Cut(shown, "</pre>")
		var links []string
		for _, link := range strings.Split(shown, "<a href=\"")[1:] {
			address, _, _ := strings.Cut(link, "\"")
			links = append(links, html.UnescapeString(address))
		}
		if !slices.Equal(links, want) || strings.Contains(shown, "<script") {
			t.Errorf("%q links %q, want %q:\n%s", text, links, want, shown)
		}
		var whole strings.Builder
		for _, p := range box.pieces(text) {
			whole.WriteString(p.Words + p.Address)
		}
		if whole.String() != text {
			t.Errorf("%q is shown as %q", text, whole.String())
		}
	}
}
