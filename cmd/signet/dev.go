package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/storage"
)

// devDir is where `signet dev` keeps its database, its keys and what it told you.
const devDir = ".signet-dev"

func newDevCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "dev",
		Short: "Try Signet: a server with demo users and clients, and a tour of its tokens",
		Long: `Run a server on an embedded database under ./` + devDir + `/ with two demo users and two demo
clients. It then acts as a client of itself: it gets a token pair, refreshes and introspects it,
and on a second grant shows what happens to a refresh token that is used twice. Last it opens a
demo application to sign in to with a browser, with a mailbox of the mails that would go out,
prints curl lines to go on with, and keeps serving. Whoever opens it may sign up.

The database stays: a second start finds its data again. Delete ./` + devDir + `/ to begin anew.
SIGNET_ISSUER_URL, SIGNET_LISTEN_ADDR, SIGNET_LOG_LEVEL and SIGNET_SIGN_UP are honoured.`,
		Example: "  signet dev",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.devSettings()
			if err != nil {
				return err
			}
			a.mailbox = &mailbox{issuer: s.IssuerURL}
			ctx, cancel := context.WithCancelCause(cmd.Context())
			defer cancel(nil)
			err = a.serve(ctx, s, func(o *opened) {
				if err := a.tour(ctx, o); err != nil && ctx.Err() == nil {
					cancel(fmt.Errorf("the tour failed: %w", err))
				}
			})
			if cause := context.Cause(ctx); err == nil && cause != nil && !errors.Is(cause, context.Canceled) {
				return cause
			}
			return err
		},
	}
}

// devSettings are the settings of a try: everything in one directory, the probes on the public listener, a quiet log.
func (a *app) devSettings() (settings, error) {
	s, err := a.load(nil)
	if err != nil {
		return settings{}, err
	}
	given := map[string]bool{}
	for _, f := range s.fields() {
		for _, pair := range a.environ() {
			given[f.variable] = given[f.variable] || len(pair) > len(f.variable) && pair[:len(f.variable)+1] == f.variable+"="
		}
	}
	if err := os.MkdirAll(devDir, 0o700); err != nil {
		return settings{}, fail(exitFailed, "the directory %s cannot be made: %w", devDir, err)
	}
	s.DatabaseURL, s.SecretKey, s.ManagementAddr = "sqlite://"+filepath.Join(devDir, "signet.db"), "", ""
	s.TLSCertFile, s.TLSKeyFile, s.SMTPURL = "", "", ""
	if !given["SIGNET_LOG_LEVEL"] {
		s.LogLevel = "error"
	}
	if !given["SIGNET_SIGN_UP"] {
		s.SignUp = "on" // its mails are in the mailbox
	}
	s.openToDevelopers(given)
	if given["SIGNET_LISTEN_ADDR"] && !given["SIGNET_ISSUER_URL"] {
		_, port, err := net.SplitHostPort(s.ListenAddr)
		if err != nil {
			return settings{}, fail(exitConfig, "SIGNET_LISTEN_ADDR %w", err)
		}
		s.IssuerURL = "http://localhost:" + port
	}
	return s, nil
}

// demo is what the first start made and every later one tells again. It is kept beside the database, for its owner alone.
type demo struct {
	Password                 string `json:"password"`
	TOTPSecret               string `json:"totp_secret"`
	ConfidentialClientID     string `json:"confidential_client_id"`
	ConfidentialClientSecret string `json:"confidential_client_secret"`
	PublicClientID           string `json:"public_client_id"`
}

const (
	demoUser    = "demo"
	demoUser2FA = "demo-2fa"
	demoScope   = "openid profile email offline_access"
)

// demo finds the demo users and clients, or makes them.
func (a *app) demo(ctx context.Context, o *opened) (demo, error) {
	file := filepath.Join(devDir, "demo.json")
	text, err := os.ReadFile(file)
	if err == nil {
		var d demo
		if err := json.Unmarshal(text, &d); err != nil {
			return demo{}, fail(exitFailed, "%s is damaged: delete %s to begin anew", file, devDir)
		}
		return d, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return demo{}, fail(exitFailed, "%s cannot be read: %w", file, err)
	}
	if users, err := o.store.ListUsers(ctx, storage.ID{}, 1); err != nil || len(users) > 0 {
		return demo{}, errors.Join(err, fail(exitFailed, "%s is missing, and the database is not empty: delete %s to begin anew", file, devDir))
	}
	d, err := makeDemo(ctx, o)
	if err != nil {
		return demo{}, err
	}
	text, err = json.MarshalIndent(d, "", "  ")
	if err != nil {
		return demo{}, err
	}
	return d, os.WriteFile(file, append(text, '\n'), 0o600)
}

func makeDemo(ctx context.Context, o *opened) (demo, error) {
	by := account.By{Actor: "cli"}
	password := account.GeneratePassword()
	d := demo{Password: string(password.Reveal())}
	for _, name := range []string{demoUser, demoUser2FA} {
		user, err := o.People().Create(ctx, storage.User{
			Username: name, Email: name + "@example.com", EmailVerified: true, Profile: storage.Profile{Name: "Demo User", GivenName: "Demo"},
		}, password, by)
		if err != nil {
			return demo{}, err
		}
		if name == demoUser {
			continue
		}
		if d.TOTPSecret, _, err = o.People().EnrollTOTP(ctx, user.ID, "demo", by); err != nil {
			return demo{}, err
		}
		code, err := account.OneTimeCode(d.TOTPSecret, time.Now())
		if err != nil {
			return demo{}, err
		}
		if _, err := o.People().ConfirmTOTP(ctx, user.ID, code, by); err != nil {
			return demo{}, err
		}
	}
	confidential, secret, err := o.Clients().Create(ctx, storage.ClientMetadata{
		Name: "Demo (confidential)", GrantTypes: []string{"password", "refresh_token", "client_credentials"},
		Scope: demoScope, TokenEndpointAuthMethod: "client_secret_basic",
	}, "demo-confidential", "cli")
	if err != nil {
		return demo{}, err
	}
	public, _, err := o.Clients().Create(ctx, storage.ClientMetadata{
		Name: "Demo (public)", GrantTypes: []string{"password", "refresh_token"}, Scope: demoScope, TokenEndpointAuthMethod: "none",
	}, "demo-public", "cli")
	d.ConfidentialClientID, d.ConfidentialClientSecret, d.PublicClientID = confidential.ID, secret, public.ID
	return d, err
}

// tour shows the main job on the running server, over HTTP as any client would.
func (a *app) tour(ctx context.Context, o *opened) error {
	d, err := a.demo(ctx, o)
	if err != nil {
		return err
	}
	r := newRemote(o.settings.IssuerURL, d.ConfidentialClientID, d.ConfidentialClientSecret)
	t := &tourist{app: a, remote: r}
	login := url.Values{"grant_type": {"password"}, "username": {demoUser}, "password": {d.Password}, "scope": {demoScope}}

	first := t.show(ctx, "1. The first token pair, by the password grant", "token_endpoint", login)
	second := t.show(ctx, "2. The refresh token is exchanged for a new pair", "token_endpoint", refreshForm(first))
	t.show(ctx, "3. Introspection of the new access token", "introspection_endpoint", url.Values{"token": {text(second, "access_token")}})

	stolen := t.quietly(ctx, "token_endpoint", login)
	heir := t.quietly(ctx, "token_endpoint", refreshForm(stolen))
	t.refused(ctx, "4. On a second grant, a refresh token is used again after it was exchanged: refused", "token_endpoint", refreshForm(stolen))
	t.refused(ctx, "5. ... and its family is dead: the newest refresh token of that grant is refused too", "token_endpoint", refreshForm(heir))
	t.show(ctx, "6. ... and so is its access token", "introspection_endpoint", url.Values{"token": {text(heir, "access_token")}})
	third := t.quietly(ctx, "token_endpoint", login)
	if t.err != nil {
		return t.err
	}
	app, err := startDemoApp(ctx, o, a.mailbox)
	if err != nil {
		return err
	}
	a.printLines(o.settings.IssuerURL, d, third, app.url)
	return nil
}

func refreshForm(answer map[string]any) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {text(answer, "refresh_token")}}
}

func text(answer map[string]any, member string) string {
	s, _ := answer[member].(string)
	return s
}

// tourist makes the requests of the tour and prints the answers. After a failure it does nothing more.
type tourist struct {
	*app
	remote *remote
	err    error
}

func (t *tourist) quietly(ctx context.Context, endpoint string, form url.Values) map[string]any {
	if t.err != nil {
		return nil
	}
	answer, err := t.remote.post(ctx, endpoint, form)
	t.err = err
	return answer
}

func (t *tourist) show(ctx context.Context, title, endpoint string, form url.Values) map[string]any {
	answer := t.quietly(ctx, endpoint, form)
	if t.err == nil {
		fmt.Fprintf(t.stdout, "\n%s\n", title)
		t.err = printJSON(t.stdout, answer)
	}
	return answer
}

func (t *tourist) refused(ctx context.Context, title, endpoint string, form url.Values) {
	if t.err != nil {
		return
	}
	answer, err := t.remote.post(ctx, endpoint, form)
	if err == nil {
		t.err = errors.New("a dead refresh token was taken")
		return
	}
	if answer["error"] != "invalid_grant" {
		t.err = err
		return
	}
	fmt.Fprintf(t.stdout, "\n%s\n", title)
	t.err = printJSON(t.stdout, answer)
}

func (a *app) printLines(issuer string, d demo, third map[string]any, demoApp string) {
	basic := fmt.Sprintf("curl -s -u %s:%s", d.ConfidentialClientID, d.ConfidentialClientSecret)
	fmt.Fprintf(a.stdout, `
Users (password %[3]s)
  %[4]s
  %[5]s    second factor: TOTP secret %[6]s
Clients
  %[7]s    secret %[8]s
  %[9]s          public, no secret

Paste these; they use a third grant:

# who is this token for?
%[2]s -d token=%[10]s %[1]s/oauth2/introspect

# what may the app know about the person?
curl -s -H 'Authorization: Bearer %[10]s' %[1]s/userinfo

# exchange the refresh token
%[2]s -d grant_type=refresh_token -d refresh_token=%[11]s %[1]s/oauth2/token

# sign in with a second factor: the answer is an mfa_token, to be sent on with the code and
# grant_type=urn:signet:oauth:grant-type:mfa-otp (or add -d otp=CODE here and do it in one step)
curl -s -d client_id=%[9]s -d grant_type=password -d username=%[5]s -d password=%[3]s %[1]s/oauth2/token

# end the third grant
%[2]s -d token=%[11]s -w '%%{http_code}\n' %[1]s/oauth2/revoke

Or use a browser
  sign in to an application, as its users do:  %[13]s
  look after your own account:                 %[1]s/account
  read the mails that would have been sent:    %[13]s/mail

Signet is serving %[1]s until you press Ctrl-C. Everything is in ./%[12]s/.
`, issuer, basic, d.Password, demoUser, demoUser2FA, d.TOTPSecret, d.ConfidentialClientID, d.ConfidentialClientSecret, d.PublicClientID,
		text(third, "access_token"), text(third, "refresh_token"), devDir, demoApp)
}
