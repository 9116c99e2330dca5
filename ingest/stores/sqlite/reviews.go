package sqlite

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/alerts/reviews"
	"vigie/ingest"
)

// reviewsTable holds who read through whose record, see package reviews.
const reviewsTable = `
CREATE TABLE reviews (
	patient TEXT NOT NULL,
	at      INTEGER NOT NULL, -- nanoseconds since 1970 in UTC
	by      TEXT NOT NULL,
	alerts  INTEGER NOT NULL,
	PRIMARY KEY (patient, at, by)
) STRICT, WITHOUT ROWID;
`

var _ reviews.Store = (*Store)(nil)

// AddReview is part of reviews.Store.
func (s *Store) AddReview(ctx context.Context, r reviews.Review) error {
	err := s.Write(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, "INSERT OR IGNORE INTO reviews (patient, at, by, alerts) VALUES (?, ?, ?, ?)",
			&sqlitex.ExecOptions{Args: []any{r.Patient, r.At.UnixNano(), r.By, r.Alerts}})
	})
	if err != nil {
		return fmt.Errorf("keep a review: %w", err)
	}
	return nil
}

// UndoReview is part of reviews.Store.
func (s *Store) UndoReview(ctx context.Context, r reviews.Review) error {
	err := s.Write(ctx, func(conn *sqlite.Conn) error {
		err := sqlitex.Execute(conn, "DELETE FROM reviews WHERE patient = ? AND at = ? AND by = ?", &sqlitex.ExecOptions{Args: []any{r.Patient, r.At.UnixNano(), r.By}})
		if err == nil && conn.Changes() == 0 {
			err = reviews.ErrNone
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("take a review away: %w", err)
	}
	return nil
}

// LastReviews is part of reviews.Store.
func (s *Store) LastReviews(ctx context.Context, patients []string) (map[string]reviews.Review, error) {
	names, err := json.Marshal(patients)
	if err != nil {
		return nil, fmt.Errorf("read the last reviews: %w", err)
	}
	last := map[string]reviews.Review{}
	list, err := s.reviews(ctx, `SELECT r.patient, r.at, r.by, r.alerts FROM json_each(?) p
		JOIN reviews r ON r.patient = p.value AND r.at = (SELECT max(at) FROM reviews WHERE patient = p.value) ORDER BY r.by DESC`, string(names))
	for _, r := range list {
		last[r.Patient] = r
	}
	return last, err
}

// ReviewsOf is part of reviews.Store.
func (s *Store) ReviewsOf(ctx context.Context, patient string, from, to time.Time) ([]reviews.Review, error) {
	return s.reviews(ctx, "SELECT patient, at, by, alerts FROM reviews WHERE patient = ? AND at >= ? AND at < ? ORDER BY at, by", patient, ingest.Nanos(from), ingest.Nanos(to))
}

func (s *Store) reviews(ctx context.Context, query string, args ...any) (list []reviews.Review, err error) {
	err = s.Read(ctx, func(conn *sqlite.Conn) error {
		return sqlitex.Execute(conn, query, &sqlitex.ExecOptions{Args: args, ResultFunc: func(row *sqlite.Stmt) error {
			list = append(list, reviews.Review{Patient: row.ColumnText(0), At: time.Unix(0, row.ColumnInt64(1)).UTC(), By: row.ColumnText(2), Alerts: row.ColumnInt(3)})
			return nil
		}})
	})
	if err != nil {
		return nil, fmt.Errorf("read reviews: %w", err)
	}
	return list, nil
}
