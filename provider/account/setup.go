package account

import (
	"context"
	"time"

	"github.com/signet-idp/signet/storage"
)

// SetupLink makes a link by which whoever holds it becomes the first administrator (Join). It works once, until expires, and only
// while there is no administrator. Errors: ErrSetUp; the store's.
func (p *People) SetupLink(ctx context.Context, by By) (link string, expires time.Time, err error) {
	administered, err := p.administered(ctx)
	if err != nil {
		return "", expires, err
	}
	if administered {
		return "", expires, ErrSetUp
	}
	t := storage.Ticket{ID: newID(), Kind: storage.TicketSetup, Seen: by.Seen}
	t, err = p.store.IssueTicket(ctx, t, 0, SetupLifetime, storage.Also{
		Events: []storage.Event{event("user.setup_link_made", storage.ID{}, by)},
	})
	if err != nil {
		return "", expires, err
	}
	link, err = p.LinkUntil(t, t.ExpiresAt)
	return link, t.ExpiresAt, err
}

// Empty reports whether there is no user at all.
func (p *People) Empty(ctx context.Context) (bool, error) {
	first, err := p.store.ListUsers(ctx, storage.ID{}, 1)
	return err == nil && len(first) == 0, err
}

// administered reports whether any user is an administrator.
func (p *People) administered(ctx context.Context) (bool, error) {
	const page = 500
	for after := (storage.ID{}); ; {
		users, err := p.store.ListUsers(ctx, after, page)
		if err != nil {
			return false, err
		}
		for _, u := range users {
			if u.Admin {
				return true, nil
			}
			after = u.ID
		}
		if len(users) < page {
			return false, nil
		}
	}
}
