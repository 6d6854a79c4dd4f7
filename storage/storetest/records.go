package storetest

import (
	"encoding/binary"
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/signet-idp/signet/storage"
)

// The records that cases put in. Those called full set every field that a row of their kind may have, with values in which a
// lossy column shows: microseconds, letter case, trailing space, quotes, wildcards, composed and decomposed letters. Those
// called bare set nothing but what a row cannot be without.

// start is where every case's clock stands at first.
var start = NewClock().Now()

// id makes version 7 IDs that rise with n.
func id(n int) storage.ID {
	out := storage.ID{0x01, 0x9c, 0xed, 0x4b, 0x9a, 0x57, 0x70, 0x00, 0x80}
	binary.BigEndian.PutUint32(out[12:], uint32(n))
	return out
}

func digest(text string) storage.Digest { return storage.NewSecret([]byte(text)).Digest("storetest") }

// oddNames are different identifiers as long as they are compared byte by byte, and all but nothing else alike.
var oddNames = []string{
	"demo", "Demo", "DEMO", "demo ", " demo", "demo\t", "dem_", "dem%", "%", "_", `de\mo`, "de'mo", `de"mo`, "demo\u200b",
	"caf\u00e9", "cafe\u0301", "stra\u00dfe", "strasse", "\ufb01n", "fin", "\u0131", "i", "I", "\u0130", "\u212a", "k", "K",
	"\u202edemo", "\U0001f511", "\U00010000", "\uffee", "10", "9", "a-b", "ab", "a.b",
}

func bareGrant(n int) storage.Grant {
	return storage.Grant{
		ID: id(n), ClientID: "client", UserID: id(1), State: storage.Active,
		ExpiresAt: start.Add(time.Hour), CreatedAt: start,
	}
}

func waitingGrant(n int) storage.Grant {
	g := bareGrant(n)
	g.State, g.Pending = storage.Pending, &storage.Waiting{Kind: storage.WaitingMFA}
	return g
}

// codeGrant waits for its authorization code, deviceGrant for its person and its device, with every field of that.
func codeGrant(n int) storage.Grant {
	g := bareGrant(n)
	g.State, g.CodeHash = storage.Pending, digest("code")
	g.Pending = &storage.Waiting{
		Kind: storage.WaitingCode, Tries: 1, RedirectURI: "https://rp.example/cb?a=1&b=%20 ", Challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
		SessionEnds: start.Add(time.Hour + time.Microsecond),
	}
	return g
}

func deviceGrant(n int, userCode string) storage.Grant {
	g := bareGrant(n)
	g.State, g.UserID, g.UserCode = storage.Pending, storage.ID{}, digest(userCode)
	g.Pending = &storage.Waiting{
		Kind: storage.WaitingDevice, Answer: storage.DeviceApproved, PolledAt: start.Add(-time.Microsecond),
		Interval: 5*time.Second + time.Nanosecond,
	}
	return g
}

// fullGrant sets everything but Pending, what a grant has only while it is pending, and the revocation.
func fullGrant(n int) storage.Grant {
	return storage.Grant{
		ID: id(n), ClientID: `Client %_' "x" `, UserID: id(1), SessionID: id(77), Offline: true,
		Claims:   &storage.RequestedClaims{IDToken: []string{"email", "urn:é \"x\""}, UserInfo: []string{"phone_number"}},
		CodeHash: digest("code"),
		Scope:    []string{"openid", "offline_access", "read:all"}, Audience: []string{"https://api.example/a b", "urn:x,{}"},
		ACR: "urn:acr:2 ", AMR: []string{"pwd", "otp", `a"b\c`}, AuthTime: start.Add(-1234567 * time.Microsecond), Nonce: "n-0S6_WzA2Mj ",
		State: storage.Active, Generation: 1<<32 - 1, Fork: 1<<16 - 1, ParentFork: 1<<16 - 2, KeyID: 1<<16 - 3,
		IssuedAt: start.Add(-1 * time.Microsecond),
		Retired:  []time.Time{start.Add(-2 * time.Microsecond), start.Add(-3 * time.Second), start.Add(-4 * time.Hour)},
		SharedAt: start.Add(-5 * time.Microsecond), Seen: storage.Seen{Address: "2001:db8::1%eth0", Agent: `Mozilla <"é"> \ 🔑`},
		SecretHash: digest("secret"), ExpiresAt: start.Add(365*24*time.Hour + time.Microsecond), CreatedAt: start.Add(-6 * time.Microsecond),
		Sender: "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
	}
}

func bareClient(name string) storage.Client {
	return storage.Client{ID: name, Origin: storage.OriginOperator}
}

func fullClient(name string) storage.Client {
	pkce, maxAge := true, int64(1<<40)
	return storage.Client{
		ID: name,
		Metadata: storage.ClientMetadata{
			Name: "Ün <b>client</b> ", RedirectURIs: []string{"https://rp.example/cb?a=1&b=2", "http://127.0.0.1/"},
			GrantTypes: []string{"authorization_code", "refresh_token"}, ResponseTypes: []string{"code"}, Scope: "openid read:all",
			TokenEndpointAuthMethod: "client_secret_basic", ApplicationType: "web", Contacts: []string{"ops@rp.example"},
			ClientURI: "https://rp.example", LogoURI: "https://rp.example/logo", PolicyURI: "https://rp.example/policy",
			TOSURI: "https://rp.example/tos", IDTokenSignedAlg: "ES256", AccessTokenFormat: "opaque", AccessTokenSignedAlg: "PS256",
			AccessTokenLifetime: 900, RefreshTokenLifetime: 1 << 40, RefreshTokenIdleLifetime: 2592000,
			RefreshRotation: storage.Balanced, RefreshGrace: 30, IDTokenOnRefresh: true, FirstParty: true,
			Resources: []string{"https://api.example/"}, TokenEndpointAuthAlg: "PS256", JWKS: json.RawMessage(`{"keys":[{"kty":"OKP","kid":"é\u0000 "}]}`),
			JWKSURI: "https://rp.example/jwks", AssertionAudience: "issuer", RequirePKCE: &pkce,
			RequirePAR: true, RequireSecondFactor: true, RequireAuthTime: true, DefaultMaxAge: &maxAge, DefaultACRValues: []string{"urn:b", "urn:a"},
			UserinfoSignedAlg: "RS256", PostLogoutRedirectURIs: []string{"https://rp.example/out?a=1&b=2"},
			BackchannelLogoutURI: "https://rp.example/back", BackchannelLogoutSessionRequired: true,
			FrontchannelLogoutURI: "https://rp.example/front", FrontchannelLogoutSessionRequired: true,
			SubjectType: "pairwise", SectorIdentifierURI: "https://rp.example/sector", InitiateLoginURI: "https://rp.example/login?a=1&b=2",
			RequestObjectSigningAlg: "ES256", SoftwareID: "4NRB1-0XZABZI9E6-5SM3R", SoftwareVersion: "2.2 ", SoftwareStatement: "eyJ.é.",
		},
		Secrets: []storage.ClientSecret{
			{Digest: digest("new"), Sealed: []byte("\x00sealed\xff"), CreatedAt: start.Add(-time.Microsecond), ExpiresAt: start.Add(time.Hour + time.Microsecond)},
			{Digest: digest("old"), CreatedAt: start.Add(-time.Hour), ExpiresAt: start.Add(time.Minute)},
		},
		DisabledAt: start.Add(-7 * time.Microsecond),
		Origin:     storage.OriginSoftware, DisabledFor: storage.DisabledByOwner, Registration: digest("registration"),
	}
}

func bareResource(name string) storage.Resource { return storage.Resource{Identifier: name} }

func fullResource(name string) storage.Resource {
	return storage.Resource{
		Identifier: name,
		Metadata: storage.ResourceMetadata{
			Name: "Ün <b>API</b> ", Scope: "read:all write", AccessTokenFormat: "opaque", AccessTokenSignedAlg: "PS256",
			AccessTokenLifetime: 1 << 40, ClientIDs: []string{"api ", `Client %_' "x"`}, AnyClient: true,
		},
	}
}

func bareUser(n int) storage.User { return storage.User{ID: id(n)} }

func fullUser(n int) storage.User {
	return storage.User{
		ID: id(n), Username: "Ada O'Neil ", Email: "Ada.O'Neil+%_@Example.org", EmailVerified: true, Phone: "+4312345", PhoneVerified: true,
		Profile: storage.Profile{
			Name: "Ada O'Neil", GivenName: "Ada", FamilyName: "O'Neil", MiddleName: "“M”", Nickname: "ada\\", Profile: "https://ada.example",
			Picture: "https://ada.example/p?x=1&y=2", Website: "https://w.example", Gender: "female", Birthdate: "0000-12-10",
			Zoneinfo: "Europe/Vienna", Locale: "de-AT",
			Address: &storage.Address{
				Formatted: "Gasse 1\nWien", StreetAddress: "Gasse 1", Locality: "Wien", Region: "W", PostalCode: "1010", Country: "AT",
			},
		},
		Admin: true, Logins: []string{"ada", "ada.o'neil+%_@example.org"}, DisabledAt: start.Add(-8 * time.Microsecond),
	}
}

func fullEvent(n int) storage.Event {
	return storage.Event{
		ID: id(n), Kind: "grant.reuse", Actor: "cli", UserID: id(1), ClientID: "client ", GrantID: id(2),
		Seen: storage.Seen{Address: "192.0.2.1", Agent: "Agent/1.0 (é)"}, Detail: map[string]string{"from": "<a> & \"b\"", "": " ", "ключ": "🔑"},
	}
}

func fullLetter(n int) storage.Letter {
	return storage.Letter{
		ID: id(n), Kind: "reuse_detected", UserID: id(1), Data: map[string]string{"client": "A & <b>", "": " ", "ключ": "🔑"},
	}
}

// sortedLogins takes User.Logins as the set that it is.
var sortedLogins = cmpopts.AcyclicTransformer("logins", func(u storage.User) storage.User {
	u.Logins = slices.Sorted(slices.Values(u.Logins))
	return u
})

func sameUser(t *testing.T, want, got storage.User) {
	t.Helper()
	same(t, want, got, cmp.Options{sortedLogins})
}

// wholeRecord asserts that a full record has no zero field but those named, so that a new field joins the suite on its first day.
func wholeRecord(t *testing.T, record any, but ...string) {
	t.Helper()
	v := reflect.ValueOf(record)
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		if slices.Contains(but, name) {
			continue
		}
		field := reflect.Indirect(v.Field(i))
		if !field.IsValid() || field.IsZero() {
			t.Fatalf("the suite's full %T leaves %s empty: set it in records.go", record, name)
		}
		if field.Kind() == reflect.Struct && field.Type() != reflect.TypeFor[time.Time]() {
			wholeRecord(t, field.Interface())
		}
	}
}

// The reads that most cases end with.

func (s *subject) grant(t *testing.T, of storage.ID) storage.Grant {
	t.Helper()
	standing, err := s.FindGrant(t.Context(), of)
	ok(t, err)
	return standing.Grant
}

func (s *subject) signIn(t *testing.T, user storage.ID) storage.SignIn {
	t.Helper()
	found, err := s.FindUser(t.Context(), user)
	ok(t, err)
	return found
}

func (s *subject) client(t *testing.T, name string) storage.Client {
	t.Helper()
	found, _, err := s.FindClient(t.Context(), name)
	ok(t, err)
	return found
}

func (s *subject) events(t *testing.T, f storage.EventFilter) []storage.Event {
	t.Helper()
	found, err := s.ListEvents(t.Context(), f)
	ok(t, err)
	return found
}

// create stores a grant that relies on nothing.
func (s *subject) create(t *testing.T, g storage.Grant) {
	t.Helper()
	ok(t, s.CreateGrant(t.Context(), g, storage.Spend{}, storage.Also{}))
}

// user stores a bare user with a login and a password.
func (s *subject) user(t *testing.T, n int) {
	t.Helper()
	u := bareUser(n)
	u.Username = "user" + u.ID.String()
	u.Logins = []string{u.Username}
	ok(t, s.CreateUser(t.Context(), u, "hash", storage.Also{}))
}

// factor stores a confirmed TOTP device whose last step is step, and the recovery codes.
func (s *subject) factor(t *testing.T, user, n int, step int64, codes ...storage.Digest) {
	t.Helper()
	ok(t, s.EnrollTOTP(t.Context(), storage.TOTP{ID: id(n), UserID: id(user), Sealed: []byte("sealed")}, storage.Also{}))
	ok(t, s.ConfirmTOTP(t.Context(), id(user), id(n), 0, step, codes, storage.Also{}))
}

// proof is what a sign-in of the user relies on now, without a second factor.
func (s *subject) proof(t *testing.T, user int) storage.Spend {
	t.Helper()
	return storage.Spend{UserID: id(user), UserRevision: s.signIn(t, id(user)).User.Revision}
}
