package load

import (
	"fmt"
	"strconv"
	"time"
)

// writer writes the readings of one device as JSON, each with an id of its own.
// It is fast because the generator shares the machine with what it measures.
type writer struct {
	device string
	shape  *shape
	run    string // makes the ids of this run differ from those of another
	next   int64
	random uint64
	// spells is how many of 65,536 readings begin a spell of alarming ones, outside of
	// one; a spell has spell readings, and left are those still to come of this one.
	spells      uint64
	spell, left int
	alarmed     func(device string) // may be nil

	last   time.Time // that was given to a reading
	second int64     // whose text is in stamp
	stamp  []byte
}

// shape is one measure with the values that it is given.
type shape struct {
	measure    string
	unit       string
	context    string // JSON, with its comma
	components []spread
}

// spread is where the values of a component lie.
type spread struct {
	name     string
	from, to int // in tenths
	alarming int // in tenths
}

// shapes are the measures that load can be made of.
var shapes = map[string]*shape{
	"blood-pressure":    {"blood-pressure", "mmHg", "", []spread{{"systolic", 1110, 1290, 2310}, {"diastolic", 650, 790, 1190}, {"pulse", 600, 800, 700}}},
	"weight":            {"weight", "kg", "", []spread{{"value", 760, 764, 830}}},
	"heart-rate":        {"heart-rate", "/min", "", []spread{{"value", 620, 780, 1450}}},
	"oxygen-saturation": {"oxygen-saturation", "%", "", []spread{{"value", 960, 990, 850}}},
	"glucose":           {"glucose", "mg/dL", `"context":{"specimen":"interstitial"},`, []spread{{"value", 900, 1600, 450}}},
}

func newWriter(device, run, measure string, alarming float64, spell int) (*writer, error) {
	s, known := shapes[measure]
	if !known {
		return nil, fmt.Errorf("load cannot be made of %q: use blood-pressure, weight, heart-rate, oxygen-saturation or glucose", measure)
	}
	w := &writer{device: device, shape: s, run: run, spells: begins(alarming, spell), spell: spell, random: 88172645463325252}
	for _, c := range []byte(device + run) {
		w.random = (w.random ^ uint64(c)) * 1099511628211
	}
	return w, nil
}

// begins is how many of 65,536 readings have to begin a spell of alarming ones, where
// none is under way, for such a share of all to be alarming.
func begins(alarming float64, spell int) uint64 {
	// A spell and the quiet readings before it are spell + (1−p)/p readings.
	p := alarming / (float64(spell)*(1-alarming) + alarming)
	return uint64(p * 65536)
}

// alarms reports whether the next reading is alarming.
func (w *writer) alarms() bool {
	begun := w.draw()&0xffff < w.spells
	if w.left == 0 && begun {
		w.left = w.spell
	}
	if w.left == 0 {
		return false
	}
	w.left--
	if w.left == 0 && w.alarmed != nil {
		w.alarmed(w.device)
	}
	return true
}

// append appends the next reading, measured at that time, to the millisecond. No
// two readings are of the same time, so that no history takes them for one: a
// device that publishes more than a thousand a second is ahead of the clock.
func (w *writer) append(dst []byte, at time.Time) []byte {
	at = at.Truncate(time.Millisecond)
	if !at.After(w.last) {
		at = w.last.Add(time.Millisecond)
	}
	w.last = at
	dst = append(dst, `{"id":"`...)
	dst = w.appendID(dst)
	dst = append(dst, `","time":"`...)
	dst = w.appendTime(dst, at)
	dst = append(dst, `","measure":"`...)
	dst = append(dst, w.shape.measure...)
	dst = append(dst, `","values":{`...)
	alarming := w.alarms()
	for i, c := range w.shape.components {
		if i > 0 {
			dst = append(dst, ',')
		}
		tenths := c.from + int(w.draw()%uint64(c.to-c.from+1))
		if alarming {
			tenths = c.alarming
		}
		dst = append(dst, '"')
		dst = append(dst, c.name...)
		dst = append(dst, `":`...)
		dst = strconv.AppendInt(dst, int64(tenths/10), 10)
		if w.shape.measure == "weight" {
			dst = append(dst, '.', byte('0'+tenths%10))
		}
	}
	dst = append(dst, `},"unit":"`...)
	dst = append(dst, w.shape.unit...)
	dst = append(dst, `",`...)
	dst = append(dst, w.shape.context...)
	return append(dst, `"source":"device","battery":87}`...)
}

// appendID appends the id of the next reading: the run, then its number.
func (w *writer) appendID(dst []byte) []byte {
	dst = append(dst, w.run...)
	dst = append(dst, '-')
	dst = strconv.AppendInt(dst, w.next, 10)
	w.next++
	return dst
}

// appendTime writes milliseconds in UTC, and formats each second once.
func (w *writer) appendTime(dst []byte, at time.Time) []byte {
	if s := at.Unix(); s != w.second || w.stamp == nil {
		w.second = s
		w.stamp = at.UTC().AppendFormat(w.stamp[:0], "2006-01-02T15:04:05.")
	}
	ms := at.Nanosecond() / int(time.Millisecond)
	return append(append(dst, w.stamp...), byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z')
}

// draw is the next pseudo-random number (xorshift, Marsaglia 2003).
func (w *writer) draw() uint64 {
	w.random ^= w.random << 13
	w.random ^= w.random >> 7
	w.random ^= w.random << 17
	return w.random
}
