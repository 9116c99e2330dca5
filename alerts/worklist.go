package alerts

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// Deadline is when somebody is expected to act on an alert; zero for never.
func (a *Alert) Deadline() time.Time {
	switch {
	case a.State == Open:
		return a.AnswerBy
	case a.State == Acknowledged && !a.SnoozedUntil.IsZero():
		return soonest(a.SnoozedUntil, a.CallBackAt)
	case a.State == Acknowledged:
		return soonest(a.FollowUpBy, a.CallBackAt)
	}
	return time.Time{}
}

// ToReread reports whether an alert is news of the past alone: it is over and was
// found too late. An alert that is over and was not answered is no such thing, and
// neither is one for which somebody is waited for.
func (a *Alert) ToReread() bool {
	return a.State == Open && a.TooLate && !a.Active && a.AnswerBy.IsZero()
}

// aside reports whether an alert stands behind all others: only to be read, or put
// aside by a person, and no call is due that was promised meanwhile.
func (a *Alert) aside() bool { return a.ToReread() || !a.SnoozedUntil.IsZero() && !a.Reminded }

// byDue orders a worklist as a nurse recites it: what is put aside last; then the
// level, what still holds before what has ended, what is due first, the oldest
// measurement.
func byDue(a, b *Alert) int {
	first := func(a bool) int {
		if a {
			return 0
		}
		return 1
	}
	due := func(a *Alert) time.Time {
		if at := a.Deadline(); !at.IsZero() {
			return at
		}
		return time.Unix(1<<40, 0)
	}
	return cmp.Or(
		-cmp.Compare(first(a.aside()), first(b.aside())),
		-cmp.Compare(a.Level, b.Level),
		cmp.Compare(first(a.Active), first(b.Active)),
		due(a).Compare(due(b)),
		a.At.Compare(b.At),
		cmp.Compare(a.ID, b.ID),
	)
}

// ByDue puts alerts in the order in which they are to be worked on.
func ByDue(list []Alert) {
	slices.SortFunc(list, func(a, b Alert) int { return byDue(&a, &b) })
}

// PatientRow is a patient in a worklist, with his alerts in the order of ByDue. What
// no patient has, such as a device that nobody is enrolled with, has a row each.
type PatientRow struct {
	Patient string  `json:"patient,omitempty"`
	Alerts  []Alert `json:"alerts"`
}

// ByPatient groups alerts that are in the order of ByDue: each person stands where
// the first of his alerts does, those of all his records together.
func ByPatient(list []Alert) []PatientRow {
	rows := []PatientRow{}
	place := map[string]int{}
	for _, a := range list {
		whose := a.Whose()
		if at, known := place[whose]; known && whose != "" {
			rows[at].Alerts = append(rows[at].Alerts, a)
			continue
		}
		place[whose] = len(rows)
		rows = append(rows, PatientRow{Patient: whose, Alerts: []Alert{a}})
	}
	return rows
}

// Unresolved reads all alerts that a filter names and nobody has resolved, in the order
// of ByDue. read is Store.Alerts, or what stands before it.
func Unresolved(ctx context.Context, read func(context.Context, Filter) ([]Alert, error), filter Filter) ([]Alert, error) {
	states := slices.DeleteFunc(slices.Clone(filter.States), func(s State) bool { return s == Resolved })
	if len(states) == 0 {
		states = []State{Open, Acknowledged}
	}
	filter.States, filter.Limit, filter.Newest, filter.After = states, MaxLimit, false, ""
	all := []Alert{}
	for {
		list, err := read(ctx, filter)
		if err != nil {
			return nil, err
		}
		all = append(all, list...)
		if len(list) < MaxLimit {
			ByDue(all)
			return all, nil
		}
		filter.After = After(&list[len(list)-1]).String()
	}
}
