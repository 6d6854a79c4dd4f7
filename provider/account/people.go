package account

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/storage"
)

// Store is the part of the store that this room uses.
type Store interface {
	storage.Users
	storage.Passwords
	storage.Factors
	storage.OwnFactors
	storage.Passkeys
	storage.Tickets
	storage.Redemptions
	RecordEvents(ctx context.Context, events []storage.Event) error // as storage.Audit's
}

// Sealer seals the seeds of one-time codes under the secret key. row names the row they stand in, so that a sealed seed
// opens nowhere else.
type Sealer interface {
	Seal(plain []byte, row string) ([]byte, error)
	Open(sealed []byte, row string) ([]byte, error)
}

// SecondFactor says who must have a second factor.
type SecondFactor string

// The values of SIGNET_SECOND_FACTOR.
const (
	SecondFactorOptional SecondFactor = "optional"
	SecondFactorAdmins   SecondFactor = "admins"
	SecondFactorAll      SecondFactor = "all"
)

// Config is what an operator may choose. Its zero value is usable.
type Config struct {
	Issuer         string           // what links begin with, and shown in authenticator apps: of an issuer URL the host
	Mint           *handle.Mint     // of links; needed by what makes and opens them
	Hash           Params           // zero: DefaultParams
	MinPassword    int              // code points; zero: DefaultMinPassword. NIST SP 800-63B-4 advises 15 where a password is all that is asked
	MinScore       int              // of zxcvbn, 1 to 4, for what people choose themselves; zero: DefaultMinScore; AnyScore: none is asked
	SignUp         SignUp           // "": SignUpOff
	FactorRecovery time.Duration    // how long those who lost every second factor wait to be rid of them; 0: they cannot
	Clock          func() time.Time // for one-time codes and links; nil: time.Now
}

// Validate reports every problem at once, each naming its field.
func (c Config) Validate() error {
	var problems []error
	if c.MinPassword != 0 && (c.MinPassword < DefaultMinPassword || c.MinPassword > MaxPassword/4) {
		problems = append(problems, invalid("MinPassword", "it must be between %d and %d", DefaultMinPassword, MaxPassword/4))
	}
	if c.MinScore < AnyScore || c.MinScore > maxScore {
		problems = append(problems, invalid("MinScore", "it must be between 1 and %d, or AnyScore", maxScore))
	}
	if !c.Hash.orDefault().sane() {
		problems = append(problems, invalid("Hash", "it is not a possible cost of argon2id: m at least 8 times p, "+
			"m at most %d, t at most %d, p at most %d", maxMemory, maxTime, maxThreads))
	}
	if s := c.SignUp; s != "" && s != SignUpOff && s != SignUpOn && s != SignUpInvite {
		problems = append(problems, invalid("SignUp", "it must be off, on or invite"))
	}
	if d := c.FactorRecovery; d != 0 && (d < minRecovery || d > maxRecovery) {
		problems = append(problems, invalid("FactorRecovery", "it must be 0, which turns it off, or between 1h and 30d"))
	}
	return errors.Join(problems...)
}

// The bounds of Config.FactorRecovery: who is warned must have the time to stop it.
const (
	minRecovery = time.Hour
	maxRecovery = 30 * 24 * time.Hour
)

// By says who acts, for the audit log.
type By struct {
	Actor  string // as storage.Event.Actor
	Seen   storage.Seen
	Locale string // of the page, for letters to people who have no account yet to say it; "": unknown
}

// queueKey is whose turn it is in the Hasher's queue: that of a sign-in from there.
func (b By) queueKey() string {
	if b.Seen.Address == "" {
		return b.Actor
	}
	return queueKey(throttle.Caller{Address: b.Seen.Address})
}

// People is the room's service.
type People struct {
	store  Store
	sealer Sealer
	hasher *Hasher
	rules  passwordRules
	hash   Params
	issuer string
	clock  func() time.Time

	mint           *handle.Mint
	signUp         SignUp
	factorRecovery time.Duration
}

// New makes the service. c has passed Validate.
func New(store Store, sealer Sealer, hasher *Hasher, c Config) *People {
	p := &People{
		store: store, sealer: sealer, hasher: hasher, hash: c.Hash.orDefault(), issuer: c.Issuer, clock: c.Clock,
		rules: newPasswordRules(cmp.Or(c.MinPassword, DefaultMinPassword), cmp.Or(c.MinScore, DefaultMinScore)),
		mint:  c.Mint, signUp: cmp.Or(c.SignUp, SignUpOff), factorRecovery: c.FactorRecovery,
	}
	if p.clock == nil {
		p.clock = time.Now
	}
	return p
}

// Find reads a user by subject, username or e-mail address, in any spelling. ErrNotFound; else the store's errors.
func (p *People) Find(ctx context.Context, ref string) (storage.SignIn, error) {
	login := CanonicalLogin(ref)
	var found storage.SignIn
	var err error
	if id, malformed := storage.ParseID(login); malformed == nil {
		found, err = p.store.FindUser(ctx, id)
	} else {
		found, err = p.store.FindLogin(ctx, login)
	}
	return found, translate(err)
}

// Candidate is who a sign-in claims to be, known or not, before anything is proven.
type Candidate struct {
	login  string
	signIn storage.SignIn
	known  bool
}

// Account is the throttle's name of the account: one for all spellings and identifiers of a user, and for somebody unknown
// the canonical form of what was typed.
func (c Candidate) Account() string {
	if c.known {
		return c.signIn.User.ID.String()
	}
	return c.login
}

// UserID is the subject of a known candidate, for the audit log alone; the zero ID where nobody bears the name.
func (c Candidate) UserID() storage.ID { return c.signIn.User.ID }

// Lookup reads who login names. That nobody bears the name is no error and is not to be seen from outside; errors are the
// store's alone.
func (p *People) Lookup(ctx context.Context, login string) (Candidate, error) {
	found, err := p.Find(ctx, login)
	switch {
	case errors.Is(err, ErrNotFound):
		return Candidate{login: CanonicalLogin(login)}, nil
	case err != nil:
		return Candidate{}, err
	}
	return Candidate{login: CanonicalLogin(login), signIn: found, known: true}, nil
}

// Waiting is how many sign-ins wait for their turn now, for metrics.
func (p *People) Waiting() int { return p.hasher.Waiting() }

// Turn is leave to compute one password hash now. Whoever has one must Leave.
type Turn struct{ hasher *Hasher }

// Leave gives the place to the next in the queue.
func (t Turn) Leave() { t.hasher.leave() }

// Queue waits for a turn to prove a password. key is whose turn it is: the caller's address, or the client that forwards its
// users' passwords. Errors are *oauth.Error temporarily_unavailable: too many are waiting, or ctx ended.
//
// The throttle is asked with the turn in hand, so that of one account's sign-ins no more are under way than hashes are computed:
// many at once, all with the right password, wait for each other instead of emptying the account's bucket.
func (p *People) Queue(ctx context.Context, key string) (Turn, error) {
	if err := p.hasher.enter(ctx, key); err != nil {
		return Turn{}, err
	}
	return Turn{p.hasher}, nil
}

// Prove checks the password of c and returns the user as Lookup read it; what the sign-in buys is to be written on that
// revision (storage.Spend). ErrWrong for unknown and disabled users, those without a password and wrong passwords, at one
// and the same cost.
//
// A hash cheaper than the one configured is replaced at success; where that fails, the next sign-in tries again.
func (p *People) Prove(ctx context.Context, turn Turn, c Candidate, password storage.Secret) (storage.SignIn, error) {
	prepared, possible := preparePassword(password)
	right := turn.hasher.verify(prepared, c.signIn.PasswordHash, p.hash)
	if !right || !possible || !c.known || !c.signIn.User.DisabledAt.IsZero() {
		return storage.SignIn{}, ErrWrong
	}
	if NeedsRaise(c.signIn.PasswordHash, p.hash) {
		raised := turn.hasher.hash(prepared, p.hash)
		_ = p.store.RaiseHash(ctx, c.signIn.User.ID, c.signIn.PasswordHash, raised)
	}
	return c.signIn, nil
}

func (p *People) newHash(ctx context.Context, prepared []byte, queueKey string) (phc string, err error) {
	err = p.hasher.do(ctx, queueKey, func() { phc = p.hasher.hash(prepared, p.hash) })
	return phc, err
}

// ruling is passwordRules.check for a password that an operator sets, passwordRules.checkChosen for one's own.
type ruling func(storage.Secret, storage.User) (prepared []byte, err error)

// hashNew asks the rules about a new password and hashes it. The zero Secret is no password: "".
func (p *People) hashNew(ctx context.Context, rules ruling, password storage.Secret, u storage.User, by By) (string, error) {
	if password.IsZero() {
		return "", nil
	}
	prepared, err := rules(password, u)
	if err != nil {
		return "", err
	}
	phc, err := p.newHash(ctx, prepared, by.queueKey())
	if err != nil {
		return "", fmt.Errorf("account: hash the password: %w", err)
	}
	return phc, nil
}
