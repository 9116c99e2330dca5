package protocols

import (
	"slices"
	"strings"
	"unicode"
)

// Flag is a word by which a device says something of the quality of a reading.
// Protocols may keep readings with some flags out of their rules.
//
// To add a flag, add it to flags below; decoding, checks and sentences follow.
type Flag struct {
	Word      string // as it is stored, and as protocols write it: "control-solution"
	Title     Text   // as a person says it
	Spellings []string
}

// flags lists what devices say of their readings. Upper case, hyphens, underscores
// and spaces make no difference, and need no spelling of their own.
var flags = []Flag{
	{"motion", Text{"mouvement", "motion"}, []string{"movement", "moved", "body movement", "motion artifact", "mouvement"}},
	{"unstable", Text{"pesée instable", "unstable weighing"}, []string{"unstable weight", "instable"}},
	{"poor-contact", Text{"mauvais contact", "poor contact"}, []string{"bad contact", "sensor off", "mauvais contact"}},
	{"low-perfusion", Text{"doigt froid", "low perfusion"}, []string{"poor perfusion", "weak signal", "faible perfusion"}},
	{"cuff-fit", Text{"brassard mal mis", "cuff badly fitted"}, []string{"cuff loose", "loose cuff", "cuff too loose", "brassard"}},
	{"irregular-pulse", Text{"pouls irrégulier", "irregular pulse"}, []string{"irregular heartbeat", "irregular heart beat", "arrhythmia", "IHB", "pouls irrégulier"}},
	{"calibration", Text{"étalonnage", "calibration"}, []string{"calibration value", "étalonnage"}},
	{"sensor-error", Text{"défaut du capteur", "sensor error"}, []string{"sensor fault", "sensor failure", "défaut capteur"}},
	{"control-solution", Text{"solution de contrôle", "control solution"}, []string{"control", "control test", "control reading", "QC", "quality control", "solution de contrôle", "contrôle"}},
	{"poor-effort", Text{"souffle insuffisant", "poor effort"}, []string{"bad effort", "effort insuffisant"}},
}

// Flags lists every flag, in the order of the manual.
func Flags() []Flag { return flags }

// flagBySpelling finds a flag by the letters of its word or of a spelling.
var flagBySpelling = func() map[string]*Flag {
	table := map[string]*Flag{}
	for i := range flags {
		f := &flags[i]
		for _, written := range append([]string{f.Word}, f.Spellings...) {
			key := letters(written)
			if other := table[key]; other != nil && other != f {
				panic("protocols: the flags " + other.Word + " and " + f.Word + " share the spelling " + written)
			}
			table[key] = f
		}
	}
	return table
}()

// letters are the letters and digits of a word, in lower case.
func letters(written string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, written)
}

// FlagOf returns the flag that a device or a person wrote, in whichever spelling;
// nil when the vocabulary does not have it.
func FlagOf(written string) *Flag { return flagBySpelling[letters(written)] }

// FlagWords are the words of all flags, in the order of letters.
func FlagWords() []string {
	words := make([]string, len(flags))
	for i := range flags {
		words[i] = flags[i].Word
	}
	slices.Sort(words)
	return words
}
