package web_test

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/signet-idp/signet/storage"
)

// registeredURIs are the redirect URIs, and the post-logout ones, of the client of these tests.
func registeredURIs() []string {
	return []string{"https://app.example/cb", "https://app.example/cb?tenant=1", "http://127.0.0.1/cb", "http://[::1]/cb", "com.example.app:/cb"}
}

// foreignURIs differ from what is registered in what parsers, proxies and people have been fooled by.
func foreignURIs() []string {
	uris := strings.Fields(`
http://127.0.0.1:0/cb http://127.0.0.1:65536/cb http://127.0.0.1:080/cb http://127.0.0.1:/cb http://127.0.0.1:80@evil.example/cb http://127.0.0.1:80:80/cb
http://127.0.0.1.evil.example/cb http://127.0.0.1@evil.example/cb http://127.0.0.1%2eevil.example/cb http://127.0.0.2/cb http://127.0.0.1:80/CB http://127.0.0.1:+80/cb
http://127.0.0.1:80/cb/ http://127.0.0.1:80/cb?x=1 http://127.0.0.1:80/cb# http://127.0.0.1:80#/cb http://127.0.0.1:80\@evil.example/cb http://127.0.0.1:1e3/cb http://127.0.0.1:８０/cb
https://127.0.0.1/cb http://localhost/cb http://localhost:80/cb http://LOCALHOST/cb http://127.1/cb http://2130706433/cb http://0x7f000001/cb http://0177.0.0.1/cb http://0/cb http://0.0.0.0/cb
http://[::1%25lo]/cb http://[::1%lo]:80/cb http://[::1]:0/cb http://[::1]:65536/cb http://[::1].evil.example/cb http://[0:0:0:0:0:0:0:1]/cb http://[::ffff:127.0.0.1]/cb http://[::]/cb
http://[::1/cb http://::1/cb http://[::1]]/cb http://[::1]@evil.example/cb http://127.0.0.1:0x50/cb http://user@127.0.0.1/cb http://127.0.0.1//cb http://127.0.0.1\cb
com.example.app://cb com.example.app:/CB com.example.app:/cb/ com.example.app:cb COM.example.app:/cb com.example.app:///cb com.example.app:/cb# com.example.app:/cb?x=1 com.example.app2:/cb
com.example:/cb example.app:/cb com.example.app:/cb%2f.. com.example.app:/x/../cb com.example.app:\cb com.example.app:/cb; urn:ietf:wg:oauth:2.0:oob postmessage about:blank none null`)
	for _, host := range strings.Fields(`
user@app.example user:pass@app.example :@app.example @app.example app.example@ app.example@evil.example app.example:443@evil.example app.example%40evil.example evil.example\@app.example evil.example\app.example
app.example\.evil.example evil.example%5c@app.example evil.example#@app.example evil.example?@app.example evil.example;@app.example evil.example/@app.example evil.example%2f@app.example app.example%2f@evil.example
app.example.evil.example app.example. app.example.. .app.example *.app.example *app.example app.example:0 app.example:65536 app.example:443 app.example:8443 app.example: app.example:-1 app.example:443a
app.example:0443 app.example:99999 app.example:443:443 app.example:%34%34%33 APP.EXAMPLE App.Example аpp.example app.examp1e xn--pp-7kc.example app。example app．example app｡example app%2eexample app%E3%80%82example
app.example%00.evil.example app.example%0d%0a app.example%09 evil.example appXexample fooapp.example app-example app.example,evil.example app.example;evil.example app.example&evil.example app.example|evil.example
127.0.0.1 127.1 2130706433 0x7f.0.0.1 [::1] [::ffff:127.0.0.1] [fe80::1%25eth0] [app.example] [v1.app] app.example% app.example%zz localhost localhost:8080 ⓐpp.example ａｐｐ.example app.exámple app.example\u0000`) {
		uris = append(uris, "https://"+host+"/cb")
	}
	for _, before := range strings.Fields(`
HTTPS:// Https:// hTtPs:// http:// httpss:// ftp:// ws:// wss:// file:// // /// //// \\ /\ \/ / https: https:/ https:/// https://// https:\\ https:/\ https:\/ https// :// ://x@ javascript: JavaScript: javascript:// javascript://%0a
data: data:text/html, Data:text/html;base64, vbscript: blob:https:// filesystem:https:// view-source:https:// intent:// jar:https:// feed:https:// https:https:// https://https:// https%3a// https:%2f%2f %68ttps:// https://evil.example/?u=https://
https://evil.example/#https:// https://evil.example/https:// https://evil.example\https:// urn:https:// mailto: tel: x-https:// HTTPS: ht\ttps:// ../ ./ ?u= # .`) {
		uris = append(uris, before+"app.example/cb")
	}
	for _, after := range strings.Fields(`
/ /cb/ /CB /Cb /cB /cb; /cb;x=1 //cb /./cb /x/../cb /cb/.. /cb/../evil /cb%2f /cb%2f.. /cb%2f..%2fevil /cb%252f.. /cb%252e%252e /..;/cb /cb/..;/evil /%63b /c%62 /cb%00 /cb%0a /cb%0d%0aLocation:%20https://evil.example
/cb\ /cb\..\ /cb%5c.. /cb%20 /cb+ /cb%09 /cb? /cb?x=1 /cb?tenant=2 /cb?tenant=1& /cb?tenant=1&x=1 /cb?Tenant=1 /cb?tenant=1# /cb?tenant=%31 /cb?&tenant=1 /cb# /cb#x /cb#/../evil /cb#? /cb%23 /cb?%23 /cb&x /cbx /c /cb.evil /cb/x
/cb%c0%af.. /cb/%2e%2e/ /cb/%2E%2e/evil /cb/.%2e/ /cb.. /cb/. /cb... /cb?tenant=1?tenant=1 /cb?code=x /cb?iss=https://evil.example /cb?state=x /cb?tenant=1;x=1 /cb⁄.. /ｃｂ /cb%u002f /cb%2 /cb% /cb%zz /cb?% /cb*
/*  ?tenant=1 ?cb #cb \cb :443/cb @evil.example/cb .evil.example/cb %2fcb %2f%2fcb ;/cb ,/cb &/cb /cb|/cb,https://evil.example /cb<script> /cb"onload= /cb' /cb{} /cb^ /cb~`) {
		uris = append(uris, "https://app.example"+after)
	}
	for _, odd := range []string{" ", "\t", "\n", "\r", "\r\n", "\x00", "\x0b", "\x1b", "\x7f", "\u0085", "\u00a0", "\u2028", "\u200b", "\u202e", "\ufeff"} {
		uris = append(uris, odd+"https://app.example/cb", "https://app.example/cb"+odd, "https:"+odd+"//app.example/cb",
			"https://app.exa"+odd+"mple/cb", "https://app.example"+odd+"/cb", "https://evil.example"+odd+"https://app.example/cb")
	}
	return append(uris, "https://app.example", "https://app.example/"+strings.Repeat("a", 4096), strings.Join(registeredURIs(), " "), strings.Join(registeredURIs(), ","))
}

// nativeApp is a client that registered every kind of address, for people's return from sign-in and from sign-out.
func (w *world) nativeApp() app {
	w.Helper()
	return w.client(storage.ClientMetadata{
		ApplicationType: "native", GrantTypes: []string{"authorization_code", "password", "refresh_token"}, Scope: allScopes,
		TokenEndpointAuthMethod: "none", RedirectURIs: registeredURIs(), PostLogoutRedirectURIs: registeredURIs(),
	})
}

func TestNobodyIsSentToAnAddressThatIsNotRegistered(t *testing.T) {
	uris := foreignURIs()
	slices.Sort(uris)
	if uris = slices.Compact(uris); len(uris) < 300 {
		t.Fatalf("%d addresses, want 300", len(uris))
	}
	solo(t, func(w *world) {
		w.user("ada")
		c := w.nativeApp()
		b := w.signedIn(c, "", "ada")
		hint := w.login(c, "ada").text("id_token")
		for _, uri := range uris {
			w.clock.Advance(time.Second) // who proves nothing may push so often alone
			what := strconv.Quote(uri)
			w.shown("authorize "+what, b.once(authorize(c, "redirect_uri", uri, "prompt", "none"), nil), http.StatusBadRequest)
			w.shown("logout "+what, b.once("/oauth2/logout?"+form("id_token_hint", hint, "post_logout_redirect_uri", uri).Encode(), nil), http.StatusBadRequest)
			pushed := w.direct(w.Context(), "/oauth2/par", c, form("response_type", "code", "redirect_uri", uri, "scope", "openid",
				"code_challenge", challengeOf(codeVerifier), "code_challenge_method", "S256"))
			if pushed.status != http.StatusBadRequest || pushed.text("error") != "invalid_request" || pushed.header.Get("Location") != "" {
				t.Errorf("PAR %s: %d %s", what, pushed.status, pushed.raw)
			}
		}
		for _, uri := range registeredURIs() { // else all the above proved nothing
			if to := b.once(authorize(c, "redirect_uri", uri, "prompt", "none"), nil).location(); !strings.HasPrefix(to, uri) || !strings.Contains(to, "error=consent_required") {
				t.Errorf("%s is registered, and the answer goes to %q", uri, to)
			}
			if to := w.near().once("/oauth2/logout?"+form("id_token_hint", hint, "post_logout_redirect_uri", uri).Encode(), nil).location(); to != uri {
				t.Errorf("%s is registered, and after sign-out one is sent to %q", uri, to)
			}
		}
	})
}

// FuzzRedirectOfARequest: whatever redirect_uri is sent, the answer leads to our own pages, to an address that is registered, or to
// another port of a loopback address that is; where it leads away, it does so byte for byte.
func FuzzRedirectOfARequest(f *testing.F) {
	b := newBare(f, issuerURL, false)
	c, _, err := b.provider.Clients().Create(f.Context(), storage.ClientMetadata{
		ApplicationType: "native", GrantTypes: []string{"authorization_code"}, Scope: "openid", TokenEndpointAuthMethod: "none", RedirectURIs: registeredURIs(),
	}, "", "test")
	if err != nil {
		f.Fatal(err)
	}
	for _, uri := range append(foreignURIs(), "http://127.0.0.1:4711/cb", "http://[::1]:1/cb") {
		f.Add(uri)
	}
	for _, uri := range registeredURIs() {
		f.Add(uri)
	}
	f.Fuzz(func(t *testing.T, uri string) {
		a := b.ask(http.MethodGet, authorize(app{id: c.ID}, "redirect_uri", uri, "prompt", "none"), nil, nil)
		to := a.Header().Get("Location")
		known := slices.Contains(registeredURIs(), uri) || loopbackTwin(uri)
		if known != (to != "") || !known && a.Code != http.StatusBadRequest || known && !strings.HasPrefix(to, uri) {
			t.Errorf("%q: %d, Location %q", uri, a.Code, to)
		}
	})
}

// loopbackTwin reports whether uri is http://127.0.0.1/cb or http://[::1]/cb with a port, judged by the parts that a URL parser sees.
func loopbackTwin(uri string) bool {
	u, err := url.Parse(uri)
	if err != nil {
		return false
	}
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && port > 0 && (uri == "http://127.0.0.1:"+strconv.FormatUint(port, 10)+"/cb" || uri == "http://[::1]:"+strconv.FormatUint(port, 10)+"/cb")
}
