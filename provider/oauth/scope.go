package oauth

import (
	"slices"
	"strings"
)

// The limits of a scope parameter.
const (
	maxScopeLength = 2048
	maxScopes      = 64
)

// ParseScope splits a scope parameter into its scope tokens (RFC 6749 §3.3), each once, in the order given. Errors are *Error
// with code invalid_scope.
func ParseScope(text string) ([]string, error) {
	if len(text) > maxScopeLength {
		return nil, Errorf(InvalidScope, "the scope must not exceed %d characters", maxScopeLength)
	}
	var scope []string
	for token := range strings.SplitSeq(text, " ") {
		if token == "" {
			continue
		}
		for i := range len(token) {
			if c := token[i]; c <= 0x20 || c >= 0x7f || c == '"' || c == '\\' {
				return nil, Errorf(InvalidScope, "the scope has a character that RFC 6749 section 3.3 does not allow")
			}
		}
		if !slices.Contains(scope, token) {
			scope = append(scope, token)
		}
	}
	if len(scope) > maxScopes {
		return nil, Errorf(InvalidScope, "there must not be more than %d scopes", maxScopes)
	}
	return scope, nil
}

// JoinScope is the scope parameter of a list of scope tokens.
func JoinScope(scope []string) string { return strings.Join(scope, " ") }

// Within reports whether every element of some is in all.
func Within(some, all []string) bool {
	for _, s := range some {
		if !slices.Contains(all, s) {
			return false
		}
	}
	return true
}

// UserScopes are the scopes that mean something to the provider itself. They speak about a person; a client that acts for itself
// has no use for them.
func UserScopes() []string {
	return []string{
		ScopeOpenID, ScopeProfile, ScopeEmail, ScopeAddress, ScopePhone, ScopeOfflineAccess,
	}
}
