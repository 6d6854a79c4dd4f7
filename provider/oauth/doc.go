// Package oauth is the ground vocabulary of the protocol rooms: the errors that clients hear, the parameters of a request,
// scopes, and the standards' names. It imports the standard library only, and every other room of the provider may use it.
package oauth
