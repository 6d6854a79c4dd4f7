package account

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/cases"
	"golang.org/x/text/secure/precis"
	"golang.org/x/text/unicode/norm"

	"github.com/signet-idp/signet/storage"
)

// The limits of names.
const (
	maxUsername  = 128 // code points
	maxEmail     = 254 // bytes, RFC 5321 §4.5.3.1.3 with RFC 3696 erratum 1690
	maxLocalPart = 64  // bytes, RFC 5321 §4.5.3.1.1
)

// CanonicalUsername returns the form under which the store keeps a username unique: PRECIS UsernameCaseMapped (RFC 8265
// §3.3), then full case folding, so that no two spellings are two people. Errors are *Invalid with the field username.
func CanonicalUsername(username string) (string, error) {
	if !utf8.ValidString(username) {
		return "", invalid("username", "it is not valid UTF-8")
	}
	if n := utf8.RuneCountInString(norm.NFC.String(username)); n < 1 || n > maxUsername {
		return "", invalid("username", "it must have between 1 and %d characters", maxUsername)
	}
	wide := norm.NFKC.String(username)
	if strings.Contains(wide, "@") {
		return "", invalid("username", "it must not contain @; give an e-mail address as the email")
	}
	// The given spelling must itself be a username, not only its compatibility form: a ligature or a superscript is refused.
	if _, err := precis.UsernameCaseMapped.String(username); err != nil {
		return "", invalid("username", "it has a character that usernames may not have; "+
			"use letters, digits and ASCII punctuation, without spaces (RFC 8265 section 3)")
	}
	canonical, ok := foldUsername(wide)
	if !ok {
		return "", invalid("username", "it has a character that usernames may not have (RFC 8265 section 3)")
	}
	if !singleScript(canonical) {
		return "", invalid("username", "it mixes scripts whose letters look alike; use letters of one script")
	}
	if uuidShaped(canonical) {
		return "", invalid("username", "it has the form of a user's ID; choose another")
	}
	return canonical, nil
}

// foldUsername is the canonical form of a username that is in NFKC already.
func foldUsername(username string) (string, bool) {
	mapped, err := precis.UsernameCaseMapped.String(username)
	if err != nil || mapped == "" {
		return "", false
	}
	return fold(mapped), true
}

// fold is Unicode's full case folding, again in NFKC: it joins what lower-casing alone keeps apart (ß and ss, σ and ς).
func fold(s string) string { return norm.NFKC.String(cases.Fold().String(s)) }

// CanonicalEmail returns the form under which the store keeps an e-mail address unique: the local part case-folded, the
// domain in lower-case ASCII (IDNA). Errors are *Invalid with the field email.
func CanonicalEmail(email string) (string, error) {
	if !utf8.ValidString(email) || len(email) > maxEmail {
		return "", invalid("email", "it must be valid UTF-8 of at most %d bytes", maxEmail)
	}
	local, domain, found := strings.Cut(norm.NFKC.String(email), "@")
	if !found || strings.Contains(domain, "@") {
		return "", invalid("email", "it must have exactly one @, as in ada@example.org")
	}
	if !dotAtom(local) {
		return "", invalid("email", "the part before the @ must have 1 to %d bytes, without quotes, spaces, brackets, "+
			"commas, colons, semicolons or backslashes, and no dot at either end or beside another", maxLocalPart)
	}
	ascii, err := domainProfile().ToASCII(domain)
	if err != nil || ascii == "" {
		return "", invalid("email", "the part after the @ is not a domain name")
	}
	canonical := fold(local) + "@" + strings.ToLower(ascii)
	if len(canonical) > 2*maxEmail {
		return "", invalid("email", "it must not exceed %d bytes", maxEmail)
	}
	return canonical, nil
}

// domainProfile checks and maps domain names as they are looked up (RFC 5891 §5, UTS #46).
func domainProfile() *idna.Profile {
	return idna.New(idna.MapForLookup(), idna.BidiRule(), idna.StrictDomainName(true), idna.VerifyDNSLength(true),
		idna.Transitional(false))
}

// dotAtom reports whether local is a dot-atom of RFC 5322 §3.2.3, with the non-ASCII characters of RFC 6531 §3.3.
func dotAtom(local string) bool {
	if local == "" || len(local) > maxLocalPart || strings.HasPrefix(local, ".") || strings.HasSuffix(local, ".") ||
		strings.Contains(local, "..") {
		return false
	}
	for _, r := range local {
		if r < utf8.RuneSelf {
			if r <= ' ' || r == 0x7f || strings.ContainsRune("\"(),:;<>[\\]", r) {
				return false
			}
		} else if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}

// CanonicalLogin returns the canonical identifier for whatever a person typed to sign in: a username or an e-mail address in
// any case, width or composition, with white space around it, or a subject. Equal accounts give equal strings. Input that can be nobody's identifier gives a short string that is nobody's, so that callers need
// no special case: it finds no user, and its attempts are counted like any other's.
func CanonicalLogin(input string) string {
	login := strings.TrimSpace(norm.NFKC.String(strings.ToValidUTF8(input, "\ufffd")))
	if strings.Contains(login, "@") {
		if canonical, err := CanonicalEmail(login); err == nil {
			return canonical
		}
	} else if utf8.RuneCountInString(login) <= 4*maxUsername {
		if canonical, ok := foldUsername(login); ok {
			return canonical
		}
	}
	// No canonical identifier has a space in it.
	sum := sha256.Sum256([]byte(fold(login)))
	return nobody + hex.EncodeToString(sum[:])
}

// nobody begins the canonical form of what can be nobody's identifier.
const nobody = "no identifier "

// uuidShaped reports whether text could be taken for a subject.
func uuidShaped(text string) bool {
	_, err := storage.ParseID(text)
	return err == nil
}

// singleScript reports whether all letters of s are of one script in the sense of UTS #39 §5.1: Japanese, Korean and Chinese
// writing count as one each.
func singleScript(s string) bool {
	seen := map[string]bool{}
	for _, r := range s {
		if !unicode.IsLetter(r) || unicode.In(r, unicode.Common, unicode.Inherited) {
			continue
		}
		seen[scriptOf(r)] = true
	}
	if len(seen) <= 1 {
		return true
	}
	for _, writing := range [][]string{{"Han", "Hiragana", "Katakana"}, {"Han", "Hangul"}, {"Han", "Bopomofo"}} {
		if within(seen, writing) {
			return true
		}
	}
	return false
}

func scriptOf(r rune) string {
	if unicode.Is(unicode.Latin, r) {
		return "Latin"
	}
	for name, table := range unicode.Scripts {
		if unicode.Is(table, r) {
			return name
		}
	}
	return ""
}

func within(seen map[string]bool, writing []string) bool {
	n := 0
	for _, script := range writing {
		if seen[script] {
			n++
		}
	}
	return n == len(seen)
}
