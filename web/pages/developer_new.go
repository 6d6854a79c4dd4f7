package pages

import (
	"net/http"
	"slices"
	"strings"

	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/developer"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// developerNew is the form of a new app, or the choice of its kind.
type developerNew struct {
	owned
	Apps     string // address of the list
	Kinds    []kindCard
	Kind     string // ""; the kind is still to be chosen
	Heading  string // the message that names it
	Text     string // the message that tells it
	Groups   []memberGroup
	Defaults []defaultView
}

func (developerNew) template() string { return "developer_new" }

// defaultView is what an app of this kind begins with, and why. Heading and Text name messages.
type defaultView struct{ Heading, Text string }

// developerSecret shows a secret, this once.
type developerSecret struct {
	ofApp
	Values []valueView
	Secret string
	New    bool      // the app was just made
	Next   []section // where to go on
}

func (developerSecret) template() string { return "developer_secret" }

// kindNamed is the kind that the parameter names; "" none.
func (x *exchange) kindNamed() developer.Kind {
	k := developer.Kind(x.params.Get("kind"))
	if !slices.Contains(developer.Kinds(), k) {
		return ""
	}
	return k
}

func newGroups(k developer.Kind, m storage.ClientMetadata) []memberGroup {
	fields := []memberField{{
		Name: "client_name", Text: "developer.member.client_name", Heading: "developer.member.client_name_hint", Plain: true, Must: true, First: true,
	}}
	if slices.Contains(m.GrantTypes, oauth.GrantAuthorizationCode) {
		fields = append(fields, memberField{
			Name: "redirect_uris", Text: "developer.member.redirect_uris", Heading: kindTexts(k).redirects, Lines: true, Must: true,
			Value: strings.Join(m.RedirectURIs, "\n"),
		})
	}
	return []memberGroup{{Fields: fields}}
}

// defaultsOf tells what the registration says besides what is asked.
func defaultsOf(m storage.ClientMetadata) (all []defaultView) {
	has := func(grant string) bool { return slices.Contains(m.GrantTypes, grant) }
	public := m.TokenEndpointAuthMethod == oauth.AuthNone
	if public {
		all = append(all, defaultView{"developer.default.public", "developer.default.public_text"})
	} else {
		all = append(all, defaultView{"developer.default.secret", "developer.default.secret_text"})
	}
	if has(oauth.GrantAuthorizationCode) {
		all = append(all, defaultView{"developer.default.pkce", "developer.default.pkce_text"})
	}
	if has(oauth.GrantDeviceCode) {
		all = append(all, defaultView{"developer.default.device", "developer.default.device_text"})
	}
	switch {
	case has(oauth.GrantRefreshToken) && public:
		all = append(all, defaultView{"developer.default.balanced", "developer.default.balanced_text"})
	case has(oauth.GrantRefreshToken):
		all = append(all, defaultView{"developer.default.strict", "developer.default.strict_text"})
	case has(oauth.GrantClientCredentials):
		all = append(all, defaultView{"developer.default.machine", "developer.default.machine_text"})
	}
	if scope := strings.Fields(m.Scope); slices.Contains(scope, oauth.ScopeOfflineAccess) {
		all = append(all, defaultView{"developer.default.offline", "developer.default.offline_text"})
	} else if len(scope) > 0 {
		all = append(all, defaultView{"developer.default.scope", "developer.default.scope_text"})
	}
	return all
}

func showNewApp(x *exchange) error {
	p, err := x.developing(authorize.DeveloperNew, "kind")
	if p == nil || err != nil {
		return err
	}
	kind := x.kindNamed()
	return x.showNewApp(p, kind, http.StatusOK, newGroups(kind, developer.Defaults(kind)), "")
}

func (x *exchange) showNewApp(p *authorize.Passage, kind developer.Kind, status int, groups []memberGroup, problem string) error {
	page := developerNew{Apps: x.accountAddress(authorize.DeveloperApps)}
	if kind == "" {
		page.Kinds = x.kindCards()
	} else {
		said := kindTexts(kind)
		page.Kind, page.Heading, page.Text = string(kind), said.heading, said.about
		page.Groups, page.Defaults = groups, defaultsOf(developer.Defaults(kind))
	}
	var err error
	if page.owned, err = x.owned(p); err != nil {
		return err
	}
	page.Problem = problem
	return x.show(status, page)
}

func makeApp(x *exchange) error {
	p, err := x.developing(authorize.DeveloperNew, "kind")
	if p == nil || err != nil {
		return err
	}
	kind := x.kindNamed()
	if kind == "" {
		x.redirect(x.path)
		return nil
	}
	m := developer.Defaults(kind)
	groups := newGroups(kind, m)
	x.take(&m, groups)
	x.retype(groups)
	if m.Name == "" {
		groups[0].Fields[0].Problem = &byline{Text: x.text("developer.nameless")}
		return x.showNewApp(p, kind, http.StatusUnprocessableEntity, groups, x.text("developer.wrong"))
	}
	app, secret, err := x.developers.Create(x.ctx(), x.asDeveloper(p), m)
	if err != nil {
		groups[0].Fields[0].First = false
		return x.appFailed(err, func(status int, problem string) error {
			if e := oauth.As(err); e != nil && blame(groups, e) {
				problem = x.text("developer.wrong")
			}
			return x.showNewApp(p, kind, status, groups, problem)
		})
	}
	if secret != "" {
		return x.showSecret(p, app, secret, true)
	}
	if !app.Client.DisabledAt.IsZero() {
		return x.toApp(authorize.DeveloperApp, app.Client.ID, "held")
	}
	return x.toApp(authorize.DeveloperApp, app.Client.ID, "made")
}

// showSecret answers with a secret that exists nowhere else: no address leads to this page.
func (x *exchange) showSecret(p *authorize.Passage, app developer.App, secret string, isNew bool) error {
	page := developerSecret{Values: x.appValues(app.Client), Secret: secret, New: isNew}
	var err error
	if page.ofApp, err = x.ofApp(p, app, authorize.DeveloperSecrets); err != nil {
		return err
	}
	for _, s := range page.Sections {
		if slices.Contains([]string{"developer.snippets", "developer.playground", "developer.app.title"}, s.Heading) {
			page.Next = append(page.Next, s)
		}
	}
	return x.show(http.StatusOK, page)
}
