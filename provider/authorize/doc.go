// Package authorize is the front door: the authorization endpoint (RFC 6749 §4.1, OpenID Connect Core §3.1.2), pushed requests
// (RFC 9126) and the device flow (RFC 8628), without the pages, which are web/pages'.
//
// It is a hub. A request is proven and read once (Begin), sealed, and never changes. What has happened since (a password, a second
// factor, a choice, a consent) stands in the store with its time. decide, a pure function of request, client, sessions, consent and
// time, names the next step; the step's page does its one thing and comes back here (Resume), where decide is asked again. So no page
// can skip a step, and none needs to know what follows.
//
// Three promises fall out of the order in which a request is read:
//
//  1. Nothing is sent to an address that was not proven first. A Refusal is shown on our own page and never travels; a Returned may
//     travel, and is made of an oauth.Target alone, which only a registration makes.
//  2. A visit of nobody in particular writes no row.
//  3. A code is made in one commit with all that it relies on: the session and the person as they were read, and the pushed request,
//     which serves once.
package authorize
