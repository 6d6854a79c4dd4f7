// Package account is about people: the names they go by, their passwords, second factors and claims. It is the only room
// that hashes passwords, checks one-time codes and knows Unicode's forms of names.
//
// # One person, one name
//
// Whatever spelling a person types (case, width, composition, surrounding white space; username, e-mail address or subject),
// [CanonicalLogin] and [People.Lookup] arrive at one account, and the throttle counts that account and not the spelling.
//
// # One cost
//
// A sign-in is [People.SignIn]: [People.Lookup], then the throttle with [Candidate.Account], then [People.Prove]. Prove costs the same whether
// the account exists, is disabled, has no password, or has one hashed more cheaply than today, and answers all of them with
// [ErrWrong]: neither the words nor the time tell an account that exists from one that does not.
//
// # Bounded work
//
// Hashing is memory-hard on purpose, so only a [Hasher] does it: few at once, a short queue that is fair between callers, and
// a refusal before the work where the queue is full.
//
// # Asked for, then used
//
// What people begin and finish apart, such as to sign up, to choose a new password, or to leave, is a ticket in between
// ([storage.Ticket]). Whoever is nobody here is given one too, which leads nowhere: what a stranger asks for is answered alike, and is
// the same work, whoever it concerns. A mail's link is made of the ticket when the mail is sent ([People.MailLink]), so that neither
// tickets nor letters hold a secret.
//
// # Proven here, spent there
//
// A one-time code or recovery code is only matched here. It is spent by the store, in the commit of what it buys
// ([storage.Spend]), which is what makes it serve once.
package account
