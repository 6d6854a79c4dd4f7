package e2e

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/jackc/pgx/v5"
)

// town is a server whose people look after themselves, and the place where their mail comes.
type town struct {
	*node
	mail   *mailbox
	strict *node // another, where everybody must have a second factor
	homes  atomic.Int64
}

// TestPeople: nobody has to ask an administrator. People in a real browser set the server up, sign up from an app, choose a forgotten
// password anew, lose and recover their second factor, end what is signed in elsewhere, change their address, leave and come back,
// with what a real mail server brings them; on both engines, with JavaScript, and on SQLite again without it.
func TestPeople(t *testing.T) {
	t.Parallel()
	onEngines(t, func(t *testing.T, env settings) {
		file := strings.HasPrefix(env["SIGNET_DATABASE_URL"], "sqlite:")
		w := openTown(t, env, !file)
		// The first of all, in an empty database. Only one person does that: with JavaScript on the one engine, without it on the other.
		setUp(t, w, w.browser(t, file, "en"))
		for _, scriptless := range []bool{false, true} {
			if scriptless && !file {
				continue
			}
			t.Run(map[bool]string{false: "script", true: "noscript"}[scriptless], func(t *testing.T) {
				t.Parallel()
				for name, tell := range map[string]func(*testing.T, *town, string, func() *tab){
					"join": joinStory, "reset": resetStory, "recovery code": lostStory, "delayed recovery": delayedStory, "enrol": enrolStory,
					"elsewhere": elsewhereStory, "email": emailStory, "leave": leaveStory,
				} {
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						user := strings.ReplaceAll(name, " ", "-")
						if scriptless {
							user += "-noscript"
						}
						tell(t, w, user, func() *tab { return w.browser(t, scriptless, "en") })
					})
				}
			})
		}
		if !file {
			return // the words are the same on both
		}
		for _, tag := range []string{"de", "ar"} {
			t.Run(tag, func(t *testing.T) {
				t.Parallel()
				tongueStory(t, w, tag)
			})
		}
	})
}

// openTown starts the servers, each on a database of its own: one engine's.
func openTown(t *testing.T, env settings, strictMail bool) *town {
	t.Helper()
	w := &town{mail: openMailbox(t, strictMail)}
	maps.Copy(env, w.mail.settings())
	maps.Copy(env, settings{
		"SIGNET_SIGN_UP": "on", "SIGNET_SECOND_FACTOR_RECOVERY": "72h",
		"SIGNET_TRUSTED_PROXIES": "127.0.0.0/8", // see browser
	})
	w.node = serve(t, env)
	strict := settings{"SIGNET_DATABASE_URL": "sqlite://" + filepath.Join(t.TempDir(), "signet.db")}
	if !strings.HasPrefix(env["SIGNET_DATABASE_URL"], "sqlite:") {
		strict = onPostgres(t)
	}
	strict["SIGNET_SECOND_FACTOR"] = "all"
	w.strict = serve(t, strict)
	return w
}

// browser opens one of somebody's own: at a network address of its own, since the mails that one network may ask for are few, and in a
// language.
func (w *town) browser(t *testing.T, scriptless bool, language string) *tab {
	t.Helper()
	b := openBrowser(t)
	home := fmt.Sprintf("192.0.2.%d", w.homes.Add(1))
	b.do(chromedp.Func(func(ctx context.Context, s *chromedp.Target) error {
		_, err := cdp.Call(ctx, s, network.SetExtraHTTPHeaders, network.SetExtraHTTPHeadersParams{
			Headers: network.Headers{"X-Forwarded-For": home, "Accept-Language": language},
		})
		return err
	}))
	if scriptless {
		b.withoutScript()
	}
	return b
}

// greeting is the link that a server prints when nobody is there yet.
var greeting = regexp.MustCompile(`(?m)^\s*(http\S+/setup\?link=sml_\S+)$`)

// setUp: the link that the empty server printed, or another, makes the first administrator, and no link makes a second one.
func setUp(t *testing.T, w *town, b *tab) {
	t.Helper()
	var printed []string
	if !eventually(t.Context(), func() bool {
		printed = greeting.FindStringSubmatch(w.log.String())
		return printed != nil
	}) {
		t.Fatal("the server prints no link")
	}
	var another struct{ Link string }
	if err := json.Unmarshal([]byte(command{env: w.env}.run(t, "setup-link", "-o", "json")), &another); err != nil || another.Link == printed[1] {
		t.Fatalf("another link: %q, %v", another.Link, err)
	}
	b.visit(w.URL + "/setup")
	b.wantHeading("A link is needed here")
	b.look("setup-none")

	b.land(printed[1])
	b.wantHeading("Set up this server")
	b.look("setup")
	b.fill("username", "root")
	b.fill("email", "root@example.com")
	b.choose("password")
	b.wantProblem("Many people have that password")
	b.look("setup-wrong")
	b.choose(password)
	b.wantHeading("Second factor")
	b.wantDone("You are the administrator")
	b.look("setup-done")
	secret, _ := accountFactor(t, w.node, b)

	b.visit(another.Link)
	b.wantHeading("This link does not work any more")
	b.look("link-dead")
	if out, errs, err := (command{env: w.env}).try(t, "setup-link"); err == nil || out != "" || !strings.Contains(errs, "there is an administrator already") {
		t.Errorf("with an administrator setup-link says %q %q, %v", out, errs, err)
	}
	w.mail.wait(t, "root@example.com", "A second factor was added to your account")

	again := w.browser(t, b.scriptless, "en")
	again.visit(w.URL + "/account")
	again.signIn("root", password)
	again.enter("otp", oathtool(t, secret))
	again.wantHeading("Your account")
	if shown := w.shown(t, "root"); !shown.Admin || shown.Email != "root@example.com" {
		t.Errorf("the administrator is %+v", shown)
	}
}

// land opens a link as a mail program does: what then stands in the address bar is of no use anywhere else.
func (b *tab) land(link string) {
	b.t.Helper()
	b.visit(link)
	if at := b.location(); strings.Contains(at, "sml_") || strings.Contains(at, "link=") {
		b.t.Errorf("the link stands in the address bar: %s", at)
	}
}

// choose types a new password twice and sends the form.
func (b *tab) choose(fresh string) {
	b.t.Helper()
	b.fill("password", fresh)
	b.fill("again", fresh)
	b.press("main button[type=submit]")
}

// wantDone fails the test unless the page says that this was done.
func (b *tab) wantDone(want string) {
	b.t.Helper()
	if !b.has("[role=status]") || !strings.Contains(b.text("[role=status]"), want) {
		b.t.Errorf("the page does not say %q\nat %s", want, b.where())
	}
}

// wantProblem fails the test unless the page says that something is wrong.
func (b *tab) wantProblem(want string) {
	b.t.Helper()
	if !b.has("[role=alert]") || !strings.Contains(b.text("[role=alert]"), want) {
		b.t.Errorf("the page does not complain of %q\nat %s", want, b.where())
	}
}

// user is what signet user show tells.
type user struct {
	Email    string
	Verified bool `json:"email_verified"`
	Admin    bool
}

func (w *town) shown(t *testing.T, name string) (u user) {
	t.Helper()
	out := command{env: w.env}.run(t, "user", "show", name, "-o", "json")
	if err := json.Unmarshal([]byte(out), &u); err != nil {
		t.Fatalf("signet user show answered %q: %v", out, err)
	}
	return u
}

// ripen lets the time pass that a person's recovery has to wait: no setting makes that shorter than an hour.
func (w *town) ripen(t *testing.T, name string) {
	t.Helper()
	statement := "UPDATE tickets SET ripe_at = created_at WHERE kind = 'recovery' AND user_id = (SELECT id FROM users WHERE username = '" + name + "')"
	var rows int64
	address := w.env["SIGNET_DATABASE_URL"]
	if path, ok := strings.CutPrefix(address, "sqlite://"); ok {
		db, err := sql.Open("sqlite", "file:"+filepath.ToSlash(path)+"?_pragma=busy_timeout(10000)")
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		result, err := db.ExecContext(t.Context(), statement)
		if err != nil {
			t.Fatal(err)
		}
		rows, _ = result.RowsAffected()
	} else {
		conn, err := pgx.Connect(t.Context(), address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(context.WithoutCancel(t.Context()))
		result, err := conn.Exec(t.Context(), statement)
		if err != nil {
			t.Fatal(err)
		}
		rows = result.RowsAffected()
	}
	if rows != 1 {
		t.Fatalf("%d recoveries of %s are under way", rows, name)
	}
}
