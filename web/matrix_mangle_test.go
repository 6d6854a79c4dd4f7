package web_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
)

const base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// spoilt are the ways in which text is nearly itself: cut short at every length, changed by one character at every position, and
// longer. every is 1 for all of them; for a long text, n cuts at every n-th length but keeps the edits.
func spoilt(text string, every int) (all []string) {
	for n := range len(text) {
		if n%every == 0 || n < 8 || len(text)-n < 8 {
			all = append(all, text[:n])
		}
	}
	for i := range len(text) {
		value := strings.IndexByte(base64url, text[i])
		if value < 0 { // a dot or an underscore of the form
			all = append(all, text[:i]+"A"+text[i+1:])
			continue
		}
		// The lowest bit: at the end of a part it may be a spare one, which decodes to the same bytes.
		all = append(all, text[:i]+string(base64url[value^1])+text[i+1:])
		if every == 1 {
			all = append(all, text[:i]+string(base64url[value^32])+text[i+1:], text[:i]+"="+text[i+1:])
		}
	}
	for _, more := range []string{"A", "=", "==", ".", "AAAA", "%00"} {
		all = append(all, text+more)
	}
	return append(all, "A"+text, text[1:], text+text, strings.ToUpper(text), strings.ToLower(text), text[:4]+text)
}

// spaced is spoilt with what an HTTP header would not carry.
func spaced(text string) []string {
	return append(spoilt(text, 1), " "+text, text+" ", text+"\n", "\t"+text, text+"\x00", text[:10]+"\n"+text[10:], text[:10]+"\r\n"+text[10:])
}

// door is where one kind of token is taken, and what each forged one may cost.
type door struct {
	name   string
	texts  []string
	refuse func(w *world, text string) error
	calls  map[string]int // of the store, for each text
}

func wants(a answer, status int, code string) error {
	if a.status != status || a.text("error") != code {
		return fmt.Errorf("%d %s, want %d %q", a.status, a.raw, status, code)
	}
	return nil
}

// holdings are good tokens of every kind, and what the authenticator shows.
type holdings struct {
	issued, sealed, own answer
	mfaToken            string
	otp                 func() string
}

// tokenDoors are all doors, with everything that they must not take.
func tokenDoors(jwt app, h holdings) []door {
	client := map[string]int{"FindClient": 1}
	inactive := func(w *world, text string) error {
		a := w.post("/oauth2/introspect", jwt, form("token", text))
		if text == "" {
			return wants(a, http.StatusBadRequest, "invalid_request")
		}
		if a.raw != `{"active":false}` {
			return fmt.Errorf("%d %s", a.status, a.raw)
		}
		return nil
	}
	closed := func(w *world, text string) error {
		a := w.userinfo(text)
		if text == "" {
			return wants(a, http.StatusBadRequest, "invalid_request")
		}
		return wants(a, http.StatusUnauthorized, "invalid_token")
	}
	return []door{
		{"refresh token at refresh", spaced(h.issued.refresh()), func(w *world, text string) error {
			code := "invalid_grant"
			if text == "" {
				code = "invalid_request"
			}
			return wants(w.refreshWith(jwt, text), http.StatusBadRequest, code)
		}, client},
		{"mfa_token at mfa", spaced(h.mfaToken), func(w *world, text string) error {
			code := "invalid_grant"
			if text == "" {
				code = "invalid_request"
			}
			return wants(w.redeem(jwt, text, h.otp()), http.StatusBadRequest, code)
		}, client},
		{"refresh token at introspection", spoilt(h.issued.refresh(), 9), inactive, client},
		{"refresh token at revocation", spoilt(h.issued.refresh(), 9)[1:], func(w *world, text string) error {
			return wants(w.post("/oauth2/revoke", jwt, form("token", text)), http.StatusOK, "")
		}, client},
		{"access JWT at introspection", spaced(h.issued.access())[:60], inactive, client},
		{"client's own JWT at introspection", spoilt(h.own.access(), 50), inactive, client},
		{"opaque token at introspection", spaced(h.sealed.access())[:60], inactive, client},
		{"access JWT at userinfo", spoilt(h.issued.access(), 13), closed, nil},
		{"opaque token at userinfo", spoilt(h.sealed.access(), 13), closed, nil},
	}
}

func TestAForgedTokenIsRefusedBeforeAnyQuery(t *testing.T) {
	eachCounted(t, func(w *world, s *tally) {
		w.user("ada")
		seed, _ := w.enrol(w.user("grace"))
		jwt, sealed := w.confidential(), w.confidential(opaque)
		issued, seals, mfaToken := w.login(jwt, "ada"), w.login(sealed, "ada"), w.half(jwt, "grace")
		own := w.token(jwt, "grant_type", "client_credentials")
		doors := tokenDoors(jwt, holdings{issued, seals, own, mfaToken, func() string { return w.code(seed) }})
		for _, d := range doors {
			_ = s.taken()
			for _, text := range d.texts {
				if err := d.refuse(w, text); err != nil {
					t.Fatalf("%s: %q: %v", d.name, text, err)
				}
			}
			want := map[string]int{}
			for call, n := range d.calls {
				want[call] = n * len(d.texts)
			}
			if got := s.taken(); !maps.Equal(got, want) {
				t.Errorf("%s: %d forged tokens cost %v, want %v", d.name, len(d.texts), got, want)
			}
		}
		// And not one of them did anything.
		w.want(w.userinfo(issued.access()), http.StatusOK, "")
		w.want(w.userinfo(seals.access()), http.StatusOK, "")
		if !w.active(jwt, own.access()) {
			t.Error("the client's own token is dead")
		}
		w.want(w.refreshWith(jwt, issued.refresh()), http.StatusOK, "")
		w.want(w.redeem(jwt, mfaToken, w.code(seed)), http.StatusOK, "")
	})
}
