package plain

import (
	"slices"
	"time"

	"vigie/protocols"
)

// findDoubts holds each weight against those of the days before it.
func (run *run) findDoubts() {
	run.gaps, run.confirmed = map[*protocols.Reading]protocols.Value{}, map[*protocols.Reading]protocols.Value{}
	for i := range run.protocol.Observations {
		if o := &run.protocol.Observations[i]; o.Plausible != nil {
			run.findDoubtsOf(o)
		}
	}
}

func (run *run) findDoubtsOf(o *protocols.Observation) {
	within := max(0, run.protocol.Value(&o.Plausible.Within, run.enrolment.Settings))
	agree := run.protocol.Value(&o.Plausible.Agree, run.enrolment.Settings)
	far := func(a, b, distance protocols.Value) bool { return max(a, b)-min(a, b) > distance }
	seed, seeded := run.enrolment.Settings[o.Plausible.Seed.Parameter]
	from := protocols.DateOf(seed.Date.In(run.enrolment.Zone)).At(run.enrolment.Zone, 0)
	sown := &protocols.Reading{Values: []protocols.Value{seed.Value}} // like a reading of the first instant of its day
	for i, r := range run.readings {
		if !run.judged(o, r) {
			continue
		}
		var before []protocols.Value
		var previous *protocols.Reading
		counts := seeded && !r.Time.Before(from)
		if counts && r.Time.Sub(from) < time.Duration(o.Plausible.Days)*24*time.Hour {
			before, previous = append(before, seed.Value), sown
		}
		for _, earlier := range run.readings[:i] {
			if run.judged(o, earlier) && (!counts || !earlier.Time.Before(from)) && r.Time.Sub(earlier.Time) < time.Duration(o.Plausible.Days)*24*time.Hour {
				before, previous = append(before, earlier.Values[0]), earlier
			}
		}
		if previous == nil {
			continue
		}
		usual, agrees := rounded(median(slices.Clone(before))), !far(r.Values[0], previous.Values[0], agree)
		if _, doubted := run.gaps[previous]; doubted && agrees {
			run.confirmed[r] = previous.Values[0]
		}
		if len(before) >= o.Plausible.AtLeast && r.Source != protocols.FromProfessional && !agrees && far(r.Values[0], usual, within) {
			run.gaps[r] = r.Values[0] - usual
		}
	}
}

// judged reports whether a reading is one that can be doubted, or that others are held
// against.
func (run *run) judged(o *protocols.Observation, r *protocols.Reading) bool {
	return r.Measure == o.Measure && !r.DayOnly && len(r.Values) > 0 && r.Values[0] != protocols.Missing && !run.silentAbout(r)
}
