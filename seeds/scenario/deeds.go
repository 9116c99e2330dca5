package scenario

import (
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
