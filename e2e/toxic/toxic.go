// Package toxic is a TCP proxy that does to a connection what networks do: delay, silence, a reset, an answer that never
// comes. Tests put it between a server and its database, where its cuts are failpoints that the program knows nothing of.
package toxic

import (
	"net"
	"sync"
	"testing"
	"time"
)

// Proxy passes connections on to one address, and harms them as told. What is told holds for the connections that are open
// as for those to come.
type Proxy struct {
	Addr   string // where it listens, host:port
	target string

	mu      sync.Mutex
	changed *sync.Cond // frozen or closed has changed
	links   map[*link]bool
	delay   time.Duration
	frozen  bool
	refuses bool
	closed  bool
	left    int // requests until the one whose answer is lost; 0: none is
	lost    []byte
	fired   bool
}

// link is one connection: client is who connected, server what it meant to reach.
type link struct {
	client, server *net.TCPConn
	doomed         bool // its next answer is lost, and it with that
}

// New starts a proxy in front of target. It ends with the test.
func New(t testing.TB, target string) *Proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{Addr: l.Addr().String(), target: target, links: map[*link]bool{}}
	p.changed = sync.NewCond(&p.mu)
	var accepting sync.WaitGroup
	accepting.Go(func() { p.accept(l) })
	t.Cleanup(func() {
		_ = l.Close()
		p.mu.Lock()
		p.closed = true
		p.changed.Broadcast()
		p.mu.Unlock()
		p.Reset()
		accepting.Wait()
	})
	return p
}

// Delay lets every request wait for d before it is passed on.
func (p *Proxy) Delay(d time.Duration) { p.set(func() { p.delay = d }) }

// Freeze passes nothing on in either direction, and closes nothing, until Thaw: a peer that has lost its power.
func (p *Proxy) Freeze() { p.set(func() { p.frozen = true }) }

// Thaw ends Freeze; what was held is passed on.
func (p *Proxy) Thaw() { p.set(func() { p.frozen = false }) }

// Refuse resets new connections at once, or no longer does.
func (p *Proxy) Refuse(yes bool) { p.set(func() { p.refuses = yes }) }

// CutAnswer loses the answer to the n-th request from now, over all connections, and resets the connection: the server has
// done what it was asked, and nobody is told. A request is what the client sends at once.
func (p *Proxy) CutAnswer(n int) { p.set(func() { p.left, p.fired, p.lost = n, false, nil }) }

// Lost returns the bytes that CutAnswer lost, and whether it came to that. Nothing is cut any more.
func (p *Proxy) Lost() (answer []byte, fired bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.left = 0
	return p.lost, p.fired
}

// Reset breaks all connections with a RST.
func (p *Proxy) Reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.reset()
	}
}

// HalfClose ends the direction from the server to its clients; the other stays open.
func (p *Proxy) HalfClose() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		_ = l.client.CloseWrite()
	}
}

func (p *Proxy) set(change func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change()
	p.changed.Broadcast()
}

func (p *Proxy) accept(l net.Listener) {
	var links sync.WaitGroup
	defer links.Wait()
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		links.Go(func() { p.serve(c.(*net.TCPConn)) })
	}
}

func (p *Proxy) serve(client *net.TCPConn) {
	p.mu.Lock()
	refuses := p.refuses
	p.mu.Unlock()
	if refuses {
		_ = client.SetLinger(0)
		_ = client.Close()
		return
	}
	server, err := net.Dial("tcp", p.target)
	if err != nil {
		_ = client.SetLinger(0)
		_ = client.Close()
		return
	}
	k := &link{client: client, server: server.(*net.TCPConn)}
	p.mu.Lock()
	p.links[k] = true
	closed := p.closed
	p.mu.Unlock()
	if closed {
		k.reset()
	}
	var both sync.WaitGroup
	both.Go(func() { p.pass(k, k.client, k.server, p.request) })
	both.Go(func() { p.pass(k, k.server, k.client, p.answer) })
	both.Wait()
	p.mu.Lock()
	delete(p.links, k)
	p.mu.Unlock()
	_ = k.client.Close()
	_ = k.server.Close()
}

// pass copies until from ends, then ends to in that direction.
func (p *Proxy) pass(k *link, from, to *net.TCPConn, judge func(*link, []byte) bool) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if n > 0 && (!judge(k, buffer[:n]) || write(to, buffer[:n]) != nil) {
			k.reset()
			return
		}
		if err != nil {
			_ = to.CloseWrite()
			return
		}
	}
}

func write(to *net.TCPConn, data []byte) error {
	_, err := to.Write(data)
	return err
}

func (p *Proxy) request(k *link, _ []byte) bool {
	p.mu.Lock()
	delay := p.delay
	if p.left > 0 {
		if p.left--; p.left == 0 {
			k.doomed = true
		}
	}
	p.mu.Unlock()
	if delay > 0 {
		<-time.After(delay)
	}
	return p.thawed()
}

func (p *Proxy) answer(k *link, data []byte) bool {
	p.mu.Lock()
	doomed := k.doomed
	if doomed {
		p.lost, p.fired = append([]byte(nil), data...), true
	}
	p.mu.Unlock()
	return !doomed && p.thawed()
}

// thawed waits while the proxy is frozen. false: it is closed.
func (p *Proxy) thawed() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.frozen && !p.closed {
		p.changed.Wait()
	}
	return !p.closed
}

func (k *link) reset() {
	for _, c := range []*net.TCPConn{k.client, k.server} {
		_ = c.SetLinger(0)
		_ = c.Close()
	}
}
