package ingest

import (
	"maps"
	"slices"
	"strings"
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

// technicalTitles are the rules as a person reads them.
var technicalTitles = map[string]struct{ title, summary protocols.Text }{
	RuleImplausible: {
		protocols.Text{FR: "Mesure impossible", EN: "Implausible reading"},
		protocols.Text{FR: "L'appareil a transmis une valeur qu'un instrument ne peut pas indiquer : elle est écartée, l'appareil est à vérifier.",
			EN: "The device sent a value that no instrument can report: it was set aside, the device should be checked."},
	},
	RuleContradiction: {
		protocols.Text{FR: "Valeurs contradictoires", EN: "Contradictory values"},
		protocols.Text{}, // says which, see contradictory
	},
	RuleReused: {
		protocols.Text{FR: "Identifiant réutilisé", EN: "Id used again"},
		protocols.Text{FR: "L'appareil donne à de nouvelles mesures l'identifiant d'anciennes, comme après un changement de pile : toutes sont gardées, son réglage est à vérifier.",
			EN: "The device gives new readings the ids of former ones, as after a change of battery: all are kept, its settings should be checked."},
	},
	RuleBattery: {
		protocols.Text{FR: "Batterie faible", EN: "Low battery"},
		protocols.Text{FR: "La batterie de l'appareil est à 15 % ou moins.", EN: "The battery of the device is at 15 % or less."},
	},
	RuleOffline: {
		protocols.Text{FR: "Appareil hors ligne", EN: "Device offline"},
		protocols.Text{}, // says how long, see silentFor
	},
	RuleRivals: {
		protocols.Text{FR: "Deux appareils sous un même identifiant", EN: "Two devices under one client id"},
		protocols.Text{FR: "Deux connexions de cet appareil se chassent sans cesse l'une l'autre, sous le même « client id » MQTT : deux appareils partagent ses identifiants, ou le sien se reconnecte sans raison. Ses mesures arrivent par bribes.",
			EN: "Two connections of this device throw each other out again and again, under the same MQTT client id: two devices share its credentials, or it reconnects for no reason. Its readings come in shreds."},
	},
	RuleClock: {
		protocols.Text{FR: "Horloge de l'appareil fausse", EN: "Wrong clock of the device"},
		protocols.Text{}, // says by how much, see wrongBy
	},
	RuleNothingUsed: {
		protocols.Text{FR: "Aucune mesure utilisable", EN: "No reading can be used"},
		protocols.Text{FR: "Depuis un jour au moins, tout ce que l'appareil transmet est mis de côté : les valeurs du patient ne sont pas suivies.",
			EN: "For a day at least, everything that the device sends has been set aside: the values of the patient are not followed."},
	},
	RuleUnit: {
		protocols.Text{FR: "Unité douteuse", EN: "Doubtful unit"},
		protocols.Text{}, // says what the value may be, see inDoubt
	},
	RuleJunk: {
		protocols.Text{FR: "Messages illisibles", EN: "Unreadable messages"},
		protocols.Text{FR: "L'appareil transmet sans cesse des messages dont rien n'est lisible : les suivants de ce jour sont comptés et ne sont plus gardés. L'appareil est à vérifier.",
			EN: "The device keeps sending messages in which nothing can be read: the next ones of this day are counted and no longer kept. The device should be checked."},
	},
	RuleFlooding: {
		protocols.Text{FR: "Appareil trop bavard", EN: "Flooding device"},
		protocols.Text{FR: "L'appareil transmet plus vite qu'il n'est permis : il est ralenti, rien n'est perdu.", EN: "The device sends faster than it may: it is slowed down, nothing is lost."},
	},
}

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
	if len(fits) > 0 {
		f.Explanation.Summary = mistakenUnit(fits)
	}
	again := f
	again.Kind, again.Explanation = protocols.Again, nil
	c.work.findings = append(c.work.findings, f, again)
}

// mistakenUnit says that a number would be possible in other units.
func mistakenUnit(fits []string) protocols.Text {
	return protocols.Text{
		FR: "L'appareil a transmis une valeur impossible dans l'unité annoncée ; elle conviendrait en " + strings.Join(fits, " ou ") + ". Elle est écartée, l'unité de l'appareil est à vérifier.",
		EN: "The device sent a value that is impossible in the unit it names; it would fit " + strings.Join(fits, " or ") + ". It was set aside, the unit of the device should be checked.",
	}
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
		f.Explanation = &protocols.Explanation{Rule: rule, Title: words.title, Level: protocols.Technical, At: at, Summary: words.summary}
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
			f.Explanation.Summary = silentFor(c.config.Limits.OfflineGrace)
		case devices.WrongClock:
			f.Explanation.Summary = wrongBy(next.Trouble.Clock.Lag)
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
