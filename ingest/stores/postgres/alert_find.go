package postgres

import (
	"cmp"
	"context"
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/jackc/pgx/v5"

	"vigie/alerts"
	"vigie/protocols"
)

// find writes what findings do to alerts, in the open transaction, in two round
// trips however many there are. An error asks to roll the transaction back.
//
// The caller holds the states of the enrolments that were evaluated, so that
// nobody else is finding anything about them.
func (s *Store) find(ctx context.Context, tx pgx.Tx, findings []protocols.Finding) error {
	if len(findings) == 0 {
		return nil
	}
	l, err := load(ctx, tx, findings)
	if err != nil {
		return fmt.Errorf("read the alerts that findings are about: %w", err)
	}
	cares := map[string]alerts.Care{} // of this transaction
	for i := range findings {
		f := &findings[i]
		care, ok := cares[f.Enrolment]
		if !ok {
			if care, err = alerts.CareFor(s.directory, f.Enrolment); err != nil {
				return fmt.Errorf("rule %s of enrolment %q: %w", f.Rule, f.Enrolment, err)
			}
			cares[f.Enrolment] = care
		}
		l.apply(f, care)
	}
	return l.write(ctx, tx)
}

// ruleKey names a rule as it rings for one patient, and one device.
type ruleKey struct{ enrolment, device, rule string }

type episodeKey struct {
	ruleKey
	episode string
}

func keyOf(f *protocols.Finding) episodeKey {
	return episodeKey{ruleKey{f.Enrolment, f.Device, f.Rule}, f.Episode}
}

// ledger holds the alerts that findings are about, and what has changed.
type ledger struct {
	alerts   map[string]*entry
	standing map[episodeKey]*entry
	of       map[ruleKey][]*entry

	added, changed []*entry // in the order in which they first were
	stands         []episodeKey
	events         []alerts.Event
	outgoing       []alerts.Outgoing
	last           int64 // number of the latest alert, a new one counted
}

type entry struct {
	known
	dirty bool
}

// load reads, and holds until the commit, the alerts that stand for the episodes
// of findings and the unresolved ones of their rules.
func load(ctx context.Context, tx pgx.Tx, findings []protocols.Finding) (*ledger, error) {
	l := &ledger{alerts: map[string]*entry{}, standing: map[episodeKey]*entry{}, of: map[ruleKey][]*entry{}}
	var enrolments, devices, rules, episodes []string
	for i := range findings {
		key := keyOf(&findings[i])
		if _, twice := l.standing[key]; twice {
			continue
		}
		l.standing[key] = nil
		enrolments, devices = append(enrolments, key.enrolment), append(devices, key.device)
		rules, episodes = append(rules, key.rule), append(episodes, key.episode)
	}
	reads := &pgx.Batch{}
	queueTurns(reads, findings)
	reads.Queue(`SELECT `+alertColumns+` FROM alerts WHERE state <> 'resolved'
		AND (enrolment, device, rule) IN (SELECT * FROM unnest($1::text[], $2::text[], $3::text[]))
		ORDER BY id FOR UPDATE`, enrolments, devices, rules).Query(l.unresolved)
	reads.Queue(`SELECT e.enrolment, e.device, e.rule, e.episode, a.* FROM alert_episodes e JOIN (SELECT `+alertColumns+` FROM alerts) a ON a.id = e.alert
		WHERE (e.enrolment, e.device, e.rule, e.episode) IN (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]))
		ORDER BY a.id FOR UPDATE OF a`, enrolments, devices, rules, episodes).Query(l.standings)
	return l, tx.SendBatch(ctx, reads).Close()
}

// turns is how many queues technical findings wait in, by device.
const turns = 64

// queueTurns makes transactions with technical findings about one device wait
// for each other: no state of an enrolment stands for these.
func queueTurns(reads *pgx.Batch, findings []protocols.Finding) {
	var queues []int32
	for i := range findings {
		if device := findings[i].Device; device != "" {
			hash := fnv.New32a()
			hash.Write([]byte(device))
			queues = append(queues, int32(hash.Sum32()%turns))
		}
	}
	slices.Sort(queues)
	if queues = slices.Compact(queues); len(queues) > 0 {
		reads.Queue(`SELECT pg_advisory_xact_lock($1, queue) FROM unnest($2::int[]) AS queue`, int32(lockDevices), queues)
	}
}

func (l *ledger) unresolved(rows pgx.Rows) error {
	found, err := collect(rows)
	for _, k := range found {
		l.enter(k)
	}
	return err
}

func (l *ledger) standings(rows pgx.Rows) error {
	var key episodeKey
	var r record
	_, err := pgx.ForEachRow(rows, append([]any{&key.enrolment, &key.device, &key.rule, &key.episode}, r.fields()...), func() error {
		found := known{r.number, r.alert()}
		e := l.alerts[found.alert.ID]
		if e == nil {
			e = l.enter(found)
		}
		l.standing[key] = e
		return nil
	})
	return err
}

func (l *ledger) enter(k known) *entry {
	e := &entry{known: k}
	l.alerts[k.alert.ID] = e
	rule := ruleKey{k.alert.Enrolment, k.alert.Device, k.alert.Rule}
	l.of[rule] = append(l.of[rule], e)
	l.last = max(l.last, k.number)
	return e
}

// current returns the latest unresolved alert of a rule. One that was resolved may have
// been opened again by a finding before.
func (l *ledger) current(rule ruleKey) *entry {
	var latest *entry
	for _, e := range l.of[rule] {
		if e.alert.State == alerts.Resolved {
			continue
		}
		if latest == nil || cmp.Or(e.alert.RaisedAt.Compare(latest.alert.RaisedAt), cmp.Compare(e.number, latest.number)) > 0 {
			latest = e
		}
	}
	return latest
}

// apply enters what one finding does.
func (l *ledger) apply(f *protocols.Finding, care alerts.Care) {
	key := keyOf(f)
	next, events, outgoing := alerts.Apply(l.standing[key].alertOf(), l.current(key.ruleKey).alertOf(), *f, care, f.Found)
	if next == nil {
		return
	}
	e := l.alerts[next.ID]
	switch {
	case e == nil:
		e = l.enter(known{l.last + 1, *next})
		e.dirty = true
		l.added = append(l.added, e)
	case !e.dirty:
		e.dirty = true
		l.changed = append(l.changed, e)
	}
	e.alert = *next
	if l.standing[key] != e {
		l.standing[key] = e
		l.stands = append(l.stands, key)
	}
	l.events = append(l.events, events...)
	l.outgoing = append(l.outgoing, outgoing...)
}

func (e *entry) alertOf() *alerts.Alert {
	if e == nil {
		return nil
	}
	return &e.alert
}

// write sends all that has changed.
func (l *ledger) write(ctx context.Context, tx pgx.Tx) error {
	writes := &pgx.Batch{}
	for _, e := range l.added {
		if err := queueInsert(writes, &e.alert); err != nil {
			return err
		}
	}
	for _, e := range l.changed {
		if err := queueUpdate(writes, &e.alert); err != nil {
			return err
		}
	}
	for _, key := range l.stands {
		writes.Queue(`INSERT INTO alert_episodes (enrolment, device, rule, episode, alert) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (enrolment, device, rule, episode) DO UPDATE SET alert = excluded.alert`,
			key.enrolment, key.device, key.rule, key.episode, l.standing[key].alert.ID)
	}
	queueFollow(writes, l.events, l.outgoing)
	if writes.Len() == 0 {
		return nil
	}
	if err := tx.SendBatch(ctx, writes).Close(); err != nil {
		return fmt.Errorf("write alerts: %w", err)
	}
	return nil
}
