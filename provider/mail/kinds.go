package mail

import (
	"context"
	"errors"
	"strings"

	"github.com/signet-idp/signet/storage"
)

// nothingHere is the letter that goes to nobody: it is written where a stranger asked in vain, so that as much is written as for
// anybody else.
const nothingHere = "nothing_here"

// kind is what a mail has besides its three texts, the account and the time.
type kind struct {
	app    bool   // it tells of an application (Data client_id)
	ticket bool   // it brings the link of a ticket (storage.LetterTicket), which serves once
	path   string // or leads to this page, which asks who is there
	anyone bool   // it goes to an address that nobody has proven: nothing that a person chose for themselves is in it
}

// kinds are the letters that become mails. Each has the texts KIND.subject, KIND.lead and KIND.advice; one that leads somewhere has
// KIND.action, the words of its link.
func kinds() map[string]kind {
	return map[string]kind{
		"sign_up":                 {ticket: true},
		"sign_up_known":           {path: "/recover"},
		"invitation":              {ticket: true},
		"reset":                   {ticket: true},
		"email_verify":            {ticket: true, anyone: true},
		"address_in_use":          {},
		"email_changed":           {},
		"password_changed":        {path: "/recover"},
		"new_device":              {path: "/account/password"},
		"factor_added":            {},
		"factor_removed":          {}, // the last one, and the recovery codes with it
		"authenticator_removed":   {}, // one of several
		"passkey_added":           {},
		"passkey_removed":         {},
		"recovery_codes_replaced": {},
		"recovery_begun":          {path: "/account"},
		"recovery_withdrawn":      {},
		"deletion_asked":          {path: "/account"},
		"deletion_withdrawn":      {},
		"account_deleted":         {},
		"refresh_token_reuse":     {app: true},
		"code_replay":             {app: true},
	}
}

// What a letter may hold besides storage.LetterTo and storage.LetterTicket. Nothing of it is a person's own words, lest somebody have
// us mail theirs to others: a browser's name is shown where we know it, and an application's was registered.
const (
	dataClient  = "client_id"
	dataAddress = "address" // the network address that it came from
	dataAgent   = "agent"   // and the User-Agent
	dataRipe    = "ripe_at" // when what was asked for happens (RFC 3339)
	dataLocale  = "locale"  // the language of somebody who has no account
)

var (
	// ErrNoLink says that the link of a letter would open nothing any more. The letter is finished, and nobody is mailed.
	ErrNoLink = errors.New("mail: the link would open nothing any more")
	// errNoTicket: whoever wrote the letter forgot what it is about.
	errNoTicket = errors.New("the letter should bring a link and names no ticket")
	// errElsewhere: no mail leads to anybody but the issuer.
	errElsewhere = errors.New("mail: the link does not begin with the issuer")
)

// linkOf is the address that a mail leads to; "" for one that leads nowhere.
func (m *Mail) linkOf(ctx context.Context, of kind, letter storage.Letter) (string, error) {
	switch {
	case of.path != "":
		return m.config.Issuer + of.path, nil
	case !of.ticket:
		return "", nil
	}
	id, err := storage.ParseID(letter.Data[storage.LetterTicket])
	if err != nil {
		return "", errNoTicket
	}
	link, err := m.config.Link(ctx, id)
	if err == nil && !strings.HasPrefix(link, m.config.Issuer+"/") {
		err = errElsewhere
	}
	return link, err
}
