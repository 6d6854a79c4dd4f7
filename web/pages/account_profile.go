package pages

import (
	"errors"
	"net/http"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// accountProfile shows what is kept of the person, and takes what they may say themselves.
type accountProfile struct {
	owned
	Facts  []profileFact
	Fields []profileField
}

func (accountProfile) template() string { return "account_profile" }

// profileFact is a claim that is shown alone. Text names a message.
type profileFact struct {
	Text   string
	Value  string
	Proven bool // of an address or number: it was verified
	Marked bool // whether it was is said
}

// profileField is a claim in a form. Text and Heading name messages.
type profileField struct {
	Name, Text   string
	Heading      string // of its hint; "" none
	Value        string
	Autocomplete string
	Wrong        bool
	Plain        bool // written from left to right in every language
}

func showProfile(x *exchange) error {
	p, err := x.own(authorize.AccountProfile)
	if p == nil || err != nil {
		return err
	}
	return x.showProfile(p, http.StatusOK, profileFields(p.Account.User), "")
}

func (x *exchange) showProfile(p *authorize.Passage, status int, fields []profileField, problem string) error {
	page := accountProfile{Facts: profileFacts(p.Account.User), Fields: fields}
	var err error
	if page.owned, err = x.owned(p); err != nil {
		return err
	}
	page.Problem = problem
	return x.show(status, page)
}

// profileFacts are the claims that have no field.
func profileFacts(u storage.User) []profileFact {
	facts := []profileFact{{Text: "account.claim.username", Value: u.Username}}
	if u.Email != "" {
		facts = append(facts, profileFact{Text: "account.claim.email", Value: u.Email, Proven: u.EmailVerified, Marked: true})
	}
	if u.Phone != "" {
		facts = append(facts, profileFact{Text: "account.claim.phone", Value: u.Phone, Proven: u.PhoneVerified, Marked: true})
	}
	for _, one := range []profileFact{
		{Text: "account.claim.gender", Value: u.Profile.Gender},
		{Text: "account.claim.birthdate", Value: u.Profile.Birthdate},
		{Text: "account.claim.website", Value: u.Profile.Website},
		{Text: "account.claim.profile", Value: u.Profile.Profile},
		{Text: "account.claim.picture", Value: u.Profile.Picture},
	} {
		if one.Value != "" {
			facts = append(facts, one)
		}
	}
	if address, ok := account.Claims(u, []string{oauth.ScopeAddress})["address"].(map[string]any); ok {
		facts = append(facts, profileFact{Text: "account.claim.address", Value: addressLine(address)})
	}
	return facts
}

// profileFields are the claims that people change themselves.
func profileFields(u storage.User) []profileField {
	return []profileField{
		{Name: "name", Text: "account.claim.name", Value: u.Profile.Name, Autocomplete: "name"},
		{Name: "given_name", Text: "account.claim.given_name", Value: u.Profile.GivenName, Autocomplete: "given-name"},
		{Name: "middle_name", Text: "account.claim.middle_name", Value: u.Profile.MiddleName, Autocomplete: "additional-name"},
		{Name: "family_name", Text: "account.claim.family_name", Value: u.Profile.FamilyName, Autocomplete: "family-name"},
		{Name: "nickname", Text: "account.claim.nickname", Value: u.Profile.Nickname, Autocomplete: "off"},
		{
			Name: "locale", Text: "account.claim.locale", Heading: "account.claim.locale_hint", Value: u.Profile.Locale, Autocomplete: "off",
			Plain: true,
		},
		{
			Name: "zoneinfo", Text: "account.claim.zoneinfo", Heading: "account.claim.zoneinfo_hint", Value: u.Profile.Zoneinfo, Autocomplete: "off",
			Plain: true,
		},
	}
}

func changeProfile(x *exchange) error {
	p, err := x.ownPosted(authorize.AccountProfile)
	if p == nil || err != nil {
		return err
	}
	u, fields := p.Account.User, profileFields(p.Account.User)
	problem := ""
	for i := range fields {
		f := &fields[i]
		if !x.params.Has(f.Name) {
			continue
		}
		f.Value = x.params.Get(f.Name)
		var bad *account.Invalid
		if err := account.SetClaim(&u, f.Name, f.Value); errors.As(err, &bad) {
			f.Wrong, problem = true, x.text("account.profile.wrong")
		} else if err != nil {
			return err
		}
	}
	if problem != "" {
		return x.showProfile(p, http.StatusUnprocessableEntity, fields, problem)
	}
	if u.Profile != p.Account.User.Profile { // the address behind it is the same one: no field changes it
		if _, err := x.people.Update(x.ctx(), u, x.by(p)); err != nil {
			return x.failing(err, func(status int, problem string) error { return x.showProfile(p, status, fields, problem) })
		}
	}
	return x.to(authorize.AccountProfile, "profile")
}
