package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"vigie/ingest"
)

// state is a row of states.
type state struct {
	enrolment string
	version   int64
	snapshot  []byte
	sum       *int64 // nil for one from before there were checksums
	dueFits   bool
}

// stateColumns are those that fields reads.
const stateColumns = "version, snapshot, sum, due_sum IS NOT DISTINCT FROM hashint8extended(coalesce(due, 7), 0)"

func (s *state) fields() []any { return []any{&s.version, &s.snapshot, &s.sum, &s.dueFits} }

// intact reports whether the row is what was written.
func (s *state) intact() bool {
	return s.dueFits && (s.sum == nil || *s.sum == stateSum(s.enrolment, s.snapshot))
}

func stateSum(enrolment string, snapshot []byte) int64 {
	return ingest.Guard(nil).Text(enrolment).Bytes(snapshot).Sum()
}

// read is what LoadState says of a state.
func (t *transaction) read(s *state) (snapshot []byte, version int64, err error) {
	if !s.intact() {
		t.store.met.tell(ingest.Damage{Table: "states", Row: s.enrolment})
		return nil, s.version, fmt.Errorf("the state of enrolment %s: %w", s.enrolment, ingest.ErrDamaged)
	}
	return s.snapshot, s.version, nil
}

// LoadState is ingest.Tx.LoadState.
func (t *transaction) LoadState(enrolment string) (snapshot []byte, version int64, err error) {
	if held, ok := t.held[enrolment]; ok {
		return t.read(&held)
	}
	found := state{enrolment: enrolment}
	err = t.tx.QueryRow(t.ctx, "SELECT "+stateColumns+" FROM states WHERE enrolment = $1", enrolment).Scan(found.fields()...)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("load the state of enrolment %s: %w", enrolment, err)
	}
	return t.read(&found)
}

// Claim is ingest.Shared.Claim. It holds the rows there are, in the order of
// enrolments. For one that has no state yet, SaveStates decides who was first.
func (t *transaction) Claim(enrolments []string) (versions []int64, err error) {
	t.held = make(map[string]state, len(enrolments))
	claims := &pgx.Batch{}
	claims.Queue("SELECT enrolment, "+stateColumns+" FROM states WHERE enrolment = ANY ($1) ORDER BY enrolment FOR NO KEY UPDATE", enrolments).Query(t.hold)
	t.queueExpected(claims) // once nobody else can wake what is held
	if err := t.tx.SendBatch(t.ctx, claims).Close(); err != nil {
		return nil, fmt.Errorf("claim %d enrolments: %w", len(enrolments), err)
	}
	versions = make([]int64, len(enrolments))
	for i, enrolment := range enrolments {
		versions[i] = t.held[enrolment].version
	}
	return versions, nil
}

// hold notes states that were claimed.
func (t *transaction) hold(rows pgx.Rows) error {
	var found state
	_, err := pgx.ForEachRow(rows, append([]any{&found.enrolment}, found.fields()...), func() error {
		t.held[found.enrolment] = found
		return nil
	})
	return err
}

// Expect is ingest.Expecter.Expect.
func (t *transaction) Expect(version int64) {
	t.expected = &version
	t.queueExpected(t.tx.waiting)
	t.tx.asking = true
}

// queueExpected asks whether the registry is still what the work at hand was made out by.
func (t *transaction) queueExpected(batch *pgx.Batch) {
	if t.expected == nil {
		return
	}
	batch.Queue(registryVersion).QueryRow(func(row pgx.Row) error {
		var version int64
		if err := row.Scan(&version); err != nil {
			return fmt.Errorf("read the version of the registry: %w", err)
		}
		if version != *t.expected {
			return ingest.ErrRegistry
		}
		return nil
	})
}

// saveStates writes those whose version is the one that was loaded. Without a
// snapshot only the version moves. Where another has moved it fails, so that what
// follows in the same message, the commit mostly, does not take place.
const saveStates = `
WITH written AS (
	INSERT INTO states (enrolment, version, due, snapshot, sum)
	SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bigint[])
	ON CONFLICT (enrolment) DO UPDATE SET
		version = excluded.version,
		due = CASE WHEN excluded.snapshot IS NULL THEN states.due ELSE excluded.due END,
		snapshot = coalesce(excluded.snapshot, states.snapshot),
		sum = CASE WHEN excluded.snapshot IS NULL THEN states.sum ELSE excluded.sum END
	WHERE states.version = excluded.version - 1
	RETURNING 1)
SELECT CASE WHEN count(*) = cardinality($1) THEN 0 ELSE ('another node has written some of these states, not these ' || count(*))::int END FROM written`

// notANumber is the code of the error with which saveStates fails.
const notANumber = "22P02"

// SaveStates is ingest.Tx.SaveStates. The rows are written in the order of
// enrolments, with the next statement, and held until the commit.
func (t *transaction) SaveStates(states []ingest.StateRecord) error {
	if len(states) == 0 {
		return nil
	}
	t.held = nil
	ordered := slices.Clone(states)
	slices.SortFunc(ordered, func(a, b ingest.StateRecord) int { return cmp.Compare(a.Enrolment, b.Enrolment) })
	enrolments, versions := make([]string, len(ordered)), make([]int64, len(ordered))
	dues, snapshots, sums := make([]*int64, len(ordered)), make([][]byte, len(ordered)), make([]int64, len(ordered))
	for i, state := range ordered {
		enrolments[i], versions[i], snapshots[i] = state.Enrolment, state.Version+1, state.Snapshot
		dues[i], sums[i] = perhapsNanos(state.Due), stateSum(state.Enrolment, state.Snapshot)
	}
	t.tx.Queue(saveStates, enrolments, versions, dues, snapshots, sums).Fn = func(results pgx.BatchResults) error {
		_, err := results.Exec()
		var failed *pgconn.PgError
		if errors.As(err, &failed) && failed.Code == notANumber {
			err = fmt.Errorf("some of them were written elsewhere: %w", ingest.ErrConflict)
		}
		if err != nil {
			return fmt.Errorf("save the states of %d enrolments: %w", len(enrolments), conflict(err))
		}
		return nil
	}
	return nil
}

// DueEnrolments is ingest.Store.DueEnrolments.
func (s *Store) DueEnrolments(ctx context.Context, now time.Time, limit int) ([]string, error) {
	return s.due(ctx, "SELECT enrolment FROM states WHERE due <= $1 ORDER BY due LIMIT $2", now, limit)
}

// DueDevices is ingest.Store.DueDevices.
func (s *Store) DueDevices(ctx context.Context, now time.Time, limit int) ([]string, error) {
	return s.due(ctx, "SELECT device FROM device_status WHERE due <= $1 ORDER BY due LIMIT $2", now, limit)
}

func (s *Store) due(ctx context.Context, query string, now time.Time, limit int) ([]string, error) {
	rows, err := s.pool.Query(ctx, query, nanos(now), limit)
	if err != nil {
		return nil, fmt.Errorf("list what is due: %w", err)
	}
	due, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("list what is due: %w", err)
	}
	return due, nil
}

// wake makes enrolments due at once: new ones, whose silence counts from the
// start, and those whose settings or pauses have changed. Their versions move: a
// node that is evaluating one of them by what the registry said before has to do
// it again, and does not put its own due in the place of this one.
func wake(ctx context.Context, tx pgx.Tx, enrolments []string) error {
	slices.Sort(enrolments)
	_, err := tx.Exec(ctx, `INSERT INTO states (enrolment, version, due) SELECT id, 0, $2 FROM unnest($1::text[]) AS id
		ON CONFLICT (enrolment) DO UPDATE SET due = excluded.due, version = states.version + 1`, enrolments, int64(math.MinInt64))
	if err != nil {
		return fmt.Errorf("wake %d enrolments: %w", len(enrolments), err)
	}
	return nil
}
