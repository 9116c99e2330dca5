package registry

import (
	"context"
	"errors"
	"fmt"
	"time"

	"vigie/protocols/document"
)

// WithdrawNow gives a consent that a document withdraws today, by its date, the hour:
// now, where the patient lives. A date alone would begin that day, and what the patient
// measured this morning, with consent, would have been taken without it. The hour that
// the registry already has of that day stays, so the same import again changes nothing.
// The withdrawal of another day begins at midnight.
func WithdrawNow(ctx context.Context, doc *document.Node, reg *Registry, known Known, now time.Time) error {
	for i := range reg.Enrolments {
		e := &reg.Enrolments[i]
		zone, err := time.LoadLocation(e.Zone)
		if err != nil {
			continue // Check has said so
		}
		typed := text(doc.Find(fmt.Sprintf("enrolments[%d].consent.withdrawn", i)).Node)
		day, err := time.ParseInLocation(time.DateOnly, typed, zone)
		if err != nil {
			continue // not withdrawn, or at an instant
		}
		former, err := known.Enrolment(ctx, e.ID)
		switch {
		case err == nil && day.Equal(startOfDay(former.Consent.Withdrawn.In(zone))):
			e.Consent.Withdrawn = former.Consent.Withdrawn
		case err != nil && !errors.Is(err, ErrNotFound):
			return fmt.Errorf("see since when the consent of enrolment %s is withdrawn: %w", e.ID, err)
		case day.Equal(startOfDay(now.In(zone))):
			e.Consent.Withdrawn = now.UTC().Truncate(time.Second)
		}
	}
	return nil
}
