package register

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// read takes the registration from a request's body, with what its software statement says in place of its own. rest are the members
// that are no metadata. Errors are *oauth.Error.
func (e *Endpoint) read(r *http.Request) (m storage.ClientMetadata, rest map[string]json.RawMessage, err error) {
	text, err := body(r)
	if err != nil {
		return m, nil, err
	}
	m, rest, err = client.ReadMetadata(text)
	if err != nil {
		return m, nil, err
	}
	if e.PKCE == PKCEPublic && m.RequirePKCE == nil && m.TokenEndpointAuthMethod != oauth.AuthNone {
		m.RequirePKCE = new(false)
	}
	statement := m.SoftwareStatement
	said, err := e.Statements.Read(statement, e.Clock())
	if err != nil {
		return m, nil, err
	}
	if said == nil {
		m.SoftwareStatement = "" // it was not believed: it is not kept as if it had been
		return m, rest, nil
	}
	m, err = client.Override(m, said)
	if wrong := oauth.As(err); wrong != nil {
		return m, nil, oauth.Errorf(oauth.InvalidSoftwareStatement, "software_statement: %s", wrong.Description)
	}
	return m, rest, err
}

// body reads the JSON of a request, in bounds.
func body(r *http.Request) ([]byte, error) {
	wrong := func(status int, description string) *oauth.Error {
		return &oauth.Error{Code: oauth.InvalidRequest, Status: status, Description: description}
	}
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset, has := params["charset"]
	switch {
	case err != nil || media != "application/json" || len(r.Header.Values("Content-Type")) > 1:
		return nil, wrong(http.StatusUnsupportedMediaType, "the Content-Type must be application/json")
	case has && !strings.EqualFold(charset, "utf-8"):
		return nil, wrong(http.StatusUnsupportedMediaType, "the charset must be UTF-8")
	case slices.ContainsFunc(r.Header.Values("Content-Encoding"), func(v string) bool { return !strings.EqualFold(v, "identity") }):
		return nil, wrong(http.StatusUnsupportedMediaType, "the body must not be compressed")
	}
	text, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, client.MaxMetadata))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		return nil, wrong(http.StatusRequestEntityTooLarge, "the body must not exceed 64 KiB").Because(err)
	}
	if err != nil {
		return nil, wrong(http.StatusBadRequest, "the body could not be read to its end").Because(err)
	}
	return text, nil
}
