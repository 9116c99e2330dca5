package workspace

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"vigie/ingest/registry"
)

// paperRow is an enrolment that waits for a physician: to be validated, or renewed.
type paperRow struct {
	Who, Said, Link string
	until           time.Time
	proposed        bool
}

// paperwork lists the enrolments of the teams of who asks that are proposed, or whose
// prescription ends within 30 days and that nothing renews: proposals first, then the
// soonest end.
func (w *Workspace) paperwork(ctx context.Context, v view, team string) (rows []paperRow, err error) {
	if _, served := w.needs["GET /enrolments/{id}"]; !served {
		return nil, nil
	}
	faces, err := w.records.roll.All(ctx)
	if err != nil {
		return nil, err
	}
	for f := range faces {
		var waiting []paperRow
		for j := range f.Followed {
			if e := &f.Followed[j]; team == "" || e.Team == team {
				waiting = append(waiting, v.paper(f, e)...)
			}
		}
		if len(waiting) == 0 || !w.records.knows(ctx, f) {
			continue
		}
		saw(ctx, f.Patient)
		for _, row := range waiting {
			row.Who = f.BirthName + " " + f.FirstGiven
			rows = append(rows, row)
		}
	}
	slices.SortStableFunc(rows, func(a, b paperRow) int {
		if a.proposed != b.proposed {
			if a.proposed {
				return -1
			}
			return 1
		}
		if c := a.until.Compare(b.until); c != 0 {
			return c
		}
		return strings.Compare(a.Who, b.Who)
	})
	return rows, nil
}

// paper says what an enrolment waits for; nothing for most.
func (v view) paper(f *registry.Face, e *registry.Followed) []paperRow {
	row := paperRow{Link: "/enrolments/" + url.PathEscape(e.Enrolment), until: e.Until, proposed: e.Proposed}
	switch {
	case e.Withdrawn, !e.Until.IsZero() && !v.now.Before(e.Until):
		return nil
	case e.Proposed:
		row.Said = v.T("state.proposed")
	case e.Until.IsZero(), v.now.Before(e.From), e.Until.Sub(v.now) >= soonEnds, e.RenewedAmong(f.Followed):
		return nil
	default:
		zone, err := time.LoadLocation(e.Zone)
		if err != nil {
			zone = time.UTC
		}
		row.Said = v.T("paper.renew") + " " + date(v.Language, registry.LastDay(e.Until, zone), v.now)
	}
	return []paperRow{row}
}
