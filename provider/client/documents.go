package client

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/signet-idp/signet/provider/outbound"
	"github.com/signet-idp/signet/storage"
)

// The bounds of what is kept of client id documents, in this process.
const (
	minDocumentAge = 5 * time.Minute // of a document, whatever its Cache-Control
	maxDocumentAge = 24 * time.Hour
	// staleDocument is how long what was read before goes on after the first look that failed.
	staleDocument = 24 * time.Hour
	// documentEvery is the time between two looks at one address, of which the first had no good document.
	documentEvery = time.Minute
	// documentPatience bounds a look, waiting for its turn and all: a person waits for it.
	documentPatience = outbound.Budget + 2*time.Second
	maxDocuments     = 1024
	maxDocumentBytes = 8 << 20 // of all documents
	// maxLooks is how many are read at once: the outbound client has others to serve.
	maxLooks = 16
)

var (
	errNoDocuments = errors.New("this server fetches no documents")
	errLooks       = errors.New("too many client id documents are being read")
)

// documents are the client id documents that were looked at: each is read when its client first comes, and again when what was read is
// old. What they said is in the clients' rows, which all nodes share; here is when to look again, and what the last look failed with.
type documents struct {
	outbound *outbound.Client // nil: nothing is read
	clock    func() time.Time
	looks    chan struct{}

	mu    sync.Mutex
	by    map[string]*document // by client_id
	bytes int
}

// document is what is known of one address. documents.mu guards it.
type document struct {
	finding
	size   int
	fresh  time.Time     // until then it is good without a look
	next   time.Time     // when the next look may be
	used   time.Time     // for whom to forget
	flight chan struct{} // closed when the look under way is over; nil: there is none
}

// finding is what the looks at one address came to.
type finding struct {
	metadata *storage.ClientMetadata // of the last good one, validated; nil: there was none
	since    time.Time               // since when looks fail; zero: the last one did not
	gone     bool                    // there was no such document any more, and no good one since
	err      error                   // what the last look failed with
}

// usable reports whether a client that was read before may go on coming by what was read then.
func (f finding) usable(now time.Time) bool {
	return !f.gone && (f.since.IsZero() || now.Before(f.since.Add(staleDocument)))
}

func newDocuments(c Config) *documents {
	return &documents{outbound: c.Outbound, clock: c.Clock, looks: make(chan struct{}, maxLooks), by: map[string]*document{}}
}

// look reads one document and keeps what it says. An error that is an *unread says what is wrong with the document; every other, that
// there was no look.
type look func(ctx context.Context) (m storage.ClientMetadata, age time.Duration, size int, err error)

// unread is what is wrong with a document.
type unread struct{ cause error }

func (u *unread) Error() string { return "client id document: " + u.cause.Error() }
func (u *unread) Unwrap() error { return u.cause }

// find returns what is known of the document of id. Where that is old it lets first say whether there may be a look, and then looks, for
// all who wait for it. looked: there was a look meanwhile, and what was read of the client before may be old. Errors are first's, ctx's
// own and those of look that are no *unread; what is known is there with them too.
func (d *documents) find(ctx context.Context, id string, first func() error, look look) (f finding, looked bool, err error) {
	for {
		d.mu.Lock()
		now := d.clock()
		e := d.entry(id, now)
		switch {
		case now.Before(e.fresh), e.flight == nil && now.Before(e.next) && e.next.Sub(now) <= documentEvery, e.flight != nil && e.metadata != nil:
			f = e.finding
			d.mu.Unlock()
			return f, looked, nil
		case e.flight == nil:
			e.flight = make(chan struct{})
			d.mu.Unlock()
			if err := d.fly(ctx, id, e, first, look); err != nil {
				d.mu.Lock()
				defer d.mu.Unlock()
				return e.finding, true, err
			}
			looked = true
			continue
		}
		flight := e.flight
		d.mu.Unlock()
		select {
		case <-flight:
			looked = true
		case <-ctx.Done():
			return finding{}, looked, ctx.Err()
		}
	}
}

// fly looks for all who wait for it. A caller who gives up does not end it.
func (d *documents) fly(ctx context.Context, id string, e *document, first func() error, look look) (err error) {
	var m storage.ClientMetadata
	var age time.Duration
	var size int
	err = errors.New("the look broke off")
	defer func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		close(e.flight)
		e.flight = nil
		now := d.clock()
		var faulty *unread
		switch {
		case err == nil:
			d.bytes += size - e.size
			e.finding, e.size = finding{metadata: &m}, size
			e.fresh = now.Add(min(max(age, minDocumentAge), maxDocumentAge))
		case errors.As(err, &faulty):
			e.next, e.err, e.gone = now.Add(documentEvery), err, e.gone || errors.Is(err, outbound.ErrGone)
			if e.since.IsZero() {
				e.since = now
			}
			err = nil
		case e.metadata == nil && e.err == nil: // nothing is known of it
			delete(d.by, id)
		}
		d.forget(e)
	}()
	if err = first(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), documentPatience)
	defer cancel()
	select {
	case d.looks <- struct{}{}:
		defer func() { <-d.looks }()
	case <-ctx.Done():
		return unavailable(errLooks)
	}
	m, age, size, err = look(ctx)
	// Nobody else ends this context: where its own time is up, who publishes the document took it, with that of a sector perhaps.
	if errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, storage.ErrUnavailable) && !errors.Is(err, storage.ErrUnknown) {
		err = &unread{err}
	}
	return err
}

// read fetches the document of id. Errors are *unread.
func (d *documents) read(ctx context.Context, id string) (outbound.Document, error) {
	if d.outbound == nil {
		return outbound.Document{}, &unread{errNoDocuments}
	}
	found, err := d.outbound.Get(ctx, id, "application/json")
	if err != nil {
		return outbound.Document{}, &unread{err}
	}
	return found, nil
}

// entry is what is known of the document of id. The caller holds mu.
func (d *documents) entry(id string, now time.Time) *document {
	e := d.by[id]
	if e == nil {
		e = &document{}
		d.by[id] = e
	}
	e.used = now
	return e
}

// forget drops, while there is too much, what was not used for longest, but for the one that was just read. The caller holds mu.
func (d *documents) forget(read *document) {
	for len(d.by) > maxDocuments || d.bytes > maxDocumentBytes {
		oldest := ""
		for id, e := range d.by {
			if e != read && e.flight == nil && (oldest == "" || e.used.Before(d.by[oldest].used)) {
				oldest = id
			}
		}
		if oldest == "" {
			return
		}
		d.bytes -= d.by[oldest].size
		delete(d.by, oldest)
	}
}
