package account

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"github.com/ccojocar/zxcvbn-go/data"
	"github.com/ccojocar/zxcvbn-go/scoring"
	"golang.org/x/text/unicode/norm"
)

// The scores of zxcvbn: 0 is guessed in 2·10⁶ tries, 1 in 2·10⁸, 2 in 2·10¹⁰, 3 in 2·10¹², 4 in none of them.
const (
	DefaultMinScore = 3
	AnyScore        = -1 // as Config.MinScore: none is asked
	maxScore        = 4
)

// metered is how many characters of a password are looked at: what is strong so far stays strong, and nobody is made to wait.
const metered = 72

// meter estimates how many guesses a password withstands, as zxcvbn does (Wheeler, USENIX Security 2016): by the cheapest way to
// cut it into words, runs, dates and characters at random. The lists, the entropies and that search are the library's. What finds
// the pieces is our own, since the library's reads all lists whenever the program starts, whatever the command; tries every
// mixture of characters that look like letters, which takes seconds where there are many; and mistakes bytes for characters.
type meter struct {
	words func() (wordList, error)
}

func newMeter() meter { return meter{sync.OnceValues(readWords)} }

// wordList has the words that people take, by how early they are guessed.
type wordList struct {
	rank    map[string]int // from 1
	longest int            // bytes
}

func readWords() (wordList, error) {
	words := wordList{rank: make(map[string]int, 1<<16)}
	for _, name := range []string{"Passwords", "English", "MaleNames", "FemaleNames", "Surnames"} {
		text, err := data.Asset("data/" + name + ".json")
		var file struct{ List []string }
		if err == nil {
			err = json.Unmarshal(text, &file)
		}
		if err != nil {
			return wordList{}, fmt.Errorf("account: read the words %s: %w", name, err)
		}
		for i, word := range file.List {
			if rank, found := words.rank[word]; !found || i+1 < rank {
				words.rank[word] = i + 1
			}
			words.longest = max(words.longest, len(word))
		}
	}
	return words, nil
}

// score is how strong the password is, 0 to 4. own are words of the person's, the first to be guessed.
func (m meter) score(prepared string, own []string) (int, error) {
	words, err := m.words()
	if err != nil {
		return 0, err
	}
	text := characters(prepared)
	return scoring.MinimumEntropyMatchSequence(text, pieces(text, words, own)).Score, nil
}

// characters writes the first characters of text with one byte each, which is what the library counts: a letter with an accent
// as the letter, and what is not ASCII as a control character, so that neighbours in an alphabet stay neighbours.
func characters(text string) string {
	var out strings.Builder
	for _, c := range text {
		if out.Len() == metered {
			break
		}
		if c >= utf8.RuneSelf {
			c = unicode.ToLower(c)
			if base := norm.NFD.String(string(c))[0]; base < utf8.RuneSelf {
				c = rune(base)
			} else {
				c = 1 + c%31
			}
		}
		out.WriteByte(byte(c))
	}
	return out.String()
}
