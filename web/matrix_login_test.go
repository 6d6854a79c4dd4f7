package web_test

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/storage"
)

// spellings are ways to type the name or the address of the user Alice.
func spellings(u storage.User) []string {
	return []string{
		"Alice", "alice", "ALICE", " alice", "alice ", "\talice\n", "ａｌｉｃｅ", "ＡＬＩＣＥ", "Ⓐlice", "\u00a0alice\u3000", "𝐚𝐥𝐢𝐜𝐞",
		"alice@example.com", "ALICE@EXAMPLE.COM", "Alice@Example.Com", " alice@example.com ", "alice＠example.com", "ａｌｉｃｅ@example.com",
		u.ID.String(), strings.ToUpper(u.ID.String()),
	}
}

// guess is a sign-in with a password of the caller's choice.
func (w *world) guess(c app, username, secret string) answer {
	w.Helper()
	return w.token(c, "grant_type", "password", "username", username, "password", secret)
}

func TestEverySpellingIsTheSamePerson(t *testing.T) {
	each(t, func(w *world) {
		u, c := w.user("Alice"), w.confidential()
		for _, name := range spellings(u) {
			a := w.guess(c, name, password)
			if a.status != http.StatusOK {
				t.Errorf("%q: %d %s", name, a.status, a.raw)
				continue
			}
			if got := w.post("/oauth2/introspect", c, form("token", a.access())).text("sub"); got != u.ID.String() {
				t.Errorf("%q is %s, not %s", name, got, u.ID)
			}
		}
		for _, name := range []string{"al ice", "alice\x00", "\u0430lice", "alice@example.org", "alice@", "@example.com", "ali\u200bce", "alice.", "bob"} {
			a := w.guess(c, name, password)
			w.want(a, http.StatusBadRequest, "invalid_grant")
			w.clock.Advance(31 * time.Second)
		}
	})
}

func TestEverySpellingSharesOneBucket(t *testing.T) {
	each(t, func(w *world) {
		u, c := w.user("Alice"), w.confidential()
		all := spellings(u)
		for i, sixth := range all {
			for n := range 5 {
				w.want(w.guess(c, all[(i+1+n)%len(all)], "wrong"), http.StatusBadRequest, "invalid_grant")
			}
			if a := w.guess(c, sixth, password); a.status != http.StatusTooManyRequests {
				t.Errorf("%q after five failures under other spellings: %d %s", sixth, a.status, a.raw)
			}
			w.clock.Advance(5 * time.Hour) // the long bucket fills again, too
		}
		for n, name := range []string{"zoë", "ZOË", "zoe\u0308", "ｚｏë", " zoë"} { // nobody's name has one bucket as well
			w.want(w.guess(c, name, "wrong"), http.StatusBadRequest, "invalid_grant")
			if n == 4 {
				w.want(w.guess(c, "Zoë ", "wrong"), http.StatusTooManyRequests, "slow_down")
			}
		}
	})
}

// seenFromOutside is an answer without what differs between any two.
func seenFromOutside(a answer) (status int, header http.Header, raw string) {
	h := a.header.Clone()
	h.Del("X-Request-Id")
	h.Del("Date")
	return a.status, h, a.raw
}

func TestUnknownWrongDisabledAndPasswordlessLookTheSame(t *testing.T) {
	each(t, func(w *world) {
		by := account.By{Actor: "test"}
		w.user("known")
		w.must(w.provider.People().Disable(t.Context(), w.user("disabled").ID, by))
		_, err := w.provider.People().Create(t.Context(), storage.User{Username: "passwordless"}, storage.Secret{}, by)
		w.must(err)
		w.enrol(w.user("second"))
		// Five names five times are fewer failures than an address has.
		names := map[string]string{
			"wrong": "known", "unknown": "unknown", "disabled": "disabled", "passwordless": "passwordless", "second factor": "second",
		}
		strange := maps.Clone(names)
		maps.Copy(strange, map[string]string{"impossible": "no such name", "long": strings.Repeat("x", 5000), "mangled": "a@b@c"})
		for kind, c := range map[string]app{"confidential": w.confidential(), "public": w.public()} {
			names := names
			if kind == "confidential" {
				names = strange
			}
			for attempt := range 7 {
				var first *answer
				for what, name := range names {
					a := w.guess(c, name, "wrong")
					if first == nil {
						first = &a
					}
					status, header, raw := seenFromOutside(a)
					wantStatus, wantHeader, wantRaw := seenFromOutside(*first)
					if status != wantStatus || raw != wantRaw || !maps.EqualFunc(header, wantHeader, slices.Equal) {
						t.Errorf("%s, attempt %d, %s: %d %v %s\nothers: %d %v %s", kind, attempt+1, what, status, header, raw, wantStatus, wantHeader, wantRaw)
					}
				}
				if want := map[bool]int{true: http.StatusBadRequest, false: http.StatusTooManyRequests}[attempt < 5]; first.status != want {
					t.Errorf("%s, attempt %d: %d, want %d", kind, attempt+1, first.status, want)
				}
				if first.status == http.StatusTooManyRequests {
					if wait, err := strconv.Atoi(first.header.Get("Retry-After")); err != nil || wait < 1 || wait > 30 {
						t.Errorf("Retry-After %q", first.header.Get("Retry-After"))
					}
				}
			}
			w.clock.Advance(10 * time.Minute)
		}
		// The right password of somebody who may not sign in is no different either.
		for _, name := range []string{"disabled", "passwordless"} {
			w.want(w.guess(w.confidential(), name, password), http.StatusBadRequest, "invalid_grant")
		}
	})
}

func TestOnlyFailuresCountAndTheyAreForgottenInTime(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		c := w.confidential()
		for range 4 {
			w.want(w.guess(c, "ada", "wrong"), http.StatusBadRequest, "invalid_grant")
		}
		for range 10 { // each takes the last attempt and gives it back
			w.want(w.guess(c, "ada", password), http.StatusOK, "")
		}
		w.want(w.guess(c, "ada", "wrong"), http.StatusBadRequest, "invalid_grant")
		refused := w.guess(c, "ada", password)
		w.want(refused, http.StatusTooManyRequests, "slow_down")
		wait, err := strconv.Atoi(refused.header.Get("Retry-After"))
		w.must(err)
		w.clock.Advance(time.Duration(wait-1) * time.Second)
		w.want(w.guess(c, "ada", password), http.StatusTooManyRequests, "slow_down")
		w.clock.Advance(time.Second)
		w.want(w.guess(c, "ada", password), http.StatusOK, "")
	})
}

func TestAClientThatForwardsPasswordsIsItsOwnBucket(t *testing.T) {
	each(t, func(w *world) {
		w.user("ada")
		public, confidential := w.public(), w.confidential()
		flood := func(c app) (slowed int) {
			for i := range 35 {
				if a := w.guess(c, "nobody"+strconv.Itoa(i), "wrong"); a.status == http.StatusTooManyRequests {
					slowed++
				}
			}
			return slowed
		}
		if n := flood(confidential); n != 0 {
			t.Errorf("35 people's failures at a confidential client: %d were slowed down", n)
		}
		w.want(w.guess(public, "ada", password), http.StatusOK, "")
		if n := flood(public); n != 5 {
			t.Errorf("35 failures from one address: %d were slowed down, want 5", n)
		}
		w.want(w.guess(public, "ada", password), http.StatusTooManyRequests, "slow_down")
		w.want(w.guess(confidential, "ada", password), http.StatusOK, "")
		// Nobody gets another bucket by saying that he is somewhere else.
		elsewhere := http.Header{
			"X-Forwarded-For": {"192.0.2.7"}, "X-Real-Ip": {"192.0.2.7"}, "Forwarded": {"for=192.0.2.7"}, "True-Client-Ip": {"192.0.2.7"},
		}
		body := w.as(public, form("grant_type", "password", "username", "ada", "password", password)).Encode()
		w.want(w.send(http.MethodPost, "/oauth2/token", elsewhere, body), http.StatusTooManyRequests, "slow_down")
	})
}
