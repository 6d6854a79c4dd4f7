package developer_test

import (
	"maps"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/developer"
	"github.com/signet-idp/signet/storage"
)

// methods are all that somebody does with an app by way of this room.
func methods() map[string]func(w *world, d *developer.Developers, who storage.User, app developer.App) error {
	type call = func(w *world, d *developer.Developers, who storage.User, app developer.App) error
	return map[string]call{
		"Mine": func(w *world, d *developer.Developers, who storage.User, _ developer.App) error {
			_, err := d.Mine(w.Context(), by(who))
			return err
		},
		"Awaiting": func(w *world, d *developer.Developers, who storage.User, _ developer.App) error {
			_, err := d.Awaiting(w.Context(), by(who))
			return err
		},
		"Find": func(w *world, d *developer.Developers, who storage.User, app developer.App) error {
			_, err := d.Find(w.Context(), by(who), app.Client.ID)
			return err
		},
		"Create": func(w *world, d *developer.Developers, who storage.User, _ developer.App) error {
			_, _, err := d.Create(w.Context(), by(who), website())
			return err
		},
		"Update": func(w *world, d *developer.Developers, who storage.User, app developer.App) error {
			_, err := d.Update(w.Context(), by(who), app, website())
			return err
		},
		"AddSecret": func(w *world, d *developer.Developers, who storage.User, app developer.App) error {
			_, _, err := d.AddSecret(w.Context(), by(who), app, time.Hour, 0)
			return err
		},
		"RemoveSecret": func(w *world, d *developer.Developers, who storage.User, app developer.App) error {
			_, err := d.RemoveSecret(w.Context(), by(who), app.Client.ID, app.Secrets[0].CreatedAt)
			return err
		},
		"Disable": func(w *world, d *developer.Developers, who storage.User, app developer.App) error {
			_, err := d.Disable(w.Context(), by(who), app.Client.ID)
			return err
		},
		"Enable": func(w *world, d *developer.Developers, who storage.User, app developer.App) error {
			_, err := d.Enable(w.Context(), by(who), app.Client.ID)
			return err
		},
		"Approve": func(w *world, d *developer.Developers, who storage.User, app developer.App) error {
			_, err := d.Approve(w.Context(), by(who), app.Client.ID)
			return err
		},
		"Delete": func(w *world, d *developer.Developers, who storage.User, app developer.App) error {
			return d.Delete(w.Context(), by(who), app.Client.ID)
		},
		"Usage": func(w *world, d *developer.Developers, who storage.User, app developer.App) error {
			_, err := d.Usage(w.Context(), by(who), app.Client.ID)
			return err
		},
		"Refusals": func(w *world, d *developer.Developers, who storage.User, app developer.App) error {
			_, _, err := d.Refusals(w.Context(), by(who), app.Client.ID, "")
			return err
		},
		"Playground": func(w *world, d *developer.Developers, who storage.User, app developer.App) error {
			_, err := d.Playground(w.Context(), by(who), app.Client.ID)
			return err
		},
	}
}

// TestEveryMethodAsksWhoMayDoItWithWhoseApp drives the owner, another developer, an administrator and a person whom policy does not
// allow through every method that there is.
func TestEveryMethodAsksWhoMayDoItWithWhoseApp(t *testing.T) {
	t.Parallel()
	all := methods()
	for m := range reflect.TypeFor[*developer.Developers]().Methods() {
		if m.Type.NumIn() > 2 && m.Type.In(2) == reflect.TypeFor[developer.By]() && all[m.Name] == nil {
			t.Errorf("%s has no row here", m.Name)
		}
	}
	about := []string{"Mine", "Awaiting", "Create"} // no app in particular
	for name, do := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			of := func(policy developer.Policy, who storage.User) error {
				for _, before := range w.apps(w.ada) {
					w.must(w.store.DeleteClient(t.Context(), before.ID, storage.Also{}))
				}
				return do(w, w.under(policy), who, w.make(w.ada))
			}
			noPolicy := func(policy developer.Policy, who storage.User) {
				w.is(string(policy)+": "+who.Username, of(policy, who), developer.ErrForbidden)
			}
			noPolicy(developer.PolicyOff, w.ada)
			noPolicy(developer.PolicyOff, w.root)
			noPolicy(developer.PolicyAdmins, w.ada)
			noPolicy(developer.PolicyAdmins, w.bob)
			other, owner := storage.ErrNotFound, error(nil)
			switch {
			case slices.Contains(about, name):
				other = nil
			case name == "Approve":
				owner = developer.ErrForbidden
			}
			w.is("another developer", of(developer.PolicyOn, w.bob), other)
			w.is("the owner", of(developer.PolicyOn, w.ada), owner)
			w.is("an administrator", of(developer.PolicyAdmins, w.root), nil)
		})
	}
}

// apps are all of the person's, as the store has them.
func (w *world) apps(u storage.User) []storage.Client {
	w.Helper()
	owned, err := w.store.ListOwnClients(w.Context(), u.ID)
	w.must(err)
	return owned
}

// TestWhatOthersOwnLooksLikeWhatIsNotThere, and what nobody owns is nobody's but the administrators'.
func TestWhatOthersOwnLooksLikeWhatIsNotThere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d, app := w.under(developer.PolicyOn), w.make(w.ada)
	operators, _, err := w.clients.Create(t.Context(), website(), "shop", "cli")
	w.must(err)
	for _, id := range []string{app.Client.ID, operators.ID, "nothing", "\x00", ""} {
		_, err := d.Find(t.Context(), by(w.bob), id)
		w.is(id, err, storage.ErrNotFound)
	}
	seen, err := d.Find(t.Context(), by(w.root), app.Client.ID)
	if err != nil || seen.Owner != "ada" || seen.Mine {
		t.Errorf("an administrator sees %+v, %v", seen, err)
	}
	if seen, err = d.Find(t.Context(), by(w.root), "shop"); err != nil || seen.Owner != "" || seen.Mine {
		t.Errorf("an administrator sees %+v, %v", seen, err)
	}
	if mine, err := d.Mine(t.Context(), by(w.ada)); err != nil || len(mine) != 1 || !mine[0].Mine || mine[0].Client.ID != app.Client.ID {
		t.Errorf("the owner has %+v, %v", mine, err)
	}
	w.must(w.store.DeleteUser(t.Context(), w.ada.ID, storage.Also{}))
	for _, who := range []storage.User{w.ada, w.bob, {}} {
		_, err := d.Find(t.Context(), by(who), app.Client.ID)
		w.is("an app whose owner is gone", err, storage.ErrNotFound)
	}
	if seen, err = d.Find(t.Context(), by(w.root), app.Client.ID); err != nil || seen.Owner != "" {
		t.Errorf("an administrator sees %+v, %v", seen, err)
	}
}

// TestWhoSwitchesAnAppOnAgain: an owner what they switched off themselves, and nothing else, however early they looked.
func TestWhoSwitchesAnAppOnAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, d, app := t.Context(), w.under(developer.PolicyOn), w.make(w.ada)
	id := app.Client.ID
	off := func(who storage.User, want storage.DisabledFor) {
		t.Helper()
		got, err := d.Disable(ctx, by(who), id)
		if err != nil || got.Client.DisabledFor != want || got.Client.DisabledAt.IsZero() {
			t.Errorf("%s switched it off: %+v, %v", who.Username, got.Client, err)
		}
	}
	on := func(who storage.User, want error) {
		t.Helper()
		got, err := d.Enable(ctx, by(who), id)
		w.is(who.Username, err, want)
		if want == nil && (!got.Client.DisabledAt.IsZero() || got.Client.DisabledFor != "") {
			t.Errorf("%s switched it on: %+v", who.Username, got.Client)
		}
	}
	off(w.ada, storage.DisabledByOwner)
	on(w.ada, nil)
	on(w.ada, nil)
	off(w.ada, storage.DisabledByOwner)
	off(w.root, storage.DisabledByOperator)
	off(w.ada, storage.DisabledByOperator) // their word changes nothing about it
	on(w.ada, developer.ErrHeld)
	on(w.root, nil)
	off(w.ada, storage.DisabledByOwner)
	_, err := w.clients.Disable(ctx, id, "cli")
	w.must(err)
	on(w.ada, developer.ErrHeld)
}

// TestAnAppWaitsForAnAdministratorWherePolicyAsks, that of an administrator excepted.
func TestAnAppWaitsForAnAdministratorWherePolicyAsks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, d := t.Context(), w.under(developer.PolicyApproval)
	app, secret, err := d.Create(ctx, by(w.ada), website())
	if err != nil || secret == "" || app.Client.DisabledFor != storage.DisabledUnapproved || app.Client.DisabledAt.IsZero() {
		t.Fatalf("%+v %v", app, err)
	}
	own, _, err := d.Create(ctx, by(w.root), website())
	if err != nil || !own.Client.DisabledAt.IsZero() {
		t.Errorf("an administrator's own waits: %+v, %v", own.Client, err)
	}
	_, err = d.Enable(ctx, by(w.ada), app.Client.ID)
	w.is("the owner lets it in", err, developer.ErrHeld)
	if waiting, err := d.Awaiting(ctx, by(w.ada)); err != nil || len(waiting) != 0 {
		t.Errorf("the owner is shown %v, %v", waiting, err)
	}
	waiting, err := d.Awaiting(ctx, by(w.root))
	if err != nil || len(waiting) != 1 || waiting[0].Client.ID != app.Client.ID || waiting[0].Owner != "ada" {
		t.Errorf("an administrator is shown %+v, %v", waiting, err)
	}
	if app, err = d.Approve(ctx, by(w.root), app.Client.ID); err != nil || !app.Client.DisabledAt.IsZero() {
		t.Errorf("let in: %+v, %v", app.Client, err)
	}
	_, err = d.Disable(ctx, by(w.ada), app.Client.ID)
	w.must(err)
	if app, err = d.Approve(ctx, by(w.root), app.Client.ID); err != nil || app.Client.DisabledFor != storage.DisabledByOwner {
		t.Errorf("what waits for nobody was let in: %+v, %v", app.Client, err)
	}
	events, err := w.store.ListEvents(ctx, storage.EventFilter{ClientID: app.Client.ID, Limit: 10})
	w.must(err)
	var kinds []string
	for _, e := range events {
		kinds = append(kinds, e.Kind)
		if e.Seen.Address != "192.0.2.7" || e.Actor != w.ada.ID.String() && e.Actor != w.root.ID.String() {
			t.Errorf("%s by %q from %q", e.Kind, e.Actor, e.Seen.Address)
		}
	}
	if want := []string{"client.disabled", "client.approved", "client.registered"}; !slices.Equal(kinds, want) {
		t.Errorf("the log has %q, want %q", kinds, want)
	}
}

// TestAPersonHasSoManyAppsAndNoMore, also where several are made at once.
func TestAPersonHasSoManyAppsAndNoMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.under(developer.PolicyOn)
	results := make(chan error, 8)
	for range cap(results) {
		go func() {
			_, _, err := d.Create(t.Context(), by(w.ada), website())
			results <- err
		}()
	}
	made := 0
	for range cap(results) {
		if err := <-results; err == nil {
			made++
		} else {
			w.is("one too many", err, developer.ErrFull)
		}
	}
	if n := len(w.apps(w.ada)); made != 3 || n != 3 {
		t.Errorf("%d were made and %d are there, want 3", made, n)
	}
	w.make(w.bob)
}

// TestWhatAClientIDDocumentSaysNobodyChangesHere, and everybody's policy is one that there is.
func TestWhatAClientIDDocumentSaysNobodyChangesHere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	m := website()
	m.TokenEndpointAuthMethod = "none"
	c := storage.Client{ID: "https://app.example/client.json", Metadata: m, Origin: storage.OriginDocument}
	w.must(w.store.RegisterClient(t.Context(), c, storage.Registration{}, storage.Also{}))
	d := w.under(developer.PolicyAdmins)
	app, err := d.Find(t.Context(), by(w.root), c.ID)
	w.must(err)
	_, err = d.Update(t.Context(), by(w.root), app, m)
	w.is("update", err, developer.ErrForbidden)
	_, err = d.Disable(t.Context(), by(w.root), c.ID)
	w.is("disable", err, nil)
	allowed := map[developer.Policy][2]bool{}
	for _, p := range developer.Policies() {
		allowed[p] = [2]bool{w.under(p).Allows(w.ada), w.under(p).Allows(w.root)}
	}
	if want := (map[developer.Policy][2]bool{"off": {}, "admins": {false, true}, "approval": {true, true}, "on": {true, true}}); !maps.Equal(allowed, want) {
		t.Errorf("allowed are %v, want %v", allowed, want)
	}
}
