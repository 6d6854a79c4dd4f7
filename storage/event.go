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
	Kind     string
	UserID   ID
	ClientID string
	GrantID  ID
	Before   ID // only events older than this one: the next page
	Limit    int
}

// LetterSessionEnded is the kind of the letter that tells the applications of a session that it has ended. Its UserID is the
// session's user; its Data are session_id and client_ids, those of EndedSession separated by spaces.
const LetterSessionEnded = "session_ended"

// Letter is a message waiting in the outbox, to a person or to an application. Its data holds no secret.
type Letter struct {
	ID        ID     // zero: drawn by the store
	Kind      string // which message
	UserID    ID
	Data      map[string]string
	Attempt   int       // rises with every claim; stamped by the store
	CreatedAt time.Time // stamped by the store
}
