package storage

import "time"

// TicketKind says what a ticket is the right to do.
type TicketKind string

// What tickets are for.
const (
	TicketSetup      TicketKind = "setup"      // to become the first administrator
	TicketSignUp     TicketKind = "sign_up"    // to make an account with this address
	TicketInvitation TicketKind = "invitation" // the same, on an administrator's word
	TicketReset      TicketKind = "reset"      // to choose a new password
	TicketEmail      TicketKind = "email"      // to make this address one's own
	TicketRecovery   TicketKind = "recovery"   // to be rid of second factors that are lost
	TicketDeletion   TicketKind = "deletion"   // the account goes
)

// Single reports whether a user has at most one ticket of the kind at a time: those that ripen, so that nobody begins anew what the
// person may still stop.
func (k TicketKind) Single() bool { return k == TicketRecovery || k == TicketDeletion }

// Ticket is the right to do one thing once. Its ID is no secret and opens nothing: the link in a mail is sealed, and made of the ID
// only when the mail is sent.
type Ticket struct {
	ID     ID // drawn by the caller
	Kind   TicketKind
	UserID ID     // whose; zero: nobody's yet, or nobody's at all, where a stranger asked in vain
	Email  string // the address that the link is sent to, or that is to be proven; "" where there is none
	Login  string // canonical form of Email
	Data   map[string]string
	Seen   Seen // who asked for it

	CreatedAt time.Time // stamped by the store
	RipeAt    time.Time // stamped by the store: it serves from then on
	ExpiresAt time.Time // stamped by the store: and until then
}

// Serves reports whether the ticket may be used at now.
func (t Ticket) Serves(now time.Time) bool { return !now.Before(t.RipeAt) && now.Before(t.ExpiresAt) }
