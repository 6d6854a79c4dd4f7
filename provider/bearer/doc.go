// Package bearer is how an API written in Go checks the access tokens that Signet issued. It is meant to be imported by other
// programs: it uses no other room of Signet, and beside the standard library only go-jose.
//
//	tokens, err := bearer.New(bearer.Config{Issuer: "https://id.example.com", Audience: "https://api.example.com"})
//	…
//	mux.Handle("GET /me", tokens.Handler(func(w http.ResponseWriter, r *http.Request, t bearer.Token) {
//		fmt.Fprintln(w, t.Subject)
//	}))
//	mux.Handle("/stock/", tokens.RequireScope("stock.read")(stock))
//
// # What is checked
//
// Of a JWT (RFC 9068): at most 8 KiB, looked at before anything is parsed; typ at+jwt, so that an ID token does not pass; an
// algorithm of an explicit, asymmetric list, and the one that the key is published for; a signature by a key of the issuer's
// key set; iss, byte for byte; aud, which must have this API; exp and nbf, with a small skew; sub. A token that is bound to a
// sender (cnf) is refused: without the proof it is a stolen one. The scope is the caller's to ask for.
//
// A token that is no JWT is put to introspection (RFC 7662) where Config.Introspection is set, and refused otherwise. With
// Introspection.Always a JWT is, too, after it has passed the checks above: then a revoked token is refused at once, and not
// when it expires. What is not active, not of token_type Bearer (a refresh token is not), or not for this API is refused.
//
// # Keys
//
// The key set is found by discovery (RFC 8414), whose issuer must be the configured one byte for byte, and kept for as long as
// its Cache-Control says, within 10 seconds and an hour. A kid that is not in it makes the key set be fetched again, one request
// for all that wait, and at most one each 10 seconds whatever is sent here. Where the issuer cannot be reached the keys that are
// there serve on, for a day; only then, or for a kid that is not known, is the answer 503, so that a client keeps its token.
//
// # Discovery
//
// With Config.Metadata the API describes itself (RFC 9728): which issuer its tokens come from, and which scopes there are. Mount the
// document with mux.Handle(tokens.Metadata()); every challenge then names its address, so that a client that knows nothing but the
// API's address finds its way to a token.
//
// # Answers
//
// Refusals are those of RFC 6750 §3: 401 with a challenge, without an error where there was no token; 403 insufficient_scope. Both
// name the scope that Handler and RequireScope were given. No text of this package holds a token, or anything else that was sent:
// causes are for the log, and never hold one either.
package bearer
