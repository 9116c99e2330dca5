package ingest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	sqlitelib "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"pgregory.net/rapid"

	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/library"
)

// TestFaultsOnTheWayChangeNothing lives some days of a ward twice: once as it
// is, and once with messages that are committed together, delivered again, met by
// faults of the store before, in and after the commit, and with restarts and hardly
// any memory. Whatever the registry, the sweeps and the clock do meanwhile, what is
// kept, what is found and what is set aside are the same.
func TestFaultsOnTheWayChangeNothing(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		story := tell(r)
		calm := newWard(t, r, 100)
		defer calm.close()
		for _, e := range story {
			calm.live(e)
		}
		rough := newWard(t, r, rapid.SampledFrom([]int{1, 2, 100}).Draw(r, "states in memory"))
		defer rough.close()
		rough.disturbed = true
		for i := 0; i < len(story); {
			i += rough.liveSome(story[i:])
		}
		for _, of := range []struct {
			what string
			list func(*ward) []string
		}{{"kept", (*ward).kept}, {"found", (*ward).findings}, {"set aside", (*ward).aside}, {"said of themselves", (*ward).statuses}} {
			want, got := of.list(calm), of.list(rough)
			if !slices.Equal(got, want) {
				r.Fatalf("%v\n%s:\nonly when disturbed: %s\nonly when calm: %s", story, of.what, strings.Join(without(got, want), "\n  "), strings.Join(without(want, got), "\n  "))
			}
		}
		if kept := rough.kept(); len(slices.Compact(kept)) != len(kept) {
			r.Fatalf("kept twice: %v", kept)
		}
	})
}

// without lists what is in a and not in b.
func without(a, b []string) (left []string) {
	b = slices.Clone(b)
	for _, x := range a {
		if i := slices.Index(b, x); i >= 0 {
			b = slices.Delete(b, i, i+1)
		} else {
			left = append(left, x)
		}
	}
	return left
}

// event is something that happens on the ward.
type event struct {
	what    string
	move    time.Duration
	device  string
	kind    string
	payload string
	late    bool // something later was measured before
	enter   *registry.Registry
	sweep   bool
}

func (e event) String() string {
	switch {
	case e.device != "":
		return "\n" + e.device + " " + e.payload
	case e.sweep:
		return "\nsweep"
	case e.enter != nil:
		return "\n" + e.what
	}
	return "\n" + e.what + " " + e.move.String()
}

// ward is a service that lives a story.
type ward struct {
	*service
	r         *rapid.T
	disturbed bool
	options   []option
	fault     func(ingest.Tx) error // before, in, or after the next transaction
	where     string
	delivered []event // since the registry changed, or the clock moved after it was put back
	back      bool    // the clock was put back
}

var wardPlans = ingest.Plans(wardProtocol)

var shipped = func() map[string]*protocols.Protocol {
	all, err := library.Library(yaml.Parse)
	if err != nil {
		panic(err)
	}
	return all
}()

// edition is a protocol of the library as its first version in the ward, whatever the
// number it ships under.
func edition(id string) *protocols.Protocol {
	for _, p := range shipped {
		if p.ID == id {
			first := *p
			first.Version = "1"
			return &first
		}
	}
	return nil
}

// wardProtocol is the library of the ward: in the second version of a protocol
// the rules come in another order, and one is gone.
func wardProtocol(id, version string) *protocols.Protocol {
	p := edition(id)
	if p == nil || version == "1" {
		return p
	}
	second := *p
	second.Version = version
	second.Rules = slices.Clone(p.Rules[1:])
	slices.Reverse(second.Rules)
	return &second
}

func newWard(t *testing.T, r *rapid.T, states int) *ward {
	folder, err := os.MkdirTemp(t.TempDir(), "")
	if err != nil {
		r.Fatal(err)
	}
	w := &ward{r: r}
	w.options = []option{func(c *ingest.Config) {
		c.Plans, c.Limits.States, c.Limits.Rate = wardPlans, states, 0
		c.Store = &troubledStore{c.Store, w}
	}}
	w.service = prepare(t, folder, w.options...)
	w.enter(firstDay())
	return w
}

func (w *ward) close() { w.stop() }

// troubledStore meets the fault that the ward wants next.
type troubledStore struct {
	ingest.Store
	ward *ward
}

func (s *troubledStore) Update(ctx context.Context, work func(ingest.Tx) error) error {
	fault, where := s.ward.fault, s.ward.where
	s.ward.fault = nil
	if fault == nil {
		return s.Store.Update(ctx, work)
	}
	if where == "before" {
		return fault(nil)
	}
	var failed error
	err := s.Store.Update(ctx, func(tx ingest.Tx) error {
		if where == "keep" {
			return work(keepFails{tx, fault})
		}
		if err := work(tx); err != nil {
			return err
		}
		if where == "commit" {
			return fault(tx)
		}
		failed = fault(tx)
		return nil
	})
	return errors.Join(err, failed)
}

type keepFails struct {
	ingest.Tx
	fault func(ingest.Tx) error
}

func (k keepFails) Keep(readings []*protocols.Reading, at time.Time) ([]ingest.Fate, error) {
	if _, err := k.Tx.Keep(readings, at); err != nil {
		return nil, err
	}
	return nil, k.fault(k.Tx)
}

// live lets one event happen.
func (w *ward) live(e event) {
	switch {
	case e.device != "":
		if err := w.publish(e.device, e.kind, e.payload); err != nil {
			w.r.Fatalf("%v: %v", e, err)
		}
		w.delivered = append(w.delivered, e)
	case e.enter != nil:
		w.enter(e.enter)
		w.delivered = nil
	case e.sweep:
		if _, err := w.Sweep(w.t.Context()); err != nil {
			w.r.Fatal(err)
		}
	default:
		w.move(e.move)
		if w.back = w.back || e.move < 0; w.back {
			w.delivered = nil // what is entered may lie ahead: the same may be refused for more, or for other reasons
		}
	}
}

// liveSome lets one or more events happen, with trouble, and says how many.
func (w *ward) liveSome(story []event) int {
	if rapid.IntRange(0, 15).Draw(w.r, "restart") == 0 {
		w.restart(w.options...)
	}
	if len(w.delivered) > 0 && rapid.IntRange(0, 3).Draw(w.r, "deliver again") == 0 {
		again := rapid.SampledFrom(w.delivered).Draw(w.r, "again")
		if again.kind == ingest.ReadingsTopic {
			w.live(again)
		}
	}
	w.trouble()
	together := 0
	for together < len(story) && story[together].device != "" && !story[together].late {
		together++
	}
	if together > 1 {
		together = rapid.IntRange(1, together).Draw(w.r, "together")
	}
	if together <= 1 {
		w.live(story[0])
		w.fault = nil
		return 1
	}
	w.burst(story[:together])
	w.fault = nil
	return together
}

// trouble arranges for the next transaction to fail once.
func (w *ward) trouble() {
	w.where = rapid.SampledFrom([]string{"", "", "before", "keep", "commit", "after"}).Draw(w.r, "fault")
	if w.where == "" {
		return
	}
	kind := rapid.SampledFrom([]string{"conflict", "conflict", "conflict", "conflict", "conflict", "error", "panic"}).Draw(w.r, "kind of fault")
	w.fault = func(ingest.Tx) error {
		switch kind {
		case "conflict":
			return fmt.Errorf("somebody was faster: %w", ingest.ErrConflict)
		case "error":
			return errDisk
		}
		panic("a fault")
	}
}

// burst has messages committed in as few transactions as it comes.
func (w *ward) burst(events []event) {
	var failed atomic.Pointer[error]
	done := make(chan struct{})
	for _, e := range events {
		w.Submit(w.t.Context(), ingest.Message{Topic: "vigie/v1/" + e.device + "/" + e.kind, Device: e.device, Client: e.device, Payload: []byte(e.payload), Received: w.clock(),
			Done: func(err error) {
				if err != nil {
					failed.Store(&err)
				}
				done <- struct{}{}
			}})
	}
	for range events {
		<-done
	}
	if err := failed.Load(); err != nil {
		w.r.Fatalf("not acknowledged: %v", *err)
	}
	w.delivered = append(w.delivered, events...)
}

// query lists rows as lines, in order.
func (w *ward) query(sql string) (list []string) {
	err := w.store.Read(w.t.Context(), func(conn *sqlitelib.Conn) error {
		return sqlitex.Execute(conn, sql, &sqlitex.ExecOptions{ResultFunc: func(row *sqlitelib.Stmt) error {
			var columns []string
			for i := range row.ColumnCount() {
				columns = append(columns, row.ColumnText(i))
			}
			list = append(list, strings.Join(columns, " "))
			return nil
		}})
	})
	if err != nil {
		w.r.Fatal(err)
	}
	slices.Sort(list)
	return list
}

func (w *ward) findings() (list []string) {
	for _, f := range w.witness.Findings() {
		why := ""
		if f.Explanation != nil {
			why = f.Explanation.Summary.FR
		}
		list = append(list, fmt.Sprint(f.Kind, " ", f.Rule, " ", f.Enrolment, " ", f.Device, " ", f.Level, " ", f.Episode, " ", why))
	}
	slices.Sort(list)
	return list
}

// raised lists the rules that have rung, with the enrolment, a battery's apart.
func (w *ward) raised() (list []string) {
	for _, f := range w.witness.Findings() {
		if f.Kind == protocols.Raised && f.Rule != ingest.RuleBattery {
			list = append(list, f.Rule+" "+f.Enrolment)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (w *ward) statuses() []string {
	return w.query("SELECT device, online, battery, at, low_since, offline_since, battery_at, due FROM device_status")
}

func (w *ward) aside() (list []string) {
	return w.query("SELECT device, reading, codes FROM set_aside")
}

// kept lists what the journal holds.
func (w *ward) kept() (list []string) {
	all, err := w.store.ReadingsAfter(w.t.Context(), 0, 1<<20)
	if err != nil {
		w.r.Fatal(err)
	}
	for _, k := range all {
		list = append(list, fmt.Sprintf("%s %s %s %s %v", k.Reading.Patient, k.Reading.Device, k.Reading.ID, k.Reading.Time.Format(time.RFC3339Nano), k.Reading.Values))
	}
	slices.Sort(list)
	return list
}

// firstDay is who is on the ward at first.
func firstDay() *registry.Registry {
	follow := func(id, patient, protocol, zone string, devices ...string) registry.Enrolment {
		return registry.Enrolment{ID: id, Patient: patient, Protocol: protocol, Version: "1", Zone: zone, Team: "team-1", Devices: devices,
			Consent: registry.Consent{Given: true, Date: start.AddDate(0, 0, -5), Scope: "télésurveillance"},
			From:    start.AddDate(0, 0, -5), Prescription: start.AddDate(0, 6, 0)}
	}
	return &registry.Registry{
		Patients: []registry.Patient{{ID: "w1"}, {ID: "w2"}},
		Devices: []registry.Device{{Name: "balance-1", Kind: "scale"}, {Name: "balance-2", Kind: "scale"}, {Name: "cuff", Kind: "blood-pressure-monitor"},
			{Name: "sensor", Kind: "cgm"}},
		Enrolments: []registry.Enrolment{
			follow("h1", "w1", "heart-failure", "Europe/Paris", "balance-1", "cuff"),
			follow("d1", "w1", "diabetes", "Europe/Paris", "sensor"),
			follow("h2", "w2", "heart-failure", "Indian/Reunion", "balance-2"),
			follow("d2", "w2", "diabetes", "Pacific/Tahiti"),
		},
	}
}

// teller makes up a story.
type teller struct {
	r      *rapid.T
	now    time.Time
	latest time.Time // measured
	count  int
	reg    *registry.Registry
	story  []event
}

func tell(r *rapid.T) []event {
	te := &teller{r: r, now: start, latest: start, reg: firstDay()}
	for range rapid.IntRange(1, 16).Draw(r, "events") {
		switch rapid.IntRange(0, 11).Draw(r, "event") {
		case 0, 1, 2, 3, 4:
			te.measure()
		case 5:
			te.say()
		case 6, 7, 8:
			te.pass()
		case 9:
			te.story = append(te.story, event{sweep: true})
			te.latest = te.now
		default:
			te.change()
		}
	}
	return append(te.story, event{sweep: true})
}

var wardDevices = []string{"balance-1", "balance-2", "cuff", "sensor"}

// measure has a device send one to three readings.
func (te *teller) measure() {
	device := rapid.SampledFrom(wardDevices).Draw(te.r, "device")
	age := rapid.SampledFrom([]time.Duration{time.Minute, time.Minute, time.Minute, time.Minute, 5 * time.Hour, 30 * time.Hour, 4 * 24 * time.Hour}).Draw(te.r, "age")
	var all []string
	late := false
	for range rapid.IntRange(1, 3).Draw(te.r, "readings") {
		te.count++
		at := te.now.Add(-age + time.Duration(te.count)*time.Millisecond)
		late = late || !at.After(te.latest)
		if at.After(te.latest) {
			te.latest = at
		}
		all = append(all, te.reading(device, at))
	}
	te.story = append(te.story, event{device: device, kind: ingest.ReadingsTopic, payload: "[" + strings.Join(all, ",") + "]", late: late || len(all) > 1})
}

func (te *teller) reading(device string, at time.Time) string {
	pick := func(values ...float64) float64 { return rapid.SampledFrom(values).Draw(te.r, "value") }
	flags := rapid.SampledFrom([]string{"", "", "", `"flags":["motion"],`, `"battery":9,`, `"battery":80,`}).Draw(te.r, "beside")
	var body string
	switch device {
	case "cuff":
		body = fmt.Sprintf(`"measure":"blood-pressure","values":{"systolic":%v,"diastolic":%v},"unit":"mmHg"`, pick(90, 120, 170, 185, 400), pick(60, 80))
	case "sensor":
		body = fmt.Sprintf(`"measure":"glucose","values":{"value":%v},"unit":"mg/dL"`, pick(45, 60, 65, 110, 260, 320))
	default:
		body = fmt.Sprintf(`"measure":"weight","values":{"value":%v},"unit":"kg"`, pick(78, 80, 81, 82.5, 84, 999))
	}
	return fmt.Sprintf(`{"id":"r%03d","time":%q,%s%s}`, te.count, at.Format(time.RFC3339Nano), flags, body)
}

// say has a device say something of itself.
func (te *teller) say() {
	te.story = append(te.story, event{device: rapid.SampledFrom(wardDevices).Draw(te.r, "device"), kind: ingest.StatusTopic,
		payload: rapid.SampledFrom([]string{`{"online":true}`, `{"online":false}`, `{"online":false}`, `{"online":true,"battery":8}`, `{"online":true,"battery":90}`}).Draw(te.r, "status")})
}

// pass lets time go by, or puts the clock back.
func (te *teller) pass() {
	d := rapid.SampledFrom([]time.Duration{time.Minute, 20 * time.Minute, 7 * time.Hour, 13 * time.Hour, 31 * time.Hour, 80 * time.Hour, -2 * time.Hour}).Draw(te.r, "passes")
	te.now = te.now.Add(d)
	te.story = append(te.story, event{what: "clock", move: d})
}

// later is the later of two moments: by a clock that was put back, what is entered anew
// would be older than what it replaces, and refused.
func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// change changes the registry.
func (te *teller) change() {
	i := rapid.IntRange(0, len(te.reg.Enrolments)-1).Draw(te.r, "enrolment")
	// What was entered before stays as it was.
	te.reg = &registry.Registry{Patients: te.reg.Patients, Devices: te.reg.Devices, Enrolments: slices.Clone(te.reg.Enrolments)}
	e := &te.reg.Enrolments[i]
	what := rapid.SampledFrom([]string{"hand over", "withdraw", "consent", "end", "begin", "set", "version", "pause", "zone"}).Draw(te.r, "change")
	switch what {
	case "hand over":
		device := rapid.SampledFrom(wardDevices).Draw(te.r, "device")
		for k := range te.reg.Enrolments {
			te.reg.Enrolments[k].Devices = slices.DeleteFunc(slices.Clone(te.reg.Enrolments[k].Devices), func(d string) bool { return d == device })
		}
		e.Devices = append(e.Devices, device)
	case "withdraw":
		if before := e.Consent.Withdrawn; before.IsZero() || te.now.Before(before) { // put off, it would be given in between
			e.Consent.Withdrawn = te.now
		}
	case "consent":
		e.Consent.Date, e.Consent.Withdrawn = later(te.now, e.Consent.Withdrawn), time.Time{}
	case "end":
		e.Prescription = te.now
	case "begin":
		next := *e
		next.ID, next.From, next.Prescription = fmt.Sprint("n", len(te.reg.Enrolments)), te.now, te.now.AddDate(0, 6, 0)
		te.reg.Enrolments = append(te.reg.Enrolments, next)
	case "set":
		te.count++
		name, values := "systolic-high", []protocols.Value{150_000, 165_000, 175_000}
		if e.Protocol == "diabetes" {
			return
		}
		e.Settings = protocols.Settings{name: {Value: rapid.SampledFrom(values).Draw(te.r, "setting"), Author: "a physician", Date: later(te.now, e.Settings[name].Date), Reason: fmt.Sprint("visit ", te.count)}}
	case "version":
		e.Version = map[string]string{"1": "2", "2": "1"}[e.Version]
	case "pause":
		e.Pauses = append(slices.Clone(e.Pauses), protocols.Pause{From: te.now, Until: te.now.AddDate(0, 0, 2), Author: "a nurse", Reason: "hospital"})
	case "zone":
		e.Zone = rapid.SampledFrom([]string{"Europe/Paris", "Pacific/Noumea", "America/Cayenne"}).Draw(te.r, "zone")
	}
	te.story = append(te.story, event{what: what, enter: te.reg})
}
