package workspace

import (
	"context"
	"strings"

	"vigie/alerts"
	"vigie/alerts/reviews"
)

// rowKey names the row of an alert: its person, or itself where there is none.
func rowKey(a *alerts.Alert) string {
	if whose := a.Whose(); whose != "" {
		return "p." + whose
	}
	return "a." + a.ID
}

func (w *Workspace) deskRow(ctx context.Context, v view, a *alerts.Alert, beside []*alerts.Alert, reviewed reviews.Review, q deskQuery) (deskRow, error) {
	saw(ctx, a.Patient)
	v.team = a.Team
	who, err := w.subject(ctx, v, a)
	if err != nil {
		return deskRow{}, err
	}
	row := deskRow{
		Key: rowKey(a), Level: a.Level, Link: alertAddress(a.ID, q.with("", "")), Person: who, Title: v.heading(a), Over: !a.Active, TooLate: a.TooLate,
		Due: v.Stamp(a.Deadline(), a.Team), Escalate: !a.EscalatedAt.IsZero(), Others: v.others(a, beside),
	}
	row.Waiting = v.waiting(a)
	row.Holder = v.holder(a)
	if !reviewed.At.IsZero() {
		row.Reviewed = v.T("review.row") + " " + ago(v.Language, reviewed.At, v.now) + ", " + reviewed.By
	}
	row.Say = v.LevelName(a.Level) + ", " + who.Name + ", " + row.Title
	full, err := w.records.alert(ctx, a.ID)
	if err != nil {
		return deskRow{}, err
	}
	row.Reason = v.Sentence(AlertRow{Alert: *a})
	if full.Explanation != nil {
		if row.Reason == "" {
			row.Reason = v.reason(decisive(full))
		}
		w.course(ctx, v, &row, full)
	}
	return row, nil
}

// waiting says in place of a deadline why there is none.
func (v view) waiting(a *alerts.Alert) string {
	switch {
	case !a.PausedUntil.IsZero():
		return v.T("life.paused") + " " + v.Stamp(a.PausedUntil, a.Team).Clock
	case a.State == alerts.Resolved:
		return v.OutcomeText(a.Outcome)
	case a.ToReread():
		return v.T("desk.reread")
	case a.Deadline().IsZero():
		return v.T("no-answer")
	}
	return ""
}

// holder says who has an alert in hand.
func (v view) holder(a *alerts.Alert) string {
	switch {
	case a.State == alerts.Resolved:
		return a.ResolvedBy + ", " + v.Stamp(a.ResolvedAt, a.Team).Clock
	case a.State == alerts.Acknowledged:
		return a.AcknowledgedBy + ", " + v.Stamp(a.AcknowledgedAt, a.Team).Clock
	case !a.EscalatedAt.IsZero():
		return v.T("desk.told") + " " + v.Stamp(a.EscalatedAt, a.Team).Clock
	}
	return v.T("desk.nobody")
}

// others names what else a patient has, the gravest first.
func (v view) others(a *alerts.Alert, all []*alerts.Alert) string {
	var titles []string
	count := 0
	for i := range all {
		if all[i].ID == a.ID {
			continue
		}
		if count++; count <= 2 {
			titles = append(titles, v.heading(all[i]))
		}
	}
	if count == 0 {
		return ""
	}
	text := "+" + whole(v.Language, count) + v.T("colon") + strings.Join(titles, " · ")
	if count > 2 {
		text += "…"
	}
	return text
}
