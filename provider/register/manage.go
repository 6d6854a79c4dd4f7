package register

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/keys"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/storage"
)

// memberRotate asks for another registration access token: a member of ours in the request of RFC 7592 §2.2.
const memberRotate = "registration_access_token_rotate"

// Manage is GET, PUT and DELETE /oauth2/register/CLIENT_ID (RFC 7592 §2). Its errors are *oauth.Error or the store's.
func (e *Endpoint) Manage(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	address, agent := oauth.Peer(r)
	if err := e.Limiter.Register(ctx, throttle.Caller{Address: address}, true); err != nil {
		return err
	}
	token := bearer(r)
	c, err := e.Clients.Access(ctx, registration(r), token)
	if errors.Is(err, client.ErrNoAccess) {
		return e.refuseAccess(err)
	}
	if err != nil {
		return err
	}
	seen := storage.Seen{Address: address, Agent: agent}
	switch r.Method {
	case http.MethodPut:
		return e.replace(w, r, c, token, seen)
	case http.MethodDelete:
		if err := e.Clients.Leave(ctx, c, seen); errors.Is(err, storage.ErrNotFound) {
			return e.refuseAccess(err)
		} else if err != nil {
			return err
		}
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return e.answer(w, http.StatusOK, c, "", token)
}

// registration is the client_id that the address names. Those that are drawn need no escape; an escaped one names nobody.
func registration(r *http.Request) string {
	path := r.URL.EscapedPath()
	return path[strings.LastIndexByte(path, '/')+1:]
}

// replace is PUT (RFC 7592 §2.2).
func (e *Endpoint) replace(w http.ResponseWriter, r *http.Request, c storage.Client, token string, seen storage.Seen) error {
	m, rest, err := e.read(r)
	if err != nil {
		return err
	}
	to := client.Replacement{Metadata: m, Seen: seen}
	if to.Secret, to.Rotate, err = own(rest, c.ID); err != nil {
		return err
	}
	made, err := e.Clients.Replace(r.Context(), c, to)
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return e.refuseAccess(err)
	case errors.Is(err, storage.ErrMoved):
		return (&oauth.Error{
			Code: oauth.InvalidRequest, Status: http.StatusConflict,
			Description: "the registration was changed by somebody else meanwhile, and nothing was written: read it again and decide again",
		}).Because(err)
	case err != nil:
		return err
	}
	if made.AccessToken != "" {
		token = made.AccessToken
	}
	return e.answer(w, http.StatusOK, made.Client, made.Secret, token)
}

// own reads the members of an update that are no metadata.
func own(rest map[string]json.RawMessage, id string) (secret string, rotate bool, err error) {
	for _, member := range []string{"registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"} {
		if _, there := rest[member]; there {
			return "", false, client.MemberError(member, "must not be in an update (RFC 7592 section 2.2): leave it out")
		}
	}
	if named, ok := keys.Text(rest["client_id"]); !ok || named != id {
		return "", false, client.MemberError("client_id", "must be there, and be that of this registration (RFC 7592 section 2.2)")
	}
	if raw, there := rest["client_secret"]; there {
		if text, ok := keys.Text(raw); !ok || text == "" {
			return "", false, client.MemberError("client_secret", "must be a string, or left out")
		} else {
			secret = text
		}
	}
	if raw, there := rest[memberRotate]; there && json.Unmarshal(raw, &rotate) != nil {
		return "", false, client.MemberError(memberRotate, "must be true or false")
	}
	return secret, rotate, nil
}
