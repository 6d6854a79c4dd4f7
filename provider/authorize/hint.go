package authorize

import (
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// parseHint reads id_token_hint: an ID token of ours, expired or not, that says who is meant (OpenID Connect Core §3.1.2.1).
func (d *Door) parseHint(r *Request, c storage.Client, p oauth.Params) *oauth.Error {
	text := p.Get("id_token_hint")
	if text == "" {
		return nil
	}
	token, err := d.Issuer.ReadIDToken(text)
	if err != nil {
		return oauth.Errorf(oauth.InvalidRequest, "id_token_hint must be an ID token of this issuer").Because(err)
	}
	if !givenTo(c, token.Subject) {
		return oauth.Errorf(oauth.InvalidRequest, "id_token_hint must be an ID token that was made for this client: its subjects are of another kind")
	}
	return r.only(token.Subject)
}

// known is how the client knows people.
func (d *Door) known(c storage.Client) func(storage.User) string {
	return func(u storage.User) string { return d.Issuer.Subject(c, u.ID) }
}
