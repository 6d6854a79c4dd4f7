package account

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"
)

// One-time codes are RFC 6238 with the parameters that every authenticator app knows.
const (
	totpPeriod = 30 // seconds
	totpDigits = 6
	totpWindow = 1  // steps accepted before and after the current one
	seedLength = 20 // bytes: 160 bits, RFC 4226 §4 R6
)

// MatchStep returns the time step whose code it is: the current one at the instant at, the one before or the one after, and
// newer than lastStep, the newest that served (RFC 6238 §5.2). Spaces and hyphens in code are ignored, as apps show them;
// otherwise it must be six ASCII digits. The caller spends the step, so that it serves once however the code was spelt.
func MatchStep(seed []byte, code string, at time.Time, lastStep int64) (step int64, ok bool) {
	digits, formed := codeDigits(code)
	if !formed || len(seed) == 0 {
		return 0, false
	}
	now := floorStep(at)
	// Every candidate is compared, so that the time does not tell which matched.
	for candidate := now + totpWindow; candidate >= now-totpWindow; candidate-- {
		same := subtle.ConstantTimeCompare([]byte(hotpCode(seed, candidate, otp.DigitsSix)), []byte(digits)) == 1
		if same && candidate > lastStep {
			step, ok = candidate, true
		}
	}
	return step, ok
}

// floorStep is the time step of RFC 6238 §4.2 at the instant at.
func floorStep(at time.Time) int64 {
	seconds := at.Unix()
	if seconds < 0 {
		seconds -= totpPeriod - 1
	}
	return seconds / totpPeriod
}

// codeDigits strips what apps and people put between the digits of a code, and reports whether a code remains.
func codeDigits(code string) (string, bool) {
	if len(code) > 32 {
		return "", false
	}
	digits := strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, code)
	if len(digits) != totpDigits {
		return "", false
	}
	for i := range len(digits) {
		if digits[i] < '0' || digits[i] > '9' {
			return "", false
		}
	}
	return digits, true
}

// hotpCode is the one-time code of a counter (RFC 4226 §5.3), for RFC 6238's SHA-1 default. A malformed seed has none: "".
func hotpCode(seed []byte, counter int64, digits otp.Digits) string {
	secret := base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(seed)
	code, err := hotp.GenerateCodeCustom(secret, uint64(counter), hotp.ValidateOpts{Digits: digits, Algorithm: otp.AlgorithmSHA1})
	if err != nil {
		return ""
	}
	return code
}

// newSeed draws a seed.
func newSeed() []byte {
	seed := make([]byte, seedLength)
	_, _ = rand.Read(seed) // never fails since Go 1.24
	return seed
}

// describeSeed says a seed to an authenticator app: the secret in base32 and the otpauth URI
// (https://github.com/google/google-authenticator/wiki/Key-Uri-Format). The URI is put together here because the otp library
// leaves an & in the issuer as it is, and escapes it nowhere.
func describeSeed(seed []byte, issuer, accountName string) (secret, uri string) {
	secret = base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(seed)
	name := appName(issuer)
	query := url.Values{
		"secret": {secret}, "issuer": {name}, "algorithm": {"SHA1"},
		"digits": {strconv.Itoa(totpDigits)}, "period": {strconv.Itoa(totpPeriod)},
	}
	u := url.URL{
		Scheme: "otpauth", Host: "totp", Path: "/" + name + ":" + accountName,
		RawQuery: strings.ReplaceAll(query.Encode(), "+", "%20"), // some apps show a plus as it is
	}
	return secret, u.String()
}

// appName is the issuer as an authenticator app shows it: the host of an issuer URL. A colon would end it in the label.
func appName(issuer string) string {
	if u, err := url.Parse(issuer); err == nil && u.Hostname() != "" {
		issuer = u.Hostname()
	}
	if name := strings.TrimSpace(strings.ToValidUTF8(strings.ReplaceAll(issuer, ":", " "), "")); name != "" {
		return name
	}
	return "Signet"
}

// OneTimeCode is the code that an authenticator app with this base32 secret shows at the instant at. It is for `signet dev`, which
// plays both sides.
func OneTimeCode(secret string, at time.Time) (string, error) {
	seed, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		return "", fmt.Errorf("account: the secret is not base32: %w", err)
	}
	return hotpCode(seed, floorStep(at), otp.DigitsSix), nil
}
