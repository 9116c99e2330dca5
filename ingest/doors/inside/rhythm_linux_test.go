package inside

import (
	"testing"
	"time"
)

// What comes now and then is read at once, and so is what one device sends that waits for
// each answer. Only what comes on many connections, one a moment after the other, is read
// together.
func TestOnlyAStreamOfManyIsReadTogether(t *testing.T) {
	a, b := &socket{}, &socket{}
	const took = 50 * time.Microsecond
	for _, c := range []struct {
		name  string
		apart time.Duration
		works time.Duration
		found [][]*socket
		want  time.Duration
	}{
		{"one device that waits for each answer", time.Millisecond, took, [][]*socket{{a}, {a}, {a}}, 0},
		{"now and then a device", 20 * time.Millisecond, took, [][]*socket{{a}, {b}, {a}}, 0},
		{"one device after another", time.Millisecond, took, [][]*socket{{a}, {b}, {a}}, gather - took},
		{"many at once", time.Millisecond, took, [][]*socket{{a, b}, {a, b}}, gather - took},
		{"as much as goes", time.Millisecond, 2 * enoughWork, [][]*socket{{a, b}, {a, b}}, 0},
		{"nothing after all", time.Millisecond, took, [][]*socket{{a}, {}}, 0},
	} {
		var r rhythm
		now, got := time.Unix(1_800_000_000, 0), time.Duration(0)
		for _, found := range c.found {
			now = now.Add(c.apart)
			got = r.wait(found, now, now.Add(c.works))
		}
		if got != c.want {
			t.Errorf("%s: the next look waits %v, want %v", c.name, got, c.want)
		}
	}
}
