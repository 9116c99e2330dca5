package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"sync"

	"github.com/jackc/pgx/v5"

	"vigie/ingest"
	"vigie/protocols"
)

// A row on which a decision rests carries a checksum in its column sum. Where much is
// written, of readings and states, it is ingest.Guard's, computed by the node that
// writes. Elsewhere the database computes it when it writes the row (a generated
// column), over the text of the others. It is compared where the row is read and when
// all is looked at. What does not fit is left out and told.
//
// Rows of readings and states from before there were checksums have none: all that is
// asked of them is that they can be read. Each new state gets one.

// guarded is one table whose rows the database gives a checksum.
type guarded struct {
	table   string
	key     string   // what tells its rows apart
	columns []string // what the checksum covers, as text; # stands behind JSON
	patient string   // in SQL, the name of whom a row is about; empty where it is about nobody
}

// guardedTables are all of them.
var guardedTables = []guarded{
	{"measures", "name", []string{"num::text", "name"}, ""},
	{"journal", "last", []string{"last::text", "first::text", "batch::text", "at::text"}, ""},
	{"strikes", "id", []string{"patient", "measure::text", "device", "reading", "moment::text", "amounts", "source::text", "variant::text",
		"at::text", "author", "reason", "undone::text", "undone_by", "undone_reason"}, "patient"},
	{"wide_acts", "id", []string{"id::text", "device", "at::text", "done::text", "body#"}, ""},
	{"registry_teams", "id", itemText, ""},
	{"registry_patients", "id", itemText, "id"},
	{"registry_devices", "id", itemText, ""},
	{"registry_enrolments", "id", []string{"id", "body#", "patient"}, "patient"},
	{"registry_feeds", "device || ' ' || enrolment", []string{"device", "enrolment", "since::text"}, "(SELECT patient FROM registry_enrolments WHERE id = enrolment)"},
	{"registry_fed", "device || ' ' || enrolment", []string{"device", "enrolment", "until::text"}, "(SELECT patient FROM registry_enrolments WHERE id = enrolment)"},
	{"registry_history", "seq", []string{"kind", "id", "at::text", "author", "body#"}, ""},
	{"registry_protocols", "id || ' ' || version", []string{"id", "version", "text", "first::text"}, ""},
	{"identities", "id", itemText, "id"},
	{"identity_history", "seq", []string{"id", "at::text", "author", "body#"}, "id"},
	{"identity_accesses", "seq", []string{"id", "at::text", "author", "reason"}, "id"},
	{"alerts", "id", alertText(), "patient"},
	{"alert_episodes", "enrolment || ' ' || device || ' ' || rule || ' ' || episode", []string{"enrolment", "device", "rule", "episode", "alert"}, "(SELECT patient FROM alerts WHERE id = alert)"},
	{"alert_explanations", "alert", []string{"alert", "body#"}, "(SELECT patient FROM alerts WHERE id = alert)"},
	{"alert_events", "seq", []string{"seq::text", "alert", "kind", "at::text", "level", "author", "note", "outcome"}, "(SELECT patient FROM alerts WHERE id = alert)"},
}

var itemText = []string{"id", "body#"}

// alertText are the columns of an alert as text.
func alertText() []string {
	texts := map[string]bool{"id": true, "enrolment": true, "device": true, "rule": true, "patient": true, "team": true, "protocol": true, "version": true,
		"title_fr": true, "title_en": true, "summary_fr": true, "summary_en": true, "episode": true, "state": true,
		"acknowledged_by": true, "resolved_by": true, "outcome": true, "note": true, "life": true}
	columns := strings.Fields(strings.ReplaceAll(alertColumns+", next_at", ",", " "))
	for i, column := range columns {
		if !texts[column] {
			columns[i] += "::text"
		}
	}
	return columns
}

// checksum is that of a row, under an alias with its point or none, as the database
// computes it.
func (g *guarded) checksum(alias string) string {
	parts := make([]string, len(g.columns))
	for i, column := range g.columns {
		if json, ok := strings.CutSuffix(column, "#"); ok {
			parts[i] = "(" + alias + json + " #>> '{}')"
		} else {
			parts[i] = alias + column
		}
	}
	return "hashtextextended(" + strings.Join(parts, " || chr(31) || ") + ", 0)"
}

// intact is true in SQL for the rows of a table, under an alias, that are what was
// written.
func intact(table, alias string) string {
	for i := range guardedTables {
		if guardedTables[i].table == table {
			return "(" + alias + ".sum IS NOT DISTINCT FROM " + guardedTables[i].checksum(alias+".") + ")"
		}
	}
	panic("postgres: the table " + table + " is not guarded")
}

// addSums are the statements that give tables their checksums.
func addSums(prefixes ...string) string {
	var steps []string
	for _, g := range guardedTables {
		for _, prefix := range prefixes {
			if strings.HasPrefix(g.table, prefix) {
				steps = append(steps, "ALTER TABLE "+g.table+" ADD COLUMN sum bigint GENERATED ALWAYS AS ("+g.checksum("")+") STORED;")
			}
		}
	}
	return strings.Join(steps, "\n")
}

// met remembers what was found damaged, and tells of each row once.
type met struct {
	log  *slog.Logger
	mu   sync.Mutex
	rows map[ingest.Damage]bool
}

func (m *met) tell(d ingest.Damage) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.rows[d] {
		return
	}
	if m.rows == nil {
		m.rows = map[ingest.Damage]bool{}
	}
	m.rows[d] = true
	m.log.Error("a row of the store is damaged and left out; restore a backup, and see vigie check --store", "table", d.Table, "row", d.Row, "patient", d.Patient)
}

// tellItem tells of an item of the registry, as kind.damaged names it.
func (m *met) tellItem(damaged string) {
	if table, row, found := strings.Cut(damaged, " "); found {
		m.tell(ingest.Damage{Table: table, Row: row})
	}
}

// Damaged is ingest.Verifier.Damaged.
func (s *Store) Damaged() []ingest.Damage {
	s.met.mu.Lock()
	defer s.met.mu.Unlock()
	list := make([]ingest.Damage, 0, len(s.met.rows))
	for d := range s.met.rows {
		list = append(list, d)
	}
	return list
}

var _ ingest.Verifier = (*Store)(nil)

// Verify is ingest.Verifier.Verify.
func (s *Store) Verify(ctx context.Context) (list ingest.DamagedRows, err error) {
	for _, g := range guardedTables {
		patient := g.patient
		if patient == "" {
			patient = "NULL"
		}
		rows, err := s.pool.Query(ctx, fmt.Sprintf("SELECT (%s)::text, coalesce(%s, '') FROM %s k WHERE NOT %s", g.key, patient, g.table, intact(g.table, "k")))
		if err != nil {
			return nil, fmt.Errorf("verify %s: %w", g.table, err)
		}
		d := ingest.Damage{Table: g.table}
		if _, err := pgx.ForEachRow(rows, []any{&d.Row, &d.Patient}, func() error { list = append(list, d); return nil }); err != nil {
			return nil, fmt.Errorf("verify %s: %w", g.table, err)
		}
	}
	if list, err = s.verifyReadings(ctx, list); err != nil {
		return nil, fmt.Errorf("verify the readings: %w", err)
	}
	if list, err = s.verifyStates(ctx, list); err != nil {
		return nil, fmt.Errorf("verify the states: %w", err)
	}
	return list, nil
}

func (s *Store) verifyReadings(ctx context.Context, list ingest.DamagedRows) (ingest.DamagedRows, error) {
	rows, err := s.pool.Query(ctx, "SELECT "+readingColumns+" FROM readings WHERE sum IS NOT NULL")
	if err != nil {
		return nil, err
	}
	var row row
	_, err = pgx.ForEachRow(rows, row.fields(), func() error {
		if !row.intact() {
			list = append(list, row.damage())
		}
		row.forget()
		return nil
	})
	return list, err
}

func (s *Store) verifyStates(ctx context.Context, list ingest.DamagedRows) (ingest.DamagedRows, error) {
	rows, err := s.pool.Query(ctx, "SELECT enrolment, coalesce((SELECT patient FROM registry_enrolments WHERE id = enrolment), ''), "+stateColumns+" FROM states")
	if err != nil {
		return nil, err
	}
	var patient string
	var found state
	_, err = pgx.ForEachRow(rows, append([]any{&found.enrolment, &patient}, found.fields()...), func() error {
		if !found.intact() {
			list = append(list, ingest.Damage{Table: "states", Row: found.enrolment, Patient: patient})
		}
		return nil
	})
	return list, err
}

// damage names the reading.
func (r *row) damage() ingest.Damage {
	return ingest.Damage{Table: "readings", Row: r.device + " " + fmt.Sprintf("%q", r.id), Patient: r.patient, From: fromNanos(r.time), To: fromNanos(r.time)}
}

// rare is what few readings have, as it is kept.
type rare struct {
	Struck bool   `json:"struck,omitempty"`
	Limits []byte `json:"limits,omitempty"`
	Unit   string `json:"unit,omitempty"`
	Time   string `json:"time,omitempty"`
	Batch  string `json:"batch,omitempty"`
}

// rareOf is the JSON of what few readings have; empty for the others.
func rareOf(r *protocols.Reading) string {
	if !r.Struck && r.Limits == nil && r.Origin == nil {
		return ""
	}
	more := rare{Struck: r.Struck}
	for _, limit := range r.Limits {
		more.Limits = append(more.Limits, byte(limit))
	}
	if r.Origin != nil {
		more.Unit, more.Time, more.Batch = r.Origin.Unit, r.Origin.Time, r.Origin.Batch
	}
	text, err := json.Marshal(&more)
	if err != nil {
		panic("postgres: strings can always be written as JSON: " + err.Error())
	}
	return string(text)
}

// into gives a reading what few have.
func (m *rare) into(r *protocols.Reading) {
	r.Struck = m.Struck
	if m.Limits != nil {
		r.Limits = make([]protocols.Limit, len(r.Values))
		for i := range min(len(r.Limits), len(m.Limits)) {
			r.Limits[i] = protocols.Limit(m.Limits[i])
		}
	}
	if m.Unit != "" || m.Time != "" || m.Batch != "" {
		r.Origin = &protocols.Origin{Unit: m.Unit, Time: m.Time, Batch: m.Batch}
	}
}

// readingGuard is what the checksum of a reading covers: what a row holds of it but the
// place where it stands in the journal.
func readingGuard(g ingest.Guard, id []byte, r *row, flags, context, more string) ingest.Guard {
	dayOnly := int64(0)
	if r.dayOnly {
		dayOnly = 1
	}
	return g[:0].Text(r.device).Bytes(id).Text(r.patient).Int(int64(r.measure)).Int(r.time).Int(int64(r.source)).Int(int64(r.variant)).
		Int(int64(r.battery)).Int(dayOnly).Text(r.amounts).Text(flags).Text(context).Text(more)
}
