package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"
)

// credentials adds the flags that name the issuer and the client. The secret has no flag: a command line is read by everybody on
// the machine.
type credentials struct{ issuer, clientID, method string }

func (c *credentials) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&c.issuer, "issuer", "", "the issuer's `URL` (default SIGNET_ISSUER_URL, else http://localhost:8080)")
	cmd.Flags().StringVar(&c.clientID, "client-id", "", "client_id (default SIGNET_CLIENT_ID)")
	cmd.Flags().StringVar(&c.method, "token-endpoint-auth-method", "client_secret_basic", "`method`: client_secret_basic or client_secret_post")
}

const credentialsHelp = `The client's secret comes from SIGNET_CLIENT_SECRET or the file that SIGNET_CLIENT_SECRET_FILE
names; without one the client is a public client.`

func (a *app) remote(c credentials) (*remote, error) {
	vars := map[string]string{}
	for _, pair := range a.environ() {
		if name, value, ok := strings.Cut(pair, "="); ok {
			vars[name] = value
		}
	}
	if c.issuer == "" {
		c.issuer = vars["SIGNET_ISSUER_URL"]
	}
	if c.issuer == "" {
		c.issuer = defaultSettings().IssuerURL
	}
	if c.clientID == "" {
		c.clientID = vars["SIGNET_CLIENT_ID"]
	}
	if c.clientID == "" {
		return nil, fail(exitUsage, "--client-id is missing")
	}
	if c.method != "client_secret_basic" && c.method != "client_secret_post" {
		return nil, fail(exitUsage, "--token-endpoint-auth-method must be client_secret_basic or client_secret_post")
	}
	secret := vars["SIGNET_CLIENT_SECRET"]
	if file := vars["SIGNET_CLIENT_SECRET_FILE"]; secret == "" && file != "" {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, fail(exitConfig, "SIGNET_CLIENT_SECRET_FILE: the file cannot be read: %w", err)
		}
		secret = strings.TrimRight(string(text), "\r\n")
	}
	r := newRemote(c.issuer, c.clientID, secret)
	r.method = c.method
	return r, nil
}

// maxInput is more than any password, code or token may have.
const maxInput = 16 << 10

// readLine reads a secret from stdin to its end; one line break after it is not part of it. Who presses Ctrl-C at a terminal
// is not kept waiting for that end.
func (a *app) readLine(ctx context.Context, what string) (string, error) {
	var text []byte
	var err error
	read := make(chan struct{})
	go func() {
		text, err = io.ReadAll(io.LimitReader(a.stdin, maxInput+1))
		close(read)
	}()
	select {
	case <-read:
	case <-ctx.Done():
		return "", fail(exitFailed, "stopped while waiting for %s on stdin", what)
	}
	if err != nil {
		return "", fail(exitFailed, "cannot read %s from stdin: %w", what, err)
	}
	line := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	switch {
	case line == "":
		return "", fail(exitUsage, "stdin is empty: it must hold %s", what)
	case len(text) > maxInput || strings.ContainsAny(line, "\r\n"):
		return "", fail(exitUsage, "stdin has more than one line: it must hold %s alone", what)
	}
	return line, nil
}

func newTokenCommand(a *app) *cobra.Command {
	var from credentials
	var grantType, username, scope string
	var resources []string
	var passwordStdin, refreshStdin bool
	cmd := &cobra.Command{
		Use:   "token",
		Short: "Get a token from a running issuer",
		Long: `Get a token from a running issuer, as a client would. The answer is printed as it came with
-o json, and else the access token alone, ready for a script.

` + credentialsHelp,
		Example: `  SIGNET_CLIENT_SECRET_FILE=secret.txt signet token --client-id backup --grant-type client_credentials
  signet token --client-id cli --grant-type password --username ada --password-stdin < password.txt
  signet token --client-id cli --grant-type refresh_token --refresh-token-stdin -o json < refresh.txt`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := a.remote(from)
			if err != nil {
				return err
			}
			form := url.Values{"grant_type": {grantType}}
			if scope != "" {
				form.Set("scope", scope)
			}
			form["resource"] = resources
			switch grantType {
			case "client_credentials":
			case "password":
				if username == "" || !passwordStdin {
					return fail(exitUsage, "the password grant needs --username and --password-stdin")
				}
				password, err := a.readLine(cmd.Context(), "the password")
				if err != nil {
					return err
				}
				form.Set("username", username)
				form.Set("password", password)
			case "refresh_token":
				if !refreshStdin {
					return fail(exitUsage, "the refresh_token grant needs --refresh-token-stdin")
				}
				refresh, err := a.readLine(cmd.Context(), "the refresh token")
				if err != nil {
					return err
				}
				form.Set("refresh_token", refresh)
			default:
				return fail(exitUsage, "--grant-type must be client_credentials, password or refresh_token")
			}
			answer, err := r.post(cmd.Context(), "token_endpoint", form)
			if err != nil {
				return err
			}
			if a.output == "json" {
				return printJSON(a.stdout, answer)
			}
			_, err = fmt.Fprintln(a.stdout, answer["access_token"])
			return err
		},
	}
	from.flags(cmd)
	cmd.Flags().StringVar(&grantType, "grant-type", "client_credentials", "client_credentials, password or refresh_token")
	cmd.Flags().StringVar(&username, "username", "", "for the password grant")
	cmd.Flags().StringVar(&scope, "scope", "", "scopes, separated by spaces (default: all the client's)")
	cmd.Flags().StringArrayVar(&resources, "resource", nil, "resource that the token is for (RFC 8707); may be repeated")
	cmd.Flags().BoolVar(&passwordStdin, "password-stdin", false, "read the password from stdin")
	cmd.Flags().BoolVar(&refreshStdin, "refresh-token-stdin", false, "read the refresh token from stdin")
	outputFlag(a, cmd)
	return cmd
}

func newIntrospectCommand(a *app) *cobra.Command {
	var from credentials
	cmd := &cobra.Command{
		Use:   "introspect",
		Short: "Ask a running issuer about a token",
		Long: `Ask a running issuer about the token on stdin (RFC 7662). The client must own the token or be
its audience; of any other token it hears active=false.

` + credentialsHelp,
		Example: "  SIGNET_CLIENT_SECRET_FILE=secret.txt signet introspect --client-id backup < token.txt\n" +
			"  signet introspect --client-id backup -o json < token.txt",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := a.remote(from)
			if err != nil {
				return err
			}
			token, err := a.readLine(cmd.Context(), "the token")
			if err != nil {
				return err
			}
			answer, err := r.post(cmd.Context(), "introspection_endpoint", url.Values{"token": {token}})
			if err != nil {
				return err
			}
			return a.show(answer)
		},
	}
	from.flags(cmd)
	outputFlag(a, cmd)
	return cmd
}

func printJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
