package postgres

import (
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"vigie/deploy/servers"
)

// Which records are merged is asked in front of a commit: it may not take as long as there
// are patients.
func TestMergesAreReadByTheirIndex(t *testing.T) {
	s, err := Open(t.Context(), servers.Postgres(t).URL, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, sql := range []string{
		`INSERT INTO registry_patients (id, body) SELECT 'p-' || i, ('{"id":"p-' || i || '"}')::json FROM generate_series(1, 20000) i ORDER BY md5(i::text)`,
		`ANALYZE registry_patients`,
	} {
		if _, err := s.pool.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := s.pool.Query(t.Context(), "EXPLAIN "+mergedPatients)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(plan) == 0 || !strings.Contains(plan[0], "registry_patients_merged") {
		t.Errorf("the plan is %q, %v", plan, err)
	}
}
