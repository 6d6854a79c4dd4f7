package bearer

import "strings"

// maxToken bounds a token in bytes. What is longer is refused before it is parsed; Signet makes none that is.
const maxToken = 8 << 10

// fromHeader finds the access token in the values of the Authorization header (RFC 6750 §2.1). Tokens in addresses and bodies are
// not looked for: they end up in logs. Errors are *Error: without a code where there is no token, invalid_request where the header
// cannot be read, invalid_token where the token is too long.
func fromHeader(values []string) (string, error) {
	switch len(values) {
	case 0:
		return "", noToken()
	case 1:
	default:
		return "", malformed("there must be one Authorization header")
	}
	scheme, rest, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", noToken()
	}
	token := strings.TrimLeft(rest, " ")
	if len(token) > maxToken {
		return "", tooLong()
	}
	if !token68(token) {
		return "", malformed("the Authorization header must be Bearer, a space and an access token")
	}
	return token, nil
}

func tooLong() *Error { return invalid("the access token must not exceed 8 KiB", nil) }

// token68 is the syntax of b64token (RFC 6750 §2.1).
func token68(text string) bool {
	body := strings.TrimRight(text, "=")
	for i := range len(body) {
		switch c := body[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', strings.IndexByte("-._~+/", c) >= 0:
		default:
			return false
		}
	}
	return body != ""
}
