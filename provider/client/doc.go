// Package client answers one question for every protocol endpoint, who is calling, and keeps what the answer rests on:
// registrations, their validation, client secrets and client keys. The protected resources that clients ask tokens for are registered
// here as well.
//
// A registration is checked when it is written and trusted when it is read. Validate is the one gate for the command line, the
// API and dynamic registration, so that no endpoint meets a redirect URI with a fragment or a public client with
// client_credentials. What a registration leaves open stays empty in the table and is resolved at use (Registry.Policy and its
// neighbours): a changed server default then reaches every client that never chose for itself.
//
// Authentication says as little as it can. An unknown client, a wrong secret or assertion, a disabled client and a method that the
// client is not registered for get one and the same answer; which it was stands in the error's cause, for the log. With a secret it
// comes after the same work, too; that a client with that client_id signs with keys is no secret, and costs nothing to hide.
package client
