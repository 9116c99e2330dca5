package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"vigie/ingest"
)

// errandsSchema is the work for whoever feeds InfluxDB.
const errandsSchema = `
CREATE TABLE errands (
	id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	kind    text NOT NULL,
	after   bigint NOT NULL, -- the last reading of the journal before it
	at      bigint NOT NULL,
	patient text COLLATE "C" NOT NULL, -- of whom; empty where it is about more than one
	task    json NOT NULL,
	reached json NOT NULL,
	carried bigint,
	done    bigint
);
CREATE INDEX errands_open ON errands (id) WHERE done IS NULL;
CREATE INDEX errands_erased ON errands (patient) WHERE kind = 'erase';
`

var _ ingest.Errands = (*Store)(nil)

// Send is ingest.Tx.Send. Its place in the journal is known at the commit only.
func (t *transaction) Send(e ingest.Errand) error {
	t.errands = append(t.errands, e)
	return nil
}

// queueErrands gives errands their places, behind the readings of this transaction.
func (t *transaction) queueErrands(last *pgx.Batch) {
	if len(t.errands) == 0 {
		return
	}
	if len(t.batches) == 0 {
		last.Queue(holdJournal, int64(lockJournal))
	}
	for _, e := range t.errands {
		last.Queue(`INSERT INTO errands (kind, after, at, patient, task, reached)
			VALUES ($1, greatest((SELECT max(last) FROM journal), (SELECT max(seq) FROM cursors), 0), $2, $3, $4, '{}')`,
			string(e.Kind), nanos(e.At), e.Task.Patient, e.Task)
		if e.Kind == ingest.Erase {
			// Nothing of that patient is looked for in InfluxDB any more.
			last.Queue("DELETE FROM forgotten WHERE patient = $1", e.Task.Patient)
		}
	}
}

const errandColumns = "SELECT id, kind, after, at, task, reached, carried, done FROM errands "

// OpenErrands is ingest.Errands.OpenErrands.
func (s *Store) OpenErrands(ctx context.Context) ([]ingest.Errand, error) {
	return s.errands(ctx, "WHERE done IS NULL ORDER BY id")
}

// Errand is ingest.Errands.Errand.
func (s *Store) Errand(ctx context.Context, id int64) (ingest.Errand, error) {
	found, err := s.errands(ctx, "WHERE id = $1", id)
	if err == nil && len(found) == 0 {
		err = fmt.Errorf("there is no errand %d", id)
	}
	if err != nil {
		return ingest.Errand{}, err
	}
	return found[0], nil
}

func (s *Store) errands(ctx context.Context, which string, args ...any) ([]ingest.Errand, error) {
	rows, err := s.pool.Query(ctx, errandColumns+which, args...)
	if err != nil {
		return nil, fmt.Errorf("list errands: %w", err)
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (e ingest.Errand, err error) {
		var at int64
		var carried, done *int64
		err = row.Scan(&e.ID, &e.Kind, &e.After, &at, &e.Task, &e.Reached, &carried, &done)
		e.At, e.Carried, e.Done = fromNanos(at), perhapsTime(carried), perhapsTime(done)
		return e, err
	})
	if err != nil {
		return nil, fmt.Errorf("list errands: %w", err)
	}
	return found, nil
}

// SetErrand is ingest.Errands.SetErrand.
func (s *Store) SetErrand(ctx context.Context, e ingest.Errand) error {
	statement := setErrand
	if e.Kind == ingest.Erase && !e.Done.IsZero() { // nothing is left that says of whom
		statement = setErasure
	}
	if _, err := s.pool.Exec(ctx, statement, reachedBy(e)...); err != nil {
		return fmt.Errorf("record how far the errand %d has come: %w", e.ID, err)
	}
	return nil
}

const (
	setErrand  = "UPDATE errands SET reached = $1, carried = $2, done = $3 WHERE id = $4"
	setErasure = "UPDATE errands SET reached = $1, carried = $2, done = $3, patient = '', task = '{}' WHERE id = $4"
)

func reachedBy(e ingest.Errand) []any {
	return []any{e.Reached, perhapsNanoseconds(e.Carried), perhapsNanoseconds(e.Done), e.ID}
}

func perhapsNanoseconds(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	n := nanos(t)
	return &n
}

// Erased is ingest.Errands.Erased.
func (s *Store) Erased(ctx context.Context) (map[string]ingest.Erasure, error) {
	rows, err := s.pool.Query(ctx, "SELECT patient, max(after), max(at) FROM errands WHERE kind = 'erase' AND patient <> '' GROUP BY patient")
	if err != nil {
		return nil, fmt.Errorf("list who was erased: %w", err)
	}
	erased := map[string]ingest.Erasure{}
	var patient string
	var after, at int64
	_, err = pgx.ForEachRow(rows, []any{&patient, &after, &at}, func() error {
		erased[patient] = ingest.Erasure{After: after, At: time.Unix(0, at).UTC()}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list who was erased: %w", err)
	}
	return erased, nil
}

// somePatients goes from one patient to the next in an index: distinct would read
// every reading.
const somePatients = `
WITH RECURSIVE kept AS (
	(SELECT patient FROM readings WHERE patient > $1 ORDER BY patient LIMIT 1)
	UNION ALL
	SELECT (SELECT readings.patient FROM readings WHERE readings.patient > kept.patient ORDER BY readings.patient LIMIT 1) FROM kept WHERE kept.patient IS NOT NULL
), gone AS (
	(SELECT patient FROM forgotten WHERE patient > $1 ORDER BY patient LIMIT 1)
	UNION ALL
	SELECT (SELECT forgotten.patient FROM forgotten WHERE forgotten.patient > gone.patient ORDER BY forgotten.patient LIMIT 1) FROM gone WHERE gone.patient IS NOT NULL
)
SELECT patient FROM (SELECT patient FROM (SELECT patient FROM kept LIMIT $2) AS a UNION SELECT patient FROM (SELECT patient FROM gone LIMIT $2) AS b) AS all_of_them
WHERE patient IS NOT NULL ORDER BY patient LIMIT $2`

// Patients is ingest.Errands.Patients.
func (s *Store) Patients(ctx context.Context, behind string, limit int) ([]string, error) {
	rows, err := s.pool.Query(ctx, somePatients, behind, limit)
	if err != nil {
		return nil, fmt.Errorf("list the patients of the store: %w", err)
	}
	patients, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("list the patients of the store: %w", err)
	}
	return patients, nil
}
