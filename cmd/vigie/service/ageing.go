package service

import (
	"context"
	"crypto/rand"
	"slices"
	"strings"
	"time"

	"vigie/alerts/access"
	"vigie/alerts/erasure"
	"vigie/alerts/trail"
	"vigie/cmd/vigie/config"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// keepings lists every category with its time and its ground.
func keepings(c config.Config) (list []erasure.Keeping) {
	for _, kept := range erasure.Kinds {
		if ground := c.Retention.Ground(kept.Key); ground != "" {
			kept.Ground = protocols.Text{FR: ground, EN: ground}
		}
		list = append(list, erasure.Keeping{Kept: kept, For: c.Retention.For(kept.Key), Due: erasure.Uncounted})
	}
	return list
}

// Retained says what is kept for how long, on which ground, and how much would go now. It
// changes nothing, beside a service that may be running.
func (t *Tools) Retained(ctx context.Context, now time.Time) ([]erasure.Keeping, error) {
	a := ageing{b: t.whole, c: t.config, now: now, dry: true}
	return a.all(ctx)
}

// retained is Tools.Retained for the workspace.
func (s *Service) retained(ctx context.Context) ([]erasure.Keeping, error) {
	a := ageing{b: s.backend, c: s.Config, now: s.Now(), dry: true}
	return a.all(ctx)
}

// ageing is one look for what is older than it is kept.
type ageing struct {
	b   *backend
	c   config.Config
	now time.Time
	dry bool

	places map[string]int64 // in the chains of the trail
	trail  *trail.Trail     // of this node, to write what goes
}

// age forgets, once a day, what is older than the configuration keeps it. It says so in
// the log without a name.
func (s *Service) age(ctx context.Context, now time.Time) error {
	if s.aged == nil {
		s.aged = map[string]int64{}
	}
	a := ageing{b: s.backend, c: s.Config, now: now, places: s.aged, trail: s.trail}
	list, err := a.all(ctx)
	for _, k := range list {
		switch {
		case k.Due <= 0 || k.Key == erasure.KeptAsides: // told by Prune
		case k.Key == erasure.KeptIdentity:
			s.Log.Info("patients whose care ended long ago are erased at the next start", "patients", k.Due)
		default:
			s.Log.Info("forgot what is older than its retention", "category", k.Key, "rows", k.Due)
		}
	}
	return err
}

// all goes through every category.
func (a *ageing) all(ctx context.Context) ([]erasure.Keeping, error) {
	list := keepings(a.c)
	for i := range list {
		k := &list[i]
		if k.For == 0 {
			continue
		}
		var err error
		switch before := a.now.Add(-k.For); k.Key {
		case erasure.KeptAlerts:
			k.Due, err = a.alerts(ctx, before)
		case erasure.KeptTrail:
			k.Due, err = a.traces(ctx, before)
		case erasure.KeptIdentity:
			var patients []string
			patients, err = a.identities(ctx, before)
			k.Due = len(patients)
		case erasure.KeptSessions:
			// By the clock on people's wall, as access has it; none that still lets somebody in.
			before = time.Now().Add(-max(k.For, a.c.Access.Absolute, a.c.Access.Idle))
			k.Due, err = a.b.store.Age(ctx, k.Key, "", before, a.dry)
		case erasure.KeptActs:
			k.Due, err = a.b.store.Age(ctx, k.Key, "", before, a.dry)
		case erasure.KeptAsides:
			k.Due, err = a.b.store.Age(ctx, k.Key, "", before, true) // Prune forgets them
		}
		if err != nil {
			return list, err
		}
	}
	return list, nil
}

// alerts forgets those that were resolved before a time, of patients who are not followed
// any more since.
func (a *ageing) alerts(ctx context.Context, before time.Time) (due int, err error) {
	patients, err := a.b.store.Aged(ctx, before)
	if err != nil {
		return 0, err
	}
	for _, patient := range patients {
		over, err := a.over(ctx, patient, before)
		if err != nil {
			return due, err
		}
		if !over {
			continue
		}
		n, err := a.b.store.Age(ctx, erasure.KeptAlerts, patient, before, a.dry)
		if due += n; err != nil {
			return due, err
		}
	}
	return due, nil
}

// over reports whether all care of a patient ended before a time. Of nobody it is over.
func (a *ageing) over(ctx context.Context, patient string, before time.Time) (bool, error) {
	if patient == "" {
		return true, nil
	}
	enrolments, err := a.b.registry.EnrolmentsOf(ctx, patient)
	going := func(e registry.Enrolment) bool { return e.Proposed || e.Ends().IsZero() || !e.Ends().Before(before) }
	return !slices.ContainsFunc(enrolments, going), err
}

// identities lists the patients all of whose care ended before a time, and whom nothing
// else holds: an open alert, a merge, an errand to InfluxDB.
func (a *ageing) identities(ctx context.Context, before time.Time) (due []string, err error) {
	persons, err := a.b.erasure.Persons(ctx)
	if err != nil {
		return nil, err
	}
	for _, patient := range persons {
		enrolments, err := a.b.registry.EnrolmentsOf(ctx, patient)
		if err != nil {
			return nil, err
		}
		if over, err := a.over(ctx, patient, before); err != nil || !over || len(enrolments) == 0 {
			if err != nil {
				return nil, err
			}
			continue
		}
		subject, err := a.b.erasure.Subject(ctx, patient, a.now)
		if err != nil {
			return nil, err
		}
		if mayErase(subject, &Erasing{Author: retentionAuthor, Reason: retentionAuthor}) == nil {
			due = append(due, patient)
		}
	}
	return due, nil
}

// retentionAuthor signs what nobody asked for by hand.
const retentionAuthor = "retention"

// traces takes out of the trail of whom and why, of entries from before a time.
func (a *ageing) traces(ctx context.Context, before time.Time) (int, error) {
	number := "retention-" + strings.ToLower(rand.Text())
	places := a.places
	if a.dry {
		places = map[string]int64{}
	}
	was := make(map[string]int64, len(places))
	for chain, place := range places {
		was[chain] = place
	}
	list, err := trail.Old(ctx, a.b.trail, number, before, places)
	if err == nil && !a.dry && len(list) > 0 {
		who := access.Who{Name: retentionAuthor, From: "service"}
		err = a.trail.Erase(ctx, trail.Entry{Kind: trail.Act, Deed: "retention"}.Of(who), number, list)
		if err == nil {
			err = a.b.trail.Strip(ctx, number, list)
		}
	}
	if err != nil {
		clear(places)
		for chain, place := range was {
			places[chain] = place
		}
	}
	return len(list), err
}

// dueErasures adds to the list of a data folder whom the configuration keeps no longer, so
// that they are erased before the store is served. With another node at work nothing is
// added: it waits for the next start.
func dueErasures(ctx context.Context, c config.Config, b *backend, now time.Time) error {
	if c.Retention.Identity == 0 || b.erasure.Alone(ctx) != nil {
		return nil
	}
	a := ageing{b: b, c: c, now: now}
	patients, err := a.identities(ctx, now.Add(-c.Retention.Identity))
	if err != nil {
		return err
	}
	var records []erasure.Record
	for _, patient := range patients {
		records = append(records, erasure.NewRecord(patient, retentionAuthor, groundOf(c, erasure.KeptIdentity), now))
	}
	if len(records) == 0 {
		return nil
	}
	return addErasures(c.Data, records...)
}

func groundOf(c config.Config, key string) string {
	list := keepings(c)
	i := slices.IndexFunc(list, func(k erasure.Keeping) bool { return k.Key == key })
	return "retention." + key + ": " + list[i].Ground.In(c.Language)
}
