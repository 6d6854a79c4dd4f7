//go:build !failpoints

package main

import "github.com/signet-idp/signet/storage"

// failing is the store as it is. Only a program built with -tags failpoints, which tests do, has another.
func failing(s storage.Store) storage.Store { return s }
