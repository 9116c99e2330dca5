package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"vigie/ingest"
)

// beginAnew has every device count its ids from 0 again half-way through its life, as
// after a change of battery.
func (w *ward) beginAnew() {
	for _, life := range w.life {
		for i := len(life) / 2; i < len(life); i++ {
			p := &life[i]
			id := life[i-len(life)/2].id
			p.payload = bytes.Replace(p.payload, []byte(p.id), []byte(id), 1)
			p.id = id
		}
	}
}

// countersRestart kills the service under devices whose counters begin anew. Each reading
// is kept, the alerts are those of the same readings under ids of their own, and one
// technical alert names each device.
func countersRestart(b *bench, ctx context.Context) (r row, err error) {
	times := max(3, b.options.Kills/10)
	patients, readings := b.scale(times)
	end := time.Now().Add(-15 * time.Minute)
	w, twin := newWard(patients, readings, end, b.people.hook.URL), newWard(patients, readings, end, b.people.hook.URL)
	w.beginAnew()
	t, err := b.newTrial(ctx, w)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	if err := t.shaken(ctx, times, rudely, t.kill); err != nil {
		return r, err
	}
	t.crowd.allow(1, 1)
	if err := t.await(ctx, w.readings()); err != nil {
		return r, err
	}
	got, err := t.settled(ctx)
	if err != nil {
		return r, err
	}
	want, err := b.undisturbed(ctx, twin)
	if err != nil {
		return r, err
	}
	j := &judge{out: b.out}
	named := got.without(ingest.RuleReused)
	if named != len(w.devices) {
		j.missed++
		j.says("%d alerts say that a device uses its ids again, want one for each of %d", named, len(w.devices))
	}
	j.readings(t.crowd, got)
	j.alerts(got, want)
	j.messages(b.people, got, want)
	return row{counts: j.counts, times: len(w.devices), note: fmt.Sprintf("%s, %d named, %d kills", j.atStake(), named, times)}, j.meant()
}

// without takes the alerts of a rule, and what happened to them, out of a record, and
// returns how many there were.
func (r *record) without(rule string) (count int) {
	for id, line := range r.alerts {
		if !strings.Contains(line, " "+rule+" ") {
			continue
		}
		count++
		delete(r.alerts, id)
		for event := range r.events {
			if strings.HasPrefix(event, id+" ") {
				delete(r.events, event)
			}
		}
	}
	return count
}
