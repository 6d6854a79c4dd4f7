package bearer

import (
	"context"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// Verifier checks access tokens. It is safe for concurrent use, and one serves a whole program.
type Verifier struct {
	config     Config
	algorithms []jose.SignatureAlgorithm
	issuer     *issuer
	answers    *answers
	about      described
}

// New makes a Verifier. It asks nobody anything yet: the issuer may start later than the API. The error is that of
// Config.Validate.
func New(c Config) (*Verifier, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.withDefaults()
	v := &Verifier{config: c, issuer: &issuer{config: c}}
	for _, alg := range c.Algorithms {
		v.algorithms = append(v.algorithms, jose.SignatureAlgorithm(alg))
	}
	if c.Metadata != nil {
		var err error
		if v.about.address, v.about.document, err = Describe(c.Issuer, c.Audience, *c.Metadata); err != nil {
			return nil, err
		}
	}
	if c.Introspection != nil && c.Introspection.Cache > 0 {
		v.answers = newAnswers(c.Introspection.Cache)
	}
	return v, nil
}

// Verify checks an access token. The error is an *Error: invalid_token, or temporarily_unavailable where the issuer would have
// to be asked and cannot be, or ctx ended before.
func (v *Verifier) Verify(ctx context.Context, token string) (Token, error) {
	if len(token) > maxToken {
		return Token{}, tooLong()
	}
	ask := v.config.Introspection
	switch {
	case !token68(token):
		return Token{}, invalid(notOurs, errForm)
	case strings.Count(token, ".") == 2:
		read, err := v.verifyJWT(ctx, token)
		if err != nil || ask == nil || !ask.Always {
			return read, err
		}
		answer, err := v.introspect(ctx, token)
		if err != nil {
			return Token{}, err
		}
		// What the client may still do is the issuer's to say; the rest was signed.
		read.Scope, read.Username = answer.Scope, answer.Username
		return read, nil
	case ask == nil:
		return Token{}, invalid(notOurs, errForm)
	}
	return v.introspect(ctx, token)
}

// judge looks at the claims that a token and an answer about one have in common. Whether there is an iss, its caller knows.
func (v *Verifier) judge(t Token) error {
	switch {
	case t.Issuer != v.config.Issuer:
		return invalid(notOurs, errIssuer)
	case !slices.Contains(t.Audience, v.config.Audience):
		return invalid("the access token is not for this API", nil)
	case t.Subject == "":
		return invalid(notOurs, errSubject)
	case t.bound():
		return invalid("the access token is bound to its sender, and this API takes bearer tokens alone", nil)
	}
	if err := t.current(v.config.Clock(), v.config.Skew); err != nil {
		return err
	}
	return nil
}
