package throttle

import (
	"context"
	"time"
)

// The buckets of mail that people ask for without having proven anything.
const (
	mailBurst, mailEvery = 3, 20 * time.Minute // mails asked for by one name
	askBurst, askEvery   = 5, 2 * time.Minute  // mails asked for from one network
)

// Mail takes one attempt to have a mail sent. name is the address or username that was typed, in canonical form, whether anybody bears
// it or not: two names of one person are two, since a shared count would tell that they are. It is not given back. Errors are those of
// SignIn.
func (l *Limiter) Mail(ctx context.Context, name string, caller Caller) error {
	_, err := l.take(ctx,
		bucket("mail address", name, Limit{mailBurst, mailEvery}),
		bucket("mail network", Network(caller.Address), Limit{askBurst, askEvery}),
	)
	return manyRequests(err)
}
