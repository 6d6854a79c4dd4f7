//go:build !race

package e2e

// buildFlags build the server as these tests were built.
var buildFlags []string
