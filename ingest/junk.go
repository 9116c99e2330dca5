package ingest

import (
	"time"

	"vigie/protocols"
)

// junk counts what a device sends in which neither a time nor a value can be read. Of each
// device and day in UTC, a quota of it is set aside, to be looked at; what comes beyond is
// counted and not kept, so that one broken device does not fill the disk. All devices that
// are not registered share one quota. Whatever has a time or a value is always kept.
type junk struct {
	day            int64 // since 1970
	records, bytes int
	told           bool // its team, of the first that was not kept
}

// over reports whether one more of a size is beyond the quota of a day.
func (j junk) over(limits *Limits, bytes int) bool {
	return j.records >= limits.JunkRecords || j.bytes+bytes > limits.JunkBytes
}

// isJunk reports whether nothing could be read of what was refused.
func isJunk(r *protocols.Reading) bool {
	if !r.Time.IsZero() {
		return false
	}
	for _, v := range r.Values {
		if v != protocols.Missing {
			return false
		}
	}
	return true
}

// junkOf is under which name the junk of a device is counted.
func junkOf(d *device) string {
	if !d.registered {
		return ""
	}
	return d.name
}

// spare returns the places of the records that are kept, and finds the devices that have sent too much junk.
func (c *committer) spare() (places []int) {
	w := &c.work
	w.junk = map[string]junk{}
	places = make([]int, 0, len(w.records))
	day := w.now.Unix() / int64(24*time.Hour/time.Second)
	dropped := 0
	for i := range w.records {
		r := &w.records[i]
		if !isJunk(w.refusals[i].reading) {
			places = append(places, i)
			continue
		}
		device := w.refusals[i].device
		name := junkOf(device)
		sum, met := w.junk[name]
		if !met {
			if sum = c.junk[name]; sum.day != day {
				sum = junk{day: day}
			}
		}
		if sum.over(&c.config.Limits, len(r.Payload)) {
			dropped++
			if device.registered && !sum.told {
				sum.told = true
				c.add(c.finding(protocols.Raised, RuleJunk, device, device.civilDay(w.now), w.now, w.now))
			}
		} else {
			sum.records, sum.bytes = sum.records+1, sum.bytes+len(r.Payload)
			places = append(places, i)
		}
		w.junk[name] = sum
	}
	w.counted = dropped
	return places
}

// tallied remembers the junk of a transaction that was committed.
func (c *committer) tallied() {
	if len(c.work.junk) > 0 && c.junk == nil {
		c.junk = map[string]junk{}
	}
	for name, sum := range c.work.junk {
		for other, former := range c.junk { // a device that has stopped is forgotten
			if former.day < sum.day {
				delete(c.junk, other)
			}
		}
		c.junk[name] = sum
	}
}
