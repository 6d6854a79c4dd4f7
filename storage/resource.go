package storage

import "time"

// Resource is a protected resource that was registered here: something that clients ask access tokens for by its identifier
// (RFC 8707 §2), and the rules that its tokens are made by. A client may name an identifier that no Resource describes; then
// it is a name in aud and nothing else.
type Resource struct {
	Identifier string // resource indicator, compared byte by byte; never the issuer
	Revision   int64
	Metadata   ResourceMetadata
	CreatedAt  time.Time // stamped by the store
	UpdatedAt  time.Time // stamped by the store
}

// ResourceMetadata is what a resource's owner chose. resource_name is RFC 9728's; the others are a client's members, here about
// the tokens for this resource. What is empty is no wish of the resource's.
type ResourceMetadata struct {
	Name                 string   `json:"resource_name,omitempty"`
	Scope                string   `json:"scope,omitempty"`               // all that its tokens may have; empty: whatever the client may
	AccessTokenFormat    string   `json:"access_token_format,omitempty"` // jwt or opaque
	AccessTokenSignedAlg string   `json:"access_token_signed_response_alg,omitempty"`
	AccessTokenLifetime  int64    `json:"access_token_lifetime,omitempty"` // seconds
	ClientIDs            []string `json:"client_ids,omitempty"`            // the clients that serve it, and may introspect its tokens
	AnyClient            bool     `json:"any_client,omitempty"`            // every client may ask people for its tokens, with its scope, registered for it or not
}
