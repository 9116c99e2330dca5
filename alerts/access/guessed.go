package access

import (
	"bufio"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// contextWords are the words of this service and the habits of its users. They add nothing
// to a password. The login and the name of the account come beside.
var contextWords = []string{
	"vigie", "telesurveillance", "télésurveillance", "motdepasse", "password", "passw0rd", "admin", "administrateur",
	"infirmiere", "infirmière", "infirmier", "medecin", "médecin", "docteur", "hopital", "hôpital", "patient", "sante", "santé",
	"azerty", "qwerty", "bonjour", "soleil", "welcome", "letmein", "iloveyou", "jetaime", "123456789",
}

// leastUnforeseen is how many characters of a password must neither follow from the one
// before nor repeat what stood before.
const leastUnforeseen = 5

// plain reports whether a password holds too little that is unforeseen.
func plain(password string, account *Account) bool {
	lower := strings.ToLower(password)
	if len(distinct(lower)) < 5 {
		return true
	}
	words := slices.Concat(strings.Fields(strings.ToLower(account.Name)), contextWords, []string{account.Login})
	slices.SortFunc(words, func(a, b string) int { return len(b) - len(a) }) // "administrateur" before "admin"
	rest := lower
	for _, known := range words {
		if known != "" {
			rest = strings.ReplaceAll(rest, known, "")
		}
	}
	if utf8.RuneCountInString(rest) < ShortestPassword/2 {
		return true
	}
	var even, odd []rune
	for i, r := range []rune(rest) {
		if i%2 == 0 {
			even = append(even, r)
		} else {
			odd = append(odd, r)
		}
	}
	return unforeseen([]rune(rest)) < leastUnforeseen || unforeseen(even)+unforeseen(odd) < leastUnforeseen
}

// unforeseen counts the characters that neither go on with a walk of three or more over
// the alphabet or a keyboard, nor end a group of three that stood before.
func unforeseen(text []rune) int {
	var before, now map[walk]bool
	seen := map[string]bool{}
	count, goesOn := 0, false
	for i := range text {
		before, now = now, nil
		wentOn := goesOn
		goesOn = false
		if i > 0 {
			now = walks(text[i-1], text[i])
			for w := range now {
				goesOn = goesOn || before[w]
			}
		}
		if goesOn {
			if !wentOn {
				count-- // the second of the walk was foreseen as well
			}
			continue
		}
		if i >= 2 {
			group := string(text[i-2 : i+1])
			if seen[group] {
				continue
			}
			seen[group] = true
		}
		count++
	}
	return count
}

// walk is one way to get from a character to the next: by the alphabet (keyboard 0) or by
// a neighbouring key.
type walk struct{ keyboard, down, right int }

// keyboards are the rows of the usual ones.
var keyboards = [][]string{
	{"1234567890", "azertyuiop", "qsdfghjklm", "wxcvbn,;:!"},
	{"1234567890", "qwertyuiop", "asdfghjkl;", "zxcvbnm,./"},
	{"&é\"'(-è_çà", "azertyuiop"},
}

// walks lists the ways from one character to the next.
func walks(from, to rune) map[walk]bool {
	found := map[walk]bool{}
	if step := int(to - from); step >= -1 && step <= 1 {
		found[walk{0, 0, step}] = true
	}
	for i, rows := range keyboards {
		row, column, known := keyOf(rows, from)
		nextRow, nextColumn, alsoKnown := keyOf(rows, to)
		down, right := nextRow-row, nextColumn-column
		if known && alsoKnown && (down == 0) != (right == 0) && max(down, -down, right, -right) == 1 {
			found[walk{i + 1, down, right}] = true
		}
	}
	return found
}

func keyOf(rows []string, key rune) (row, column int, known bool) {
	for row, keys := range rows {
		if column := slices.Index([]rune(keys), key); column >= 0 {
			return row, column, true
		}
	}
	return 0, 0, false
}

// Known is a list of passwords that are known to thieves. Nil holds none.
type Known struct{ digests []uint64 }

// ReadKnown reads a list with one password a line. Lines that are too short for a password
// here are left out. Letters count alike, capital or not.
func ReadKnown(list io.Reader) (*Known, error) {
	known := &Known{}
	for lines := bufio.NewScanner(list); ; {
		if !lines.Scan() {
			if err := lines.Err(); err != nil {
				return nil, fmt.Errorf("read the list of known passwords: %w", err)
			}
			slices.Sort(known.digests)
			known.digests = slices.Compact(known.digests)
			return known, nil
		}
		if utf8.RuneCount(lines.Bytes()) >= ShortestPassword {
			known.digests = append(known.digests, short(lines.Text()))
		}
	}
}

// Len is how many passwords the list holds.
func (k *Known) Len() int { return len(k.digests) }

// holds reports whether a password stands in the list.
func (k *Known) holds(password string) bool {
	if k == nil {
		return false
	}
	_, found := slices.BinarySearch(k.digests, short(password))
	return found
}

// short is what is kept of a password of the list: 64 bits, so that a million take 8 MB.
func short(password string) uint64 {
	sum := sha256.Sum256([]byte(strings.ToLower(password)))
	return binary.BigEndian.Uint64(sum[:])
}
