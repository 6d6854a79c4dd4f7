package bearer

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// maxDocument bounds what the issuer answers, in bytes.
const maxDocument = 64 << 10

// defaultFresh is how long a document without Cache-Control is kept.
const defaultFresh = 5 * time.Minute

// fetch asks the issuer for its metadata (RFC 8414 §3) and its key set (RFC 7517 §5).
func fetch(ctx context.Context, c Config) (*known, error) {
	now := c.Clock()
	text, fresh, err := get(ctx, c.HTTPClient, metadataURL(c.Issuer))
	if err != nil {
		return nil, fmt.Errorf("fetch metadata: %w", err)
	}
	var metadata struct {
		Issuer        string `json:"issuer"`
		JWKS          string `json:"jwks_uri"`
		Introspection string `json:"introspection_endpoint"`
	}
	if json.Unmarshal(text, &metadata) != nil {
		return nil, errors.New("the metadata is not the JSON object of RFC 8414")
	}
	if metadata.Issuer != c.Issuer {
		return nil, errors.New("the metadata is another issuer's: its issuer must be the configured one byte for byte (RFC 8414 section 3.3)")
	}
	for _, address := range []string{metadata.JWKS, metadata.Introspection} {
		if u, err := url.Parse(address); address != "" && (err != nil || !safe(u)) {
			return nil, errors.New("the metadata names an address that is neither https nor on this machine")
		}
	}
	if metadata.JWKS == "" {
		return nil, errors.New("the metadata has no jwks_uri")
	}
	text, keysFresh, err := get(ctx, c.HTTPClient, metadata.JWKS)
	if err != nil {
		return nil, fmt.Errorf("fetch key set: %w", err)
	}
	keys, err := parseKeys(text)
	if err != nil {
		return nil, err
	}
	return &known{
		keys: keys, introspection: metadata.Introspection, fresh: now.Add(min(fresh, keysFresh)), usable: now.Add(maxStale),
	}, nil
}

// metadataURL puts the well-known path between host and path (RFC 8414 §3.1).
func metadataURL(issuer string) string {
	scheme, rest, _ := strings.Cut(issuer, "://")
	host, path, _ := strings.Cut(strings.TrimSuffix(rest, "/"), "/")
	if path != "" {
		path = "/" + path
	}
	return scheme + "://" + host + "/.well-known/oauth-authorization-server" + path
}

// get returns a document and how long it is fresh.
func get(ctx context.Context, client *http.Client, address string) ([]byte, time.Duration, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, 0, err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return nil, 0, err
	}
	defer resp.Body.Close()
	text, err := readAll(resp)
	if err != nil {
		return nil, 0, fmt.Errorf("GET %s: %w", address, err)
	}
	return text, freshness(resp.Header), nil
}

// readAll returns the body of a 200.
func readAll(resp *http.Response) ([]byte, error) {
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it was answered with status %d, and not 200", resp.StatusCode)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	if err == nil && len(text) > maxDocument {
		err = errors.New("the answer has more than 64 KiB")
	}
	return text, err
}

// freshness is how long an answer may be kept (RFC 9111 §4.2.1), within our own bounds.
func freshness(h http.Header) time.Duration {
	fresh := defaultFresh
	for directive := range strings.SplitSeq(strings.Join(h.Values("Cache-Control"), ","), ",") {
		name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
		switch name {
		case "no-store", "no-cache":
			return minFresh
		case "max-age":
			fresh = seconds(strings.Trim(value, `"`))
		}
	}
	return min(max(fresh-seconds(h.Get("Age")), minFresh), maxFresh)
}

// seconds is a delta-seconds (RFC 9111 §1.2.2), 0 where it is none.
func seconds(text string) time.Duration {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(n) * time.Second
}

// key is a published key. alg is the one that it is published for, "" where the key set does not say.
type key struct {
	public any
	alg    string
}

// parseKeys reads a key set. Keys that cannot be used are passed over, as RFC 7517 §5 says; of two with one name, the first
// counts.
func parseKeys(text []byte) (map[string]key, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if json.Unmarshal(text, &set) != nil || set.Keys == nil {
		return nil, errors.New("the key set is not the JSON object of RFC 7517 section 5")
	}
	keys := map[string]key{}
	for _, raw := range set.Keys {
		var jwk jose.JSONWebKey
		if jwk.UnmarshalJSON(raw) != nil || jwk.KeyID == "" || jwk.Use != "" && jwk.Use != "sig" || !jwk.IsPublic() || !jwk.Valid() {
			continue
		}
		if _, again := keys[jwk.KeyID]; !again {
			keys[jwk.KeyID] = key{public: jwk.Key, alg: jwk.Algorithm}
		}
	}
	return keys, nil
}

// suits reports whether a signature by alg may be checked with the key.
func (k key) suits(alg string) bool {
	if k.alg != "" && k.alg != alg {
		return false
	}
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		return (alg == string(jose.RS256) || alg == string(jose.PS256)) && public.N.BitLen() >= 2048
	case *ecdsa.PublicKey:
		return alg == string(jose.ES256) && public.Curve == elliptic.P256() || alg == string(jose.ES384) && public.Curve == elliptic.P384()
	case ed25519.PublicKey:
		return alg == string(jose.EdDSA)
	}
	return false
}
