package pages

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// tokenLifetimes are how long a new initial access token is good, in days.
func tokenLifetimes() []periodChoice {
	return []periodChoice{
		{"1", "developer.period.day", false},
		{"7", "developer.period.week", true},
		{"30", "developer.period.month", false},
		{"90", "developer.period.quarter", false},
		{"365", "developer.period.year", false},
		{"0", "tokens.lifetime.ever", false},
	}
}

// tokenName is the field of a token's name: browsers take a field that is called name for a person's.
const tokenName = "token_name"

// tokenFields ask for a new initial access token. Each but the name is called as the flag of the command, since that is how its faults begin.
func (x *exchange) tokenFields() []memberField {
	expires := memberField{Name: "expires", Text: "tokens.member.expires"}
	for _, l := range tokenLifetimes() {
		expires.Choices = append(expires.Choices, memberChoice(l))
	}
	grants := memberField{Name: "grant_types", Text: "tokens.member.grant_types", Heading: "tokens.member.grant_types_hint"}
	for _, g := range x.tokenGrants() {
		grants.Checks = append(grants.Checks, memberCheck{Name: g.name, Text: g.text})
	}
	return []memberField{
		{Name: tokenName, Text: "tokens.member.name", Heading: "tokens.member.name_hint", Plain: true, Must: true},
		{Name: "uses", Text: "tokens.member.uses", Heading: "tokens.member.uses_hint", Must: true, Value: "1"},
		expires,
		grants,
		{Name: "scope", Text: "tokens.member.scope", Heading: "tokens.member.scope_hint", Example: "reports:read"},
	}
}

// takeToken reads what was typed, and leaves it in the fields. false: one of them has a value that the form has not.
func (x *exchange) takeToken(fields []memberField) (t storage.RegistrationToken, lifetime time.Duration, good bool) {
	good = true
	for i := range fields {
		f := &fields[i]
		if f.Checks == nil && f.Choices == nil {
			f.Value = strings.TrimSpace(x.params.Get(f.Name))
		}
		switch f.Name {
		case tokenName:
			t.Name = f.Value
		case "scope":
			t.Scope = f.Value
		case "uses":
			n, err := strconv.Atoi(f.Value)
			if err != nil {
				n = -1 // what is no number is refused as one that is out of bounds
			}
			t.MaxUses = n
		case "expires":
			chosen := x.params.Get(f.Name)
			if lifetime, good = period(chosen, tokenLifetimes()); !good {
				f.Problem, f.First = &byline{Text: x.text("developer.wrong_value")}, true
				continue
			}
			for c := range f.Choices {
				f.Choices[c].Chosen = f.Choices[c].Value == chosen
			}
		case "grant_types":
			for c, g := range x.tokenGrants() {
				if x.params.Get(g.name) != "" {
					f.Checks[c].On, t.GrantTypes = true, append(t.GrantTypes, g.grant)
				}
			}
		}
	}
	return t, lifetime, good
}

// blameToken puts an error beside the field that it is about; false: it is about none that is here.
func blameToken(fields []memberField, e *oauth.Error) bool {
	groups := []memberGroup{{Fields: fields}}
	if strings.HasPrefix(e.Description, "name ") {
		return mark(groups, tokenName, &byline{Text: e.Description})
	}
	return blame(groups, e)
}

// registerCommand is a command for a shell that registers an app with the token, as it is: within what the token allows.
func registerCommand(issuer, token string, t storage.RegistrationToken) (string, error) {
	app := struct {
		Name         string   `json:"client_name"`
		RedirectURIs []string `json:"redirect_uris,omitempty"`
		GrantTypes   []string `json:"grant_types"`
		Method       string   `json:"token_endpoint_auth_method"`
		Scope        string   `json:"scope,omitempty"`
	}{Name: "My app", GrantTypes: t.GrantTypes, Method: oauth.AuthNone, Scope: t.Scope}
	if len(app.GrantTypes) == 0 {
		app.GrantTypes = []string{oauth.GrantAuthorizationCode, oauth.GrantRefreshToken}
	}
	if slices.Contains(app.GrantTypes, oauth.GrantAuthorizationCode) {
		app.RedirectURIs = []string{"http://127.0.0.1/callback"}
	}
	if slices.Contains(app.GrantTypes, oauth.GrantClientCredentials) {
		app.Method = oauth.AuthBasic
	}
	body, err := json.Marshal(app)
	if err != nil {
		return "", err
	}
	address, err := quoteShell(issuer + "/oauth2/register")
	if err != nil {
		return "", err
	}
	sent, err := quoteShell(string(body))
	return "export SIGNET_REGISTRATION_TOKEN=" + token + "\ncurl -sS " + address +
		" \\\n  -H \"Authorization: Bearer $SIGNET_REGISTRATION_TOKEN\" -H 'Content-Type: application/json' \\\n  -d " + sent, err
}
