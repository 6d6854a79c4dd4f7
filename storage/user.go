package storage

import "time"

// User is a person. Username and Email are as they were given (NFC); Logins are their canonical forms, by which the store
// keeps two spellings from being two people.
type User struct {
	ID            ID // the subject; never reused
	Revision      int64
	Username      string
	Email         string // "" where there is none
	EmailVerified bool
	Phone         string // E.164
	PhoneVerified bool
	Profile       Profile
	Admin         bool
	Logins        []string  // canonical identifiers, unique among all users' identifiers whatever their kind
	DisabledAt    time.Time // zero while enabled
	CreatedAt     time.Time // stamped by the store
	UpdatedAt     time.Time // stamped by the store where UpdateUser changes the claims: updated_at
}

// Profile holds the standard claims of OpenID Connect Core §5.1 that are not columns of their own.
type Profile struct {
	Name       string   `json:"name,omitempty"`
	GivenName  string   `json:"given_name,omitempty"`
	FamilyName string   `json:"family_name,omitempty"`
	MiddleName string   `json:"middle_name,omitempty"`
	Nickname   string   `json:"nickname,omitempty"`
	Profile    string   `json:"profile,omitempty"`
	Picture    string   `json:"picture,omitempty"`
	Website    string   `json:"website,omitempty"`
	Gender     string   `json:"gender,omitempty"`
	Birthdate  string   `json:"birthdate,omitempty"`
	Zoneinfo   string   `json:"zoneinfo,omitempty"`
	Locale     string   `json:"locale,omitempty"`
	Address    *Address `json:"address,omitempty"`
}

// Address is the address claim (OpenID Connect Core §5.1.1).
type Address struct {
	Formatted     string `json:"formatted,omitempty"`
	StreetAddress string `json:"street_address,omitempty"`
	Locality      string `json:"locality,omitempty"`
	Region        string `json:"region,omitempty"`
	PostalCode    string `json:"postal_code,omitempty"`
	Country       string `json:"country,omitempty"`
}

// SignIn is a user with all that a sign-in is checked against, read at one instant.
type SignIn struct {
	User          User
	PasswordHash  string    // PHC string; "" where the user has no password
	Factors       []TOTP    // confirmed ones alone
	Passkeys      []Passkey // oldest first
	RecoveryCodes int       // how many are left
	Now           time.Time
}

// HasFactor reports whether a password alone does not sign this person in.
func (s SignIn) HasFactor() bool { return len(s.Factors)+len(s.Passkeys) > 0 }

// TOTP is one authenticator device (RFC 6238). The seed is sealed; only the provider's sealing key opens it.
type TOTP struct {
	ID          ID
	UserID      ID
	Name        string
	Sealed      []byte
	ConfirmedAt time.Time // zero until its first code was given
	LastStep    int64     // the newest time step whose code was accepted; 0: none yet
	CreatedAt   time.Time // stamped by the store
}
