package service

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"vigie/alerts/trail"
	"vigie/protocols"
)

// TestACommandThatReadsOfManyAtTheSameTimeLeavesATraceOfEach reads as a replay of a
// cohort does: of several patients at once, and of each again.
func TestACommandThatReadsOfManyAtTheSameTimeLeavesATraceOfEach(t *testing.T) {
	tools, err := OpenTools(t.Context(), in(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	defer tools.Close()
	tools.As("replay")
	const patients = 20
	var reading sync.WaitGroup
	for i := range 2 * patients {
		reading.Go(func() {
			err := tools.History(t.Context(), fmt.Sprint("p-", i%patients), nil, time.Time{}, time.Time{}, func(*protocols.Reading) bool { return true })
			if err != nil {
				t.Error(err)
			}
		})
	}
	reading.Wait()
	traces, _ := tools.Traces()
	rows, err := traces.Find(t.Context(), trail.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, row := range rows {
		for _, detail := range row.Beside {
			seen[detail.Text]++
		}
	}
	for i := range patients {
		if n := seen[fmt.Sprint("p-", i)]; n != 1 {
			t.Errorf("p-%d stands %d times in the trail, want once", i, n)
		}
	}
}
