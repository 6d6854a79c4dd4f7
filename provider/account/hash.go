package account

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Params are the cost of argon2id (RFC 9106 §3.1). The zero value stands for DefaultParams.
type Params struct {
	Memory  uint32 // m, in KiB
	Time    uint32 // t, passes
	Threads uint8  // p, lanes
}

// DefaultParams is what SIGNET_PASSWORD_HASH is without being set: the first choice of the OWASP Password Storage Cheat Sheet
// for shared machines.
func DefaultParams() Params { return Params{Memory: 19456, Time: 2, Threads: 1} }

// The bounds of a cost. The upper ones keep a stored or configured hash from stopping the server.
const (
	maxMemory  = 1 << 20 // KiB: 1 GiB
	maxTime    = 16
	maxThreads = 16
	maxCost    = 1 << 22 // KiB × passes: several seconds on any machine

	minMemory = 7168          // KiB, the least that OWASP's list of equal choices has
	minCost   = minMemory * 5 // KiB × passes, of that choice

	saltLength = 16 // bytes, RFC 9106 §3.1
	hashLength = 32 // bytes
)

func (p Params) orDefault() Params {
	if p == (Params{}) {
		return DefaultParams()
	}
	return p
}

// cost is the work of one hash: KiB × passes.
func (p Params) cost() int64 { return int64(p.Memory) * int64(p.Time) }

// String is the form that ParseParams reads.
func (p Params) String() string { return fmt.Sprintf("m=%d,t=%d,p=%d", p.Memory, p.Time, p.Threads) }

// sane reports whether the parameters can be computed at all without harm.
func (p Params) sane() bool {
	return p.Memory >= 8*uint32(p.Threads) && p.Memory <= maxMemory && p.Time >= 1 && p.Time <= maxTime &&
		p.Threads >= 1 && p.Threads <= maxThreads && p.cost() <= maxCost
}

// ParseParams reads the cost in the form of SIGNET_PASSWORD_HASH, m=19456,t=2,p=1: all three, in this order. It refuses what
// is too cheap to protect a stolen database and what is too costly to serve.
func ParseParams(text string) (Params, error) {
	p, err := scanParams(text)
	switch {
	case err != nil:
		return Params{}, errors.New("it must have the form m=19456,t=2,p=1 (argon2id: memory in KiB, passes, lanes)")
	case p.Memory > maxMemory || p.Time > maxTime || p.Threads > maxThreads || p.cost() > maxCost:
		return Params{}, fmt.Errorf("it is too costly: at most m=%d, t=%d, p=%d, and m times t at most %d",
			maxMemory, maxTime, maxThreads, maxCost)
	case !p.sane() || p.Memory < minMemory || p.cost() < minCost:
		return Params{}, fmt.Errorf("it is too cheap: at least m=%d, t=1, p=1, and m times t at least %d, as in m=%d,t=5,p=1",
			minMemory, minCost, minMemory)
	}
	return p, nil
}

func scanParams(text string) (Params, error) {
	parts := strings.Split(text, ",")
	if len(parts) != 3 {
		return Params{}, errMalformedPHC
	}
	var values [3]uint64
	for i, name := range []string{"m=", "t=", "p="} {
		digits, ok := strings.CutPrefix(parts[i], name)
		value, err := strconv.ParseUint(digits, 10, 32)
		if !ok || err != nil || strconv.FormatUint(value, 10) != digits {
			return Params{}, errMalformedPHC
		}
		values[i] = value
	}
	if values[2] > 255 {
		return Params{}, errMalformedPHC
	}
	return Params{Memory: uint32(values[0]), Time: uint32(values[1]), Threads: uint8(values[2])}, nil
}

var errMalformedPHC = errors.New("account: the stored hash is not an argon2id PHC string of acceptable cost")

// PHC is a stored hash, taken apart.
type PHC struct {
	Params Params
	Salt   []byte
	Hash   []byte
}

// ParsePHC reads $argon2id$v=19$m=19456,t=2,p=1$salt$hash in the one spelling that String writes. It refuses other
// algorithms and versions, and costs beyond all bounds.
func ParsePHC(text string) (PHC, error) {
	parts := strings.Split(text, "$")
	if len(text) > 512 || len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v=19" {
		return PHC{}, errMalformedPHC
	}
	params, err := scanParams(parts[3])
	if err != nil || !params.sane() {
		return PHC{}, errMalformedPHC
	}
	strict := base64.RawStdEncoding.Strict()
	salt, saltErr := strict.DecodeString(parts[4])
	hash, hashErr := strict.DecodeString(parts[5])
	if saltErr != nil || hashErr != nil || len(salt) < 8 || len(salt) > 64 || len(hash) < 16 || len(hash) > 64 {
		return PHC{}, errMalformedPHC
	}
	h := PHC{Params: params, Salt: salt, Hash: hash}
	if h.String() != text {
		return PHC{}, errMalformedPHC
	}
	return h, nil
}

// String is the form that the store keeps.
func (h PHC) String() string {
	encode := base64.RawStdEncoding.EncodeToString
	return "$argon2id$v=19$" + h.Params.String() + "$" + encode(h.Salt) + "$" + encode(h.Hash)
}

// NeedsRaise reports whether stored is cheaper than current, so that the next sign-in should replace it.
func NeedsRaise(stored string, current Params) bool {
	h, err := ParsePHC(stored)
	return err == nil && h.Params.cost() < current.orDefault().cost()
}

// hash makes a new PHC string of password.
func (h *Hasher) hash(password []byte, p Params) string {
	salt := make([]byte, saltLength)
	_, _ = rand.Read(salt) // never fails since Go 1.24
	return PHC{Params: p, Salt: salt, Hash: h.argon2(password, salt, p, hashLength)}.String()
}

// verify checks password against stored ("" or anything malformed: nobody's) at the cost of one hash at p, whatever the
// verdict: a cheaper stored hash is topped up to it, since else the time would tell old accounts from new and from none.
func (h *Hasher) verify(password []byte, stored string, p Params) bool {
	known, err := ParsePHC(stored)
	if err != nil {
		h.argon2(password, make([]byte, saltLength), p, hashLength)
		return false
	}
	got := h.argon2(password, known.Salt, known.Params, uint32(len(known.Hash)))
	if rest := p.cost() - known.Params.cost(); rest > 0 {
		h.burn(password, rest, p)
	}
	return subtle.ConstantTimeCompare(got, known.Hash) == 1
}

// burn does cost KiB × passes of work, in the memory that p allows, and forgets the result.
func (h *Hasher) burn(password []byte, cost int64, p Params) {
	passes := (cost + int64(p.Memory) - 1) / int64(p.Memory)
	filler := Params{Memory: uint32(cost / passes), Time: uint32(passes), Threads: p.Threads}
	if filler.Memory >= 8*uint32(filler.Threads) { // less is too little work to be seen
		h.argon2(password, make([]byte, saltLength), filler, hashLength)
	}
}
