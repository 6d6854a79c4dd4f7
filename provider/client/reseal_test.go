package client_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/provider/oauth"
)

func TestSealedSecretsFollowTheSecretKey(t *testing.T) {
	t.Parallel()
	oldest, newest, ctx := keys.GenerateSecretKey(), keys.GenerateSecretKey(), t.Context()
	r, store, clock, first := openSealing(t, oldest)
	second, _, err := r.RotateSecret(ctx, "keyed", time.Hour, "cli")
	if err != nil {
		t.Fatal(err)
	}
	for i := range 201 { // more than are read at once
		if _, _, err := r.Create(ctx, confidential, fmt.Sprintf("a%03d", i), "cli"); err != nil {
			t.Fatal(err)
		}
	}
	node := func(secretKeys ...string) *client.Registry {
		return client.New(store, client.Config{Issuer: issuer, Clock: clock.Now, Sealer: sealerOf(t, secretKeys...)})
	}
	reads := func(r *client.Registry, step string, want bool) {
		t.Helper()
		for _, secret := range []string{first, second} {
			_, err := present(t, r, signWith(secret, "HS256", text(good(clock.Now(), step+secret))))
			if (err == nil) != want || err != nil && oauth.As(err).Code != oauth.TemporarilyUnavailable {
				t.Errorf("%s: %v", step, err)
			}
		}
	}
	counts := func(r *client.Registry, step string, want int) {
		t.Helper()
		if n, err := r.StillOlder(ctx); n != want || err != nil {
			t.Errorf("%s: %d are under an older secret key, %v, want %d", step, n, err, want)
		}
	}
	counts(r, "before", 0)
	stranger := node(newest)
	reads(stranger, "without the key", false) // the server's fault, and said as such
	if done, left, err := stranger.Reseal(ctx); done != 0 || left != 2 || err != nil {
		t.Errorf("without the key: %d, %d, %v", done, left, err)
	}
	both := node(newest, oldest)
	counts(both, "with both", 2)
	reads(both, "with both", true)
	if done, left, err := both.Reseal(ctx); done != 2 || left != 0 || err != nil {
		t.Errorf("with both: %d, %d, %v", done, left, err)
	}
	counts(both, "after", 0)
	reads(both, "after", true)
	reads(node(newest), "with the new one alone", true)
	if done, left, err := both.Reseal(ctx); done != 0 || left != 0 || err != nil {
		t.Errorf("again: %d, %d, %v", done, left, err)
	}
}
