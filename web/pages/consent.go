package pages

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// consentPage asks whether an app may have what it asks for.
type consentPage struct {
	App       *appView
	Origin    originView
	Asks      []ask
	Resources []ask
	Policy    string
	TOS       string
	Action    string
	Form      form
	You       youView
}

func (consentPage) template() string { return "consent" }

// ask is one thing that is asked for, in words for people, with the person's own values.
type ask struct {
	Text   string
	Values []string
}

func showConsent(x *exchange) error {
	p, err := x.passage()
	if err != nil {
		return err
	}
	if p.Step != authorize.StepConsent {
		x.redirect(x.hubAddress(p.Sealed))
		return nil
	}
	what, m := shown(p), p.Client.Metadata
	page := consentPage{
		App: app(p), Origin: originOf(p.Client, clock(p.Account.User)), Policy: m.PolicyURI, TOS: m.TOSURI, Action: x.path, You: x.you(p, "you.as"),
		Asks: x.asks(what, p.Account.User), Resources: resources(what.Resources, p.Resources),
	}
	if page.Form, err = x.formShowing(p.Sealed, textOf(what)); err != nil {
		return err
	}
	return x.show(http.StatusOK, page)
}

// shown is what the person is asked: all of it where the client wants it asked again, else what was not allowed yet.
func shown(p *authorize.Passage) authorize.Ask {
	if p.Missing.IsEmpty() || p.Request.Prompts(oauth.PromptConsent) {
		return p.Asked
	}
	return p.Missing
}

// textOf is one text for each Ask.
func textOf(a authorize.Ask) string { return fmt.Sprintf("#%q%q%q", a.Scope, a.Claims, a.Resources) }

func decideConsent(x *exchange) error {
	p, err := x.passage()
	if err != nil {
		return err
	}
	if p.Step != authorize.StepConsent {
		x.redirect(x.hubAddress(p.Sealed))
		return nil
	}
	if err := x.checkForm(p.Sealed, textOf(shown(p))); err != nil {
		return err
	}
	switch {
	case x.params.Get("decision") == "allow":
		if err := x.door.Allow(x.ctx(), x.visit, p); err != nil {
			return err
		}
	case x.params.Get("decision") == "deny":
		returned, err := x.door.Deny(x.ctx(), x.visit, p)
		if err != nil {
			return err
		}
		return x.give(returned)
	default:
		x.redirect(x.address(authorize.StepConsent, p.Sealed))
		return nil
	}
	x.redirect(x.hubAddress(p.Sealed))
	return nil
}

// asks puts scopes and single claims into words.
func (x *exchange) asks(what authorize.Ask, user storage.User) []ask {
	var asks []ask
	in := x.render.tongues.each[x.tongue]
	for _, scope := range what.Scope {
		a := ask{Text: x.text("scope.other", "Scope", scope)}
		if id := "scope." + scope; in.has(id) && scope != "other" {
			a = ask{Text: x.text(id), Values: values(account.Claims(user, []string{scope}))}
		}
		asks = append(asks, a)
	}
	all := account.Claims(user, oauth.UserScopes())
	for _, name := range what.Claims {
		a := ask{Text: x.text("claim.other", "Claim", name)}
		if id := "claim." + name; in.has(id) && name != "other" {
			a = ask{Text: x.text(id), Values: values(map[string]any{name: all[name]})}
		}
		asks = append(asks, a)
	}
	return asks
}

// values are a person's own, as they are shown: in the order of OpenID Connect Core §5.1, without what nobody would recognise.
func values(claims map[string]any) []string {
	var shown []string
	for _, name := range account.ClaimNames() {
		switch v := claims[name].(type) {
		case string:
			shown = append(shown, v)
		case map[string]any:
			shown = append(shown, addressLine(v))
		}
	}
	return shown
}

// addressLine is a postal address in one line.
func addressLine(address map[string]any) string {
	if whole, ok := address["formatted"].(string); ok {
		return strings.Join(strings.FieldsFunc(whole, func(r rune) bool { return r == '\n' || r == '\r' }), ", ")
	}
	var parts []string
	for _, name := range []string{"street_address", "postal_code", "locality", "region", "country"} {
		if v, ok := address[name]; ok {
			parts = append(parts, fmt.Sprint(v))
		}
	}
	return strings.Join(parts, ", ")
}

// resources are the places that the access is for: by name where they are registered, else by identifier.
func resources(identifiers []string, registered []storage.Resource) []ask {
	var asks []ask
	for _, id := range identifiers {
		a := ask{Text: id}
		for _, r := range registered {
			if r.Identifier == id && r.Metadata.Name != "" {
				a = ask{Text: r.Metadata.Name, Values: []string{id}}
			}
		}
		asks = append(asks, a)
	}
	return asks
}
