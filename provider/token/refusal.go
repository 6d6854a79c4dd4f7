package token

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// The bounds of what a request may make us keep of itself.
const (
	maxClientID  = 256
	maxCause     = 512
	maxAssertion = 8 << 10
)

// asked is what a request said of itself before anything was decided.
type asked struct {
	request   *http.Request
	endpoint  string
	grantType string // where it is one of ours
	params    oauth.Params
	proven    string // the client that authenticated; "" where none did
}

// refused makes a Refused of a refusal that names a client. Outages are no refusals, and neither is what a request goes on from:
// mfa_required, and a device that is told to ask again.
func (a *asked) refused(err error) error {
	e := oauth.As(err)
	if e == nil || e.HTTPStatus() >= http.StatusInternalServerError || e.Code == oauth.MFARequired || e.Code == oauth.AuthorizationPending ||
		e.Code == oauth.SlowDown && a.grantType == oauth.GrantDeviceCode {
		return err
	}
	who := a.clientID()
	if who == "" {
		return err
	}
	about := storage.RefusedRequest{
		Endpoint: a.endpoint, ClientID: who, GrantType: a.grantType, Code: string(e.Code), Description: e.Description, Seen: seenBy(a.request),
	}
	if cause := e.Unwrap(); cause != nil {
		about.Cause = cut(cause.Error(), maxCause)
	}
	if dead := (*deadToken)(nil); errors.As(err, &dead) {
		about.GrantID, about.Token = dead.grant, dead.became
	}
	return &client.Refused{About: about, Err: err}
}

// clientID is whom the request comes from, or else whom it names and could not prove to be.
func (a *asked) clientID() string {
	if a.proven != "" {
		return a.proven
	}
	id := a.params.Get("client_id")
	if user, _, ok := a.request.BasicAuth(); ok && id == "" {
		var err error
		if id, err = url.QueryUnescape(user); err != nil {
			return ""
		}
	}
	if id == "" {
		id = subjectOf(a.params.Get("client_assertion"))
	}
	if len(id) > maxClientID {
		return ""
	}
	return id
}

// subjectOf is the client that an assertion names (RFC 7523 §3), "" where it is none that can be read. Nothing is verified: it says
// which client's operator is to be told.
func subjectOf(assertion string) string {
	parts := strings.Split(assertion, ".")
	if len(parts) != 3 || len(assertion) > maxAssertion {
		return ""
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return ""
	}
	var claims struct {
		Subject string `json:"sub"`
	}
	if json.Unmarshal(payload, &claims) != nil {
		return ""
	}
	return claims.Subject
}

func cut(text string, length int) string {
	if len(text) > length {
		return strings.ToValidUTF8(text[:length], "")
	}
	return text
}

// deadToken says why a token is not taken, and what had become of it: for the log and signet explain.
type deadToken struct {
	why    string
	grant  storage.ID
	became string
}

func (d *deadToken) Error() string { return d.why }

// becameOf tells what had become of an authentic refresh token of g, for a person who was asked why it is dead. seen is who
// presents it now.
func becameOf(g storage.Grant, h handle.Handle, seen storage.Seen) string {
	switch {
	case h.Generation > g.Generation:
		return "it is newer than the grant's row: the database was restored to an earlier time"
	case h.Generation == g.Generation && h.Fork == g.Fork:
		return "it is the newest refresh token of its grant, issued at " + instant(g.IssuedAt)
	case h.Generation == g.Generation:
		return "another token took its place, since its answer seemed lost; that one was issued at " + instant(g.IssuedAt)
	}
	where := "the same address"
	if g.Seen.Address != seen.Address {
		where = "another address, " + cmp.Or(g.Seen.Address, "which is not known")
	}
	behind := g.Generation - 1 - h.Generation
	if behind == 0 && len(g.Retired) == 0 { // the device code before generation 1
		return fmt.Sprintf("it was exchanged at %s from %s", instant(g.IssuedAt), where)
	}
	if behind == 0 {
		return fmt.Sprintf("it was rotated at %s from %s", instant(g.Retired[0]), where)
	}
	rotated := "longer ago than the grant remembers"
	if uint64(behind) < uint64(len(g.Retired)) {
		rotated = "at " + instant(g.Retired[behind])
	}
	return fmt.Sprintf("it was rotated %s, and tokens that followed it %d times more, last at %s from %s", rotated, behind, instant(g.IssuedAt), where)
}

func instant(t time.Time) string { return t.UTC().Format(time.RFC3339) }
