package client

import (
	"context"
	"errors"
	"time"

	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/storage"
)

// documentActor makes and changes clients by what their documents say.
const documentActor = "server"

// DocumentFault is why a client_id that is an address names no client. It is a storage.ErrNotFound (errors.Is).
type DocumentFault struct {
	Description string // what may be told to whoever asked: constant text, an error_description
	cause       error
}

// Error implements error: the text for logs.
func (f *DocumentFault) Error() string {
	if f.cause == nil {
		return f.Description
	}
	return f.Description + ": " + f.cause.Error()
}

// Unwrap is storage.ErrNotFound. The cause is none of the caller's.
func (f *DocumentFault) Unwrap() error { return storage.ErrNotFound }

// Arrive is Lookup for the places where a client first comes: the front door. Where the ID is an address it reads the client id document
// there, unless it did so not long ago, and keeps what it says as the client's row
// (draft-ietf-oauth-client-id-metadata-document). Everything behind the front door reads the row alone. seen is who names the client.
// *DocumentFault, which is a storage.ErrNotFound; *oauth.Error, slow_down, where too many documents are asked for, and
// temporarily_unavailable; otherwise one of storage's sentinels, wrapped.
func (r *Registry) Arrive(ctx context.Context, id string, seen storage.Seen) (storage.Client, time.Time, error) {
	if !addressed(id) || !presentable(id) {
		return r.Lookup(ctx, id)
	}
	if fault := r.config.Documents.refuse(id); fault != nil {
		return storage.Client{}, time.Time{}, fault
	}
	c, now, err := r.store.FindClient(ctx, id)
	known := err == nil
	if err != nil && !errors.Is(err, storage.ErrNotFound) || known && !c.DisabledAt.IsZero() {
		return c, now, err
	}
	admit := func() error { return nil }
	if c.UsedAt.IsZero() {
		admit = func() error { return r.config.Documents.Limiter.Document(ctx, throttle.Caller{Address: seen.Address}) }
	}
	found, looked, err := r.documents.find(ctx, id, admit, func(ctx context.Context) (storage.ClientMetadata, time.Duration, int, error) {
		return r.lookAt(ctx, id, seen)
	})
	switch {
	case err != nil && (!known || ctx.Err() != nil): // who is known, and may not have it read now, comes by what was read before
		return storage.Client{}, time.Time{}, err
	case !found.usable(r.documents.clock()), !known && found.metadata == nil:
		return storage.Client{}, time.Time{}, faultOf(found.err)
	case known && !looked:
		return c, now, nil
	case found.metadata == nil:
		return r.store.FindClient(ctx, id)
	}
	return r.settle(ctx, id, *found.metadata, seen)
}

// lookAt reads the document of id and brings the client's row up to it.
func (r *Registry) lookAt(ctx context.Context, id string, seen storage.Seen) (m storage.ClientMetadata, age time.Duration, size int, err error) {
	document, err := r.documents.read(ctx, id)
	if err != nil {
		return m, 0, 0, err
	}
	m, own, err := readDocument(id, document.Body)
	if err == nil {
		m, err = r.ForSoftware(ctx, m, nil)
	}
	if err == nil {
		m, err = Validate(m, r.config)
	}
	if err == nil {
		err = r.bring(ctx, id, m, seen)
	}
	if fault := oauth.As(err); fault != nil && fault.Code != oauth.TemporarilyUnavailable {
		if own {
			err = &DocumentFault{Description: "the client id document is not taken: " + fault.Description, cause: fault.Unwrap()}
		}
		return m, 0, 0, &unread{err}
	}
	return m, document.MaxAge, len(document.Body), err
}

// bring makes the client's row say what its document says.
func (r *Registry) bring(ctx context.Context, id string, m storage.ClientMetadata, seen storage.Seen) error {
	before, _, err := r.store.FindClient(ctx, id)
	if errors.Is(err, storage.ErrNotFound) {
		_, err = r.Register(ctx, Newcomer{ID: id, Origin: storage.OriginDocument, Metadata: m, Actor: documentActor, Seen: seen})
		if !errors.Is(err, storage.ErrTaken) {
			return err
		}
		before, _, err = r.store.FindClient(ctx, id)
	}
	if err != nil || changed(before.Metadata, m) == "" {
		return err
	}
	event := storage.Event{Kind: "client.document_changed", Actor: documentActor, Seen: seen}
	_, err = r.Change(ctx, id, event, func(e *Edit) (bool, error) {
		if changed(e.Client.Metadata, m) == "" {
			return false, nil
		}
		return true, e.replace(ctx, m)
	})
	return err
}

// ownWords refuses to let anybody here say what a client's document says: the next look would undo it.
func ownWords(c storage.Client) error {
	if c.Origin != storage.OriginDocument {
		return nil
	}
	return metadataError("the client is described by the document at its client_id alone, and that is read again and again: " +
		"it can be changed there, or disabled here")
}

// settle reads the row of a client whose document was read, and makes it once more where it went since: it was not used.
func (r *Registry) settle(ctx context.Context, id string, m storage.ClientMetadata, seen storage.Seen) (storage.Client, time.Time, error) {
	c, now, err := r.store.FindClient(ctx, id)
	if !errors.Is(err, storage.ErrNotFound) {
		return c, now, err
	}
	if err := r.bring(ctx, id, m, seen); err != nil {
		return storage.Client{}, time.Time{}, err
	}
	return r.store.FindClient(ctx, id)
}

// faultOf is what is told of a document that was not read. What the outside answered is no business of those who name an address:
// they would learn what answers where.
func faultOf(err error) *DocumentFault {
	var f *DocumentFault
	if errors.As(err, &f) {
		return f
	}
	return &DocumentFault{Description: "client_id is an address, and no client id document that this server takes was found there", cause: err}
}

// AuthenticateArriving is Authenticate for the front door's own endpoints: it lets the client that the request names arrive first.
func (r *Registry) AuthenticateArriving(ctx context.Context, authorization []string, p oauth.Params, seen storage.Seen) (Caller, error) {
	given, err := r.read(authorization, p)
	if err != nil {
		return Caller{}, err
	}
	if addressed(given.id) {
		_, _, err := r.Arrive(ctx, given.id, seen)
		var fault *DocumentFault
		switch {
		case errors.As(err, &fault):
			return Caller{}, r.challenge(fault.Description, err)
		case oauth.As(err) != nil:
			return Caller{}, err
		case err != nil:
			return Caller{}, unavailable(err)
		}
	}
	return r.Authenticate(ctx, authorization, p)
}
