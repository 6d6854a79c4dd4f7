package account

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/signet-idp/signet/storage"
)

func secret(text string) storage.Secret { return storage.NewSecret([]byte(text)) }

func TestGuessablePasswordsAreRefusedWithTheReason(t *testing.T) {
	t.Parallel()
	rules := newPasswordRules(DefaultMinPassword, DefaultMinScore)
	ada := storage.User{
		Username: "ada_l", Email: "countess@example.org", Phone: "+442079460000",
		Profile: storage.Profile{Name: "Ada Lovelace", Nickname: "Enchantress"},
	}
	for password, reason := range map[string]string{
		"1234567":                   "too short",
		"пароль1":                   "too short",
		"password1234567":           "common",
		"Password":                  "common",
		"TRUSTNO1":                  "common",
		"!!iloveyou!!":              "common",
		"signet-is-nice":            "service's name",
		"my-ADA_L-secret":           "username",
		"xx-countess-xx":            "e-mail",
		"COUNTESS@EXAMPLE.ORG":      "e-mail",
		"442079460000":              "phone",
		"i am lovelace":             "user's name",
		"enchantress-1842":          "user's name",
		"aaaaaaaaaaaa":              "repeats",
		"xy7xy7xy7xy7":              "repeats",
		"defghijklm":                "keyboard or the alphabet",
		"lkjhgfdsa":                 "keyboard or the alphabet",
		"":                          "1 to 1024 bytes",
		strings.Repeat("ab1 ", 257): "1 to 1024 bytes",
		"bad utf-8 \xff":            "UTF-8",
	} {
		var bad *Invalid
		if _, err := rules.check(secret(password), ada); !errors.As(err, &bad) || bad.Field != "password" || !strings.Contains(bad.Problem, reason) {
			t.Errorf("%q: got %v, want a refusal because %q", password, err, reason)
		}
	}
}

func TestGoodPasswordsAreAcceptedWhateverTheirCharacters(t *testing.T) {
	t.Parallel()
	rules := newPasswordRules(DefaultMinPassword, DefaultMinScore)
	for _, password := range []string{
		"correct horse battery staple", "пароль мой велик", "密码密码很长很好", "nul\x00inside", "tab\tand\nline", "😀🥸🫠🦊🐢🦉🐝🌲",
		"lowercaseonlyyy", "        8spaces", strings.Repeat("x1y2z", 204), "adaquate1", string(GeneratePassword().Reveal()),
	} {
		prepared, err := rules.check(secret(password), storage.User{Username: "ada"})
		if err != nil {
			t.Errorf("%q: %v", password, err)
		}
		if !bytes.Equal(prepared, []byte(password)) {
			t.Errorf("%q is hashed as %q", password, prepared)
		}
	}
	if _, err := newPasswordRules(15, AnyScore).check(secret("fourteen chars"), storage.User{}); err == nil {
		t.Error("a configured minimum of 15 accepts 14")
	}
}

func TestBothCompositionsAreOnePassword(t *testing.T) {
	t.Parallel()
	composed, _ := preparePassword(secret("pässwörd é\u00a0ﬁ"))
	decomposed, _ := preparePassword(secret("pa\u0308sswo\u0308rd e\u0301 ﬁ"))
	if !bytes.Equal(composed, decomposed) {
		t.Errorf("%+q and %+q", composed, decomposed)
	}
	if compat, _ := preparePassword(secret("pässwörd é fi")); bytes.Equal(compat, composed) {
		t.Error("compatibility forms are joined: that is NFKC, which RFC 8265 does not ask for")
	}
}

func TestTheListHasTheThreeThousandMostCommon(t *testing.T) {
	t.Parallel()
	common := newPasswordRules(8, AnyScore).common
	if len(common) != 3000 || !common["password"] || !common["12345678"] {
		t.Errorf("%d entries", len(common))
	}
	for entry := range common {
		if len(entry) < 8 || entry != strings.ToLower(entry) {
			t.Errorf("entry %q can never match", entry)
		}
	}
}
