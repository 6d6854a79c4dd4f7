package pages

import (
	"strings"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// profileGroup are fields that belong together. Heading names a message; "" for those that come first.
type profileGroup struct {
	Heading string
	Fields  []profileField
}

// profileField is a claim in a form. Text and Heading name messages.
type profileField struct {
	Name, Text     string
	Heading        string // of its hint; "" none
	Example        string // in the hint
	Type           string // of the input
	Long           bool   // it may have several lines
	Most           int    // code points
	Value          string
	Autocomplete   string
	Problem        string // what is wrong with Value, in the person's words; "" nothing
	First          bool   // it is the first one with a problem
	Plain          bool   // written from left to right in every language
	Marked, Proven bool   // of a number: whether it was verified is said, and it was
}

// The most that fields take: no more than account.SetClaim does.
const (
	mostText = 256
	mostLong = 1024
	mostURL  = 2048
)

// profileForm is all that people say of themselves (OpenID Connect Core §5.1), with what u says.
func profileForm(u storage.User) []profileGroup {
	form := []profileGroup{{Fields: commonFields()}, {"account.profile.more", moreFields()}, {"account.claim.address", addressFields()}}
	claims := account.Claims(u, oauth.UserScopes())
	address, _ := claims["address"].(map[string]any)
	for _, group := range form {
		for i := range group.Fields {
			f := &group.Fields[i]
			if member, ok := strings.CutPrefix(f.Name, "address."); ok {
				f.Value, _ = address[member].(string)
			} else {
				f.Value, _ = claims[f.Name].(string)
			}
			if f.Type == "" {
				f.Type = "text"
			}
			if f.Most == 0 {
				f.Most = mostText
			}
			if f.Name == "phone_number" {
				f.Marked, f.Proven = u.Phone != "", u.PhoneVerified
			}
		}
	}
	return form
}

func commonFields() []profileField {
	return []profileField{
		{Name: "name", Text: "account.claim.name", Autocomplete: "name"},
		{Name: "given_name", Text: "account.claim.given_name", Autocomplete: "given-name"},
		{Name: "family_name", Text: "account.claim.family_name", Autocomplete: "family-name"},
		{Name: "nickname", Text: "account.claim.nickname", Autocomplete: "nickname"},
		{Name: "locale", Text: "account.claim.locale", Heading: "account.claim.locale_hint", Autocomplete: "language", Plain: true},
		{
			Name: "zoneinfo", Text: "account.claim.zoneinfo", Heading: "account.claim.zoneinfo_hint", Autocomplete: "off",
			Plain: true,
		},
	}
}

func moreFields() []profileField {
	return []profileField{
		{Name: "middle_name", Text: "account.claim.middle_name", Autocomplete: "additional-name"},
		{Name: "gender", Text: "account.claim.gender", Heading: "account.claim.gender_hint", Autocomplete: "sex"},
		{
			Name: "birthdate", Text: "account.claim.birthdate", Heading: "account.claim.birthdate_hint", Example: "1990-12-31",
			Autocomplete: "bday", Plain: true,
		},
		{
			Name: "phone_number", Text: "account.claim.phone", Heading: "account.claim.phone_hint", Example: "+44 20 7946 0000",
			Type: "tel", Autocomplete: "tel", Plain: true,
		},
		{
			Name: "website", Text: "account.claim.website", Heading: "account.claim.url_hint", Example: "https://example.com",
			Type: "url", Autocomplete: "url", Most: mostURL, Plain: true,
		},
		{
			Name: "profile", Text: "account.claim.profile", Heading: "account.claim.url_hint", Example: "https://example.com/me",
			Type: "url", Autocomplete: "off", Most: mostURL, Plain: true,
		},
		{
			Name: "picture", Text: "account.claim.picture", Heading: "account.claim.url_hint", Example: "https://example.com/me.jpg",
			Type: "url", Autocomplete: "photo", Most: mostURL, Plain: true,
		},
	}
}

func addressFields() []profileField {
	return []profileField{
		{Name: "address.street_address", Text: "account.claim.street", Autocomplete: "street-address", Long: true, Most: mostLong},
		{Name: "address.postal_code", Text: "account.claim.postal_code", Autocomplete: "postal-code", Most: mostLong},
		{Name: "address.locality", Text: "account.claim.locality", Autocomplete: "address-level2", Most: mostLong},
		{Name: "address.region", Text: "account.claim.region", Autocomplete: "address-level1", Most: mostLong},
		{Name: "address.country", Text: "account.claim.country", Autocomplete: "country-name", Most: mostLong},
		{
			Name: "address.formatted", Text: "account.claim.formatted", Heading: "account.claim.formatted_hint", Autocomplete: "off",
			Long: true, Most: mostLong,
		},
	}
}

// profileRule is the message that says what the field takes.
func profileRule(name string) string {
	switch name {
	case "locale":
		return "account.profile.wrong_locale"
	case "zoneinfo":
		return "account.profile.wrong_zone"
	case "birthdate":
		return "account.profile.wrong_date"
	case "phone_number":
		return "account.profile.wrong_phone"
	case "website", "profile", "picture":
		return "account.profile.wrong_url"
	}
	return "account.profile.wrong_text"
}
