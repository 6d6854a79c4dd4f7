package storetest

import (
	"slices"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

func alsoPromises() []promise {
	promises := []promise{
		{"EveryVerbThatTakesAnAlsoIsInTheTable", alsoTableComplete},
		{"AnAlsoThatCannotBeStoredUndoesTheAct", alsoUndoesAct},
		{"ASecondRevocationWritesNoAlso", alsoOfSecondRevocation},
		{"RevokeGrantsReportsTheActEvenWhereThereWasNoGrant", alsoOfEmptyRevocation},
	}
	for _, verb := range slices.Concat(alsoVerbs(), browserAlsoVerbs(), passkeyAlsoVerbs(), ticketAlsoVerbs(), registrationAlsoVerbs()) {
		promises = append(promises, promise{verb.name + "CommitsItsAlsoOrNothing", verb.prove})
	}
	return promises
}

// alsoVerb is a verb that takes an Also. fail is called on an empty store, and must fail; then stage makes the store ready for
// act, which must not.
type alsoVerb struct {
	name  string
	stage func(t *testing.T, s *subject)
	act   func(t *testing.T, s *subject, also storage.Also) error
	fail  func(t *testing.T, s *subject, also storage.Also) error
}

func (v alsoVerb) prove(t *testing.T, s *subject) {
	if err := v.fail(t, s, storage.Also{Events: []storage.Event{fullEvent(1)}, Letters: []storage.Letter{fullLetter(1)}}); err == nil {
		t.Fatal("the act that was to fail did not")
	}
	if events := s.events(t, storage.EventFilter{}); len(events) != 0 {
		t.Fatalf("the act failed, and its events stand in the log: %+v", events)
	}
	s.nothingDue(t)

	v.stage(t, s)
	event, letter := fullEvent(1), fullLetter(1)
	ok(t, v.act(t, s, storage.Also{Events: []storage.Event{event, {Kind: "second"}}, Letters: []storage.Letter{letter, {Kind: "second"}}}))
	event.At, letter.CreatedAt, letter.Attempt = start, start, 1
	same(t, []storage.Event{event}, s.events(t, storage.EventFilter{Kind: event.Kind}))
	if n := len(s.events(t, storage.EventFilter{})); n != 2 {
		t.Fatalf("%d events, want 2", n)
	}
	letters := s.claim(t, 10, time.Minute)
	if len(letters) != 2 {
		t.Fatalf("%d letters, want 2", len(letters))
	}
	if letters[0].ID != letter.ID {
		letters[0], letters[1] = letters[1], letters[0]
	}
	same(t, letter, letters[0])
}

type actor = func(t *testing.T, s *subject, also storage.Also) error

func alsoVerbs() []alsoVerb {
	aUser := func(t *testing.T, s *subject) { s.user(t, 1) }
	aClient := func(t *testing.T, s *subject) { ok(t, s.CreateClient(t.Context(), bareClient("c"), storage.Also{})) }
	aResource := func(t *testing.T, s *subject) {
		ok(t, s.CreateResource(t.Context(), bareResource("urn:r"), storage.Also{}))
	}
	nothing := func(*testing.T, *subject) {}
	createGrant := func(spend storage.Spend) actor {
		return func(t *testing.T, s *subject, a storage.Also) error {
			return s.CreateGrant(t.Context(), bareGrant(10), spend, a)
		}
	}
	redeem := func(t *testing.T, s *subject, a storage.Also) error {
		return s.RedeemGrant(t.Context(), storage.Redemption{Grant: bareGrant(10), Revision: 1, Also: a})
	}
	rotate := func(t *testing.T, s *subject, a storage.Also) error {
		step := stepTo(10, 1, 1)
		step.Also = a
		return s.RotateGrant(t.Context(), step)
	}
	revoke := func(t *testing.T, s *subject, a storage.Also) error {
		_, err := s.RevokeGrant(t.Context(), storage.Revocation{ID: id(10), Reason: storage.ReasonUser, Also: a})
		return err
	}
	revokeAll := func(of storage.GrantsOf) actor {
		return func(t *testing.T, s *subject, a storage.Also) error {
			_, err := s.RevokeGrants(t.Context(), of, storage.Revocation{Reason: storage.ReasonUser, Also: a})
			return err
		}
	}
	deny := func(t *testing.T, s *subject, a storage.Also) error {
		return s.DenyToken(t.Context(), storage.Denial{GrantID: id(10), Serial: 1, ExpiresAt: start.Add(time.Hour), Also: a})
	}
	// Denying cannot fail by itself; an event that cannot be stored makes it.
	denyTwice := func(t *testing.T, s *subject, a storage.Also) error {
		a.Events = append(a.Events, a.Events[0])
		return deny(t, s, a)
	}
	createClient := func(t *testing.T, s *subject, a storage.Also) error {
		return s.CreateClient(t.Context(), bareClient("c"), a)
	}
	updateClient := func(t *testing.T, s *subject, a storage.Also) error {
		return s.UpdateClient(t.Context(), storage.Client{ID: "c", Revision: 1}, a)
	}
	deleteClient := func(t *testing.T, s *subject, a storage.Also) error { return s.DeleteClient(t.Context(), "c", a) }
	createResource := func(t *testing.T, s *subject, a storage.Also) error {
		return s.CreateResource(t.Context(), bareResource("urn:r"), a)
	}
	takenResource := func(t *testing.T, s *subject, a storage.Also) error {
		ok(t, s.CreateResource(t.Context(), bareResource("urn:r"), storage.Also{}))
		err := createResource(t, s, a)
		ok(t, s.DeleteResource(t.Context(), "urn:r", storage.Also{}))
		return err
	}
	updateResource := func(t *testing.T, s *subject, a storage.Also) error {
		return s.UpdateResource(t.Context(), storage.Resource{Identifier: "urn:r", Revision: 1}, a)
	}
	deleteResource := func(t *testing.T, s *subject, a storage.Also) error { return s.DeleteResource(t.Context(), "urn:r", a) }
	createUser := func(login string) actor {
		return func(t *testing.T, s *subject, a storage.Also) error {
			u := bareUser(2)
			u.Logins = []string{login}
			return s.CreateUser(t.Context(), u, "", a)
		}
	}
	updateUser := func(t *testing.T, s *subject, a storage.Also) error {
		return s.UpdateUser(t.Context(), storage.User{ID: id(1), Revision: 1}, "", a)
	}
	deleteUser := func(t *testing.T, s *subject, a storage.Also) error { return s.DeleteUser(t.Context(), id(1), a) }
	setPassword := func(t *testing.T, s *subject, a storage.Also) error {
		return s.SetPassword(t.Context(), id(1), 0, "h", a)
	}
	enroll := func(t *testing.T, s *subject, a storage.Also) error {
		return s.EnrollTOTP(t.Context(), fullTOTP(5, 1), a)
	}
	confirm := func(t *testing.T, s *subject, a storage.Also) error {
		return s.ConfirmTOTP(t.Context(), id(1), id(5), 0, 1, []storage.Digest{digest("a")}, a)
	}
	removeFactors := func(t *testing.T, s *subject, a storage.Also) error {
		_, err := s.RemoveFactors(t.Context(), id(1), a)
		return err
	}
	aFactor := func(t *testing.T, s *subject) {
		ok(t, s.EnrollTOTP(t.Context(), fullTOTP(5, 1), storage.Also{}))
		ok(t, s.ConfirmTOTP(t.Context(), id(1), id(5), 0, 1, nil, storage.Also{}))
	}
	removeFactor := func(t *testing.T, s *subject, a storage.Also) error {
		return s.RemoveFactor(t.Context(), id(1), id(5), 2, a)
	}
	replaceCodes := func(t *testing.T, s *subject, a storage.Also) error {
		return s.ReplaceRecoveryCodes(t.Context(), id(1), 2, []storage.Digest{digest("a")}, a)
	}
	revokeKey := func(t *testing.T, s *subject, a storage.Also) error {
		return s.ChangeKeys(t.Context(), storage.KeyChange{Moves: []storage.KeyMove{
			{ID: "sig a", From: storage.KeyActive, To: storage.KeyRevoked},
		}, Also: a})
	}
	// failing once with what stage made cannot be had from an empty store where the verb is a creation: it is given a fault.
	takenClient := func(t *testing.T, s *subject, a storage.Also) error {
		ok(t, s.CreateClient(t.Context(), bareClient("c"), storage.Also{}))
		err := createClient(t, s, a)
		ok(t, s.DeleteClient(t.Context(), "c", storage.Also{}))
		return err
	}
	takenLogin := func(t *testing.T, s *subject, a storage.Also) error {
		u := bareUser(1)
		u.Logins = []string{"taken"}
		ok(t, s.CreateUser(t.Context(), u, "", storage.Also{}))
		return createUser("taken")(t, s, a)
	}
	return []alsoVerb{
		{"CreateGrant", aUser, createGrant(storage.Spend{UserID: id(1), UserRevision: 1}), createGrant(storage.Spend{UserID: id(1), UserRevision: 1})},
		{"RedeemGrant", func(t *testing.T, s *subject) { s.create(t, waitingGrant(10)) }, redeem, redeem},
		{"RotateGrant", func(t *testing.T, s *subject) { s.create(t, bareGrant(10)) }, rotate, rotate},
		{"RevokeGrant", func(t *testing.T, s *subject) { s.create(t, bareGrant(10)) }, revoke, revoke},
		{"RevokeGrants", func(t *testing.T, s *subject) { s.create(t, bareGrant(10)) }, revokeAll(storage.GrantsOf{UserID: id(1)}), revokeAll(storage.GrantsOf{})},
		{"DenyToken", nothing, deny, denyTwice},
		{"CreateClient", nothing, createClient, takenClient},
		{"UpdateClient", aClient, updateClient, updateClient},
		{"DeleteClient", aClient, deleteClient, deleteClient},
		{"CreateResource", nothing, createResource, takenResource},
		{"UpdateResource", aResource, updateResource, updateResource},
		{"DeleteResource", aResource, deleteResource, deleteResource},
		{"CreateUser", nothing, createUser("free"), takenLogin},
		{"UpdateUser", aUser, updateUser, updateUser},
		{"DeleteUser", aUser, deleteUser, deleteUser},
		{"SetPassword", aUser, setPassword, setPassword},
		{"EnrollTOTP", aUser, enroll, enroll},
		{"ConfirmTOTP", func(t *testing.T, s *subject) { s.user(t, 1); ok(t, enroll(t, s, storage.Also{})) }, confirm, confirm},
		{"RemoveFactors", aUser, removeFactors, removeFactors},
		{"RemoveFactor", func(t *testing.T, s *subject) { s.user(t, 1); aFactor(t, s) }, removeFactor, removeFactor},
		{"ReplaceRecoveryCodes", func(t *testing.T, s *subject) { s.user(t, 1); aFactor(t, s) }, replaceCodes, replaceCodes},
		{"ChangeKeys", func(t *testing.T, s *subject) { s.establish(t, "a") }, revokeKey, revokeKey},
	}
}

// alsoTableComplete fails when a method takes an Also, by itself or inside a record, and the table does not know it.
func alsoTableComplete(t *testing.T, _ *subject) {
	known := map[string]bool{}
	for _, verb := range slices.Concat(alsoVerbs(), browserAlsoVerbs(), passkeyAlsoVerbs(), ticketAlsoVerbs(), registrationAlsoVerbs()) {
		known[verb.name] = true
	}
	for _, name := range methodsTakingAlso() {
		if !known[name] {
			t.Errorf("%s takes an Also, and no case proves that it commits with the act", name)
		}
		delete(known, name)
	}
	for name := range known {
		t.Errorf("%s stands in the table and takes no Also", name)
	}
}

func alsoUndoesAct(t *testing.T, s *subject) {
	ctx := t.Context()
	ok(t, s.RecordEvents(ctx, []storage.Event{fullEvent(1)}))
	s.post(t, fullLetter(1))
	s.user(t, 1)
	s.create(t, bareGrant(10))
	for _, also := range []storage.Also{
		{Events: []storage.Event{fullEvent(2), fullEvent(1)}},
		{Letters: []storage.Letter{fullLetter(2), fullLetter(1)}},
	} {
		if err := s.CreateClient(ctx, bareClient("c"), also); err == nil {
			t.Fatal("an Also that cannot be stored was taken")
		}
		_, _, err := s.FindClient(ctx, "c")
		fails(t, err, storage.ErrNotFound)
		if err := s.SetPassword(ctx, id(1), 0, "new", also); err == nil {
			t.Fatal("an Also that cannot be stored was taken")
		}
		if s.signIn(t, id(1)).PasswordHash != "hash" || s.grant(t, id(10)).State != storage.Active {
			t.Fatal("the act stands without its Also")
		}
	}
	if n := len(s.events(t, storage.EventFilter{})); n != 1 {
		t.Fatalf("%d events, want 1", n)
	}
}

func alsoOfSecondRevocation(t *testing.T, s *subject) {
	s.create(t, bareGrant(10))
	for range 3 {
		_, err := s.RevokeGrant(t.Context(), storage.Revocation{ID: id(10), Also: storage.Also{
			Events: []storage.Event{{Kind: "a"}}, Letters: []storage.Letter{{Kind: "a"}},
		}, Reason: storage.ReasonReuse})
		ok(t, err)
	}
	if n := len(s.events(t, storage.EventFilter{})); n != 1 {
		t.Fatalf("%d events for one revocation", n)
	}
	s.claimOne(t, time.Minute)
}

func alsoOfEmptyRevocation(t *testing.T, s *subject) {
	n, err := s.RevokeGrants(t.Context(), storage.GrantsOf{UserID: id(1)}, storage.Revocation{Also: storage.Also{
		Events: []storage.Event{{Kind: "a"}}, Letters: []storage.Letter{{Kind: "a"}},
	}, Reason: storage.ReasonAdmin})
	ok(t, err)
	if n != 0 || len(s.events(t, storage.EventFilter{})) != 1 {
		t.Fatalf("%d revoked, %d events, want none and 1", n, len(s.events(t, storage.EventFilter{})))
	}
	s.claimOne(t, time.Minute)
}
