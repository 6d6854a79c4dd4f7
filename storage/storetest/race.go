package storetest

import (
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/signet-idp/signet/storage"
)

// contenders is how many goroutines meet at the barrier of a race.
const contenders = 64

// race is a promise under concurrency: which conditional writes it proves, and how.
type race struct {
	name  string
	verbs string // the methods whose condition it proves, separated by spaces
	run   func(t *testing.T, s *subject)
}

// races lists every race. everyConditionalWriteHasItsRace compares it with the contract.
func races() []race {
	return slices.Concat(grantRaces(), peopleRaces(), storeRaces(), resourceRaces(), keyRaces(), chainRaces(), passkeyRaces(), sessionRaces(),
		frontDoorRaces(), ticketRaces(), registrationRaces())
}

// unconditional are the methods that have nothing to win, with the reviewed reason.
var unconditional = map[string]string{
	"FindGrant":              "reads",
	"ListGrants":             "reads",
	"FindSessions":           "reads",
	"ListSessions":           "reads",
	"FindDevices":            "reads",
	"ListDevices":            "reads",
	"FindConsent":            "reads",
	"ListConsents":           "reads",
	"FindPushed":             "reads",
	"FindUserCode":           "reads",
	"TokenDenied":            "reads",
	"FindClient":             "reads",
	"ListClients":            "reads",
	"ListOwnClients":         "reads",
	"ListAwaiting":           "reads",
	"ListUsage":              "reads",
	"ListSecretUses":         "reads",
	"SweepUsage":             "removes what anybody may remove",
	"ListRefusals":           "reads",
	"FindResources":          "reads",
	"ListResources":          "reads",
	"FindUser":               "reads",
	"FindRegistrationToken":  "reads",
	"ListRegistrationTokens": "reads",
	"FindLogin":              "reads",
	"ListUsers":              "reads",
	"FindEnrollment":         "reads",
	"FindTicket":             "reads",
	"FindInvitation":         "reads",
	"ListTickets":            "reads",
	"RipeTickets":            "reads",
	"ListKeys":               "reads",
	"StaleSeeds":             "reads",
	"ListEvents":             "reads",
	"WalkGrants":             "reads",
	"FindPasskey":            "reads",
	"RenamePasskey":          "is one row's newest name, whoever gave it last",
	"UnchainedEvents":        "reads",
	"ChainedEvents":          "reads",
	"ListCheckpoints":        "reads",
	"StaleCheckpoints":       "reads",
	"Ping":                   "reads",
	"RecordEvents":           "only ever adds rows of its own",
	"RecordRefusals":         "adds rows of its own; what it removes is anybody's to remove",
	"FindRefusal":            "reads",
	"SweepRefusals":          "removes what anybody may remove",
	"Close":                  "has its case in lifeline.go",
}

// everyConditionalWriteHasItsRace fails when a method of the contract is neither raced nor known to have nothing to win.
func everyConditionalWriteHasItsRace(t *testing.T) {
	raced := map[string]bool{}
	for _, r := range races() {
		for verb := range strings.FieldsSeq(r.verbs) {
			raced[verb] = true
		}
	}
	methods := methodNames()
	for _, method := range methods {
		switch _, exempt := unconditional[method]; {
		case exempt && raced[method]:
			t.Errorf("%s is raced, and listed as having nothing to win", method)
		case !exempt && !raced[method]:
			t.Errorf("%s has no race: write one, or list it in unconditional with a reason", method)
		}
		delete(raced, method)
	}
	for verb := range raced {
		t.Errorf("a race names %s, which the contract has not", verb)
	}
	for verb := range unconditional {
		if !slices.Contains(methods, verb) {
			t.Errorf("unconditional names %s, which the contract has not", verb)
		}
	}
}

// methodNames are the methods of the contract.
func methodNames() []string {
	contract := reflect.TypeFor[storage.Store]()
	var names []string
	for i := range contract.NumMethod() {
		names = append(names, contract.Method(i).Name)
	}
	return names
}

// methodsTakingAlso are those of them that take an Also, by itself or in a record.
func methodsTakingAlso() []string {
	contract, also := reflect.TypeFor[storage.Store](), reflect.TypeFor[storage.Also]()
	var names []string
	for i := range contract.NumMethod() {
		method := contract.Method(i)
		for j := range method.Type.NumIn() {
			in := method.Type.In(j)
			if in == also {
				names = append(names, method.Name)
			} else if in.Kind() == reflect.Struct {
				if field, has := in.FieldByName("Also"); has && field.Type == also {
					names = append(names, method.Name)
				}
			}
		}
	}
	return names
}

func racePromises() []promise {
	var promises []promise
	for _, r := range races() {
		promises = append(promises, promise{r.name, r.run})
	}
	return promises
}

// together runs act in n goroutines that start at one moment, after each has warmed up with a read of its own (nil: none), so
// that no connection is being opened while the race is on. It returns what each got.
func together(t *testing.T, n int, warm, act func(i int) error) []error {
	t.Helper()
	errs, warmth := make([]error, n), make([]error, n)
	barrier := make(chan struct{})
	var ready, done sync.WaitGroup
	for i := range n {
		ready.Add(1)
		done.Go(func() {
			if warm != nil {
				warmth[i] = warm(i)
			}
			ready.Done()
			<-barrier
			errs[i] = act(i)
		})
	}
	ready.Wait()
	close(barrier)
	done.Wait()
	for _, err := range warmth {
		if err != nil {
			t.Fatalf("warming up: %v", err)
		}
	}
	return errs
}

// contend races act among the contenders and returns what each got.
func (s *subject) contend(t *testing.T, act func(i int) error) []error {
	t.Helper()
	return together(t, contenders, func(int) error { _, err := s.Ping(t.Context()); return err }, act)
}

// oneWins races act among the contenders: one gets nil, the others exactly lost. It returns the winner.
func (s *subject) oneWins(t *testing.T, lost error, act func(i int) error) int {
	t.Helper()
	return winner(t, lost, s.contend(t, act))
}

func winner(t *testing.T, lost error, errs []error) int {
	t.Helper()
	won := -1
	for i, err := range errs {
		switch {
		case err == nil && won >= 0:
			t.Fatalf("contenders %d and %d both won", won, i)
		case err == nil:
			won = i
		case !is(err, lost):
			t.Fatalf("contender %d lost with %v, want %v", i, err, lost)
		}
	}
	if won < 0 {
		t.Fatal("nobody won")
	}
	return won
}
