package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// The subject types (OpenID Connect Core §8).
const (
	subjectPublic   = "public"
	subjectPairwise = "pairwise"
)

// Sector is what a client's subjects are told apart by (OpenID Connect Core §8.1): the host of its sector_identifier_uri, or else that
// of its redirect URIs, in lower case. false: its subjects are public.
func Sector(m storage.ClientMetadata) (sector string, pairwise bool) {
	switch {
	case m.SubjectType != subjectPairwise:
		return "", false
	case m.SectorIdentifierURI != "":
		return hostOf(m.SectorIdentifierURI), true
	case len(m.RedirectURIs) > 0:
		return hostOf(m.RedirectURIs[0]), true
	}
	return "", true
}

// sameSector reports whether the clients of two registrations know people by the same subjects.
func sameSector(a, b storage.ClientMetadata) bool {
	sectorA, pairwiseA := Sector(a)
	sectorB, pairwiseB := Sector(b)
	return sectorA == sectorB && pairwiseA == pairwiseB
}

// hostOf is the host of an address that was found valid, without its port; "" where it has none.
func hostOf(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		return ""
	}
	return strings.ToLower(u.Hostname())
}

// checkSubjects demands that a client with pairwise subjects have one sector, which is nobody else's by accident: a private-use scheme
// has no host, and the loopback addresses are every native application's.
func checkSubjects(m *storage.ClientMetadata, _ Config) error {
	if err := checkSecure("sector_identifier_uri", m.SectorIdentifierURI); err != nil {
		return err
	}
	switch m.SubjectType {
	case "", subjectPublic:
		return nil
	case subjectPairwise:
	default:
		return metadataError("subject_type must be %s or %s", subjectPublic, subjectPairwise)
	}
	if len(m.RedirectURIs) == 0 {
		return metadataError("subject_type must not be pairwise in a client without redirect_uris: " +
			"their host is what its subjects are made for (OpenID Connect Core section 8.1)")
	}
	if m.SectorIdentifierURI != "" {
		return nil
	}
	sector := hostOf(m.RedirectURIs[0])
	if slices.ContainsFunc(m.RedirectURIs, func(uri string) bool { return hostOf(uri) != sector }) {
		return metadataError("sector_identifier_uri must be given where subject_type is pairwise and redirect_uris have several hosts " +
			"(OpenID Connect Core section 8.1)")
	}
	if sector == "" || slices.Contains(loopbackHosts, sector) || sector == "::1" {
		return metadataError("sector_identifier_uri must be given where subject_type is pairwise and redirect_uris have no host of the client's own: " +
			"a private-use scheme has none, and loopback addresses are everybody's")
	}
	return nil
}

// provenSector demands that a client which nobody here vouches for have pairwise subjects only where codes alone give it tokens: they
// go to the redirect URIs that its sector is made of, which are as easily another's, and a device or a password leads to none of them.
// What an operator gave it before it may keep.
func provenSector(was, m storage.ClientMetadata) error {
	unproven := func(m storage.ClientMetadata) bool {
		_, pairwise := Sector(m)
		return pairwise && (slices.Contains(m.GrantTypes, oauth.GrantDeviceCode) || slices.Contains(m.GrantTypes, oauth.GrantPassword))
	}
	if unproven(m) && !(unproven(was) && sameSector(was, m)) {
		return metadataError("subject_type must not be pairwise together with the grant types %s and %s unless an operator registers it so: "+
			"nothing that these give goes to the redirect URIs, so that they prove no sector", oauth.GrantDeviceCode, oauth.GrantPassword)
	}
	return nil
}

// admit looks at what Validate cannot see: what the client was before, and what others publish. before is the client as it was read, the
// zero value for a new one; m was found valid. The address of a sector is looked at when it is registered, and never again (OpenID
// Connect Core §8.1). Errors are *oauth.Error with causes for the log, or ctx's own.
func (r *Registry) admit(ctx context.Context, before storage.Client, m storage.ClientMetadata) error {
	if before.ByMachine() && m.FirstParty {
		return metadataError("first_party must not be true in a client that registered itself: nobody here vouches for it; register one of your own in its place")
	}
	if before.ID != "" && !before.UsedAt.IsZero() && !sameSector(before.Metadata, m) {
		return metadataError("subject_type, sector_identifier_uri and redirect_uris must not give the client another sector once people signed in with it: " +
			"it would know none of them again; register another client for the new sector")
	}
	was := before.Metadata
	if m.SectorIdentifierURI == "" ||
		before.ID != "" && was.SectorIdentifierURI == m.SectorIdentifierURI && slices.Equal(was.RedirectURIs, m.RedirectURIs) {
		return nil
	}
	if err := r.vouched(ctx, m); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		// One text for every cause: whoever registers must not learn what answers at an address.
		return metadataError("sector_identifier_uri must lead to a JSON array of strings, of type application/json, " +
			"that has every one of redirect_uris (OpenID Connect Core section 8.1); this server found no such document there").Because(err)
	}
	return nil
}

// maxSectorLooks is how many documents of sectors are read at once: where anybody may register, anybody names slow ones, and the outbound
// client has others to serve.
const maxSectorLooks = 8

var errNoLook = errors.New("this server fetches no documents")

// vouched reads the sector's document and demands that it name every redirect URI, byte for byte.
func (r *Registry) vouched(ctx context.Context, m storage.ClientMetadata) error {
	if r.config.Outbound == nil {
		return errNoLook
	}
	select {
	case r.sectors <- struct{}{}:
		defer func() { <-r.sectors }()
	case <-ctx.Done():
		return ctx.Err()
	}
	document, err := r.config.Outbound.Get(ctx, m.SectorIdentifierURI, "application/json")
	if err != nil {
		return err
	}
	var named []string
	if err := json.Unmarshal(document.Body, &named); err != nil {
		return fmt.Errorf("the document is no JSON array of strings: %w", err)
	}
	if named == nil {
		return errors.New("the document is null")
	}
	for i, uri := range m.RedirectURIs {
		if !slices.Contains(named, uri) {
			return fmt.Errorf("the document lacks redirect_uris[%d]", i)
		}
	}
	return nil
}
