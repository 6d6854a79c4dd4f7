package handle

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/storage"
)

const (
	issuer   = "https://id.example"
	alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
)

// keyring are handle keys of fixed bytes; the last is the current one.
type keyring []keys.HandleKey

func (k keyring) Current() keys.HandleKey { return k[len(k)-1] }

func (k keyring) HandleKey(number uint16) (keys.HandleKey, bool) {
	for _, key := range k {
		if key.Number == number {
			return key, true
		}
	}
	return keys.HandleKey{}, false
}

func fixedKey(t testing.TB, number uint16, issuer string) keys.HandleKey {
	t.Helper()
	root := make([]byte, 64)
	for i := range root {
		root[i] = byte(i) + byte(number-1)
	}
	key, err := keys.NewHandleKey(number, root, issuer)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func fixedMint(t testing.TB, numbers ...uint16) *Mint {
	t.Helper()
	var ring keyring
	for _, number := range numbers {
		ring = append(ring, fixedKey(t, number, issuer))
	}
	return New(ring)
}

func example() Handle {
	h := Handle{Generation: 0x01020304, Fork: 0x0506, Secret: storage.NewSecret([]byte("0123456789abcdef")), Key: 1}
	for i := range h.Grant {
		h.Grant[i] = 0xa0 + byte(i)
	}
	return h
}

func mustMake(t testing.TB, m *Mint, kind Kind, h Handle) string {
	t.Helper()
	text, err := m.Handle(kind, h)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func same(a, b Handle) bool {
	return a.Grant == b.Grant && a.Generation == b.Generation && a.Fork == b.Fork && a.Key == b.Key &&
		string(a.Secret.Reveal()) == string(b.Secret.Reveal())
}

func forged(t *testing.T, m *Mint, kind Kind, text, why string) {
	t.Helper()
	if h, err := m.Parse(kind, text); !errors.Is(err, ErrForged) || !same(h, Handle{}) {
		t.Fatalf("%s: %q parses (%v), want ErrForged and nothing", why, text, err)
	}
}

// The handles and the jti were computed by another program from docs/grants.md and RFC 5869; the access token is one that the first
// version sealed. None may ever change: every token out there would die.
func TestTheFormatIsPinned(t *testing.T) {
	t.Parallel()
	m := fixedMint(t, 1)
	for kind, want := range map[Kind]string{
		Refresh: "srt_AQAB1EqBTt7zAyMBf4ZrxMmLEx2rb60UM-XyTz84fPjrhbFs0OoUYm-N5ThljzbafaasegmMMkMc",
		Code:    "sac_AQAB8vVFUqQFvQw3fZqK7E5Y5dqONtNtp0scOaJIFwzW6NYh8AD7p1GN0w0XcftNnmJhds2Bh3fR",
		Device:  "sdc_AQABH6W3Vd719B378Q9vfWDkp6-xrp2ndLe5Phbm6t6SewEN036W1QqU1BbozkxKlH_qEv_iUbqp",
		MFA:     "smf_AQABceOUX1LUyMnGp7fqJ_PoU7wvNPH38AHanMlzGBOIOr3Pe5EGE4j_F4d-RPf8guS87vbPf22V",
	} {
		if got := mustMake(t, m, kind, example()); got != want {
			t.Errorf("%s: %q, want %q", kind, got, want)
		}
	}
	if got, want := m.JTI(example().Grant, true, 77), "AQABRSGzL1M734TnoYOqSG4iZ6aUyjZ5ZKXsMUz8_rvFZJkgzPXZRgcYXZg"; got != want {
		t.Errorf("jti: %q, want %q", got, want)
	}
	if claims, err := m.OpenAccess("sat_AQABYsiXxatlKfpgTVqUTmOCjYBFAypztb0FljcT6ylG4DKVcLkeNEMvzs0kbDC8gwoljawX5cY"); err != nil || string(claims) != `{"sub":"ada"}` {
		t.Errorf("access token: %q, %v", claims, err)
	}
}

func TestAHandleReadsBackAsItWasMade(t *testing.T) {
	t.Parallel()
	m := fixedMint(t, 1, 2)
	rapid.Check(t, func(t *rapid.T) {
		h := Handle{
			Grant:      storage.ID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "grant")),
			Generation: rapid.Uint32().Draw(t, "generation"),
			Fork:       rapid.Uint16().Draw(t, "fork"),
			Secret:     storage.NewSecret(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "secret")),
			Key:        rapid.Uint16Range(1, 2).Draw(t, "key"),
		}
		kind := rapid.SampledFrom([]Kind{Refresh, Code, Device, MFA}).Draw(t, "kind")
		text, err := m.Handle(kind, h)
		if err != nil || len(text) != 80 {
			t.Fatalf("%q, %v", text, err)
		}
		if again, _ := m.Handle(kind, h); again != text {
			t.Fatal("the same handle has two texts")
		}
		if got, err := m.Parse(kind, text); err != nil || !same(got, h) {
			t.Fatalf("%+v, %v, want %+v", got, err, h)
		}
	})
}

func TestAnyEditMakesAHandleForged(t *testing.T) {
	t.Parallel()
	m := fixedMint(t, 1, 2)
	good := mustMake(t, m, Refresh, example())
	for i := range good {
		forged(t, m, Refresh, good[:i], "cut")
		forged(t, m, Refresh, good[i+1:], "cut at its head")
		forged(t, m, Refresh, good[:i]+good[i+1:], "one character fewer")
		for _, c := range []byte(alphabet + "=.+/ \r\n\x00%é") {
			if c != good[i] {
				forged(t, m, Refresh, good[:i]+string([]byte{c})+good[i+1:], "one character changed")
			}
			forged(t, m, Refresh, good[:i]+string([]byte{c})+good[i:], "one character more")
		}
	}
	for _, more := range []string{"A", "=", "==", "\n", " ", "AAAA", good} {
		forged(t, m, Refresh, good+more, "more after it")
		forged(t, m, Refresh, more+good, "more before it")
	}
	raw, err := base64.RawURLEncoding.DecodeString(good[4:])
	if err != nil {
		t.Fatal(err)
	}
	for i := range len(raw) * 8 {
		raw[i/8] ^= 1 << (i % 8)
		forged(t, m, Refresh, "srt_"+base64.RawURLEncoding.EncodeToString(raw), fmt.Sprintf("bit %d changed", i))
		raw[i/8] ^= 1 << (i % 8)
	}
	for _, lines := range []string{"\n\n\n\n", "\r\n\r\n"} {
		forged(t, m, Refresh, good[:len(good)-4]+lines, "line breaks for characters")
		forged(t, m, Refresh, good[:40]+lines+good[40:], "line breaks within")
	}
	if _, err := m.Parse(Refresh, good); err != nil {
		t.Fatalf("the original does not parse any more: %v", err)
	}
}

// Every artefact at every door: only its own opens.
func TestNoKindPassesForAnother(t *testing.T) {
	t.Parallel()
	m := fixedMint(t, 1)
	kinds := []Kind{Refresh, Code, Device, MFA}
	access, err := m.SealAccess([]byte(`{}`))
	if err != nil {
		t.Fatal(err)
	}
	jti := m.JTI(example().Grant, true, 1)
	for _, door := range kinds {
		for _, kind := range kinds {
			text := mustMake(t, m, kind, example())
			if kind == door {
				continue
			}
			forged(t, m, door, text, "another kind")
			forged(t, m, door, string(door)+text[4:], "another kind under this one's prefix")
			if _, err := m.OpenAccess("sat_" + text[4:]); !errors.Is(err, ErrForged) {
				t.Errorf("%s opens as an access token: %v", kind, err)
			}
			if _, _, _, err := m.ParseJTI(text[4:]); !errors.Is(err, ErrForged) {
				t.Errorf("%s reads as a jti: %v", kind, err)
			}
		}
		for _, text := range []string{access, string(door) + access[4:], jti, string(door) + jti, "", string(door)} {
			forged(t, m, door, text, "no handle")
		}
	}
	for _, none := range []Kind{"", "srt", "sat_", "jti_", "srt_x"} {
		forged(t, m, none, string(none)+mustMake(t, m, Refresh, example())[4:], "no kind")
		if text, err := m.Handle(none, example()); err == nil {
			t.Errorf("the kind %q makes %q", none, text)
		}
	}
}

func TestHandlesLiveAndDieWithTheirKey(t *testing.T) {
	t.Parallel()
	before, during, after := fixedMint(t, 1), fixedMint(t, 1, 2), fixedMint(t, 2)
	old := mustMake(t, before, Refresh, example())
	if got := mustMake(t, during, Refresh, example()); got != old {
		t.Error("a new key changes what is made under the old one")
	}
	if got, err := during.Parse(Refresh, old); err != nil || got.Key != 1 {
		t.Errorf("under key %d, %v, want key 1", got.Key, err)
	}
	if during.CurrentKey() != 2 {
		t.Errorf("the current key is %d, want 2", during.CurrentKey())
	}
	forged(t, after, Refresh, old, "its key is gone")
	if _, err := after.Handle(Refresh, example()); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("made under a key that is gone: %v, want ErrUnknownKey", err)
	}
	forged(t, New(keyring{fixedKey(t, 1, "https://other.example")}), Refresh, old, "another issuer")
	if _, _, _, err := during.ParseJTI(before.JTI(example().Grant, true, 1)); err != nil {
		t.Errorf("the jti of before: %v", err)
	}
}

func TestHandlesHideWhatTheyHold(t *testing.T) {
	t.Parallel()
	m := fixedMint(t, 1)
	h := example()
	seen := map[string]bool{}
	for generation := range uint32(200) {
		h.Generation = generation
		seen[mustMake(t, m, Refresh, h)[8:28]] = true // the tag and the first bytes of the grant's ID
	}
	if len(seen) != 200 {
		t.Errorf("of 200 generations only %d look different", len(seen))
	}
	h.Secret = storage.NewSecret([]byte("short"))
	if _, err := m.Handle(Refresh, h); err == nil || strings.Contains(err.Error(), "short") {
		t.Errorf("a short secret: %v", err)
	}
}

func TestSecretsAreRandomAndTheirDigestIsTheirOwn(t *testing.T) {
	t.Parallel()
	a, b := NewSecret(), NewSecret()
	if len(a.Reveal()) != 16 || string(a.Reveal()) == string(b.Reveal()) {
		t.Error("two secrets of 16 bytes should differ")
	}
	if SecretDigest(a) == SecretDigest(b) || SecretDigest(a) == a.Digest("") || !SecretDigest(a).Equal(SecretDigest(a)) {
		t.Error("the digest does not tell secrets and domains apart")
	}
}

func TestPrefixOfKnowsOurs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"srt_x": "srt_", "sac_": "sac_", "sdc_x": "sdc_", "smf_x": "smf_", "sat_x": "sat_",
		"": "", "srt": "", "SRT_x": "", "jti_x": "", "eyJhbGciOi": "", " srt_": "",
	} {
		if got := PrefixOf(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

func TestAMintServesManyGoroutines(t *testing.T) {
	t.Parallel()
	m := fixedMint(t, 1, 2)
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			h := example()
			for h.Generation = range uint32(200) {
				h.Fork, h.Key = uint16(i), uint16(1+i%2)
				text, err := m.Handle(Code, h)
				got, parseErr := m.Parse(Code, text)
				if err != nil || parseErr != nil || !same(got, h) {
					t.Errorf("%v, %v", err, parseErr)
					return
				}
			}
		})
	}
	all.Wait()
}

func FuzzParse(f *testing.F) {
	m := fixedMint(f, 1, 2)
	for _, kind := range []Kind{Refresh, Code, Device, MFA} {
		text := mustMake(f, m, kind, example())
		f.Add(string(kind), text)
		f.Add("srt_", "srt_"+text[4:])
		f.Add(string(kind), text[:79]+"\n")
	}
	f.Fuzz(func(t *testing.T, kind, text string) {
		h, err := m.Parse(Kind(kind), text)
		if err != nil {
			if !errors.Is(err, ErrForged) {
				t.Errorf("%q: %v", text, err)
			}
			return
		}
		if again, err := m.Handle(Kind(kind), h); err != nil || again != text {
			t.Errorf("%q parses, and makes %q (%v)", text, again, err)
		}
	})
}

func BenchmarkMint(b *testing.B) {
	m, h := fixedMint(b, 1), example()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Handle(Refresh, h); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	m := fixedMint(b, 1)
	text := mustMake(b, m, Refresh, example())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := m.Parse(Refresh, text); err != nil {
			b.Fatal(err)
		}
	}
}
