package postgres

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"vigie/ingest"
)

// wideSchema is the strikes of many patients.
const wideSchema = `
CREATE TABLE wide_acts (
	id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	device text COLLATE "C" NOT NULL,
	at     bigint NOT NULL,
	done   bigint NOT NULL DEFAULT 0, -- when; 0 until then
	body   json NOT NULL              -- see ingest.WideAct.Body
);
CREATE INDEX wide_acts_device ON wide_acts (device, id);
CREATE INDEX wide_acts_open ON wide_acts (id) WHERE done = 0;
`

var _ ingest.WideActs = (*Store)(nil)

// KeepWideAct is ingest.WideActs.KeepWideAct.
func (s *Store) KeepWideAct(ctx context.Context, act *ingest.WideAct) error {
	body, err := act.Body()
	if err == nil {
		err = s.pool.QueryRow(ctx, "INSERT INTO wide_acts (device, at, body) VALUES ($1, $2, $3) RETURNING id", plain(act.About.Device), nanos(act.At), plain(string(body))).Scan(&act.ID)
	}
	if err != nil {
		return fmt.Errorf("keep a strike of many patients: %w", err)
	}
	return nil
}

// EndWideAct is ingest.WideActs.EndWideAct.
func (s *Store) EndWideAct(ctx context.Context, id int64, at time.Time) error {
	if _, err := s.pool.Exec(ctx, "UPDATE wide_acts SET done = $1 WHERE id = $2", nanos(at), id); err != nil {
		return fmt.Errorf("record that a strike of many patients is done: %w", err)
	}
	return nil
}

// OpenWideActs is ingest.WideActs.OpenWideActs.
func (s *Store) OpenWideActs(ctx context.Context) ([]ingest.WideAct, error) {
	return s.wideActs(ctx, "WHERE done = 0 ORDER BY id")
}

// WideActsOf is ingest.WideActs.WideActsOf.
func (s *Store) WideActsOf(ctx context.Context, device string) ([]ingest.WideAct, error) {
	return s.wideActs(ctx, "WHERE device = $1 ORDER BY id", plain(device))
}

func (s *Store) wideActs(ctx context.Context, which string, args ...any) ([]ingest.WideAct, error) {
	rows, err := s.pool.Query(ctx, "SELECT id, at, done, body, "+intact("wide_acts", "wide_acts")+" FROM wide_acts "+which, args...)
	if err != nil {
		return nil, fmt.Errorf("list the strikes of many patients: %w", err)
	}
	var acts []ingest.WideAct
	var id, at, done int64
	var body []byte
	var fits bool
	_, err = pgx.ForEachRow(rows, []any{&id, &at, &done, &body, &fits}, func() error {
		if !fits {
			s.met.tell(ingest.Damage{Table: "wide_acts", Row: strconv.FormatInt(id, 10)})
			return nil
		}
		act := ingest.WideAct{ID: id, At: fromNanos(at)}
		if done != 0 {
			act.Done = fromNanos(done)
		}
		if err := act.SetBody(body); err != nil {
			return err
		}
		acts = append(acts, act)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the strikes of many patients: %w", err)
	}
	return acts, nil
}
