package scenario

import (
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigie/seeds/devices"
)

// forget leaves out four days in ten.
func forget(c *course) {
	forgotten := make([]bool, c.truth.Days)
	for d := range forgotten {
		if forgotten[d] = c.IntN(10) < 4; forgotten[d] {
			from, to := c.span(d, d+1)
			c.truth.Deeds = append(c.truth.Deeds, Deed{What: "nothing measured", From: from, To: to})
		}
	}
	c.sent = slices.DeleteFunc(c.sent, func(m message) bool {
		d := c.day(m.at)
		return d >= 0 && d < len(forgotten) && forgotten[d]
	})
}

// goAway keeps ten days in the devices, which send them when they are home again.
func goAway(c *course) {
	from, to := c.span(7, 17)
	back := to.Add(18 * time.Hour)
	deed := Deed{What: "away, sent on return", From: from, To: to}
	for i := range c.sent {
		if m := &c.sent[i]; !m.at.Before(from) && m.at.Before(to) {
			deed.Of = append(deed.Of, m.reading.ID)
			m.at = back.Add(time.Duration(len(deed.Of)) * 200 * time.Millisecond)
		}
	}
	c.truth.Deeds = append(c.truth.Deeds, deed)
}

// swap has another scale weigh from the tenth day on.
func swap(c *course) {
	from, _ := c.span(10, 11)
	for i := range c.sent {
		if m := &c.sent[i]; m.reading.Measure == "weight" && !m.at.Before(from) {
			m.device += "-new"
		}
	}
	c.truth.Deeds = append(c.truth.Deeds, Deed{What: "another scale", From: from, To: c.patient.To})
}

// somebodyElse is the deed by which a reading is not the patient's.
const somebodyElse = "somebody else on the scale"

// share has a person who weighs 15 to 25 kg more step on the scale, one morning in three.
func share(c *course) {
	more := 15 + 10*c.Float64()
	deed := Deed{What: somebodyElse, From: c.patient.From, To: c.patient.To}
	for _, m := range c.sent {
		if m.reading.Measure != "weight" || c.IntN(3) > 0 {
			continue
		}
		other := m
		other.at = m.at.Add(3 * time.Minute)
		at, err := time.Parse(time.RFC3339Nano, m.reading.Time)
		if err != nil {
			continue // a day of which the hour is not known
		}
		other.reading.ID += "-other"
		other.reading.Time = at.Add(3 * time.Minute).Format(time.RFC3339Nano)
		tenths := int(10 * (m.reading.Values["value"].Number + more + c.Float64() - 0.5))
		other.reading.Values = map[string]devices.Given{"value": {Number: float64(tenths) / 10}}
		deed.Of = append(deed.Of, other.reading.ID)
		c.sent = append(c.sent, other)
	}
	c.truth.Deeds = append(c.truth.Deeds, deed)
}

// rubbish are messages that are no reading. AT is a moment.
var rubbish = []string{
	``, `{`, `[]`, `null`, `true`, "\x00\xff", `{"id":"r-1"}`, strings.Repeat("[", 500),
	`{"id":"r-2","time":"AT","measure":"weight","values":{"value":82.1,"value":28.1},"unit":"kg"}`,
	`{"id":"r-3","time":"AT","measure":"weight","values":{"value":"NaN"},"unit":"kg"}`,
	`{"id":"r-4","time":"AT","measure":"weight","values":{"value":1e400},"unit":"kg"}`,
	`{"id":"r-5","time":"AT","measure":"weight","values":{"value":82.1}}`,
	`{"id":"r-6","time":"AT","measure":"weight","values":{"value":82.1},"unit":"stone of some kind"}`,
	`{"id":"r-7","time":"yesterday","measure":"weight","values":{"value":82.1},"unit":"kg"}`,
	`{"id":"r-8","time":"AT","measure":"love","values":{"value":82.1},"unit":"kg"}`,
	`{"id":"r-9","time":"AT","measure":"weight","values":{"value":-82.1},"unit":"kg"}`,
}

// attack adds every piece of rubbish twice a week.
func attack(c *course) {
	first := c.sent[0].device
	for d := 0; d < c.truth.Days; d += 3 {
		from, to := c.span(d, d+1)
		for i, text := range rubbish {
			at := from.Add(time.Duration(i) * 7 * time.Minute)
			text = strings.Replace(text, "AT", at.UTC().Format(time.RFC3339), 1)
			if text == "" {
				text = " "
			}
			c.sent = append(c.sent, message{at: at, device: first, raw: text})
		}
		c.truth.Deeds = append(c.truth.Deeds, Deed{What: strconv.Itoa(len(rubbish)) + " messages that are no reading", From: from, To: to})
	}
}

// storm sends each message two to five times, hours late and in any order, as devices do
// whose connection breaks again and again.
func storm(c *course) {
	for _, m := range c.sent {
		for range 1 + c.IntN(4) {
			again := m
			again.at = m.at.Add(time.Duration(c.IntN(6*3600)) * time.Second)
			c.sent = append(c.sent, again)
		}
	}
	c.truth.Deeds = append(c.truth.Deeds, Deed{What: "each message two to five times", From: c.patient.From, To: c.patient.To})
}

// cuts are the ways in which a connection breaks.
var cuts = []devices.Cut{devices.Within, devices.After}

// patchy has the network away for one to eight hours of each day. What was measured then
// comes when it is back; the first message breaks its connection, and comes again.
func patchy(c *course) {
	for d := range c.truth.Days {
		from, _ := c.span(d, d+1)
		from = from.Add(time.Duration(4+c.IntN(6)) * time.Hour)
		back := from.Add(time.Duration(1+c.IntN(8)) * time.Hour)
		deed := Deed{What: "no network", From: from, To: back}
		for i := range c.sent {
			m := &c.sent[i]
			if m.at.Before(from) || !m.at.Before(back) {
				continue
			}
			m.at = back.Add(time.Duration(len(deed.Of)) * 200 * time.Millisecond)
			if len(deed.Of) == 0 {
				m.cut = cuts[c.IntN(len(cuts))]
				again := *m
				again.at, again.cut, again.again = m.at.Add(5*time.Second), devices.NoCut, true
				c.sent = append(c.sent, again)
			}
			deed.Of = append(deed.Of, m.reading.ID)
		}
		if len(deed.Of) > 0 {
			c.truth.Deeds = append(c.truth.Deeds, deed)
		}
	}
}

// retime writes another time into the readings of a kind; it returns their ids.
func (c *course) retime(measure string, from time.Time, to func(time.Time) string) (of []string) {
	for i := range c.sent {
		m := &c.sent[i]
		at, err := time.Parse(time.RFC3339Nano, m.reading.Time)
		if err != nil || m.reading.Measure != measure || at.Before(from) {
			continue // a day of which the hour is not known has none to be wrong
		}
		m.reading.Time = to(at)
		of = append(of, m.reading.ID)
	}
	return of
}

// lost is what the clock of a device loses in a day.
const lost = 90 * time.Second

// drift has the clock of the scale lose time. It is set every fifteen days.
func drift(c *course) {
	of := c.retime("weight", c.patient.From, func(at time.Time) string {
		since := at.Sub(c.patient.From) % (15 * 24 * time.Hour)
		return at.Add(-time.Duration(since.Hours() / 24 * float64(lost))).Truncate(time.Second).Format(time.RFC3339)
	})
	c.truth.Deeds = append(c.truth.Deeds, Deed{What: "the clock loses 90 s a day", From: c.patient.From, To: c.patient.To, Of: of})
}

// elsewhere has the scale, from the tenth day on, show the right time of day with the
// offset of a zone an hour further east: each reading seems an hour old.
func elsewhere(c *course) {
	from, _ := c.span(10, 11)
	of := c.retime("weight", from, func(at time.Time) string {
		_, offset := at.In(c.patient.Zone).Zone()
		return at.Add(-time.Hour).In(time.FixedZone("", offset+3600)).Format(time.RFC3339)
	})
	c.truth.Deeds = append(c.truth.Deeds, Deed{What: "the clock is in another zone", From: from, To: c.patient.To, Of: of})
}

// runDown has the battery of the scale fall to nothing, and be changed three days later.
func runDown(c *course) {
	empty, changed := c.span(14, 17)
	whole := empty.Sub(c.patient.From)
	deed := Deed{What: "the battery is empty", From: empty, To: changed}
	c.sent = slices.DeleteFunc(c.sent, func(m message) bool {
		return m.reading.Measure == "weight" && !m.at.Before(empty) && m.at.Before(changed)
	})
	for i := range c.sent {
		m := &c.sent[i]
		if m.reading.Measure != "weight" {
			continue
		}
		m.reading.Battery = 100
		if m.at.Before(empty) {
			m.reading.Battery = max(1, int(60*(1-float64(m.at.Sub(c.patient.From))/float64(whole))))
		}
	}
	c.truth.Deeds = append(c.truth.Deeds, deed)
}

// disturb has one weighing in twenty be taken with a foot on the floor, and then again.
func disturb(c *course) {
	deed := Deed{What: "a weighing with a foot on the floor", From: c.patient.From, To: c.patient.To}
	for _, m := range c.sent {
		at, err := time.Parse(time.RFC3339Nano, m.reading.Time)
		if err != nil || m.reading.Measure != "weight" || c.IntN(20) > 0 {
			continue
		}
		wrong := m
		wrong.at = m.at.Add(-time.Minute)
		wrong.reading.ID += "-foot"
		wrong.reading.Time = at.Add(-time.Minute).Format(time.RFC3339Nano)
		share := 0.6 + 0.3*c.Float64()
		wrong.reading.Values = map[string]devices.Given{"value": {Number: math.Round(10*m.reading.Values["value"].Number*share) / 10}}
		deed.Of = append(deed.Of, wrong.reading.ID)
		c.sent = append(c.sent, wrong)
	}
	c.truth.Deeds = append(c.truth.Deeds, deed)
}

// round has the scale round to half a kilogram from the tenth day on.
func round(c *course) {
	from, _ := c.span(10, 11)
	deed := Deed{What: "rounded to half a kilogram", From: from, To: c.patient.To}
	for i := range c.sent {
		if m := &c.sent[i]; m.reading.Measure == "weight" && !m.at.Before(from) {
			m.reading.Values = map[string]devices.Given{"value": {Number: math.Round(2*m.reading.Values["value"].Number) / 2}}
			deed.Of = append(deed.Of, m.reading.ID)
		}
	}
	c.truth.Deeds = append(c.truth.Deeds, deed)
}

// restart numbers the readings of each device, and begins again at one on the tenth day.
func restart(c *course) {
	again, _ := c.span(10, 11)
	deed := Deed{What: "the counter begins again", From: again, To: c.patient.To}
	count, later := map[string]int{}, false
	for i := range c.sent {
		m := &c.sent[i]
		if !later && !m.at.Before(again) {
			clear(count)
			later = true
		}
		count[m.device]++
		m.reading.ID = m.device + "-" + strconv.Itoa(count[m.device])
		if later {
			deed.Of = append(deed.Of, m.reading.ID)
		}
	}
	c.truth.Deeds = append(c.truth.Deeds, deed)
}
