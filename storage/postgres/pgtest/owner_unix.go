//go:build unix

package pgtest

import (
	"errors"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"syscall"
)

// owner is who runs the server: ourselves, or an unprivileged user where we are root, which PostgreSQL refuses.
type owner struct{ credential *syscall.Credential }

// ownerOf picks the owner and gives it dir.
func ownerOf(dir string) (owner, error) {
	if os.Geteuid() != 0 {
		return owner{}, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
		gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
		if uidErr != nil || gidErr != nil {
			continue
		}
		o := owner{&syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
		return o, o.take(dir)
	}
	return owner{}, errors.New("PostgreSQL does not run as root, and there is no user postgres or nobody to run it")
}

func (o owner) take(path string) error {
	if o.credential == nil {
		return nil
	}
	return os.Chown(path, int(o.credential.Uid), int(o.credential.Gid))
}

// run makes cmd run as the owner, in a process group of its own: an interrupt at the terminal is for the tests, and the
// supervisor outlives them to clean up.
func (o owner) run(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: o.credential, Setpgid: true}
}
