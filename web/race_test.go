package web_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func TestACrowdWithOneBalancedTokenGetsOneSuccessor(t *testing.T) {
	eachPair(t, func(nodes [2]*world) {
		w := nodes[0]
		c := w.public(balanced, opaque)
		w.user("ada")
		token := w.login(c, "ada").refresh()
		for round := range *rounds {
			answers := storm(nodes, c, token)
			successor := answers[0].refresh()
			for _, a := range answers {
				if a.status != http.StatusOK || a.refresh() != successor || successor == token {
					w.Fatalf("round %d: answer %d %s, another got %s", round, a.status, a.raw, answers[0].raw)
				}
			}
			token = successor
			w.clock.Advance(61 * time.Second)
		}
		oneRow(w, func(g storage.Grant) {
			if want := uint32(1 + *rounds); g.Generation != want {
				w.Errorf("generation %d after %d rounds, want %d", g.Generation, *rounds, want)
			}
		})
	})
}

func TestACrowdWithOneStrictTokenHasOneWinnerAndThenARevokedGrant(t *testing.T) {
	eachPair(t, func(nodes [2]*world) {
		w := nodes[0]
		c := w.confidential(strict, opaque)
		w.user("ada")
		for round := range *rounds {
			first := w.direct(w.Context(), "/oauth2/token", c, form("grant_type", "password", "username", "ada", "password", password, "scope", "api:read"))
			w.want(first, http.StatusOK, "")
			var won []answer
			for _, a := range storm(nodes, c, first.refresh()) {
				switch {
				case a.status == http.StatusOK:
					won = append(won, a)
				case a.status != http.StatusBadRequest || a.text("error") != "invalid_grant":
					w.Fatalf("round %d: a loser is answered %d %s", round, a.status, a.raw)
				}
			}
			if len(won) != 1 {
				w.Fatalf("round %d: %d winners", round, len(won))
			}
			for _, token := range []string{first.access(), won[0].access(), won[0].refresh()} {
				dead(nodes, c, token)
			}
		}
		events, err := w.store.ListEvents(w.Context(), storage.EventFilter{Kind: "grant.reuse", Limit: *rounds + 1})
		w.must(err)
		if len(events) != *rounds {
			w.Errorf("%d audit events of reuse for %d rounds", len(events), *rounds)
		}
	})
}

func TestACrowdWithOneStaticTokenKeepsIt(t *testing.T) {
	eachPair(t, func(nodes [2]*world) {
		w := nodes[0]
		c := w.confidential(static, opaque)
		w.user("ada")
		token := w.login(c, "ada").refresh()
		for round := range *rounds {
			for _, a := range storm(nodes, c, token) {
				if a.status != http.StatusOK || a.refresh() != token {
					w.Fatalf("round %d: answer %d %s", round, a.status, a.raw)
				}
			}
			w.clock.Advance(time.Duration(round%7) * 12 * time.Hour / 7) // some rounds wind the idle clock
		}
		oneRow(w, func(g storage.Grant) {
			if g.Generation != 1 || g.Fork != 0 {
				w.Errorf("a static grant moved to (%d,%d)", g.Generation, g.Fork)
			}
		})
	})
}

// oneRow asserts that there is one grant and hands it to look.
func oneRow(w *world, look func(storage.Grant)) {
	w.Helper()
	page, _, err := w.store.WalkGrants(w.Context(), storage.ID{}, 10)
	w.must(err)
	if len(page) != 1 {
		w.Fatalf("%d grants, want one row", len(page))
	}
	s, err := w.store.FindGrant(w.Context(), page[0].ID)
	w.must(err)
	look(s.Grant)
}
