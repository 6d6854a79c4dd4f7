package mail

import (
	"errors"
	"net"
	"net/mail"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/idna"

	"github.com/signet-idp/signet/storage"
)

// The ports where a URL names none: those of submission (RFC 6409, RFC 8314).
const (
	portSubmission  = "587"
	portSubmissions = "465"
)

// Server is a mail server, and who we are to it.
type Server struct {
	host, port string
	implicit   bool // TLS from the first byte, and no STARTTLS
	user       string
	password   storage.Secret
}

var errServer = errors.New("must read smtp://USER:PASSWORD@HOST:PORT, or smtps:// for TLS from the first byte on; USER:PASSWORD@ and :PORT may " +
	"be left out, and characters that mean something in a URL are written as %40 and the like")

// ParseServer reads smtp://[user:password@]host[:port], where STARTTLS is required unless the host is a loopback one, or smtps://, where
// TLS comes first. The ports are 587 and 465 where it names none. The error never shows what it read: there is a password in it.
func ParseServer(text string) (Server, error) {
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return Server{}, errServer
	case u.Scheme != "smtp" && u.Scheme != "smtps", u.Hostname() == "", strings.Trim(u.Path, "/") != "", u.RawQuery != "", u.Fragment != "", u.Opaque != "":
		return Server{}, errServer
	}
	s := Server{host: u.Hostname(), port: u.Port(), implicit: u.Scheme == "smtps"}
	if s.port == "" {
		s.port = map[bool]string{false: portSubmission, true: portSubmissions}[s.implicit]
	}
	if n, err := strconv.ParseUint(s.port, 10, 16); err != nil || n == 0 {
		return Server{}, errServer
	}
	if u.User == nil {
		return s, nil
	}
	password, _ := u.User.Password()
	if s.user = u.User.Username(); s.user == "" || password == "" {
		return Server{}, errors.New("has a user or a password and not the other: it needs both, or neither")
	}
	if strings.ContainsAny(s.user+password, "\x00\r\n") {
		return Server{}, errors.New("has a line break or a zero byte in its user or password")
	}
	s.password = storage.NewSecret([]byte(password))
	return s, nil
}

// String is host:port, for logs and people.
func (s Server) String() string { return net.JoinHostPort(s.host, s.port) }

// Authenticates reports whether the server is given a user and a password.
func (s Server) Authenticates() bool { return s.user != "" }

// plain reports whether nothing is encrypted: what is said then does not leave the machine.
func (s Server) plain() bool {
	if s.implicit {
		return false
	}
	ip := net.ParseIP(s.host)
	return strings.EqualFold(s.host, "localhost") || ip != nil && ip.IsLoopback()
}

// ParseFrom reads the sender of all mails: an address such as no-reply@example.com, or with a name before it. The address must be ASCII:
// every mail server takes such a sender.
func ParseFrom(text string) (*mail.Address, error) {
	a, err := mail.ParseAddress(text)
	switch {
	case text == "":
		return nil, errors.New("is missing: it is the sender of mails, such as 'Example Accounts <no-reply@example.com>'")
	case err != nil, !ascii(a.Address), strings.ContainsAny(a.Name, "\r\n"), strings.ContainsAny(a.Address, "\" "):
		return nil, errors.New("must be an address in ASCII such as no-reply@example.com, or 'Example Accounts <no-reply@example.com>'")
	}
	return a, nil
}

// errAddress says that no mail can be sent to an address, whatever the server is.
var errAddress = errors.New("the address is none that a mail can be sent to")

// recipient is an address as mail servers take it: its domain in ASCII (RFC 5890). Its local part may need SMTPUTF8.
func recipient(address string) (string, error) {
	local, domain, found := strings.Cut(address, "@")
	domain, err := idna.Lookup.ToASCII(domain)
	if !found || err != nil {
		return "", errAddress
	}
	address = local + "@" + domain
	if a, err := mail.ParseAddress(address); err != nil || a.Address != address || a.Name != "" || strings.ContainsAny(address, "\" \r\n") {
		return "", errAddress
	}
	return address, nil
}

// ownName is how we greet mail servers and what our message IDs end with: the issuer's host.
func ownName(issuer string) string {
	u, err := url.Parse(issuer)
	if err != nil {
		return "localhost"
	}
	host := u.Hostname()
	if ip := net.ParseIP(host); ip != nil { // an address literal (RFC 5321 §4.1.3)
		if ip.To4() == nil {
			return "[IPv6:" + ip.String() + "]"
		}
		return "[" + ip.String() + "]"
	}
	if host, err = idna.Lookup.ToASCII(host); err != nil || host == "" {
		return "localhost"
	}
	return host
}

func ascii(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}
