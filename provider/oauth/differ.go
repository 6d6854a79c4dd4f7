package oauth

import "strings"

// Difference is how a URI differs from those that it should have been one of, for whoever must mend it.
type Difference struct {
	Nearest string   // the one that is most alike; "" where there is none
	At      int      // the byte, from 0, at which the two part
	Part    PartedAt // what they part in
}

// PartedAt names the part of a URI in which two differ. The words do not change.
type PartedAt string

// The parts, in the order in which they are looked at.
const (
	PartedNone     PartedAt = "none" // there is nothing to compare with
	PartedSpace    PartedAt = "space"
	PartedCase     PartedAt = "case"
	PartedScheme   PartedAt = "scheme"
	PartedUser     PartedAt = "user"
	PartedHost     PartedAt = "host"
	PartedPort     PartedAt = "port"
	PartedSlash    PartedAt = "slash"
	PartedEncoding PartedAt = "encoding"
	PartedPath     PartedAt = "path"
	PartedQuery    PartedAt = "query"
	PartedFragment PartedAt = "fragment"
)

// Why is the difference as a sentence: constant text of ours.
func (p PartedAt) Why() string {
	switch p {
	case PartedNone:
		return "no address of this kind is registered"
	case PartedSpace:
		return "there is white space before or after it"
	case PartedCase:
		return "upper and lower case differ, and addresses are compared byte by byte"
	case PartedScheme:
		return "the schemes differ, such as http and https"
	case PartedUser:
		return "it has a user or password before the host, which no registered address may have"
	case PartedHost:
		return "the hosts differ; a subdomain, www or localhost for 127.0.0.1 is another host"
	case PartedPort:
		return "the ports differ; any port is good at http://127.0.0.1 and http://[::1] alone, as a redirect URI"
	case PartedSlash:
		return "one ends its path with a slash and the other does not"
	case PartedEncoding:
		return "they are percent-encoded differently, and addresses are compared byte by byte"
	case PartedPath:
		return "the paths differ"
	case PartedQuery:
		return "the queries differ; what changes from request to request belongs into state"
	case PartedFragment:
		return "it has a fragment, which no registered address may have"
	}
	return "they differ"
}

// Differ compares uri, which none of the registered ones equals, with the one that is most alike.
func Differ(registered []string, uri string) Difference {
	best := -1
	d := Difference{Part: PartedNone}
	for _, known := range registered {
		if alike := likeness(known, uri); alike > best {
			best, d.Nearest = alike, known
		}
	}
	if best < 0 {
		return d
	}
	d.At = common(d.Nearest, uri)
	d.Part = parted(d.Nearest, uri)
	return d
}

// likeness counts the bytes that two texts begin and end with alike, whatever their case.
func likeness(a, b string) int {
	a, b = strings.ToLower(a), strings.ToLower(b)
	front := common(a, b)
	a, b = a[front:], b[front:]
	back := 0
	for back < min(len(a), len(b)) && a[len(a)-1-back] == b[len(b)-1-back] {
		back++
	}
	return front + back
}

// common counts the bytes that two texts begin with.
func common(a, b string) (n int) {
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}

func parted(known, uri string) PartedAt {
	a, b := splitURI(known), splitURI(uri)
	path, other := strings.TrimSuffix(a.path, "/"), strings.TrimSuffix(b.path, "/")
	switch {
	case strings.EqualFold(strings.TrimSpace(uri), known) && strings.TrimSpace(uri) != uri:
		return PartedSpace
	case strings.EqualFold(uri, known):
		return PartedCase
	case !strings.EqualFold(a.scheme, b.scheme):
		return PartedScheme
	case a.user != b.user:
		return PartedUser
	case !strings.EqualFold(a.host, b.host):
		return PartedHost
	case a.port != b.port:
		return PartedPort
	case a.path != b.path && path == other:
		return PartedSlash
	case strings.EqualFold(path, other) && path != other:
		return PartedCase
	case path != other && decoded(path) == decoded(other):
		return PartedEncoding
	case path != other:
		return PartedPath
	case a.query != b.query:
		return PartedQuery
	}
	return PartedFragment
}

// parts are the pieces of a URI, found without demanding that it be a good one: it may well be what is wrong with it. Delimiters stay
// with the piece that they begin, but for those of scheme and user.
type parts struct{ scheme, user, host, port, path, query, fragment string }

func splitURI(uri string) (p parts) {
	rest, fragment, cut := strings.Cut(uri, "#")
	if cut {
		p.fragment = "#" + fragment
	}
	rest, query, cut := strings.Cut(rest, "?")
	if cut {
		p.query = "?" + query
	}
	end := strings.IndexByte(rest, ':')
	if slash := strings.IndexByte(rest, '/'); end < 0 || slash >= 0 && slash < end {
		p.path = rest
		return p
	}
	p.scheme, rest = rest[:end], rest[end+1:]
	authority, web := strings.CutPrefix(rest, "//")
	if !web {
		p.path = rest
		return p
	}
	if end := strings.IndexByte(authority, '/'); end >= 0 {
		authority, p.path = authority[:end], authority[end:]
	}
	if end := strings.LastIndexByte(authority, '@'); end >= 0 {
		p.user, authority = authority[:end], authority[end+1:]
	}
	p.host = authority
	if end := strings.LastIndexByte(authority, ':'); end > strings.LastIndexByte(authority, ']') {
		p.host, p.port = authority[:end], authority[end:]
	}
	return p
}

// decoded undoes percent-encoding as far as it is well formed.
func decoded(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			high, okHigh := hex(text[i+1])
			low, okLow := hex(text[i+2])
			if okHigh && okLow {
				b.WriteByte(high<<4 | low)
				i += 2
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

func hex(c byte) (value byte, ok bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10, true
	}
	return 0, false
}

// Redact is a URI as it may be kept: without user and password, without the values of its query and without its fragment, any of
// which may be a secret of somebody's. What is cut out is shown to be.
func Redact(uri string) string {
	p := splitURI(uri)
	var b strings.Builder
	if p.scheme != "" {
		b.WriteString(p.scheme + ":")
	}
	if strings.HasPrefix(uri[min(len(uri), b.Len()):], "//") && p.scheme != "" {
		b.WriteString("//")
	}
	if p.user != "" {
		b.WriteString(redacted + "@")
	}
	b.WriteString(p.host + p.port + p.path)
	if p.query != "" {
		b.WriteString("?" + redactQuery(p.query[1:]))
	}
	if p.fragment != "" {
		b.WriteString("#" + redacted)
	}
	return b.String()
}

// redacted stands where something was cut out.
const redacted = "[cut]"

func redactQuery(query string) string {
	pairs := strings.Split(query, "&")
	for i, pair := range pairs {
		switch name, value, valued := strings.Cut(pair, "="); {
		case valued && value != "":
			pairs[i] = name + "=" + redacted
		case !valued && name != "":
			pairs[i] = redacted
		}
	}
	return strings.Join(pairs, "&")
}
