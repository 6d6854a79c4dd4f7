package account

import (
	"crypto/rand"
	"strings"

	"github.com/signet-idp/signet/storage"
)

// Recovery codes are look-up secrets (NIST SP 800-63B §3.1.2) of 140 random bits: seven groups of four symbols of Crockford's
// base32, which has no letters that are taken for digits.
const (
	recoveryCodes   = 10
	recoverySymbols = 28
	crockford       = "0123456789abcdefghjkmnpqrstvwxyz"
)

// newRecoveryCodes draws a set of codes for the user, and the digests that the store keeps of them.
func newRecoveryCodes(userID storage.ID) (codes []string, digests []storage.Digest) {
	for range recoveryCodes {
		symbols := make([]byte, recoverySymbols)
		_, _ = rand.Read(symbols) // never fails since Go 1.24
		for i := range symbols {
			symbols[i] = crockford[symbols[i]&31]
		}
		var groups []string
		for i := 0; i < recoverySymbols; i += 4 {
			groups = append(groups, string(symbols[i:i+4]))
		}
		codes = append(codes, strings.Join(groups, "-"))
		digests = append(digests, recoveryDigest(userID, symbols))
	}
	return codes, digests
}

// recoveryDigest binds a code to its user: it means nothing in another's row.
func recoveryDigest(userID storage.ID, symbols []byte) storage.Digest {
	return storage.NewSecret(symbols).Digest("signet recovery code " + userID.String())
}

// RecoverySpend returns what to spend for a recovery code, in any case and grouping and with o for 0, i or l for 1. ErrWrong:
// it has not the form of a code. Whether the user has it, and has it still, the store says with the commit of what it buys
// (storage.Spend, ErrSpent).
func RecoverySpend(userID storage.ID, code string) (storage.Digest, error) {
	if len(code) > 128 {
		return storage.Digest{}, ErrWrong
	}
	var symbols []byte
	for _, r := range strings.ToLower(code) {
		switch r {
		case ' ', '-', '\t', '\r', '\n':
			continue
		case 'o':
			r = '0'
		case 'i', 'l':
			r = '1'
		}
		if !strings.ContainsRune(crockford, r) {
			return storage.Digest{}, ErrWrong
		}
		symbols = append(symbols, byte(r))
	}
	if len(symbols) != recoverySymbols {
		return storage.Digest{}, ErrWrong
	}
	return recoveryDigest(userID, symbols), nil
}
