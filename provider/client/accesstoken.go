package client

import (
	"crypto/subtle"

	"github.com/signet-idp/signet/storage"
)

// A client's Registration column holds two halves: 128 bits of the digest of the registration access token before the newest, and 128
// of the newest's. They are equal until its owner asks for a new token, and again from the first use of that on. So an answer that is
// lost with the new token in it locks nobody out: the one before it still works. Of random tokens of 256 bits, 128 bits of a
// digest tell as much as nobody can search for.
const half = len(storage.Digest{}) / 2

// standing says which of a client's tokens was presented.
type standing int

const (
	noToken     standing = iota
	onlyToken            // there is one, and this is it
	olderToken           // a newer one was made, and not used yet
	newestToken          // it is used for the first time: the older one's end
)

// makeAccessToken draws a token to stand beside the older one of kept; without one it stands alone.
func makeAccessToken(kept storage.Digest) (token string, now storage.Digest) {
	token = drawToken(AccessTokenPrefix)
	digest, _ := tokenDigest(token, AccessTokenPrefix, accessTokenDomain)
	now = alone(digest[:half])
	if !kept.IsZero() {
		copy(now[:half], kept[:half])
	}
	return token, now
}

// alone is what is kept where there is one token.
func alone(digest []byte) (now storage.Digest) {
	copy(now[:half], digest)
	copy(now[half:], digest)
	return now
}

// presents compares the token with both halves, in constant time whatever kept is.
func presents(token string, kept storage.Digest) standing {
	digest, ok := tokenDigest(token, AccessTokenPrefix, accessTokenDomain)
	older := subtle.ConstantTimeCompare(digest[:half], kept[:half]) == 1
	newest := subtle.ConstantTimeCompare(digest[:half], kept[half:]) == 1
	switch {
	case !ok || kept.IsZero() || !older && !newest:
		return noToken
	case older && newest:
		return onlyToken
	case older:
		return olderToken
	}
	return newestToken
}
