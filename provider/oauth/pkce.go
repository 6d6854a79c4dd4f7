package oauth

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
)

// ChallengeS256 is the one code_challenge_method that is taken (RFC 7636 §4.2, RFC 9700 §2.1.1).
const ChallengeS256 = "S256"

// unreserved are the characters of a code_verifier (RFC 7636 §4.1).
const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

// ValidChallenge reports whether text can be an S256 code_challenge: 43 characters of base64url that decode to 32 bytes.
func ValidChallenge(text string) bool {
	digest, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return err == nil && len(text) == 43 && len(digest) == sha256.Size
}

// Challenge is the S256 code_challenge of a code_verifier. ok is false for what can be none: 43 to 128 unreserved characters.
func Challenge(verifier string) (challenge string, ok bool) {
	if len(verifier) < 43 || len(verifier) > 128 {
		return "", false
	}
	for i := range len(verifier) {
		if strings.IndexByte(unreserved, verifier[i]) < 0 {
			return "", false
		}
	}
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:]), true
}
