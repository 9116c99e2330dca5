package sqlite

import (
	"errors"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/alerts/trail"
	"vigie/ingest/stores/storetest"
)

func TestTrailContract(t *testing.T) {
	storetest.RunTrail(t, func(t *testing.T) storetest.TrailStore {
		s := open(t, newFile(t), Options{})
		return storetest.TrailStore{Traces: s.Trail(), Before: looksOfBefore, Tamper: func(statement string) {
			err := s.Write(t.Context(), func(conn *sqlite.Conn) error {
				for _, trigger := range []string{"trail_stays", "trail_kept", "trail_beside_stays"} {
					if err := sqlitex.Execute(conn, "DROP TRIGGER IF EXISTS "+trigger, nil); err != nil {
						return err
					}
				}
				return sqlitex.Execute(conn, statement, nil)
			})
			if err != nil {
				t.Fatal(err)
			}
		}}
	})
}

func TestTheTrailIsNotChangedByAStatement(t *testing.T) {
	s := open(t, newFile(t), Options{})
	row := trail.Row{Chain: "c", Seq: 1, At: time.Unix(0, 0), Beside: []trail.Detail{{Part: trail.OfPatient, Text: "p-1"}}}
	add := func(trail.Head) ([]trail.Row, error) { return []trail.Row{row}, nil }
	if err := s.Trail().Append(t.Context(), "c", add); err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{"UPDATE trail SET body = ''", "DELETE FROM trail", "UPDATE trail_beside SET text = ''"} {
		if err := s.Write(t.Context(), func(conn *sqlite.Conn) error { return sqlitex.Execute(conn, statement, nil) }); err == nil {
			t.Errorf("%s is done", statement)
		}
	}
}

// TestAnEntrySharesTheCommitOfWhatIsUnderWay writes an entry while a transaction is
// under way: it is committed with it, and one that fails takes nothing away.
func TestAnEntrySharesTheCommitOfWhatIsUnderWay(t *testing.T) {
	s := open(t, newFile(t), Options{})
	append := func(chain string, fail error) chan error {
		done := make(chan error, 1)
		go func() {
			done <- s.Trail().Append(t.Context(), chain, func(last trail.Head) ([]trail.Row, error) {
				return []trail.Row{{Chain: chain, Seq: last.Seq + 1, At: time.Unix(0, 0)}}, fail
			})
		}()
		return done
	}
	broken := errors.New("cannot be sealed")
	var good, bad chan error
	err := s.Write(t.Context(), func(conn *sqlite.Conn) error {
		good, bad = append("good", nil), append("bad", broken)
		for waiting := 0; waiting < 2; {
			s.riders.mu.Lock()
			waiting = len(s.riders.waiting)
			s.riders.mu.Unlock()
		}
		return sqlitex.Execute(conn, "CREATE TABLE proof (x INTEGER)", nil)
	})
	if err != nil {
		t.Fatal(err)
	}
	// The commit that is over holds the entry, before its writer knows.
	if heads, err := s.Trail().Heads(t.Context()); err != nil || len(heads) != 1 {
		t.Errorf("%d chains, %v", len(heads), err)
	}
	if err := <-good; err != nil {
		t.Error(err)
	}
	if err := <-bad; !errors.Is(err, broken) {
		t.Errorf("the entry that failed: %v", err)
	}
}
