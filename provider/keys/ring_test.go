package keys

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

const issuer = "https://id.example"

func ring(t testing.TB, store storage.Keys, secret string) *Ring {
	t.Helper()
	r, err := OpenRing(t.Context(), store, sealer(t, secret), issuer, Life{})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// madeOnce is one set of rows for the tests that only read them: making RSA keys is slow.
var madeOnce = sync.OnceValues(func() ([]storage.Key, error) {
	s, err := ParseSecretKeys(secretText(1))
	if err != nil {
		return nil, err
	}
	return makeKeys(s)
})

// fixed is a ring over madeOnce, read at now, with the rows as edit leaves them.
func fixed(t testing.TB, now time.Time, edit func([]storage.Key) []storage.Key) (*Ring, error) {
	t.Helper()
	rows, err := madeOnce()
	if err != nil {
		t.Fatal(err)
	}
	rows = slices.Clone(rows)
	if edit != nil {
		rows = edit(rows)
	}
	r := &Ring{sealer: sealer(t, secretText(1)), issuer: issuer, life: Life{}.withDefaults()}
	set, err := r.open(rows, now)
	if err != nil {
		return nil, err
	}
	r.set.Store(set)
	return r, nil
}

func fixedRing(t testing.TB) *Ring {
	t.Helper()
	r, err := fixed(t, time.Unix(1_800_000_000, 0), nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestAnEmptyDatabaseGetsKeysThatStay(t *testing.T) {
	t.Parallel()
	store := openStore(t, newPath(t))
	first := ring(t, store, secretText(1))
	if got, want := first.Algorithms(), []string{"RS256", "PS256", "ES256", "ES384", "EdDSA"}; !slices.Equal(got, want) {
		t.Errorf("algorithms %v, want %v", got, want)
	}
	if n := first.Current().Number; n != 1 {
		t.Errorf("the handle key has number %d, want 1", n)
	}
	token, err := first.Sign(ES256, "JWT", map[string]string{"sub": "ada"})
	if err != nil {
		t.Fatal(err)
	}
	second := ring(t, store, secretText(1))
	if string(first.JWKS()) != string(second.JWKS()) {
		t.Error("a second start publishes other bytes")
	}
	if _, err := second.Verify(token, "JWT"); err != nil {
		t.Errorf("a second start does not verify what the first signed: %v", err)
	}
	if a, b := first.Current().Tag("srt_", []byte("x")), second.Current().Tag("srt_", []byte("x")); a != b {
		t.Error("a second start makes other tags")
	}
}

func TestNodesThatStartAtOnceShareTheirKeys(t *testing.T) {
	t.Parallel()
	path := newPath(t)
	var start, done sync.WaitGroup
	start.Add(1)
	sets := make([]string, 3)
	for i := range sets {
		store := openStore(t, path)
		done.Go(func() {
			start.Wait()
			r, err := OpenRing(t.Context(), store, sealer(t, secretText(1)), issuer, Life{})
			if err != nil {
				t.Error(err)
				return
			}
			tag := r.Current().Tag("srt_", nil)
			sets[i] = fmt.Sprintf("%s %x", r.JWKS(), tag)
		})
	}
	start.Done()
	done.Wait()
	if sets[0] == "" || sets[0] != sets[1] || sets[1] != sets[2] {
		t.Errorf("the nodes have different keys: %v", sets)
	}
}

func TestAWrongSecretKeyIsOneClearLineAndReplacesNothing(t *testing.T) {
	t.Parallel()
	store := openStore(t, newPath(t))
	ring(t, store, secretText(1))
	before, _, err := store.ListKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = OpenRing(t.Context(), store, sealer(t, secretText(2)), issuer, Life{})
	if !errors.Is(err, ErrWrongKey) {
		t.Fatalf("error %v, want ErrWrongKey", err)
	}
	line := err.Error()
	if !strings.HasPrefix(line, "the secret key does not open the signing keys in this database: ") ||
		!strings.Contains(line, "SIGNET_SECRET_KEY") || strings.Contains(line, "\n") ||
		!strings.Contains(line, sealer(t, secretText(1)).ids()) || !strings.Contains(line, sealer(t, secretText(2)).ids()) {
		t.Errorf("the line is %q", line)
	}
	after, _, err := store.ListKeys(t.Context())
	if err != nil || len(after) != len(before) {
		t.Fatalf("there were %d keys, and now %d (%v)", len(before), len(after), err)
	}
	ring(t, store, secretText(2)+","+secretText(1))
}

func TestReloadTakesAllOrNothing(t *testing.T) {
	t.Parallel()
	store := openStore(t, newPath(t))
	r := ring(t, store, secretText(1))
	before := string(r.JWKS())
	if err := r.Reload(t.Context()); err != nil || string(r.JWKS()) != before {
		t.Fatalf("reloading changed the key set (%v)", err)
	}
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.Reload(cancelled); err == nil {
		t.Error("reloading with a cancelled context succeeds")
	}
	r.store = openStore(t, newPath(t)) // as if the table had been emptied behind the server's back
	if err := r.Reload(t.Context()); err == nil {
		t.Error("reloading from an emptied table succeeds")
	}
	if string(r.JWKS()) != before || r.Current().Number != 1 {
		t.Error("a failed reload changed the ring")
	}
}

func TestAnEditedKeyTableIsRefused(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func([]storage.Key) []storage.Key{
		"two sealed keys swapped": func(k []storage.Key) []storage.Key {
			k[0].Sealed, k[1].Sealed = k[1].Sealed, k[0].Sealed
			return k
		},
		"a key under another's name": func(k []storage.Key) []storage.Key {
			private, err := generate(ES256)
			if err != nil {
				t.Error(err)
				return nil
			}
			_, pkcs8 := pkcs8Of(t, ES256, private)
			k[2].Sealed, _ = sealer(t, secretText(1)).Seal(pkcs8, privateRow(k[2].ID))
			return k
		},
		"a key renamed":             func(k []storage.Key) []storage.Key { k[2].ID = "x"; return k },
		"another algorithm":         func(k []storage.Key) []storage.Key { k[2].Algorithm = ES384; return k },
		"an unknown algorithm":      func(k []storage.Key) []storage.Key { k[2].Algorithm = "none"; return k },
		"an unknown state":          func(k []storage.Key) []storage.Key { k[2].State = "withdrawn"; return k },
		"an unknown use":            func(k []storage.Key) []storage.Key { k[2].Use = "enc"; return k },
		"another handle number":     func(k []storage.Key) []storage.Key { k[5].Number = 2; return k },
		"the handle key is gone":    func(k []storage.Key) []storage.Key { return k[:5] },
		"the signing keys are gone": func(k []storage.Key) []storage.Key { return k[5:] },
		"all keys are gone":         func([]storage.Key) []storage.Key { return nil },
		"a sealed key cut":          func(k []storage.Key) []storage.Key { k[0].Sealed = k[0].Sealed[:100]; return k },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := fixed(t, time.Now(), edit); err == nil {
				t.Error("the ring opens")
			}
		})
	}
}

func TestTheKeySetIsPublicAndNamedByThumbprint(t *testing.T) {
	t.Parallel()
	var set struct{ Keys []map[string]string }
	if err := json.Unmarshal(fixedRing(t).JWKS(), &set); err != nil {
		t.Fatal(err)
	}
	members := map[string][]string{"RSA": {"e", "kty", "n"}, "EC": {"crv", "kty", "x", "y"}, "OKP": {"crv", "kty", "x"}}
	seen := map[string]bool{}
	for i, key := range set.Keys {
		if want := offered()[i]; key["alg"] != want || key["use"] != "sig" {
			t.Errorf("key %d has alg %q and use %q, want %q and sig", i, key["alg"], key["use"], want)
		}
		canonical := "{"
		for _, name := range members[key["kty"]] { // in lexicographic order, RFC 7638 §3.3
			canonical += fmt.Sprintf(`%q:%q,`, name, key[name])
		}
		sum := sha256.Sum256([]byte(strings.TrimSuffix(canonical, ",") + "}"))
		if want := base64.RawURLEncoding.EncodeToString(sum[:]); key["kid"] != want || seen[want] {
			t.Errorf("%s: kid %q, want %q, once", key["alg"], key["kid"], want)
		}
		seen[key["kid"]] = true
		if allowed := len(members[key["kty"]]) + len([]string{"use", "alg", "kid"}); len(key) != allowed {
			t.Errorf("%s: the key has %d members, want %d: %v", key["alg"], len(key), allowed, key)
		}
	}
	if len(seen) != 5 {
		t.Errorf("there are %d keys, want 5", len(seen))
	}
}
