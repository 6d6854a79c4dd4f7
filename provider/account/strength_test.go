package account

import (
	"errors"
	"strings"
	"testing"

	"github.com/signet-idp/signet/storage"
)

// TestWhatPeopleChooseMustBeHardToGuess: a score of 3 stands for 2·10¹⁰ guesses (zxcvbn), whatever the alphabet.
func TestWhatPeopleChooseMustBeHardToGuess(t *testing.T) {
	t.Parallel()
	rules, lenient := newPasswordRules(DefaultMinPassword, DefaultMinScore), newPasswordRules(DefaultMinPassword, AnyScore)
	ada := storage.User{Username: "zqj", Email: "vgk@example.org", Profile: storage.Profile{Name: "Ida Łuć", GivenName: "Ида", Nickname: "小明"}}
	for password, strong := range map[string]bool{
		"correct horse battery staple": true, "kitchen window lamp": true, "blue table river": true, "x7k2m9q4": true, "kA9$fE2!": true,
		"пароль мой велик": true, "密码密码很长很好": true, "مرحبا بالعالم": true, "schöner Tag heute": true, "😀🥸🫠🦊🐢🦉🐝🌲": true,
		"Tr0ub4dour&3":                           false, // letters as signs
		"p4ssw0rd and m0re":                      false,
		"iloveyou so much":                       false, // common words
		"monkeydragon99":                         false,
		"kitchenkitchen":                         false,
		"Passwörter":                             false, // accents
		"summer2031!":                            false, // years and days
		"on 12.05.1984":                          false,
		"19840512":                               false,
		"87654321 lamp":                          false, // sequences
		"абвгдежзик":                             false,
		"zse4rfvgy7":                             false, // along the keyboard
		"1598741236":                             false,
		"zzzzzzzz lamp":                          false, // one character
		"aaaabbbbcccc":                           false,
		"zqj vgk ida":                            false, // what others know
		"ida ида 小明":                             false,
		"lamp" + strings.Repeat("x7k2m9q4", 120): true,
	} {
		_, err := rules.checkChosen(secret(password), ada)
		var bad *Invalid
		if strong && err != nil || !strong && (!errors.As(err, &bad) || bad.Rule != RuleWeak || bad.Field != "password") {
			t.Errorf("%q: %v, want it accepted: %t", password, err, strong)
		}
		if _, err := rules.check(secret(password), ada); err != nil {
			t.Errorf("%q, set by an operator: %v", password, err)
		}
		if _, err := lenient.checkChosen(secret(password), ada); err != nil {
			t.Errorf("%q, where no score is asked: %v", password, err)
		}
	}
}

// TestEveryLeastScoreIsAskedAsItIsSet: each password has the score that it is listed under, and is refused by the next one.
func TestEveryLeastScoreIsAskedAsItIsSet(t *testing.T) {
	t.Parallel()
	rules := newPasswordRules(DefaultMinPassword, DefaultMinScore)
	for score, password := range []string{"monkeydragon", "computer science", "another good secret", "another horse battery", "kitchen window lamp"} {
		for least := 1; least <= maxScore; least++ {
			rules.minScore = least
			_, err := rules.checkChosen(secret(password), storage.User{})
			if (err == nil) != (score >= least) {
				t.Errorf("%q at a least score of %d: %v", password, least, err)
			}
		}
	}
}

// TestNoPasswordIsLongToMeasure: what is looked at grows with the characters of a password, up to the seventy-second, and not with
// the ways to read them.
func TestNoPasswordIsLongToMeasure(t *testing.T) {
	t.Parallel()
	words, err := readWords()
	if err != nil {
		t.Fatal(err)
	}
	signs := "4@8({[<3691!|17|0$5+7%2"
	for name, password := range map[string]string{
		"signs": signs + signs + signs + signs, "one": strings.Repeat("a", MaxPassword), "dates": strings.Repeat("1-1-11-1", 128),
		"words": strings.Repeat("an", 512), "keys": strings.Repeat("qwe asd ", 128), "accents": strings.Repeat("ä", 512),
	} {
		text := characters(password)
		if len(text) != metered {
			t.Errorf("%s: %d characters are looked at", name, len(text))
		}
		if found := pieces(text, words, []string{"signet", "an"}); len(found) > 16*metered {
			t.Errorf("%s: %d pieces for %d characters", name, len(found), metered)
		}
	}
}

// TestAnOperatorMaySetWhatPeopleMayNotChoose: and is told of it by Weak.
func TestAnOperatorMaySetWhatPeopleMayNotChoose(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ada := h.create(t, storage.User{Username: "ada"})
	weak := secret("another good secret")
	var bad *Invalid
	if err := h.ChangePassword(t.Context(), ada, weak, own(ada)); !errors.As(err, &bad) || bad.Rule != RuleWeak {
		t.Errorf("chosen: %v", err)
	}
	if err := h.SetPassword(t.Context(), ada.ID, weak, cli()); err != nil {
		t.Errorf("set: %v", err)
	}
	if _, err := h.Create(t.Context(), storage.User{Username: "eve"}, weak, cli()); err != nil {
		t.Errorf("created: %v", err)
	}
	if !h.Weak(weak, ada) || h.Weak(secret(good), ada) || h.Weak(storage.Secret{}, ada) || h.Weak(secret("\xff"), ada) {
		t.Error("Weak says otherwise")
	}
}

func BenchmarkPasswordStrength(b *testing.B) {
	m := newMeter()
	for name, password := range map[string]string{
		"12": "kitchen tabl", "72": "a few more words that do not belong together and then some other of them",
		"72 signs": strings.Repeat("4@8({[<3691!|17|0$5+7%2 ", 3), "72 dates": strings.Repeat("1-1-11-1", 9),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := m.score(password, []string{"signet", "ada", "ada@example.org"}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
