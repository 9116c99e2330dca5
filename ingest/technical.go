package ingest

import (
	"maps"
	"slices"
	"time"

	"vigie/ingest/devices"
	"vigie/protocols"
)

// The technical rules. They are about devices, never about the patient.
const (
	RuleImplausible   = "implausible-reading"
	RuleContradiction = "contradiction"
	RuleReused        = "id-reused"
	RuleBattery       = "battery-low"
	RuleOffline       = "device-offline"
	RuleFlooding      = "device-flooding"
	RuleClock         = "device-clock"
	RuleNothingUsed   = "nothing-used"
	RuleRivals        = "client-id-shared"
	RuleUnit          = "unit-doubtful"
	RuleJunk          = "junk"
)

// technical finds what is to be said about devices, message by message: what one
// says of itself is held against what it said before.
func (c *committer) technical(tx Tx) error {
	w := &c.work
	if err := c.recall(tx); err != nil {
		return err
	}
	for i := range w.records {
		if w.aside[i] {
			c.implausible(&w.records[i], w.refusals[i])
		}
	}
	for _, it := range w.items {
		device := it.device
		if !device.registered || it.entered != nil {
			continue
		}
		if at := it.message.Received; it.message.Rivals { // one alert a device and day
			w.findings = append(w.findings, c.finding(protocols.Raised, RuleRivals, device, device.civilDay(at), at, at))
			continue
		}
		if it.status != nil {
			if err := c.status(tx, device, *it.status, it.message.Retained); err != nil {
				return err
			}
			continue
		}
		if w.heard(it) {
			if err := c.heard(tx, it); err != nil {
				return err
			}
			if err := c.doubtful(tx, it); err != nil {
				return err
			}
			if err := c.unitTrouble(tx, it); err != nil {
				return err
			}
		}
		for i := it.readings; i < it.readings+it.kept; i++ {
			if r := w.candidates[i].reading; w.fates[i].Kept() && r.Battery >= 0 {
				if err := c.battery(tx, device, r.Time, r.Battery); err != nil {
					return err
				}
			}
		}
	}
	return c.flooding()
}

// implausible finds a reading that no instrument can have made. One alert stands
// for the device, the measure and the patient's day.
func (c *committer) implausible(record *SetAsideRecord, of refusal) {
	var broken []protocols.Compared
	var fits []string
	found := false
	for _, reason := range record.Reasons {
		if reason.Code == protocols.Implausible {
			found = true
			broken = append(broken, outOfRange(of.reading, reason.Path)...)
			fits = append(fits, reason.Fits...)
		}
	}
	if !found || !of.device.registered {
		return
	}
	at, measure := record.Received, "unknown"
	if measured := of.reading.Time; c.possible(measured, at) {
		at = measured
	}
	if of.reading.Measure != nil {
		measure = of.reading.Measure.ID
	}
	f := c.finding(protocols.Raised, RuleImplausible, of.device, measure+" "+of.device.civilDay(at), at, at)
	f.Explanation.Comparisons = broken
	f.Explanation.Summary = impossible(of.device, of.reading, broken, fits, at)
	if len(fits) > 0 {
		f.Explanation.Advice = setUnit(of.reading.Measure)
	}
	again := f
	again.Kind, again.Explanation = protocols.Again, nil
	c.work.findings = append(c.work.findings, f, again)
}

// possible reports whether something received can have been measured then, as far as
// readings are accepted: an alert is not to be dated by a clock that is wrong.
func (c *committer) possible(measured, received time.Time) bool {
	limits := &c.config.Limits
	return !measured.Before(received.Add(-limits.TooOld)) && !measured.After(received.Add(limits.Tolerance))
}

// outOfRange compares the component that a path names with its range; nothing
// when the value could not even be written down.
func outOfRange(r *protocols.Reading, path string) []protocols.Compared {
	if r.Measure == nil {
		return nil
	}
	for i := range r.Measure.Components {
		component := &r.Measure.Components[i]
		if !hasSuffix(path, "values."+component.Name) || i >= len(r.Values) || r.Values[i] == protocols.Missing {
			continue
		}
		compared := protocols.Compared{
			Measure: r.Measure.ID, Component: component.Name, Statistic: protocols.Last, From: r.Time, To: r.Time, Count: 1,
			Value: r.Values[i], Unit: component.Unit, Operator: protocols.Above, Threshold: component.High, Clear: component.High, Truth: protocols.True,
		}
		if r.Values[i] < component.Low {
			compared.Operator, compared.Threshold, compared.Clear = protocols.Below, component.Low, component.Low
		}
		return []protocols.Compared{compared}
	}
	return nil
}

func hasSuffix(path, suffix string) bool {
	return path == suffix || (len(path) > len(suffix) && path[len(path)-len(suffix)-1] == '.' && path[len(path)-len(suffix):] == suffix)
}

// finding is a technical finding about a device. Whoever had it when the episode
// began says which team sees it, to the end of the episode.
func (c *committer) finding(kind protocols.FindingKind, rule string, device *device, episode string, began, at time.Time) protocols.Finding {
	f := protocols.Finding{
		Kind: kind, Device: device.name, Rule: rule, Level: protocols.Technical,
		Episode: device.name + " " + episode, At: at, Found: c.work.now, HidesValues: hiding[rule],
	}
	if e := device.holder(began); e != nil {
		f.Enrolment, f.Patient = e.ID, e.Patient
	}
	if kind == protocols.Raised {
		words := technicalTitles[rule]
		f.Explanation = &protocols.Explanation{Rule: rule, Title: words.title, Level: protocols.Technical, At: at, Summary: device.named(words.says), Advice: words.advice}
	}
	return f
}

// ended is the end of an episode, about whom it was raised for: the device may have
// gone to somebody else since.
func (c *committer) ended(rule string, device *device, raisedFor string, since, at time.Time) protocols.Finding {
	f := c.finding(protocols.Ended, rule, device, stamp(since), since, at)
	if raisedFor != "" && raisedFor != f.Enrolment {
		f.Enrolment, f.Patient = raisedFor, ""
	}
	return f
}

// civilDay is the day of t where the patient lives.
func (d *device) civilDay(t time.Time) string {
	if e := d.holder(t); e != nil && e.zone != nil {
		t = t.In(e.zone)
	}
	return t.Format(time.DateOnly)
}

// battery follows the battery as readings tell it.
func (c *committer) battery(tx Tx, device *device, at time.Time, level int) error {
	if err := c.knowStatus(tx, device); err != nil {
		return err
	}
	at = earlier(at, c.work.now)
	next, episodes, changed := device.status.BatteryTold(at, level, device.holderID(at), c.work.now)
	return c.follow(tx, device, next, episodes, changed)
}

// status follows what a device says of itself.
func (c *committer) status(tx Tx, device *device, told DeviceStatus, retained bool) error {
	if err := c.knowStatus(tx, device); err != nil {
		return err
	}
	next, episodes, changed := device.status.Told(told, retained, device.holderID(told.At), c.config.Limits.OfflineGrace, c.work.now)
	return c.follow(tx, device, next, episodes, changed)
}

// deviceRules are the rules of the episodes of devices, and whether one may hide
// values of a patient.
var deviceRules = map[devices.Rule]string{
	devices.LowBattery: RuleBattery, devices.Offline: RuleOffline, devices.WrongClock: RuleClock, devices.NothingUsed: RuleNothingUsed,
}

// TechnicalRules lists the rules of the service about devices, in the order of
// letters.
func TechnicalRules() []string { return slices.Sorted(maps.Keys(technicalTitles)) }

// TechnicalTitle is a rule about devices as a person reads it; empty for no such rule.
func TechnicalTitle(rule string) protocols.Text { return technicalTitles[rule].title }

// hiding are the rules whose alerts may hide values that nobody sees otherwise.
var hiding = map[string]bool{
	RuleImplausible: true, RuleContradiction: true, RuleClock: true, RuleNothingUsed: true, RuleFlooding: true, RuleRivals: true, RuleUnit: true, RuleJunk: true,
}

// HidesValues reports whether the alerts of a technical rule may hide values of a
// patient that nobody sees otherwise.
func HidesValues(rule string) bool { return hiding[rule] }

// follow keeps the next state of a device, and finds the episodes that began or
// ended.
func (c *committer) follow(tx Tx, device *device, next DeviceStatus, episodes []devices.Episode, changed bool) error {
	for _, e := range episodes {
		rule := deviceRules[e.Rule]
		if e.Ended {
			c.add(c.ended(rule, device, e.For, e.Since, e.At))
			continue
		}
		f := c.finding(protocols.Raised, rule, device, stamp(e.Since), e.Since, e.At)
		switch e.Rule {
		case devices.Offline:
			f.Explanation.Summary = silentSince(device, e.Since, c.config.Limits.OfflineGrace)
		case devices.WrongClock:
			f.Explanation.Summary = device.named(wrongBy(next.Trouble.Clock.Lag))
		case devices.LowBattery:
			f.Explanation.Summary = weak(device, next.Battery)
		}
		c.add(f)
	}
	if !changed {
		return nil
	}
	return c.setStatus(tx, device, next)
}

// stamp names an episode by its beginning, as precisely as stores keep times.
func stamp(t time.Time) string { return t.UTC().Truncate(time.Millisecond).Format(time.RFC3339Nano) }

// add keeps a finding for the commit under way.
func (c *committer) add(f protocols.Finding) { c.work.findings = append(c.work.findings, f) }

// knowStatus reads what a device last said of itself. One that never did is
// taken to be online: it is sending.
func (c *committer) knowStatus(tx Tx, device *device) error {
	if device.statusKnown {
		return nil
	}
	status, known, err := tx.DeviceStatus(device.name)
	if err != nil {
		return err
	}
	if !known {
		status = devices.Silent(device.name)
	}
	device.status, device.statusKnown = status, true
	c.work.devices = append(c.work.devices, device)
	return nil
}

func (c *committer) setStatus(tx Tx, device *device, status DeviceStatus) error {
	device.status = status
	c.work.devices = append(c.work.devices, device)
	return tx.SetDeviceStatus(status)
}

// flooding reports the devices that went over their rate, once a day each.
func (c *committer) flooding() error {
	c.floods = append(c.floods, c.queue.flooding()...)
	for _, name := range c.floods {
		if device := c.directory.devices[name]; device != nil && device.registered {
			c.add(c.finding(protocols.Raised, RuleFlooding, device, device.civilDay(c.work.now), c.work.now, c.work.now))
		}
	}
	return nil
}
