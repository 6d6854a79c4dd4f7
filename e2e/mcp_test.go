package e2e

import (
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestMCPClient: the MCP SDK's client, given nothing but the address of the example MCP server, finds the issuer, becomes a client there
// by registration and by a client id document, has a person consent, calls a tool with the token, and refreshes it.
func TestMCPClient(t *testing.T) {
	t.Parallel()
	nodePath := installNode(t)
	program := buildMCPServer(t)
	const back = "http://127.0.0.1:8089/callback" // nobody goes there: the person stops before
	document := publishDocument(t, back)
	address, err := url.Parse(document)
	if err != nil {
		t.Fatal(err)
	}
	onTransports(t, settings{
		"SIGNET_CLIENT_REGISTRATION": "open", "SIGNET_CLIENT_ID_DOCUMENTS": "on",
		"SIGNET_OUTBOUND_ALLOW": "127.0.0.1/32:" + address.Port(), "SIGNET_OUTBOUND_CA_FILE": ca.file,
	}, func(t *testing.T, n *node) {
		subject := createUser(t, n.env, "ada")
		server := startMCPServer(t, program, n.URL)
		command{env: n.env}.run(t, "resource", "create", server, "--name", "Who am I", "--scope", "mcp.tools", "--any-client")
		with := settings{
			"ISSUER": n.URL, "MCP_SERVER": server, "SUBJECT": subject, "USERNAME": "ada", "PEOPLE": n.people(t), "REDIRECT_URI": back, "DOCUMENT": document,
		}
		maps.Copy(with, ca.trusting())
		nodeTests(t, nodePath, "mcp.mjs", with)
	})
}

// publishDocument serves the client id document of an agent, and returns its address.
func publishDocument(t *testing.T, redirectURI string) string {
	t.Helper()
	var address string
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/agent.json" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, fmt.Sprintf(`{"client_id":%q,"client_name":"Agent","redirect_uris":[%q],`+
			`"grant_types":["authorization_code","refresh_token"],"response_types":["code"],"token_endpoint_auth_method":"none"}`, address, redirectURI))
	}))
	server.TLS = ca.serverConfig(t)
	server.StartTLS()
	t.Cleanup(server.Close)
	_, port, err := net.SplitHostPort(server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	address = "https://localhost:" + port + "/agent.json"
	return address
}

// buildMCPServer builds the example as its README does.
func buildMCPServer(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "mcp")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	cmd.Dir, cmd.Env = filepath.Join("..", "examples", "mcp-go"), toolchain(t).environ(t.TempDir())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go build examples/mcp-go: %v\n%s", err, out)
	}
	return program
}

// startMCPServer starts the example for tokens of the issuer, and returns the address that people give to their agents.
func startMCPServer(t *testing.T, program, issuer string) string {
	t.Helper()
	listen := freeAddr(t)
	server := &node{URL: "http://" + listen, dir: t.TempDir(), log: &logBuffer{}}
	resource := server.URL + "/mcp"
	env := settings{"ISSUER": issuer, "RESOURCE": resource, "LISTEN_ADDR": listen}
	maps.Copy(env, ca.trusting())
	server.cmd = exec.Command(program)
	server.cmd.Dir, server.cmd.Env, server.cmd.Stdout, server.cmd.Stderr = server.dir, env.environ(server.dir), server.log, server.log
	if err := server.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	server.done = make(chan error, 1)
	go func() { server.done <- server.cmd.Wait() }()
	t.Cleanup(func() {
		server.kill()
		if t.Failed() {
			t.Logf("log of the MCP server:\n%s", server.log.tail())
		}
	})
	if err := server.ready(t.Context(), server.URL+"/.well-known/oauth-protected-resource/mcp"); err != nil {
		t.Fatalf("the MCP server: %v", err)
	}
	return resource
}
