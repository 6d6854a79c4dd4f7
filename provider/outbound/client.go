package outbound

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Budget is how long a request may take in all: looking up, connecting, TLS, sending, waiting for the answer's header, and reading what
// is read of its body.
const Budget = 5 * time.Second

// maxHeader bounds the header of an answer in bytes.
const maxHeader = 64 << 10

var (
	// ErrRefused: the address is none that a request may reach. No connection was made.
	ErrRefused = errors.New("outbound: refused: only https on the public Internet, ports 443 and 8443, and what SIGNET_OUTBOUND_ALLOW names may be reached")
	// ErrUnreachable: there was no answer within the budget, or none that is HTTP. Whether the request arrived is not known.
	ErrUnreachable = errors.New("outbound: no answer")
	// ErrResting: the host failed again and again and is left alone for a while. No connection was made.
	ErrResting = errors.New("outbound: the host failed repeatedly and is left alone for a while")
	// ErrUnusable: there was an answer, and it is not the document that was asked for.
	ErrUnusable = errors.New("outbound: not the document that was asked for")
	// ErrGone: there was an answer, and it is that there is no such document. It is an ErrUnusable.
	ErrGone = errors.New("there is none at the address")
)

// Config says what may be reached beyond the public Internet. The zero value: nothing.
type Config struct {
	Allow    []Network
	Roots    *x509.CertPool   // nil: the system's
	Resolver *net.Resolver    // nil: the system's
	Budget   time.Duration    // of one request; 0: Budget
	Clock    func() time.Time // nil: time.Now
}

// Client is safe for concurrent use.
type Client struct {
	tls    *http.Client
	plain  *http.Client
	budget time.Duration
	hosts  *hosts
}

// New makes a client.
func New(c Config) *Client {
	if c.Budget == 0 {
		c.Budget = Budget
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	return &Client{
		tls: newHTTP(c, newGuard(c.Allow, false)), plain: newHTTP(c, newGuard(c.Allow, true)),
		budget: c.Budget, hosts: newHosts(c.Clock),
	}
}

func newHTTP(c Config, g guard) *http.Client {
	dialer := net.Dialer{Resolver: c.Resolver, Control: g.control, Timeout: c.Budget}
	return &http.Client{
		// The address of a redirect is one that nobody registered.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext:     dialer.DialContext,
			TLSClientConfig: &tls.Config{RootCAs: c.Roots, MinVersion: tls.VersionTLS12},
			// The transport goes on connecting where a request gave up.
			TLSHandshakeTimeout: c.Budget,
			// A connection is judged when it is made, so none is kept for later.
			DisableKeepAlives:      true,
			DisableCompression:     true,
			MaxResponseHeaderBytes: maxHeader,
		},
	}
}

// PostForm sends form to address and returns the status of the answer, a redirect's too; its body is not read. The address must use
// https, or http at a loopback host that is allowed. Errors: ErrRefused, ErrUnreachable and ErrResting, with a cause for the log; ctx's
// own where it ended while the request waited for its turn.
func (c *Client) PostForm(ctx context.Context, address string, form url.Values) (status int, err error) {
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	err = c.exchange(ctx, address, http.MethodPost, form.Encode(), header, func(answer *http.Response) error {
		status = answer.StatusCode
		return nil
	})
	return status, err
}

// exchange sends one request in its turn and hands the answer to read, which is within the budget too: an ErrUnreachable of its is
// counted against the host.
func (c *Client) exchange(ctx context.Context, address, method, body string, header http.Header, read func(*http.Response) error) error {
	u, err := check(address)
	if err != nil {
		return err
	}
	turn, err := c.hosts.take(ctx, strings.ToLower(u.Host))
	if err != nil {
		return err
	}
	err = c.send(ctx, u, method, body, header, read)
	turn.done(errors.Is(err, ErrUnreachable) && ctx.Err() == nil)
	return err
}

func (c *Client) send(ctx context.Context, u *url.URL, method, body string, header http.Header, read func(*http.Response) error) error {
	ctx, cancel := context.WithTimeout(ctx, c.budget)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, u.String(), strings.NewReader(body))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	request.Header = header
	request.Header.Set("User-Agent", "Signet")
	client := c.tls
	if u.Scheme == "http" {
		client = c.plain
	}
	answer, err := client.Do(request)
	switch {
	case errors.Is(err, ErrRefused):
		return err
	case err != nil:
		return fmt.Errorf("%w: %w", ErrUnreachable, err)
	}
	defer answer.Body.Close()
	return read(answer)
}
