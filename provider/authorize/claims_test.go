package authorize

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

func TestJSONThatTwoReadersReadDifferentlyIsRefused(t *testing.T) {
	t.Parallel()
	for text, good := range map[string]bool{
		`{}`: true, `{"a":{"b":[1,"x",null,true,{"c":[]}]}}`: true, ` {"a":1} `: true, `"a"`: true,
		``: false, `{`: false, `{"a":1}x`: false, `{"a":1}{}`: false, `{"a":1,"a":2}`: false, `{"a":1,"\u0061":2}`: false,
		`[{"a":{"b":1,"b":1}}]`: false, `{"a":1,}`: false, `{'a':1}`: false, `{"a":}`: false, `{"a" 1}`: false, `[1`: false,
		strings.Repeat("[", maxClaimsDepth) + strings.Repeat("]", maxClaimsDepth):     true,
		strings.Repeat("[", maxClaimsDepth+1) + strings.Repeat("]", maxClaimsDepth+1): false,
		strings.Repeat("[", 100_000): false,
	} {
		if err := checkJSON([]byte(text)); (err == nil) != good {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}

func FuzzWhatIsTakenAsClaimsIsJSON(f *testing.F) {
	f.Add(`{"id_token":{"acr":{"essential":true,"values":["a"]}},"userinfo":{"name":null}}`)
	f.Add(`{"a":1,"a":2}`)
	f.Add(`[[[[[[[[[]]]]]]]]]`)
	f.Fuzz(func(t *testing.T, text string) {
		if checkJSON([]byte(text)) == nil && !json.Valid([]byte(text)) {
			t.Errorf("%q is no JSON", text)
		}
		r := Request{Scope: []string{oauth.ScopeOpenID}}
		p, err := oauth.ParseParams("")
		if err != nil || parseClaims(&r, storage.Client{}, p) != nil {
			t.Fatal("no claims are no claims")
		}
	})
}

func TestSingleClaimsAreThoseThatTheScopeDoesNotTell(t *testing.T) {
	t.Parallel()
	all := account.ClaimNames()
	slices.Sort(all)
	told := toldBy([]string{oauth.ScopeProfile, oauth.ScopeEmail, oauth.ScopePhone, oauth.ScopeAddress})
	slices.Sort(told)
	check(t, slices.Equal(all, told), "the scopes tell %v of %v", told, all)
	r := Request{
		Scope:  []string{oauth.ScopeOpenID, oauth.ScopeEmail},
		Claims: &storage.RequestedClaims{IDToken: []string{"email", "name"}, UserInfo: []string{"name", "birthdate", "email_verified"}},
	}
	check(t, slices.Equal(r.singleClaims(), []string{"birthdate", "name"}), "single claims %v", r.singleClaims())
	r.Scope = append(r.Scope, oauth.ScopeProfile)
	check(t, len(r.singleClaims()) == 0, "single claims %v", r.singleClaims())
}
