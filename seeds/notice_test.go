package seeds

import (
	"strings"
	"testing"
)

// Both notices have the six headings in the same order, the version, and say where to turn
// in an emergency.
func TestTheNoticeHasItsSixHeadings(t *testing.T) {
	for easy, headings := range map[bool][]string{
		false: {"sécurité", "accès", "pratique", "refuser", "coûte", "satisfaction"},
		true:  {"protégées", "Qui voit", "marche", "dire non", "coûte", "content"},
	} {
		text := Notice(easy)
		var found []string
		for line := range strings.Lines(text) {
			if strings.HasPrefix(line, "## ") {
				found = append(found, line)
			}
		}
		if len(found) != len(headings) {
			t.Fatalf("easy %v: %q", easy, found)
		}
		for i, word := range headings {
			if !strings.Contains(found[i], word) {
				t.Errorf("easy %v: heading %d is %q, want %s", easy, i+1, found[i], word)
			}
		}
		for _, word := range []string{"version " + NoticeVersion, "le 15 ou le 112", "[contact]"} {
			if !strings.Contains(text, word) {
				t.Errorf("easy %v: %q is not in it", easy, word)
			}
		}
	}
}

// A sentence of the easy notice is one line of 15 words at most.
func TestTheEasyNoticeIsEasy(t *testing.T) {
	for line := range strings.Lines(Notice(true)) {
		for sentence := range strings.FieldsFuncSeq(line, func(r rune) bool { return r == '.' || r == '?' || r == ':' }) {
			if words := strings.Fields(sentence); len(words) > 15 {
				t.Errorf("%d words: %s", len(words), sentence)
			}
		}
	}
}
