// Package postgres keeps Signet's records in PostgreSQL 14 or newer. It is the twin of storage/sqlite: the same files in the
// same order, to be read side by side. It knows no rule; the promises it keeps are written in package storage.
//
// Three things make it what it is. Reads and rotations of concurrent callers gather into one statement (gather.go). A verb of
// several statements is one batch and one commit: two round trips, however much it does (work.go). And a caller who stops
// waiting does not stop the work: it runs to its end on a context of its own.
package postgres

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/signet-idp/signet/storage"
)

// The limits of a session and of the pool. The server gives up before we do, so that an outcome is known.
const (
	statementTimeout = "2s"
	lockTimeout      = "500ms"
	idleTxTimeout    = "5s"
	connectTimeout   = 5 * time.Second
	acquireTimeout   = time.Second      // how long a call waits for a connection
	workTimeout      = 10 * time.Second // how long a call that has one may run, its caller being there or not
	maxConnLifetime  = 5 * time.Minute  // so that a failover or a new password is noticed
	lifetimeJitter   = 30 * time.Second // so that not all connections end at once
)

// Batches of gathered calls that are under way at once; more than these gain nothing (see the benchmarks) and take
// connections from everything else.
const (
	readBatches  = 4
	writeBatches = 2
	batchSize    = 128
)

// Options say how to open a store.
type Options struct {
	// URL is postgres://user:password@host:port/database?…, with several hosts if wanted; pgx's pool_* parameters are honoured.
	// With several hosts and no target_session_attrs only the one that takes writes is used.
	URL string
	// Clock is the store's clock; nil: the server's clock_timestamp(). Only tests need another.
	Clock func() time.Time
	// MaxConns is the most connections that are opened; 0: pool_max_conns of the URL, or else ten, or four per CPU.
	MaxConns int
	// Tracer hears of every statement and connection; nil: nobody does. What several callers gathered belongs to none of them.
	Tracer pgx.QueryTracer
}

// Store is a storage.Store on PostgreSQL. Several processes may use one database at once.
type Store struct {
	pool       *pgxpool.Pool
	clock      func() time.Time
	grants     *gather[storage.ID, storage.Standing]
	clients    *gather[string, clientRead]
	rotations  *gather[storage.Step, struct{}]
	stragglers chan struct{} // bounds the rotations that wait for a lock, so that they leave connections to the others
	patience   time.Duration // how long a call waits for a connection

	mu     sync.Mutex
	closed bool
	work   sync.WaitGroup // calls under way
}

var _ storage.Store = (*Store)(nil)

// Open connects to the database and checks its schema; it never changes it, which is Migrate's task. Errors: ErrUnavailable,
// ErrSchema, or the URL's fault.
func Open(ctx context.Context, options Options) (*Store, error) {
	return openFor(ctx, options, acquireTimeout)
}

func openFor(ctx context.Context, options Options, patience time.Duration) (*Store, error) {
	config, err := poolConfig(options)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(context.WithoutCancel(ctx), config)
	if err != nil {
		return nil, fmt.Errorf("%w: postgres: %w", storage.ErrUnavailable, err)
	}
	s := &Store{pool: pool, clock: options.Clock, stragglers: make(chan struct{}, max(1, config.MaxConns/4)), patience: patience}
	s.grants = newGather(s, readBatches, nil, s.findGrants)
	s.clients = newGather(s, readBatches, nil, s.findClients)
	s.rotations = newGather(s, writeBatches, func(step storage.Step) any { return step.ID }, s.rotateGrants)
	if err := s.check(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return s, nil
}

// check refuses a schema that does not fit and a session that would answer before its commit is on disk.
func (s *Store) check(ctx context.Context) error {
	if _, err := s.Ping(ctx); err != nil {
		return err
	}
	commit, err := read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) (commit string, err error) {
		err = c.QueryRow(ctx, "SHOW synchronous_commit").Scan(&commit)
		return commit, err
	})
	if err == nil && commit != "on" {
		err = fmt.Errorf("%w: postgres: synchronous_commit is %q, so commits could be lost after they were answered: "+
			"let the connection pooler in between pass on the start-up parameter synchronous_commit=on, or set it for the role",
			storage.ErrUnavailable, commit)
	}
	return err
}

// CheckURL says what is wrong with a database URL, or nil. The error shows no password.
func CheckURL(url string) error {
	_, err := pgxpool.ParseConfig(url)
	return err
}

func poolConfig(options Options) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(options.URL)
	if err != nil {
		return nil, fmt.Errorf("postgres: the database URL cannot be used; it reads postgres://USER:PASSWORD@HOST:PORT/DATABASE: %w", err)
	}
	switch {
	case options.MaxConns > 0:
		config.MaxConns = int32(options.MaxConns)
	case !strings.Contains(options.URL, "pool_max_conns="):
		config.MaxConns = int32(max(10, 4*runtime.NumCPU()))
	}
	config.MaxConnLifetime = min(config.MaxConnLifetime, maxConnLifetime) - lifetimeJitter
	if config.MaxConnLifetime <= 0 {
		config.MaxConnLifetime = lifetimeJitter
	}
	config.MaxConnLifetimeJitter = lifetimeJitter
	config.PingTimeout = acquireTimeout
	config.ConnConfig.Tracer = options.Tracer
	if config.ConnConfig.ConnectTimeout == 0 || config.ConnConfig.ConnectTimeout > connectTimeout {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	preferWriter(&config.ConnConfig.Config, options.URL)
	for name, value := range map[string]string{
		"application_name":                    "signet",
		"timezone":                            "UTC",
		"synchronous_commit":                  "on",
		"statement_timeout":                   statementTimeout,
		"lock_timeout":                        lockTimeout,
		"idle_in_transaction_session_timeout": idleTxTimeout,
	} {
		config.ConnConfig.RuntimeParams[name] = value
	}
	return config, nil
}

// preferWriter makes read-write the default of target_session_attrs where there is more than one host to choose from.
func preferWriter(config *pgconn.Config, url string) {
	if strings.Contains(url, "target_session_attrs=") || os.Getenv("PGTARGETSESSIONATTRS") != "" {
		return
	}
	for _, other := range config.Fallbacks { // a fallback may be the same host without TLS
		if other.Host != config.Host || other.Port != config.Port {
			config.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
			return
		}
	}
}

// Ping implements storage.Lifeline.
func (s *Store) Ping(ctx context.Context) (time.Time, error) {
	want, err := newest()
	if err != nil {
		return time.Time{}, err
	}
	return read(ctx, s, func(ctx context.Context, c *pgxpool.Conn) (now time.Time, err error) {
		var have int64
		err = c.QueryRow(ctx, `SELECT `+clockNow+`, coalesce(max(version_id), 0) FROM goose_db_version WHERE is_applied`,
			s.now()).Scan(when{&now}, &have)
		if missingTable(err) {
			have, err = 0, nil
		}
		if err == nil {
			err = fits(have, want)
		}
		return now, err
	})
}

// Close implements storage.Lifeline.
func (s *Store) Close() error {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.work.Wait()
	s.pool.Close()
	return nil
}

// begin counts a call as under way; end must follow. ErrUnavailable: the store is closed.
func (s *Store) begin() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	s.work.Add(1)
	return nil
}

func (s *Store) end() { s.work.Done() }

var errClosed = fmt.Errorf("%w: postgres: %w", storage.ErrUnavailable, errors.New("the store was closed"))

// clockNow is the store's clock in SQL; s.now() is its argument $1.
const clockNow = "coalesce($1::timestamptz, clock_timestamp())"

// now is the argument of clockNow: a test's instant, or NULL for the server's own clock.
func (s *Store) now() pgtype.Timestamptz {
	if s.clock == nil {
		return pgtype.Timestamptz{}
	}
	return stamp(s.clock())
}
