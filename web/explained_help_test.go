package web_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// faults drives faulty requests of one client after the other and holds what is kept of them.
type faults struct {
	*world
	secrets []string // that were sent or given out: none may be kept anywhere
	clients []string
}

// hides notes what nobody may find in what is kept.
func (f *faults) hides(secrets ...string) {
	for _, s := range secrets {
		if len(s) > 3 { // shorter ones are in every text
			f.secrets = append(f.secrets, s)
		}
	}
}

// told asserts what is kept of the request with this id. want are pairs of a key of the detail and its value, where a value ends with *
// its beginning; "cause" and "became" stand for those, anywhere in the text.
func (f *faults) told(name, id, clientID, code string, want ...string) {
	f.Helper()
	f.upkeep()
	r, err := f.store.FindRefusal(f.Context(), id)
	if err != nil {
		f.Errorf("%s: nothing is kept: %v", name, err)
		return
	}
	if r.ClientID != clientID || r.Code != code || r.Seen.Address == "" {
		f.Errorf("%s: kept %+v, want %s of %s", name, r, code, clientID)
	}
	for pair := range slices.Chunk(want, 2) {
		got, ok := r.Detail[pair[0]], false
		switch begin, open := strings.CutSuffix(pair[1], "*"); {
		case pair[0] == "cause":
			got, ok = r.Cause, strings.Contains(r.Cause, pair[1])
		case pair[0] == "became":
			got, ok = r.Token, strings.Contains(r.Token, pair[1])
		case open:
			ok = strings.HasPrefix(got, begin)
		default:
			ok = got == pair[1]
		}
		if !ok {
			f.Errorf("%s: %s is %q, want %q, of %+v", name, pair[0], got, pair[1], r)
		}
	}
	if !slices.Contains(f.clients, clientID) {
		f.clients = append(f.clients, clientID)
	}
}

// answered is told for an answer of an endpoint, whose secrets are hidden.
func (f *faults) answered(name string, a answer, c app, code string, want ...string) {
	f.Helper()
	if a.text("error") != code {
		f.Errorf("%s: answered %d %s", name, a.status, a.raw)
	}
	f.told(name, a.header.Get("X-Request-Id"), c.id, code, want...)
}

// keepNone asserts that nothing that was hidden is in any row.
func (f *faults) keepNone() {
	f.Helper()
	rows := 0
	for _, id := range f.clients {
		kept, err := f.store.ListRefusals(f.Context(), id, "", 1000)
		f.must(err)
		rows += len(kept)
		for _, r := range kept {
			text := fmt.Sprintf("%+v", r)
			for _, secret := range f.secrets {
				if strings.Contains(text, secret) {
					f.Errorf("%q is kept in %s", secret, text)
				}
			}
			for key, value := range r.Detail {
				if len(value) > 256 || len(key) > 64 || len(r.Detail) > 16 || len(r.Cause) > 512 {
					f.Errorf("%s has %d bytes in %s", key, len(value), text)
				}
			}
		}
	}
	if rows == 0 || len(f.secrets) == 0 {
		f.Errorf("%d rows were searched for %d secrets", rows, len(f.secrets))
	}
}

func eachFault(t *testing.T, test func(f *faults)) {
	t.Helper()
	each(t, func(w *world) {
		f := &faults{world: w}
		w.user("ada")
		test(f)
		f.keepNone()
	})
}
