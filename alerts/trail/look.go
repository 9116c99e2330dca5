package trail

import (
	"context"
	"time"

	"vigie/alerts/access"
)

// Look is the first time that a professional opened the record of a patient. The line of a
// list is no look: the patient would be told of everybody who works here.
type Look struct {
	Patient string        `json:"patient"`
	Account string        `json:"account"`
	Name    string        `json:"name"` // as acts were signed then
	Roles   []access.Role `json:"roles,omitempty"`
	At      time.Time     `json:"at"`
	Told    time.Time     `json:"told,omitzero"` // when the patient was told of it
	By      string        `json:"by,omitempty"`  // who told him; empty for his own page
}

// Looks keeps first looks. Every implementation passes the same contract tests
// (ingest/stores/storetest). Times are UTC.
type Looks interface {
	// AddLook keeps a look, unless that account has looked at that patient before.
	AddLook(ctx context.Context, look Look) error
	// LooksOf lists the first looks at a patient, newest first.
	LooksOf(ctx context.Context, patient string) ([]Look, error)
	// Untold lists the looks of which no patient was told, by patient, oldest first.
	Untold(ctx context.Context) ([]Look, error)
	// TellLooks notes that a patient was told of the looks up to an instant, included, by
	// somebody or, with an empty name, by his own page. It returns how many those were.
	TellLooks(ctx context.Context, patient string, upTo, told time.Time, by string) (int, error)
}
