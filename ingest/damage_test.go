package ingest_test

import (
	"slices"
	"testing"
	"time"

	sqlitelib "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// TestNoAlertEndsWhereReadingsAreDamaged has a reading that carries an alert damaged on
// the disk. What comes next would end the alert; what is worse still rings.
func TestNoAlertEndsWhereReadingsAreDamaged(t *testing.T) {
	for _, damaged := range []bool{false, true} {
		s := begin(t)
		s.send("scale-1", weight("a", start.Add(-48*time.Hour), 82))
		s.send("scale-1", weight("b", start.Add(-24*time.Hour), 84.5))
		expect(t, "found", s.found(), []string{"raised weight-gain"})
		if damaged {
			err := s.store.Write(t.Context(), func(conn *sqlitelib.Conn) error {
				return sqlitex.Execute(conn, "UPDATE journal SET body = substr(body, 1, length(body) - 1) || x'22' WHERE last = 1", nil)
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		s.restart()
		s.send("scale-1", weight("c", start, 81))
		if ended := slices.Contains(s.found(), "ended weight-gain"); ended == damaged {
			t.Errorf("damaged: %v, and the alert has ended: %v (%v)", damaged, ended, s.found())
		}
		s.send("scale-1", weight("d", start.Add(time.Minute), 101))
		if !slices.Contains(s.found(), "raised weight-high") {
			t.Errorf("damaged: %v, and what is worse does not ring: %v", damaged, s.found())
		}
	}
}

// TestADamagedStateIsComputedAgain changes a state into another that can be read.
func TestADamagedStateIsComputedAgain(t *testing.T) {
	s := begin(t)
	s.send("scale-1", weight("a", start.Add(-48*time.Hour), 82))
	s.send("scale-1", weight("b", start.Add(-24*time.Hour), 84.5))
	err := s.store.Write(t.Context(), func(conn *sqlitelib.Conn) error {
		return sqlitex.Execute(conn, "UPDATE states SET snapshot = (SELECT snapshot FROM states WHERE enrolment <> 'e1' AND snapshot IS NOT NULL LIMIT 1) WHERE enrolment = 'e1'", nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	s.restart()
	s.send("scale-1", weight("c", start, 84.6))
	expect(t, "found: what was known is found again under the same name", s.found(), []string{"raised weight-gain", "raised weight-gain", "again weight-gain"})
	expect(t, "episodes", len(s.episodes()), 1)
	if len(s.store.Damaged()) != 1 {
		t.Errorf("it is said of %v", s.store.Damaged())
	}
}
