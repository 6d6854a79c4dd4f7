// Package e2e holds the tests in which software that nobody here wrote uses Signet, started as a user would start it: the real
// binary, configured by environment variables, its users and clients made on the command line. It is a module of its own, so
// that what it needs never enters the module graph of those who import Signet.
package e2e
