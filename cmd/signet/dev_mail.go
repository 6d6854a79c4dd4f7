package main

import (
	"context"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/signet-idp/signet/provider/mail"
)

// mailbox is where the mails of signet dev go: nowhere but onto a page, where addresses of the issuer can be followed.
type mailbox struct {
	issuer string

	mu    sync.Mutex
	count int
	mails []delivered // newest first
}

// delivered is a mail with its number.
type delivered struct {
	Number int
	mail.Message
}

const (
	devSender   = "Signet dev <no-reply@localhost>"
	mailboxSize = 50
)

// Send implements mail.Transport.
func (b *mailbox) Send(_ context.Context, m mail.Message) error {
	if _, err := m.Bytes(); err != nil { // what no server could be sent is not shown as if it had been
		return &mail.Failure{Reason: mail.ReasonRecipient}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.count++
	b.mails = slices.Insert(b.mails, 0, delivered{b.count, m})
	b.mails = b.mails[:min(len(b.mails), mailboxSize)]
	return nil
}

func (b *mailbox) newest() []delivered {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.mails)
}

// piece is a part of a mail's text: words, or an address.
type piece struct{ Words, Address string }

// pieces finds the issuer's own addresses in a text. What begins like them and goes on as another host is none.
func (b *mailbox) pieces(text string) []piece {
	var all []piece
	begin := b.issuer + "/"
	for {
		words, rest, found := strings.Cut(text, begin)
		if !found || b.issuer == "" {
			return append(all, piece{Words: text})
		}
		end := strings.IndexFunc(rest, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("\"'<>`", r) })
		if end < 0 {
			end = len(rest)
		}
		end = len(strings.TrimRight(rest[:end], ".,:;!?)")) // these belong to the sentence
		all = append(all, piece{Words: words}, piece{Address: begin + rest[:end]})
		text = rest[end:]
	}
}

// list shows the mails, each as text and as HTML.
func (b *mailbox) list(w http.ResponseWriter, _ *http.Request) {
	page, err := template.New("").Funcs(template.FuncMap{"pieces": b.pieces}).Parse(mailboxTemplate)
	if err != nil {
		http.Error(w, "the page is broken", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'")
	w.Header().Set("Referrer-Policy", "no-referrer")
	_ = page.Execute(w, b.newest()) // a browser that went away is no error of ours
}

// rendered is the HTML of one mail, which may do nothing and load nothing, as in a mail program.
func (b *mailbox) rendered(w http.ResponseWriter, r *http.Request) {
	number, err := strconv.Atoi(r.PathValue("number"))
	mails := b.newest()
	i := slices.IndexFunc(mails, func(d delivered) bool { return d.Number == number })
	if err != nil || i < 0 {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'")
	_, _ = w.Write([]byte(mails[i].HTML))
}

const mailboxTemplate = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Mailbox</title>
<style>body{font:1rem/1.6 system-ui,sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem;color-scheme:light dark}pre{white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:plaintext;padding:1rem;border:1px solid;border-radius:.5rem}iframe{width:100%;height:26rem;border:1px solid;border-radius:.5rem;background:#fff;color-scheme:light}</style>
<h1>Mailbox</h1>
<p>The last mails of this server, newest first. None of them left it; reload to see what came since. <a href="/">Back to the app</a></p>
{{range .}}<article>
<h2>{{.Subject}}</h2>
<p>From {{.From}} to {{.To}}, {{.Date.UTC.Format "2006-01-02 15:04:05 UTC"}}</p>
<pre dir="auto" lang="{{.Language}}">{{range pieces .Text}}{{.Words}}{{with .Address}}<a href="{{.}}">{{.}}</a>{{end}}{{end}}</pre>
<details><summary>As HTML</summary><iframe sandbox title="{{.Subject}}" src="/mail/{{.Number}}"></iframe></details>
</article>
{{else}}<p>There are none yet. Say that you forgot the password of a demo user, or change it, and wait a few seconds.</p>
{{end}}</html>
`
