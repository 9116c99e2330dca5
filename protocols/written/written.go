// Package written writes counts, numbers and days as a reader of French or English expects
// them. A language is "fr" or "en"; what is neither is French.
package written

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

const english = "en"

// Singular reports whether n things take the singular. French takes the plural from two
// on, English for all but one.
func Singular(language string, n int) bool {
	return n == 1 || n == 0 && language != english
}

// Sentence is fmt.Sprintf, with words that agree with a count: of "[ligne|lignes]" it writes
// the first where the latest %d before it takes the singular, and else the second.
func Sentence(language, format string, args ...any) string {
	var agreed strings.Builder
	count, arg := 0, 0
	for i := 0; i < len(format); i++ {
		switch c := format[i]; {
		case c == '%' && i+1 < len(format):
			i++
			if format[i] == 'd' && arg < len(args) {
				count = countOf(args[arg])
			}
			if format[i] != '%' {
				arg++
			}
			agreed.WriteString(format[i-1 : i+1])
		case c == '[':
			one, several, chosen := strings.Cut(format[i+1:], "|")
			end := strings.IndexByte(several, ']')
			if !chosen || end < 0 || strings.Contains(one, "]") {
				agreed.WriteByte(c)
				continue
			}
			i += len(one) + 1 + end + 1
			if several = several[:end]; Singular(language, count) {
				several = one
			}
			agreed.WriteString(several)
		default:
			agreed.WriteByte(c)
		}
	}
	return fmt.Sprintf(agreed.String(), args...)
}

func countOf(arg any) int {
	switch n := arg.(type) {
	case int:
		return n
	case int64:
		return int(n)
	}
	return 0
}

// Decimal writes f with so many decimals: "1,5" or "1.5". What rounds to nothing has no
// sign.
func Decimal(language string, f float64, decimals int) string {
	text := strconv.FormatFloat(f, 'f', decimals, 64)
	if strings.Trim(text, "-0.") == "" {
		text = strings.TrimPrefix(text, "-")
	}
	if language == english {
		return text
	}
	return strings.Replace(text, ".", ",", 1)
}

// Number is Decimal with a true minus and its digits in groups of three: "−1 513,2" with a
// narrow space, "−1,513.2".
func Number(language string, f float64, decimals int) string {
	text := Decimal(language, f, decimals)
	sign, digits := "", text
	if strings.HasPrefix(text, "-") {
		sign, digits = "−", text[1:]
	}
	separator, whole := "\u202f", digits
	if language == english {
		separator = ","
	}
	if i := strings.IndexAny(digits, ".,"); i >= 0 {
		whole = digits[:i]
	}
	rest := digits[len(whole):]
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + separator + whole[i:]
	}
	return sign + whole + rest
}

// Whole is Number for a count.
func Whole(language string, n int) string { return Number(language, float64(n), 0) }

var frenchMonths = [...]string{"janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc."}

// Day writes a day without its year: "6 juin", "1er juin", "6 Jun".
func Day(language string, t time.Time) string {
	if language == english {
		return t.Format("2 Jan")
	}
	day := strconv.Itoa(t.Day())
	if t.Day() == 1 {
		day += "er"
	}
	return day + " " + frenchMonths[t.Month()-1]
}
