package account

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"github.com/signet-idp/signet/storage"
)

// The limits of claims.
const (
	maxText    = 256  // code points
	maxAddress = 1024 // code points of one member
	maxURL     = 2048 // bytes
)

// SetClaim gives u one standard claim of OpenID Connect Core §5.1 by its name, as in given_name=Ada; "" takes it away. Booleans
// are true or false, an address is address.locality=London member by member or address={…} as JSON. Setting email or
// phone_number takes away its _verified mark, so set that one after it. u is changed only where the value is good. Errors are
// *Invalid with the claim's name as the field.
func SetClaim(u *storage.User, name, value string) error {
	member, isMember := strings.CutPrefix(name, "address.")
	switch {
	case isMember:
		return setAddressMember(u, name, member, value)
	case name == "address":
		return setAddress(u, value)
	case name == "email":
		return setEmail(u, value)
	case name == "phone_number":
		return setPhone(u, value)
	case name == "email_verified":
		return setMark(&u.EmailVerified, name, value)
	case name == "phone_number_verified":
		return setMark(&u.PhoneVerified, name, value)
	case name == "preferred_username":
		return invalid(name, "it is the username; change that")
	case name == "updated_at" || reserved(name):
		return invalid(name, "it is reserved: the server sets it")
	}
	field := profileField(&u.Profile, name)
	if field == nil {
		return invalid(name, "it is not a standard claim; allowed are %s, email, email_verified, phone_number, "+
			"phone_number_verified and address.{%s}", strings.Join(profileClaims(), ", "), strings.Join(addressClaims(), ", "))
	}
	checked, err := profileValue(name, value)
	if err == nil {
		*field = checked
	}
	return err
}

// reserved are the claims that say who speaks and for how long (RFC 7519 §4.1, RFC 9068 §2.2, OpenID Connect Core §2).
func reserved(name string) bool {
	switch name {
	case "iss", "sub", "aud", "exp", "iat", "nbf", "jti", "azp", "acr", "amr", "auth_time", "nonce", "sid", "cnf", "act",
		"client_id", "scope", "at_hash", "c_hash", "s_hash":
		return true
	}
	return false
}

// checkClaims checks all claims of u in place, for users that were not made by SetClaim.
func checkClaims(u *storage.User) error {
	for _, name := range profileClaims() {
		field := profileField(&u.Profile, name)
		checked, err := profileValue(name, *field)
		if err != nil {
			return err
		}
		*field = checked
	}
	if a := u.Profile.Address; a != nil {
		copied := *a // the caller's record stays as it is
		u.Profile.Address = &copied
		for _, name := range addressClaims() {
			field := addressField(&copied, name)
			checked, err := lines("address."+name, *field, maxAddress)
			if err != nil {
				return err
			}
			*field = checked
		}
		keepAddress(u, copied)
	}
	phone, err := phoneNumber(u.Phone)
	if err != nil {
		return err
	}
	u.Phone = phone
	if phone == "" && u.PhoneVerified {
		return invalid("phone_number", "it is marked verified and there is none")
	}
	return nil
}

// profileValue returns value as it is stored, or *Invalid.
func profileValue(name, value string) (string, error) {
	value, err := line(name, value, maxURL)
	if err != nil || value == "" {
		return "", err
	}
	switch name {
	case "profile", "picture", "website":
		return value, checkURL(name, value)
	case "birthdate":
		return value, checkBirthdate(value)
	case "zoneinfo":
		return value, checkZoneinfo(value)
	case "locale":
		tag, err := language.Parse(value)
		if err != nil || tag == language.Und {
			return "", invalid(name, "it must be a BCP 47 language tag, as in en-GB")
		}
		return strings.ReplaceAll(value, "_", "-"), nil
	}
	return line(name, value, maxText)
}

func checkURL(name, value string) error {
	u, err := url.Parse(value)
	if err != nil || len(value) > maxURL || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || u.User != nil {
		return invalid(name, "it must be an http or https URL of at most %d bytes, without a user name in it", maxURL)
	}
	return nil
}

// checkBirthdate allows YYYY-MM-DD, 0000-MM-DD where the year is withheld, and YYYY alone.
func checkBirthdate(value string) error {
	full := value
	switch {
	case len(value) == 4 && value != "0000":
		full += "-01-01"
	case strings.HasPrefix(value, "0000-"):
		full = "2000" + value[4:] // a leap year: the 29th of February is a birthday
	}
	if _, err := time.Parse(time.DateOnly, full); err != nil {
		return invalid("birthdate", "it must be a date as YYYY-MM-DD, 0000-MM-DD without the year, or YYYY alone")
	}
	return nil
}

// checkZoneinfo checks the form of a name of the IANA time zone database; which names it has depends on its edition.
func checkZoneinfo(value string) error {
	for part := range strings.SplitSeq(value, "/") {
		odd := strings.IndexFunc(part, func(r rune) bool {
			return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_+-", r)
		})
		if part == "" || odd >= 0 || len(value) > 64 {
			return invalid("zoneinfo", "it must be a name of the time zone database, as in Europe/Paris")
		}
	}
	return nil
}

func setEmail(u *storage.User, value string) error {
	if value == "" {
		u.Email, u.EmailVerified = "", false
		return nil
	}
	canonical, err := CanonicalEmail(value)
	if err != nil {
		return err
	}
	if before, err := CanonicalEmail(u.Email); err != nil || before != canonical {
		u.EmailVerified = false
	}
	u.Email = norm.NFC.String(value)
	return nil
}

func setPhone(u *storage.User, value string) error {
	phone, err := phoneNumber(value)
	if err != nil {
		return err
	}
	if phone != u.Phone {
		u.PhoneVerified = false
	}
	u.Phone = phone
	return nil
}

// phoneNumber returns a number in E.164 without the spaces, hyphens, dots and brackets that people write into it.
func phoneNumber(value string) (string, error) {
	if value == "" {
		return "", nil
	}
	number := strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -.()", r) {
			return -1
		}
		return r
	}, value)
	digits, ok := strings.CutPrefix(number, "+")
	odd := strings.IndexFunc(digits, func(r rune) bool { return r < '0' || r > '9' })
	if !ok || odd >= 0 || len(digits) < 4 || len(digits) > 15 || digits[0] == '0' {
		return "", invalid("phone_number", "it must be an international number (E.164), as in +442079460000")
	}
	return number, nil
}

func setMark(mark *bool, name, value string) error {
	switch value {
	case "true":
		*mark = true
	case "false", "":
		*mark = false
	default:
		return invalid(name, "it must be true or false")
	}
	return nil
}

func setAddressMember(u *storage.User, name, member, value string) error {
	var address storage.Address
	if u.Profile.Address != nil {
		address = *u.Profile.Address
	}
	field := addressField(&address, member)
	if field == nil {
		return invalid(name, "an address has no such member; allowed are %s", strings.Join(addressClaims(), ", "))
	}
	checked, err := lines(name, value, maxAddress)
	if err != nil {
		return err
	}
	*field = checked
	keepAddress(u, address)
	return nil
}

func setAddress(u *storage.User, value string) error {
	var address storage.Address
	if value != "" {
		decoder := json.NewDecoder(bytes.NewReader([]byte(value)))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&address); err != nil || decoder.More() {
			return invalid("address", "it must be a JSON object with the members %s, all of them strings",
				strings.Join(addressClaims(), ", "))
		}
	}
	for _, member := range addressClaims() {
		field := addressField(&address, member)
		checked, err := lines("address."+member, *field, maxAddress)
		if err != nil {
			return err
		}
		*field = checked
	}
	keepAddress(u, address)
	return nil
}

// keepAddress stores an address that says something; an empty one is none.
func keepAddress(u *storage.User, address storage.Address) {
	u.Profile.Address = nil
	if address != (storage.Address{}) {
		u.Profile.Address = &address
	}
}

// line checks a one-line text of at most limit code points, and returns it in NFC without white space around it.
func line(field, text string, limit int) (string, error) {
	if strings.ContainsAny(text, "\r\n") {
		return "", invalid(field, "it must be one line")
	}
	return lines(field, text, limit)
}

// lines is line for texts that may have several.
func lines(field, text string, limit int) (string, error) {
	if !utf8.ValidString(text) {
		return "", invalid(field, "it is not valid UTF-8")
	}
	text = strings.TrimSpace(norm.NFC.String(strings.ReplaceAll(text, "\r\n", "\n")))
	if utf8.RuneCountInString(text) > limit {
		return "", invalid(field, "it must not exceed %d characters", limit)
	}
	for _, r := range text {
		if r != '\n' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r)) {
			return "", invalid(field, "it must not have control characters")
		}
	}
	return text, nil
}
