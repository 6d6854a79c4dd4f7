package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// checkKeys looks for the keys that a server signs with. It makes none: on a database without any the first start does.
func (d *doctor) checkKeys(ctx context.Context, store storage.Store) {
	rows, _, err := store.ListKeys(ctx)
	if err != nil {
		d.fail("keys", oneLine(err), "the keys could not be read", "run this again")
		return
	}
	if len(rows) == 0 {
		d.warn("keys", "there are none yet", "nothing can be signed before there are", "start the server once: signet serve")
		return
	}
	if !slices.ContainsFunc(rows, func(k storage.Key) bool { return k.Use == storage.KeyPairwise }) {
		d.warn("keys", "there is none for pairwise subjects yet", "it is made at the first start of this version", "start the server once: signet serve")
		return
	}
	o, err := wire(ctx, d.settings, store, d.settings.provider(d.app.logger(d.settings)))
	if err != nil {
		mend := "give the secret key that the keys were sealed with, first or further back in SIGNET_SECRET_KEY"
		if errors.Is(err, fs.ErrNotExist) {
			mend = "restore the file"
		}
		d.fail("keys", oneLine(err), "no token can be signed or read", mend)
		return
	}
	active := map[string]bool{}
	for _, k := range rows {
		if k.State == storage.KeyActive {
			active[string(k.Use)+k.Algorithm] = true
		}
	}
	var missing []string
	for _, alg := range []string{keys.RS256, keys.PS256, keys.ES256, keys.ES384, keys.EdDSA} {
		if !active[string(storage.KeySigning)+alg] {
			missing = append(missing, alg)
		}
	}
	if len(missing) > 0 {
		d.fail("keys", "there is no active signing key for "+strings.Join(missing, ", "), "clients registered for it get no tokens",
			"start the server, which makes it within a minute")
		return
	}
	if older, err := o.StillOlder(ctx); err != nil {
		d.fail("keys", oneLine(err), "what is sealed could not be counted", "run this again")
		return
	} else if older > 0 {
		d.warn("keys", fmt.Sprintf("%d values are still sealed under an older secret key", older), "without it they cannot be read any more",
			"keep it in SIGNET_SECRET_KEY behind the new one until a server has sealed them anew, which takes minutes")
		return
	}
	d.ok("keys", "the secret key opens all, and every algorithm has an active signing key")
}

// clientPage is how many clients are read at once.
const clientPage = 500

// checkClients looks at every registration for what weakens it.
func (d *doctor) checkClients(ctx context.Context, store storage.Store) {
	before, n := len(d.findings), 0
	for after := ""; ; {
		page, err := store.ListClients(ctx, after, clientPage)
		if err != nil {
			d.fail("clients", oneLine(err), "the clients could not be read", "run this again")
			return
		}
		for _, c := range page {
			d.checkClient(c)
		}
		n += len(page)
		if len(page) < clientPage {
			break
		}
		after = page[len(page)-1].ID
	}
	if len(d.findings) == before {
		d.ok("clients", "%d registered, and nothing weak about them", n)
	}
}

func (d *doctor) checkClient(c storage.Client) {
	name := "client " + c.ID
	if strings.HasPrefix(c.Metadata.Name, "Demo (") && strings.HasPrefix(c.ID, "demo-") {
		d.warn("clients", name+" was made by signet dev", "everybody knows its client_id, and nobody needs it here", "signet client delete "+c.ID)
	}
	if !c.DisabledAt.IsZero() {
		return // whatever is weak about it is of use to nobody
	}
	if slices.Contains(c.Metadata.GrantTypes, oauth.GrantPassword) {
		d.warn("clients", name+" is registered for the password grant", "it sees its users' passwords; RFC 9700 section 2.4 forbids that for new applications",
			"move it to another grant, and take the entry out: signet client update "+c.ID+" --grant-type …")
	}
	d.checkRedirects(name, c)
	d.checkSecrets(name, c)
}

func (d *doctor) checkRedirects(name string, c storage.Client) {
	for _, text := range c.Metadata.RedirectURIs {
		u, err := url.Parse(text)
		switch {
		case err != nil:
			d.fail("clients", name+" has a redirect URI that is no URI", "no sign-in can end there", "signet client update "+c.ID+" --redirect-uri …")
		case u.Scheme == "http" && strings.EqualFold(u.Hostname(), "localhost"):
			d.warn("clients", name+" redirects to "+text, "the name localhost may resolve to another machine (RFC 8252 section 8.3)",
				"register http://127.0.0.1 and http://[::1] instead")
		case u.Scheme != "https" && u.Scheme != "http":
			d.warn("clients", name+" redirects to "+text, "another app on the device can claim a private-use scheme (RFC 8252 section 8.1)",
				"use an https address that the app claims; keep PKCE on until then")
		}
	}
}

// checkSecrets looks at the newest secret: older ones are meant to end.
func (d *doctor) checkSecrets(name string, c storage.Client) {
	if len(c.Secrets) == 0 || c.Secrets[0].ExpiresAt.IsZero() {
		return
	}
	ends := c.Secrets[0].ExpiresAt
	mend := "signet client rotate-secret " + c.ID
	if left := time.Until(ends); left <= 0 {
		d.fail("clients", fmt.Sprintf("the secret of %s expired on %s", name, ends.Format(time.RFC3339)), "the client cannot authenticate", mend)
	} else if left < soon {
		d.warn("clients", fmt.Sprintf("the secret of %s expires on %s", name, ends.Format(time.RFC3339)), "the client cannot authenticate from then on", mend)
	}
}
