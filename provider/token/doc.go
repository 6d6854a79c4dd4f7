// Package token is POST /oauth2/token and everything that reads tokens back: introspection, revocation, userinfo.
//
// A token request takes seven steps, and the endpoint owns them so that no grant can forget one:
//
//  1. the time is taken once, from the store's clock
//  2. the form is parsed once
//  3. the grant is picked by grant_type
//  4. the client proves who it is, and that it may use this grant
//  5. the grant checks: reads only, nothing is spent
//  6. the tokens are minted: nothing is stored, nothing is sent
//  7. the grant settles: one conditional write spends and grants; a lost race starts again at 5
//
// Three promises fall out of the order: nothing is spent before everything is checked, nothing is sent before it is durable, and
// exactly one write spends or grants anything. Outside it stand only the attempt counters, before a proof is looked at, and the note
// that a device asked and was told to wait.
package token
