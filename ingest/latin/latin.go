// Package latin reads Windows-1252, which spreadsheets of western Europe write.
//
// The table of golang.org/x/text comes with those of fifty other encodings: a tenth of
// a megabyte of every program for 27 characters.
package latin

import "unicode/utf8"

// high are the characters of the bytes 0x80 to 0x9f: the others are those of Latin 1,
// whose numbers are their bytes. Five bytes stand for nothing. Source: Unicode,
// MAPPINGS/VENDORS/MICSFT/WINDOWS/CP1252.TXT.
var high = [32]rune{
	'€', utf8.RuneError, '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', utf8.RuneError, 'Ž', utf8.RuneError,
	utf8.RuneError, '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', utf8.RuneError, 'ž', 'Ÿ',
}

// Decode returns a text in UTF-8. A byte that stands for nothing becomes U+FFFD.
func Decode(data []byte) []byte {
	text := make([]byte, 0, len(data)+len(data)/8)
	for _, b := range data {
		switch {
		case b < utf8.RuneSelf:
			text = append(text, b)
		case b < 0xa0:
			text = utf8.AppendRune(text, high[b-0x80])
		default:
			text = utf8.AppendRune(text, rune(b))
		}
	}
	return text
}
