package e2e

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"testing"

	"github.com/signet-idp/signet/provider/bearer"
)

// TestAnAPIIsFoundByItsAddress: a client that knows nothing but an API's address, oauth4webapi, is led by its 401 to its metadata,
// to the issuer and to a token, which opens this API alone. The command line makes the same document from the registration.
func TestAnAPIIsFoundByItsAddress(t *testing.T) {
	t.Parallel()
	nodePath := installNode(t)
	onEngines(t, func(t *testing.T, env settings) {
		node := serve(t, env)
		api := describedAPI(t, node.URL)
		const other = "https://other.example"
		command{env: node.env}.run(t, "resource", "create", api, "--name", "Stock", "--scope", "stock.read stock.write")
		subject := createUser(t, node.env, "ada")
		shop := createClient(t, node.env, "--name", "shop", "--grant-type", "password", "--scope", "openid stock.read stock.write",
			"--resource", api, "--resource", other)

		nodeTests(t, nodePath, "resource.mjs", settings{
			"ISSUER": node.URL, "API": api, "OTHER_API": other, "USERNAME": "ada", "PASSWORD": password, "SUBJECT": subject,
			"SHOP_ID": shop.ID, "SHOP_SECRET": shop.Secret,
		})

		served, printed := map[string]any{}, map[string]any{}
		host := api[:len(api)-len("/v1")]
		if err := json.Unmarshal([]byte(get(t, host+"/.well-known/oauth-protected-resource/v1", "")), &served); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(command{env: node.env}.run(t, "resource", "metadata", api)), &printed); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(served, printed) {
			t.Errorf("the API serves %v, and the command prints %v", served, printed)
		}
	})
}

// describedAPI is an API under the path /v1 of its host, which is its name; reading and writing have scopes of their own.
func describedAPI(t *testing.T, issuer string) string {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	address := server.URL + "/v1"
	tokens, err := bearer.New(bearer.Config{Issuer: issuer, Audience: address, Metadata: &bearer.Metadata{
		Name: "Stock", Scopes: []string{"stock.read", "stock.write"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	mux.Handle(tokens.Metadata())
	whose := func(w http.ResponseWriter, _ *http.Request, t bearer.Token) { _, _ = io.WriteString(w, t.Subject) }
	mux.Handle("GET /v1", tokens.Handler(whose, "stock.read"))
	mux.Handle("PUT /v1", tokens.Handler(whose, "stock.write"))
	return address
}
