package registry

import (
	"math"
	"reflect"
	"strconv"
	"time"

	"vigie/protocols"
	"vigie/protocols/document"
)

// decoder fills a registry from a document by JSON names and gathers what does not fit.
type decoder struct {
	document.Filler
	zone *time.Location // where a date without a time begins
}

func newDecoder() *decoder {
	d := &decoder{zone: time.UTC}
	d.Filler = document.Filler{Tag: "json", Around: d.inItsZone, Own: map[reflect.Type]func(document.Place, reflect.Value){
		reflect.TypeFor[time.Time]():       d.time,
		reflect.TypeFor[protocols.Value](): d.value,
		reflect.TypeFor[Contacts]():        d.contacts,
	}}
	return d
}

// inItsZone reads a mapping by the clock of the time_zone that stands in it, and has
// each last day end with that day.
func (d *decoder) inItsZone(at document.Place, into reflect.Value, fill func()) {
	around := d.zone
	defer func() { d.zone = around }()
	if name := text(at.Node.Get("time_zone")); name != "" {
		if own, err := time.LoadLocation(name); err == nil {
			d.zone = own
		}
	}
	fill()
	for i := range into.NumField() {
		field := into.Type().Field(i)
		if field.Tag.Get("day") == "last" {
			d.includeDay(at.Key(field.Tag.Get(d.Tag)), into.Field(i))
		}
	}
}

// includeDay has a date that names a last day end with that day. An instant is exact.
func (d *decoder) includeDay(at document.Place, into reflect.Value) {
	if day, err := time.ParseInLocation(time.DateOnly, text(at.Node), d.zone); err == nil {
		into.Set(reflect.ValueOf(day.AddDate(0, 0, 1).UTC()))
	}
}

// time reads an instant, or a date, which means the midnight that begins it
// where the patient lives.
func (d *decoder) time(at document.Place, into reflect.Value) {
	written := d.Word(at)
	t, err := time.Parse(time.RFC3339, written)
	if err != nil {
		t, err = time.ParseInLocation(time.DateOnly, written, d.zone)
	}
	if err != nil {
		d.Fault(at, "bad-date", protocols.Say("« %s » n'est pas une date", "%q is not a date", written), protocols.Say("l'écrire ainsi : 2026-11-21, ou 2026-11-21T08:30:00+01:00", "write it as 2026-11-21, or as 2026-11-21T08:30:00+01:00"))
		return
	}
	into.Set(reflect.ValueOf(t.UTC()))
}

func (d *decoder) value(at document.Place, into reflect.Value) {
	before := len(d.Problems)
	var number float64
	d.Fill(at, &number)
	v := d.Value(at, number)
	if len(d.Problems) > before {
		return
	}
	if math.Abs(v.Float()-number) > 1e-9 {
		d.Fault(at, "too-precise", protocols.Say("« %s » a plus de trois décimales", "%s has more than three decimals", strconv.FormatFloat(number, 'f', -1, 64)), protocols.Say("l'arrondir : %s", "round it to %s", v.String()))
		return
	}
	into.Set(reflect.ValueOf(v))
}

// text returns the text of a scalar, and nothing for all else.
func text(n *document.Node) string {
	if n == nil || n.Kind != document.Scalar {
		return ""
	}
	return n.Text
}
