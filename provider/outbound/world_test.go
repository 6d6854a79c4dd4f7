package outbound

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// canary is a listener that nobody may reach.
type canary struct {
	port    string
	reached atomic.Int64
}

// newCanary listens at the same port of several addresses of this machine.
func newCanary(t *testing.T) *canary {
	t.Helper()
	c := &canary{}
	listen := func(address string) bool {
		l, err := net.Listen("tcp", address)
		if err != nil {
			return false
		}
		t.Cleanup(func() { _ = l.Close() })
		_, c.port, _ = net.SplitHostPort(l.Addr().String())
		go func() {
			for {
				conn, err := l.Accept()
				if err != nil {
					return
				}
				c.reached.Add(1)
				_ = conn.Close()
			}
		}()
		return true
	}
	if !listen("127.0.0.1:0") {
		t.Fatal("nothing can listen at 127.0.0.1")
	}
	listen("[::1]:" + c.port) // where this machine has IPv6
	return c
}

// names is a resolver that answers each question of a name with the next of its addresses, and the last one ever after. Every name that
// is not among them leads to this machine: the resolver follows each odd spelling there is.
type names struct {
	mu sync.Mutex
	by map[string][][]string
}

func (n *names) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go n.serve(theirs)
		return ours, nil
	}}
}

// serve speaks DNS over TCP (RFC 7766 §8).
func (n *names) serve(conn net.Conn) {
	defer conn.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		question := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(conn, question); err != nil {
			return
		}
		var m dnsmessage.Message
		if err := m.Unpack(question); err != nil || len(m.Questions) != 1 {
			return
		}
		m.Response, m.Authoritative, m.Additionals = true, true, nil
		m.Answers = n.answers(m.Questions[0])
		answer, err := m.Pack()
		if err != nil {
			return
		}
		if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...)); err != nil {
			return
		}
	}
}

func (n *names) answers(q dnsmessage.Question) (all []dnsmessage.Resource) {
	n.mu.Lock()
	defer n.mu.Unlock()
	name := strings.ToLower(strings.TrimSuffix(q.Name.String(), "."))
	addresses := []string{"127.0.0.1", "::1"}
	if turns := n.by[name]; len(turns) > 0 {
		addresses = turns[0]
		if len(turns) > 1 && q.Type == dnsmessage.TypeA {
			n.by[name] = turns[1:]
		}
	}
	at := q.Name
	if name == "cname.test" { // another name stands between
		at = dnsmessage.MustNewName("inner." + q.Name.String())
		header := dnsmessage.ResourceHeader{Name: q.Name, Type: dnsmessage.TypeCNAME, Class: q.Class}
		all = append(all, dnsmessage.Resource{Header: header, Body: &dnsmessage.CNAMEResource{CNAME: at}})
	}
	for _, text := range addresses {
		a := netip.MustParseAddr(text)
		header := dnsmessage.ResourceHeader{Name: at, Type: q.Type, Class: q.Class}
		switch {
		case a.Is4() && q.Type == dnsmessage.TypeA:
			all = append(all, dnsmessage.Resource{Header: header, Body: &dnsmessage.AResource{A: a.As4()}})
		case a.Is6() && q.Type == dnsmessage.TypeAAAA:
			all = append(all, dnsmessage.Resource{Header: header, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
		}
	}
	return all
}

func network(t *testing.T, text string) Network {
	t.Helper()
	n, err := ParseNetwork(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return n
}

// at allows the one address of a test's server.
func at(t *testing.T, s *httptest.Server) Network {
	t.Helper()
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return network(t, "127.0.0.1/32:"+port)
}

func serve(t *testing.T, tls bool, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = discard()
	if tls {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

func portOf(s *httptest.Server) string {
	return strconv.Itoa(s.Listener.Addr().(*net.TCPAddr).Port)
}
