package main

import (
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/storage"
)

// clientRecord is a client as commands tell it: its registration, and what Signet keeps of it. Times are seconds since the epoch; 0
// means never.
type clientRecord struct {
	client.Information
	DisabledFor string `json:"disabled_for,omitempty"` // operator, owner or approval
	Origin      string `json:"origin"`                 // operator, person, software or document
	Owner       string `json:"owner,omitempty"`        // the ID of the person whose it is
	Used        int64  `json:"used_at"`                // when a token was first obtained with it
	UsedBy      string `json:"used_by,omitempty"`      // the ID of the person who did that
}

func clientRecordOf(c storage.Client) clientRecord {
	return clientRecord{
		Information: client.Registration(c, ""), DisabledFor: string(c.DisabledFor), Origin: string(c.Origin),
		Owner: c.OwnerID.String(), Used: seconds(c.UsedAt), UsedBy: c.UsedBy.String(),
	}
}

// standing is the client's state in one word.
func (r clientRecord) standing() string {
	if r.DisabledFor == string(storage.DisabledUnapproved) {
		return "awaits approval"
	}
	return state(r.Disabled)
}
