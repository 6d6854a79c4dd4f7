package client

import "github.com/signet-idp/signet/storage"

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
