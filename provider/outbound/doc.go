// Package outbound holds the one HTTP client with which Signet calls addresses that somebody else chose, such as a client's
// backchannel_logout_uri and jwks_uri. A test in cmd/signet keeps it the only one.
//
// Whoever may register such an address could otherwise make Signet knock at doors that only Signet reaches: metadata services of
// clouds, databases, its own management listener. So a connection is judged at the last moment, by the address that the socket is about
// to take and not by the name that led there: no spelling of an address, no DNS answer and no change of one between two lookups gets past
// that. Only the public Internet at the ports of HTTPS may be reached, and what the operator allows. Nothing is followed, no proxy of the
// environment is used, no cookie is kept, and of an answer nothing is read but a short document of the type that was asked for.
//
// Whoever may register an address could also let Signet wait. So a request has one short budget for everything, a host has few requests
// at once, and one that failed again and again is left alone for a while, so that it delays nobody else.
package outbound
