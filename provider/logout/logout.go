package logout

import (
	"context"
	"time"

	"github.com/signet-idp/signet/provider/browser"
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/issue"
	"github.com/signet-idp/signet/provider/outbound"
	"github.com/signet-idp/signet/storage"
)

// Store is what logging out needs of the store beside what its rooms need.
type Store interface {
	FinishLetter(ctx context.Context, id storage.ID, attempt int) error
	RetryLetter(ctx context.Context, id storage.ID, attempt int, wait time.Duration) error
	SplitLetter(ctx context.Context, id storage.ID, attempt int, into []storage.Letter) error
	RecordEvents(ctx context.Context, events []storage.Event) error
}

// Config is what logging out goes by.
type Config struct {
	Issuer string // iss, byte for byte
}

// Logout signs people out and tells the applications. It holds no state but its store's; it is safe for concurrent use.
type Logout struct {
	store    Store
	clients  *client.Registry
	browsers *browser.Browsers
	issuer   *issue.Issuer
	outbound *outbound.Client
	config   Config
}

// New wires it.
func New(store Store, clients *client.Registry, browsers *browser.Browsers, issuer *issue.Issuer, out *outbound.Client, c Config) *Logout {
	return &Logout{store, clients, browsers, issuer, out, c}
}
