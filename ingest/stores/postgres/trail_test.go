package postgres

import (
	"testing"

	"vigie/ingest/stores/storetest"
)

func TestTrailContract(t *testing.T) {
	storetest.RunTrail(t, func(t *testing.T) storetest.TrailStore {
		s := open(t, database(t), Options{})
		return storetest.TrailStore{Traces: s.Trail(), Before: looksOfBefore, Tamper: func(statement string) {
			_, err := s.pool.Exec(t.Context(), "DROP TRIGGER IF EXISTS trail_kept ON trail; DROP TRIGGER IF EXISTS trail_beside_kept ON trail_beside; "+statement)
			if err != nil {
				t.Fatal(err)
			}
		}}
	})
}

func TestTheTrailIsNotChangedByAStatement(t *testing.T) {
	s := open(t, database(t), Options{})
	for _, statement := range []string{"UPDATE trail SET body = ''", "DELETE FROM trail", "TRUNCATE trail", "UPDATE trail_beside SET text = ''"} {
		if _, err := s.pool.Exec(t.Context(), statement); err == nil {
			t.Errorf("%s is done", statement)
		}
	}
}
