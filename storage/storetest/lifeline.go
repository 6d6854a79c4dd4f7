package storetest

import (
	"context"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func lifelinePromises() []promise {
	return []promise{
		{"PingTellsTheStoresClock", pingTellsClock},
		{"EveryMethodIsInTheTableOfCalls", callTableComplete},
		{"ACallWithACancelledContextEndsWithASentinel", cancelledContext},
		{"EveryCallAfterCloseIsUnavailable", closedIsUnavailable},
		{"CloseWaitsForWritesUnderWay", closeWaits},
	}
}

func pingTellsClock(t *testing.T, s *subject) {
	s.clock.Advance(time.Hour + time.Microsecond)
	now, err := s.Ping(t.Context())
	ok(t, err)
	same(t, s.clock.Now(), now)
}

// callEach calls every method of the store but Close, each with arguments that would succeed or meet an absent row.
func callEach(ctx context.Context, s storage.Store, each func(method string, err error)) {
	each("CreateGrant", s.CreateGrant(ctx, bareGrant(50), storage.Spend{}, storage.Also{}))
	each("RedeemGrant", s.RedeemGrant(ctx, storage.Redemption{Grant: bareGrant(51), Revision: 1}))
	each("RotateGrant", s.RotateGrant(ctx, stepTo(10, 1, 1)))
	each("TryGrant", s.TryGrant(ctx, id(10), 1))
	each("ReturnAttempts", s.ReturnAttempts(ctx, []storage.Take{bucket("a", 1, time.Hour)}))
	each("DenyToken", s.DenyToken(ctx, storage.Denial{GrantID: id(10), Serial: 1, ExpiresAt: start.Add(time.Hour)}))
	each("CreateClient", s.CreateClient(ctx, bareClient("c"), storage.Also{}))
	each("UpdateClient", s.UpdateClient(ctx, bareClient("c"), storage.Also{}))
	each("DeleteClient", s.DeleteClient(ctx, "c", storage.Also{}))
	each("SpendAssertion", s.SpendAssertion(ctx, digest("a"), start))
	each("CreateResource", s.CreateResource(ctx, bareResource("r"), storage.Also{}))
	each("UpdateResource", s.UpdateResource(ctx, bareResource("r"), storage.Also{}))
	each("DeleteResource", s.DeleteResource(ctx, "r", storage.Also{}))
	each("CreateUser", s.CreateUser(ctx, bareUser(1), "", storage.Also{}))
	each("UpdateUser", s.UpdateUser(ctx, bareUser(1), storage.ReasonAdmin, storage.Also{}))
	each("DeleteUser", s.DeleteUser(ctx, id(1), storage.Also{}))
	each("SetPassword", s.SetPassword(ctx, id(1), 0, "hash", storage.Also{}))
	each("RemoveFactor", s.RemoveFactor(ctx, id(1), id(5), 1, storage.Also{}))
	each("ReplaceRecoveryCodes", s.ReplaceRecoveryCodes(ctx, id(1), 1, []storage.Digest{digest("a")}, storage.Also{}))
	each("RaiseHash", s.RaiseHash(ctx, id(1), "hash", "costlier"))
	each("EnrollTOTP", s.EnrollTOTP(ctx, fullTOTP(5, 1), storage.Also{}))
	each("ConfirmTOTP", s.ConfirmTOTP(ctx, id(1), id(5), 0, 1, nil, storage.Also{}))
	each("FinishLetter", s.FinishLetter(ctx, id(1), 1))
	each("RetryLetter", s.RetryLetter(ctx, id(1), 1, time.Second))
	each("SplitLetter", s.SplitLetter(ctx, id(1), 1, []storage.Letter{{Kind: "a"}}))
	each("RecordEvents", s.RecordEvents(ctx, []storage.Event{{Kind: "a"}}))
	each("RecordRefusals", s.RecordRefusals(ctx, []storage.RefusedRequest{{ID: "a", ClientID: "c"}}, storage.RefusalBound{}))
	move := storage.KeyMove{ID: "a", From: storage.KeyActive, To: storage.KeyRetiring}
	each("ChangeKeys", s.ChangeKeys(ctx, storage.KeyChange{Moves: []storage.KeyMove{move}}))
	each("ResealKey", s.ResealKey(ctx, "a", []byte{1}, []byte{2}))
	each("ResealSeed", s.ResealSeed(ctx, id(5), []byte{1}, []byte{2}))
	callReaders(ctx, s, each)
	callChain(ctx, s, each)
	callPasskeys(ctx, s, each)
	callBrowsers(ctx, s, each)
	callTickets(ctx, s, each)
	callRegistrations(ctx, s, each)
}

// callBrowsers calls the methods that serve people at browsers.
func callBrowsers(ctx context.Context, s storage.Store, each func(method string, err error)) {
	each("StartSession", s.StartSession(ctx, bareSession(70, 1), 5, storage.Spend{}, storage.Also{}))
	each("ChangeSession", s.ChangeSession(ctx, bareSession(70, 1), storage.Spend{}, storage.Also{}))
	each("TouchSession", s.TouchSession(ctx, id(70), storage.Seen{}))
	each("RememberDevice", s.RememberDevice(ctx, fullDevice(60, 1), 1, storage.Also{}))
	each("RememberConsent", s.RememberConsent(ctx, storage.Consent{UserID: id(1), ClientID: "c"}, storage.Also{}))
	each("PushRequest", s.PushRequest(ctx, fullPushed("c", "a")))
	_, _, err := s.FindSessions(ctx, []storage.Digest{digest("a")})
	each("FindSessions", err)
	_, err = s.EndSessions(ctx, storage.SessionsOf{UserID: id(1)}, storage.ReasonLogout, storage.Also{})
	each("EndSessions", err)
	_, _, err = s.ListSessions(ctx, id(1))
	each("ListSessions", err)
	_, _, err = s.FindDevices(ctx, []storage.Digest{digest("a")})
	each("FindDevices", err)
	_, err = s.ListDevices(ctx, id(1))
	each("ListDevices", err)
	_, err = s.ForgetDevices(ctx, id(1), storage.ID{}, storage.Also{})
	each("ForgetDevices", err)
	_, err = s.FindConsent(ctx, id(1), "c")
	each("FindConsent", err)
	_, err = s.ListConsents(ctx, id(1))
	each("ListConsents", err)
	_, err = s.WithdrawConsent(ctx, id(1), "c", storage.Also{})
	each("WithdrawConsent", err)
	_, _, err = s.FindPushed(ctx, digest("a"))
	each("FindPushed", err)
	_, err = s.FindUserCode(ctx, digest("a"))
	each("FindUserCode", err)
}

// callChain calls the methods of the audit chain.
func callChain(ctx context.Context, s storage.Store, each func(method string, err error)) {
	_, _, err := s.UnchainedEvents(ctx, 10)
	each("UnchainedEvents", err)
	each("ChainEvents", s.ChainEvents(ctx, 7, linksAfter(7, 1, 1), checkpoint(8)))
	_, err = s.ChainedEvents(ctx, 0, 10)
	each("ChainedEvents", err)
	_, _, err = s.ListCheckpoints(ctx, 0, 10)
	each("ListCheckpoints", err)
	_, _, err = s.StaleCheckpoints(ctx, []byte{1}, 0, 10)
	each("StaleCheckpoints", err)
	each("ResealCheckpoint", s.ResealCheckpoint(ctx, 1, []byte{1}, []byte{2}))
}

// callReaders calls the methods that return something beside their error.
func callReaders(ctx context.Context, s storage.Store, each func(method string, err error)) {
	_, err := s.FindGrant(ctx, id(10))
	each("FindGrant", err)
	_, err = s.RevokeGrant(ctx, storage.Revocation{ID: id(10), Reason: storage.ReasonUser})
	each("RevokeGrant", err)
	_, err = s.RevokeGrants(ctx, storage.GrantsOf{UserID: id(1)}, storage.Revocation{Reason: storage.ReasonUser})
	each("RevokeGrants", err)
	_, err = s.TakeAttempts(ctx, []storage.Take{bucket("a", 1, time.Hour)})
	each("TakeAttempts", err)
	_, _, err = s.TokenDenied(ctx, id(10), 1)
	each("TokenDenied", err)
	_, _, err = s.FindClient(ctx, "c")
	each("FindClient", err)
	_, err = s.ListClients(ctx, "", 10)
	each("ListClients", err)
	_, err = s.FindResources(ctx, []string{"r"})
	each("FindResources", err)
	_, err = s.ListResources(ctx, "", 10)
	each("ListResources", err)
	_, err = s.FindUser(ctx, id(1))
	each("FindUser", err)
	_, err = s.FindLogin(ctx, "a")
	each("FindLogin", err)
	_, err = s.ListUsers(ctx, storage.ID{}, 10)
	each("ListUsers", err)
	_, _, err = s.FindEnrollment(ctx, id(1))
	each("FindEnrollment", err)
	_, err = s.RemoveFactors(ctx, id(1), storage.Also{})
	each("RemoveFactors", err)
	_, err = s.EstablishKeys(ctx, madeKeys("a"))
	each("EstablishKeys", err)
	_, _, err = s.ListKeys(ctx)
	each("ListKeys", err)
	_, _, err = s.StaleSeeds(ctx, []byte{1}, storage.ID{}, 10)
	each("StaleSeeds", err)
	_, err = s.ClaimLetters(ctx, 10, time.Minute)
	each("ClaimLetters", err)
	_, err = s.ListEvents(ctx, storage.EventFilter{})
	each("ListEvents", err)
	_, _, err = s.ListGrants(ctx, storage.GrantsOf{UserID: id(1)}, storage.ID{}, 10)
	each("ListGrants", err)
	_, err = s.FindRefusal(ctx, "a")
	each("FindRefusal", err)
	_, err = s.SweepRefusals(ctx, 10, time.Hour)
	each("SweepRefusals", err)
	_, err = s.TakeLease(ctx, "a", "a", time.Minute)
	each("TakeLease", err)
	_, err = s.SweepExpired(ctx, 10, 0, 0)
	each("SweepExpired", err)
	_, _, err = s.WalkGrants(ctx, storage.ID{}, 10)
	each("WalkGrants", err)
	_, err = s.DropGrants(ctx, []storage.GrantAge{{ID: id(10), Revision: 1}})
	each("DropGrants", err)
	_, err = s.Ping(ctx)
	each("Ping", err)
}

func callTableComplete(t *testing.T, s *subject) {
	called := map[string]bool{"Close": true}
	callEach(t.Context(), s, func(method string, err error) {
		called[method] = true
		if err != nil && !is(err, storage.ErrNotFound) && !is(err, storage.ErrMoved) && !is(err, storage.ErrSpent) {
			t.Errorf("%s on an empty store: %v", method, err)
		}
	})
	for _, method := range methodNames() {
		if !called[method] {
			t.Errorf("%s is not in the table of calls", method)
		}
	}
}

func cancelledContext(t *testing.T, s *subject) {
	s.create(t, bareGrant(10))
	before := s.grant(t, id(10))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	failed := map[string]error{}
	callEach(ctx, s, func(method string, err error) {
		if !is(err, storage.ErrUnavailable) && !is(err, storage.ErrUnknown) {
			t.Errorf("%s with a cancelled context: %v, want ErrUnavailable or ErrUnknown", method, err)
		}
		failed[method] = err
	})
	expired, stop := context.WithDeadline(t.Context(), time.Unix(0, 0))
	defer stop()
	_, err := s.FindGrant(expired, id(10))
	fails(t, err, storage.ErrUnavailable)

	if is(failed["CreateGrant"], storage.ErrUnavailable) {
		s.absent(t, 50)
	}
	if is(failed["RotateGrant"], storage.ErrUnavailable) && is(failed["RevokeGrant"], storage.ErrUnavailable) &&
		is(failed["DropGrants"], storage.ErrUnavailable) {
		same(t, before, s.grant(t, id(10)))
	}
	for _, read := range []string{
		"FindGrant", "FindClient", "FindUser", "FindLogin", "ListUsers", "ListClients", "ListEvents", "Ping", "ListGrants", "FindRefusal",
		"FindSessions", "ListSessions", "FindDevices", "ListDevices", "FindConsent", "ListConsents", "FindPushed", "FindUserCode",
		"FindTicket", "FindInvitation", "ListTickets", "RipeTickets",
		"ListOwnClients", "ListAwaiting", "FindRegistrationToken", "ListRegistrationTokens", "ListUsage", "ListSecretUses", "ListRefusals",
		"UnchainedEvents", "ChainedEvents", "ListCheckpoints", "StaleCheckpoints", "FindPasskey",
	} {
		fails(t, failed[read], storage.ErrUnavailable) // a read leaves no outcome unknown
	}
}

func closedIsUnavailable(t *testing.T, s *subject) {
	s.create(t, bareGrant(10))
	ok(t, s.Close())
	callEach(t.Context(), s, func(method string, err error) {
		if !is(err, storage.ErrUnavailable) {
			t.Errorf("%s after Close: %v, want ErrUnavailable", method, err)
		}
	})
}

func closeWaits(t *testing.T, s *subject) {
	const writers = 32
	errs := together(t, writers+1, nil, func(i int) error {
		if i == writers {
			return s.Close()
		}
		return s.CreateGrant(t.Context(), bareGrant(i), storage.Spend{}, storage.Also{})
	})
	ok(t, errs[writers])
	for _, err := range errs[:writers] {
		if err != nil {
			fails(t, err, storage.ErrUnavailable) // nobody's outcome is unknown: Close has waited
		}
	}
}
