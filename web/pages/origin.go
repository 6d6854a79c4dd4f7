package pages

import (
	"net/url"
	"slices"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// originView is what is known of where an app comes from, for the person who decides about it. Its name, which is its own claim, says
// nothing of that.
type originView struct {
	Of         string // the host that publishes its description; "": it has none
	Registered string // the day on which it registered itself; "": it did not
	Unverified bool   // not an app of the house
}

func originOf(c storage.Client, at func(time.Time) moment) originView {
	o := originView{Unverified: !c.Metadata.FirstParty || c.ByMachine()}
	switch c.Origin {
	case storage.OriginDocument:
		o.Of = client.DocumentHost(c.ID)
	case storage.OriginSoftware:
		o.Registered = at(c.CreatedAt).day()
	}
	return o
}

// day is the date of the moment alone.
func (m moment) day() string {
	if len(m.Text) < len(time.DateOnly) {
		return m.Text
	}
	return m.Text[:len(time.DateOnly)]
}

// onDevice reports whether what an app is given goes to a program on the person's own device (RFC 8252 §7.3).
func onDevice(t oauth.Target) bool {
	u, err := url.Parse(t.Origin())
	return err == nil && u.Scheme == "http" && slices.Contains([]string{"127.0.0.1", "::1", "localhost"}, u.Hostname())
}

// logoOf is the address of an app's logo; "" for none, and for an app that nobody known here made: a page on which people sign in asks
// no stranger for a picture, which could as well be another's.
func logoOf(c storage.Client) string {
	if c.ByMachine() {
		return ""
	}
	return c.Metadata.LogoURI
}
