package bearer

import (
	"context"
	"errors"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// notOurs is one answer for every text that is no access token of the issuer: what exactly is wrong is for the log.
const notOurs = "the access token is not one of this issuer's"

// The causes. go-jose's own texts are not passed on: they repeat parts of what was sent.
var (
	errForm      = errors.New("it is neither a JWT that this API reads nor introspected")
	errType      = errors.New("typ is not at+jwt")
	errCritical  = errors.New("its header has crit")
	errKID       = errors.New("its kid is not in the issuer's key set")
	errSignature = errors.New("the signature is not by the key of its kid and algorithm")
	errIssuer    = errors.New("iss is not the configured issuer")
	errSubject   = errors.New("it has no sub")
)

// verifyJWT checks a JWT access token (RFC 9068 §4).
func (v *Verifier) verifyJWT(ctx context.Context, text string) (Token, error) {
	signed, err := jose.ParseSignedCompact(text, v.algorithms)
	if err != nil || len(signed.Signatures) != 1 {
		return Token{}, invalid(notOurs, errForm)
	}
	header := signed.Signatures[0].Protected
	if !accessType(header) {
		return Token{}, invalid(notOurs, errType)
	}
	if _, critical := header.ExtraHeaders["crit"]; critical {
		return Token{}, invalid(notOurs, errCritical)
	}
	key, err := v.issuer.key(ctx, header.KeyID)
	if err != nil {
		return Token{}, err
	}
	if !key.suits(header.Algorithm) {
		return Token{}, invalid(notOurs, errSignature)
	}
	payload, err := signed.Verify(key.public)
	if err != nil {
		return Token{}, invalid(notOurs, errSignature)
	}
	t, err := parseToken(payload)
	if err != nil {
		return Token{}, invalid(notOurs, err)
	}
	if err := v.judge(t); err != nil {
		return Token{}, err
	}
	return t, nil
}

// accessType reports whether typ is at+jwt, in either of the spellings of RFC 9068 §4.
func accessType(header jose.Header) bool {
	typ, _ := header.ExtraHeaders[jose.HeaderType].(string)
	return strings.EqualFold(typ, "at+jwt") || strings.EqualFold(typ, "application/at+jwt")
}
