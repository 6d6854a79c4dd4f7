//go:build race

package e2e

// buildFlags build the server as make test builds these tests, so that a race in it is found too.
var buildFlags = []string{
	"-race", "-gcflags=modernc.org/sqlite/lib=-race=false", "-gcflags=modernc.org/libc/...=-race=false", "-gcflags=modernc.org/memory=-race=false",
}
