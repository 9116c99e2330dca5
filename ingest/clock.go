package ingest

import (
	"fmt"
	"time"

	"vigie/protocols"
)

// wrongBy says by how much a clock is wrong.
func wrongBy(lag time.Duration) protocols.Text {
	fr, en := "de retard", "behind"
	if lag < 0 {
		lag, fr, en = -lag, "d'avance", "ahead"
	}
	long := protocols.Text{FR: longFR(lag), EN: longEN(lag)}
	return protocols.Text{
		FR: fmt.Sprintf("horloge avec %s %s ; les heures de ses mesures sont douteuses, certaines peuvent être mises de côté.", long.FR, fr),
		EN: fmt.Sprintf("clock %s %s; the times of its readings are doubtful, some may be set aside.", long.EN, en),
	}
}

func longFR(d time.Duration) string { return long(d, "jours") }
func longEN(d time.Duration) string { return long(d, "days") }

// long writes a duration in days, hours or minutes.
func long(d time.Duration, days string) string {
	d = d.Round(time.Minute)
	switch {
	case d >= 72*time.Hour:
		return fmt.Sprintf("%d %s", d/(24*time.Hour), days)
	case d%time.Hour == 0:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d > time.Hour:
		return fmt.Sprintf("%d h %02d", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%d min", d/time.Minute)
}

// doubtful looks at what a device with a wrong clock sends: what would ring as red,
// had it been measured when it came, rings, marked as of a doubtful time.
func (c *committer) doubtful(tx Tx, it *item) error {
	w, device := &c.work, it.device
	if it.settle != 0 || device.status.Trouble.Clock.Since.IsZero() {
		return nil
	}
	for i := it.records; i < it.recordsEnd; i++ {
		if r := w.refusals[i].reading; w.aside[i] && untimely(w.records[i].Reasons) {
			if err := c.doubt(tx, device, r, it.message.Received); err != nil {
				return err
			}
		}
	}
	for i := it.readings; i < it.readings+it.kept; i++ {
		if r := w.candidates[i].reading; w.fates[i].Kept() && w.foundTooLate(r) {
			if err := c.doubt(tx, device, r, it.message.Received); err != nil {
				return err
			}
		}
	}
	return nil
}

// untimely reports whether the time alone keeps a reading from being used.
func untimely(reasons []protocols.Reason) bool {
	for _, reason := range reasons {
		if reason.Code != protocols.FutureTime && reason.Code != protocols.TooOld && reason.Code != protocols.ClockNotSet && reason.Code != protocols.NotEnrolled {
			return false
		}
	}
	return len(reasons) > 0
}

// foundTooLate reports whether a reading is why something red was found too late to
// call people.
func (w *work) foundTooLate(r *protocols.Reading) bool {
	for i := range w.findings {
		if f := &w.findings[i]; f.TooLate && f.Level == protocols.Red && f.Patient == r.Patient && f.At.Equal(r.Time) {
			return true
		}
	}
	return false
}

// doubt evaluates one reading as if it had been measured when it was received.
func (c *committer) doubt(tx Tx, device *device, of *protocols.Reading, received time.Time) error {
	if of.Measure == nil || of.DayOnly || of.Source != protocols.FromDevice {
		return nil
	}
	r := *of
	r.Time = received
	if r.Variant == 0 && len(r.Measure.Variants) > 0 {
		r.Variant = uint8(r.Measure.Variant(device.specimen()))
	}
	for i, e := range device.enrolments {
		if !e.Covers(received) || received.Before(device.since[i]) || !e.Consent.At(received) || e.fault != nil || !e.plan.Admits(device.kind, device.brand, device.model) {
			continue
		}
		r.Patient = e.Patient
		found, err := c.withReading(tx, e, &r, nil)
		if err != nil {
			return fmt.Errorf("see whether a reading of a doubtful time would ring for the enrolment %s: %w", e.ID, err)
		}
		for _, inner := range found {
			if inner.Level == protocols.Red {
				c.add(c.doubtfulRed(device, inner, received))
				return nil
			}
		}
	}
	return nil
}

// doubtfulRed is the alert of a red whose time is doubtful. It is that of the clock,
// which rises.
func (c *committer) doubtfulRed(device *device, inner protocols.Finding, received time.Time) protocols.Finding {
	clock := device.status.Trouble.Clock
	f := c.finding(protocols.Raised, RuleClock, device, stamp(clock.Since), received, received)
	f.Kind, f.Level = protocols.Risen, protocols.Red
	f.Explanation.Level = protocols.Red
	f.Explanation.Title = protocols.Text{FR: "Heure douteuse", EN: "Doubtful time"}
	f.Explanation.Summary = protocols.Text{
		FR: "Heure douteuse : l'horloge de l'appareil est fausse, la mesure vient d'arriver.",
		EN: "Doubtful time: the clock of the device is wrong, the reading has just come.",
	}
	if e := inner.Explanation; e != nil {
		f.Explanation.Comparisons, f.Explanation.Readings = e.Comparisons, e.Readings
		f.Explanation.Summary.FR += " " + e.Summary.FR
		f.Explanation.Summary.EN += " " + e.Summary.EN
	}
	return f
}
