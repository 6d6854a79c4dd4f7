package mail

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"math/big"
	"net"
	"net/textproto"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The host of test servers, and what they let in.
const (
	serverHost = "smtp.example"
	smtpUser   = "signet"
	smtpSecret = "pass/word:with@all" // what a URL needs escapes for
)

// received is a mail that a server took.
type received struct {
	from, to string
	data     []byte
}

// mailServer speaks SMTP as far as a submission does.
type mailServer struct {
	t        *testing.T
	listener net.Listener
	cert     tls.Certificate
	implicit bool
	offers   []string          // extensions
	answers  map[string]string // other replies by verb (GREETING and END, of the message, too); "drop": none, and hang up; "hang": none
	hangs    chan struct{}     // hears of each "hang"
	hold     chan struct{}     // where given, END waits until it is closed

	mu       sync.Mutex
	commands []string
	mails    []received
	now, top int // messages being sent at once
}

// startServer runs a server until the test ends. edit may change what it does.
func startServer(t *testing.T, edit func(*mailServer)) *mailServer {
	t.Helper()
	m := &mailServer{
		t: t, cert: certificate(t, serverHost), offers: []string{"STARTTLS", "AUTH LOGIN PLAIN", "8BITMIME"},
		answers: map[string]string{}, hangs: make(chan struct{}, 100),
	}
	if edit != nil {
		edit(m)
	}
	var err error
	if m.listener, err = (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	var open sync.WaitGroup
	ended, end := context.WithCancel(context.Background())
	open.Go(func() {
		for {
			conn, err := m.listener.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				defer context.AfterFunc(ended, func() { _ = conn.Close() })()
				defer conn.Close()
				m.serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = m.listener.Close()
		end()
		open.Wait()
	})
	return m
}

// transport is an SMTP to the server, which it believes to be at serverHost.
func (m *mailServer) transport(scheme string, login bool) *SMTP {
	m.t.Helper()
	user := ""
	if login {
		user = smtpUser + ":pass%2Fword%3Awith%40all@"
	}
	server, err := ParseServer(scheme + "://" + user + serverHost)
	if err != nil {
		m.t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(m.cert.Leaf)
	s := NewSMTP(server, roots, issuer)
	s.dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, m.listener.Addr().String())
	}
	return s
}

func (m *mailServer) took() []received {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.mails)
}

func (m *mailServer) heard() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return strings.Join(m.commands, "\n")
}

// line is a connection to one client.
type line struct {
	*textproto.Conn
	conn net.Conn
}

func (m *mailServer) serve(conn net.Conn) {
	if m.implicit {
		conn = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{m.cert}})
	}
	c := &line{textproto.NewConn(conn), conn}
	if !m.reply(c, "GREETING", "220 smtp.example ESMTP") {
		return
	}
	var mail received
	for {
		command, err := c.ReadLine()
		if err != nil {
			return
		}
		m.mu.Lock()
		m.commands = append(m.commands, command)
		m.mu.Unlock()
		verb, rest, _ := strings.Cut(command, " ")
		ok := true
		switch verb {
		case "EHLO":
			ok = m.reply(c, verb, "250-smtp.example\r\n250-"+strings.Join(m.offers, "\r\n250-")+"\r\n250 SIZE 1000000")
		case "STARTTLS":
			if ok = m.reply(c, verb, "220 go on"); ok && m.answers[verb] == "" {
				encrypted := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{m.cert}})
				c = &line{textproto.NewConn(encrypted), encrypted}
			}
		case "AUTH":
			ok = m.authenticate(c, rest)
		case "MAIL":
			mail.from = rest
			ok = m.reply(c, verb, "250 ok")
		case "RCPT":
			mail.to = rest
			ok = m.reply(c, verb, "250 ok")
		case "DATA":
			ok = m.data(c, mail)
		case "QUIT":
			m.reply(c, verb, "221 bye")
			return
		default:
			ok = c.PrintfLine("502 what is %s", command) == nil // as some do: it repeats what it got
		}
		if !ok {
			return
		}
	}
}

// reply says what the server answers; false: nothing more.
func (m *mailServer) reply(c *line, verb, usual string) bool {
	switch other := m.answers[verb]; other {
	case "":
		return c.PrintfLine("%s", usual) == nil
	case "drop":
		return false
	case "hang":
		m.hangs <- struct{}{}
		_, _ = c.ReadLine() // until the client goes away, or the server does
		return false
	case "flood":
		for {
			if _, err := c.conn.Write(bytes.Repeat([]byte("x"), 1<<16)); err != nil {
				return false
			}
		}
	default:
		return c.PrintfLine("%s", other) == nil
	}
}

func (m *mailServer) authenticate(c *line, rest string) bool {
	if other := m.answers["AUTH"]; other != "" {
		return m.reply(c, "AUTH", "")
	}
	way, initial, _ := strings.Cut(rest, " ")
	plain, _ := base64.StdEncoding.DecodeString(initial)
	given := string(plain)
	if way == "LOGIN" {
		given = ""
		for _, prompt := range []string{"Username:", "Password:"} {
			_ = c.PrintfLine("334 %s", base64.StdEncoding.EncodeToString([]byte(prompt)))
			answer, err := c.ReadLine()
			if err != nil {
				return false
			}
			text, _ := base64.StdEncoding.DecodeString(answer)
			given += "\x00" + string(text)
		}
	}
	if given != "\x00"+smtpUser+"\x00"+smtpSecret {
		return c.PrintfLine("535 5.7.8 not %q", given) == nil // a server that says too much
	}
	return c.PrintfLine("235 welcome") == nil
}

func (m *mailServer) data(c *line, mail received) bool {
	if !m.reply(c, "DATA", "354 go on") {
		return false
	}
	if other := m.answers["DATA"]; other != "" {
		return true
	}
	m.count(1)
	defer m.count(-1)
	var err error
	if mail.data, err = c.ReadDotBytes(); err != nil {
		return false
	}
	if m.hold != nil {
		m.hangs <- struct{}{}
		<-m.hold
	}
	if m.answers["END"] == "" {
		m.mu.Lock()
		m.mails = append(m.mails, mail)
		m.mu.Unlock()
	}
	return m.reply(c, "END", "250 taken")
}

func (m *mailServer) count(by int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now += by
	m.top = max(m.top, m.now)
}

// certificate is one of a host, signed by itself.
func certificate(t *testing.T, host string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{host}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}

// header is the header of a mail as it came, unfolded.
func header(t *testing.T, data []byte) textproto.MIMEHeader {
	t.Helper()
	h, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(data))).ReadMIMEHeader()
	if err != nil {
		t.Fatal(err)
	}
	return h
}
