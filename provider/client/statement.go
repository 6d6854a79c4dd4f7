package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// maxStatementIssuers bounds whose statements are believed.
const maxStatementIssuers = 64

// StatementIssuer is somebody whose software statements are believed (RFC 7591 §2.3).
type StatementIssuer struct {
	Issuer   string          `json:"issuer"` // iss of its statements, byte for byte
	JWKS     json.RawMessage `json:"jwks"`   // the public keys that sign them (RFC 7517 §5)
	Required bool            `json:"required,omitempty"`
}

// ParseStatementIssuers reads {"issuers":[{"issuer":…,"jwks":…,"required":…}]}. The error says what to mend.
func ParseStatementIssuers(text []byte) ([]StatementIssuer, error) {
	var file struct {
		Issuers []StatementIssuer `json:"issuers"`
	}
	if err := keys.StrictObject(text, &file); err != nil {
		return nil, fmt.Errorf("must hold a JSON object such as {\"issuers\":[{\"issuer\":\"https://…\",\"jwks\":{\"keys\":[…]}}]}: %w", err)
	}
	_, err := NewStatements(file.Issuers)
	return file.Issuers, err
}

// Statements reads software statements. It is immutable.
type Statements struct {
	issuers  []StatementIssuer
	required bool
}

// NewStatements believes the issuers. Where one of them is required, no registration is without a statement of one of them. The error
// says what to mend.
func NewStatements(issuers []StatementIssuer) (*Statements, error) {
	s := &Statements{}
	if len(issuers) > maxStatementIssuers {
		return nil, fmt.Errorf("must not have more than %d issuers", maxStatementIssuers)
	}
	for i, issuer := range issuers {
		if issuer.Issuer == "" {
			return nil, fmt.Errorf("issuers[%d] must have an issuer: the iss of its statements", i)
		}
		if slices.ContainsFunc(s.issuers, func(other StatementIssuer) bool { return other.Issuer == issuer.Issuer }) {
			return nil, fmt.Errorf("issuers[%d] is there twice", i)
		}
		set, err := keys.ClientKeySet(issuer.JWKS)
		if err != nil {
			return nil, fmt.Errorf("issuers[%d]: %w", i, err)
		}
		issuer.JWKS = set
		s.issuers = append(s.issuers, issuer)
		s.required = s.required || issuer.Required
	}
	return s, nil
}

// Read checks the statement that a registration came with, "" for none, and returns what its issuer says of the software: the members
// of a registration, as the text of a JSON object, which take the place of the registration's own; nil: nothing. Where nobody's
// statements are believed they are passed over (RFC 7591 §2.3). Errors are *oauth.Error, invalid_software_statement or
// unapproved_software_statement, with causes for the log.
func (s *Statements) Read(statement string, now time.Time) (said []byte, err error) {
	switch {
	case len(s.issuers) == 0:
		return nil, nil
	case statement == "" && s.required:
		return nil, oauth.Errorf(oauth.InvalidSoftwareStatement,
			"software_statement is missing: this server registers software of approved publishers alone; ask yours for its statement")
	case statement == "":
		return nil, nil
	}
	read, err := keys.ParseAssertion(statement)
	if err != nil {
		return nil, invalidStatement(err)
	}
	iss, ok := keys.Text(read.Claims["iss"])
	if !ok {
		return nil, invalidStatement(errors.New("its iss is missing or not a string"))
	}
	i := slices.IndexFunc(s.issuers, func(known StatementIssuer) bool { return known.Issuer == iss })
	if i < 0 {
		return nil, oauth.Errorf(oauth.UnapprovedSoftwareStatement, "software_statement is of an issuer that this server does not believe: ask its operator")
	}
	if err := read.Verify(s.issuers[i].JWKS, keys.AssertionAlgorithms()); err != nil {
		return nil, invalidStatement(err)
	}
	if err := timely(read.Claims, now); err != nil {
		return nil, invalidStatement(err)
	}
	for _, claim := range []string{"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "software_statement"} {
		delete(read.Claims, claim)
	}
	return json.Marshal(read.Claims)
}

// timely judges the claims that say when a statement is good (RFC 7519 §4.1).
func timely(claims map[string]json.RawMessage, now time.Time) error {
	if raw, there := claims["exp"]; there {
		if expires, ok := instant(raw); !ok || !now.Before(expires.Add(clockSkew)) {
			return errors.New("its exp is not a time, or has passed")
		}
	}
	for _, name := range []string{"nbf", "iat"} {
		if raw, there := claims[name]; there {
			if from, ok := instant(raw); !ok || from.After(now.Add(clockSkew)) {
				return fmt.Errorf("its %s is not a time, or in the future", name)
			}
		}
	}
	return nil
}

func invalidStatement(cause error) error {
	return oauth.Errorf(oauth.InvalidSoftwareStatement, "software_statement is not a JWT that its issuer signed and that is good now: ask for a new one").Because(cause)
}

// Override puts the members that said, the text of a JSON object, has in the place of m's. Errors are those of ReadMetadata.
func Override(m storage.ClientMetadata, said []byte) (storage.ClientMetadata, error) {
	read, _, err := ReadMetadata(said)
	if err != nil {
		return m, err
	}
	var there map[string]json.RawMessage
	if err := json.Unmarshal(said, &there); err != nil {
		return m, err
	}
	from, into := reflect.ValueOf(read), reflect.ValueOf(&m).Elem()
	for field := range into.Type().Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if raw, ok := there[name]; ok && string(raw) != "null" {
			into.FieldByIndex(field.Index).Set(from.FieldByIndex(field.Index))
		}
	}
	return m, nil
}
