// Package browser is about what one browser brings and is given: the sessions of the people who are signed in at it, the seal on an
// authorization request that is on its way through the pages, the tokens of forms, and what it is remembered by.
//
// # One visit
//
// [Browsers.Visit] reads a request's cookies once and finds its sessions in one query, or in none where it brings no session cookie.
// What is done afterwards gathers the cookies to set in the [Visit], and [Visit.Cookies] writes them.
//
// # Four cookies, four lives
//
// The session cookie holds the secrets of at most five accounts, the current one first, and dies with the browser. The pre-session
// cookie says nothing but "the same browser": sealed requests and form tokens are bound to it, so that nobody finishes in one
// browser what was begun in another, and no anonymous visitor costs a row. The known-device cookie gets its owners through while
// their accounts are under attack. The remembered-factor cookie spares its owner the second factor. They are four because they are
// lost and stolen apart: each opens one thing.
//
// # A sign-in is made of proofs
//
// [Browsers.SignIn] proves a password and [Browsers.SecondFactor] a code. Each has its own time in the session, and only when all
// that was needed is there does AuthTime move: until a first sign-in is whole, the session is good for nothing but its second
// factor, for ten minutes, or, for half an hour, to enrol one that must be there. What pages do for a person besides (an account that was
// made, a first factor, lost ones that are gone) is told by [Browsers.Joined], [Browsers.Enrolled] and [Browsers.Recovered]. Every proof draws the session's secret anew, so that whoever knew the one before, or put it there, holds
// nothing; its ID stays, since applications know the sign-in by it.
package browser
