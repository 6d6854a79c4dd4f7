// An API on net/http that lets in whoever brings an access token of Signet's that is for it.
package main

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"os"
	"time"

	"github.com/signet-idp/signet/provider/bearer"
)

func main() {
	if err := run(); err != nil {
		slog.Error(err.Error())
		os.Exit(1)
	}
}

func run() error {
	tokens, err := bearer.New(bearer.Config{
		Issuer:   os.Getenv("ISSUER"),   // such as https://id.example.com
		Audience: os.Getenv("AUDIENCE"), // such as https://api.example.com: what clients ask tokens for as resource
		Metadata: &bearer.Metadata{Name: "Stock", Scopes: []string{"stock.read", "stock.write"}},
		Logger:   slog.Default(),
	})
	if err != nil {
		return err
	}
	server := http.Server{Addr: os.Getenv("LISTEN_ADDR"), Handler: routes(tokens), ReadHeaderTimeout: 10 * time.Second}
	return server.ListenAndServe()
}

func routes(tokens *bearer.Verifier) http.Handler {
	mux := http.NewServeMux()
	// Where clients learn which issuer to ask for a token (RFC 9728): each challenge names this address.
	mux.Handle(tokens.Metadata())
	// Whose token it is, the handler is told: it cannot be mounted without the check.
	mux.Handle("GET /me", tokens.Handler(func(w http.ResponseWriter, _ *http.Request, t bearer.Token) {
		answer(w, map[string]any{"sub": t.Subject, "client_id": t.ClientID, "scope": t.Scope})
	}))
	// Whole parts of an API stand behind a scope.
	stock := http.NewServeMux()
	stock.HandleFunc("GET /stock/plums", func(w http.ResponseWriter, _ *http.Request) { answer(w, map[string]any{"plums": 7}) })
	mux.Handle("/stock/", tokens.RequireScope("stock.read")(stock))
	mux.Handle("PUT /stock/plums", tokens.RequireScope("stock.write")(http.HandlerFunc(
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })))
	return mux
}

func answer(w http.ResponseWriter, value any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(value)
}
