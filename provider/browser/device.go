package browser

import (
	"crypto/rand"
	"encoding/json"
	"slices"
	"time"

	"github.com/signet-idp/signet/provider/handle"
	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/storage"
)

const (
	deviceLifetime = 400 * 24 * time.Hour // the most that browsers allow a cookie
	maxKnown       = 10                   // people who signed in at one device
)

// device is what the known-device cookie says, sealed: who has signed in at this browser, newest first. It opens nothing: it only
// says whose failures are counted apart.
type device struct {
	ID     string  `json:"id"`
	People []known `json:"people"`
}

type known struct {
	User storage.ID `json:"user"`
	At   int64      `json:"at"` // seconds
}

// readDevice opens the cookie; the zero device where it is none of ours.
func (b *Browsers) readDevice(cookie string) device {
	raw, err := b.mint.Open(handle.UseDevice, cookie)
	if err != nil {
		return device{}
	}
	var d device
	if json.Unmarshal(raw, &d) != nil {
		return device{}
	}
	oldest := b.clock().Add(-deviceLifetime).Unix()
	d.People = slices.DeleteFunc(d.People, func(k known) bool { return k.At < oldest })
	return d
}

// Caller is whom the visit's attempts are counted against.
func (v *Visit) Caller() throttle.Caller {
	return throttle.Caller{Address: v.Seen.Address, Device: v.device.throttled()}
}

func (d device) throttled() throttle.Device {
	out := throttle.Device{ID: d.ID}
	for _, k := range d.People {
		out.Accounts = append(out.Accounts, k.User.String())
	}
	return out
}

// knows reports whether the user has signed in at this browser.
func (d device) knows(user storage.ID) bool {
	return slices.ContainsFunc(d.People, func(k known) bool { return k.User == user })
}

// news is the letter that tells the user of a sign-in at a browser that does not know them; none where there is no address.
func (v *Visit) news(u storage.User) []storage.Letter {
	if u.Email == "" || v.device.knows(u.ID) {
		return nil
	}
	return []storage.Letter{{Kind: "new_device", UserID: u.ID, Data: map[string]string{"address": v.Seen.Address, "agent": v.Seen.Agent}}}
}

// know notes that the user has signed in at this browser.
func (b *Browsers) know(v *Visit, user storage.ID) {
	d := &v.device
	if d.ID == "" {
		d.ID = rand.Text()
	}
	d.People = slices.DeleteFunc(d.People, func(k known) bool { return k.User == user })
	d.People = append([]known{{user, b.clock().Unix()}}, d.People...)
	d.People = d.People[:min(len(d.People), maxKnown)]
	raw, err := json.Marshal(d)
	if err != nil {
		return // without the cookie the account's failures count against its owner too
	}
	if text, err := b.mint.Seal(handle.UseDevice, raw); err == nil {
		v.set(b, cookieDevice, text, deviceLifetime)
	}
}
