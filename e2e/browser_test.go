package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/audits"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// patience is how long one act of a browser may take on a machine that has other things to do.
const patience = time.Minute

// chromium is the one browser process that all tests share, started by the first that needs it.
type chromium struct {
	once   sync.Once
	ctx    context.Context
	cancel context.CancelFunc
	err    error
}

// open starts the process where it does not run yet.
func (c *chromium) open(t testing.TB) context.Context {
	t.Helper()
	i := slices.IndexFunc([]string{"chromium", "chromium-browser", "google-chrome"}, func(name string) bool {
		path, err := exec.LookPath(name)
		if err == nil {
			c.once.Do(func() { c.start(path) })
		}
		return err == nil
	})
	if i < 0 {
		missing(t, "Chromium", "install Chromium (Debian: chromium)")
	}
	if c.err != nil {
		t.Fatalf("Chromium does not start: %v", c.err)
	}
	return c.ctx
}

func (c *chromium) start(path string) {
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("ignore-certificate-errors-spki-list", ca.spki), // this one key is believed, and no other
	)
	ctx, cancelAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(ctx, chromedp.WithErrorf(func(string, ...any) {}))
	c.ctx, c.cancel = ctx, func() { cancel(); cancelAllocator() }
	c.err = chromedp.Do(ctx)
}

func (c *chromium) close() {
	if c.cancel != nil {
		c.cancel()
	}
}

// tab is one tab of one person's browser. Whatever its console or its content security policy complains of fails the test.
type tab struct {
	t          *testing.T
	ctx        context.Context
	scriptless bool

	mu         sync.Mutex
	documents  map[string]bool // addresses of pages, which may be error pages
	complaints []complaint
}

type complaint struct{ about, text string }

// openBrowser opens a browser that shares nothing with those of other tests.
func openBrowser(t *testing.T) *tab {
	t.Helper()
	return newTab(t, chrome.open(t), chromedp.WithNewBrowserContext())
}

// openTab opens another tab of the same person's browser.
func (b *tab) openTab() *tab {
	b.t.Helper()
	return newTab(b.t, b.ctx)
}

func newTab(t *testing.T, parent context.Context, options ...chromedp.ContextOption) *tab {
	t.Helper()
	b := &tab{t: t, documents: map[string]bool{}}
	ctx, cancel := chromedp.NewContext(parent, append(options, chromedp.WithListener(b.hear))...)
	b.ctx = ctx
	t.Cleanup(func() {
		cancel()
		for _, text := range b.heard() {
			t.Errorf("the browser complains: %s", text)
		}
	})
	if err := chromedp.Do(ctx); err != nil { // opens the tab, which lives as long as this context
		t.Fatal(err)
	}
	b.do(chromedp.Func(func(ctx context.Context, s *chromedp.Target) error {
		_, err := cdp.Call(ctx, s, audits.Enable, cdp.Empty{})
		return err
	}))
	return b
}

// withoutScript switches JavaScript off for what is loaded from now on.
func (b *tab) withoutScript() *tab {
	b.t.Helper()
	b.scriptless = true
	b.script(false)
	return b
}

func (b *tab) script(on bool) {
	b.do(chromedp.Func(func(ctx context.Context, s *chromedp.Target) error {
		_, err := cdp.Call(ctx, s, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
		return err
	}))
}

func (b *tab) hear(ev any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch ev := ev.(type) {
	case *network.EventResponseReceived:
		if ev.Type == network.ResourceTypeDocument {
			b.documents[ev.Response.URL] = true
		}
	case *log.EventEntryAdded:
		if ev.Entry.Level == log.EntryLevelError || ev.Entry.Level == log.EntryLevelWarning {
			b.complaints = append(b.complaints, complaint{ev.Entry.URL, fmt.Sprintf("%s: %s %s", ev.Entry.Source, ev.Entry.Text, ev.Entry.URL)})
		}
	case *runtime.EventConsoleAPICalled:
		if ev.Type == runtime.ConsoleAPICalledTypeError || ev.Type == runtime.ConsoleAPICalledTypeWarning {
			var args []string
			for _, a := range ev.Args {
				args = append(args, string(a.Value)+a.Description)
			}
			b.complaints = append(b.complaints, complaint{text: "console." + string(ev.Type) + ": " + strings.Join(args, " ")})
		}
	case *runtime.EventExceptionThrown:
		b.complaints = append(b.complaints, complaint{text: "exception: " + fmt.Sprint(ev.ExceptionDetails.Text, " ", ev.ExceptionDetails.Exception)})
	case *audits.EventIssueAdded:
		if ev.Issue.Code == audits.InspectorIssueCodeBounceTrackingIssue {
			return // every redirect to sign in looks like that, where the site was not used before
		}
		if d := ev.Issue.Details.GenericIssueDetails; d != nil && d.ErrorType == audits.GenericIssueErrorTypeFormInputHasWrongButWellIntendedAutocompleteValueError {
			return // said of bday and nickname too, which HTML has; axe-core finds those that it has not
		}
		b.complaints = append(b.complaints, complaint{text: fmt.Sprintf("issue: %s %s", ev.Issue.Code, asJSON(ev.Issue.Details))})
	}
}

func asJSON(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// heard is what the browser complained of. A page that is an error page is no complaint.
func (b *tab) heard() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var texts []string
	for _, c := range b.complaints {
		if !b.documents[c.about] {
			texts = append(texts, c.text)
		}
	}
	return texts
}

// pardon forgets complaints that hold text: what a test provoked.
func (b *tab) pardon(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.complaints = slices.DeleteFunc(b.complaints, func(c complaint) bool { return strings.Contains(c.text, text) })
}

// pardonAll forgets what was heard: what a test provoked.
func (b *tab) pardonAll() { b.pardon("") }

func (b *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	see(b, chromedp.Steps(steps...))
}

// see runs an action of the browser, and fails the test where it fails.
func see[T any](b *tab, action chromedp.Action[T]) T {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	value, err := chromedp.Run(ctx, action)
	if err != nil {
		b.t.Fatalf("%v\nat %s", err, b.where())
	}
	return value
}

// where describes the page, for the text of a failure.
func (b *tab) where() string {
	ctx, cancel := context.WithTimeout(b.ctx, 5*time.Second)
	defer cancel()
	text, err := chromedp.Run(ctx, chromedp.Evaluate[string](`location.href + "\n" + document.title + "\n" + document.body.innerText`))
	if err != nil {
		return "a page that does not answer: " + err.Error()
	}
	return text
}

// cookies are the names and values of the browser's cookies for address.
func (b *tab) cookies(address string) map[string]string {
	b.t.Helper()
	found := see(b, func(ctx context.Context, s *chromedp.Target) ([]*network.Cookie, error) {
		r, err := cdp.Call(ctx, s, network.GetCookies, network.GetCookiesParams{URLs: []string{address}})
		return r.Cookies, err
	})
	return maps.Collect(func(yield func(string, string) bool) {
		for _, c := range found {
			if !yield(c.Name, c.Value) {
				return
			}
		}
	})
}

// popup does act, which opens a window, and returns the window when it is at the page that it was opened for: the driver may race with
// itself where it is attached to a window that is just leaving for another one.
func (b *tab) popup(act func()) *tab {
	b.t.Helper()
	opened := chromedp.WaitNewTarget(b.ctx, func(i *target.Info) bool { return strings.HasPrefix(i.URL, "http") })
	act()
	select {
	case id := <-opened:
		return newTab(b.t, b.ctx, chromedp.WithTargetID(id))
	case <-time.After(patience):
		b.t.Fatalf("no window opened\nat %s", b.where())
		return nil
	}
}
