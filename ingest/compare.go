package ingest

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"time"

	"vigie/protocols"
)

// Compared is a day on which the store and InfluxDB do not hold the same readings.
type Compared struct {
	Day       time.Time // its beginning, in UTC
	Store     int       // readings that the store holds, or has forgotten with a proof
	Influx    int       // readings that InfluxDB holds
	Missing   int       // readings that InfluxDB lacks
	Foreign   int       // readings that the store neither holds nor has forgotten
	Different int       // readings that both hold, and that are not the same
}

func (c *Compared) same() bool { return c.Missing+c.Foreign+c.Different == 0 }

// Compare compares what a store and InfluxDB hold of a patient in [from, to), reading
// by reading, and adds the days on which they differ. Of what the store has forgotten
// it compares the sums.
func Compare(ctx context.Context, store Remembering, there History, patient string, from, to time.Time, into map[time.Time]*Compared) error {
	forgotten, err := store.Forgotten(ctx, patient, nil, from, to)
	if err != nil {
		return fmt.Errorf("see what the store has forgotten: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var failed [2]error
	ours, stopOurs := iter.Pull(readingsOf(ctx, store, patient, from, to, &failed[0]))
	defer stopOurs()
	theirs, stopTheirs := iter.Pull(readingsOf(ctx, there, patient, from, to, &failed[1]))
	defer stopTheirs()

	c := comparison{days: map[time.Time]*Compared{}, left: map[measureDay]Sum{}}
	for _, d := range forgotten.Days {
		if !d.Day.Before(from) && !d.Day.Add(24*time.Hour).After(to) {
			c.left[measureDay{d.Measure.Ordinal(), d.Day.Unix()}] = d.Sum
		}
	}
	c.merge(ours, theirs)
	if err := cmp.Or(failed[0], failed[1]); err != nil {
		return err
	}
	c.forgotten()
	for day, found := range c.days {
		if found.same() {
			continue
		}
		if into[day] == nil {
			into[day] = &Compared{Day: day}
		}
		total := into[day]
		total.Store, total.Influx = total.Store+found.Store, total.Influx+found.Influx
		total.Missing, total.Foreign, total.Different = total.Missing+found.Missing, total.Foreign+found.Foreign, total.Different+found.Different
	}
	return nil
}

func readingsOf(ctx context.Context, h History, patient string, from, to time.Time, failed *error) iter.Seq[*protocols.Reading] {
	return func(yield func(*protocols.Reading) bool) {
		more := true
		next, finish := Pointed(func(r *protocols.Reading) bool { // what is struck out is no reading, there as here
			more = r.Struck || yield(r)
			return more
		})
		if *failed = h.History(ctx, patient, nil, from, to, next); more {
			finish()
		}
	}
}

// comparison goes along two histories at once.
type comparison struct {
	days  map[time.Time]*Compared
	left  map[measureDay]Sum // of what was forgotten, as it was proven
	found map[measureDay]Sum // of what InfluxDB holds of those days, beside what the store holds
}

func (c *comparison) day(r *protocols.Reading) *Compared {
	day := DayOf(r.Time)
	if c.days[day] == nil {
		c.days[day] = &Compared{Day: day}
	}
	return c.days[day]
}

// merge pairs readings of one device, id, measure and moment. Both histories are in
// canonical order.
func (c *comparison) merge(ours, theirs func() (*protocols.Reading, bool)) {
	c.found = map[measureDay]Sum{}
	mine, more := moments(ours)
	other, others := moments(theirs)
	for len(mine) > 0 || len(other) > 0 {
		switch {
		case len(other) == 0 || len(mine) > 0 && before(mine[0], other[0]):
			for _, r := range mine {
				c.day(r).Store++
				c.day(r).Missing++
			}
			mine = more()
		case len(mine) == 0 || before(other[0], mine[0]):
			for _, r := range other {
				c.alone(r)
			}
			other = others()
		default:
			c.pair(mine, other)
			mine, other = more(), others()
		}
	}
}

// before is the order of readings up to their id.
func before(a, b *protocols.Reading) bool { return a.Before(b) }

// moments groups readings of one time, device and id: those of several measures.
func moments(next func() (*protocols.Reading, bool)) (first []*protocols.Reading, more func() []*protocols.Reading) {
	ahead, ok := next()
	more = func() (group []*protocols.Reading) {
		for ok && (len(group) == 0 || !group[0].Before(ahead)) {
			group = append(group, ahead)
			ahead, ok = next()
		}
		return group
	}
	return more(), more
}

func (c *comparison) pair(mine, other []*protocols.Reading) {
	for _, r := range mine {
		day := c.day(r)
		day.Store++
		i := slices.IndexFunc(other, func(o *protocols.Reading) bool { return o.Measure == r.Measure })
		if i < 0 {
			day.Missing++
			continue
		}
		day.Influx++
		if SumOf([]*protocols.Reading{r}) != SumOf(other[i:i+1]) {
			day.Different++
		}
		other = slices.Delete(slices.Clone(other), i, i+1)
	}
	for _, r := range other {
		c.alone(r)
	}
}

// alone notes a reading that InfluxDB alone holds.
func (c *comparison) alone(r *protocols.Reading) {
	day := c.day(r)
	day.Influx++
	at := measureDayOf(r)
	if _, forgotten := c.left[at]; !forgotten {
		day.Foreign++
		return
	}
	sum := c.found[at]
	sum.Add(r)
	c.found[at] = sum
}

// forgotten holds the sums of what was forgotten against those that were found.
func (c *comparison) forgotten() {
	for at, want := range c.left {
		day := time.Unix(at.day, 0).UTC()
		if c.days[day] == nil {
			c.days[day] = &Compared{Day: day}
		}
		got := c.found[at]
		c.days[day].Store += want.Readings
		switch {
		case got == want:
		case got.Readings < want.Readings:
			c.days[day].Missing += want.Readings - got.Readings
		case got.Readings > want.Readings:
			c.days[day].Foreign += got.Readings - want.Readings
		default:
			c.days[day].Different++
		}
	}
}
