package outbound

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxDocument bounds a document in bytes.
const maxDocument = 64 << 10

// Document is what an address holds.
type Document struct {
	Body   []byte
	MaxAge time.Duration // how long it may be used without asking again (RFC 9111 §5.2.2.1); 0: not at all, or the answer does not say
}

// Get reads the document at address, of at most 64 KiB and one of the media types. The address is as PostForm's. Errors: those of
// PostForm, and ErrUnusable where the answer is a redirect, an error or something else, with a cause for the log.
func (c *Client) Get(ctx context.Context, address string, types ...string) (d Document, err error) {
	err = c.exchange(ctx, address, http.MethodGet, "", http.Header{"Accept": {strings.Join(types, ", ")}}, func(answer *http.Response) error {
		d, err = document(answer, types)
		return err
	})
	return d, err
}

func document(answer *http.Response, types []string) (Document, error) {
	switch answer.StatusCode {
	case http.StatusOK:
	case http.StatusNotFound, http.StatusGone:
		return Document{}, fmt.Errorf("%w: %w: the status is %d", ErrUnusable, ErrGone, answer.StatusCode)
	default:
		return Document{}, fmt.Errorf("%w: the status is %d, and redirects are not followed", ErrUnusable, answer.StatusCode)
	}
	if kind, _, err := mime.ParseMediaType(answer.Header.Get("Content-Type")); err != nil || !slices.Contains(types, kind) {
		return Document{}, fmt.Errorf("%w: its Content-Type must be %s", ErrUnusable, strings.Join(types, " or "))
	}
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxDocument+1))
	switch {
	case err != nil:
		return Document{}, fmt.Errorf("%w: %w", ErrUnreachable, err)
	case len(body) > maxDocument:
		return Document{}, fmt.Errorf("%w: it has more than %d bytes", ErrUnusable, maxDocument)
	}
	return Document{body, maxAge(answer.Header)}, nil
}

// maxAge reads Cache-Control. Where it contradicts itself the stricter word counts (RFC 9111 §4.2.1).
func maxAge(h http.Header) (age time.Duration) {
	said := false
	for _, line := range h.Values("Cache-Control") {
		for directive := range strings.SplitSeq(line, ",") {
			name, value, _ := strings.Cut(strings.ToLower(strings.TrimSpace(directive)), "=")
			switch name {
			case "no-store", "no-cache":
				return 0
			case "max-age":
				seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31)
				if err != nil {
					return 0
				}
				if given := time.Duration(seconds) * time.Second; !said || given < age {
					age, said = given, true
				}
			}
		}
	}
	return age
}
