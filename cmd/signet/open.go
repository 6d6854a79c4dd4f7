package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"strings"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/storage"
	"github.com/signet-idp/signet/storage/postgres"
	"github.com/signet-idp/signet/storage/sqlite"
)

// opened is a provider over the database of the settings.
type opened struct {
	*provider.Provider
	settings settings
	store    storage.Store
}

// Close lets go of the database.
func (o *opened) Close() error { return o.store.Close() }

// openWith opens the store, finds the secret key and wires the provider.
func (a *app) openWith(ctx context.Context, s settings, logger *slog.Logger, observer provider.Observer) (*opened, error) {
	store, err := openEngine(ctx, s, false, a.traces)
	if err != nil {
		return nil, err
	}
	config := s.provider(logger)
	config.Observer = observer
	if a.mailbox != nil {
		config.MailTransport, config.MailFrom = a.mailbox, cmp.Or(s.MailFrom, devSender)
	}
	o, err := wire(ctx, s, failing(store), config)
	if err != nil {
		_ = store.Close()
		return nil, err
	}
	return o, nil
}

// openAsItIs opens the database of the settings and changes nothing about it.
func openAsItIs(ctx context.Context, s settings) (storage.Store, error) {
	return openEngine(ctx, s, true, nil)
}

// openEngine is the one place that opens an engine. It makes or upgrades a SQLite file, unless that is to be left as it is.
func openEngine(ctx context.Context, s settings, asItIs bool, traces *tracing) (storage.Store, error) {
	engine, where, err := s.database()
	if err != nil {
		return nil, fail(exitConfig, "%w", err)
	}
	if engine == engineSQLite {
		return sqlite.Open(ctx, sqlite.Options{Path: where, NoMigrate: asItIs})
	}
	options := postgres.Options{URL: where}
	if traces != nil {
		options.Tracer = traces.statements()
	}
	return postgres.Open(ctx, options)
}

func wire(ctx context.Context, s settings, store storage.Store, config provider.Config) (*opened, error) {
	text, err := secretKey(ctx, s, store)
	if err != nil {
		return nil, err
	}
	sealer, err := keys.ParseSecretKeys(text)
	if err != nil {
		return nil, fail(exitConfig, "SIGNET_SECRET_KEY %w", err)
	}
	p, err := provider.New(ctx, config, store, sealer)
	if err != nil {
		return nil, err
	}
	return &opened{Provider: p, settings: s, store: store}, nil
}

// secretKey finds the secret key: the setting, or with SQLite the file beside the database. It makes that file for an empty
// database alone: new keys over sealed ones would lose what is sealed.
func secretKey(ctx context.Context, s settings, store storage.Keys) (string, error) {
	if s.SecretKey != "" {
		return s.SecretKey, nil
	}
	engine, path, err := s.database()
	if err != nil {
		return "", fail(exitConfig, "%w", err)
	}
	if engine != engineSQLite {
		return "", fail(exitConfig, "SIGNET_SECRET_KEY is required with PostgreSQL: base64 of 32 random bytes, such as `openssl rand -base64 32` makes; every node needs the same")
	}
	file := path + ".key"
	text, err := readKeyFile(file)
	if err == nil || !errors.Is(err, fs.ErrNotExist) {
		return text, err
	}
	sealed, _, err := store.ListKeys(ctx)
	if err != nil {
		return "", err
	}
	if len(sealed) > 0 {
		return "", fail(exitConfig, "the secret key file %s is missing, and the keys in %s are sealed with it: restore the file, or set SIGNET_SECRET_KEY", file, path)
	}
	return makeKeyFile(file)
}

// readKeyFile reads a secret key that nobody else may read.
func readKeyFile(file string) (string, error) {
	info, err := os.Stat(file)
	if err != nil {
		return "", err
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return "", fail(exitConfig, "the secret key file %s can be read by others (mode %04o): chmod 600 it", file, mode)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fail(exitConfig, "the secret key file %s cannot be read: %w", file, err)
	}
	return strings.TrimSpace(string(text)), nil
}

// makeKeyFile makes the file, whole or not at all: of two processes that start at once, one makes it and both read it.
func makeKeyFile(file string) (string, error) {
	temp, err := os.CreateTemp(dirOf(file), ".signet-key-*")
	if err != nil {
		return "", fail(exitConfig, "the secret key file %s cannot be made: %w", file, err)
	}
	defer os.Remove(temp.Name())
	_, err = fmt.Fprintln(temp, keys.GenerateSecretKey())
	if err = errors.Join(err, temp.Sync(), temp.Close()); err == nil {
		err = os.Link(temp.Name(), file)
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return "", fail(exitConfig, "the secret key file %s cannot be made: %w", file, err)
	}
	return readKeyFile(file)
}
