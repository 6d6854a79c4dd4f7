package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// visit goes to address and returns the last answer of the way there.
func (b *tab) visit(address string) *network.Response {
	b.t.Helper()
	return see(b, chromedp.NavigateResponse(address))
}

// press clicks on what selector finds and returns the answer of the page that this leads to.
func (b *tab) press(selector string) *network.Response {
	b.t.Helper()
	return see(b, func(ctx context.Context, _ *chromedp.Target) (*network.Response, error) {
		return chromedp.RunResponse(ctx, chromedp.Click(chromedp.CSS(selector)))
	})
}

// tap clicks on what selector finds, where that leads to no other page in this tab.
func (b *tab) tap(selector string) {
	b.t.Helper()
	b.do(chromedp.Click(chromedp.CSS(selector)))
}

// leave clicks on what selector finds in a window that closes itself thereafter.
func (b *tab) leave(selector string) {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	// The window may be gone before the click is reported as done.
	_ = chromedp.Do(ctx, chromedp.Click(chromedp.CSS(selector)))
}

// fill types text into the field of that name, in place of what was there.
func (b *tab) fill(name, text string) {
	b.t.Helper()
	field := fmt.Sprintf("document.querySelector('input[name=%s]')", name)
	b.do(evaluate(field+".focus()"), evaluate(field+".select()"), chromedp.KeyEvent(text))
}

// text is what people read at selector.
func (b *tab) text(selector string) string {
	b.t.Helper()
	return strings.TrimSpace(see(b, chromedp.Text(chromedp.CSS(selector))))
}

func (b *tab) location() string {
	b.t.Helper()
	return see(b, chromedp.Location())
}

// has reports whether the page has what selector finds.
func (b *tab) has(selector string) bool {
	b.t.Helper()
	text, err := json.Marshal(selector)
	if err != nil {
		b.t.Fatal(err)
	}
	return see(b, chromedp.Evaluate[bool](fmt.Sprintf("document.querySelector(%s) !== null", text)))
}

// arrive waits until the tab shows a page whose address begins with prefix.
func (b *tab) arrive(prefix string) {
	b.t.Helper()
	b.until("arrives at "+prefix, func() bool {
		return glimpse[bool](b, fmt.Sprintf("location.href.startsWith(%q) && document.readyState === 'complete'", prefix))
	})
}

// evaluate runs an expression in the page.
func evaluate(expression string) chromedp.Action[chromedp.Void] {
	return chromedp.Evaluate[chromedp.Void](expression)
}

// glimpse evaluates what may fail because the page is just being left.
func glimpse[T any](b *tab, expression string) T {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, _ := chromedp.Run(ctx, chromedp.Evaluate[T](expression))
	return value
}

// until waits for that which cannot be waited for otherwise.
func (b *tab) until(what string, done func() bool) {
	b.t.Helper()
	if !eventually(b.ctx, done) {
		b.t.Fatalf("waited in vain until it %s\nat %s", what, b.where())
	}
}

// eventually asks until the answer is yes, for as long as patience lasts.
func eventually(ctx context.Context, done func() bool) bool {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return false
		case <-tick.C:
		}
	}
	return true
}

// signIn fills in the sign-in page and sends it.
func (b *tab) signIn(user, password string) *network.Response {
	b.t.Helper()
	b.fill("username", user)
	b.fill("password", password)
	return b.press("form:has(input[name=password]) button[type=submit]")
}

// enter sends a form with one field: a code of the second factor, or a user code.
func (b *tab) enter(field, value string) *network.Response {
	b.t.Helper()
	b.reveal(field)
	b.fill(field, value)
	return b.press(fmt.Sprintf("form:has(input[name=%s]) button[type=submit]", field))
}

// reveal opens the disclosure that hides a field, as a person would.
func (b *tab) reveal(field string) {
	b.t.Helper()
	closed := fmt.Sprintf("details:not([open]):has(input[name=%s]) > summary", field)
	if b.has(closed) {
		b.do(chromedp.Click(chromedp.CSS(closed)))
	}
}

// decide presses allow, deny or yes.
func (b *tab) decide(decision string) *network.Response {
	b.t.Helper()
	return b.press(fmt.Sprintf("button[name=decision][value=%s]", decision))
}

// shown are the pages that were looked at, by name: each once for the whole run is enough.
var shown sync.Map

// view is one way to look at a page.
type view struct {
	scheme string // of colours
	width  int64
}

// look judges the page as people see it: axe-core finds nothing in light and in dark, nothing runs over at 320 px, and pictures
// of it lie in .build/screens.
func (b *tab) look(name string) {
	b.t.Helper()
	b.regard(name, []string{"light", "dark"}, []view{{"light", 1280}, {"light", 320}, {"dark", 1280}, {"dark", 320}})
}

// glance is look, for a page that was looked at in another language: the words are others, and the colours are not.
func (b *tab) glance(name string) {
	b.t.Helper()
	b.regard(name, []string{"light"}, []view{{"light", 320}, {"dark", 1280}})
}

func (b *tab) regard(name string, judged []string, views []view) {
	b.t.Helper()
	if _, before := shown.LoadOrStore(name, true); before {
		return
	}
	if b.scriptless {
		b.script(true)
		defer b.script(false)
	}
	judge := b.judge()
	for _, scheme := range judged {
		b.do(media("prefers-color-scheme", scheme))
		for _, fault := range b.judged(judge) {
			b.t.Errorf("%s (%s): axe-core: %s", name, scheme, fault)
		}
	}
	for _, v := range views {
		b.do(media("prefers-color-scheme", v.scheme), chromedp.EmulateViewport(v.width, 900))
		if over := see(b, chromedp.Evaluate[int64]("document.documentElement.scrollWidth")); over > v.width {
			b.t.Errorf("%s: at %d px the page is %d px wide", name, v.width, over)
		}
		b.picture(fmt.Sprintf("%s-%s-%s", name, v.scheme, map[bool]string{true: "narrow", false: "wide"}[v.width < 600]))
	}
	b.do(chromedp.ResetViewport())
}

func media(feature, value string) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, s *chromedp.Target) error {
		_, err := cdp.Call(ctx, s, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: feature, Value: value}},
		})
		return err
	})
}

func (b *tab) picture(name string) {
	b.t.Helper()
	dir := filepath.Join("..", ".build", "screens")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	// Chromium shows a page that is written from right to left out of place where it reaches beyond a viewport that holds all of it.
	shot := chromedp.CaptureScreenshot()
	if see(b, chromedp.Evaluate[bool]("document.documentElement.scrollHeight > innerHeight")) {
		shot = chromedp.FullScreenshot(100)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), see(b, shot), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// axe runs axe-core with all its rules and returns what it finds.
func (b *tab) axe() (faults []string) {
	b.t.Helper()
	return b.judged(b.judge())
}

// judge puts axe-core into a world of its own beside the page's, where the page's policy does not bind it.
func (b *tab) judge() (world runtime.ExecutionContextID) {
	b.t.Helper()
	installNode(b.t)
	source := readFile(b.t, "node/node_modules/axe-core/axe.min.js")
	return see(b, func(ctx context.Context, s *chromedp.Target) (runtime.ExecutionContextID, error) {
		tree, err := cdp.Call(ctx, s, page.GetFrameTree, cdp.Empty{})
		if err != nil {
			return 0, err
		}
		world, err := cdp.Call(ctx, s, page.CreateIsolatedWorld, page.CreateIsolatedWorldParams{FrameID: tree.FrameTree.Frame.ID, WorldName: "axe"})
		if err != nil {
			return 0, err
		}
		_, err = evaluateIn(ctx, s, world.ExecutionContextID, source)
		return world.ExecutionContextID, err
	})
}

// evaluateIn runs an expression in a world and returns what it, or its promise, comes to.
func evaluateIn(ctx context.Context, s *chromedp.Target, world runtime.ExecutionContextID, expression string) ([]byte, error) {
	r, err := cdp.Call(ctx, s, runtime.Evaluate, runtime.EvaluateParams{
		Expression: expression, ContextID: world, AwaitPromise: new(true), ReturnByValue: new(true),
	})
	if err != nil {
		return nil, err
	}
	if r.ExceptionDetails != nil {
		return nil, fmt.Errorf("%s %v", r.ExceptionDetails.Text, r.ExceptionDetails.Exception)
	}
	return r.Result.Value, nil
}

// judged is what axe-core, in its world, finds now.
func (b *tab) judged(world runtime.ExecutionContextID) (faults []string) {
	b.t.Helper()
	const run = `axe.run(document, {resultTypes: ["violations"]}).then(r => JSON.stringify(r.violations.map(v => ({
		id: v.id, help: v.help, nodes: v.nodes.map(n => n.html + " " + n.failureSummary)}))))`
	found := see(b, func(ctx context.Context, s *chromedp.Target) (text string, err error) {
		value, err := evaluateIn(ctx, s, world, run)
		if err != nil {
			return "", err
		}
		return text, json.Unmarshal(value, &text)
	})
	var violations []struct {
		ID, Help string
		Nodes    []string
	}
	if err := json.Unmarshal([]byte(found), &violations); err != nil {
		b.t.Fatalf("axe-core answered %q: %v", found, err)
	}
	for _, v := range violations {
		faults = append(faults, fmt.Sprintf("%s: %s\n%s", v.ID, v.Help, strings.Join(v.Nodes, "\n")))
	}
	return faults
}
