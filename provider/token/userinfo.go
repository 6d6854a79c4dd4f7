package token

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// Userinfo is GET and POST /userinfo (OpenID Connect Core §5.3): the claims about the person that the token's scopes open. The
// token comes in the Authorization header or a POST body (RFC 6750 §2.1, §2.2), never in the address.
func (e *Endpoint) Userinfo(w http.ResponseWriter, r *http.Request) error {
	err := e.userinfo(w, r)
	if refusal := oauth.As(err); refusal != nil && refusal.Challenge != "" && e.AboutURL != "" {
		separator := ", "
		if !strings.Contains(refusal.Challenge, " ") {
			separator = " "
		}
		refusal.Challenge += separator + `resource_metadata="` + e.AboutURL + `"` // RFC 9728 §5.1
	}
	return err
}

func (e *Endpoint) userinfo(w http.ResponseWriter, r *http.Request) error {
	text, err := bearer(r)
	if err != nil {
		return err
	}
	read, err := e.Issuer.ReadAccess(text)
	if err != nil {
		return invalidToken(err)
	}
	if !slices.Contains(read.Audience, e.IssuerURL) {
		return invalidToken(errors.New("the issuer is not in its audience"))
	}
	ctx := r.Context()
	standing, alive, err := e.alive(ctx, read)
	if err != nil {
		return err
	}
	if !alive {
		return invalidToken(errors.New("token is not active"))
	}
	owner, err := e.owner(ctx, read, storage.Client{})
	if err != nil {
		return err
	}
	scope := intersect(strings.Fields(read.Scope), registeredScope(owner.Metadata))
	if !read.OfGrant || !slices.Contains(scope, oauth.ScopeOpenID) {
		refusal := challenged(oauth.Error{Code: oauth.InsufficientScope, Description: "the access token does not have the scope openid"})
		refusal.Challenge += `, scope="openid"`
		return refusal
	}
	person, err := e.Store.FindUser(ctx, standing.Grant.UserID)
	if errors.Is(err, storage.ErrNotFound) {
		return invalidToken(err)
	}
	if err != nil {
		return err
	}
	claims := account.Claims(person.User, scope)
	if asked := standing.Grant.Claims; asked != nil {
		addClaims(claims, person.User, asked.UserInfo)
	}
	claims["sub"] = read.Subject
	return e.answerUserinfo(w, owner, claims)
}

// answerUserinfo answers with plain JSON, or signed where the client is registered to have it so (OpenID Connect Core §5.3.2).
func (e *Endpoint) answerUserinfo(w http.ResponseWriter, c storage.Client, claims map[string]any) error {
	alg := c.Metadata.UserinfoSignedAlg
	if alg == "" {
		return writeJSON(w, claims)
	}
	signed, err := e.Issuer.Userinfo(alg, c.ID, claims)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/jwt")
	_, _ = io.WriteString(w, signed) // a client that went away is no error of ours
	return nil
}

// bearer finds the access token of a request, in exactly one place.
func bearer(r *http.Request) (string, error) {
	var token string
	switch headers := r.Header.Values("Authorization"); len(headers) {
	case 0:
	case 1:
		scheme, rest, _ := strings.Cut(headers[0], " ")
		if !strings.EqualFold(scheme, "Bearer") {
			return "", noToken()
		}
		if token = strings.TrimLeft(rest, " "); token == "" {
			return "", malformedBearer("the Authorization header has no token")
		}
	default:
		return "", malformedBearer("there must be one Authorization header")
	}
	if r.Method != http.MethodPost || r.ContentLength == 0 || r.Header.Get("Content-Type") == "" {
		if token == "" {
			return "", noToken()
		}
		return token, nil
	}
	params, err := oauth.ParseForm(r)
	if malformed := oauth.As(err); malformed != nil {
		return "", challenged(*malformed)
	}
	switch body := params.Get("access_token"); {
	case body != "" && token != "":
		return "", malformedBearer("the access token must come in the header or in the body, not in both")
	case body != "":
		return body, nil
	case token == "":
		return "", noToken()
	}
	return token, nil
}

// noToken asks for a token without an error code: the request did not try (RFC 6750 §3.1).
func noToken() error {
	return &oauth.Error{
		Code: oauth.InvalidToken, Description: "send an access token in the Authorization header", Challenge: "Bearer",
	}
}

func malformedBearer(description string) error {
	return challenged(oauth.Error{Code: oauth.InvalidRequest, Description: description})
}

// invalidToken is one answer for every token that does not open this door; the cause is for the log.
func invalidToken(cause error) error {
	return challenged(oauth.Error{
		Code: oauth.InvalidToken, Description: "the access token is expired, revoked, or not for this endpoint",
	}).Because(cause)
}

// challenged is the error with the challenge that says the same (RFC 6750 §3).
func challenged(e oauth.Error) *oauth.Error {
	e.Challenge = `Bearer error="` + string(e.Code) + `", error_description="` + e.Description + `"`
	return &e
}
