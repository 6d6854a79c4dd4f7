package storage

import (
	"encoding/json"
	"time"
)

// Client is a registered application (RFC 7591). Its metadata is what its owner chose; the rest is what Signet keeps of it.
type Client struct {
	ID         string // client_id: never reused, never equal to a subject
	Revision   int64
	Metadata   ClientMetadata
	Secrets    []ClientSecret // newest first; two may live at once while the owner rotates
	DisabledAt time.Time      // zero while enabled
	CreatedAt  time.Time      // client_id_issued_at; stamped by the store
	UpdatedAt  time.Time      // stamped by the store

	Origin       ClientOrigin // who made it; never changes; "" is stored as operator
	OwnerID      ID           // the person whose it is; zero: operators look after it
	DisabledFor  DisabledFor  // "" while enabled
	Registration Digest       // of its registration access token (RFC 7592 §3); zero: it has none
	UsedAt       time.Time    // when a token was first obtained with it, zero: never; stamped by CountUsage
	UsedBy       ID           // who that was; zero for the client itself, and where the person is gone
}

// ClientOrigin says who made a client. What software made is never first-party.
type ClientOrigin string

// The origins.
const (
	OriginOperator ClientOrigin = "operator" // by command, file or setting
	OriginPerson   ClientOrigin = "person"   // a developer, at the portal
	OriginSoftware ClientOrigin = "software" // dynamic registration (RFC 7591)
	OriginDocument ClientOrigin = "document" // its client_id is the URL of its metadata
)

// ByMachine reports whether nobody who is known here vouches for the client.
func (c Client) ByMachine() bool { return c.Origin == OriginSoftware || c.Origin == OriginDocument }

// DisabledFor says why a client is disabled: who may enable it follows from that.
type DisabledFor string

// The reasons.
const (
	DisabledByOwner    DisabledFor = "owner"    // who may enable it again
	DisabledByOperator DisabledFor = "operator" // operators and administrators alone enable it
	DisabledUnapproved DisabledFor = "approval" // it waits for an administrator
)

// ClientSecret is a server-made secret of 256 bits or more as the table keeps it: by its digest alone, or sealed under the secret key
// where the server needs it again, to check what the client signed with it (client_secret_jwt).
type ClientSecret struct {
	Digest    Digest    `json:"digest,omitzero"`
	Sealed    []byte    `json:"sealed,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"` // zero: never
}

// ClientMetadata is a registration in the names of RFC 7591 §2, OpenID Connect Registration §2 and, where the standards have
// none, Signet's own (docs/contract.md). API, command line, files and registration share it. Lifetimes are in seconds;
// zero means the server's default.
type ClientMetadata struct {
	Name                    string   `json:"client_name,omitempty"`
	RedirectURIs            []string `json:"redirect_uris,omitempty"`
	GrantTypes              []string `json:"grant_types"`
	ResponseTypes           []string `json:"response_types,omitempty"`
	Scope                   string   `json:"scope"`
	TokenEndpointAuthMethod string   `json:"token_endpoint_auth_method"`
	TokenEndpointAuthAlg    string   `json:"token_endpoint_auth_signing_alg,omitempty"` // of its assertions; "": any that its keys or secret fit
	ApplicationType         string   `json:"application_type,omitempty"`
	Contacts                []string `json:"contacts,omitempty"`
	ClientURI               string   `json:"client_uri,omitempty"`
	LogoURI                 string   `json:"logo_uri,omitempty"`
	PolicyURI               string   `json:"policy_uri,omitempty"`
	TOSURI                  string   `json:"tos_uri,omitempty"`
	IDTokenSignedAlg        string   `json:"id_token_signed_response_alg,omitempty"`

	AccessTokenFormat        string   `json:"access_token_format,omitempty"` // jwt or opaque
	AccessTokenSignedAlg     string   `json:"access_token_signed_response_alg,omitempty"`
	AccessTokenLifetime      int64    `json:"access_token_lifetime,omitempty"`
	RefreshTokenLifetime     int64    `json:"refresh_token_lifetime,omitempty"`
	RefreshTokenIdleLifetime int64    `json:"refresh_token_idle_lifetime,omitempty"`
	RefreshRotation          Rotation `json:"refresh_rotation,omitempty"`
	RefreshGrace             int64    `json:"refresh_grace,omitempty"`
	IDTokenOnRefresh         bool     `json:"id_token_on_refresh,omitempty"`
	FirstParty               bool     `json:"first_party,omitempty"`
	Resources                []string `json:"resources,omitempty"` // resource indicators it may ask tokens for (RFC 8707)

	JWKS              json.RawMessage `json:"jwks,omitempty"`                      // its public keys (RFC 7517 §5), in our own writing
	JWKSURI           string          `json:"jwks_uri,omitempty"`                  // where it publishes them instead
	AssertionAudience string          `json:"client_assertion_audience,omitempty"` // issuer: no other aud; "": the token endpoint too
	RequirePKCE       *bool           `json:"require_pkce,omitempty"`              // nil: PKCE is required; false: not of this client

	RequirePAR             bool     `json:"require_pushed_authorization_requests,omitempty"` // RFC 9126 §6
	RequireSecondFactor    bool     `json:"require_second_factor,omitempty"`                 // people sign in to it with a second factor, and enrol one first
	RequireAuthTime        bool     `json:"require_auth_time,omitempty"`                     // kept as it was sent: auth_time is always there
	DefaultMaxAge          *int64   `json:"default_max_age,omitempty"`                       // seconds; nil: none
	DefaultACRValues       []string `json:"default_acr_values,omitempty"`
	UserinfoSignedAlg      string   `json:"userinfo_signed_response_alg,omitempty"` // "": userinfo is plain JSON
	PostLogoutRedirectURIs []string `json:"post_logout_redirect_uris,omitempty"`

	BackchannelLogoutURI              string `json:"backchannel_logout_uri,omitempty"`
	BackchannelLogoutSessionRequired  bool   `json:"backchannel_logout_session_required,omitempty"`
	FrontchannelLogoutURI             string `json:"frontchannel_logout_uri,omitempty"`
	FrontchannelLogoutSessionRequired bool   `json:"frontchannel_logout_session_required,omitempty"`

	SubjectType             string `json:"subject_type,omitempty"` // public or pairwise; "": public (OpenID Connect Core §8)
	SectorIdentifierURI     string `json:"sector_identifier_uri,omitempty"`
	InitiateLoginURI        string `json:"initiate_login_uri,omitempty"`         // where a sign-in begun elsewhere starts (OpenID Connect Core §4)
	RequestObjectSigningAlg string `json:"request_object_signing_alg,omitempty"` // kept as it was sent: request objects are not read yet
	SoftwareID              string `json:"software_id,omitempty"`
	SoftwareVersion         string `json:"software_version,omitempty"`
	SoftwareStatement       string `json:"software_statement,omitempty"` // as it was presented and believed (RFC 7591 §2.3)
}
