package client

import (
	"slices"
	"strings"

	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/storage"
)

// The bounds of what software says of itself.
const (
	maxSoftwareName = 255   // bytes of software_id and software_version
	maxStatement    = 16384 // bytes
)

// algNone is what a registration calls a JWT that nobody signed (RFC 7518 §3.6).
const algNone = "none"

// checkInitiation looks at where a sign-in begun elsewhere starts (OpenID Connect Core §4). People are sent there, so that it is https
// even on this machine.
func checkInitiation(m *storage.ClientMetadata, _ Config) error {
	return checkSecure("initiate_login_uri", m.InitiateLoginURI)
}

// checkSecure demands https of an address for which a standard has no exception; "" is none.
func checkSecure(member, uri string) error {
	if uri == "" {
		return nil
	}
	fault := linkFault(uri)
	switch {
	case fault != "":
		return metadataError("%s %s", member, fault)
	case !strings.HasPrefix(uri, "https:"):
		return metadataError("%s must use https", member)
	case strings.Contains(uri, "#"):
		return metadataError("%s %s", member, faultFragment)
	}
	return nil
}

// checkRequestObjects takes the algorithm of request objects, which are not read here: what a client can sign with is kept as it was sent.
func checkRequestObjects(m *storage.ClientMetadata, _ Config) error {
	known := slices.Concat([]string{algNone}, keys.AssertionAlgorithms(), keys.SecretAlgorithms())
	if alg := m.RequestObjectSigningAlg; alg != "" && !slices.Contains(known, alg) {
		return metadataError("request_object_signing_alg must be one of %s", strings.Join(known, ", "))
	}
	return nil
}

// checkSoftware bounds what software says of itself (RFC 7591 §2, §2.3). Who signed a statement is judged where it is presented.
func checkSoftware(m *storage.ClientMetadata, _ Config) error {
	for _, text := range []struct{ member, value string }{{"software_id", m.SoftwareID}, {"software_version", m.SoftwareVersion}} {
		if len(text.value) > maxSoftwareName || !harmless(text.value) {
			return metadataError("%s must have at most %d bytes and no control or direction characters", text.member, maxSoftwareName)
		}
	}
	statement := m.SoftwareStatement
	if statement != "" && (len(statement) > maxStatement || strings.Count(statement, ".") != 2 || strings.Trim(statement, labelCharacters+".") != "") {
		return metadataError("software_statement must be a signed JWT of at most %d bytes (RFC 7591 section 2.3)", maxStatement)
	}
	return nil
}
