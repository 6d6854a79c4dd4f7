package register

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/provider/throttle"
	"github.com/signet-idp/signet/storage"
)

// Mode says who may register.
type Mode string

// The modes.
const (
	ModeOff   Mode = "off"   // nobody
	ModeToken Mode = "token" // who has an initial access token
	ModeOpen  Mode = "open"  // anybody
)

// Modes are all of them.
func Modes() []Mode { return []Mode{ModeOff, ModeToken, ModeOpen} }

// PKCE says which clients that register themselves must use it (RFC 7636).
type PKCE string

// The choices.
const (
	PKCERequired PKCE = "required" // all, but confidential ones that ask to be let off (require_pkce)
	PKCEPublic   PKCE = "public"   // those without credentials; the others may (RFC 9700 §2.1.1)
)

// Endpoint is the client registration endpoint and those of the registrations.
type Endpoint struct {
	Clients    *client.Registry
	Tokens     *client.InitialTokens
	Statements *client.Statements
	Limiter    *throttle.Limiter

	Mode    Mode             // ModeToken or ModeOpen: an endpoint that is off is not routed
	PKCE    PKCE             // "": required
	Address string           // of the endpoint, absolute; a registration's is below it
	Issuer  string           // names the realm in challenges
	Clock   func() time.Time // judges software statements, which have no row
}

// answer is the client information response (RFC 7591 §3.2.1, RFC 7592 §3).
type answer struct {
	client.Information
	RegistrationClientURI   string `json:"registration_client_uri"`
	RegistrationAccessToken string `json:"registration_access_token"`
}

func (e *Endpoint) answer(w http.ResponseWriter, status int, c storage.Client, secret, token string) error {
	body, err := json.Marshal(answer{client.Registration(c, secret), e.Address + "/" + c.ID, token})
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that went away is no error of ours
	return nil
}

// Register is POST /oauth2/register (RFC 7591 §3.1). Its errors are *oauth.Error or the store's.
func (e *Endpoint) Register(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	address, agent := oauth.Peer(r)
	brings := len(r.Header.Values("Authorization")) > 0
	if err := e.Limiter.Register(ctx, throttle.Caller{Address: address}, brings || e.Mode == ModeToken); err != nil {
		return err
	}
	var leave *storage.RegistrationToken
	if brings || e.Mode != ModeOpen {
		found, err := e.Tokens.Find(ctx, bearer(r))
		if errors.Is(err, storage.ErrNotFound) {
			return e.refuseInitial(err)
		}
		if err != nil {
			return err
		}
		leave = &found
	}
	m, _, err := e.read(r)
	if err != nil {
		return err
	}
	if m, err = e.Clients.ForSoftware(ctx, m, leave); err != nil {
		return err
	}
	newcomer := client.Newcomer{
		Origin: storage.OriginSoftware, Managed: true, Metadata: m, Seen: storage.Seen{Address: address, Agent: agent},
	}
	if leave != nil {
		newcomer.Spends.TokenID = leave.ID
	}
	made, err := e.Clients.Register(ctx, newcomer)
	if errors.Is(err, storage.ErrSpent) { // another one was faster
		return e.refuseInitial(err)
	}
	if err != nil {
		return err
	}
	return e.answer(w, http.StatusCreated, made.Client, made.Secret, made.AccessToken)
}

// bearer is the token of the one Authorization header there must be (RFC 6750 §2.1), or "".
func bearer(r *http.Request) string {
	headers := r.Header.Values("Authorization")
	if len(headers) != 1 {
		return ""
	}
	scheme, token, _ := strings.Cut(headers[0], " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimLeft(token, " ")
}

// refuseInitial answers a missing, wrong, used up, expired or revoked initial access token: all of them alike.
func (e *Endpoint) refuseInitial(cause error) error {
	return e.challenge("registration here needs an initial access token that is good: ask the operator of this server for one, "+
		"and send it in the Authorization header with the scheme Bearer", cause)
}

// refuseAccess answers whatever is not the registration access token of an enabled client: all of it alike.
func (e *Endpoint) refuseAccess(cause error) error {
	return e.challenge("the Authorization header must have the scheme Bearer and the registration_access_token of this client, which must be enabled", cause)
}

func (e *Endpoint) challenge(description string, cause error) error {
	realm := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(e.Issuer)
	refusal := &oauth.Error{
		Code: oauth.InvalidToken, Description: description,
		Challenge: `Bearer realm="` + realm + `", error="` + string(oauth.InvalidToken) + `", error_description="` + description + `"`,
	}
	return refusal.Because(cause)
}
