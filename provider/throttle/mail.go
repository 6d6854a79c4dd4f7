package throttle

import (
	"context"
	"time"
)

// The buckets of mail that people ask for without having proven anything.
const (
	mailBurst, mailEvery = 3, 20 * time.Minute // mails to one address
	askBurst, askEvery   = 5, 2 * time.Minute  // mails asked for from one network
)

// Mail takes one attempt to have a mail sent. address is whom it is for, in canonical form, whether anybody bears it or not. It is not
// given back. Errors are those of SignIn.
func (l *Limiter) Mail(ctx context.Context, address string, caller Caller) error {
	_, err := l.take(ctx,
		bucket("mail address", address, Limit{mailBurst, mailEvery}),
		bucket("mail network", Network(caller.Address), Limit{askBurst, askEvery}),
	)
	return manyRequests(err)
}
