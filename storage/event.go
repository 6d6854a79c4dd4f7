package storage

import "time"

// Also is what a security-relevant act commits with itself: its audit events and its letters. Both or neither happen.
type Also struct {
	Events  []Event
	Letters []Letter
}

// Event is one line of the audit log. It never holds a secret, a token or a password.
type Event struct {
	ID       ID        // zero: drawn by the store
	At       time.Time // stamped by the store
	Kind     string    // object.act, for example grant.reuse
	Actor    string    // who did it: a user's or client's ID, "cli", "server"; "" where nobody is known
	UserID   ID
	ClientID string
	GrantID  ID
	Seen     Seen
	Detail   map[string]string
}

// EventFilter selects events, newest first. Zero fields select all.
type EventFilter struct {
	Kind     string // one, or with a trailing * all that begin so
	Actor    string
	UserID   ID
	ClientID string
	GrantID  ID
	Since    time.Time // only events at it or later
	Until    time.Time // only events before it
	Before   ID        // only events older than this one: the next page
	Limit    int
}

// LetterSessionEnded is the kind of the letter that tells the applications of a session that it has ended. Its UserID is the
// session's user; its Data are session_id and client_ids, those of EndedSession separated by spaces.
const LetterSessionEnded = "session_ended"

// The keys of Letter.Data that say whom and what a mail is about.
const (
	LetterTo     = "to"     // the address that it goes to; absent: that of its user
	LetterTicket = "ticket" // the ID of the ticket that it brings the link of
)

// Letter is a message waiting in the outbox, to a person or to an application. Its data holds no secret.
type Letter struct {
	ID        ID     // zero: drawn by the store
	Kind      string // which message
	UserID    ID
	Data      map[string]string
	Attempt   int       // rises with every claim; stamped by the store
	CreatedAt time.Time // stamped by the store
}
