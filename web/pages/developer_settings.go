package pages

import (
	"errors"
	"net/http"
	"strconv"

	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/developer"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// developerSettings changes the registration of an app.
type developerSettings struct {
	ofApp
	Revision int64 // that the form was shown with
	Groups   []memberGroup
}

func (developerSettings) template() string { return "developer_settings" }

// choices are values that speak for themselves, after the default.
func choices(values ...string) []memberChoice {
	all := []memberChoice{{Value: "", Text: "developer.choice.server"}}
	for _, v := range values {
		all = append(all, memberChoice{Value: v})
	}
	return all
}

// settingGroups are the members that developers change. What operators alone set is not among them, and stays.
func settingGroups() []memberGroup {
	return []memberGroup{
		{Fields: []memberField{
			{Name: "client_name", Text: "developer.member.client_name", Heading: "developer.member.client_name_hint", Plain: true, Must: true},
			{Name: "redirect_uris", Text: "developer.member.redirect_uris", Heading: "developer.member.lines", Lines: true},
			{Name: "grant_types", Text: "developer.member.grant_types"},
			{Name: "scope", Text: "developer.member.scope", Heading: "developer.member.scope_hint", Example: "openid profile email"},
		}},
		{"developer.group.proof", false, []memberField{
			{Name: "token_endpoint_auth_method", Text: "developer.member.method", Heading: "developer.member.method_hint", Choices: []memberChoice{
				{Value: oauth.AuthNone, Text: "developer.choice.none"},
				{Value: oauth.AuthBasic},
				{Value: oauth.AuthPost},
				{Value: oauth.AuthSecretJWT},
				{Value: oauth.AuthPrivateKeyJWT},
			}},
			{Name: "jwks_uri", Text: "developer.member.jwks_uri"},
			{Name: "jwks", Text: "developer.member.jwks", Area: true},
		}},
		{"developer.group.people", false, []memberField{
			{Name: "client_uri", Text: "developer.member.client_uri"},
			{Name: "logo_uri", Text: "developer.member.logo_uri"},
			{Name: "policy_uri", Text: "developer.member.policy_uri"},
			{Name: "tos_uri", Text: "developer.member.tos_uri"},
			{Name: "contacts", Text: "developer.member.contacts", Heading: "developer.member.lines", Lines: true},
		}},
		{"developer.group.tokens", false, []memberField{
			{Name: "access_token_format", Text: "developer.member.format", Choices: choices("jwt", "opaque")},
			{Name: "refresh_rotation", Text: "developer.member.rotation", Heading: "developer.member.rotation_hint", Choices: choices(string(storage.Balanced), string(storage.Strict), string(storage.Static))},
			{Name: "access_token_lifetime", Text: "developer.member.access_lifetime", Heading: "developer.member.seconds"},
			{Name: "refresh_token_idle_lifetime", Text: "developer.member.idle_lifetime", Heading: "developer.member.seconds"},
			{Name: "refresh_token_lifetime", Text: "developer.member.refresh_lifetime", Heading: "developer.member.seconds"},
			{Name: "resources", Text: "developer.member.resources", Heading: "developer.member.lines", Lines: true},
			{Name: "subject_type", Text: "developer.member.subject_type", Choices: choices("public", "pairwise")},
			{Name: "sector_identifier_uri", Text: "developer.member.sector"},
		}},
		{"developer.group.sessions", false, []memberField{
			{Name: "post_logout_redirect_uris", Text: "developer.member.post_logout", Heading: "developer.member.lines", Lines: true},
			{Name: "backchannel_logout_uri", Text: "developer.member.backchannel"},
			{Name: "frontchannel_logout_uri", Text: "developer.member.frontchannel"},
			{Name: "initiate_login_uri", Text: "developer.member.initiate"},
			{Name: "flags", Text: "developer.member.flags"},
		}},
	}
}

func showSettings(x *exchange) error {
	p, app, err := x.developingApp(authorize.DeveloperSettings)
	if p == nil || err != nil {
		return err
	}
	groups := settingGroups()
	fill(groups, app.Client.Metadata)
	return x.showSettings(p, app, http.StatusOK, groups, "")
}

func (x *exchange) showSettings(p *authorize.Passage, app developer.App, status int, groups []memberGroup, problem string) error {
	page := developerSettings{Revision: app.Client.Revision, Groups: groups}
	var err error
	if page.ofApp, err = x.ofApp(p, app, authorize.DeveloperSettings); err != nil {
		return err
	}
	page.Problem = problem
	return x.show(status, page)
}

// changeSettings takes a form that only the page itself gives out, to who has a fresh proof: that is asked for there, since the keys and
// the method by which the app proves itself are changed here. It is not asked for again, lest what was typed meanwhile be lost.
func changeSettings(x *exchange) error {
	p, app, err := x.developingApp(authorize.DeveloperApp)
	if p == nil || err != nil {
		return err
	}
	before, groups := app.Client, settingGroups()
	changed := before.Metadata
	wrong := x.take(&changed, groups)
	groups = settingGroups()
	fill(groups, changed)
	x.retype(groups)
	said := x.text("developer.wrong_value")
	if wrong == "" && changed.Name == "" {
		wrong, said = "client_name", x.text("developer.nameless")
	}
	if wrong != "" {
		mark(groups, wrong, &byline{Text: said})
		return x.showSettings(p, app, http.StatusUnprocessableEntity, groups, x.text("developer.wrong"))
	}
	revision, err := strconv.ParseInt(x.params.Get("revision"), 10, 64)
	if err != nil || revision != before.Revision {
		return x.showSettings(p, app, http.StatusConflict, groups, x.text("developer.moved"))
	}
	after, err := x.developers.Update(x.ctx(), x.asDeveloper(p), app, changed)
	switch {
	case err == nil && client.HoldsSecret(after.Client) && len(after.Secrets) == 0:
		return x.toApp(authorize.DeveloperSecrets, before.ID, "no_secret")
	case err == nil:
		return x.toApp(authorize.DeveloperSettings, before.ID, "saved")
	case errors.Is(err, storage.ErrMoved):
		if app, err = x.developers.Find(x.ctx(), x.asDeveloper(p), before.ID); err != nil {
			return x.goneApp(err)
		}
		return x.showSettings(p, app, http.StatusConflict, groups, x.text("developer.moved"))
	}
	return x.appFailed(err, func(status int, problem string) error {
		if e := oauth.As(err); e != nil && blame(groups, e) {
			problem = x.text("developer.wrong")
		}
		return x.showSettings(p, app, status, groups, problem)
	})
}

// retype puts what was typed into the fields as it was typed, where a member could not be made of it.
func (x *exchange) retype(groups []memberGroup) {
	for _, g := range groups {
		for i := range g.Fields {
			f := &g.Fields[i]
			if f.Checks == nil && f.Choices == nil {
				f.Value = x.params.Get(f.Name)
			}
		}
	}
}
