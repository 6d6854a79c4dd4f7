package logout

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// maxHint bounds an id_token_hint in bytes, as tokens are bounded where they are made.
const maxHint = 8 << 10

// Request is one request to log out, as it stands now.
type Request struct {
	Client   *storage.Client   // which sent the browser here, proven by the hint; nil: it is not known
	Return   string            // where the browser goes in the end: the proven post_logout_redirect_uri, with state; "": it stays
	Origin   string            // that of Return for a Content Security Policy (form-action); ""
	Accounts []browser.Account // who would be signed out
	Confirm  bool              // the person must be asked first
	Sealed   string            // the request, for the tx field of the form that asks; "" unless Confirm
	// Note tells the owner of the client why post_logout_redirect_uri is not followed; "" where it is, or was not sent. Constant text.
	Note string
}

// The notes.
const (
	noteNoHint   = "post_logout_redirect_uri is followed only where id_token_hint is sent beside it"
	noteBadHint  = "post_logout_redirect_uri is not followed, since id_token_hint is not an ID token of this issuer"
	noteNoClient = "post_logout_redirect_uri is not followed, since the client of id_token_hint is not registered here any more, or is disabled"
)

// wish is what a request asks for. It does not change while the person is asked.
type wish struct {
	Proven     bool   `json:"proven,omitempty"` // there was a hint, and it was ours: the next three come from it
	ClientID   string `json:"client_id,omitempty"`
	Subject    string `json:"sub,omitempty"`
	SessionID  string `json:"sid,omitempty"`
	Return     string `json:"post_logout_redirect_uri,omitempty"`
	State      string `json:"state,omitempty"`
	LogoutHint string `json:"logout_hint,omitempty"`
	Note       string `json:"note,omitempty"`
}

// Begin takes a request to log out in (RP-Initiated Logout §2): a GET's query, or that of a POST that was redirected, since a POST from
// elsewhere carries no cookie. An error that is a *Refusal (errors.As) belongs on our own page.
func (l *Logout) Begin(ctx context.Context, v *browser.Visit, p oauth.Params) (*Request, error) {
	w, err := l.read(p)
	if err != nil {
		return nil, report(v, err)
	}
	q, err := l.judge(ctx, v, w)
	if err != nil {
		return nil, report(v, err)
	}
	if q.Confirm {
		if q.Sealed, err = l.browsers.Seal(v, w); err != nil {
			return nil, report(v, unsealed(err))
		}
	}
	return q, nil
}

// Resume goes on with a sealed request. Errors are those of Begin; a *Refusal besides where tx is of another browser, or too old.
func (l *Logout) Resume(ctx context.Context, v *browser.Visit, tx string) (*Request, error) {
	var w wish
	if err := l.browsers.Unseal(v, tx, &w); err != nil {
		return nil, unsealed(err)
	}
	q, err := l.judge(ctx, v, w)
	if err != nil {
		return nil, report(v, err)
	}
	q.Sealed = tx
	return q, nil
}

// read takes what the parameters prove.
func (l *Logout) read(p oauth.Params) (wish, error) {
	w := wish{Return: p.Get("post_logout_redirect_uri"), State: p.Get("state"), LogoutHint: p.Get("logout_hint")}
	hint := p.Get("id_token_hint")
	if hint == "" {
		return w.unproven(noteNoHint), nil
	}
	if len(hint) > maxHint {
		return w.unproven(noteBadHint), nil
	}
	token, err := l.issuer.ReadIDToken(hint)
	if err != nil {
		// Not even an error page: a client may hold an ID token for longer than its key is published.
		return w.unproven(noteBadHint), nil
	}
	if id := p.Get("client_id"); id != "" && id != token.Audience {
		refusal := refuse(HeadingInvalid, "client_id is not the client that id_token_hint was made for",
			client.Because("client_id and the audience of id_token_hint are two clients", "client_id", id, "aud", token.Audience))
		refusal.ClientID = token.Audience
		return wish{}, refusal
	}
	w.Proven, w.ClientID, w.Subject, w.SessionID = true, token.Audience, token.Subject, token.SessionID
	return w, nil
}

// unproven is a wish that nobody is known to have sent.
func (w wish) unproven(why string) wish {
	if w.Return != "" {
		w.Note = why
	}
	w.Return, w.State = "", ""
	return w
}

// judge proves the wish against the registration and the browser as they are now.
func (l *Logout) judge(ctx context.Context, v *browser.Visit, w wish) (*Request, error) {
	q := &Request{Note: w.Note}
	var c storage.Client // whose names the hints are in; where it is gone, the plain ones
	if w.Proven {
		var err error
		c, err = l.clients.Find(ctx, w.ClientID)
		switch {
		case errors.Is(err, storage.ErrNotFound) || err == nil && !c.DisabledAt.IsZero():
			if w.Return != "" {
				q.Note = noteNoClient
			}
		case err != nil:
			return nil, err
		default:
			q.Client = &c
			if err := q.follow(c, w); err != nil {
				return nil, err
			}
		}
	}
	q.Accounts, q.Confirm = l.whom(v.Accounts, w, c)
	return q, nil
}

// follow proves where the browser goes in the end.
func (q *Request) follow(c storage.Client, w wish) error {
	if w.Return == "" {
		return nil
	}
	registered := c.Metadata.PostLogoutRedirectURIs
	target, ok := oauth.Match(registered, w.Return)
	if !ok || !slices.Contains(registered, w.Return) { // no port is free here: nobody listens for this answer
		refusal := refuse(HeadingTargetMismatch, "post_logout_redirect_uri is not one of those that the application registered",
			client.Strayed("post_logout_redirect_uri", registered, w.Return))
		refusal.ClientID, refusal.Received, refusal.Registered = c.ID, w.Return, registered
		return refusal
	}
	query := ""
	if w.State != "" {
		query = "state=" + url.QueryEscape(w.State)
	}
	q.Return, q.Origin = target.WithQuery(query), target.Origin()
	return nil
}

// whom says who would be signed out, and whether to ask first: always, but where the hint names somebody who is signed in here, or
// nobody is.
func (l *Logout) whom(here []browser.Account, w wish, c storage.Client) (out []browser.Account, confirm bool) {
	only := func(is func(browser.Account) bool) []browser.Account {
		return slices.DeleteFunc(slices.Clone(here), func(a browser.Account) bool { return !is(a) })
	}
	if len(here) == 0 {
		return nil, false
	}
	person := only(func(a browser.Account) bool { return w.Proven && l.issuer.Subject(c, a.User.ID) == w.Subject })
	session := only(func(a browser.Account) bool {
		return w.Proven && l.issuer.Subject(c, a.User.ID) == w.Subject && l.issuer.Session(c, a.Session.ID) == w.SessionID
	})
	switch {
	case len(session) > 0:
		return session, false
	case len(person) > 0:
		return person, w.SessionID != "" // a token that names another session of the person's was made elsewhere, or long ago
	}
	if hinted := only(func(a browser.Account) bool { return w.LogoutHint != "" && l.named(w.LogoutHint, a, c) }); len(hinted) > 0 {
		return hinted, true
	}
	return here, true
}

// named reports whether hint is one of the names that the client knows the account by.
func (l *Logout) named(hint string, a browser.Account, c storage.Client) bool {
	return strings.EqualFold(hint, a.User.Username) || strings.EqualFold(hint, a.User.Email) ||
		hint == l.issuer.Subject(c, a.User.ID) || hint == l.issuer.Session(c, a.Session.ID)
}
