package pages

import (
	"net/http"
	"net/url"
	"strings"
)

// policy is what a page may do in the browser, beyond what all may.
type policy struct {
	forms    string   // where its form may lead, by redirects too: the origin of the app's redirect URI (oauth.Target.Origin)
	images   string   // the address of the app's logo
	frames   []string // the origins that are told of a sign-out
	isolated bool     // cut off from the window that opened it. Not where an app signs people in, or out, in a popup
	opens    bool     // cut off likewise, but from the windows that it opens itself and that answer it
}

// write sets the headers of a page. Chromium judges every redirect that follows a form by form-action, up to the app: so its origin
// is in there.
func (p policy) write(h http.Header) {
	var csp strings.Builder
	csp.WriteString("default-src 'none'; style-src 'self'; img-src 'self' data:")
	csp.WriteString(listed(origin(p.images)))
	csp.WriteString("; font-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'")
	csp.WriteString("; form-action 'self'" + listed(source(p.forms)))
	if len(p.frames) > 0 {
		csp.WriteString("; frame-src")
		for _, f := range p.frames {
			csp.WriteString(listed(source(f)))
		}
	}
	csp.WriteString("; require-trusted-types-for 'script'")
	h.Set("Content-Security-Policy", csp.String())
	h.Set("Cache-Control", "no-store")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	switch {
	case p.isolated:
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
	case p.opens:
		h.Set("Cross-Origin-Opener-Policy", "same-origin-allow-popups")
	}
	h.Set("Permissions-Policy", "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), midi=(), payment=(), usb=()")
	// Nothing of our addresses reaches others. To ourselves it does: without a referrer browsers send Origin: null with a form, and
	// those that know no Sec-Fetch-Site could not be told from another site.
	h.Set("Referrer-Policy", "same-origin")
}

// origin is that of a web address, "" for anything else.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// source is an origin as a Content Security Policy names it. Its grammar has no IPv6 addresses: those stand under their scheme.
func source(origin string) string {
	if scheme, _, found := strings.Cut(origin, "//["); found {
		return scheme
	}
	return origin
}

// listed is a source after the others of its directive. One that would end the directive is left out.
func listed(source string) string {
	if source == "" || strings.ContainsAny(source, " \t\r\n;,'\"*") {
		return ""
	}
	return " " + source
}
