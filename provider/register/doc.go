// Package register lets software register itself as a client (RFC 7591, OpenID Connect Dynamic Client Registration) and look after its
// registration (RFC 7592).
//
// Anybody may knock here, so the order of things is the defence: a request is counted before it is read, read in bounds before it is
// believed, and what it makes is bounded by what the store lets stay. Who may have what is the client room's to say (ForSoftware).
package register
