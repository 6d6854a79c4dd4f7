//go:build failpoints

package main

import (
	"context"
	"os"
	"strings"

	"github.com/signet-idp/signet/storage"
)

// failpoint is a store in which this process dies, as by kill -9: before a verb writes, or after it did and before anybody is
// told. SIGNET_TEST_FAILPOINT names it: before:RotateGrant, after:RotateGrant.
type failpoint struct {
	storage.Store
	when, verb string
}

func failing(s storage.Store) storage.Store {
	when, verb, named := strings.Cut(os.Getenv("SIGNET_TEST_FAILPOINT"), ":")
	if !named {
		return s
	}
	return &failpoint{Store: s, when: when, verb: verb}
}

// at ends the process where it was told to, which no deferred call survives.
func (f *failpoint) at(when, verb string) {
	if f.when != when || f.verb != verb {
		return
	}
	self, err := os.FindProcess(os.Getpid())
	if err == nil {
		err = self.Kill()
	}
	if err != nil {
		panic(err)
	}
	select {}
}

// around runs call between the two failpoints of verb. An error is passed on: nothing was written then.
func (f *failpoint) around(verb string, call func() error) error {
	f.at("before", verb)
	err := call()
	if err == nil {
		f.at("after", verb)
	}
	return err
}

func (f *failpoint) CreateGrant(ctx context.Context, g storage.Grant, spend storage.Spend, also storage.Also) error {
	return f.around("CreateGrant", func() error { return f.Store.CreateGrant(ctx, g, spend, also) })
}

func (f *failpoint) RedeemGrant(ctx context.Context, r storage.Redemption) error {
	return f.around("RedeemGrant", func() error { return f.Store.RedeemGrant(ctx, r) })
}

func (f *failpoint) RotateGrant(ctx context.Context, step storage.Step) error {
	return f.around("RotateGrant", func() error { return f.Store.RotateGrant(ctx, step) })
}

func (f *failpoint) RevokeGrant(ctx context.Context, r storage.Revocation) (first bool, err error) {
	err = f.around("RevokeGrant", func() (err error) {
		first, err = f.Store.RevokeGrant(ctx, r)
		return err
	})
	return first, err
}

func (f *failpoint) DenyToken(ctx context.Context, d storage.Denial) error {
	return f.around("DenyToken", func() error { return f.Store.DenyToken(ctx, d) })
}

func (f *failpoint) SetPassword(ctx context.Context, userID storage.ID, revision int64, hash string, also storage.Also) error {
	return f.around("SetPassword", func() error { return f.Store.SetPassword(ctx, userID, revision, hash, also) })
}

func (f *failpoint) UpdateClient(ctx context.Context, c storage.Client, also storage.Also) error {
	return f.around("UpdateClient", func() error { return f.Store.UpdateClient(ctx, c, also) })
}
