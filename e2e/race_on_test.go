//go:build race

package e2e

// buildFlags build the server as these tests were built, so that a race in it is found too.
var buildFlags = []string{"-race"}
