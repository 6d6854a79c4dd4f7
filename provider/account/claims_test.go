package account

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/signet-idp/signet/storage"
)

func TestEachScopeTellsItsClaimsAndNoOthers(t *testing.T) {
	t.Parallel()
	u := storage.User{Username: "ada", UpdatedAt: time.Unix(1700000000, 5000)}
	for _, claim := range [][2]string{
		{"name", "Ada Lovelace"},
		{"given_name", "Ada"},
		{"family_name", "Lovelace"},
		{"middle_name", "King"},
		{"nickname", "Enchantress"},
		{"profile", "https://example.org/ada"},
		{"picture", "https://example.org/ada.png"},
		{"website", "http://ada.example"},
		{"gender", "female"},
		{"birthdate", "1815-12-10"},
		{"zoneinfo", "Europe/London"},
		{"locale", "en_GB"},
		{"email", "Ada@example.org"},
		{"email_verified", "true"},
		{"phone_number", "+44 (20) 7946-0000"},
		{"phone_number_verified", "true"},
		{"address", `{"street_address":"12 St James's Square\nLondon","country":"UK"}`},
		{"address.locality", "London"},
	} {
		if err := SetClaim(&u, claim[0], claim[1]); err != nil {
			t.Fatalf("%s: %v", claim[0], err)
		}
	}
	want := map[string]map[string]any{
		"openid": {},
		"profile": {
			"name": "Ada Lovelace", "given_name": "Ada", "family_name": "Lovelace", "middle_name": "King", "nickname": "Enchantress",
			"preferred_username": "ada", "profile": "https://example.org/ada", "picture": "https://example.org/ada.png",
			"website": "http://ada.example", "gender": "female", "birthdate": "1815-12-10", "zoneinfo": "Europe/London",
			"locale": "en-GB", "updated_at": int64(1700000000),
		},
		"email": {"email": "Ada@example.org", "email_verified": true},
		"phone": {"phone_number": "+442079460000", "phone_number_verified": true},
		"address": {"address": map[string]any{
			"street_address": "12 St James's Square\nLondon", "country": "UK", "locality": "London",
		}},
	}
	for scope, claims := range want {
		if diff := cmp.Diff(claims, Claims(u, []string{"openid", scope})); diff != "" {
			t.Errorf("scope %s (-want +got):\n%s", scope, diff)
		}
	}
	if got := len(Claims(u, []string{"address", "phone", "email", "profile"})); got != 19 {
		t.Errorf("all scopes tell %d claims, want the 19 of OpenID Connect Core §5.4 without sub", got)
	}
}

func TestClaimsWithoutAValueAreAbsent(t *testing.T) {
	t.Parallel()
	bare := storage.User{Username: "ada", EmailVerified: true, Profile: storage.Profile{Address: &storage.Address{}}}
	got := Claims(bare, []string{"profile", "email", "phone", "address"})
	if diff := cmp.Diff(map[string]any{"preferred_username": "ada"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestMalformedAndReservedClaimsAreRefused(t *testing.T) {
	t.Parallel()
	for _, claim := range []string{
		"iss=x", "sub=x", "aud=x", "exp=1", "iat=1", "nbf=1", "jti=x", "azp=x", "acr=x", "amr=x", "auth_time=1", "nonce=x", "sid=x",
		"cnf=x", "client_id=x", "scope=x", "updated_at=1", "preferred_username=x", "admin=true", "Name=x", "=x", "address.planet=x",
		"name=a\nb", "name=a\x00b", "name=a\u202eb", "name=\xff", "given_name=" + strings.Repeat("x", 257),
		"picture=javascript:alert(1)", "picture=//example.org/x", "picture=ftp://example.org", "website=https://", "website=example.org",
		"profile=https://user:pw@example.org", "profile=https://example.org/" + strings.Repeat("x", 2048), "picture=data:image/png;base64,AA",
		"birthdate=10.12.1815", "birthdate=1815-13-01", "birthdate=1815-02-29", "birthdate=0000", "birthdate=1815-12", "birthdate=18151210",
		"zoneinfo=Europe/", "zoneinfo=Europe//Paris", "zoneinfo=Europe Paris", "zoneinfo=../../etc/passwd", "zoneinfo=+1:00",
		"locale=english language", "locale=und", "locale=x_", "email=ada", "email_verified=yes", "phone_number_verified=1",
		"phone_number=02079460000", "phone_number=+0123456", "phone_number=+1234567890123456", "phone_number=+12", "phone_number=call me",
		"phone_number= ", `address={"planet":"Earth"}`, `address=London`, `address={"locality":1}`, `address={} {}`, "address.locality=a\x07",
	} {
		name, value, _ := strings.Cut(claim, "=")
		before := storage.User{Username: "ada", Email: "ada@example.org", EmailVerified: true}
		u := before
		var bad *Invalid
		if err := SetClaim(&u, name, value); !errors.As(err, &bad) || !strings.HasPrefix(bad.Field, name) || bad.Problem == "" {
			t.Errorf("%.60q: got %v, want a refusal that names the claim", claim, err)
		}
		if diff := cmp.Diff(before, u); diff != "" {
			t.Errorf("%.60q was refused and changed the user:\n%s", claim, diff)
		}
	}
}

func TestUsualFormsOfClaimsAreAccepted(t *testing.T) {
	t.Parallel()
	for _, claim := range []string{
		"birthdate=0000-02-29", "birthdate=1815", "birthdate=2004-02-29", "zoneinfo=UTC", "zoneinfo=America/Argentina/Buenos_Aires",
		"zoneinfo=Etc/GMT+5", "locale=de", "locale=zh-Hant-TW", "picture=http://localhost:8080/a.png?x=1", "gender=non-binary",
		"name=", "birthdate=", "email=", "phone_number=", "address=", "address.country=", "name=عبد الله", "phone_number=+1 212.555.0100",
	} {
		name, value, _ := strings.Cut(claim, "=")
		var u storage.User
		if err := SetClaim(&u, name, value); err != nil {
			t.Errorf("%s: %v", claim, err)
		}
		if value == "" && !cmp.Equal(u, storage.User{}) {
			t.Errorf("%s leaves %+v", claim, u)
		}
	}
}

func TestAChangedAddressIsUnverified(t *testing.T) {
	t.Parallel()
	u := storage.User{Email: "ada@example.org", EmailVerified: true, Phone: "+442079460000", PhoneVerified: true}
	for _, same := range [][2]string{{"email", "Ada@EXAMPLE.org"}, {"phone_number", "+44 20 7946 0000"}} {
		if err := SetClaim(&u, same[0], same[1]); err != nil || !u.EmailVerified || !u.PhoneVerified {
			t.Errorf("another spelling of one %s lost its mark: %v", same[0], err)
		}
	}
	for _, other := range [][2]string{{"email", "eve@example.org"}, {"phone_number", "+442079460001"}} {
		if err := SetClaim(&u, other[0], other[1]); err != nil {
			t.Error(err)
		}
	}
	if u.EmailVerified || u.PhoneVerified {
		t.Error("a new address or number kept the mark of the old one")
	}
}
