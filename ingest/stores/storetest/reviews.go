package storetest

import (
	"errors"
	"testing"
	"time"

	"vigie/alerts/reviews"
)

// RunReviews holds a store to the contract of reviews.Store.
func RunReviews(t *testing.T, s reviews.Store) {
	at := noon.Add(123 * time.Nanosecond)
	first, second := reviews.Review{Patient: "p-1", By: "Léa", At: at, Alerts: 2}, reviews.Review{Patient: "p-1", By: "Tom", At: at.Add(time.Hour)}
	other := reviews.Review{Patient: "p-2", By: "Léa", At: at.Add(-time.Hour)}
	for _, r := range []reviews.Review{second, first, first, other} {
		if err := s.AddReview(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	last := func() map[string]reviews.Review {
		t.Helper()
		found, err := s.LastReviews(t.Context(), []string{"p-1", "p-2", "p-3"})
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	expect(t, "the last of each, and none of who has none", last(), map[string]reviews.Review{"p-1": second, "p-2": other})
	of := func(from, to time.Time) []reviews.Review {
		t.Helper()
		list, err := s.ReviewsOf(t.Context(), "p-1", from, to)
		if err != nil {
			t.Fatal(err)
		}
		return list
	}
	expect(t, "oldest first, from included", of(at, at.Add(2*time.Hour)), []reviews.Review{first, second})
	expect(t, "to excluded", of(at, second.At), []reviews.Review{first})
	if err := s.UndoReview(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	expect(t, "what is taken back uncovers the one before", last()["p-1"], first)
	for _, none := range []reviews.Review{second, {Patient: "p-1", By: "Tom", At: first.At}, {Patient: "p-1", By: "Léa", At: first.At.Add(1)}} {
		if err := s.UndoReview(t.Context(), none); !errors.Is(err, reviews.ErrNone) {
			t.Errorf("taking back a review that is not kept: %v", err)
		}
	}
	expect(t, "nobody else's is gone", last(), map[string]reviews.Review{"p-1": first, "p-2": other})
	if found, err := s.LastReviews(t.Context(), nil); err != nil || len(found) != 0 {
		t.Errorf("of nobody: %v, %v", found, err)
	}
}
