package storetest

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func sessionEndPromises() []promise {
	return []promise{
		{"AGrantNeedsTheSessionAtTheRevisionItWasReadAt", spendNeedsSession},
		{"HowLongASessionWasIdleOrIsOverIsTheCallersBusiness", idleIsTheCallers},
		{"EndSessionsEndsWhatItSelects", endSessionsSelects},
		{"EndSessionsOfNobodyIsRefused", endSessionsOfNobody},
		{"EndSessionsRevokesWhatWasGivenInThemButForWhatIsOffline", endSessionsRevokes},
		{"EndSessionsTellsTheClientsThatSomethingWasGrantedTo", endSessionsTells},
		{"EndSessionsReportsTheActEvenWhereThereWasNoSession", endSessionsAlso},
		{"TheSessionsUsedLongestAgoEndWhereThereAreTooMany", surplusEnds},
		{"ANewPasswordEndsAllSessions", passwordEndsSessions},
		{"AnUpdateWithAReasonEndsAllSessions", updateEndsSessions},
		{"DeletingAUserEndsAllSessions", deletionEndsSessions},
		{"SweepRemovesSessionsPastTheirEndAndLeavesNoLetter", sweepSessions},
	}
}

// given stores a grant of user 1 in the session: n, that is at client c.
func (s *subject) given(t *testing.T, n, session int, client string, change func(*storage.Grant)) {
	t.Helper()
	g := bareGrant(n)
	g.SessionID, g.ClientID = id(session), client
	if change != nil {
		change(&g)
	}
	s.create(t, g)
}

func offline(g *storage.Grant) { g.Offline = true }

func pending(g *storage.Grant) {
	g.State, g.Pending = storage.Pending, &storage.Waiting{Kind: storage.WaitingCode}
}

// states are those of the grants.
func (s *subject) states(t *testing.T, grants ...int) []storage.State {
	t.Helper()
	var states []storage.State
	for _, n := range grants {
		states = append(states, s.grant(t, id(n)).State)
	}
	return states
}

// told asserts what the letters to applications say: for each session that ended the clients. Other letters there are none.
func (s *subject) told(t *testing.T, user int, want map[int]string) {
	t.Helper()
	for _, letter := range s.claim(t, 100, time.Minute) {
		ok(t, s.FinishLetter(t.Context(), letter.ID, letter.Attempt))
		session, err := storage.ParseID(letter.Data["session_id"])
		ok(t, err)
		clients, wanted := want[int(session[15])]
		if letter.Kind != storage.LetterSessionEnded || letter.UserID != id(user) || len(letter.Data) != 2 || !wanted ||
			letter.Data["client_ids"] != clients || letter.ID[6]>>4 != 7 || !letter.CreatedAt.Equal(s.clock.Now()) {
			t.Fatalf("letter %+v, want one of %v", letter, want)
		}
		delete(want, int(session[15]))
	}
	if len(want) != 0 {
		t.Fatalf("nobody is told of the end of the sessions %v", want)
	}
}

func (s *subject) end(t *testing.T, of storage.SessionsOf) []storage.EndedSession {
	t.Helper()
	ended, err := s.EndSessions(t.Context(), of, storage.ReasonLogout, storage.Also{})
	ok(t, err)
	slices.SortFunc(ended, func(a, b storage.EndedSession) int {
		return strings.Compare(a.Session.ID.String(), b.Session.ID.String())
	})
	return ended
}

func endSessionsSelects(t *testing.T, s *subject) {
	s.user(t, 1)
	s.user(t, 2)
	for _, c := range []struct {
		name string
		of   storage.SessionsOf
		want []int
	}{
		{"one", storage.SessionsOf{ID: id(71)}, []int{71}},
		{"one that expired", storage.SessionsOf{ID: id(70)}, []int{70}},
		{"a user's", storage.SessionsOf{UserID: id(1)}, []int{70, 71, 72}},
		{"a user's but one", storage.SessionsOf{UserID: id(1), Except: id(71)}, []int{70, 72}},
		{"a user's but another's", storage.SessionsOf{UserID: id(1), Except: id(73)}, []int{70, 71, 72}},
		{"one of a user", storage.SessionsOf{ID: id(71), UserID: id(1)}, []int{71}},
		{"another user's", storage.SessionsOf{ID: id(71), UserID: id(2)}, nil},
		{"none", storage.SessionsOf{ID: id(99)}, nil},
		{"nobody's", storage.SessionsOf{UserID: id(3)}, nil},
	} {
		var want []storage.EndedSession
		kept := []int{70, 71, 72, 73}
		for _, n := range kept {
			in := fullSession(n, 1+n/73)
			if n == 70 {
				in.ExpiresAt = start.Add(-time.Hour)
			}
			s.session(t, in)
		}
		for _, n := range c.want {
			want = append(want, storage.EndedSession{Session: s.standing(t, n)})
			kept = slices.DeleteFunc(kept, func(k int) bool { return k == n })
		}
		t.Log(c.name)
		same(t, want, s.end(t, c.of))
		s.live(t, kept...)
		if again := s.end(t, c.of); len(again) != 0 {
			t.Fatalf("ended twice: %+v", again)
		}
		s.nothingDue(t) // nothing was ever granted in them
		s.end(t, storage.SessionsOf{UserID: id(1)})
		s.end(t, storage.SessionsOf{UserID: id(2)})
	}
}

func endSessionsOfNobody(t *testing.T, s *subject) {
	s.user(t, 1)
	s.session(t, bareSession(70, 1))
	for _, of := range []storage.SessionsOf{{}, {Except: id(71)}} {
		ended, err := s.EndSessions(t.Context(), of, storage.ReasonLogout, storage.Also{})
		if err == nil || len(ended) != 0 {
			t.Fatalf("an empty selection ended %d sessions, error %v: it must be refused", len(ended), err)
		}
	}
	s.live(t, 70)
}

func endSessionsRevokes(t *testing.T, s *subject) {
	s.user(t, 1)
	for n := 70; n < 72; n++ {
		s.session(t, bareSession(n, 1))
	}
	for i, session := range []int{70, 71} {
		s.given(t, 10+10*i, session, "c", nil)
		s.given(t, 11+10*i, session, "c", pending)
		s.given(t, 12+10*i, session, "c", offline)
		s.given(t, 13+10*i, session, "c", func(g *storage.Grant) { offline(g); pending(g) })
		s.given(t, 14+10*i, session, "c", func(g *storage.Grant) {
			g.State, g.RevokedAt, g.RevokedReason = storage.Revoked, start.Add(-time.Hour), storage.ReasonReuse
		})
	}
	s.create(t, bareGrant(30)) // in no session
	before := s.grant(t, id(14))
	s.clock.Advance(time.Minute)
	s.end(t, storage.SessionsOf{ID: id(70)})
	active, waiting, over := storage.Active, storage.Pending, storage.Revoked
	same(t, []storage.State{over, over, active, over, over}, s.states(t, 10, 11, 12, 13, 14))
	same(t, []storage.State{active, waiting, active, waiting, over, active}, s.states(t, 20, 21, 22, 23, 24, 30))
	same(t, before, s.grant(t, id(14)))
	for _, n := range []int{10, 11, 13} {
		g := s.grant(t, id(n))
		if g.RevokedReason != storage.ReasonLogout || !g.RevokedAt.Equal(s.clock.Now()) || g.Revision != 2 || g.Pending != nil {
			t.Fatalf("grant %d: %+v", n, g)
		}
	}
	if g := s.grant(t, id(12)); g.Revision != 1 || g.SessionID != id(70) {
		t.Fatalf("the offline grant: %+v", g)
	}
}

func endSessionsTells(t *testing.T, s *subject) {
	s.user(t, 1)
	for n := 70; n < 74; n++ {
		s.session(t, fullSession(n, 1))
	}
	s.given(t, 10, 70, "b", nil)
	s.given(t, 11, 70, "a", pending)
	s.given(t, 12, 70, "B", offline)
	s.given(t, 13, 70, "b", nil)
	s.given(t, 14, 72, "c", nil) // revoked before, its client was told of a sign-in all the same
	_, err := s.RevokeGrant(t.Context(), storage.Revocation{ID: id(14), Reason: storage.ReasonUser})
	ok(t, err)
	s.given(t, 15, 73, "d", nil)
	var want []storage.EndedSession
	for n, clients := range [][]string{{"B", "a", "b"}, nil, {"c"}} {
		want = append(want, storage.EndedSession{Session: s.standing(t, 70+n), ClientIDs: clients})
	}
	s.clock.Advance(time.Second)
	same(t, want, s.end(t, storage.SessionsOf{UserID: id(1), Except: id(73)}))
	s.told(t, 1, map[int]string{70: "B a b", 72: "c"})
}

func endSessionsAlso(t *testing.T, s *subject) {
	ended, err := s.EndSessions(t.Context(), storage.SessionsOf{UserID: id(1)}, storage.ReasonLogout, storage.Also{
		Events: []storage.Event{{Kind: "a"}}, Letters: []storage.Letter{{Kind: "a"}},
	})
	ok(t, err)
	if len(ended) != 0 || len(s.events(t, storage.EventFilter{})) != 1 {
		t.Fatalf("%d ended, %d events, want none and 1", len(ended), len(s.events(t, storage.EventFilter{})))
	}
	s.claimOne(t, time.Minute)
}
