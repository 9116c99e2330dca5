package values

import (
	"strings"
	"testing"
)

func TestAZoneIsNamedAndReadOnce(t *testing.T) {
	first, err := Zone("Europe/Paris")
	if err != nil || first.String() != "Europe/Paris" {
		t.Fatalf("%v, %v", first, err)
	}
	if again, _ := Zone("Europe/Paris"); again != first {
		t.Error("the same zone is read twice")
	}
	for _, name := range []string{"", "Local", "Europe/Atlantis", "../etc/passwd"} {
		if zone, err := Zone(name); err == nil {
			t.Errorf("%q is %v", name, zone)
		}
	}
	for n := range 2 * mostZones {
		_, _ = Zone("Europe" + strings.Repeat("/", n+1) + "Paris") // where the system takes it for the same file
	}
	if got := len(zones.known); got > mostZones {
		t.Errorf("%d zones are kept, for one place", got)
	}
}
