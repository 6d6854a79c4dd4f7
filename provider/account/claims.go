package account

import (
	"slices"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// Claims returns what the scopes of a grant tell of the user (OpenID Connect Core §5.4), for the ID token and userinfo: only
// claims that have a value (§5.3.2), updated_at as a number of seconds. sub is not among them: the grant knows it.
func Claims(u storage.User, scope []string) map[string]any {
	claims := map[string]any{}
	if slices.Contains(scope, oauth.ScopeProfile) {
		for _, name := range profileClaims() {
			put(claims, name, *profileField(&u.Profile, name))
		}
		put(claims, "preferred_username", u.Username)
		if !u.UpdatedAt.IsZero() {
			claims["updated_at"] = u.UpdatedAt.Unix()
		}
	}
	if slices.Contains(scope, oauth.ScopeEmail) && u.Email != "" {
		claims["email"], claims["email_verified"] = u.Email, u.EmailVerified
	}
	if slices.Contains(scope, oauth.ScopePhone) && u.Phone != "" {
		claims["phone_number"], claims["phone_number_verified"] = u.Phone, u.PhoneVerified
	}
	if slices.Contains(scope, oauth.ScopeAddress) && u.Profile.Address != nil {
		address := map[string]any{}
		for _, name := range addressClaims() {
			put(address, name, *addressField(u.Profile.Address, name))
		}
		if len(address) > 0 {
			claims["address"] = address
		}
	}
	return claims
}

func put(claims map[string]any, name, value string) {
	if value != "" {
		claims[name] = value
	}
}

// profileClaims are the claims of the profile scope that storage.Profile holds.
func profileClaims() []string {
	return []string{
		"name", "given_name", "family_name", "middle_name", "nickname", "profile", "picture", "website", "gender",
		"birthdate", "zoneinfo", "locale",
	}
}

// addressClaims are the members of the address claim (OpenID Connect Core §5.1.1).
func addressClaims() []string {
	return []string{"formatted", "street_address", "locality", "region", "postal_code", "country"}
}

// profileField is the place of a claim in p, nil for a claim that has none.
func profileField(p *storage.Profile, name string) *string {
	switch name {
	case "name":
		return &p.Name
	case "given_name":
		return &p.GivenName
	case "family_name":
		return &p.FamilyName
	case "middle_name":
		return &p.MiddleName
	case "nickname":
		return &p.Nickname
	case "profile":
		return &p.Profile
	case "picture":
		return &p.Picture
	case "website":
		return &p.Website
	case "gender":
		return &p.Gender
	case "birthdate":
		return &p.Birthdate
	case "zoneinfo":
		return &p.Zoneinfo
	case "locale":
		return &p.Locale
	}
	return nil
}

// addressField is the place of an address member in a, nil for a member that has none.
func addressField(a *storage.Address, name string) *string {
	switch name {
	case "formatted":
		return &a.Formatted
	case "street_address":
		return &a.StreetAddress
	case "locality":
		return &a.Locality
	case "region":
		return &a.Region
	case "postal_code":
		return &a.PostalCode
	case "country":
		return &a.Country
	}
	return nil
}

// ClaimNames are the names of all claims that Claims may return, for the provider's metadata.
func ClaimNames() []string {
	return append(profileClaims(), "preferred_username", "updated_at", "email", "email_verified", "phone_number",
		"phone_number_verified", "address")
}
