package throttle

import "context"

// Passkey takes one attempt for a sign-in by a passkey, of the same bucket as one by a password from that address. No account is counted:
// nothing about one can be guessed, and whose passkey it is shows only when it has signed. Errors are those of SignIn.
func (l *Limiter) Passkey(ctx context.Context, caller Caller) (*Ticket, error) {
	return l.take(ctx, l.caller("signin", caller))
}
