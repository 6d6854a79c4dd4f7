package pages

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signet-idp/signet/provider/authorize"
	"github.com/signet-idp/signet/provider/client"
	"github.com/signet-idp/signet/provider/developer"
	"github.com/signet-idp/signet/provider/oauth"
	"github.com/signet-idp/signet/storage"
)

// playgroundPage runs an app's flows in the browser. The server gives it what is public of the app, and hears nothing of what happens
// there but the requests that any program could send.
type playgroundPage struct {
	ofApp
	Data       string // for the script: playgroundApp as JSON
	Proof      *proofField
	Callback   string // the redirect URI of the playground
	Inside     bool   // it is one of the app's
	Settings   string // address at which it is taken out again
	Code       *playgroundForm
	RequirePAR bool
	Refresh    *refreshing
	Device     *playgroundForm
	Machine    *playgroundForm
	Password   *playgroundForm
	Introspect bool // the app may: it can prove itself
	Commands   []string
}

func (playgroundPage) template() string { return "playground" }

// proofField is where the developer enters what proves the app. Heading and Text name messages.
type proofField struct{ Heading, Text string }

// playgroundForm is what a flow may be asked for. ID begins the names of its fields.
type playgroundForm struct {
	ID, Scope string
	Resources []string
}

// refreshing is what becomes of the app's refresh tokens; nil: it gets none. Text names a message.
type refreshing struct {
	Text string
	Late string // after how long it is reuse to present an exchanged one, in seconds
}

// playgroundApp is what the script knows of the app: nothing that an authorization request of it would not tell.
type playgroundApp struct {
	ID        string           `json:"client_id"`
	Auth      string           `json:"token_endpoint_auth_method"`
	Alg       string           `json:"token_endpoint_auth_signing_alg"` // "": any that the key fits
	PAR       bool             `json:"require_pushed_authorization_requests"`
	Rotation  storage.Rotation `json:"refresh_rotation"`
	Issuer    string           `json:"issuer"`
	Discovery string           `json:"discovery"`
	Callback  string           `json:"callback"`
	Errors    string           `json:"errors"` // address of the page with the app's errors
}

func showPlayground(x *exchange) error {
	p, app, err := x.developingApp(authorize.DeveloperPlayground)
	if p == nil || err != nil {
		return err
	}
	return x.showPlayground(p, app, http.StatusOK, "")
}

// letIn makes the playground's callback a redirect URI of the app.
func letIn(x *exchange) error {
	p, app, err := x.developingApp(authorize.DeveloperPlayground)
	if p == nil || err != nil {
		return err
	}
	if _, err := x.developers.Playground(x.ctx(), x.asDeveloper(p), app.Client.ID); err != nil {
		return x.appFailed(err, func(status int, problem string) error { return x.showPlayground(p, app, status, problem) })
	}
	return x.toApp(authorize.DeveloperPlayground, app.Client.ID, "saved")
}

func (x *exchange) showPlayground(p *authorize.Passage, app developer.App, status int, problem string) error {
	m, issuer, rotates := app.Client.Metadata, x.door.IssuerURL, x.clients.Policy(app.Client)
	page := playgroundPage{
		Proof: proof(m.TokenEndpointAuthMethod), Callback: issuer + developer.PlaygroundPath, RequirePAR: m.RequirePAR,
		Settings: x.appAddress(authorize.DeveloperSettings, app.Client.ID), Introspect: !client.Public(app.Client), Commands: commands(issuer, app.Client),
	}
	page.Inside = slices.Contains(m.RedirectURIs, page.Callback)
	for grant, form := range map[string]**playgroundForm{
		oauth.GrantAuthorizationCode: &page.Code, oauth.GrantDeviceCode: &page.Device,
		oauth.GrantClientCredentials: &page.Machine, oauth.GrantPassword: &page.Password,
	} {
		if slices.Contains(m.GrantTypes, grant) {
			*form = &playgroundForm{playgroundName(grant), m.Scope, m.Resources}
		}
	}
	if page.Machine != nil {
		page.Machine.Scope = "" // what people can be asked for is not the app's own
	}
	if slices.Contains(m.GrantTypes, oauth.GrantRefreshToken) {
		page.Refresh = refreshes(rotates)
	}
	data, err := json.Marshal(playgroundApp{
		app.Client.ID, m.TokenEndpointAuthMethod, m.TokenEndpointAuthAlg, m.RequirePAR, rotates.Rotation, issuer,
		issuer + "/.well-known/openid-configuration", page.Callback, x.appAddress(authorize.DeveloperErrors, app.Client.ID),
	})
	if err != nil {
		return err
	}
	page.Data = string(data)
	if page.ofApp, err = x.ofApp(p, app, authorize.DeveloperPlayground); err != nil {
		return err
	}
	page.Problem = problem
	x.policy.isolated, x.policy.opens = false, true
	return x.show(status, page)
}

// playgroundName begins the names of a flow's fields.
func playgroundName(grant string) string {
	switch grant {
	case oauth.GrantAuthorizationCode:
		return "code"
	case oauth.GrantDeviceCode:
		return "device"
	case oauth.GrantClientCredentials:
		return "machine"
	}
	return "password"
}

// proof is the field for what proves an app that authenticates by the method; nil: nothing does.
func proof(method string) *proofField {
	switch method {
	case oauth.AuthNone:
		return nil
	case oauth.AuthPrivateKeyJWT:
		return &proofField{"playground.key", "playground.key_text"}
	case oauth.AuthSecretJWT:
		return &proofField{"playground.secret", "playground.secret_signs"}
	}
	return &proofField{"playground.secret", "playground.secret_text"}
}

// refreshes tells what an exchanged token is worth (storage.Present).
func refreshes(p storage.Policy) *refreshing {
	late := strconv.Itoa(int(2 * p.Grace / time.Second))
	switch p.Rotation {
	case storage.Static:
		return &refreshing{"playground.refresh.static", late}
	case storage.Strict:
		return &refreshing{"playground.refresh.strict", late}
	}
	return &refreshing{"playground.refresh.balanced", late}
}

// commands are what the playground would send, for those who have no JavaScript.
func commands(issuer string, c storage.Client) []string {
	token := "curl " + quoted(issuer+"/oauth2/token")
	id := " -d " + quoted("client_id="+c.ID)
	switch c.Metadata.TokenEndpointAuthMethod {
	case oauth.AuthBasic:
		id = " -u " + quoted(c.ID) + `:"$SIGNET_CLIENT_SECRET"`
	case oauth.AuthPost:
		id += ` --data-urlencode "client_secret=$SIGNET_CLIENT_SECRET"`
	case oauth.AuthSecretJWT, oauth.AuthPrivateKeyJWT:
		id += " -d " + quoted("client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer") + ` --data-urlencode "client_assertion=$SIGNET_CLIENT_ASSERTION"`
	}
	all := []string{"curl " + quoted(issuer+"/.well-known/openid-configuration")}
	for _, grant := range c.Metadata.GrantTypes {
		switch grant {
		case oauth.GrantAuthorizationCode:
			all = append(all, token+id+` -d grant_type=authorization_code --data-urlencode "code=$CODE" --data-urlencode "code_verifier=$CODE_VERIFIER" --data-urlencode "redirect_uri=$REDIRECT_URI"`)
		case oauth.GrantRefreshToken:
			all = append(all, token+id+` -d grant_type=refresh_token --data-urlencode "refresh_token=$REFRESH_TOKEN"`)
		case oauth.GrantClientCredentials:
			all = append(all, token+id+" -d grant_type=client_credentials")
		case oauth.GrantDeviceCode:
			all = append(all, "curl "+quoted(issuer+"/oauth2/device_authorization")+id,
				token+id+" -d "+quoted("grant_type="+oauth.GrantDeviceCode)+` --data-urlencode "device_code=$DEVICE_CODE"`)
		}
	}
	return all
}

// quoted is a text as one word of a POSIX shell.
func quoted(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// playgroundCallback is where the front door sends the playground's window back to. Its script hands what came to the page that opened it.
type playgroundCallback struct{}

func (playgroundCallback) template() string { return "playground_callback" }

// showPlaygroundCallback reads nothing of its parameters: they are the browser's alone, and the page that waits for them judges them.
func showPlaygroundCallback(x *exchange) error {
	if !x.developers.Allows(storage.User{Admin: true}) {
		return &fault{status: http.StatusNotFound, heading: "developer_off"}
	}
	return x.show(http.StatusOK, playgroundCallback{})
}
