package storage

import (
	"context"
	"time"
)

// RefusedRequest is a request of a client that was refused, and why: what the client heard, what the log said, and what the row
// said about the token. It serves the people who are asked about it; nothing is decided by it. It never holds a token, a code, a
// password or a secret.
type RefusedRequest struct {
	ID          string    // the X-Request-Id of the answer
	At          time.Time // stamped by the store
	Endpoint    string    // token, introspect or revoke
	ClientID    string    // whom the request named, whether it could prove that or not
	GrantType   string    // of those known here; "" elsewhere
	Code        string    // error (RFC 6749 §5.2)
	Description string    // error_description
	Cause       string    // why, for the operator
	GrantID     ID        // the token's grant; zero where none was found
	Token       string    // what had become of the token that was presented; "" where none was found
	Seen        Seen      // who made the request

	Detail map[string]string // what was sent beside what is registered, and where they part: short, and without a secret
}

// RefusalBound says how many refused requests are kept. The oldest go first.
type RefusalBound struct {
	All       int // of all clients together
	PerClient int // of any one of them, so that one that is flooded does not push out the others
}

// RefusalList shows refused requests to the people whose client made them.
type RefusalList interface {
	// ListRefusals returns at most limit of the client's that were recorded before the one with the ID before ("": the newest too), newest
	// first. An ID that is gone is as "".
	ListRefusals(ctx context.Context, clientID, before string, limit int) ([]RefusedRequest, error)
}
