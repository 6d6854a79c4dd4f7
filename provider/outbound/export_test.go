package outbound

import (
	"net"
	"testing"
)

// What the tests of all paths to the outside share with those of this package.
var (
	Inside = inside
	Serve  = serve
)

// Canary counts who connects to it.
type Canary struct{ *canary }

// NewCanary listens until the test ends.
func NewCanary(t *testing.T) Canary { t.Helper(); return Canary{newCanary(t)} }

// Port is where it listens.
func (c Canary) Port() string { return c.port }

// Reached is how many connections there were.
func (c Canary) Reached() int64 { return c.reached.Load() }

// InsideResolver answers as the names of the corpus lead.
func InsideResolver() *net.Resolver { return (&names{by: insideNames()}).resolver() }
