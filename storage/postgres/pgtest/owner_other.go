//go:build !unix

package pgtest

import "os/exec"

// owner is who runs the server: ourselves.
type owner struct{}

func ownerOf(string) (owner, error) { return owner{}, nil }
func (owner) take(string) error     { return nil }
func (owner) run(*exec.Cmd)         {}
