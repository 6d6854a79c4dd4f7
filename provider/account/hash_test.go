package account

import (
	"strings"
	"testing"
)

// cheap keeps tests fast; only stored and configured costs have a lower bound worth the name.
func cheap() Params { return Params{Memory: 64, Time: 1, Threads: 1} }

func TestOnlyTheRightPasswordVerifies(t *testing.T) {
	t.Parallel()
	h := NewHasher(1)
	long := strings.Repeat("x", 999)
	for _, c := range []struct{ set, given string }{
		{long + "a", long + "b"}, {"with\x00nul", "with\x00nuL"}, {"with\x00nul", "with"}, {"password ", "password"}, {"a", ""},
	} {
		phc := h.hash([]byte(c.set), cheap())
		if !h.verify([]byte(c.set), phc, cheap()) {
			t.Errorf("%.12q does not verify", c.set)
		}
		if h.verify([]byte(c.given), phc, cheap()) {
			t.Errorf("%.12q verifies as another password", c.set)
		}
	}
	if first, second := h.hash([]byte("x"), cheap()), h.hash([]byte("x"), cheap()); first == second {
		t.Error("two hashes of one password are equal: no salt")
	}
}

// The reference vector is of the argon2 command line of the reference implementation (phc-winner-argon2, test.c).
func TestHashesOfOthersVerify(t *testing.T) {
	t.Parallel()
	const phc = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	if !NewHasher(1).verify([]byte("password"), phc, cheap()) {
		t.Error("the reference implementation's hash does not verify")
	}
}

func TestVerifyCostsOneCurrentHashWhateverIsStored(t *testing.T) {
	t.Parallel()
	current := Params{Memory: 1024, Time: 3, Threads: 1}
	maker := NewHasher(1)
	for name, stored := range map[string]string{
		"nothing":           "",
		"garbage":           "$2a$10$abcdefghijklmnopqrstuv",
		"current":           maker.hash([]byte("right"), current),
		"cheaper memory":    maker.hash([]byte("right"), Params{Memory: 512, Time: 3, Threads: 1}),
		"cheaper time":      maker.hash([]byte("right"), Params{Memory: 1024, Time: 1, Threads: 1}),
		"much cheaper":      maker.hash([]byte("right"), Params{Memory: 8, Time: 1, Threads: 1}),
		"absurdly costly":   "$argon2id$v=19$m=4194304,t=99,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
		"almost as costly":  maker.hash([]byte("right"), Params{Memory: 1020, Time: 3, Threads: 1}),
		"other proportions": maker.hash([]byte("right"), Params{Memory: 200, Time: 7, Threads: 1}),
	} {
		for _, password := range []string{"right", "wrong", ""} {
			h := NewHasher(1)
			h.verify([]byte(password), stored, current)
			if off := current.cost() - h.work.Load(); off < -current.cost()/50 || off > current.cost()/50 {
				t.Errorf("%s, password %q: %d KiB×passes, want %d within 2 %%", name, password, h.work.Load(), current.cost())
			}
		}
	}
}

func TestAbsurdStoredHashesAreRefusedUnread(t *testing.T) {
	t.Parallel()
	const salt, hash = "c29tZXNhbHQ", "nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4"
	for _, phc := range []string{
		"", "$", "$$$$$", "$argon2i$v=19$m=64,t=1,p=1$" + salt + "$" + hash, "$argon2id$v=16$m=64,t=1,p=1$" + salt + "$" + hash,
		"$argon2id$v=19$m=1048577,t=1,p=1$" + salt + "$" + hash, "$argon2id$v=19$m=1048576,t=16,p=1$" + salt + "$" + hash,
		"$argon2id$v=19$m=64,t=17,p=1$" + salt + "$" + hash, "$argon2id$v=19$m=64,t=0,p=1$" + salt + "$" + hash,
		"$argon2id$v=19$m=1024,t=1,p=17$" + salt + "$" + hash, "$argon2id$v=19$m=7,t=1,p=1$" + salt + "$" + hash,
		"$argon2id$v=19$m=64,t=1,p=0$" + salt + "$" + hash, "$argon2id$v=19$m=064,t=1,p=1$" + salt + "$" + hash,
		"$argon2id$v=19$t=1,m=64,p=1$" + salt + "$" + hash, "$argon2id$v=19$m=64,t=1$" + salt + "$" + hash,
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$", "$argon2id$v=19$m=64,t=1,p=1$$" + hash, "$argon2id$v=19$m=64,t=1,p=1$c2FsdA$" + hash,
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + hash + "=", "$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + hash[:42] + "5",
		"$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + hash + "$x", "$argon2id$v=19$m=64,t=1,p=1$" + salt + "$" + hash[:20] + "\n" + hash[20:],
	} {
		if got, err := ParsePHC(phc); err == nil {
			t.Errorf("%q is taken as %+v", phc, got)
		}
	}
}

func TestConfiguredCostKeepsItsBounds(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"m=19456,t=2,p=1": true, "m=7168,t=5,p=1": true, "m=47104,t=1,p=1": true, "m=65536,t=3,p=4": true, "m=1048576,t=4,p=16": true,
		"m=7167,t=16,p=1": false, "m=19456,t=1,p=1": false, "m=1048577,t=1,p=1": false, "m=1048576,t=5,p=1": false, "m=19456,t=17,p=1": false,
		"m=19456,t=2,p=17": false, "m=19456,t=2,p=0": false, "m=19456,t=2,p=256": false, "": false, "m=19456": false, "m=-1,t=2,p=1": false,
		"m=19456, t=2, p=1": false, "t=2,m=19456,p=1": false, "m=19456,t=2,p=1,x=1": false, "m=99999999999,t=2,p=1": false,
	} {
		p, err := ParseParams(text)
		if (err == nil) != want {
			t.Errorf("ParseParams(%q) = %v, %v", text, p, err)
		}
		if err == nil && p.String() != text {
			t.Errorf("ParseParams(%q) reads %q", text, p)
		}
	}
	if got, err := ParseParams(DefaultParams().String()); err != nil || got != DefaultParams() {
		t.Errorf("the default is not acceptable: %v, %v", got, err)
	}
}

func TestOnlyCheaperHashesAreRaised(t *testing.T) {
	t.Parallel()
	h := NewHasher(1)
	current := Params{Memory: 128, Time: 2, Threads: 1}
	for _, c := range []struct {
		stored string
		want   bool
	}{
		{h.hash([]byte("x"), Params{Memory: 64, Time: 2, Threads: 1}), true},
		{h.hash([]byte("x"), current), false},
		{h.hash([]byte("x"), Params{Memory: 256, Time: 2, Threads: 1}), false},
		{"", false},
	} {
		if got := NeedsRaise(c.stored, current); got != c.want {
			t.Errorf("NeedsRaise(%q) = %v", c.stored, got)
		}
	}
}

func FuzzParsePHC(f *testing.F) {
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4")
	f.Add("$argon2id$v=19$m=4294967295,t=4294967295,p=255$$")
	f.Add("$$$$$")
	f.Fuzz(func(t *testing.T, text string) {
		phc, err := ParsePHC(text)
		if err != nil {
			return
		}
		if phc.String() != text || !phc.Params.sane() || phc.Params.cost() > maxCost {
			t.Fatalf("%q is read as %+v", text, phc)
		}
	})
}
