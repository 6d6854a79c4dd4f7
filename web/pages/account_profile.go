package pages

import (
	"errors"
	"net/http"
	"reflect"
	"unicode/utf8"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/storage"
)

// accountProfile shows what is kept of the person, and takes what they may say themselves.
type accountProfile struct {
	owned
	Facts  []profileFact
	Common []profileField
	Groups []profileGroup
}

func (accountProfile) template() string { return "account_profile" }

// profileFact is a claim that is shown alone. Text names a message.
type profileFact struct {
	Text   string
	Value  string
	Proven bool // of an address: it was verified
	Marked bool // whether it was is said
}

func showProfile(x *exchange) error {
	p, err := x.own(authorize.AccountProfile)
	if p == nil || err != nil {
		return err
	}
	return x.showProfile(p, http.StatusOK, profileForm(p.Account.User), "")
}

func (x *exchange) showProfile(p *authorize.Passage, status int, form []profileGroup, problem string) error {
	page := accountProfile{Facts: profileFacts(p.Account.User), Common: form[0].Fields, Groups: form[1:]}
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
	return facts
}

func changeProfile(x *exchange) error {
	p, err := x.ownPosted(authorize.AccountProfile)
	if p == nil || err != nil {
		return err
	}
	u, form := p.Account.User, profileForm(p.Account.User)
	wrong, err := x.takeProfile(&u, form)
	if err != nil {
		return err
	}
	if wrong {
		return x.showProfile(p, http.StatusUnprocessableEntity, form, x.text("account.profile.wrong"))
	}
	if !reflect.DeepEqual(u, p.Account.User) {
		if _, err := x.people.Update(x.ctx(), u, x.by(p)); err != nil {
			return x.failing(err, func(status int, problem string) error { return x.showProfile(p, status, form, problem) })
		}
	}
	return x.to(authorize.AccountProfile, "profile")
}

// takeProfile gives u what was sent of the fields of form, and nothing else that was sent. What is wrong with one stands in it
// afterwards, beside what was sent.
func (x *exchange) takeProfile(u *storage.User, form []profileGroup) (wrong bool, err error) {
	for _, group := range form {
		for i := range group.Fields {
			f := &group.Fields[i]
			if !x.params.Has(f.Name) {
				continue
			}
			f.Value = x.params.Get(f.Name)
			var bad *account.Invalid
			switch err := account.SetClaim(u, f.Name, f.Value); {
			case errors.As(err, &bad):
				f.Problem, f.First, wrong = x.profileProblem(*f), !wrong, true
			case err != nil:
				return false, err
			}
		}
	}
	return wrong, nil
}

func (x *exchange) profileProblem(f profileField) string {
	if utf8.RuneCountInString(f.Value) > f.Most {
		return x.text("account.profile.too_long", "Most", f.Most)
	}
	return x.text(profileRule(f.Name), "Example", f.Example)
}
