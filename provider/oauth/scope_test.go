package oauth

import (
	"slices"
	"strings"
	"testing"
)

func TestAScopeIsASetOfTokensInTheOrderGiven(t *testing.T) {
	for text, want := range map[string][]string{
		"": nil, " ": nil, "openid": {"openid"}, "openid email": {"openid", "email"}, "  b  a b ": {"b", "a"},
		"Openid openid": {"Openid", "openid"}, "!#$%&'()*+,-./:;<=>?@[]^_`{|}~": {"!#$%&'()*+,-./:;<=>?@[]^_`{|}~"},
	} {
		got, err := ParseScope(text)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%q is %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestWhatIsNoScopeIsRefused(t *testing.T) {
	many := make([]string, 0, maxScopes+1)
	for i := range maxScopes + 1 {
		many = append(many, "s"+strings.Repeat("x", i%30)+string(rune('a'+i/30)))
	}
	for _, text := range []string{
		`a"b`, `a\b`, "a\tb", "a\nb", "a\x00", "a\x7f", "é", "a\u00a0b", "\xff", strings.Repeat("x", maxScopeLength+1), strings.Join(many, " "),
	} {
		_, err := ParseScope(text)
		checkRefusal(t, err, InvalidScope)
	}
	if scope, err := ParseScope(strings.Join(many[:maxScopes], " ")); err != nil || len(scope) != maxScopes {
		t.Errorf("%d scopes: %v", maxScopes, err)
	}
}

func TestWithinHoldsForSubsetsAlone(t *testing.T) {
	all := []string{"a", "b", "c"}
	for _, some := range [][]string{nil, {"a"}, {"c", "a"}, {"b", "b"}} {
		if !Within(some, all) {
			t.Errorf("%v is not within %v", some, all)
		}
	}
	for _, some := range [][]string{{"d"}, {"a", "A"}, {""}, {"a b"}} {
		if Within(some, all) {
			t.Errorf("%v is within %v", some, all)
		}
	}
}

func FuzzParseScope(f *testing.F) {
	for _, seed := range []string{"", " ", "openid email", "a a a", `"`, `\`, "é", "\x00", strings.Repeat("a ", 100), strings.Repeat("ab ", 700)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		scope, err := ParseScope(text)
		if err != nil {
			checkRefusal(t, err, InvalidScope)
			return
		}
		for i, token := range scope {
			if !describable.MatchString(token) || strings.Contains(token, " ") || slices.Contains(scope[:i], token) {
				t.Fatalf("scope token %q of %q", token, text)
			}
		}
		again, err := ParseScope(JoinScope(scope))
		if err != nil || !slices.Equal(again, scope) || len(scope) > maxScopes {
			t.Fatalf("%q became %q and then %q, %v", text, scope, again, err)
		}
	})
}
