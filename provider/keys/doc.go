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
// # A key's life
//
// pending → active → retiring → removed, by time; revoked from anywhere, by hand. A pending key is published and makes nothing: by
// the time it is active every verifier that keeps a key set for a while has fetched it. One key of an algorithm is active. A
// retiring one is published for as long as anything may live that it signed. A removed or revoked key keeps its row without its
// secret, so that its name never means another.
//
// The rows in the database are the life; any node may take a step of it (Tend), each step is one conditional write, and only the
// store's clock says when it is due. What every node needs is to have read the rows lately: a ring older than Life.Lag is read
// again before any work is done with it (Freshen), and a key that has become active is used once it has been so for that long. So
// at the moment of its first use every node that works knows it, however it became active.
package keys
