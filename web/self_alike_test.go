package web_test

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"net/url"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/signet-idp/signet/provider"
	"github.com/signet-idp/signet/provider/account"
	"github.com/signet-idp/signet/storage"
)

// hashMemory is what one hash allocates in these tests: so much that hashes can be counted by the memory that they take.
const hashMemory = 8 << 20

// TestNothingTellsWhoIsKnownHere: on each page that takes a name of anybody, the answer, the hashes that are computed, the rows that
// are written and the letters that leave are the same whoever it is. It is alone while it runs, since it counts what is allocated.
func TestNothingTellsWhoIsKnownHere(t *testing.T) {
	for engine := range engines {
		t.Run(engine, func(t *testing.T) {
			s, c := newSite(t, engine), newClock()
			w := newWorld(t, engine, s.open(t, c.Now), c, openToAll, func(c *provider.Config) {
				c.PasswordHash = account.Params{Memory: hashMemory >> 10, Time: 1, Threads: 1}
			})
			people := w.knownAndUnknown()
			count := s.writes(t)
			for path, fill := range map[string]func(name string) []string{
				"/login":    func(name string) []string { return []string{"username", name, "password", "not the password"} },
				"/login ok": func(name string) []string { return []string{"username", name, "password", password} },
				"/signup":   func(name string) []string { return []string{"email", name + "@example.com"} },
				"/recover":  func(name string) []string { return []string{"username", name} },
				"/recover ": func(name string) []string { return []string{"username", name + "@example.com"} },
			} {
				at, right := strings.CutSuffix(path, " ok")
				of := people
				if right { // who is known, with that password, signs in
					of = slices.DeleteFunc(slices.Clone(people), func(name string) bool { return name == "known" || name == "spare" || name == "nmail" })
				}
				w.alikeFor(strings.TrimSpace(at), of, count, fill)
			}
		})
	}
}

// knownAndUnknown makes people of every kind that has a name of the same length, and returns their names.
func (w *world) knownAndUnknown() []string {
	w.Helper()
	people, by := w.provider.People(), account.By{Actor: "test"}
	w.user("known")
	w.user("spare")
	w.must(people.Disable(w.Context(), w.user("blind").ID, by))
	_, err := people.Create(w.Context(), storage.User{Username: "nopwd", Email: "nopwd@example.com"}, storage.Secret{}, by)
	w.must(err)
	_, err = people.Create(w.Context(), storage.User{Username: "nmail"}, storage.NewSecret([]byte(password)), by)
	w.must(err)
	w.mails()
	return []string{"known", "nobod", "spare", "blind", "nopwd", "nmail"}
}

// work is all that can be told of one request.
type work struct {
	first, last string // the answer, and the page that it leads to
	hashes      uint64
	written     map[string]int
	letters     int
}

// alikeFor asserts that the page does the same for all of them.
func (w *world) alikeFor(path string, people []string, count func() map[string]int, fill func(name string) []string) {
	w.Helper()
	var want work
	for i, name := range people {
		w.clock.Advance(2 * time.Hour)
		b := w.near()
		if b.visit(path); path == "/login" {
			b.visit("/account")
		}
		action, values := b.fields(fill(name)...)
		before, from := count(), allocated()
		answered := b.once(action, values)
		hashes := (allocated() - from) / hashMemory
		after := count()
		for what, n := range before {
			if after[what] -= n; after[what] == 0 {
				delete(after, what)
			}
		}
		after["take buckets"] += after["insert buckets"] + after["update buckets"] // asked before or not
		delete(after, "insert buckets")
		delete(after, "update buckets")
		got := work{first: answerTo(answered, name), hashes: hashes, written: after}
		if to := answered.location(); to != "" {
			got.last = answerTo(b.visit(to), name)
		}
		got.letters = after["insert outbox"]
		w.mails()
		if i == 0 {
			if want = got; path == "/login" && (hashes != 1 || answered.status != 422) || path != "/login" && (hashes != 0 || got.letters != 1 || answered.status != 303) {
				w.Errorf("%s: %d hashes, %d letters, %d\n%v", path, hashes, got.letters, answered.status, after)
			}
			continue
		}
		if got.first != want.first || got.last != want.last {
			w.Errorf("%s for %s answers\n%s\n%s\nand for %s\n%s\n%s", path, name, got.first, got.last, people[0], want.first, want.last)
		}
		if got.hashes != want.hashes || !maps.Equal(got.written, want.written) {
			w.Errorf("%s for %s takes %d hashes and writes %v, and for %s %d and %v", path, name, got.hashes, got.written, people[0], want.hashes, want.written)
		}
	}
}

// answerTo is an answer without what is drawn anew each time, and without the name that was typed.
func answerTo(p page, name string) string {
	text := fmt.Sprint(p.status, " ")
	for _, header := range slices.Sorted(maps.Keys(p.header)) {
		for _, value := range p.header[header] {
			switch header {
			case "X-Request-Id", "Date":
				value = ""
			case "Set-Cookie":
				name, rest, _ := strings.Cut(value, "=")
				_, attributes, _ := strings.Cut(rest, ";")
				value = name + ";" + attributes
			case "Location":
				to, _ := url.Parse(value)
				value = to.Path + fmt.Sprint(slices.Sorted(maps.Keys(to.Query())))
			}
			text += header + ": " + value + "\n"
		}
	}
	return text + strings.ReplaceAll(regexp.MustCompile(`s(tx|ft)_[\w-]+|challenge&#34;:&#34;[\w-]+`).ReplaceAllString(p.raw, "…"), name, "…")
}

// allocated is how many bytes have been allocated since the start.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// writes counts every row that is written at the site from now on, by what is done to which table. It is the database that counts.
func (s site) writes(t *testing.T) (count func() map[string]int) {
	t.Helper()
	exec, query := s.direct(t)
	exec("CREATE TABLE written (what text NOT NULL)")
	tables := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name <> 'written'"
	if s.engine == "postgres" {
		exec("CREATE FUNCTION note_write() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO written VALUES (lower(TG_OP) || ' ' || TG_TABLE_NAME); RETURN NULL; END $$")
		tables = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() AND tablename <> 'written'"
	}
	for _, table := range query(tables) {
		for _, what := range []string{"insert", "update", "delete"} {
			if s.engine == "postgres" {
				exec(fmt.Sprintf("CREATE TRIGGER note_%s AFTER %s ON %s FOR EACH ROW EXECUTE FUNCTION note_write()", what, what, table))
			} else {
				exec(fmt.Sprintf("CREATE TRIGGER note_%s_%s AFTER %s ON %s BEGIN INSERT INTO written VALUES ('%s %s'); END", what, table, what, table, what, table))
			}
		}
	}
	return func() map[string]int {
		n := map[string]int{}
		for _, what := range query("SELECT what FROM written") {
			n[what]++
		}
		return n
	}
}

// direct opens the site's database beside its nodes.
func (s site) direct(t *testing.T) (exec func(string), query func(string) []string) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	if s.engine == "postgres" {
		db, err := pgx.Connect(t.Context(), s.where)
		must(err)
		t.Cleanup(func() { _ = db.Close(context.Background()) })
		return func(text string) {
				_, err := db.Exec(t.Context(), text)
				must(err)
			}, func(text string) []string {
				rows, err := db.Query(t.Context(), text)
				must(err)
				all, err := pgx.CollectRows(rows, pgx.RowTo[string])
				must(err)
				return all
			}
	}
	db, err := sql.Open("sqlite", "file:"+s.where+"?_pragma=busy_timeout(5000)")
	must(err)
	t.Cleanup(func() { _ = db.Close() })
	return func(text string) {
			_, err := db.ExecContext(t.Context(), text)
			must(err)
		}, func(text string) (all []string) {
			rows, err := db.QueryContext(t.Context(), text)
			must(err)
			defer rows.Close()
			for rows.Next() {
				var one string
				must(rows.Scan(&one))
				all = append(all, one)
			}
			must(rows.Err())
			return all
		}
}
