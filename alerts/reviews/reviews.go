// Package reviews keeps who read through the record of a patient and when, whether or not
// anything rang. A review is signed by a person: to open a page is a look, which the trail
// keeps.
package reviews

import (
	"context"
	"errors"
	"time"
)

// Review is one signed reading of a record.
type Review struct {
	Patient string    `json:"patient"`
	By      string    `json:"by"` // as acts are signed
	At      time.Time `json:"at"` // UTC
	// Alerts counts the alerts of the patient that nobody had resolved at that time: a review
	// without an alert has none.
	Alerts int `json:"alerts"`
}

// Store keeps reviews. Every implementation passes the same contract tests
// (ingest/stores/storetest).
type Store interface {
	// AddReview keeps a review. The same person, patient and instant are kept once.
	AddReview(ctx context.Context, r Review) error
	// UndoReview takes the review of that patient, person and instant away; it returns
	// ErrNone when there is none.
	UndoReview(ctx context.Context, r Review) error
	// LastReviews returns the latest review of each of the patients that has any.
	LastReviews(ctx context.Context, patients []string) (map[string]Review, error)
	// ReviewsOf lists the reviews of a patient in [from, to), oldest first.
	ReviewsOf(ctx context.Context, patient string, from, to time.Time) ([]Review, error)
}

// ErrNone is returned for a review that is not kept.
var ErrNone = errors.New("no such review")
