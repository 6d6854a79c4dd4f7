package main

import (
	"github.com/spf13/cobra"

	"github.com/signet-idp/signet/storage"
)

// clientFlags are a registration on the command line: one flag for each member, by its name in RFC 7591 with dashes, in the
// singular where it is repeated and without client_ in front.
type clientFlags struct {
	given storage.ClientMetadata
	taken map[string]func(*storage.ClientMetadata) // by flag: carries the member over from given
}

// apply carries the members that were given over to m, and reports whether there were any.
func (f *clientFlags) apply(cmd *cobra.Command, m *storage.ClientMetadata) (any bool) {
	for name, take := range f.taken {
		if cmd.Flags().Changed(name) {
			take(m)
			any = true
		}
	}
	return any
}

func (f *clientFlags) register(cmd *cobra.Command) {
	f.taken = map[string]func(*storage.ClientMetadata){}
	f.words(cmd)
	f.lists(cmd)
	f.numbers(cmd)
	cmd.Flags().Var(keySetFlag{&f.given.JWKS}, "jwks-file", "file with its public keys, a JWK set, for private_key_jwt")
	cmd.Flags().StringVar(&f.given.JWKSURI, "jwks-uri", "", "where it publishes its public keys, a JWK set, instead")
	keys := func(to *storage.ClientMetadata) { to.JWKS, to.JWKSURI = f.given.JWKS, f.given.JWKSURI } // one takes the place of the other
	f.taken["jwks-file"], f.taken["jwks-uri"] = keys, keys
	cmd.Flags().Var(choiceFlag{&f.given.RequirePKCE}, "require-pkce", "whether it must use PKCE at the authorization endpoint; every client must unless told otherwise")
	cmd.Flags().Lookup("require-pkce").NoOptDefVal = "true"
	cmd.Flags().Var(maybeSecondsFlag{&f.given.DefaultMaxAge}, "default-max-age", "how old a sign-in may be where its requests do not say; empty: any age")
	f.taken["default-max-age"] = func(to *storage.ClientMetadata) { to.DefaultMaxAge = f.given.DefaultMaxAge }
	f.taken["require-pkce"] = func(to *storage.ClientMetadata) { to.RequirePKCE = f.given.RequirePKCE }
}

func (f *clientFlags) words(cmd *cobra.Command) {
	type m = storage.ClientMetadata
	for _, flag := range []struct {
		name, usage string
		member      func(*m) *string
	}{
		{"name", "what people read on the consent page", func(m *m) *string { return &m.Name }},
		{"scope", "scopes that the client may ask for, separated by spaces (default for clients of people: the standard ones)", func(m *m) *string { return &m.Scope }},
		{"token-endpoint-auth-method", "client_secret_basic (default), client_secret_post, client_secret_jwt, private_key_jwt, or none for a public client", func(m *m) *string { return &m.TokenEndpointAuthMethod }},
		{"token-endpoint-auth-signing-alg", "algorithm of its client assertions; empty: any that its keys or secret fit", func(m *m) *string { return &m.TokenEndpointAuthAlg }},
		{"assertion-audience", "issuer: its client assertions must name the issuer; empty: or the token endpoint", func(m *m) *string { return &m.AssertionAudience }},
		{"application-type", "web (default) or native", func(m *m) *string { return &m.ApplicationType }},
		{"client-uri", "home page", func(m *m) *string { return &m.ClientURI }},
		{"logo-uri", "logo", func(m *m) *string { return &m.LogoURI }},
		{"policy-uri", "privacy policy", func(m *m) *string { return &m.PolicyURI }},
		{"tos-uri", "terms of service", func(m *m) *string { return &m.TOSURI }},
		{"id-token-signed-response-alg", "algorithm of its ID tokens", func(m *m) *string { return &m.IDTokenSignedAlg }},
		{"access-token-signed-response-alg", "algorithm of its access tokens", func(m *m) *string { return &m.AccessTokenSignedAlg }},
		{"access-token-format", "jwt (default) or opaque", func(m *m) *string { return &m.AccessTokenFormat }},
		{"userinfo-signed-response-alg", "algorithm that its userinfo answers are signed with; empty: plain JSON", func(m *m) *string { return &m.UserinfoSignedAlg }},
		{"backchannel-logout-uri", "where it is told, server to server, that a session has ended", func(m *m) *string { return &m.BackchannelLogoutURI }},
		{"frontchannel-logout-uri", "page of its own that a browser loads when it signs out; at the origin of a redirect URI", func(m *m) *string { return &m.FrontchannelLogoutURI }},
		{"subject-type", "public (default), or pairwise: another sub for each sector", func(m *m) *string { return &m.SubjectType }},
		{"sector-identifier-uri", "JSON array of all its redirect URIs, at the host that its pairwise subjects are made for", func(m *m) *string { return &m.SectorIdentifierURI }},
		{"initiate-login-uri", "where a sign-in that is begun elsewhere starts", func(m *m) *string { return &m.InitiateLoginURI }},
		{"request-object-signing-alg", "kept as it is sent: request objects are not read", func(m *m) *string { return &m.RequestObjectSigningAlg }},
		{"software-id", "name of the software that the client is, the same for all who run it", func(m *m) *string { return &m.SoftwareID }},
		{"software-version", "version of that software", func(m *m) *string { return &m.SoftwareVersion }},
		{"refresh-rotation", "strict, balanced or static", func(m *m) *string { return (*string)(&m.RefreshRotation) }},
	} {
		cmd.Flags().StringVar(flag.member(&f.given), flag.name, "", flag.usage)
		f.taken[flag.name] = func(to *m) { *flag.member(to) = *flag.member(&f.given) }
	}
}

func (f *clientFlags) lists(cmd *cobra.Command) {
	type m = storage.ClientMetadata
	for _, flag := range []struct {
		name, usage string
		commas      bool // whether commas separate, which they cannot where a value may hold one
		member      func(*m) *[]string
	}{
		{"grant-type", "authorization_code (default), refresh_token, client_credentials … (repeatable)", true, func(m *m) *[]string { return &m.GrantTypes }},
		{"response-type", "response type of the authorization endpoint: code", true, func(m *m) *[]string { return &m.ResponseTypes }},
		{"redirect-uri", "where codes may be sent, compared byte by byte but for the port at 127.0.0.1 and [::1] (repeatable)", false, func(m *m) *[]string { return &m.RedirectURIs }},
		{"post-logout-redirect-uri", "where people may be sent after they signed out (repeatable)", false, func(m *m) *[]string { return &m.PostLogoutRedirectURIs }},
		{"default-acr-value", "acr that its requests want where they name none, best first (repeatable)", false, func(m *m) *[]string { return &m.DefaultACRValues }},
		{"contact", "e-mail address of somebody responsible (repeatable)", false, func(m *m) *[]string { return &m.Contacts }},
		{"resource", "resource indicator that it may ask tokens for (repeatable)", false, func(m *m) *[]string { return &m.Resources }},
	} {
		if flag.commas {
			cmd.Flags().StringSliceVar(flag.member(&f.given), flag.name, nil, flag.usage)
		} else {
			cmd.Flags().StringArrayVar(flag.member(&f.given), flag.name, nil, flag.usage)
		}
		f.taken[flag.name] = func(to *m) { *flag.member(to) = *flag.member(&f.given) }
	}
}

func (f *clientFlags) numbers(cmd *cobra.Command) {
	type m = storage.ClientMetadata
	for _, flag := range []struct {
		name, usage string
		member      func(*m) *int64
	}{
		{"access-token-lifetime", "how long its access tokens live; 0: the server's default", func(m *m) *int64 { return &m.AccessTokenLifetime }},
		{"refresh-token-lifetime", "how long its grants live at most; 0: the server's default", func(m *m) *int64 { return &m.RefreshTokenLifetime }},
		{"refresh-token-idle-lifetime", "how long a refresh token may lie unused; 0: the server's default", func(m *m) *int64 { return &m.RefreshTokenIdleLifetime }},
		{"refresh-grace", "how long a lost answer may be asked for again; 0: the server's default", func(m *m) *int64 { return &m.RefreshGrace }},
	} {
		cmd.Flags().Var(secondsFlag{flag.member(&f.given)}, flag.name, flag.usage)
		f.taken[flag.name] = func(to *m) { *flag.member(to) = *flag.member(&f.given) }
	}
	for _, flag := range []struct {
		name, usage string
		member      func(*m) *bool
	}{
		{"id-token-on-refresh", "a refresh answers with an ID token too", func(m *m) *bool { return &m.IDTokenOnRefresh }},
		{"require-pushed-authorization-requests", "its authorization requests must be pushed first (RFC 9126)", func(m *m) *bool { return &m.RequirePAR }},
		{"require-second-factor", "people sign in to it with a second factor; who has none is led to enrol one", func(m *m) *bool { return &m.RequireSecondFactor }},
		{"require-auth-time", "kept as RFC 7591 has it: auth_time is in every ID token anyway", func(m *m) *bool { return &m.RequireAuthTime }},
		{"backchannel-logout-session-required", "its logout tokens must name the session", func(m *m) *bool { return &m.BackchannelLogoutSessionRequired }},
		{"frontchannel-logout-session-required", "its front-channel page must be told the session", func(m *m) *bool { return &m.FrontchannelLogoutSessionRequired }},
		{"first-party", "belongs to the operator of this server: people are not asked for consent", func(m *m) *bool { return &m.FirstParty }},
	} {
		cmd.Flags().BoolVar(flag.member(&f.given), flag.name, false, flag.usage)
		f.taken[flag.name] = func(to *m) { *flag.member(to) = *flag.member(&f.given) }
	}
}
