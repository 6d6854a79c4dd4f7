package postgres

import (
	"context"
	"time"
)

// OpenPatient is Open of a store whose calls wait for a connection as long as a slow machine needs.
func OpenPatient(ctx context.Context, options Options) (*Store, error) {
	return openFor(ctx, options, time.Minute)
}
