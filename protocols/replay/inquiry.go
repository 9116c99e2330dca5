package replay

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"vigie/protocols"
)

// inquiry holds the alerts of patients against what happened to them.
type inquiry struct {
	watched  []Watched
	happened map[string][]Event // by patient
	names    []string           // kinds of event, in order
	busy     map[string][]int   // by patient: of the days before each day, those that were not quiet
}

func newInquiry(o *Outcome, events []Event, kinds func(string) bool) *inquiry {
	c := &inquiry{watched: o.Watched, happened: map[string][]Event{}, busy: map[string][]int{}}
	for _, e := range events {
		if !kinds(e.Kind) {
			continue
		}
		c.happened[e.Patient] = append(c.happened[e.Patient], e)
		if !slices.Contains(c.names, e.Kind) {
			c.names = append(c.names, e.Kind)
		}
	}
	slices.Sort(c.names)
	for _, w := range o.Watched {
		c.busy[w.Patient] = w.upTo(func(from, to time.Time) bool {
			paused := slices.ContainsFunc(w.Pauses, func(p protocols.Pause) bool { return p.From.Before(to) && p.Until.After(from) })
			return paused || slices.ContainsFunc(c.happened[w.Patient], func(e Event) bool { return e.Began.Before(to) && !e.Over.Before(from) })
		})
	}
	return c
}

// upTo counts, for each day of a patient and for the end, the days before it that fit.
func (w *Watched) upTo(fits func(from, to time.Time) bool) []int {
	days := int(w.Span.Days())
	counts := make([]int, days+1)
	for d := range days {
		counts[d+1] = counts[d]
		from := w.Span.From.Add(time.Duration(d) * 24 * time.Hour)
		if fits(from, from.Add(24*time.Hour)) {
			counts[d+1]++
		}
	}
	return counts
}

// falseAmong counts the rows whose first ring is about no event. What happens in hospital,
// in recovery or during a pause is about none.
func (c *inquiry) falseAmong(rows []Alert) int {
	count := 0
	for i := range rows {
		t := rows[i].Time
		if !slices.ContainsFunc(c.happened[rows[i].Patient], func(e Event) bool { return !t.Before(e.Began) && !t.After(e.Useful) }) {
			count++
		}
	}
	return count
}

// heard are the moments at which the alerts of a patient rang at a level.
type heard struct {
	moments map[string][]time.Time
	upTo    map[string][]int  // by patient: of the days before each day, those on which one rang
	quiet   map[int]quiet     // by length in days
	grave   map[string][]Span // by patient: while an alert at orange or red held
}

// quiet is what rings in the quiet stretches of one length.
type quiet struct {
	stretches int
	rang      int   // of them
	first     []int // of those that rang, by the day of the first ring, from 0
}

func (c *inquiry) heardAt(alerts []Alert, level protocols.Level) *heard {
	h := &heard{moments: map[string][]time.Time{}, upTo: map[string][]int{}, quiet: map[int]quiet{}, grave: map[string][]Span{}}
	for i := range alerts {
		if a := &alerts[i]; a.Level >= max(level, protocols.Orange) {
			h.grave[a.Patient] = append(h.grave[a.Patient], Span{a.Time, a.over})
		}
		h.moments[alerts[i].Patient] = append(h.moments[alerts[i].Patient], alerts[i].rings(level)...)
	}
	for _, moments := range h.moments {
		slices.SortFunc(moments, time.Time.Compare)
	}
	for _, w := range c.watched {
		own := h.moments[w.Patient]
		h.upTo[w.Patient] = w.upTo(func(from, to time.Time) bool {
			at, rang := firstIn(own, from, to)
			return rang && at.Before(to)
		})
	}
	return h
}

// kinds scores every kind of event, and its groups where they are asked for.
func (c *inquiry) kinds(alerts []Alert, level protocols.Level, parted bool) (list []Caught) {
	h := c.heardAt(alerts, level)
	for _, kind := range c.names {
		all := c.of(kind, "")
		whole := c.caught(kind, "", all, h)
		groups := map[string]bool{}
		for _, e := range all {
			for _, group := range e.Groups {
				groups[group] = parted
			}
		}
		for _, group := range slices.Sorted(maps.Keys(groups)) {
			if groups[group] {
				whole.Groups = append(whole.Groups, c.caught(kind, group, c.of(kind, group), h))
			}
		}
		list = append(list, whole)
	}
	return list
}

// of lists the events of a kind, or of one group of it.
func (c *inquiry) of(kind, group string) (events []Event) {
	for _, w := range c.watched {
		for _, e := range c.happened[w.Patient] {
			if e.Kind == kind && (group == "" || slices.Contains(e.Groups, group)) {
				events = append(events, e)
			}
		}
	}
	return events
}

func (c *inquiry) caught(kind, group string, events []Event, h *heard) Caught {
	found := Caught{Kind: kind, Group: group, Events: len(events)}
	var warnings []time.Duration
	var lucky []weighed
	for _, e := range events {
		stands := e.Standing && slices.ContainsFunc(h.grave[e.Patient], func(s Span) bool { return s.Holds(e.Began) })
		t, rang := firstIn(h.moments[e.Patient], e.Began, e.Useful)
		if rang {
			warnings = append(warnings, e.At.Sub(t))
		}
		if rang || stands {
			found.Caught++
		}
		if stands || rang && !t.After(e.InTime) {
			found.InTime++
		}
		calm := c.chance(h, e.Useful.Sub(e.Began))
		found.Chance += calm.share() / float64(len(events))
		found.ChanceInTime += c.chance(h, e.InTime.Sub(e.Began)).share() / float64(len(events))
		lucky = calm.warnings(e.At.Sub(e.Began), lucky)
	}
	found.Sensitivity, found.Likely = share(found.Caught, found.Events), interval(found.Caught, found.Events)
	found.InTimeShare, found.InTimeLikely = share(found.InTime, found.Events), interval(found.InTime, found.Events)
	found.Warning = median(warnings).Hours() / 24
	found.WarningLikely = medianInterval(warnings)
	found.ChanceWarning = weighedMedian(lucky)
	return found
}

// chance is what rings in the quiet stretches of all patients, one beginning each day and
// so long in whole days. Nothing does in a stretch that has no length.
func (c *inquiry) chance(h *heard, length time.Duration) quiet {
	if length <= 0 {
		return quiet{}
	}
	days := max(1, int((length+12*time.Hour)/(24*time.Hour)))
	if known, ok := h.quiet[days]; ok {
		return known
	}
	found := quiet{first: make([]int, days)}
	for _, w := range c.watched {
		busy, ringing := c.busy[w.Patient], h.upTo[w.Patient]
		next := len(ringing) // the first day from d on that rings
		for d := len(busy) - 2; d >= 0; d-- {
			if ringing[d+1] > ringing[d] {
				next = d
			}
			if d+days >= len(busy) || busy[d+days] > busy[d] {
				continue
			}
			found.stretches++
			if next < d+days {
				found.rang++
				found.first[next-d]++
			}
		}
	}
	h.quiet[days] = found
	return found
}

// share is that of the stretches that rang, in per cent.
func (q quiet) share() float64 { return share(q.rang, q.stretches) }

// weighed is a number of days that so large a part of something has.
type weighed struct{ days, weight float64 }

// warnings adds how long before an event so far from the beginning of a stretch it would
// have rung by chance. A ring counts from the middle of its day.
func (q quiet) warnings(after time.Duration, list []weighed) []weighed {
	for day, n := range q.first {
		if n > 0 {
			list = append(list, weighed{after.Hours()/24 - float64(day) - 0.5, float64(n) / float64(q.stretches)})
		}
	}
	return list
}

func weighedMedian(list []weighed) float64 {
	slices.SortFunc(list, func(a, b weighed) int { return cmp.Compare(a.days, b.days) })
	whole := 0.0
	for _, w := range list {
		whole += w.weight
	}
	sum := 0.0
	for _, w := range list {
		if sum += w.weight; 2*sum >= whole {
			return w.days
		}
	}
	return 0
}

// firstIn returns the first of times in [from, to]; times are in order.
func firstIn(times []time.Time, from, to time.Time) (time.Time, bool) {
	i, _ := slices.BinarySearchFunc(times, from, time.Time.Compare)
	if i < len(times) && !times[i].After(to) {
		return times[i], true
	}
	return time.Time{}, false
}

func share(part, whole int) float64 {
	if whole == 0 {
		return 0
	}
	return 100 * float64(part) / float64(whole)
}

func median[T cmp.Ordered](values []T) T {
	if len(values) == 0 {
		var none T
		return none
	}
	slices.Sort(values)
	return values[len(values)/2]
}
