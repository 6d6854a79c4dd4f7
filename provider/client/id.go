package client

import (
	"crypto/rand"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/signet-idp/signet/provider/oauth"
)

const (
	maxChosenID    = 128
	maxPresentedID = 256
	pairwiseLength = 43 // of a pairwise subject: 32 bytes in base64url
)

// reservedIDs are the actors of the audit log that are nobody's ID.
var reservedIDs = []string{"cli", "server"}

// makeID draws 130 bits. The form is not that of a UUID, so it is never equal to a subject.
func makeID() string { return strings.ToLower(rand.Text()) }

// CheckID checks a client_id that an operator chose: 1 to 128 printable ASCII characters without space, quote, backslash and
// colon (Basic ends the id at the first), and without % and +, so that clients which forget the form encoding of RFC 6749 §2.3.1
// still authenticate. It must not have the form of a subject, which is that of a UUID or of a pairwise one. Errors are *oauth.Error with code
// invalid_client_metadata.
func CheckID(id string) error {
	if id == "" || len(id) > maxChosenID {
		return metadataError("client_id must have 1 to %d characters", maxChosenID)
	}
	for i := range len(id) {
		if c := id[i]; c <= 0x20 || c >= 0x7f || strings.IndexByte(`"\:%+`, c) >= 0 {
			return metadataError("client_id must be printable ASCII without space, quotation mark, backslash, colon, percent and plus sign")
		}
	}
	if uuidShaped(id) {
		return metadataError("client_id must not have the form of a UUID: those name users")
	}
	if len(id) == pairwiseLength && strings.Trim(id, labelCharacters) == "" {
		return metadataError("client_id must not be %d letters, digits, hyphens and underscores alone: so are pairwise subjects, which name users", pairwiseLength)
	}
	if slices.Contains(reservedIDs, id) {
		return metadataError("client_id must not be one of the reserved names: cli, server")
	}
	return nil
}

// uuidShaped also sees the forms with braces and without hyphens that some libraries take for the same UUID.
func uuidShaped(id string) bool {
	digits := strings.NewReplacer("-", "", "{", "", "}", "").Replace(id)
	return len(digits) == 32 && strings.Trim(strings.ToLower(digits), "0123456789abcdef") == ""
}

// presentable reports whether id could be a client_id at all, before the store is asked.
func presentable(id string) bool {
	if id == "" || len(id) > maxPresentedID || !utf8.ValidString(id) {
		return false
	}
	return !strings.ContainsFunc(id, func(r rune) bool { return r < 0x20 || r == 0x7f })
}

func metadataError(format string, args ...any) *oauth.Error {
	return oauth.Errorf(oauth.InvalidClientMetadata, format, args...)
}
