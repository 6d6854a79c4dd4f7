// Package keys holds the server's keys: those that sign tokens, those that make handles, and the secret key under which both
// rest in the database. It is the only room of the provider that names an algorithm.
//
// # Three layers
//
// The secret key comes from the operator and is never stored. A [Sealer] made from it seals what rests in the database; each
// sealed value is bound to its row, so that values cannot change places. A stolen database without the secret key signs
// nothing and opens nothing.
//
// Signing keys are one key pair for each algorithm (RFC 7518 §3.1, RFC 8037): a key never serves two, because what one
// algorithm accepts must not be decided by what another signed. Their name (kid) is the thumbprint of RFC 7638, so that one
// name can never mean two keys. A token is verified under the algorithm of the key that its kid names, and its own alg must say
// the same: the token never chooses.
//
// Handle keys are 64 random bytes each, from which three keys are derived with the issuer bound in. A copy of the database
// that serves another issuer shares no handle with this one.
//
// # A new key waits
//
// Keys are published as soon as a node has read them, and used for new tokens an hour after the database first saw them: by
// then every node has read them, and every verifier that keeps a key set for a while has fetched them. Only where there is
// no older one does a key serve at once.
package keys
