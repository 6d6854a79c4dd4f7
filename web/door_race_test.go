package web_test

import (
	"net/http"
	"testing"

	"github.com/signet-idp/signet/storage"
)

func TestACrowdWithOneCodeHasAtMostOneWinnerAndThenARevokedGrant(t *testing.T) {
	eachPair(t, func(nodes [2]*world) {
		w := nodes[0]
		c := w.relying(firstParty, opaque)
		w.user("ada")
		b, times := w.signedIn(c, "", "ada"), (*rounds+4)/5
		for round := range times {
			code := b.once(authorize(c, "scope", "openid offline_access"), nil).query().Get("code")
			v := form("grant_type", "authorization_code", "code", code, "redirect_uri", callback, "code_verifier", codeVerifier)
			var won []answer
			for _, a := range together(crowd, func(i int) (a answer) {
				for range 5 { // on a machine that is busy, the database may not be asked in time
					if a = nodes[i%len(nodes)].direct(w.Context(), "/oauth2/token", c, v); a.status != http.StatusServiceUnavailable {
						break
					}
				}
				return a
			}) {
				switch {
				case a.status == http.StatusOK:
					won = append(won, a)
				case a.status != http.StatusServiceUnavailable && (a.status != http.StatusBadRequest || a.text("error") != "invalid_grant"):
					w.Fatalf("round %d: a loser is answered %d %s", round, a.status, a.raw)
				}
			}
			if len(won) > 1 {
				w.Fatalf("round %d: %d winners", round, len(won))
			}
			for _, a := range won {
				dead(nodes, c, a.access())
				dead(nodes, c, a.refresh())
			}
		}
		events, err := w.store.ListEvents(w.Context(), storage.EventFilter{Kind: "grant.code_replay", Limit: times + 1})
		w.must(err)
		if len(events) != times {
			w.Errorf("%d audit events of replay for %d rounds", len(events), times)
		}
	})
}
