package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"slices"

	"github.com/jackc/pgx/v5"

	"vigie/alerts"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// apply writes what findings do to alerts, in the open transaction: they are read in one
// round trip as a rule, however many there are, and written with the commit. An error
// asks to roll the transaction back.
//
// The transaction holds the states of the enrolments that were evaluated, so that
// nobody else is finding anything about them.
func (t *transaction) apply() error {
	if len(t.findings) == 0 || t.store.directory == nil {
		return nil
	}
	p, err := t.openPages()
	if err != nil {
		return fmt.Errorf("read the alerts that findings are about: %w", err)
	}
	changes, err := alerts.NewLedger(p, t.care()).Apply(t.findings)
	if err != nil {
		return err
	}
	return queueChanges(t.tx.waiting, changes)
}

// asOf is a directory that is told what the transaction has read of the registry.
type asOf interface {
	// Lacks are those of some enrolments that it would have to read itself.
	Lacks(version int64, enrolments []string) []string
	// AsOf is the directory by a version of the registry, and enrolments of it.
	AsOf(version int64, enrolments map[string]*registry.Enrolment) alerts.Directory
}

// care is the directory of this transaction.
func (t *transaction) care() alerts.Directory {
	if known, ok := t.store.directory.(asOf); ok && t.expected != nil {
		return known.AsOf(*t.expected, t.enrolments)
	}
	return t.store.directory
}

// queueCare reads enrolments that the directory will be asked for. What cannot be read
// is left to the directory.
func (t *transaction) queueCare(reads *pgx.Batch, of []string) {
	known, ok := t.store.directory.(asOf)
	if !ok || t.expected == nil {
		return
	}
	lacking := known.Lacks(*t.expected, of)
	if len(lacking) == 0 {
		return
	}
	t.enrolments = make(map[string]*registry.Enrolment, len(lacking))
	reads.Queue(enrolments.all()+"WHERE k.id = ANY ($1)", lacking).Query(func(rows pgx.Rows) error {
		var body []byte
		var damaged string
		_, err := pgx.ForEachRow(rows, []any{&body, &damaged}, func() error {
			var found registry.Enrolment
			if damaged == "" && body != nil && json.Unmarshal(body, &found) == nil {
				t.enrolments[found.ID] = &found
			}
			return nil
		})
		return err
	})
}

// pages is alerts.Pages, within one transaction. What findings are about was read in
// one round trip; anything else is read when it is asked for.
type pages struct {
	ctx context.Context
	tx  querier
	met *met

	standing map[alerts.EpisodeKey]*alerts.Entry
	rules    map[alerts.RuleKey][]*alerts.Entry
	patients map[string][]*alerts.Entry
}

// openPages reads, and holds until the commit, the alerts that stand for the episodes of
// findings and the unresolved ones of their rules. Beside them it reads what was
// resolved last, and what is open of the patients.
func (t *transaction) openPages() (*pages, error) {
	findings := t.findings
	p := &pages{
		ctx: t.ctx, tx: t.tx, met: &t.store.met,
		standing: map[alerts.EpisodeKey]*alerts.Entry{}, rules: map[alerts.RuleKey][]*alerts.Entry{}, patients: map[string][]*alerts.Entry{},
	}
	var enrolments, devices, rules, episodes, patients []string
	for i := range findings {
		of := alerts.EpisodeOf(&findings[i])
		if _, twice := p.standing[of]; twice {
			continue
		}
		p.standing[of], p.rules[of.RuleKey] = nil, nil
		enrolments, devices = append(enrolments, of.Enrolment), append(devices, of.Device)
		rules, episodes = append(rules, of.Rule), append(episodes, of.Episode)
		if patient := findings[i].Patient; patient != "" {
			p.patients[patient] = nil
			patients = append(patients, patient)
		}
	}
	reads := &pgx.Batch{}
	// For one or two findings a plan of their own looks cheaper, and takes ten times as
	// long to be made as it then saves: the one plan that there is finds each row by an index.
	reads.Queue("SET LOCAL plan_cache_mode = force_generic_plan")
	queueTurns(reads, findings)
	reads.Queue(unresolvedOfRules, enrolments, devices, rules).Query(p.ofRules)
	reads.Queue(standingOfEpisodes, enrolments, devices, rules, episodes).Query(p.standings)
	reads.Queue(resolvedOfRules, enrolments, devices, rules).Query(p.ofRules)
	reads.Queue(openOfPatients, patients).Query(p.ofPatients)
	t.queueCare(reads, enrolments)
	return p, t.tx.SendBatch(t.ctx, reads).Close()
}

// What is read for findings, a row at a time by an index: the planner, which does not
// know how few there are, would make up its mind anew each time, or read a whole table.
var (
	unresolvedOfRules = `SELECT found.* FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::text[], $3::text[]) AS given (enrolment, device, rule) ORDER BY 1, 2, 3) AS wanted
		CROSS JOIN LATERAL (SELECT ` + alertRow + ` FROM alerts WHERE state <> 'resolved'
			AND alerts.enrolment = wanted.enrolment AND alerts.device = wanted.device AND alerts.rule = wanted.rule ORDER BY id FOR UPDATE) AS found`
	standingOfEpisodes = `SELECT wanted.enrolment, wanted.device, wanted.rule, wanted.episode, found.*
		FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS given (enrolment, device, rule, episode) ORDER BY 1, 2, 3, 4) AS wanted
		CROSS JOIN LATERAL (SELECT CASE WHEN ` + intact("alert_episodes", "e") + ` THEN e.alert ELSE (SELECT o.id FROM alerts o
				WHERE o.enrolment = e.enrolment AND o.device = e.device AND o.rule = e.rule ORDER BY (o.episode = e.episode) DESC, o.raised_at DESC LIMIT 1) END AS alert
			FROM alert_episodes e WHERE e.enrolment = wanted.enrolment AND e.device = wanted.device AND e.rule = wanted.rule AND e.episode = wanted.episode OFFSET 0) AS stands
		CROSS JOIN LATERAL (SELECT ` + alertRow + ` FROM alerts WHERE id = stands.alert FOR UPDATE) AS found`
	resolvedOfRules = `SELECT found.* FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::text[], $3::text[]) AS given (enrolment, device, rule)) AS wanted
		CROSS JOIN LATERAL (SELECT ` + alertRow + ` FROM alerts WHERE state = 'resolved'
			AND alerts.enrolment = wanted.enrolment AND alerts.device = wanted.device AND alerts.rule = wanted.rule ORDER BY resolved_at DESC, number DESC LIMIT 1) AS found`
	openOfPatients = `SELECT found.* FROM (SELECT DISTINCT * FROM unnest($1::text[]) AS given (patient)) AS wanted
		CROSS JOIN LATERAL (SELECT ` + alertRow + ` FROM alerts WHERE state = 'open' AND alerts.patient = wanted.patient OFFSET 0) AS found`
)

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

func (p *pages) ofRules(rows pgx.Rows) error {
	found, err := p.met.collect(rows)
	for _, entry := range found {
		of := alerts.RuleKey{Enrolment: entry.Alert.Enrolment, Device: entry.Alert.Device, Rule: entry.Alert.Rule}
		p.rules[of] = append(p.rules[of], entry)
	}
	return err
}

func (p *pages) ofPatients(rows pgx.Rows) error {
	found, err := p.met.collect(rows)
	for _, entry := range found {
		p.patients[entry.Alert.Patient] = append(p.patients[entry.Alert.Patient], entry)
	}
	return err
}

func (p *pages) standings(rows pgx.Rows) error {
	var of alerts.EpisodeKey
	var r record
	_, err := pgx.ForEachRow(rows, append([]any{&of.Enrolment, &of.Device, &of.Rule, &of.Episode}, r.fields()...), func() (err error) {
		p.standing[of], err = p.met.entry(&r)
		return err
	})
	return err
}

// Standing is part of alerts.Pages.
func (p *pages) Standing(of alerts.EpisodeKey) (*alerts.Entry, error) { return p.standing[of], nil }

// OfRule is part of alerts.Pages.
func (p *pages) OfRule(of alerts.RuleKey) ([]*alerts.Entry, error) {
	if found, ok := p.rules[of]; ok {
		return found, nil
	}
	found, err := p.read(`SELECT `+alertRow+` FROM alerts WHERE enrolment = $1 AND device = $2 AND rule = $3 AND (state <> 'resolved'
		OR number = (SELECT number FROM alerts WHERE enrolment = $1 AND device = $2 AND rule = $3 AND state = 'resolved'
			ORDER BY resolved_at DESC, number DESC LIMIT 1))`, of.Enrolment, of.Device, of.Rule)
	return found, err
}

// OpenOf is part of alerts.Pages.
func (p *pages) OpenOf(patient string) ([]*alerts.Entry, error) {
	if found, ok := p.patients[patient]; ok {
		return found, nil
	}
	return p.read(`SELECT `+alertRow+` FROM alerts WHERE state = 'open' AND patient = $1`, patient)
}

// ByID is part of alerts.Pages. It holds the alert until the commit.
func (p *pages) ByID(id string) (*alerts.Entry, error) {
	found, err := p.read(`SELECT `+alertRow+` FROM alerts WHERE id = $1 FOR UPDATE`, plain(id))
	if err != nil || len(found) == 0 {
		return nil, err
	}
	rows, err := p.tx.Query(p.ctx, `SELECT body FROM alert_explanations x WHERE alert = $1 AND `+intact("alert_explanations", "x"), plain(id))
	if err != nil {
		return nil, fmt.Errorf("read the explanation of an alert: %w", err)
	}
	explanations, err := pgx.CollectRows(rows, pgx.RowTo[*protocols.Explanation])
	if err != nil {
		return nil, fmt.Errorf("read the explanation of an alert: %w", err)
	}
	if len(explanations) > 0 {
		found[0].Alert.Explanation = explanations[0]
	}
	return found[0], nil
}

func (p *pages) read(query string, args ...any) ([]*alerts.Entry, error) {
	rows, err := p.tx.Query(p.ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	found, err := p.met.collect(rows)
	if err != nil {
		return nil, fmt.Errorf("read alerts: %w", err)
	}
	return found, nil
}

// saveChanges writes what a ledger has changed.
func saveChanges(ctx context.Context, tx pgx.Tx, changes alerts.Changes) error {
	writes := &pgx.Batch{}
	if err := queueChanges(writes, changes); err != nil || writes.Len() == 0 {
		return err
	}
	if err := tx.SendBatch(ctx, writes).Close(); err != nil {
		return fmt.Errorf("write alerts: %w", err)
	}
	return nil
}

func queueChanges(writes *pgx.Batch, changes alerts.Changes) error {
	for _, entry := range changes.Added {
		if err := queueInsert(writes, entry); err != nil {
			return err
		}
	}
	for _, entry := range changes.Changed {
		if err := queueUpdate(writes, entry); err != nil {
			return err
		}
	}
	for _, stands := range changes.Stands {
		of := stands.Episode
		writes.Queue(`INSERT INTO alert_episodes (enrolment, device, rule, episode, alert) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (enrolment, device, rule, episode) DO UPDATE SET alert = excluded.alert`,
			of.Enrolment, of.Device, of.Rule, of.Episode, stands.Entry.Alert.ID)
	}
	queueFollow(writes, changes.Events, changes.Outgoing)
	return nil
}
