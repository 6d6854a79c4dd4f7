// Package handle makes and reads the artefacts that only Signet understands: refresh tokens, authorization codes, device codes
// and MFA tokens (together: handles), opaque access tokens, and the jti of every access token; and the sealed texts that a browser
// carries for the front door. The formats are those of docs/grants.md; a known-answer test keeps them.
//
// # What a handle promises
//
// Its tag is checked before anything in it is believed, and before any query: a forged or mangled one costs microseconds.
// Equal state gives the equal text, which is what makes a retry idempotent. Nobody but Signet reads ids, counters or times in
// one. Each kind begins with a prefix that secret scanners find, and the prefix is under the tag, so that no kind passes for
// another.
//
// A tag says that Signet made the handle. Whether it may be used is the grant's to say: the secret inside must be the grant's,
// which the key to every tag does not reveal.
package handle
