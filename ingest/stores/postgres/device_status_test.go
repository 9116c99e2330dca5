package postgres

import (
	"fmt"
	"testing"
)

// At the bound, a device that is known already pushes nobody out, and a new one pushes out one.
func TestStatusesKnownAtTheBound(t *testing.T) {
	var k knownStatuses
	for i := range mostKnown {
		k.note(fmt.Sprint("balance-", i), statusRow{version: "1"})
	}
	k.note("balance-7", statusRow{version: "2"})
	if len(k.rows) != mostKnown || k.rows["balance-7"].version != "2" {
		t.Errorf("a known device leaves %d of %d known, itself as %+v", len(k.rows), mostKnown, k.rows["balance-7"])
	}
	k.note("tensiomètre", statusRow{version: "3"})
	if len(k.rows) != mostKnown || k.rows["tensiomètre"].version != "3" {
		t.Errorf("a new device leaves %d of %d known, itself as %+v", len(k.rows), mostKnown, k.rows["tensiomètre"])
	}
}
