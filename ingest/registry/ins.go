package registry

import (
	"strconv"
	"strings"
)

// The OIDs under which an INS may be issued. A synthetic patient has OIDTest.
const (
	OIDNIR  = "1.2.250.1.213.1.4.8"  // a real NIR
	OIDNIA  = "1.2.250.1.213.1.4.9"  // a real NIA, while the NIR is awaited
	OIDTest = "1.2.250.1.213.1.4.10" // tests
	OIDDemo = "1.2.250.1.213.1.4.11" // demonstrations
)

// INSKey returns the two-digit key of the first 13 characters of an INS:
// 97 − (number mod 97), where 2A counts as 19 and 2B as 18. It reports false
// when they are not the 13 characters of an INS.
func INSKey(matricule string) (string, bool) {
	if len(matricule) != 13 {
		return "", false
	}
	digits := matricule
	switch matricule[5:7] {
	case "2A":
		digits = matricule[:5] + "19" + matricule[7:]
	case "2B":
		digits = matricule[:5] + "18" + matricule[7:]
	}
	if strings.Trim(digits, "0123456789") != "" {
		return "", false
	}
	number, err := strconv.ParseUint(digits, 10, 64)
	if err != nil {
		return "", false
	}
	key := strconv.FormatUint(97-number%97, 10)
	if len(key) == 1 {
		key = "0" + key
	}
	return key, true
}

func validINS(ins string) bool {
	if len(ins) != 15 {
		return false
	}
	key, ok := INSKey(ins[:13])
	return ok && key == ins[13:]
}

// validRPPS checks the 11 digits of a professional's number; the last one is
// the Luhn digit of the others.
func validRPPS(number string) bool {
	if len(number) != 11 || strings.Trim(number, "0123456789") != "" {
		return false
	}
	sum := 0
	for i := range number {
		digit := int(number[len(number)-1-i] - '0')
		if i%2 == 1 {
			digit *= 2
			if digit > 9 {
				digit -= 9
			}
		}
		sum += digit
	}
	return sum%10 == 0
}
