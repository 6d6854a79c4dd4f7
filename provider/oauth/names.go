package oauth

// Grant types (RFC 6749, RFC 7591 §2, RFC 8628) and Signet's own second step of the password grant.
const (
	GrantPassword          = "password"
	GrantRefreshToken      = "refresh_token"
	GrantClientCredentials = "client_credentials"
	GrantAuthorizationCode = "authorization_code"
	GrantDeviceCode        = "urn:ietf:params:oauth:grant-type:device_code"
	GrantMFAOTP            = "urn:signet:oauth:grant-type:mfa-otp"
)

// Client authentication methods (RFC 7591 §2).
const (
	AuthNone          = "none"
	AuthBasic         = "client_secret_basic"
	AuthPost          = "client_secret_post"
	AuthSecretJWT     = "client_secret_jwt" // RFC 7523 §2.2, OpenID Connect Core §9
	AuthPrivateKeyJWT = "private_key_jwt"   // as well
)

// Access token formats.
const (
	FormatJWT    = "jwt"
	FormatOpaque = "opaque"
)

// Scopes that mean something to the provider (OpenID Connect Core §5.4, §11).
const (
	ScopeOpenID        = "openid"
	ScopeProfile       = "profile"
	ScopeEmail         = "email"
	ScopeAddress       = "address"
	ScopePhone         = "phone"
	ScopeOfflineAccess = "offline_access"
)

// ResponseTypeCode is the one response_type there is (RFC 6749 §3.1.1).
const ResponseTypeCode = "code"

// Response modes (OAuth 2.0 Multiple Response Type Encoding Practices §2.1, OAuth 2.0 Form Post Response Mode).
const (
	ModeQuery    = "query"
	ModeFragment = "fragment"
	ModeFormPost = "form_post"
)

// Values of prompt (OpenID Connect Core §3.1.2.1, Initiating User Registration §4).
const (
	PromptNone          = "none"
	PromptLogin         = "login"
	PromptConsent       = "consent"
	PromptSelectAccount = "select_account"
	PromptCreate        = "create"
)

// Authentication context class references: what a sign-in proved.
const (
	ACRPassword = "urn:signet:acr:password"
	ACRMFA      = "urn:signet:acr:mfa"
)

// Authentication method references (RFC 8176 §2).
const (
	AMRPassword = "pwd"
	AMROTP      = "otp"
	AMRMFA      = "mfa"

	AMRHardwareKey = "hwk" // a passkey that never leaves its device
	AMRSoftwareKey = "swk" // a passkey that may be kept on several
)
