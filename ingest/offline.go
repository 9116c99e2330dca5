package ingest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"vigie/ingest/devices"
	"vigie/protocols"
)

// OfflineGrace is how long a device may stay offline before its team is told, by
// default: a device that wakes once a day to send, and an hour's sleep more or
// less, are no matter.
const OfflineGrace = 30 * time.Hour

// heard reports whether a message shows that its device is there. One in which
// nothing is new may have been delivered again by a broker, and one that is tried
// again came long ago.
func (w *work) heard(it *item) bool {
	return it.settle == 0 &&
		(slices.ContainsFunc(w.fates[it.readings:it.readings+it.kept], Fate.Kept) || slices.Contains(w.aside[it.records:it.recordsEnd], true))
}

// strange reports whether a message says something of the clock or the unit of its device,
// or nothing of it could be used.
func (w *work) strange(it *item) bool {
	if it.settle != 0 {
		return false
	}
	used := slices.ContainsFunc(w.fates[it.readings:it.readings+it.kept], Fate.Kept)
	if !used && w.refused(it) {
		return true
	}
	for i := it.records; i < it.recordsEnd; i++ {
		if measure, _ := misfit(w.records[i].Reasons, w.refusals[i].reading); w.aside[i] && measure != nil {
			return true
		}
	}
	newest, known := newest(it)
	notably, _ := devices.Notable(it.message.Received.Sub(newest))
	return known && notably
}

// refused reports whether something new of a message was set aside, for another
// reason than that the patient has not consented.
func (w *work) refused(it *item) bool {
	for i := it.records; i < it.recordsEnd; i++ {
		if w.aside[i] && !slices.ContainsFunc(w.records[i].Reasons, func(r protocols.Reason) bool { return r.Code == protocols.NoConsent }) {
			return true
		}
	}
	return false
}

// summary reports whether a device sends a measure about a day or a session that is
// over, often at the same hour: that says nothing of its clock.
func summary(m *protocols.Measure) bool {
	switch m.ID {
	case "ventilation", "oxygen-therapy", "implant", "dialysis-session":
		return true
	}
	return false
}

// newest is when the newest reading of a message was measured, by the clock of the
// device.
func newest(it *item) (at time.Time, known bool) {
	for i := range it.batch.Readings {
		r := &it.batch.Readings[i]
		if !r.DayOnly && r.Source == protocols.FromDevice && !summary(r.Measure) && (!known || r.Time.After(at)) {
			at, known = r.Time, true
		}
	}
	return at, known && !it.message.Retained
}

// heard follows a device that sends: that it is there, what its clock shows, and
// whether anything of what it sends can be used.
func (c *committer) heard(tx Tx, it *item) error {
	device, received := it.device, it.message.Received
	if err := c.knowStatus(tx, device); err != nil {
		return err
	}
	used := slices.ContainsFunc(c.work.fates[it.readings:it.readings+it.kept], Fate.Kept)
	newest, known := newest(it)
	if notably, _ := devices.Notable(received.Sub(newest)); used && !(known && notably) && device.status.Calm() {
		return nil // the usual case
	}
	next, episodes, changed := device.status.Heard(received, c.config.Limits.OfflineGrace, c.work.now)
	if err := c.follow(tx, device, next, episodes, changed); err != nil {
		return err
	}
	if known {
		next, episodes, changed = device.status.Sent(received, newest, device.holderID(received))
		if err := c.follow(tx, device, next, episodes, changed); err != nil {
			return err
		}
	}
	switch {
	case used:
		next, episodes, changed = device.status.Used(received)
	case c.work.refused(it):
		next, episodes, changed = device.status.NothingUsed(received, device.holderID(received))
	default:
		return nil
	}
	return c.follow(tx, device, next, episodes, changed)
}

// sweepDevices is one transaction of a sweep over devices.
func (c *committer) sweepDevices(ctx context.Context, due []string) error {
	w := &c.work
	w.reset(ctx, c.config.Now(), nil)
	began := time.Now()
	if err := c.directory.begin(ctx); err != nil {
		return err
	}
	known := make([]*device, len(due))
	for i, name := range due {
		var err error
		if known[i], err = c.directory.device(ctx, name); err != nil {
			return err
		}
	}
	err := c.config.Store.Update(ctx, func(tx Tx) error {
		if err := ask(tx, known); err != nil {
			return err
		}
		for _, device := range known {
			if err := c.offline(tx, device); err != nil {
				return fmt.Errorf("look at the device %s: %w", device.name, err)
			}
		}
		return tx.Apply(w.findings)
	})
	if err != nil {
		c.forget()
		return err
	}
	if c.config.Committed != nil {
		c.config.Committed(c.summary(began))
	}
	return nil
}

// postponeDevices has devices that are in trouble looked at again later.
func (c *committer) postponeDevices(ctx context.Context, names []string) error {
	return c.config.Store.Update(ctx, func(tx Tx) error {
		for _, name := range names {
			status, known, err := tx.DeviceStatus(name)
			if err != nil {
				return err
			}
			if !known {
				continue
			}
			status.Due = c.config.Now().Add(later)
			if err := tx.SetDeviceStatus(status); err != nil {
				return err
			}
		}
		return nil
	})
}

// offline finds that a device stayed offline: nothing came of it for the whole
// grace.
func (c *committer) offline(tx Tx, device *device) error {
	device.statusKnown = false
	if err := c.knowStatus(tx, device); err != nil {
		return err
	}
	status, grace := device.status, c.config.Limits.OfflineGrace
	if status.Due.IsZero() || status.Due.After(c.work.now) {
		return nil // another node was faster
	}
	heard, err := lastHeard(tx, device, status.Due.Add(-grace))
	if err != nil {
		return err
	}
	next, episodes := status.StillOffline(heard, device.holderID(status.OfflineSince), grace, c.work.now)
	if !device.registered {
		next.OfflineFor, episodes = "", nil
	}
	return c.follow(tx, device, next, episodes, true)
}

// lastHeard is when a device last measured something, from a time on.
func lastHeard(tx Tx, device *device, from time.Time) (heard time.Time, err error) {
	holder := device.holder(from)
	if holder == nil {
		return heard, nil
	}
	err = tx.History(holder.Patient, nil, from, farFuture, func(r *protocols.Reading) bool {
		if r.Device == device.name {
			heard = r.Time
		}
		return true
	})
	return heard, err
}

// inUnits writes a duration in whole hours, minutes or seconds, the same in both
// languages.
func inUnits(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return fmt.Sprintf("%d h", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return fmt.Sprintf("%d s", d/time.Second)
}
