package client

import (
	"time"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// TokenForm is how an access token is made.
type TokenForm struct {
	Format    string // jwt or opaque
	Algorithm string // "": the server's default
	Lifetime  time.Duration
}

// Form resolves how the client's access tokens for the resources are made: by the client's own choice, else by theirs, else by the
// server's. Of several lifetimes the shortest counts. The error is *oauth.Error, invalid_target: the resources want what one token
// cannot be.
func (r *Registry) Form(c storage.Client, resources []storage.Resource) (TokenForm, error) {
	m := c.Metadata
	form := TokenForm{m.AccessTokenFormat, m.AccessTokenSignedAlg, r.AccessTokenLifetime(c)}
	var shortest int64
	for _, resource := range resources {
		wish := resource.Metadata
		if !agree(&form.Format, m.AccessTokenFormat, wish.AccessTokenFormat) {
			return form, oauth.Errorf(oauth.InvalidTarget,
				"one of the resources takes JWTs alone and another opaque tokens alone: ask for a token for each of them")
		}
		if form.Format != oauth.FormatOpaque && !agree(&form.Algorithm, m.AccessTokenSignedAlg, wish.AccessTokenSignedAlg) {
			return form, oauth.Errorf(oauth.InvalidTarget,
				"the resources want tokens signed with different algorithms: ask for a token for each of them")
		}
		if l := wish.AccessTokenLifetime; l > 0 && (shortest == 0 || l < shortest) {
			shortest = l
		}
	}
	if form.Format == "" {
		form.Format = oauth.FormatJWT
	}
	if m.AccessTokenLifetime == 0 {
		form.Lifetime = seconds(shortest, form.Lifetime)
	}
	return form, nil
}

// agree takes a resource's wish over where the client has none of its own; false: another resource wished otherwise.
func agree(chosen *string, own, wish string) bool {
	if own != "" || wish == "" {
		return true
	}
	if *chosen == "" {
		*chosen = wish
	}
	return *chosen == wish
}
