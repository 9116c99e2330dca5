package latin

import (
	"testing"

	"golang.org/x/text/encoding/charmap"
)

func TestEveryByteIsThatOfTheTable(t *testing.T) {
	for b := range 256 {
		want, err := charmap.Windows1252.NewDecoder().Bytes([]byte{byte(b)})
		if got := Decode([]byte{byte(b)}); err != nil || string(got) != string(want) {
			t.Errorf("%#02x is %q, want %q (%v)", b, got, want, err)
		}
	}
}
