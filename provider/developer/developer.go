package developer

import (
	"context"
	"errors"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// DefaultApps is how many apps a person may have where Config does not say.
const DefaultApps = 20

// The pages of what is long.
const (
	usageDays    = 29 // before today
	refusalsPage = 25
	awaitingMost = 200
)

// PlaygroundPath is where the playground takes answers of the front door, under the issuer.
const PlaygroundPath = "/developer/playground/callback"

var (
	// ErrForbidden: policy does not let this person have apps, or not do this with one.
	ErrForbidden = errors.New("developer: policy does not let this person do this")
	// ErrFull: the person has as many apps as they may.
	ErrFull = errors.New("developer: the person has as many apps as they may")
	// ErrHeld: the app was switched off by an operator or waits for an administrator, and its owner does not switch it on.
	ErrHeld = errors.New("developer: only an administrator switches this app on")
)

// Config is what developers go by. Zero values are usable.
type Config struct {
	Issuer string
	Policy Policy // "": off
	Apps   int    // that one person may have; 0: DefaultApps
}

// Store is what this room reads by itself. Apps are written by the registry of clients.
type Store interface {
	FindClient(ctx context.Context, id string) (storage.Client, time.Time, error)
	FindUser(ctx context.Context, id storage.ID) (storage.SignIn, error)
	Apps
	Records
}

// Apps are the lists of apps.
type Apps interface {
	ListOwnClients(ctx context.Context, owner storage.ID) ([]storage.Client, error)
	ListAwaiting(ctx context.Context, limit int) ([]storage.Client, error)
}

// Records are what was noted of an app.
type Records interface {
	ListUsage(ctx context.Context, clientID string, days int) ([]storage.ClientUsage, error)
	ListSecretUses(ctx context.Context, clientID string) ([]storage.SecretUse, error)
	ListRefusals(ctx context.Context, clientID, before string, limit int) ([]storage.RefusedRequest, error)
}

// Developers are people with apps of their own. It holds no state but its store's; it is safe for concurrent use.
//
// What its methods return besides what they name: ErrForbidden; storage.ErrNotFound for an app that is not there or not theirs to see;
// storage.ErrMoved where somebody else changed it in between; *oauth.Error for what the caller can mend; otherwise one of storage's
// sentinels, wrapped.
type Developers struct {
	store   Store
	clients *client.Registry
	config  Config
}

// New wires it. Zero fields of c take their defaults.
func New(store Store, clients *client.Registry, c Config) *Developers {
	if c.Policy == "" {
		c.Policy = PolicyOff
	}
	if c.Apps == 0 {
		c.Apps = DefaultApps
	}
	return &Developers{store: store, clients: clients, config: c}
}

// By is who acts, and from where.
type By struct {
	User storage.User
	Seen storage.Seen
}

// App is an app as the one who asked may see it.
type App struct {
	Client  storage.Client
	Owner   string // a name, for administrators; "" where it is their own or nobody's
	Mine    bool
	Now     time.Time // the store's clock when it was read
	Secrets []SecretView
}

// SecretView is a secret as its owner sees it once it was shown. CreatedAt names it.
type SecretView struct {
	CreatedAt time.Time
	ExpiresAt time.Time // zero: never
	UsedAt    time.Time // to within seconds; zero: not that is known
}

// Allows reports whether policy lets the person have apps.
func (d *Developers) Allows(u storage.User) bool { return d.config.Policy.allows(u) }

// Limit is how many apps one person may have.
func (d *Developers) Limit() int { return d.config.Apps }

// Mine are the person's own apps, newest first. Secrets are left out: Find has them.
func (d *Developers) Mine(ctx context.Context, by By) ([]App, error) {
	if !d.Allows(by.User) {
		return nil, ErrForbidden
	}
	owned, err := d.store.ListOwnClients(ctx, by.User.ID)
	if err != nil {
		return nil, err
	}
	apps := make([]App, 0, len(owned))
	for _, c := range owned {
		apps = append(apps, App{Client: bare(c), Mine: true})
	}
	return apps, nil
}

// Awaiting are the apps that wait for an administrator, oldest first; nothing for anybody else.
func (d *Developers) Awaiting(ctx context.Context, by By) ([]App, error) {
	if !d.Allows(by.User) {
		return nil, ErrForbidden
	}
	if !by.User.Admin {
		return nil, nil
	}
	waiting, err := d.store.ListAwaiting(ctx, awaitingMost)
	if err != nil {
		return nil, err
	}
	apps, names := make([]App, 0, len(waiting)), map[storage.ID]string{}
	for _, c := range waiting {
		a := App{Client: bare(c), Mine: owns(by.User, c)}
		if !a.Mine {
			if a.Owner, err = d.name(ctx, c.OwnerID, names); err != nil {
				return nil, err
			}
		}
		apps = append(apps, a)
	}
	return apps, nil
}

// Find reads one app.
func (d *Developers) Find(ctx context.Context, by By, clientID string) (App, error) {
	c, now, err := d.find(ctx, by, clientID, see)
	if err != nil {
		return App{}, err
	}
	return d.view(ctx, by, c, now)
}

// find reads a client that the person may do this with.
func (d *Developers) find(ctx context.Context, by By, id string, what act) (storage.Client, time.Time, error) {
	if !d.Allows(by.User) { // whatever there is
		return storage.Client{}, time.Time{}, ErrForbidden
	}
	c, now, err := d.clients.Lookup(ctx, id)
	if err != nil {
		return storage.Client{}, now, err
	}
	return c, now, d.config.Policy.may(by.User, c, what)
}

// view is c as the person may see it.
func (d *Developers) view(ctx context.Context, by By, c storage.Client, now time.Time) (App, error) {
	a := App{Mine: owns(by.User, c), Now: now}
	if !a.Mine {
		var err error
		if a.Owner, err = d.name(ctx, c.OwnerID, map[storage.ID]string{}); err != nil {
			return App{}, err
		}
	}
	if len(c.Secrets) > 0 {
		uses, err := d.store.ListSecretUses(ctx, c.ID)
		if err != nil {
			return App{}, err
		}
		a.Secrets = secretViews(c, uses, now)
	}
	a.Client = bare(c)
	return a, nil
}

// bare is c without what no page needs, so that none can show it.
func bare(c storage.Client) storage.Client {
	c.Secrets, c.Registration = nil, storage.Digest{}
	return c
}

// secretViews leaves out what has expired: it proves nothing any more.
func secretViews(c storage.Client, uses []storage.SecretUse, now time.Time) (views []SecretView) {
	for _, s := range c.Secrets {
		if !s.ExpiresAt.IsZero() && !now.Before(s.ExpiresAt) {
			continue
		}
		v := SecretView{CreatedAt: s.CreatedAt, ExpiresAt: s.ExpiresAt}
		for _, use := range uses {
			if use.CreatedAt.Equal(s.CreatedAt) {
				v.UsedAt = use.UsedAt
			}
		}
		views = append(views, v)
	}
	return views
}

// name is what an administrator knows the owner by, "" where there is none.
func (d *Developers) name(ctx context.Context, owner storage.ID, known map[storage.ID]string) (string, error) {
	if owner.IsZero() {
		return "", nil
	}
	if name, ok := known[owner]; ok {
		return name, nil
	}
	person, err := d.store.FindUser(ctx, owner)
	if errors.Is(err, storage.ErrNotFound) {
		err = nil
	}
	known[owner] = person.User.Username
	return person.User.Username, err
}

// invalid is a refusal of what a developer asks for.
func invalid(format string, args ...any) error {
	return oauth.Errorf(oauth.InvalidClientMetadata, format, args...)
}
