package influx

import (
	"net/http"
	"strconv"
	"strings"
)

// RefusedError is the server's answer to points that it will not take.
type RefusedError struct {
	Reason string // in our own words: the server's may repeat a line, a series or a value
	// Dropped is how many lines the server says it has dropped; -1 when it does
	// not say.
	Dropped int
	// Sure is true when the answer is about the points by what it says. Otherwise
	// the request may be at fault, unless other points are taken.
	Sure   bool
	Status int // of the answer
}

// Error says why InfluxDB refused.
func (e *RefusedError) Error() string { return "refused by InfluxDB: " + e.Reason }

// reasons are the words by which each generation says that an answer is about
// points, and what stands in our log and beside the point.
var reasons = []struct{ word, reason string }{
	{"max-values-per-tag", "its index is full: max-values-per-tag of InfluxDB 1.8; set it to 0, with index-version = \"tsi1\""},
	{"max-series-per-database", "its index is full: max-series-per-database of InfluxDB 1.8; set it to 0, with index-version = \"tsi1\""},
	{"field type conflict", "field type conflict: a field of this name has another type there"},
	{"invalid column type", "field type conflict: a field of this name has another type there"},
	{"beyond retention policy", "older than the retention policy of the bucket keeps"},
	{"outside retention policy", "older than the retention policy of the bucket keeps"},
	{"unable to parse", "unable to parse the point"},
	{"parsing for line protocol failed", "unable to parse the point, or a field of it has another type there"},
	{"partial write", "a partial write dropped the point"},
}

// refusalOf returns what an answer to a write says of its points; nil when it is
// about the request.
func refusalOf(s said) *RefusedError {
	if s.status == http.StatusRequestEntityTooLarge {
		return &RefusedError{Reason: "too large for the server, or for a proxy before it", Dropped: -1, Sure: true, Status: s.status}
	}
	if s.foreign {
		return nil
	}
	switch s.status {
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusInternalServerError:
	default:
		return nil
	}
	for _, known := range reasons {
		if strings.Contains(s.message, known.word) {
			return &RefusedError{Reason: known.reason, Dropped: droppedIn(s.message), Sure: true, Status: s.status}
		}
	}
	if s.status == http.StatusInternalServerError || faultOf(s, writing).Kind != Unclear {
		return nil
	}
	return &RefusedError{Reason: "refused alone, while others were taken (HTTP " + strconv.Itoa(s.status) + ")", Dropped: -1, Status: s.status}
}

// droppedIn reads the number that follows "dropped=".
func droppedIn(message string) int {
	_, count, ok := strings.Cut(message, "dropped=")
	if !ok {
		return -1
	}
	end := strings.IndexFunc(count, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		count = count[:end]
	}
	n, err := strconv.Atoi(count)
	if err != nil {
		return -1
	}
	return n
}
