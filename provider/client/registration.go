package client

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/signet-idp/signet/storage"
)

// Information is the client information response of RFC 7591 §3.2.1. Times are seconds since the epoch.
type Information struct {
	ClientID         string `json:"client_id"`
	ClientSecret     string `json:"client_secret,omitempty"` // only when it was just made
	ClientIDIssuedAt int64  `json:"client_id_issued_at"`
	// ClientSecretExpiresAt is there when ClientSecret is; 0: never.
	ClientSecretExpiresAt *int64 `json:"client_secret_expires_at,omitempty"`
	Disabled              bool   `json:"disabled,omitempty"`
	storage.ClientMetadata
}

// Registration is c as its owner sees it. secret is the one that was just made, else "".
func Registration(c storage.Client, secret string) Information {
	info := Information{
		ClientID: c.ID, ClientSecret: secret, ClientIDIssuedAt: c.CreatedAt.Unix(),
		Disabled: !c.DisabledAt.IsZero(), ClientMetadata: c.Metadata,
	}
	if secret != "" {
		var expires int64
		if len(c.Secrets) > 0 && !c.Secrets[0].ExpiresAt.IsZero() {
			expires = c.Secrets[0].ExpiresAt.Unix()
		}
		info.ClientSecretExpiresAt = &expires
	}
	return info
}

// changed names the members in which two registrations differ, for the audit log: names alone, no values.
func changed(before, after storage.ClientMetadata) string {
	was, is := members(before), members(after)
	var names []string
	for name, value := range is {
		if !bytes.Equal(was[name], value) {
			names = append(names, name)
		}
	}
	for name := range was {
		if _, kept := is[name]; !kept {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func members(m storage.ClientMetadata) (out map[string]json.RawMessage) {
	encoded, err := json.Marshal(m)
	if err != nil { // strings, numbers and booleans: there is nothing that could not be encoded
		return nil
	}
	_ = json.Unmarshal(encoded, &out)
	return out
}
