// An MCP server whose tools are for whoever brings an access token of Signet's that is for it.
package main

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/signet-idp/signet/provider/bearer"
)

// scope is what a token must have for the tools.
const scope = "mcp.tools"

func main() {
	if err := run(); err != nil {
		slog.Error(err.Error())
		os.Exit(1)
	}
}

func run() error {
	resource := os.Getenv("RESOURCE") // such as https://mcp.example.com/mcp: the address that people give to their agents
	tokens, err := bearer.New(bearer.Config{
		Issuer:   os.Getenv("ISSUER"), // such as https://id.example.com
		Audience: resource,
		Metadata: &bearer.Metadata{Name: "Who am I", Scopes: []string{scope}},
		Logger:   slog.Default(),
	})
	if err != nil {
		return err
	}
	address, err := url.Parse(resource)
	if err != nil {
		return err
	}
	server := http.Server{Addr: os.Getenv("LISTEN_ADDR"), Handler: routes(tokens, cmp.Or(address.Path, "/")), ReadHeaderTimeout: 10 * time.Second}
	return server.ListenAndServe()
}

func routes(tokens *bearer.Verifier, path string) http.Handler {
	mux := http.NewServeMux()
	// Where agents learn which issuer to ask for a token (RFC 9728): each challenge names this address.
	mux.Handle(tokens.Metadata())
	// There are no sessions: each request brings its token, and gets a server that knows whose it is. So nobody takes over what another
	// began, and a token that has expired ends everything.
	mux.Handle(path, tokens.Handler(func(w http.ResponseWriter, r *http.Request, t bearer.Token) {
		mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return server(t) }, &mcp.StreamableHTTPOptions{
			Stateless: true, JSONResponse: true, Logger: slog.Default(),
		}).ServeHTTP(w, r)
	}, scope))
	return mux
}

// caller is what whoami answers.
type caller struct {
	Subject  string   `json:"sub" jsonschema:"who signed in, or the client itself"`
	ClientID string   `json:"client_id" jsonschema:"the agent that asks"`
	Scope    []string `json:"scope" jsonschema:"what it may do here"`
}

// server is an MCP server for the holder of one token.
func server(t bearer.Token) *mcp.Server {
	s := mcp.NewServer(&mcp.Implementation{Name: "whoami", Version: "1.0.0"}, nil)
	mcp.AddTool(s, &mcp.Tool{Name: "whoami", Description: "Says whose access token this is"},
		func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, caller, error) {
			return nil, caller{Subject: t.Subject, ClientID: t.ClientID, Scope: t.Scope}, nil
		})
	return s
}
