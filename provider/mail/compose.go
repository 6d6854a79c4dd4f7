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

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// templateFiles are what is around the texts: the same for all mails.
//
//go:embed templates
var templateFiles embed.FS

// linkLifetime is how long the link of a ticket serves (account.LinkLifetime), as note.link says.
const linkLifetime = 30 * time.Minute

// facts are what a mail tells of one letter. All of it is plain text; what is empty is not told.
type facts struct {
	account, app, address, agent string
	link                         string
	once                         bool // the link serves once, and not for long
	given                        bool // it goes to an address that somebody gave, and not to the account's
	at, ripe                     time.Time
	zone                         *time.Location // nil: UTC
}

// page is what the templates show.
type page struct {
	Language, Dir         string
	Subject, Lead, Advice string
	Link, Action, Note    string // Action are the link's words, and Note says how long it serves; "": there is none
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
		for name, of := range kinds() {
			for _, given := range []bool{false, true} {
				f := facts{account: "ada", app: "App", address: "192.0.2.1", agent: "Firefox", once: of.ticket, given: given, at: time.Unix(0, 0), ripe: time.Unix(1, 0)}
				if of.ticket || of.path != "" {
					f.link = issuer + "/"
				}
				if _, err := w.write(in, name, f); err != nil {
					return nil, err
				}
			}
		}
	}
	return w, nil
}

// compose makes the mail of a letter to an address. The person is zero where there is no account, or none any more.
func (m *Mail) compose(ctx context.Context, letter storage.Letter, to string, person storage.User) (Message, error) {
	of, known := kinds()[letter.Kind]
	if !known {
		return Message{}, errUnknown
	}
	address, err := recipient(to)
	if err != nil {
		return Message{}, err
	}
	f := facts{
		account: plain(person.Username), address: plain(letter.Data[dataAddress]), agent: oauth.AgentName(letter.Data[dataAgent]),
		once: of.ticket, given: to != person.Email, at: letter.CreatedAt, zone: zoneOf(person),
	}
	if of.anyone {
		f.account = ""
	}
	f.ripe, _ = time.Parse(time.RFC3339, letter.Data[dataRipe]) // it is told without, rather than not at all
	if f.link, err = m.linkOf(ctx, of, letter); err != nil {
		return Message{}, err
	}
	if of.app {
		if f.app, err = m.appName(ctx, letter.Data[dataClient]); err != nil {
			return Message{}, err
		}
	}
	in := m.writer.tongues.choose(cmp.Or(person.Profile.Locale, letter.Data[dataLocale]))
	message, err := m.writer.write(in, letter.Kind, f)
	if err != nil {
		return Message{}, err
	}
	message.ID = letter.ID.String() + "@" + ownName(m.config.Issuer)
	message.From, message.To, message.Date = m.from, address, letter.CreatedAt
	return message, nil
}

// zoneOf is the time zone that the person reads times in; nil where it is not known here.
func zoneOf(person storage.User) *time.Location {
	zone, err := time.LoadLocation(person.Profile.Zoneinfo)
	if err != nil || person.Profile.Zoneinfo == "Local" {
		return nil
	}
	return zone
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
	values := map[string]string{
		"App": in.isolated(f.app), "Until": in.isolated(clock(f.at.Add(linkLifetime), f.zone)), "Issuer": w.issuer, "URL": w.whole,
	}
	p := page{Language: in.tag, Dir: in.dir, Link: f.link}
	var err error
	say := func(id string) string {
		text, failed := in.text(id, values)
		err = cmp.Or(err, failed)
		return text
	}
	p.Subject, p.Lead, p.Advice = say(name+".subject"), say(name+".lead"), say(name+".advice")
	if f.link != "" {
		p.Action = say(name + ".action")
	}
	if f.once {
		p.Note = say("note.link")
	}
	for _, of := range []fact{
		{"fact.account", f.account},
		{"fact.time", clock(f.at, f.zone)},
		{"fact.ripe", clock(f.ripe, f.zone)},
		{"fact.app", f.app},
		{"fact.agent", f.agent},
		{"fact.address", f.address},
	} {
		if of.Value != "" {
			p.Facts = append(p.Facts, fact{say(of.Name), in.isolated(of.Value)})
		}
	}
	p.Footer = say(map[bool]string{false: "footer", true: "footer.given"}[f.given])
	var text, html strings.Builder
	err = cmp.Or(err, w.text.Execute(&text, p), w.html.Execute(&html, p))
	if err != nil {
		return Message{}, fmt.Errorf("mail: write %s in %s: %w", name, in.tag, err)
	}
	return Message{Subject: p.Subject, Language: in.tag, Text: text.String(), HTML: html.String()}, nil
}

// clock is a time as people read it; "" for none. A zone without a name gets letters: digits alone change places among Arabic ones.
func clock(t time.Time, zone *time.Location) string {
	if t.IsZero() {
		return ""
	}
	t = t.In(cmp.Or(zone, time.UTC))
	name, _ := t.Zone()
	if strings.HasPrefix(name, "+") || strings.HasPrefix(name, "-") {
		name = "UTC" + name
	}
	return t.Format("2006-01-02 15:04 ") + name
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
