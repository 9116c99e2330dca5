package ingest

import (
	"context"
	"slices"
	"strconv"
	"time"

	"vigie/ingest/devices"
	"vigie/protocols"
)

// work is what one transaction is to do: a batch of items, resolved.
type work struct {
	ctx   context.Context // of the transaction at hand
	now   time.Time
	items []*item

	candidates []candidate
	readings   []*protocols.Reading // of the candidates, for Store.Keep
	targets    []*enrolment         // of the candidates, one after another
	records    []SetAsideRecord
	refusals   []refusal // beside records
	repeats    []string  // ids of readings that would be refused now, and are kept already

	touched  []*enrolment
	fates    []Fate // of the candidates
	aside    []bool // of the records: new ones
	findings []protocols.Finding
	states   []StateRecord
	devices  []*device // whose status was looked at
	unable   []string  // enrolments of a sweep that cannot be evaluated

	unlooked bool // nothing was evaluated yet

	done    int             // steps of an import, see tell
	amid    bool            // there is more of an import, or of its strike
	junk    map[string]junk // by device, once this is committed
	counted int             // of the records, those beyond the quota for junk
}

// candidate is a reading that is good enough to be kept.
type candidate struct {
	reading  *protocols.Reading
	place    int // among the readings of its message
	device   *device
	from, to int // its enrolments in targets
}

// refusal is what a record was made from.
type refusal struct {
	device  *device
	reading *protocols.Reading
	targets []*enrolment // of one that contradicts what is kept
}

func (w *work) reset(ctx context.Context, now time.Time, items []*item) {
	clear(w.candidates)
	clear(w.readings)
	clear(w.records)
	clear(w.refusals)
	*w = work{
		ctx: ctx, now: now, items: items,
		candidates: w.candidates[:0], readings: w.readings[:0], targets: w.targets[:0],
		records: w.records[:0], refusals: w.refusals[:0], repeats: w.repeats[:0], touched: w.touched[:0], fates: w.fates[:0],
		findings: w.findings[:0], states: w.states[:0], devices: w.devices[:0], unable: w.unable[:0],
	}
}

// resolve finds out, for everything in the items, whose it is and whether it may
// be kept. It is done again, from the start, when a transaction is.
func (c *committer) resolve(ctx context.Context, items []*item) error {
	w := &c.work
	w.reset(ctx, c.config.Now(), items)
	if c.directory.expects { // of a change the transaction tells
		c.directory.next()
	} else if err := c.directory.begin(ctx); err != nil {
		return err
	}
	for _, it := range items {
		device, err := c.directory.device(ctx, it.measuredBy())
		if err != nil {
			return err
		}
		it.device = device
		foreign := it.foreign(device)
		it.readings, it.records = len(w.candidates), len(w.records)
		if it.entered != nil {
			it.entered.begin()
		}
		for i := range it.batch.Readings {
			r := &it.batch.Readings[i]
			reasons := foreign
			if len(reasons) == 0 {
				reasons = c.check(it, device, i)
			}
			switch {
			case len(reasons) == 0:
			case len(foreign) > 0: // of a stranger, such as a neighbour: no more of it is kept than of junk
				w.setAside(it, device, &protocols.Reading{ID: r.ID, Battery: -1}, it.batch.Parts[i], reasons)
			case it.entered != nil:
				it.entered.refuse(reasons)
			default:
				w.setAside(it, device, r, it.batch.Parts[i], reasons)
			}
		}
		it.repeats, it.repeatsEnd = 0, 0
		it.civil = true
		for i := range it.batch.Refused {
			refused := &it.batch.Refused[i]
			if len(foreign) > 0 {
				refused.Reading, refused.Reasons = protocols.Reading{ID: refused.Reading.ID, Battery: -1}, foreign
			}
			w.setAside(it, device, &refused.Reading, refused.Payload, withRegistration(device, refused.Reasons))
		}
		if it.status != nil && !device.registered {
			w.setAside(it, device, &protocols.Reading{}, it.message.Payload, unknownDevice)
		}
		it.kept, it.recordsEnd = len(w.candidates)-it.readings, len(w.records)
	}
	return nil
}

// measuredBy is the device whose readings an item holds.
func (it *item) measuredBy() string {
	if it.by != "" {
		return it.by
	}
	return it.sender
}

// foreign says why nothing that a gateway has read of a device is used; nothing where it
// may publish for that device.
func (it *item) foreign(device *device) []protocols.Reason {
	switch {
	case it.by == "":
		return nil
	case !device.registered:
		return []protocols.Reason{{Code: protocols.UnknownDevice, Message: "no device of the name that the gateway gives is registered: " + it.by}}
	case device.gateway != it.sender:
		return []protocols.Reason{{Code: protocols.WrongTopic, Message: "the registry does not entrust this device to the gateway (gateway)"}}
	}
	return nil
}

var unknownDevice = []protocols.Reason{{Code: protocols.UnknownDevice, Message: "no device of this name is registered"}}

// withRegistration adds to the reasons of a decoder that nobody knows the device.
func withRegistration(device *device, reasons []protocols.Reason) []protocols.Reason {
	if device.registered {
		return reasons
	}
	return append(reasons[:len(reasons):len(reasons)], unknownDevice...)
}

// setAside adds a record. Without consent its payload is not kept.
func (w *work) setAside(it *item, device *device, r *protocols.Reading, payload []byte, reasons []protocols.Reason) {
	if !device.consents(w.now) || slices.ContainsFunc(reasons, func(r protocols.Reason) bool { return r.Code == protocols.NoConsent }) {
		payload = nil
	}
	of := it.sender
	if it.by != "" && device.registered && device.gateway == it.sender {
		of = it.by
	}
	w.records = append(w.records, SetAsideRecord{
		Device: of, Topic: it.message.Topic, Reading: r.ID, Received: it.message.Received, Payload: payload, Reasons: reasons,
	})
	w.refusals = append(w.refusals, refusal{device: device, reading: r})
}

// recognise takes out of the records what was accepted when it came before: it is a
// duplicate, whatever would be said of it had it come only now.
func (w *work) recognise(tx Tx) error {
	kept := 0
	for _, it := range w.items {
		from, to := it.records, it.recordsEnd
		it.records, it.repeats = kept, len(w.repeats)
		for i := from; i < to; i++ {
			again, err := w.accepted(tx, i)
			if err != nil {
				return err
			}
			if again {
				w.repeats = append(w.repeats, w.records[i].Reading)
				continue
			}
			w.records[kept], w.refusals[kept] = w.records[i], w.refusals[i]
			kept++
		}
		it.recordsEnd, it.repeatsEnd = kept, len(w.repeats)
	}
	w.records, w.refusals = w.records[:kept], w.refusals[:kept]
	return nil
}

// outlived are the reasons for which a reading may be refused that was good before.
// Its time may lie ahead once the clock here was put back. Of consent that was
// withdrawn the device is told, whatever it sends.
var outlived = []protocols.Code{protocols.FutureTime, protocols.TooOld, protocols.NotEnrolled, protocols.DeviceNotEligible}

// accepted reports whether the reading of a record is kept already.
func (w *work) accepted(tx Tx, record int) (bool, error) {
	r := &w.records[record]
	if r.Reading == "" || !w.refusals[record].device.registered {
		return false, nil
	}
	for _, reason := range r.Reasons {
		if !slices.Contains(outlived, reason.Code) {
			return false, nil
		}
	}
	return tx.Holds(w.refusals[record].reading)
}

// consents reports whether anybody the device feeds lets data be kept: those who
// are followed now, or else those who were or will be. A device that feeds nobody
// has nobody's data.
func (d *device) consents(now time.Time) bool {
	followed, consented, ever := false, false, false
	for _, e := range d.enrolments {
		given := e.Consent.At(now)
		ever = ever || given
		if e.Covers(now) {
			followed, consented = true, consented || given
		}
	}
	if followed {
		return consented
	}
	return ever || len(d.enrolments) == 0
}

// check adds a reading of a message to the candidates, or returns the reasons for
// which it cannot be one.
func (c *committer) check(it *item, device *device, place int) (reasons []protocols.Reason) {
	r := &it.batch.Readings[place]
	if !device.registered {
		return unknownDevice
	}
	if r.DayOnly && !it.civil {
		r.Time = device.noon(r.Time)
	}
	from := len(c.work.targets)
	if !device.takes.Takes(r.Measure) {
		reasons = append(reasons, protocols.Reason{Code: protocols.MeasureMismatch, Path: "measure",
			Message: "a " + device.kind + " does not measure this: the operator checks the kind of the device"})
	}
	if devices.NeverSet(r.Time) { // when it was measured, and under which enrolment, nobody knows
		return append(reasons, protocols.Reason{Code: protocols.ClockNotSet, Path: "time",
			Message: "the clock of the device says " + strconv.Itoa(r.Time.Year()) + ": it was never set"})
	}
	reasons = c.checkTime(r, it, reasons)
	reasons = c.checkEnrolments(device, r, it.entered != nil, reasons)
	if len(reasons) == 0 && it.entered != nil && r.Patient != "" && r.Patient != c.work.targets[from].Patient {
		reasons = append(reasons, protocols.Reason{Code: protocols.NotEnrolled, Message: "the device was another patient's at that time"})
	}
	if len(reasons) > 0 {
		c.work.targets = c.work.targets[:from]
		return reasons
	}
	if r.Variant == 0 && len(r.Measure.Variants) > 0 {
		r.Variant = uint8(r.Measure.Variant(device.specimen()))
	}
	r.Patient = c.work.targets[from].Patient
	c.work.candidates = append(c.work.candidates, candidate{reading: r, place: place, device: device, from: from, to: len(c.work.targets)})
	c.work.readings = append(c.work.readings, r)
	return nil
}

// specimen tells what the device measures glucose in, where the reading does not say
// so itself.
func (d *device) specimen() string {
	if d.takes == nil {
		return ""
	}
	return d.takes.Specimen
}

// noon is noon of a day where the patient lives who is followed on that day.
func (d *device) noon(day time.Time) time.Time {
	for _, e := range d.enrolments {
		if local := noonAt(day, e.zone); e.Covers(local) {
			return local
		}
	}
	return day
}

// noonAt is noon of the civil day of t, which is in UTC, in a zone.
func noonAt(t time.Time, zone *time.Location) time.Time {
	if zone == nil {
		return t
	}
	return time.Date(t.Year(), t.Month(), t.Day(), 12, 0, 0, 0, zone).UTC()
}

// checkTime refuses what was measured when it cannot have been. A day alone lies
// in the future when it has not begun. What is tried again may have come when the
// clock here was behind: it is late enough when it is late enough now.
// What a person enters may be old.
func (c *committer) checkTime(r *protocols.Reading, it *item, reasons []protocols.Reason) []protocols.Reason {
	received := it.message.Received
	if r.Reckoned && it.message.Retained {
		reasons = append(reasons, protocols.Reason{Code: protocols.ClockNotSet, Path: "age", Message: "a broker has kept the message, and nobody knows for how long: do not retain it"})
	}
	latest := received
	if c.work.now.After(latest) {
		latest = c.work.now
	}
	if begun(r).After(latest.Add(c.config.Limits.Tolerance)) {
		reasons = append(reasons, protocols.Reason{Code: protocols.FutureTime, Path: "time", Message: "this time has not come yet: set the clock of the device"})
	}
	if it.entered == nil && r.Time.Before(received.Add(-c.config.Limits.TooOld)) {
		reasons = append(reasons, protocols.Reason{Code: protocols.TooOld, Path: "time", Message: "readings are accepted for " + days(c.config.Limits.TooOld) + " after they were measured"})
	}
	return reasons
}

// begun is the earliest that a reading can have been measured.
func begun(r *protocols.Reading) time.Time {
	if r.DayOnly {
		return r.Time.Add(-12 * time.Hour)
	}
	return r.Time
}

// days spells a duration in whole days.
func days(d time.Duration) string {
	return strconv.Itoa(int(d/(24*time.Hour))) + " days"
}

// checkEnrolments adds the enrolments that a reading goes to, to targets. It is
// refused when there is none, for what keeps it from the last one. What a person enters
// may be of before an enrolment whose consent names that time.
func (c *committer) checkEnrolments(device *device, r *protocols.Reading, enters bool, reasons []protocols.Reason) []protocols.Reason {
	w, from := &c.work, len(c.work.targets)
	covered, consented, faulty := false, false, false
	earliest := begun(r)
	for i, e := range device.enrolments {
		past := enters && e.Remembers(r.Time)
		if !e.Covers(r.Time) && !past || earliest.Before(device.since[i]) {
			continue
		}
		covered = true
		if !e.Consent.At(w.now) || !e.Consent.At(r.Time) && !past {
			continue
		}
		consented = true
		if e.fault != nil {
			faulty = true
			continue
		}
		if e.plan.Admits(device.kind, device.brand, device.model) {
			w.targets = append(w.targets, e)
		}
	}
	for _, e := range w.targets[from:] {
		if e.Patient != w.targets[from].Patient {
			return append(reasons, protocols.Reason{Code: protocols.NotEnrolled, Message: "the device is assigned to two patients at that time"})
		}
	}
	switch {
	case len(w.targets) > from:
		return reasons
	case !covered:
		return append(reasons, protocols.Reason{Code: protocols.NotEnrolled, Message: "no enrolment of the patient covers that time with this device"})
	case !consented:
		return append(reasons, protocols.Reason{Code: protocols.NoConsent, Message: "the patient has not consented, or no longer does: stop sending"})
	case faulty:
		return append(reasons, protocols.Reason{Code: protocols.NotEnrolled, Message: "the protocol of the enrolment is not installed, or its settings do not fit it"})
	}
	return append(reasons, protocols.Reason{Code: protocols.DeviceNotEligible, Message: "the protocol does not admit this kind of device"})
}
