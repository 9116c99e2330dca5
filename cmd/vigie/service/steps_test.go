package service

import (
	"testing"
)

func TestTheEarliestMomentIsFoundAndNoneBeforeIt(t *testing.T) {
	for found := range 40 {
		for at := 1; at <= 45; at++ {
			asked := 0
			got, err := earliest(found, func(seconds int) (bool, error) {
				asked++
				if seconds < 1 || seconds >= found {
					t.Fatalf("asked for %d of %d", seconds, found)
				}
				return seconds >= at, nil
			})
			if want := min(at, found); err != nil || got != want && found > 0 || asked > 8 {
				t.Errorf("due from %d on, below %d: found %d after %d questions, %v", at, found, got, asked, err)
			}
		}
	}
}
