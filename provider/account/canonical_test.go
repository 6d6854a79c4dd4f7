package account

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSpellingsOfOneNameAreOnePerson(t *testing.T) {
	t.Parallel()
	for canonical, spellings := range map[string][]string{
		"alice": {
			"alice", "Alice", "ALICE", " alice", "alice ", "\talice\r\n", "\u00a0alice\u3000", "ＡＬＩＣＥ", "ａlice",
			"ⓐlice", "𝒶lice", "ᵃlice",
		},
		"rené":              {"rené", "rene\u0301", "RENE\u0301", "RENÉ"},
		"strasse":           {"straße", "STRASSE", "STRAẞE"},
		"οδοσ":              {"ΟΔΟΣ", "οδος", "οδοσ"},
		"ガード":               {"ガード", "ｶﾞｰﾄﾞ"},
		"alice@example.org": {"alice@example.org", "ALICE@Example.ORG", " alice＠example.org ", "alice﹫example。org", "Ａlice@example.org"},
		"a.b+c@xn--mnchen-3ya.example": {
			"A.B+C@münchen.example", "a.b+c@MÜNCHEN.example", "a.b+c@mu\u0308nchen.example", "a.b+c@xn--mnchen-3ya.EXAMPLE",
		},
		"01890a5d-ac96-774b-bcce-b302099a8057": {"01890A5D-AC96-774B-BCCE-B302099A8057", " 01890a5d-ac96-774b-bcce-b302099a8057"},
	} {
		for _, spelling := range spellings {
			if got := CanonicalLogin(spelling); got != canonical {
				t.Errorf("CanonicalLogin(%+q) = %+q, want %+q", spelling, got, canonical)
			}
		}
	}
}

func TestStoredNamesAreFoundBySignIn(t *testing.T) {
	t.Parallel()
	for _, username := range []string{"alice", "Alice", "rené", "STRAẞE", "Ольга", "Οδυσσεύς", "さくら桜カ", "한글漢字", "a.b-c_d", "ａｂｃ", "עברית", "42"} {
		canonical, err := CanonicalUsername(username)
		if err != nil {
			t.Errorf("CanonicalUsername(%q): %v", username, err)
		} else if got := CanonicalLogin(username); got != canonical {
			t.Errorf("%q is stored as %q and looked up as %q", username, canonical, got)
		}
	}
	for _, email := range []string{"Ada@Example.org", "ada@localhost", "用户@例子.example", "o'neil+tag@sub.example.org", strings.Repeat("a", 64) + "@example.org"} {
		canonical, err := CanonicalEmail(email)
		if err != nil {
			t.Errorf("CanonicalEmail(%q): %v", email, err)
		} else if got := CanonicalLogin(email); got != canonical {
			t.Errorf("%q is stored as %q and looked up as %q", email, canonical, got)
		}
	}
}

func TestUsernamesThatMisleadAreRefused(t *testing.T) {
	t.Parallel()
	for why, username := range map[string]string{
		"empty":                     "",
		"too long":                  strings.Repeat("a", 129),
		"a space":                   "al ice",
		"white space around":        " alice",
		"an e-mail address":         "alice@example.org",
		"a full-width @":            "alice＠example.org",
		"Cyrillic а in Latin":       "аlice",
		"Greek ο in Latin":          "bοb",
		"Cyrillic in Greek":         "οо",
		"Latin in Han":              "漢a",
		"a subject":                 "01890a5d-ac96-774b-bcce-b302099a8057",
		"a subject in upper case":   "01890A5D-AC96-774B-BCCE-B302099A8057",
		"a ligature":                "ﬁona",
		"zero width":                "ali\u200bce",
		"right-to-left override":    "ali\u202ece",
		"NUL":                       "ali\x00ce",
		"bad UTF-8":                 "ali\xffce",
		"a mix of directions":       "עבריתabc",
		"an emoji":                  "alice😀",
		"only a combining mark":     "\u0301\u200d",
		"a superscript":             "ᵃlice",
		"an ideographic full width": "alice\u3000bob",
	} {
		var bad *Invalid
		if _, err := CanonicalUsername(username); !errors.As(err, &bad) || bad.Field != "username" || bad.Problem == "" {
			t.Errorf("%s: %+q gave %v, want a refusal that names the username", why, username, err)
		}
	}
}

func TestMalformedEmailIsRefused(t *testing.T) {
	t.Parallel()
	for _, email := range []string{
		"", "alice", "@example.org", "alice@", "a@b@example.org", `"a b"@example.org`, "a b@example.org", ".a@example.org",
		"a.@example.org", "a..b@example.org", "a@-example.org", "a@example..org", "a@exa mple.org", "a@[127.0.0.1]",
		"a@example.org\n", "a\x00@example.org", "a@" + strings.Repeat("b", 64) + ".org", strings.Repeat("a", 65) + "@example.org",
		strings.Repeat("a", 60) + "@" + strings.Repeat("bbbbbbb.", 30) + "example.org", "a<b>@example.org", "a@b@",
		"a\u202e@example.org", "ada@exam_ple.org", "a@\xff.org",
	} {
		var bad *Invalid
		if got, err := CanonicalEmail(email); !errors.As(err, &bad) || bad.Field != "email" {
			t.Errorf("%+q gave %q, %v, want a refusal that names the email", email, got, err)
		}
	}
}

func TestWhatCanBeNobodyHasAKeyThatIsNobodys(t *testing.T) {
	t.Parallel()
	for _, login := range []string{"", " ", "al ice", "a@b@c", "ali\x00ce", "\xff", strings.Repeat("a", 1<<16), "a@"} {
		key := CanonicalLogin(login)
		if !strings.HasPrefix(key, nobody) || len(key) > 100 {
			t.Errorf("CanonicalLogin(%.20q) = %q, want a short key that no username has", login, key)
		}
		if _, err := CanonicalUsername(key); err == nil {
			t.Errorf("%q could be somebody's username", key)
		}
	}
	if CanonicalLogin("AL ICE") != CanonicalLogin(" al ice") {
		t.Error("spellings of what is nobody's name have different keys")
	}
}

func FuzzCanonicalLogin(f *testing.F) {
	for _, seed := range []string{"alice", " ALICE ", "ＡＬＩＣＥ", "ßẞ", "a@ÜB.example", "\xff\x00", "ΟΔΟΣ", "ǅ", "ŉ", "İ", "Ꭰ", "a@b@c"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, input string) {
		login := CanonicalLogin(input)
		if login == "" || !utf8.ValidString(login) || strings.ContainsRune(login, 0) {
			t.Fatalf("CanonicalLogin(%+q) = %+q", input, login)
		}
		if again := CanonicalLogin(login); !strings.HasPrefix(login, nobody) && again != login {
			t.Fatalf("CanonicalLogin(%+q) = %+q, and of that %+q", input, login, again)
		}
		for _, around := range []string{" " + input, input + "\n"} {
			if got := CanonicalLogin(around); got != login {
				t.Fatalf("white space makes another person: %+q is %+q, %+q is %+q", input, login, around, got)
			}
		}
		if canonical, err := CanonicalUsername(input); err == nil && canonical != login {
			t.Fatalf("username %+q is stored as %+q and looked up as %+q", input, canonical, login)
		}
		if canonical, err := CanonicalEmail(input); err == nil && canonical != login {
			t.Fatalf("e-mail %+q is stored as %+q and looked up as %+q", input, canonical, login)
		}
	})
}
