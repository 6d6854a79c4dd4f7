package account

import (
	"math"
	"strings"
	"time"
	"unicode"

	"github.com/ccojocar/zxcvbn-go/adjacency"
	"github.com/ccojocar/zxcvbn-go/entropy"
	"github.com/ccojocar/zxcvbn-go/match"
)

// What of a password is no chance, and how little of one it is (strength.go).

// pieces finds what of text is no chance: some for each character, however it is made up.
func pieces(text string, words wordList, own []string) []match.Match {
	found := append(monotony(text), sequences(text)...)
	found = append(found, dates(text)...)
	for _, board := range []string{"qwerty", "keypad"} {
		found = append(found, walks(text, adjacency.GraphMap[board].Graph)...)
	}
	lower := strings.ToLower(text)
	readings := []string{lower}
	for _, one := range []byte{'i', 'l'} {
		readings = append(readings, strings.Map(func(c rune) rune { return letterLike(c, one) }, lower))
	}
	for i, reading := range readings {
		if i == 0 || reading != lower {
			found = append(found, words.within(reading, text)...)
			found = append(found, ownWithin(reading, text, own)...)
		}
	}
	return found
}

// letterLike is the letter that c is often written for; one is that of 1.
func letterLike(c rune, one byte) rune {
	switch c {
	case '4', '@':
		return 'a'
	case '8':
		return 'b'
	case '(', '{', '[', '<':
		return 'c'
	case '3':
		return 'e'
	case '6', '9':
		return 'g'
	case '1', '!', '|':
		return rune(one)
	case '0':
		return 'o'
	case '$', '5':
		return 's'
	case '+', '7':
		return 't'
	case '%':
		return 'x'
	case '2':
		return 'z'
	}
	return c
}

// piece is text[i:j], of a kind that is guessed more easily than its characters.
func piece(kind, text string, i, j int) match.Match {
	return match.Match{Pattern: kind, I: i, J: j - 1, Token: text[i:j]}
}

// word is a piece of text that reads as a word of that rank.
func word(reading, text string, i, j, rank int) match.Match {
	m := piece("dictionary", text, i, j)
	m.Entropy = entropy.DictionaryEntropy(m, float64(rank))
	if reading[i:j] != strings.ToLower(m.Token) {
		m.Entropy++ // written with signs for letters, or not
	}
	return m
}

func (w wordList) within(reading, text string) (found []match.Match) {
	for i := range len(reading) {
		for j := i + 1; j <= min(len(reading), i+w.longest); j++ {
			if rank, is := w.rank[reading[i:j]]; is {
				found = append(found, word(reading, text, i, j, rank))
			}
		}
	}
	return found
}

func ownWithin(reading, text string, own []string) (found []match.Match) {
	for n, mine := range own {
		mine = strings.ToLower(characters(mine))
		if len(mine) < 2 {
			continue
		}
		for i := 0; i+len(mine) <= len(reading); i++ {
			if reading[i:i+len(mine)] == mine {
				found = append(found, word(reading, text, i, i+len(mine), n+1))
			}
		}
	}
	return found
}

// runs calls found with each longest text[i:j] of three or more, where every character from i+1 on follows.
func runs(text string, follows func(i, at int) bool, found func(i, j int)) {
	for i := 0; i < len(text); {
		j := i + 1
		for j < len(text) && follows(i, j) {
			j++
		}
		if j-i > 2 {
			found(i, j)
		}
		i = max(i+1, j-1) // the next may begin where this one ended
	}
}

// monotony finds one character three times and more.
func monotony(text string) (found []match.Match) {
	lower := strings.ToLower(text)
	runs(lower, func(i, at int) bool { return lower[at] == lower[i] }, func(i, j int) {
		m := piece("repeat", text, i, j)
		m.Entropy = entropy.RepeatEntropy(m)
		found = append(found, m)
	})
	return found
}

// sequences finds runs along an alphabet or the digits, forwards and backwards.
func sequences(text string) (found []match.Match) {
	step := func(at int) int { return int(text[at]) - int(text[at-1]) }
	runs(text, func(i, at int) bool { return step(at) == step(i+1) && max(step(at), -step(at)) == 1 }, func(i, j int) {
		m, length := piece("sequence", text, i, j), 26
		if unicode.IsDigit(rune(text[i])) {
			length = 10
		}
		m.Entropy = entropy.SequenceEntropy(m, length, step(i+1) == 1)
		found = append(found, m)
	})
	return found
}

// walks finds runs from key to neighbouring key. The library's count for a keypad serves keyboards too: that for keyboards reads
// the keyboard's file again each time.
func walks(text string, keys map[string][]string) (found []match.Match) {
	beside := func(at int) (direction int, shifted, is bool) {
		for direction, key := range keys[text[at-1:at]] {
			if n := strings.IndexByte(key, text[at]); n >= 0 {
				return direction, n == 1, true
			}
		}
		return 0, false, false
	}
	runs(text, func(_, at int) bool { _, _, is := beside(at); return is }, func(i, j int) {
		turns, shifts, last := 0, 0, -1
		for at := i + 1; at < j; at++ {
			direction, shifted, _ := beside(at)
			if direction != last {
				turns++
			}
			if shifted {
				shifts++
			}
			last = direction
		}
		m := piece("spatial", text, i, j)
		m.Entropy = entropy.SpatialEntropy(m, turns, shifts)
		found = append(found, m)
	})
	return found
}

// dates finds days of the last and the coming decades, and years.
func dates(text string) (found []match.Match) {
	written := strings.Map(func(c rune) rune {
		if strings.ContainsRune("/. _\\", c) {
			return '-'
		}
		return c
	}, text)
	isDigit := func(at int) bool { return written[at] >= '0' && written[at] <= '9' }
	for i := range len(written) {
		for j := i + 4; j <= min(len(written), i+10); j++ {
			if !isDigit(i) || !isDigit(j-1) {
				continue
			}
			if bits := dateEntropy(written[i:j]); bits > 0 {
				m := piece("date", text, i, j)
				m.Entropy = bits
				found = append(found, m)
			}
		}
	}
	return found
}

func dateEntropy(text string) float64 {
	var layouts []string
	switch {
	case strings.Contains(text, "-"):
		layouts = []string{"2006-1-2", "2-1-2006", "1-2-2006", "06-1-2", "2-1-06", "1-2-06"}
	case len(text) == 4:
		layouts = []string{"2006"}
	case len(text) == 6:
		layouts = []string{"060102", "020106", "010206"}
	case len(text) == 8:
		layouts = []string{"20060102", "02012006", "01022006"}
	}
	const first, last = 1900, 2050
	for _, layout := range layouts {
		day, err := time.Parse(layout, text)
		whole := strings.Contains(layout, "2006")
		if err != nil || whole && (day.Year() < first || day.Year() > last) {
			continue
		}
		if layout == "2006" {
			return math.Log2(last - first)
		}
		found := match.DateMatch{Separator: strings.Trim(text, "0123456789")}
		if whole {
			found.Year = int64(day.Year())
		}
		return entropy.DateEntropy(found)
	}
	return 0
}
