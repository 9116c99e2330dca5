package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"vigie/alerts/reviews"
)

// reviewsTable holds who read through whose record, see package reviews.
const reviewsTable = `
CREATE TABLE reviews (
	patient text COLLATE "C" NOT NULL,
	at      bigint NOT NULL,
	by      text COLLATE "C" NOT NULL,
	alerts  integer NOT NULL,
	PRIMARY KEY (patient, at, by)
);
`

var _ reviews.Store = (*Store)(nil)

// AddReview is part of reviews.Store.
func (s *Store) AddReview(ctx context.Context, r reviews.Review) error {
	_, err := s.pool.Exec(ctx, "INSERT INTO reviews (patient, at, by, alerts) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", plain(r.Patient), nanos(r.At), plain(r.By), r.Alerts)
	if err != nil {
		return fmt.Errorf("keep a review: %w", err)
	}
	return nil
}

// UndoReview is part of reviews.Store.
func (s *Store) UndoReview(ctx context.Context, r reviews.Review) error {
	done, err := s.pool.Exec(ctx, "DELETE FROM reviews WHERE patient = $1 AND at = $2 AND by = $3", plain(r.Patient), nanos(r.At), plain(r.By))
	if err == nil && done.RowsAffected() == 0 {
		err = reviews.ErrNone
	}
	if err != nil {
		return fmt.Errorf("take a review away: %w", err)
	}
	return nil
}

// LastReviews is part of reviews.Store.
func (s *Store) LastReviews(ctx context.Context, patients []string) (map[string]reviews.Review, error) {
	names := make([]string, len(patients))
	for i, name := range patients {
		names[i] = plain(name)
	}
	last := map[string]reviews.Review{}
	list, err := s.reviews(ctx, `SELECT r.patient, r.at, r.by, r.alerts FROM unnest($1::text[]) p(name)
		JOIN reviews r ON r.patient = p.name AND r.at = (SELECT max(at) FROM reviews WHERE patient = p.name) ORDER BY r.by DESC`, names)
	for _, r := range list {
		last[r.Patient] = r
	}
	return last, err
}

// ReviewsOf is part of reviews.Store.
func (s *Store) ReviewsOf(ctx context.Context, patient string, from, to time.Time) ([]reviews.Review, error) {
	return s.reviews(ctx, "SELECT patient, at, by, alerts FROM reviews WHERE patient = $1 AND at >= $2 AND at < $3 ORDER BY at, by", plain(patient), nanos(from), nanos(to))
}

func (s *Store) reviews(ctx context.Context, query string, args ...any) ([]reviews.Review, error) {
	rows, err := s.pool.Query(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read reviews: %w", err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r reviews.Review, err error) {
		var at int64
		err = row.Scan(&r.Patient, &at, &r.By, &r.Alerts)
		r.At = time.Unix(0, at).UTC()
		return r, err
	})
	if err != nil {
		return nil, fmt.Errorf("read reviews: %w", err)
	}
	return list, nil
}
