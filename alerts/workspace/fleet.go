package workspace

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/workspace/roll"
	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// fleetDevice is a device that a patient has now, with what is wrong with it.
type fleetDevice struct {
	name   string
	face   *registry.Face // of whoever has it
	team   string
	status *ingest.DeviceStatus // nil where it never told of itself
	faults []deviceFault
	aside  int // messages that nobody has dealt with
}

// deviceFault is one thing that is wrong with a device.
type deviceFault struct {
	rule  string // of ingest, or silentRule
	title protocols.Text
	since time.Time
	alert string // that says so; empty for none
}

// silentRule stands for every rule of a protocol about readings that did not come.
const silentRule = "silent"

// The parts of the page of devices, in the order in which they need somebody.
const (
	partUnseen  = "unseen" // values of a patient may be lost from sight
	partSilent  = "silent"
	partBattery = "battery"
	partAside   = "aside"
)

var fleetParts = []string{partUnseen, partSilent, partBattery, partAside}

// partOf is where a fault belongs. Whatever is not about silence or a battery may keep
// values of the patient from being seen.
func partOf(rule string) string {
	switch rule {
	case silentRule, ingest.RuleOffline:
		return partSilent
	case ingest.RuleBattery:
		return partBattery
	}
	return partUnseen
}

// parts lists where a device belongs.
func (d *fleetDevice) parts() (list []string) {
	for _, f := range d.faults {
		list = append(list, partOf(f.rule))
	}
	if d.aside > 0 {
		list = append(list, partAside)
	}
	return list
}

// rank is the place of a device in the list, the smallest first.
func (d *fleetDevice) rank() int {
	rank := len(fleetParts)
	for _, part := range d.parts() {
		rank = min(rank, slices.Index(fleetParts, part))
	}
	return rank
}

// byNeed puts first what needs somebody, and among that what has waited longest.
func byNeed(a, b *fleetDevice) int {
	since := func(d *fleetDevice) time.Time {
		if len(d.faults) == 0 {
			return time.Time{}
		}
		return d.faults[0].since
	}
	return cmp.Or(cmp.Compare(a.rank(), b.rank()), since(a).Compare(since(b)), cmp.Compare(a.name, b.name))
}

// askedAtOnce bounds the devices whose state is asked on one page. Where there are more,
// it is asked of those alone that an alert is about: a state that needs somebody raises one.
const askedAtOnce = 5000

// fleet lists the devices that patients have now and that who asks may see, what needs
// somebody first.
func (w *Workspace) fleet(ctx context.Context, team string) ([]*fleetDevice, error) {
	list, err := w.records.inUse(ctx, team)
	if err != nil {
		return nil, err
	}
	byName, of := map[string]*fleetDevice{}, map[string][]*fleetDevice{}
	for _, d := range list {
		byName[d.name] = d
		of[d.face.Patient] = append(of[d.face.Patient], d)
	}
	if err := w.addAlerts(ctx, byName, of); err != nil {
		return nil, err
	}
	asked := list
	if len(list) > askedAtOnce {
		asked = slices.DeleteFunc(slices.Clone(list), func(d *fleetDevice) bool { return len(d.faults) == 0 })
	}
	if err := w.addStatuses(ctx, asked); err != nil {
		return nil, err
	}
	if err := w.addAside(ctx, byName); err != nil {
		return nil, err
	}
	for _, d := range list {
		slices.SortStableFunc(d.faults, func(a, b deviceFault) int {
			return cmp.Or(cmp.Compare(slices.Index(fleetParts, partOf(a.rule)), slices.Index(fleetParts, partOf(b.rule))), a.since.Compare(b.since))
		})
	}
	slices.SortFunc(list, byNeed)
	return list, nil
}

// inUse lists the devices that patients have now, each once, as far as who asks may see
// devices of their teams.
func (d records) inUse(ctx context.Context, team string) (list []*fleetDevice, err error) {
	who := access.From(ctx)
	faces, err := d.roll.All(ctx)
	if err != nil {
		return nil, err
	}
	now, everywhere, known := d.now(), who.Everywhere(access.SeeDevices), map[string]bool{}
	for face := range faces {
		for _, f := range face.Followed {
			begun, over := !now.Before(f.From), !f.Until.IsZero() && !now.Before(f.Until)
			if !begun || over || team != "" && f.Team != team || !everywhere && !who.MayIn(access.SeeDevices, f.Team) {
				continue
			}
			for _, name := range f.Devices {
				if !known[name] {
					known[name] = true
					list = append(list, &fleetDevice{name: name, face: face, team: f.Team})
				}
			}
		}
	}
	return list, nil
}

// open lists what is left to do about devices, whoever asks: no more of it than the rule
// and the time is for who may not see patients.
func (d records) open(ctx context.Context) ([]alerts.Alert, error) {
	return d.board.now(ctx, d.store, d.now())
}

// addAlerts notes which devices alerts are about: those of the service by name, and the
// silences of protocols by what the devices of a patient measure.
func (w *Workspace) addAlerts(ctx context.Context, byName map[string]*fleetDevice, of map[string][]*fleetDevice) error {
	open, err := w.records.open(ctx)
	if err != nil {
		return err
	}
	for i := range open {
		a := &open[i]
		if d := byName[a.Device]; d != nil && a.Level == protocols.Technical {
			d.add(deviceFault{rule: a.Rule, title: a.Title, since: a.At, alert: a.ID})
			continue
		}
		rule := w.rule(a)
		if rule == nil || rule.Absence == nil || !a.Active {
			continue
		}
		for _, d := range of[a.Patient] {
			known, err := w.assignment(ctx, d.name)
			if err != nil {
				return err
			}
			if kind := kindOf(known); kind == nil || kind.Measures == nil || !kind.Takes(rule.Absence.Measure) {
				continue // whatever may measure anything is not known to be the one
			}
			d.add(deviceFault{rule: silentRule, title: catalogue["devices.no-readings"], since: a.At, alert: a.ID})
		}
	}
	return nil
}

func kindOf(device *registry.Assignment) *protocols.Kind {
	if device == nil {
		return nil
	}
	return protocols.KindByID(device.Device.Kind)
}

// add notes what is wrong, once for each rule: an alert rather than the bare state.
func (d *fleetDevice) add(f deviceFault) {
	if !slices.ContainsFunc(d.faults, func(known deviceFault) bool { return known.rule == f.rule }) {
		d.faults = append(d.faults, f)
	}
}

// addStatuses notes what devices said of themselves. What is wrong stays wrong when
// somebody has closed the alert about it.
func (w *Workspace) addStatuses(ctx context.Context, list []*fleetDevice) error {
	names, byName := make([]string, len(list)), make(map[string]*fleetDevice, len(list))
	for i, d := range list {
		names[i], byName[d.name] = d.name, d
	}
	statuses, err := w.Statuses(ctx, names)
	if err != nil {
		return err
	}
	for i := range statuses {
		s := &statuses[i]
		d := byName[s.Device]
		if d == nil {
			continue
		}
		d.status = s
		for _, wrong := range []struct {
			rule  string
			since time.Time
			holds bool
		}{
			{ingest.RuleNothingUsed, s.Trouble.Aside.Since, !s.Trouble.Aside.Told.IsZero()},
			{ingest.RuleClock, s.Trouble.Clock.Since, !s.Trouble.Clock.Since.IsZero()},
			{ingest.RuleOffline, s.OfflineSince, !s.OfflineSince.IsZero() && s.Due.IsZero()},
			{ingest.RuleBattery, s.LowSince, !s.LowSince.IsZero()},
		} {
			if wrong.holds {
				d.add(deviceFault{rule: wrong.rule, title: ingest.TechnicalTitle(wrong.rule), since: wrong.since})
			}
		}
	}
	return nil
}

// addAside counts the messages of devices that nobody has dealt with, among the latest.
func (w *Workspace) addAside(ctx context.Context, byName map[string]*fleetDevice) error {
	if w.Aside == nil {
		return nil
	}
	records, err := w.Aside.SetAsides(ctx, ingest.SetAsideFilter{Open: true, Limit: asideScanned})
	if err != nil {
		return err
	}
	for i := range records {
		if d := byName[records[i].Device]; d != nil {
			d.aside++
		}
	}
	return nil
}

// heardOf is when a device last measured, and its battery then: the zero time where it did
// not for ninety days. The newest days are read first, and of what the device measures.
func (d records) heardOf(ctx context.Context, patient, device string, kind *protocols.Kind) (last heard, err error) {
	last.battery = -1
	now := d.now()
	var measures []*protocols.Measure
	if kind == nil || kind.Measures == nil {
		measures = []*protocols.Measure{nil}
	} else {
		for _, id := range kind.Measures {
			measures = append(measures, protocols.MeasureByID(id))
		}
	}
	to := now.Add(time.Hour)
	for _, back := range []time.Duration{24 * time.Hour, 7 * 24 * time.Hour, lastBack} {
		from := now.Add(-back)
		for _, m := range measures {
			err := d.history.History(ctx, patient, m, from, to, func(r *protocols.Reading) bool {
				if r.Device == device && r.Time.After(last.at) {
					last.at = r.Time
					if r.Battery >= 0 {
						last.battery = int(r.Battery)
					}
				}
				return true
			})
			if err != nil {
				return last, err
			}
		}
		if !last.at.IsZero() {
			return last, nil
		}
		to = from
	}
	return last, nil
}

// matching keeps the devices that somebody looks for: by their name, or else, for who may
// see names, all that a patient has who is found by name or by the serial number of one.
func (w *Workspace) matching(ctx context.Context, list []*fleetDevice, typed string) ([]*fleetDevice, error) {
	words := strings.Fields(roll.Fold(typed))
	var named []*fleetDevice
	for _, d := range list {
		name := roll.Fold(d.name)
		missing := slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(name, word) })
		if len(words) > 0 && !missing {
			named = append(named, d)
		}
	}
	if len(named) > 0 || !access.From(ctx).May(access.SeeIdentity) {
		return named, nil
	}
	faces, _, err := w.records.roll.Find(ctx, typed, "", alerts.MaxLimit, func(f *registry.Face) bool { return w.records.knows(ctx, f) })
	found := map[string]bool{}
	for i := range faces {
		found[faces[i].Patient] = true
	}
	return slices.DeleteFunc(list, func(d *fleetDevice) bool { return !found[d.face.Patient] }), err
}
