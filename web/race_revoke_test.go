package web_test

import (
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/storage"
)

// fewer is how often the races are run that cost a sign-in each.
const fewer = 15

func TestRevocationIsFinalHoweverManyRefreshMeanwhile(t *testing.T) {
	eachPair(t, func(nodes [2]*world) {
		w := nodes[0]
		c := w.confidential(balanced, opaque)
		w.user("ada")
		for round := range fewer {
			first := w.login(c, "ada", "scope", "api:read")
			var revoked atomic.Bool
			var mu sync.Mutex
			handed := []string{first.access(), first.refresh()}
			together(9, func(i int) answer {
				if i == 8 {
					a := nodes[round%2].direct(w.Context(), "/oauth2/revoke", c, form("token", first.refresh()))
					revoked.Store(a.status == http.StatusOK)
					return a
				}
				node, token := nodes[i%2], first.refresh()
				for range 200 {
					late := revoked.Load() // as it was when this request set out
					a := node.present(c, token)
					if a.status != http.StatusOK {
						return a
					}
					if late {
						w.Errorf("round %d: a refresh that began after the revocation's 200 was answered 200", round)
					}
					mu.Lock()
					handed = append(handed, a.access(), a.refresh())
					mu.Unlock()
					token = a.refresh()
				}
				return answer{}
			})
			if !revoked.Load() {
				w.Fatalf("round %d: the revocation was not answered 200", round)
			}
			for _, token := range append(handed[:2:2], handed[len(handed)-2:]...) {
				dead(nodes, c, token)
			}
			w.clock.Advance(time.Hour)
		}
	})
}

func TestNoGrantOfTheOldPasswordOutlivesItsChange(t *testing.T) {
	eachPair(t, func(nodes [2]*world) {
		w := nodes[0]
		c := w.confidential(balanced, opaque)
		for round := range fewer {
			name := "ada" + strconv.Itoa(round)
			u := w.user(name)
			signIn := func(node *world, word string) answer {
				return node.direct(w.Context(), "/oauth2/token", c, form("grant_type", "password", "username", name, "password", word, "scope", "api:read"))
			}
			before := signIn(w, password)
			w.want(before, http.StatusOK, "")
			const fresh = "an entirely different set of words 42"
			answers := together(5, func(i int) answer {
				if i == 4 {
					err := nodes[round%2].provider.People().SetPassword(w.Context(), u.ID, storage.NewSecret([]byte(fresh)), account.By{Actor: "test"})
					if err != nil {
						w.Errorf("round %d: changing the password: %v", round, err)
					}
					return answer{}
				}
				return signIn(nodes[i%2], password)
			})
			for _, a := range append(answers[:4], before) {
				if a.status == http.StatusOK {
					dead(nodes, c, a.access())
					dead(nodes, c, a.refresh())
				}
			}
			w.clock.Advance(time.Hour) // whoever came late with the old password has used up attempts
			w.want(signIn(nodes[1], password), http.StatusBadRequest, "invalid_grant")
			w.want(signIn(nodes[1], fresh), http.StatusOK, "")
		}
	})
}

func TestACrowdWithOneMFATokenSignsInOnce(t *testing.T) {
	eachPair(t, func(nodes [2]*world) {
		w := nodes[0]
		c, u := w.confidential(opaque), w.user("ada")
		secret, _ := w.enrol(u)
		for round := range fewer {
			half := w.token(c, "grant_type", "password", "username", "ada", "password", password)
			w.want(half, http.StatusBadRequest, "mfa_required")
			code := w.code(secret)
			won := 0
			for _, a := range together(crowd/2, func(i int) answer {
				return nodes[i%2].direct(w.Context(), "/oauth2/token", c, form(
					"grant_type", "urn:signet:oauth:grant-type:mfa-otp", "mfa_token", half.text("mfa_token"), "otp", code))
			}) {
				switch {
				case a.status == http.StatusOK:
					won++
				case a.text("error") != "invalid_grant" && a.status != http.StatusTooManyRequests && a.status != http.StatusServiceUnavailable:
					w.Fatalf("round %d: answer %d %s", round, a.status, a.raw)
				}
			}
			if won != 1 {
				w.Errorf("round %d: one mfa_token and one code signed in %d times", round, won)
			}
			w.clock.Advance(8 * time.Hour) // the attempts that the others used up come back
		}
	})
}
