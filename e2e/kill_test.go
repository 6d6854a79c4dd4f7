package e2e

import (
	"database/sql"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // to look into the database beside the server
)

// grace is the window of these clients: so short that they rotate under load (a balanced client rotates sixteen times in two
// windows at most).
const grace = time.Second

// TestKill: kill -9 of the server at random moments under refresh load loses no token that a client was given (NoAckLost),
// revives none that was dead (RevokedIsFinal), and leaves the database whole, with one row for each grant (OneRow).
func TestKill(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, env settings) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		env["SIGNET_REFRESH_GRACE"] = grace.String()
		node := serve(t, env)
		createUser(t, node.env, "ada")
		balanced := []string{"--name", "tabs", "--grant-type", "password", "--grant-type", "refresh_token", "--scope", "openid", "--refresh-rotation", "balanced"}
		strict := createClient(t, node.env, "--name", "strict", "--grant-type", "password", "--grant-type", "refresh_token", "--scope", "openid", "--refresh-rotation", "strict")
		j := &journal{node: node, client: createClient(t, node.env, balanced...), strict: strict}
		for range 16 {
			j.open(t)
		}
		j.bury(t)

		random := rand.New(rand.NewPCG(seed, 1))
		for i := range *kills {
			j.loadAndKill(t, random)
			node.start(t)
			j.checkDead(t)
			if t.Failed() {
				t.Fatalf("after kill %d", i+1)
			}
			if i%5 == 0 {
				j.end(t)
			}
		}
		j.checkAlive(t)
		j.checkRetired(t)
		j.checkDead(t)
		checkDatabase(t, node.env["SIGNET_DATABASE_URL"], j.grants)
		t.Logf("%d kills, %d refreshes acknowledged, %d answers lost", *kills, j.acked.Load(), j.lost.Load())
	})
}

// journal is what the clients know: which tokens they were given, and which grants they were told are ended.
type journal struct {
	node   *node
	client registered // balanced
	strict registered
	live   []*holder
	dead   []dead
	grants int // how many were ever made
	acked  atomic.Int64
	lost   atomic.Int64
}

// holder is one device with one grant. It keeps what it was given at once, and forgets nothing.
type holder struct {
	token string
	past  []string // tokens that were exchanged, oldest first
}

// dead is a token of a grant whose end was acknowledged.
type dead struct {
	client registered
	token  string
	why    string
}

func (j *journal) open(t *testing.T) {
	t.Helper()
	j.live = append(j.live, &holder{token: signIn(t, j.node.URL, j.client, "ada").RefreshToken})
	j.grants++
}

// bury makes grants that end by reuse and by revocation before the first kill.
func (j *journal) bury(t *testing.T) {
	t.Helper()
	first := signIn(t, j.node.URL, j.strict, "ada").RefreshToken
	second := refresh(t, j.node.URL, j.strict, first).RefreshToken
	refused(t, refresh(t, j.node.URL, j.strict, first), "a replay by a strict client")
	j.grants++
	j.dead = append(j.dead, dead{j.strict, first, "replayed"}, dead{j.strict, second, "successor of a replayed token"})
	j.open(t)
	j.end(t)
}

// end revokes the youngest grant, and opens another in its place.
func (j *journal) end(t *testing.T) {
	t.Helper()
	h := j.live[len(j.live)-1]
	revoke(t, j.node.URL, j.client, h.token)
	j.live = j.live[:len(j.live)-1]
	for _, token := range append(h.past[max(0, len(h.past)-2):], h.token) {
		j.dead = append(j.dead, dead{j.client, token, "revoked"})
	}
	j.open(t)
}

// loadAndKill lets every holder refresh as fast as it can and kills the server once a random number of answers has come.
func (j *journal) loadAndKill(t *testing.T, random *rand.Rand) {
	t.Helper()
	until := j.acked.Load() + 1 + random.Int64N(200)
	enough := make(chan struct{})
	var once sync.Once
	var holders sync.WaitGroup
	for _, h := range j.live {
		holders.Go(func() {
			client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{}}
			defer client.CloseIdleConnections()
			for j.turn(t, client, h) {
				if j.acked.Load() >= until {
					once.Do(func() { close(enough) })
				}
			}
		})
	}
	select {
	case <-enough:
	case <-time.After(time.Minute):
		t.Errorf("only %d of %d refreshes were answered within a minute", j.acked.Load(), until)
	}
	// Some microseconds further, so that the end meets a request at any of its steps.
	<-time.After(time.Duration(random.Int64N(int64(5 * time.Millisecond))))
	j.node.kill()
	holders.Wait()
}

// turn refreshes once. It returns false when the server is gone.
func (j *journal) turn(t *testing.T, client *http.Client, h *holder) bool {
	a, err := send(client, j.node.URL+"/oauth2/token", j.client, url.Values{"grant_type": {"refresh_token"}, "refresh_token": {h.token}})
	switch {
	case err != nil:
		j.lost.Add(1)
		return false
	case a.Status == http.StatusServiceUnavailable:
		return true
	case a.Status != http.StatusOK || a.RefreshToken == "":
		t.Errorf("an acknowledged token was refused: %d %s", a.Status, a.Body)
		return false
	}
	if a.RefreshToken != h.token {
		h.past, h.token = append(h.past, h.token), a.RefreshToken
	}
	j.acked.Add(1)
	return true
}

// checkAlive: each holder's newest token still works.
func (j *journal) checkAlive(t *testing.T) {
	t.Helper()
	for i, h := range j.live {
		if !j.turn(t, http.DefaultClient, h) {
			t.Errorf("holder %d lost its grant", i)
		}
	}
}

// checkDead: nothing whose end was acknowledged came back.
func (j *journal) checkDead(t *testing.T) {
	t.Helper()
	for _, d := range j.dead {
		refused(t, refresh(t, j.node.URL, d.client, d.token), "a token that was "+d.why)
		if introspect(t, j.node.URL, d.client, d.token).Active {
			t.Errorf("introspection calls a token active that was %s", d.why)
		}
	}
}

// checkRetired: out of its window an old token is reuse, and ends its grant.
func (j *journal) checkRetired(t *testing.T) {
	t.Helper()
	<-time.After(2*grace + 100*time.Millisecond)
	var tried int
	for _, h := range j.live {
		if len(h.past) < 3 {
			continue
		}
		tried++
		refused(t, refresh(t, j.node.URL, j.client, h.past[len(h.past)-3]), "a token that was retired three generations ago")
		refused(t, refresh(t, j.node.URL, j.client, h.token), "the newest token after the replay of an old one")
		j.dead = append(j.dead, dead{j.client, h.token, "ended by a replay"})
	}
	if tried == 0 {
		t.Error("no grant was refreshed often enough to have an old token")
	}
}

// checkDatabase looks into the database beside the server.
func checkDatabase(t *testing.T, address string, grants int) {
	t.Helper()
	const count = "SELECT count(*) FROM grants"
	var rows int
	if path, ok := strings.CutPrefix(address, "sqlite://"); ok {
		db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?mode=ro")
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		var verdict string
		if err := db.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&verdict); err != nil || verdict != "ok" {
			t.Errorf("PRAGMA integrity_check: %q, %v", verdict, err)
		}
		if err := db.QueryRowContext(t.Context(), count).Scan(&rows); err != nil {
			t.Fatal(err)
		}
	} else {
		amcheck(t, address)
		conn, err := pgx.Connect(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(t.Context())
		if err := conn.QueryRow(t.Context(), count).Scan(&rows); err != nil {
			t.Fatal(err)
		}
	}
	if rows != grants {
		t.Errorf("%d grants were made and %d rows are there", grants, rows)
	}
}

// amcheck checks every index against its table.
func amcheck(t *testing.T, address string) {
	t.Helper()
	path, err := exec.LookPath("pg_amcheck")
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/pg_amcheck"); err != nil && len(found) > 0 {
		path, err = found[len(found)-1], nil
	}
	if err != nil {
		missing(t, "pg_amcheck", "install PostgreSQL's server package")
	}
	config, err := pgx.ParseConfig(address)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), path, "--install-missing", "--heapallindexed", config.Database)
	cmd.Env = append(os.Environ(), "PGHOST="+config.Host, "PGPORT="+strconv.Itoa(int(config.Port)),
		"PGUSER="+config.User, "PGPASSWORD="+config.Password)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("pg_amcheck of %s: %v\n%s", config.Database, err, out)
	}
}
