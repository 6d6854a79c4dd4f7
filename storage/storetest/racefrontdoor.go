package storetest

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/signet-idp/signet/storage"
)

func frontDoorRaces() []race {
	return []race{
		{"OneDigestIsOnePushedRequest", "PushRequest", racePush},
		{"OnePushedRequestBuysOneGrant", "CreateGrant", racePushed},
		{"OneCodeIsRedeemedOnce", "RedeemGrant RevokeGrant", raceRedeemOneCode},
		{"OnePollAndOneAnswerOfADeviceMoveItsGrant", "RedeemGrant", raceDevice},
		{"OneUserCodeNamesOnePendingGrant", "CreateGrant", raceUserCode},
		{"NoConsentIsLostToAnother", "RememberConsent", raceConsent},
		{"EachGrantIsRevokedByOneOfManyWithdrawals", "WithdrawConsent RememberConsent", raceWithdraw},
	}
}

func racePush(t *testing.T, s *subject) {
	s.clients(t, "c")
	won := s.oneWins(t, storage.ErrTaken, func(i int) error {
		r := fullPushed("c", "a")
		r.Params = fmt.Sprint(i)
		return s.PushRequest(t.Context(), r)
	})
	got, _, err := s.FindPushed(t.Context(), digest("a"))
	ok(t, err)
	if got.Params != fmt.Sprint(won) {
		t.Fatalf("contender %d won, and the row is %s's", won, got.Params)
	}
}

func racePushed(t *testing.T, s *subject) {
	s.user(t, 1)
	s.clients(t, "c")
	s.session(t, bareSession(70, 1))
	s.push(t, fullPushed("c", "a"))
	spend := s.proof(t, 1)
	spend.SessionID, spend.SessionRevision, spend.Pushed = id(70), 1, digest("a")
	s.oneWins(t, storage.ErrSpent, func(i int) error {
		return s.CreateGrant(t.Context(), codeGrant(10+i), spend, storage.Also{Events: []storage.Event{{Kind: "grant.given"}}})
	})
	s.oneGrantAndEvent(t)
}

// raceRedeemOneCode: the exchanges of one code race the revocation for its second use. The one that redeems it is the only one,
// and what it made does not outlive the revocation.
func raceRedeemOneCode(t *testing.T, s *subject) {
	for n := 1; n <= 10; n++ {
		s.create(t, codeGrant(n))
		var redeemed, first atomic.Int64
		for _, err := range s.contend(t, func(i int) error {
			if i%4 == 3 {
				was, err := s.RevokeGrant(t.Context(), storage.Revocation{ID: id(n), Reason: storage.ReasonCodeReplay})
				if was {
					first.Add(1)
				}
				return err
			}
			g := bareGrant(n)
			g.CodeHash, g.Nonce = codeGrant(n).CodeHash, fmt.Sprint(i)
			err := s.RedeemGrant(t.Context(), storage.Redemption{Grant: g, Revision: 1})
			if err == nil {
				redeemed.Add(1)
			}
			return err
		}) {
			if err != nil {
				fails(t, err, storage.ErrMoved)
			}
		}
		g := s.grant(t, id(n))
		if redeemed.Load() > 1 || first.Load() != 1 || g.State != storage.Revoked || g.Revision != 2+redeemed.Load() ||
			g.CodeHash != codeGrant(n).CodeHash {
			t.Fatalf("redeemed %d times, revoked %d times: %+v", redeemed.Load(), first.Load(), g)
		}
	}
}

func raceDevice(t *testing.T, s *subject) {
	s.create(t, deviceGrant(10, "a"))
	for round := int64(1); round <= 5; round++ {
		won := s.oneWins(t, storage.ErrMoved, func(i int) error {
			g := deviceGrant(10, "a")
			g.Nonce = fmt.Sprint(i)
			if i%2 == 0 { // the person
				g.UserID = id(1)
			}
			return s.RedeemGrant(t.Context(), storage.Redemption{Grant: g, Revision: round})
		})
		if g := s.grant(t, id(10)); g.Nonce != fmt.Sprint(won) || g.Revision != round+1 || g.UserID.IsZero() != (won%2 == 1) {
			t.Fatalf("contender %d won, and the row is %+v", won, g)
		}
	}
}

func raceUserCode(t *testing.T, s *subject) {
	won := s.oneWins(t, storage.ErrTaken, func(i int) error {
		return s.CreateGrant(t.Context(), deviceGrant(10+i, "a"), storage.Spend{}, storage.Also{Events: []storage.Event{{Kind: "device"}}})
	})
	found, err := s.FindUserCode(t.Context(), digest("a"))
	ok(t, err)
	if found.Grant.ID != id(10+won) {
		t.Fatalf("contender %d won, and the code finds %s", won, found.Grant.ID)
	}
	s.oneGrantAndEvent(t)
}

func raceConsent(t *testing.T, s *subject) {
	s.user(t, 1)
	s.clients(t, "c")
	allOK(t, s.contend(t, func(i int) error {
		return s.RememberConsent(t.Context(), storage.Consent{
			UserID: id(1), ClientID: "c", Scope: []string{fmt.Sprint(i), "openid"}, Claims: []string{fmt.Sprint(i)},
		}, storage.Also{})
	}))
	if c := s.allowed(t, 1, "c"); len(c.Scope) != contenders+1 || len(c.Claims) != contenders {
		t.Fatalf("%d scopes and %d claims were kept of %d consents", len(c.Scope), len(c.Claims), contenders)
	}
}

func raceWithdraw(t *testing.T, s *subject) {
	const grants = 20
	s.user(t, 1)
	s.clients(t, "c")
	for n := range grants {
		s.given(t, n, 70, "c", nil)
	}
	var revoked atomic.Int64
	allOK(t, s.contend(t, func(i int) error {
		if i%2 == 0 {
			return s.RememberConsent(t.Context(), fullConsent(1, "c"), storage.Also{})
		}
		n, err := s.WithdrawConsent(t.Context(), id(1), "c", storage.Also{})
		revoked.Add(int64(n))
		return err
	}))
	if revoked.Load() != grants {
		t.Fatalf("%d of %d grants were revoked", revoked.Load(), grants)
	}
}
