package client

import (
	"context"
	"errors"
	"time"

	"github.com/signet-idp/signet/storage"
)

// Declaration is a client as its operator declares it: what is chosen, without what the server makes (secrets and times). Files hold it.
type Declaration struct {
	ClientID string `json:"client_id"`
	Disabled *bool  `json:"disabled,omitempty"` // nil: as it is; a new client is enabled
	storage.ClientMetadata
}

// Declare is the declaration that changes nothing about c. That a client is enabled is left unsaid, so that a file that was written
// before somebody disabled the client in haste does not undo it.
func Declare(c storage.Client) Declaration {
	d := Declaration{ClientID: c.ID, ClientMetadata: c.Metadata}
	if !c.DisabledAt.IsZero() {
		d.Disabled = new(true)
	}
	return d
}

// Check validates d by itself (CheckID, Validate) and returns it with the standards' defaults filled in. Otherwise the faults are all
// that its checks find, in their order, one of each check: each is an *oauth.Error whose description begins with the member.
func (r *Registry) Check(d Declaration) (checked Declaration, faults []error) {
	if err := CheckID(d.ClientID); err != nil {
		faults = append(faults, err)
	}
	for _, check := range checks() {
		if err := check(&d.ClientMetadata, r.config); err != nil {
			faults = append(faults, err)
		}
	}
	if len(faults) > 0 {
		return Declaration{}, faults
	}
	return d, nil
}

// Step is what a declaration changes: a client as it was read, and as it is or would be after.
type Step struct {
	Before  storage.Client // its ID is "" where there was no such client
	After   storage.Client
	Secret  string // of a client that Apply made (HoldsSecret), returned this once; else ""
	Changes []Change
}

// Creates reports whether the step makes the client.
func (s Step) Creates() bool { return s.Before.ID == "" }

// Plan reads the client that d declares and says what Apply would change about it. It writes nothing. Errors are those of Apply.
func (r *Registry) Plan(ctx context.Context, d Declaration) (Step, error) {
	d, faults := r.Check(d)
	if len(faults) > 0 {
		return Step{}, faults[0]
	}
	before, now, err := r.store.FindClient(ctx, d.ClientID)
	if err != nil && !errors.Is(err, storage.ErrNotFound) {
		return Step{}, err
	}
	if err := r.admit(ctx, before, d.ClientMetadata); err != nil {
		return Step{}, err
	}
	step := Step{Before: before, After: before}
	if err != nil {
		now = r.now() // the store did not say
		step = Step{After: storage.Client{ID: d.ClientID, Revision: 1, CreatedAt: now, UpdatedAt: now, Origin: storage.OriginOperator}}
	}
	step.After.Metadata = d.ClientMetadata
	step.Changes = differences(step.Before.Metadata, d.ClientMetadata)
	if step.Creates() {
		step.Changes = differences(nil, d.ClientMetadata)
	}
	if disabled := !step.Before.DisabledAt.IsZero(); d.Disabled != nil && *d.Disabled != disabled {
		step.After.DisabledAt, step.After.DisabledFor = time.Time{}, ""
		if *d.Disabled {
			step.After.DisabledAt, step.After.DisabledFor = now, storage.DisabledByOperator
		}
		step.Changes = append(step.Changes, disabling(step.Creates(), *d.Disabled))
	}
	step.After.Secrets = suited(step.After)
	return step, nil
}

// Apply makes the client what d says, in one write: it creates one that is not there, as Create does, and gives one that is there the
// whole metadata of d, with the defaults of a new client where d is silent. The secrets of a client that is there stay, unless its method
// cannot use them (Update). Where d says what is, nothing is written and no event.
//
// A lost race is read again. storage.ErrMoved: it was lost too often, and nothing was written. Otherwise *oauth.Error (Check) or one
// of storage's sentinels, wrapped.
func (r *Registry) Apply(ctx context.Context, d Declaration, actor string) (Step, error) {
	for range maxLoops {
		step, err := r.Plan(ctx, d)
		if err != nil || len(step.Changes) == 0 {
			return step, err
		}
		also := storage.Also{Events: step.events(actor)}
		if step.Creates() {
			step.After, step.Secret, err = r.add(ctx, step.After, also)
		} else {
			step.After, err = r.replace(ctx, step.After, also)
		}
		switch {
		case err == nil:
			return step, nil
		case !errors.Is(err, storage.ErrMoved) && !errors.Is(err, storage.ErrTaken) && !errors.Is(err, storage.ErrNotFound):
			return Step{}, err
		}
	}
	return Step{}, storage.ErrMoved
}

// events are those that Create, Update, Disable and Enable would leave.
func (s Step) events(actor string) (events []storage.Event) {
	id := s.After.ID
	if s.Creates() {
		events = newEvent("client.created", id, actor).Events
	} else if names := changed(s.Before.Metadata, s.After.Metadata); names != "" {
		events = newEvent("client.updated", id, actor).Events
		events[0].Detail = map[string]string{"changed": names}
	}
	switch was, is := s.Before.DisabledAt.IsZero(), s.After.DisabledAt.IsZero(); {
	case was && !is:
		events = append(events, newEvent("client.disabled", id, actor).Events...)
	case !was && is:
		events = append(events, newEvent("client.enabled", id, actor).Events...)
	}
	return events
}
