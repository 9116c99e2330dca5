package sqlite

import (
	"testing"

	"vigie/alerts/access"
	"vigie/ingest/stores/storetest"
)

func TestAccessContract(t *testing.T) {
	storetest.RunAccess(t, func(t *testing.T) access.Store {
		return open(t, newFile(t), Options{}).Access()
	})
}

func TestReviewsContract(t *testing.T) {
	storetest.RunReviews(t, open(t, newFile(t), Options{}))
}
