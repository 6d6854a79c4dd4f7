package web_test

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

// hostile is a request that nobody sends by mistake, to any endpoint that takes a form.
type hostile struct {
	name   string
	header http.Header
	body   string
	status int // 0: any 4xx
}

// endpoints that take a form.
var formEndpoints = []string{"/oauth2/token", "/oauth2/introspect", "/oauth2/revoke", "/userinfo"}

func zipped(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.String()
}

// hostiles are the same for every endpoint; good is a body that the token endpoint would take.
func hostiles(good string) []hostile {
	header := func(name string, values ...string) http.Header { return http.Header{name: values} }
	form := "application/x-www-form-urlencoded"
	many := func(n int, pair func(i int) string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(pair(i))
		}
		return b.String()
	}
	return []hostile{
		{"10 MB of one value", nil, good + "&x=" + strings.Repeat("a", 10<<20), 413},
		{"10 MB of ampersands", nil, good + strings.Repeat("&", 10<<20), 413},
		{"1 MB password", nil, good + "&password=" + strings.Repeat("a", 1<<20), 413},
		{"1 MiB of dots", nil, "token=" + strings.Repeat(".", 1<<20), 413},
		{"10,000 parameters", nil, good + many(10000, func(i int) string { return fmt.Sprintf("&%d", i) }), 400},
		{"10,000 equal parameters", nil, good + many(10000, func(int) string { return "&a=b" }), 400},
		{"20,000 resources", nil, good + many(5000, func(int) string { return "&resource=x" }), 400},
		{"60 KB of dots as token", nil, "token=" + strings.Repeat(".", 60<<10) + "&access_token=" + strings.Repeat(".", 100), 0},
		{"no type", header("Content-Type"), good, 0},
		{"empty type", header("Content-Type", ""), good, 0},
		{"JSON", header("Content-Type", "application/json"), `{"grant_type":"password"}`, 415},
		{"multipart", header("Content-Type", "multipart/form-data; boundary=x"), "--x--", 415},
		{"two types", header("Content-Type", form, "text/plain"), good, 415},
		{"malformed type", header("Content-Type", "/;;;"), good, 415},
		{"UTF-16", header("Content-Type", form+"; charset=utf-16"), good, 400},
		{"gzip", header("Content-Encoding", "gzip"), zipped(good), 415},
		{"zip bomb", header("Content-Encoding", "gzip"), zipped(strings.Repeat("a", 10<<20)), 415},
		{"gzip unsaid", nil, zipped(good), 0},
		{"bad UTF-8", nil, good + "&x=%ff%fe", 400},
		{"raw bad UTF-8", nil, good + "&x=\xff\xfe", 400},
		{"bad UTF-8 in a name", nil, good + "&%c3%28=x", 400},
		{"bad percent-encoding", nil, good + "&x=%zz", 400},
		{"percent at the end", nil, good + "&x=%", 400},
		{"malformed Basic", header("Authorization", "Basic !!!"), good, 0},
		{"Basic without a colon", header("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("nocolon"))), good, 0},
		{"Basic with bad escapes", header("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("%zz:%"))), good, 0},
		{"Basic with NUL", header("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("a\x00b:c\x00d"))), good, 0},
		{"Basic with bad UTF-8", header("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("\xff:\xff"))), good, 0},
		{"Basic of nothing", header("Authorization", "Basic "), good, 0},
		{"Basic and a secret", header("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte("a:b"))), good + "&client_secret=b", 0},
		{"Bearer with a good body", header("Authorization", "Bearer x"), good, 0},
		{"empty Authorization", header("Authorization", ""), good, 0},
		{"Authorization twice", header("Authorization", "Basic YTpi", "Basic YTpi"), good, 400},
		{"long Basic", header("Authorization", "Basic "+strings.Repeat("QUFB", 200<<10/4)), good, 0},
		{"long Bearer", header("Authorization", "Bearer "+strings.Repeat(".", 200<<10)), good, 0},
		{"long unknown scheme", header("Authorization", strings.Repeat("x", 200<<10)), good, 0},
		{"NUL in Authorization", header("Authorization", "Bearer a\x00b"), good, 0},
	}
}

// complain asserts that the answer is a clear refusal and says what to mend, in the characters that it may use.
func complain(t *testing.T, at string, status, want int, header http.Header, raw []byte) {
	t.Helper()
	var body struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	err := json.Unmarshal(raw, &body)
	switch {
	case status < 400 || status > 499 || want != 0 && status != want:
		t.Errorf("%s: %d %s, want %d", at, status, raw, want)
	case err != nil || body.Error == "" || !describable.MatchString(body.Description):
		t.Errorf("%s: %d without a description: %s", at, status, raw)
	case status == http.StatusUnauthorized && header.Get("WWW-Authenticate") == "":
		t.Errorf("%s: 401 without a challenge", at)
	case header.Get("X-Request-Id") == "" || header.Get("Cache-Control") != "no-store":
		t.Errorf("%s: headers %v", at, header)
	}
}

func TestHostileRequestsAreRefusedClearlyEverywhereAndCostLittle(t *testing.T) {
	b := newBare(t, issuerURL, false)
	c := b.client(t)
	// A body without its client authenticated gets to the end of what can be said without one.
	good := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.id}, "token": {"x"}}.Encode()
	const rounds, most = 4, 512 << 10
	for _, path := range formEndpoints {
		for _, h := range hostiles(good) {
			at := h.name + " at " + path
			want := h.status
			if path == "/userinfo" { // a request that carries no bearer token, or says no type, is not read further
				want = 0
			}
			body := []byte(h.body)
			a := b.ask(http.MethodPost, path, h.header, body)
			complain(t, at, a.Code, want, a.Header(), a.Body.Bytes())
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range rounds {
				b.ask(http.MethodPost, path, h.header, body)
			}
			runtime.ReadMemStats(&after)
			if each := (after.TotalAlloc - before.TotalAlloc) / rounds; each > most {
				t.Errorf("%s: %d KiB allocated for each", at, each>>10)
			}
		}
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	dots := http.Header{"Authorization": {"Bearer " + strings.Repeat(".", 1<<20)}}
	for range 200 {
		b.ask(http.MethodGet, "/userinfo", dots, nil)
	}
	runtime.ReadMemStats(&after)
	if each := (after.TotalAlloc - before.TotalAlloc) / 200; each > 64<<10 {
		t.Errorf("1 MiB of dots as a token: %d KiB allocated for each", each>>10)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int64(after.HeapAlloc) - int64(before.HeapAlloc); grown > 4<<20 {
		t.Errorf("the heap grew by %d KiB", grown>>10)
	}
}

func TestStrangeValuesInEveryParameterAreAClientsMistake(t *testing.T) {
	each(t, func(w *world) {
		w.enrol(w.user("grace"))
		values := map[string]string{
			"NUL": "\x00", "NUL inside": "a\x00b", "line break and quotes": "a\r\nX-Evil: 1\"\\", "long": strings.Repeat("x", 60<<10),
			"marks": "\u202e😀\ufffd" + strings.Repeat("\u0301", 1000), "SQL": "' OR 1=1 --%s%n{{.}}", "prefix": "srt_",
		}
		c := w.confidential(posts)
		for _, grant := range []string{"password", "refresh_token", mfaGrant, "client_credentials"} {
			good := w.as(c, form("grant_type", grant, "username", "grace", "password", "wrong", "refresh_token", "x", "mfa_token", "x", "otp", "1"))
			for _, name := range append(knownParameters, "resource", "client_assertion", "client_assertion_type", "nonce") {
				for what, value := range values {
					v := w.as(app{}, good)
					v.Set(name, value)
					a := w.send(http.MethodPost, "/oauth2/token", nil, v.Encode())
					if a.status == http.StatusOK && grant == "client_credentials" { // it does not read most of them
						continue
					}
					complain(t, what+" as "+name+" of "+grant, a.status, 0, a.header, []byte(a.raw))
					if len(value) > 4 && strings.Contains(a.raw, value) {
						t.Errorf("%s as %s is echoed: %s", what, name, a.raw)
					}
				}
			}
			w.clock.Advance(3600e9)
		}
	})
}

func TestABodyOverTheLimitIsRefusedOverTheWire(t *testing.T) {
	each(t, func(w *world) {
		c := w.confidential(posts)
		for _, size := range []int{64<<10 + 1, 128 << 10} {
			body := w.as(c, form("grant_type", "client_credentials")).Encode() + "&x="
			a := w.send(http.MethodPost, "/oauth2/token", nil, body+strings.Repeat("a", size-len(body)))
			complain(t, fmt.Sprint(size, " bytes"), a.status, http.StatusRequestEntityTooLarge, a.header, []byte(a.raw))
		}
		// The header's bound is the server's own; it answers by itself, before there is a request.
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server.URL+"/userinfo", nil)
		w.must(err)
		r.Header.Set("Authorization", "Bearer "+strings.Repeat(".", 2<<20))
		if response, err := w.server.Client().Do(r); err == nil { // the connection may be gone before the client has sent it all
			_ = response.Body.Close()
			if response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
				t.Errorf("a header of 2 MiB: %d", response.StatusCode)
			}
		}
	})
}

// marked sends what must leave no trace in the log: tokens old and new, and marks wherever a request has room.
func (w *world) marked(c app, old, newest answer) {
	w.Helper()
	w.token(app{id: c.id, secret: "marked-client-secret", post: true}, "grant_type", "password")
	w.token(app{id: c.id, secret: "marked-client-secret"}, "grant_type", "password")
	w.userinfo(newest.access())
	w.userinfo("marked-bearer-token")
	w.send(http.MethodPost, "/userinfo", nil, form("access_token", newest.access()).Encode())
	for _, path := range []string{"/oauth2/introspect", "/oauth2/revoke"} {
		w.post(path, c, form("token", "marked-token"))
		w.post(path, c, form("token", newest.access()))
		w.post(path, c, form("token", newest.refresh()))
	}
	w.refreshWith(c, old.refresh())
	w.send(http.MethodGet, "/oauth2/token?password=marked-query&access_token="+newest.access(), nil, "")
	w.send(http.MethodPost, "/nothing/marked-path/"+newest.refresh(), http.Header{"Cookie": {"s=marked-cookie"}, "Authorization": {"marked-scheme"}}, "x=1")
	w.send(http.MethodPost, "/oauth2/token", http.Header{"Content-Type": {"text/marked-type"}}, "marked-body")
	w.send(http.MethodPost, "/oauth2/token", nil, "password=marked-twice&password=marked-twice")
	w.send(http.MethodPost, "/oauth2/token", nil, "marked-name=1&marked-name=2")
	w.send("MARKED-METHOD", "/oauth2/token", nil, "")
}

func TestNoSecretReachesTheLog(t *testing.T) {
	each(t, func(w *world) {
		seed, recovery := w.enrol(w.user("grace"))
		secrets := map[string]string{"password": password, "TOTP secret": seed, "recovery code": recovery[0], "wrong password": "marked-wrong-password"}
		for kind, c := range map[string]app{"jwt": w.confidential(posts), "opaque": w.confidential(opaque), "public": w.public()} {
			keep := func(name, value string) {
				if value != "" {
					secrets[kind+" "+name] = value
				}
			}
			keep("client secret", c.secret)
			mfaToken, otp := w.half(c, "grace"), w.code(seed)
			keep("mfa_token", mfaToken)
			w.redeem(c, mfaToken, "marked-otp")
			a := w.redeem(c, mfaToken, otp)
			b := w.refreshWith(c, a.refresh())
			for _, issued := range []answer{a, b} {
				keep("access token "+issued.access()[:4], issued.access())
				keep("refresh token "+issued.refresh()[5:9], issued.refresh())
				keep("ID token", issued.text("id_token"))
			}
			w.token(c, "grant_type", mfaGrant, "mfa_token", mfaToken, "recovery_code", recovery[0])
			w.guess(c, "grace", "marked-wrong-password")
			w.guess(c, "marked-password-as-username", "marked-wrong-password")
			w.marked(c, a, b)
			if regexp.MustCompile(`\b` + otp + `\b`).MatchString(w.log.String()) {
				t.Errorf("%s: the one-time code is in the log", kind)
			}
			w.clock.Advance(10 * 60e9)
		}
		log := w.log.String()
		if strings.Count(log, `"msg":"request"`) < 60 {
			t.Fatalf("there is little in the log: %s", log)
		}
		for name, secret := range secrets {
			if strings.Contains(log, secret) {
				t.Errorf("%s is in the log", name)
			}
		}
		for _, line := range strings.Split(log, "\n") {
			if strings.Contains(strings.ReplaceAll(line, "MARKED-METHOD", ""), "marked") {
				t.Errorf("what a request brought is in the log: %s", line)
			}
		}
	})
}

func FuzzTokenRequest(f *testing.F) {
	b := newBare(f, issuerURL, false)
	c := b.client(f)
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(c.id+":"+c.secret))
	for _, path := range []byte{0, 1, 2, 3} {
		f.Add(path, basic, "grant_type=client_credentials")
		f.Add(path, "", "grant_type=password&username=a&password=b&client_id="+c.id+"&client_secret="+c.secret)
		f.Add(path, basic, "grant_type=refresh_token&refresh_token=srt_AQABAAAA&token=sat_AQAB")
		f.Add(path, "Bearer a.b.c", "access_token=&token=eyJhbGciOiJub25lIn0.e30.")
		f.Add(path, "Basic Og==", "grant_type="+mfaGrant+"&mfa_token=smf_&otp=1&recovery_code=2&resource=a&resource=b")
		f.Add(path, "\x00", "%zz=\xff&&=")
	}
	f.Fuzz(func(t *testing.T, path byte, authorization, body string) {
		header := http.Header{}
		if authorization != "" {
			header.Set("Authorization", authorization)
		}
		address := formEndpoints[int(path)%len(formEndpoints)]
		var a *httptest.ResponseRecorder
		if a = b.ask(http.MethodPost, address, header, []byte(body)); a.Code == http.StatusOK {
			return
		}
		complain(t, address, a.Code, 0, a.Header(), a.Body.Bytes())
	})
}
