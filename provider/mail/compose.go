package mail

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	htmltemplate "html/template"
	"net/url"
	"strings"
	texttemplate "text/template"
	"time"
	"unicode"

	"github.com/signet-idp/signet/storage"
)

// templateFiles are what is around the texts: the same for all mails.
//
//go:embed templates
var templateFiles embed.FS

// kinds are the letters that become mails. Each has three texts: KIND.subject, KIND.lead and KIND.advice.
func kinds() map[string]kind {
	return map[string]kind{
		"password_changed":        {},
		"factor_added":            {},
		"factor_removed":          {}, // the last one, and the recovery codes with it
		"authenticator_removed":   {}, // one of several
		"recovery_codes_replaced": {},
		"refresh_token_reuse":     {app: true},
		"code_replay":             {app: true},
	}
}

// kind is what a mail tells besides its texts, the account and the time.
type kind struct {
	app bool // the application (Data client_id) and the address (Data address) that it came from
}

// facts are what a mail tells of one letter. All of it is plain text.
type facts struct {
	account, app, address string
	at                    time.Time
}

// page is what the templates show.
type page struct {
	Language, Dir         string
	Subject, Lead, Advice string
	Facts                 []fact
	Footer                string
}

type fact struct{ Name, Value string }

// writer makes mails of letters.
type writer struct {
	tongues *tongues
	text    *texttemplate.Template
	html    *htmltemplate.Template
	issuer  string // its host, as people know it
	whole   string
}

// newWriter reads texts and templates and makes each mail once in each language.
func newWriter(issuer string) (*writer, error) {
	u, err := url.Parse(issuer)
	if err != nil {
		return nil, fmt.Errorf("mail: the issuer: %w", err)
	}
	w := &writer{issuer: u.Host, whole: issuer}
	if w.tongues, err = loadTongues(messageFiles); err != nil {
		return nil, err
	}
	if w.text, err = texttemplate.New("mail.txt").Option("missingkey=error").ParseFS(templateFiles, "templates/mail.txt"); err != nil {
		return nil, fmt.Errorf("mail: read the templates: %w", err)
	}
	if w.html, err = htmltemplate.New("mail.html").Option("missingkey=error").ParseFS(templateFiles, "templates/mail.html"); err != nil {
		return nil, fmt.Errorf("mail: read the templates: %w", err)
	}
	for _, in := range w.tongues.each {
		for name := range kinds() {
			if _, err := w.write(in, name, facts{account: "ada", app: "App", address: "192.0.2.1", at: time.Unix(0, 0)}); err != nil {
				return nil, err
			}
		}
	}
	return w, nil
}

// compose makes the mail of a letter to a person.
func (m *Mail) compose(ctx context.Context, letter storage.Letter, to storage.User) (Message, error) {
	of, known := kinds()[letter.Kind]
	if !known {
		return Message{}, errUnknown
	}
	address, err := recipient(to.Email)
	if err != nil {
		return Message{}, err
	}
	f := facts{account: plain(to.Username), at: letter.CreatedAt}
	if of.app {
		f.address = plain(letter.Data["address"])
		if f.app, err = m.appName(ctx, letter.Data["client_id"]); err != nil {
			return Message{}, err
		}
	}
	message, err := m.writer.write(m.writer.tongues.choose(to.Profile.Locale), letter.Kind, f)
	if err != nil {
		return Message{}, err
	}
	message.ID = letter.ID.String() + "@" + ownName(m.config.Issuer)
	message.From, message.To, message.Date = m.from, address, letter.CreatedAt
	return message, nil
}

// appName is what people know an application by; its ID where it is gone.
func (m *Mail) appName(ctx context.Context, clientID string) (string, error) {
	c, _, err := m.store.FindClient(ctx, clientID)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return "", err
	}
	return plain(cmp.Or(c.Metadata.Name, clientID)), nil
}

// write makes the texts of a mail.
func (w *writer) write(in tongue, name string, f facts) (Message, error) {
	values := map[string]string{"Account": f.account, "App": f.app, "Issuer": w.issuer, "URL": w.whole}
	p := page{Language: in.tag, Dir: in.dir}
	var err error
	say := func(id string) string {
		text, failed := in.text(id, values)
		err = cmp.Or(err, failed)
		return text
	}
	p.Subject, p.Lead, p.Advice = say(name+".subject"), say(name+".lead"), say(name+".advice")
	p.Facts = []fact{{say("fact.account"), f.account}, {say("fact.time"), f.at.UTC().Format("2006-01-02 15:04 UTC")}}
	if f.app != "" {
		p.Facts = append(p.Facts, fact{say("fact.app"), f.app})
	}
	if f.address != "" {
		p.Facts = append(p.Facts, fact{say("fact.address"), f.address})
	}
	p.Footer = say("footer")
	var text, html strings.Builder
	err = cmp.Or(err, w.text.Execute(&text, p), w.html.Execute(&html, p))
	if err != nil {
		return Message{}, fmt.Errorf("mail: write %s in %s: %w", name, in.tag, err)
	}
	return Message{Subject: p.Subject, Language: in.tag, Text: text.String(), HTML: html.String()}, nil
}

// plain is text without what could make a line, or the direction of one, look like something else.
func plain(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r):
			return -1
		case unicode.IsControl(r), unicode.In(r, unicode.Zl, unicode.Zp):
			return ' '
		}
		return r
	}, text)
}
