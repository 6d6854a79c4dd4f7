package authorize

import (
	"net/url"
	"strings"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// Returned is an authorization response (RFC 6749 §4.1.2): it travels to the client. Only what holds an oauth.Target makes one. As an
// error it is a refusal that the client hears; as a value, the answer.
type Returned struct {
	target oauth.Target
	mode   string
	fields [][2]string
	err    *oauth.Error    // nil: an answer
	halted *storage.Client // of a refusal that travels by the person's own hand; nil: it goes at once
}

// Error implements error: the text for logs.
func (r *Returned) Error() string {
	if r.err == nil {
		return "authorize: answered"
	}
	return r.err.Error()
}

// Unwrap returns the refusal as an *oauth.Error.
func (r *Returned) Unwrap() error {
	if r.err == nil {
		return nil
	}
	return r.err
}

// Mode is the response_mode: query, fragment or form_post.
func (r *Returned) Mode() string { return r.mode }

// Location is the address that the browser is redirected to, "" for form_post.
func (r *Returned) Location() string {
	switch r.mode {
	case oauth.ModeQuery:
		return r.target.WithQuery(r.encoded())
	case oauth.ModeFragment:
		return r.target.WithFragment(r.encoded())
	}
	return ""
}

// Target is where it goes.
func (r *Returned) Target() oauth.Target { return r.target }

// Action is where the form of form_post goes: the redirect URI, byte for byte.
func (r *Returned) Action() string { return r.target.String() }

// Fields are the response parameters, name and value, in their order.
func (r *Returned) Fields() [][2]string { return r.fields }

// Origin is what a Content Security Policy names to allow the response (form-action).
func (r *Returned) Origin() string { return r.target.Origin() }

// encoded is the form encoding of the parameters, with %20 for a space: some clients read a fragment without minding the plus sign.
func (r *Returned) encoded() string {
	var b strings.Builder
	for i, f := range r.fields {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(f[0] + "=" + strings.ReplaceAll(url.QueryEscape(f[1]), "+", "%20"))
	}
	return b.String()
}

// answer is a response to p with these parameters, and state and iss (RFC 9207) after them.
func (d *Door) answer(p *Passage, fields ...[2]string) *Returned {
	if p.Request.State != "" {
		fields = append(fields, [2]string{"state", p.Request.State})
	}
	fields = append(fields, [2]string{"iss", d.IssuerURL})
	return &Returned{target: p.Target, mode: p.Request.ResponseMode, fields: fields}
}

// returnError sends a refusal to the client of p (RFC 6749 §4.1.2.1), or, where p has no proven address, to our own page.
func (d *Door) returnError(p *Passage, e *oauth.Error) error {
	if p.Target.IsZero() {
		r := refuse(HeadingInvalid, e.Code, e.Description)
		r.cause = e
		return r
	}
	r := d.answer(p, [2]string{"error", string(e.Code)}, [2]string{"error_description", e.Description})
	r.err = e
	if halts(p.Client, p.Accounts, p.Now, e.Code) {
		r.halted = &p.Client
	}
	return r
}

// except is some without those of all.
func except(some, all []string) []string {
	var left []string
	for _, s := range some {
		if !contains(all, s) {
			left = append(left, s)
		}
	}
	return left
}
