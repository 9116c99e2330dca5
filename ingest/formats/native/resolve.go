package native

import (
	"math"

	"vigie/ingest"
	"vigie/ingest/formats/values"
	"vigie/protocols"
)

// resolve turns the numbers into values of the measure's components. Which of them
// the measure has is known once the whole reading was read: the fields come in any
// order.
func (d *decoding) resolve(r *protocols.Reading) {
	if r.Measure == nil {
		d.notNumbers()
		return
	}
	if d.seen&valuesField == 0 || d.noValues {
		return
	}
	d.specimen(r)
	r.Values = make([]protocols.Value, len(r.Measure.Components))
	d.resolver.Resolve(r.Measure, d.measured, &d.units, r.Values)
	r.Limits = d.resolver.Limits
	for _, reason := range d.resolver.Reasons {
		d.refuseFor(reason)
	}
}

// notNumbers tells what is wrong with the values of a measure that is not known.
func (d *decoding) notNumbers() {
	for i := range d.measured {
		if math.IsNaN(d.measured[i].Number) {
			d.refuse(protocols.NotANumber, "values."+values.Shown(d.measured[i].Name), values.NotANumber(d.measured[i].Word))
		}
	}
}

// warn tells the sender what was left out of the reading that is about to be added,
// and what it spells otherwise.
func (d *decoding) warn() {
	for _, warnings := range [...][]protocols.Reason{d.resolver.Warnings, d.words, d.meals} {
		for _, w := range warnings {
			w.Path = d.path(w.Path)
			d.batch.Warnings = append(d.batch.Warnings, ingest.Warning{Reading: len(d.batch.Readings), Reason: w})
		}
	}
}

// specimen takes the variant from the context: for glucose, capillary or
// interstitial.
func (d *decoding) specimen(r *protocols.Reading) {
	name, given := r.Context["specimen"]
	if !given || len(r.Measure.Variants) == 0 {
		return
	}
	variant := r.Measure.Variant(name)
	if variant == 0 {
		d.refuse(protocols.Malformed, "context.specimen", "this measure has no such specimen")
	}
	r.Variant = uint8(variant)
}
