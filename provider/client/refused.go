package client

import "github.com/signet-idp/signet/storage"

// Refused is an error with what the operator of its client is told about it later (signet explain). It reads and answers as the error
// itself.
type Refused struct {
	About storage.RefusedRequest // all but ID and At
	Err   error
}

// Error implements error.
func (r *Refused) Error() string { return r.Err.Error() }

// Unwrap returns the error itself.
func (r *Refused) Unwrap() error { return r.Err }
