package ingest

import (
	"context"
	"fmt"
	"slices"
	"time"

	"vigie/protocols"
)

// OfflineGrace is how long a device may stay offline before its team is told, by
// default: a device that wakes once a day to send, and an hour's sleep more or
// less, are no matter.
//
// A device that said that it is offline, and has not said since that it is online,
// is offline once nothing has come from it for that long. Only the sweep raises;
// its word, and whatever it sends, ends that at once. A device that sends without a
// word may be gone again at any time: its grace begins anew with what was heard.
const OfflineGrace = 30 * time.Hour

// heardStep is the share of the grace by which what is heard has to put off the
// moment to be written down: one write an hour by default, and none for a device
// that says when it is online.
const heardStep = 30

// heard reports whether a message shows that its device is there. One in which
// nothing is new may have been delivered again by a broker, and one that is tried
// again came long ago.
func (w *work) heard(it *item) bool {
	return it.settle == 0 &&
		(slices.ContainsFunc(w.fates[it.readings:it.readings+it.kept], Fate.Kept) || slices.Contains(w.aside[it.records:it.recordsEnd], true))
}

// heard follows a device that sends though it was said to be offline. What counts is
// when a message was received, not when what is in it was measured.
func (c *committer) heard(tx Tx, device *device, at time.Time) error {
	if err := c.knowStatus(tx, device); err != nil {
		return err
	}
	status := device.status
	if status.OfflineSince.IsZero() {
		return nil
	}
	at = earlier(at, c.work.now)
	due := at.Add(c.config.Limits.OfflineGrace)
	switch raised := status.Due.IsZero(); {
	case raised:
		c.find(c.ended(RuleOffline, device, status.OfflineFor, status.OfflineSince, at))
		status.OfflineSince, status.OfflineFor = at, ""
	case due.Before(status.Due.Add(c.config.Limits.OfflineGrace / heardStep)):
		return nil
	}
	status.Due = due
	return c.setStatus(tx, device, status)
}

// connection follows whether a device says that it is online: its return is found
// at once.
func (c *committer) connection(device *device, before DeviceStatus, told *DeviceStatus) {
	told.OfflineSince, told.OfflineFor, told.Due = before.OfflineSince, before.OfflineFor, before.Due
	switch {
	case !told.Online && before.OfflineSince.IsZero():
		told.OfflineSince, told.Due = told.At, told.At.Add(c.config.Limits.OfflineGrace)
	case told.Online && !before.OfflineSince.IsZero():
		if before.Due.IsZero() {
			c.find(c.ended(RuleOffline, device, before.OfflineFor, before.OfflineSince, told.At))
		}
		told.OfflineSince, told.OfflineFor, told.Due = time.Time{}, "", time.Time{}
	}
}

// sweepDevices is one transaction of a sweep over devices.
func (c *committer) sweepDevices(ctx context.Context, due []string) error {
	w := &c.work
	w.reset(ctx, c.config.Now(), nil)
	began := time.Now()
	if err := c.directory.begin(ctx); err != nil {
		return err
	}
	devices := make([]*device, len(due))
	for i, name := range due {
		var err error
		if devices[i], err = c.directory.device(ctx, name); err != nil {
			return err
		}
	}
	err := c.config.Store.Update(ctx, func(tx Tx) error {
		if err := ask(tx, devices); err != nil {
			return err
		}
		for _, device := range devices {
			if err := c.offline(tx, device); err != nil {
				return fmt.Errorf("look at the device %s: %w", device.name, err)
			}
		}
		return tx.Find(w.findings)
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
// grace. What it measured meanwhile shows that it lives, in whichever order the
// messages came, and puts off the moment.
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
	due := status.Due
	if heard.Add(grace).After(c.work.now) {
		status.Due = heard.Add(grace)
		return c.setStatus(tx, device, status)
	}
	status.Due = time.Time{}
	if device.registered && !status.OfflineSince.IsZero() {
		f := c.finding(protocols.Raised, RuleOffline, device, stamp(status.OfflineSince), status.OfflineSince, due)
		f.Explanation.Summary = silentFor(grace)
		status.OfflineFor = f.Enrolment
		c.find(f)
	}
	return c.setStatus(tx, device, status)
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

func silentFor(grace time.Duration) protocols.Text {
	long := inUnits(grace)
	return protocols.Text{
		FR: fmt.Sprintf("L'appareil s'est annoncé hors ligne, ou sa connexion s'est rompue, et rien n'en est venu pendant %s.", long),
		EN: fmt.Sprintf("The device said that it is offline, or its connection broke, and nothing came from it for %s.", long),
	}
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
