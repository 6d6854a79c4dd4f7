package browser

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/provider/handle"
)

type transaction struct {
	URI   string    `json:"uri"`
	Began time.Time `json:"began"`
}

func TestASealedRequestComesBackToTheBrowserThatBegan(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	p := w.browser()
	v := p.visit(t)
	sent := transaction{"https://app.example/cb?a=1&b=<2>", w.time().UTC()}
	text, err := w.Seal(v, sent)
	must(t, err)
	p.take(v)
	var got transaction
	must(t, w.Unseal(p.visit(t), text, &got))
	check(t, got == sent, "%+v came back as %+v", sent, got)
	must(t, w.Unseal(v, text, &got))

	for _, other := range []*client{w.browser(), {w.Browsers, map[string]string{hostPrefix + cookiePre: strings.Repeat("A", 43)}, ""}} {
		got = transaction{}
		want(t, w.Unseal(other.visit(t), text, &got), ErrForeign)
		check(t, got == transaction{}, "a foreign browser was shown %+v", got)
	}
	w.pass(30 * time.Minute)
	must(t, w.Unseal(p.visit(t), text, &got))
	w.pass(time.Second)
	want(t, w.Unseal(p.visit(t), text, &got), ErrExpired)
	want(t, w.Unseal(w.browser().visit(t), text, &got), ErrExpired)
	w.pass(-time.Hour) // another node's clock is behind
	must(t, w.Unseal(p.visit(t), text, &got))
}

func TestEveryEditOfASealedRequestIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	v := w.browser().visit(t)
	text, err := w.Seal(v, transaction{URI: "https://app.example"})
	must(t, err)
	raw, err := base64.RawURLEncoding.DecodeString(text[4:])
	must(t, err)
	var got transaction
	for i := range len(raw) * 8 {
		raw[i/8] ^= 1 << (i % 8)
		want(t, w.Unseal(v, text[:4]+base64.RawURLEncoding.EncodeToString(raw), &got), ErrForged)
		raw[i/8] ^= 1 << (i % 8)
	}
	form, err := w.FormToken(v, "/login")
	must(t, err)
	short, err := w.mint.Seal(handle.UseTransaction, []byte("short"))
	must(t, err)
	for _, other := range []string{"", "stx_", text + "A", text[:len(text)-1], form, "stx_" + form[4:], short} {
		want(t, w.Unseal(v, other, &got), ErrForged)
	}
}

func TestWhatWasSealedAsOneThingOpensAsNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	v := w.browser().visit(t)
	type lookalike transaction
	sent := transaction{URI: "https://app.example"}
	for _, body := range []any{sent, &sent} {
		text, err := w.Seal(v, body)
		must(t, err)
		var other lookalike
		want(t, w.Unseal(v, text, &other), ErrForged)
		var got transaction
		must(t, w.Unseal(v, text, &got))
	}
}

func TestARequestIsSealedUpToSixKiB(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	v := w.browser().visit(t)
	longest := 0
	for size := 4400; size < 4700; size++ {
		text, err := w.Seal(v, transaction{URI: strings.Repeat("a", size)})
		if err != nil {
			want(t, err, ErrTooLarge)
			break
		}
		longest = len(text)
	}
	check(t, longest > 6<<10-3 && longest <= 6<<10, "the longest has %d bytes, want 6 KiB", longest)
	_, err := w.Seal(v, transaction{URI: strings.Repeat("a", 1<<16)})
	want(t, err, ErrTooLarge)
	if _, err := w.Seal(v, func() {}); err == nil {
		t.Error("a function was sealed")
	}
}

func TestAFormIsGoodForItsSessionItsActionAndAnHour(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Config{})
	w.user(t, "ada")
	p := w.browser()
	v := p.visit(t)
	token, err := w.FormToken(v, "/login")
	must(t, err)
	must(t, w.CheckForm(v, "/login", token))
	p.take(v)
	must(t, w.CheckForm(p.visit(t), "/login", token))
	before := p.copy()

	other := w.browser()
	want(t, w.CheckForm(other.visit(t), "/login", token), ErrForm)
	other.cookies[hostPrefix+cookiePre] = strings.Repeat("A", 43)
	want(t, w.CheckForm(other.visit(t), "/login", token), ErrForm)
	for _, action := range []string{"", "/consent", "/login ", "/login?tx=1"} {
		want(t, w.CheckForm(p.visit(t), action, token), ErrForm)
	}
	for _, text := range []string{"", "sft_", token[:len(token)-1], token + "A", strings.Replace(token, "sft_", "stx_", 1)} {
		want(t, w.CheckForm(p.visit(t), "/login", text), ErrForm)
	}
	w.pass(time.Hour)
	must(t, w.CheckForm(p.visit(t), "/login", token))
	w.pass(time.Second)
	want(t, w.CheckForm(p.visit(t), "/login", token), ErrForm)

	v = before.visit(t)
	token, err = w.FormToken(v, "/login")
	must(t, err)
	p.mustSignIn(t, "ada")
	want(t, w.CheckForm(p.visit(t), "/login", token), ErrForm) // somebody signed in since
	must(t, w.CheckForm(before.visit(t), "/login", token))
	v = p.visit(t)
	token, err = w.FormToken(v, "/consent")
	must(t, err)
	must(t, w.CheckForm(p.visit(t), "/consent", token))
	want(t, w.CheckForm(before.visit(t), "/consent", token), ErrForm)
	p.mustSignIn(t, "ada")
	want(t, w.CheckForm(p.visit(t), "/consent", token), ErrForm) // the session's secret is another
}
