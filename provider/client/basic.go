package client

import (
	"encoding/base64"
	"net/url"
	"strings"
	"unicode/utf8"
)

// maxBasic bounds the encoded credentials: twice form-encoded and base64-encoded, far more than any that could be good.
const maxBasic = 4096

// parseBasic reads the token of HTTP Basic (RFC 7617) as OAuth fills it: id and secret are form-url-encoded first, so that a
// colon in either survives (RFC 6749 §2.3.1). Only the canonical base64 form is read: one credential has one spelling.
func parseBasic(token string) (id, secret string, ok bool) {
	token = strings.Trim(token, " ")
	if len(token) > maxBasic || strings.ContainsAny(token, "\r\n") {
		return "", "", false
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(token)
	if err != nil {
		return "", "", false
	}
	encodedID, encodedSecret, found := strings.Cut(string(raw), ":")
	if !found {
		return "", "", false
	}
	id, idErr := url.QueryUnescape(encodedID)
	secret, secretErr := url.QueryUnescape(encodedSecret)
	if idErr != nil || secretErr != nil || id == "" || !utf8.ValidString(id) || !utf8.ValidString(secret) {
		return "", "", false
	}
	return id, secret, true
}
