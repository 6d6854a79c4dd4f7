package pages

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// memberGroup are members of a registration that belong together. Heading names a message; "" for those that come first.
type memberGroup struct {
	Heading string
	Open    bool // something in it must be looked at
	Fields  []memberField
}

// memberField is a member of a registration (RFC 7591 §2) in a form. Text names the message that labels it, Heading that of its hint ("" none).
type memberField struct {
	Name, Text, Heading string
	Example             string // in the hint
	Plain               bool   // a name that people read: in the direction of its own language
	Lines               bool   // one value on each line
	Area                bool   // it has several lines
	Must                bool   // it cannot be left empty
	Choices             []memberChoice
	Checks              []memberCheck
	Value               string
	Problem             *byline
	First               bool // it is the first one with a problem
}

// memberChoice is one of the values of a member that has few. Text names a message; "" where the value speaks for itself.
type memberChoice struct {
	Value, Text string
	Chosen      bool
}

// memberCheck is a value that is there or is not. Text names a message, and Name is that of its parameter: none is sent twice.
type memberCheck struct {
	Name, Text string
	On         bool
}

// grantCheck is a grant type that developers choose. Those that are not among these stay as they are.
type grantCheck struct{ grant, name, text string }

func grantChecks() []grantCheck {
	return []grantCheck{
		{oauth.GrantAuthorizationCode, "grant_code", "developer.grant.code"},
		{oauth.GrantRefreshToken, "grant_refresh", "developer.grant.refresh"},
		{oauth.GrantDeviceCode, "grant_device", "developer.grant.device"},
		{oauth.GrantClientCredentials, "grant_machine", "developer.grant.machine"},
	}
}

// flags are the members that are yes or no, by the field they stand in.
func flags(m *storage.ClientMetadata) []struct {
	name, text string
	value      *bool
} {
	return []struct {
		name, text string
		value      *bool
	}{
		{"require_pushed_authorization_requests", "developer.member.require_par", &m.RequirePAR},
		{"require_second_factor", "developer.member.require_factor", &m.RequireSecondFactor},
		{"id_token_on_refresh", "developer.member.id_on_refresh", &m.IDTokenOnRefresh},
	}
}

// texts, lists and numbers are the members by the fields that change them.
func textMembers(m *storage.ClientMetadata) map[string]*string {
	return map[string]*string{
		"client_name": &m.Name, "scope": &m.Scope, "token_endpoint_auth_method": &m.TokenEndpointAuthMethod, "application_type": &m.ApplicationType,
		"client_uri": &m.ClientURI, "logo_uri": &m.LogoURI, "policy_uri": &m.PolicyURI, "tos_uri": &m.TOSURI, "jwks_uri": &m.JWKSURI,
		"access_token_format":    &m.AccessTokenFormat,
		"backchannel_logout_uri": &m.BackchannelLogoutURI, "frontchannel_logout_uri": &m.FrontchannelLogoutURI,
		"initiate_login_uri": &m.InitiateLoginURI, "subject_type": &m.SubjectType, "sector_identifier_uri": &m.SectorIdentifierURI,
	}
}

func listMembers(m *storage.ClientMetadata) map[string]*[]string {
	return map[string]*[]string{
		"redirect_uris": &m.RedirectURIs, "post_logout_redirect_uris": &m.PostLogoutRedirectURIs, "contacts": &m.Contacts, "resources": &m.Resources,
	}
}

func numberMembers(m *storage.ClientMetadata) map[string]*int64 {
	return map[string]*int64{
		"access_token_lifetime": &m.AccessTokenLifetime, "refresh_token_idle_lifetime": &m.RefreshTokenIdleLifetime, "refresh_token_lifetime": &m.RefreshTokenLifetime,
	}
}

// fill puts what is registered into the fields.
func fill(groups []memberGroup, m storage.ClientMetadata) {
	texts, lists, numbers := textMembers(&m), listMembers(&m), numberMembers(&m)
	for _, g := range groups {
		for i := range g.Fields {
			f := &g.Fields[i]
			if list := lists[f.Name]; list != nil {
				f.Value = strings.Join(*list, "\n")
			} else if n := numbers[f.Name]; n != nil && *n != 0 {
				f.Value = strconv.FormatInt(*n, 10)
			} else if text := texts[f.Name]; text != nil {
				f.Value = *text
			}
			switch f.Name {
			case "jwks":
				f.Value = string(m.JWKS)
			case "refresh_rotation":
				f.Value = string(m.RefreshRotation)
			case "grant_types":
				for _, g := range grantChecks() {
					f.Checks = append(f.Checks, memberCheck{g.name, g.text, slices.Contains(m.GrantTypes, g.grant)})
				}
			case "flags":
				for _, one := range flags(&m) {
					f.Checks = append(f.Checks, memberCheck{one.name, one.text, *one.value})
				}
			}
			f.choose()
		}
	}
}

// choose marks the choice that is taken. A value that is none of them was set by somebody who may: it stays one.
func (f *memberField) choose() {
	if f.Choices == nil {
		return
	}
	at := slices.IndexFunc(f.Choices, func(c memberChoice) bool { return c.Value == f.Value })
	if at < 0 {
		f.Choices = append(f.Choices, memberChoice{Value: f.Value})
		at = len(f.Choices) - 1
	}
	f.Choices[at].Chosen = true
}

// take puts what was typed into the members of m. wrong is what could not be read, by the member.
func (x *exchange) take(m *storage.ClientMetadata, groups []memberGroup) (wrong string) {
	texts, lists, numbers := textMembers(m), listMembers(m), numberMembers(m)
	for _, g := range groups {
		for i := range g.Fields {
			name := g.Fields[i].Name
			typed := strings.TrimSpace(strings.ReplaceAll(x.params.Get(name), "\r\n", "\n"))
			g.Fields[i].Value = typed
			switch {
			case lists[name] != nil:
				*lists[name] = typedLines(typed)
			case texts[name] != nil:
				*texts[name] = typed
			case numbers[name] != nil:
				n, err := seconds(typed)
				if *numbers[name] = n; err != nil && wrong == "" {
					wrong = name
				}
			case name == "refresh_rotation":
				m.RefreshRotation = storage.Rotation(typed)
			case name == "jwks":
				m.JWKS = nil
				if typed != "" {
					m.JWKS = json.RawMessage(typed)
				}
				if typed != "" && !json.Valid(m.JWKS) && wrong == "" {
					wrong = name
				}
			case name == "grant_types":
				m.GrantTypes = x.grants(m.GrantTypes)
			case name == "flags":
				for _, one := range flags(m) {
					*one.value = x.params.Get(one.name) != ""
				}
			}
		}
	}
	return wrong
}

// grants are the grant types that were ticked, with those of before that cannot be.
func (x *exchange) grants(before []string) (after []string) {
	for _, g := range grantChecks() {
		if x.params.Get(g.name) != "" {
			after = append(after, g.grant)
		}
	}
	for _, grant := range before {
		if !slices.ContainsFunc(grantChecks(), func(g grantCheck) bool { return g.grant == grant }) {
			after = append(after, grant)
		}
	}
	return after
}

// seconds reads a time in seconds; "" is none.
func seconds(typed string) (int64, error) {
	if typed == "" {
		return 0, nil
	}
	n, err := strconv.ParseInt(typed, 10, 64)
	if err == nil && n < 0 {
		err = strconv.ErrRange
	}
	return n, err
}

// typedLines are the lines with something in them.
func typedLines(typed string) (all []string) {
	for line := range strings.Lines(typed) {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// blame puts an error of a registration beside the field that its description begins with; false: it is about none that is here.
func blame(groups []memberGroup, e *oauth.Error) bool {
	member, rest := e.Description, ""
	if at := strings.IndexFunc(e.Description, func(r rune) bool { return r != '_' && (r < 'a' || r > 'z') }); at >= 0 {
		member, rest = e.Description[:at], e.Description[at:]
	}
	about := &byline{Text: e.Description}
	if index, _, ok := strings.Cut(strings.TrimPrefix(rest, "["), "]"); ok && strings.HasPrefix(rest, "[") {
		if n, err := strconv.Atoi(index); err == nil {
			about.Line = n + 1
		}
	}
	return mark(groups, member, about)
}

// mark says at a field what is wrong with it; false: there is no such field.
func mark(groups []memberGroup, member string, about *byline) bool {
	for g := range groups {
		for i := range groups[g].Fields {
			f := &groups[g].Fields[i]
			if f.Name != member && !slices.ContainsFunc(f.Checks, func(c memberCheck) bool { return c.Name == member }) {
				continue
			}
			f.Problem, f.First, groups[g].Open = about, true, true
			return true
		}
	}
	return false
}
