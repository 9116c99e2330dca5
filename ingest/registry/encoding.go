package registry

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"vigie/ingest/latin"
	"vigie/protocols"
	"vigie/protocols/document"
)

// Windows1252 is what spreadsheets of western Europe write.
const Windows1252 = "windows-1252"

// Encodings are those in which a registry can be read, the usual one first.
var Encodings = []string{"utf-8", Windows1252}

// Decode returns the text of a registry in UTF-8. It guesses nothing: a name that was
// read in another encoding than its own would be another name. What is not text in the
// encoding is a problem, with the line and column of the first such byte.
func Decode(data []byte, encoding string) ([]byte, []document.Problem) {
	at, found := firstBroken(data, encoding)
	if !found {
		if encoding == Windows1252 {
			data = latin.Decode(data)
		}
		return data, nil
	}
	p := document.Problem{Code: "bad-encoding", Severity: document.Error, Message: protocols.Text{
		FR: fmt.Sprintf("l'octet %#02x n'est pas du texte en %s", data[at], encoding),
		EN: fmt.Sprintf("the byte %#02x is no text in %s", data[at], encoding),
	}}
	if encoding != Windows1252 {
		p.Suggestion = protocols.Text{
			FR: "enregistrer le fichier en UTF-8, ou le lire tel quel : --encoding " + Windows1252,
			EN: "save the file in UTF-8, or have it read as it is: --encoding " + Windows1252,
		}
	}
	before := data[:at]
	p.Line = 1 + bytes.Count(before, []byte("\n"))
	line := before[bytes.LastIndexByte(before, '\n')+1:]
	p.Column = 1 + len(line)
	if encoding != Windows1252 {
		p.Column = 1 + utf8.RuneCount(line)
	}
	return nil, []document.Problem{p}
}

// firstBroken returns the place of the first byte that is no text in an encoding.
func firstBroken(data []byte, encoding string) (at int, found bool) {
	if encoding == Windows1252 {
		at = slices.IndexFunc(data, func(b byte) bool { return strings.IndexByte("\x81\x8d\x8f\x90\x9d", b) >= 0 })
		return at, at >= 0
	}
	for at < len(data) {
		r, size := utf8.DecodeRune(data[at:])
		if r == utf8.RuneError && size <= 1 {
			return at, true
		}
		at += size
	}
	return 0, false
}
