package mail

import (
	"bytes"
	"fmt"
	"net/mail"
	"time"

	gomail "github.com/wneessen/go-mail"
)

// Message is a mail as it is sent. Its Text and HTML say the same.
type Message struct {
	ID       string // the Message-ID without its brackets: the same whenever the same letter is sent again
	From     *mail.Address
	To       string // one address, its domain in ASCII
	Subject  string
	Language string // of the texts, as a BCP 47 tag
	Text     string
	HTML     string
	Date     time.Time
}

// Bytes is the message with its header (RFC 5322), as it goes over the wire.
func (m Message) Bytes() ([]byte, error) {
	to, err := recipient(m.To)
	if err != nil {
		return nil, err
	}
	g := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	g.FromMailAddress(m.From)
	g.ToMailAddress(&mail.Address{Address: to})
	g.Subject(m.Subject)
	g.SetMessageIDWithValue(m.ID)
	g.SetDateWithValue(m.Date.UTC())
	g.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: nobody's absence note answers it
	g.SetGenHeader("Content-Language", m.Language)
	g.SetBodyString(gomail.TypeTextPlain, m.Text)
	g.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	var out bytes.Buffer
	if _, err := g.WriteTo(&out); err != nil {
		return nil, fmt.Errorf("mail: write the message: %w", err)
	}
	return out.Bytes(), nil
}
