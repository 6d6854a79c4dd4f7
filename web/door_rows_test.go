package web_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"
)

// rowsOf counts the rows of every table at the site.
func (s site) rowsOf(ctx context.Context) (rows map[string]int, err error) {
	rows = map[string]int{}
	if s.engine == "sqlite" {
		db, err := sql.Open("sqlite", s.where)
		if err != nil {
			return nil, err
		}
		defer func() { _ = db.Close() }()
		return rows, count(rows, "select name from sqlite_master where type = 'table'", func(q string, into *[]string, n *int) error {
			if n != nil {
				return db.QueryRowContext(ctx, q).Scan(n)
			}
			found, err := db.QueryContext(ctx, q)
			if err != nil {
				return err
			}
			defer func() { _ = found.Close() }()
			return scan(found, into)
		})
	}
	db, err := pgx.Connect(ctx, s.where)
	if err != nil {
		return nil, err
	}
	defer func() { _ = db.Close(ctx) }()
	return rows, count(rows, "select tablename::text from pg_tables where schemaname = current_schema()", func(q string, into *[]string, n *int) error {
		if n != nil {
			return db.QueryRow(ctx, q).Scan(n)
		}
		found, err := db.Query(ctx, q)
		if err != nil {
			return err
		}
		defer found.Close()
		return scan(found, into)
	})
}

// cursor is what the drivers' rows have in common.
type cursor interface {
	Next() bool
	Scan(into ...any) error
	Err() error
}

func scan(found cursor, into *[]string) error {
	for found.Next() {
		var name string
		if err := found.Scan(&name); err != nil {
			return err
		}
		*into = append(*into, name)
	}
	return found.Err()
}

func count(rows map[string]int, tables string, ask func(query string, into *[]string, n *int) error) error {
	var names []string
	if err := ask(tables, &names, nil); err != nil {
		return err
	}
	for _, name := range names {
		var n int
		if err := ask(`select count(*) from "`+name+`"`, nil, &n); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		rows[name] = n
	}
	return nil
}

func TestTenThousandAnonymousHitsLeaveNoRow(t *testing.T) {
	const hits, callers = 10000, 8
	eachSite(t, func(t *testing.T, s site, c *clock) {
		w := newWorld(t, s.engine, s.open(t, c.Now), c)
		app, quick := w.relying(), w.relying(firstParty)
		w.user("ada")
		before, err := s.rowsOf(t.Context())
		w.must(err)
		if len(before) < 15 || before["clients"] != 2 || before["users"] != 1 {
			t.Fatalf("these are not all tables, or not their rows: %v", before)
		}
		addresses := []string{
			authorize(app), authorize(quick), authorize(app, "prompt", "login"), authorize(quick, "prompt", "none"), authorize(app, "response_mode", "form_post", "prompt", "none"),
			authorize(app, "max_age", "0"), authorize(app, "claims", `{"userinfo":{"name":null}}`), authorize(app, "scope", "openid email offline_access", "prompt", "consent"),
			authorize(app, "state", strings.Repeat("x", 1000)), authorize(app, "acr_values", "urn:signet:acr:mfa"), "/device", "/device?user_code=BCDF-GHJK", "/oauth2/logout",
		}
		var all sync.WaitGroup
		for caller := range callers {
			all.Go(func() {
				for i := range hits / callers {
					from := fmt.Sprintf("198.51.%d.%d:1", caller, i%256)
					a := w.hit(addresses[i%len(addresses)], from, "")
					if next := a.Header().Get("Location"); i%20 == 0 && strings.HasPrefix(next, "/") { // and the page itself
						cookie, _, _ := strings.Cut(a.Header().Get("Set-Cookie"), ";")
						a = w.hit(next, from, cookie)
					}
					if a.Code != http.StatusSeeOther && a.Code != http.StatusOK {
						t.Errorf("hit %d: %d %s", i, a.Code, a.Body)
						return
					}
				}
			})
		}
		all.Wait()
		after, err := s.rowsOf(t.Context())
		w.must(err)
		if !maps.Equal(before, after) {
			t.Errorf("the tables had %v rows, and have %v", before, after)
		}
	})
}

// hit is one visit. On a machine that is busy with other things the database may not answer in time; who is told so tries again.
func (w *world) hit(address, from, cookie string) (a *httptest.ResponseRecorder) {
	for range 100 {
		r := httptest.NewRequestWithContext(w.Context(), http.MethodGet, address, nil)
		r.RemoteAddr = from
		r.Header.Set("Cookie", cookie)
		a = httptest.NewRecorder()
		if w.server.Config.Handler.ServeHTTP(a, r); a.Code != http.StatusServiceUnavailable {
			break
		}
	}
	return a
}
