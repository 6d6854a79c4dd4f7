package token

import (
	"errors"
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
	_, alive, err := e.alive(ctx, read)
	if err != nil {
		return err
	}
	if !alive {
		return invalidToken(errors.New("token is not active"))
	}
	scope, err := e.standingScope(ctx, read, storage.Client{})
	if err != nil {
		return err
	}
	if !read.OfGrant || !slices.Contains(scope, oauth.ScopeOpenID) {
		refusal := oauth.Errorf(oauth.InsufficientScope, "the access token does not have the scope openid")
		refusal.Challenge = `Bearer error="insufficient_scope", error_description="` + refusal.Description + `", scope="openid"`
		return refusal
	}
	id, err := storage.ParseID(read.Subject)
	if err != nil {
		return invalidToken(err)
	}
	person, err := e.Store.FindUser(ctx, id)
	if errors.Is(err, storage.ErrNotFound) {
		return invalidToken(err)
	}
	if err != nil {
		return err
	}
	claims := account.Claims(person.User, scope)
	claims["sub"] = read.Subject
	return writeJSON(w, claims)
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
	if err != nil {
		return "", err
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
	return &oauth.Error{
		Code: oauth.InvalidRequest, Description: description,
		Challenge: `Bearer error="invalid_request", error_description="` + description + `"`,
	}
}

// invalidToken is one answer for every token that does not open this door; the cause is for the log.
func invalidToken(cause error) error {
	const description = "the access token is expired, revoked, or not for this endpoint"
	return (&oauth.Error{
		Code: oauth.InvalidToken, Description: description,
		Challenge: `Bearer error="invalid_token", error_description="` + description + `"`,
	}).Because(cause)
}
