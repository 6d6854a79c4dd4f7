package client

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"strings"

	"github.com/signet-idp/signet/storage"
)

// Newcomer is a client that comes by itself or by its developer.
type Newcomer struct {
	ID       string // "": drawn; a client id document's URL
	Origin   storage.ClientOrigin
	OwnerID  storage.ID
	Held     bool // it waits for an administrator: disabled, DisabledUnapproved
	Managed  bool // it gets a registration access token
	Metadata storage.ClientMetadata
	Spends   storage.Registration // Unused 0: for what machines make, Config.UnusedClients
	Actor    string
	Seen     storage.Seen
}

// Admission is a newcomer that came in.
type Admission struct {
	Client      storage.Client
	Secret      string // "" where it has none (HoldsSecret); returned this once
	AccessToken string // registration access token (RFC 7592 §3), returned this once; "" unless Managed
}

// Register validates the newcomer and stores it, with a secret where it shall have one, and with what that spends, in one commit. What
// machines make is never first-party. storage.ErrTaken: the ID exists. storage.ErrSpent: what Spends says is used up. Otherwise
// *oauth.Error (Validate) or one of storage's sentinels, wrapped.
func (r *Registry) Register(ctx context.Context, n Newcomer) (Admission, error) {
	m, err := Validate(n.Metadata, r.config)
	if err != nil {
		return Admission{}, err
	}
	if n.Origin != storage.OriginDocument { // whose redirect URIs are at its own host
		if err := provenSector(storage.ClientMetadata{}, m); err != nil {
			return Admission{}, err
		}
	}
	if err := r.admit(ctx, storage.Client{}, m); err != nil {
		return Admission{}, err
	}
	now := r.now()
	c := storage.Client{ID: n.ID, Revision: 1, Metadata: m, CreatedAt: now, UpdatedAt: now, Origin: n.Origin, OwnerID: n.OwnerID}
	if c.ID == "" {
		c.ID = makeID()
	}
	if c.ByMachine() {
		c.Metadata.FirstParty = false
		if n.Spends.Unused == 0 {
			n.Spends.Unused = r.config.UnusedClients
		}
	}
	if n.Held {
		c.DisabledAt, c.DisabledFor = now, storage.DisabledUnapproved
	}
	made := Admission{}
	if HoldsSecret(c) {
		if made.Secret, c.Secrets, err = r.makeSecret(c, now); err != nil {
			return Admission{}, err
		}
	}
	if n.Managed {
		made.AccessToken, c.Registration = makeAccessToken(storage.Digest{})
	}
	if err := r.store.RegisterClient(ctx, c, n.Spends, n.event(c)); err != nil {
		return Admission{}, err
	}
	made.Client = r.stored(ctx, c)
	return made, nil
}

// event is what the audit log keeps of it.
func (n Newcomer) event(c storage.Client) storage.Also {
	also := newEvent("client.registered", c.ID, n.Actor)
	detail := map[string]string{"origin": string(c.Origin)}
	for key, value := range map[string]string{
		"software_id": c.Metadata.SoftwareID, "software_version": c.Metadata.SoftwareVersion, "registration_token": n.Spends.TokenID.String(),
	} {
		if value != "" {
			detail[key] = value
		}
	}
	if n.Held {
		detail["awaits"] = string(storage.DisabledUnapproved)
	}
	also.Events[0].Detail, also.Events[0].Seen, also.Events[0].UserID = detail, n.Seen, n.OwnerID
	return also
}

// The tokens of registration begin so that secret scanners know them.
const (
	AccessTokenPrefix  = "sra_" // registration access tokens (RFC 7592)
	InitialTokenPrefix = "sit_" // initial access tokens (RFC 7591 §3)
)

const (
	accessTokenDomain  = "registration access token"
	initialTokenDomain = "initial access token"
)

// drawToken draws 256 bits.
func drawToken(prefix string) string {
	var raw [secretBytes]byte
	_, _ = rand.Read(raw[:])
	return prefix + base64.RawURLEncoding.EncodeToString(raw[:])
}

// tokenDigest is of a token with the prefix. false: the text can be none, and no store need be asked.
func tokenDigest(text, prefix, domain string) (storage.Digest, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(text, prefix))
	if err != nil || len(raw) != secretBytes || !strings.HasPrefix(text, prefix) {
		return storage.Digest{}, false
	}
	return storage.NewSecret([]byte(text)).Digest(domain), true
}
