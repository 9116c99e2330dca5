package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// olderProgram names the variable with the path of an older version of the
// program, which deploy/upgrade-test builds.
const olderProgram = "VIGIE_TEST_OLDER"

// TestUpgradeOfASite replaces the nodes of a site by those of this version, on one
// PostgreSQL and behind one Mosquitto, while readings come. Old nodes make the database.
// They stop, since they know nothing of the clock that alerts now have: a new one brings
// the database up to date, and an old one is refused from then on. Some new ones are
// killed; patients are enrolled under a protocol that old nodes do not know. At the end
// all is as if one node of this version had done the work undisturbed. It runs by itself:
// what a kill explains is told by the second.
func TestUpgradeOfASite(t *testing.T) {
	old := os.Getenv(olderProgram)
	if old == "" {
		t.Skipf("needs an older version of the program: run deploy/upgrade-test, or give the path of one in %s", olderProgram)
	}
	w := newWorld(t)
	w.newer = w.folderOf(laterNights)
	// What a killed node had not committed goes to another one, behind newer readings.
	w.late = func(string) bool { return true }
	lone := w.site("alone", w.program, w.program)
	many := w.site("many", old, old, old, old)
	lone.enter(w.program, shippedWard(w.begin, shipped(t, w.program)))
	many.enter(old, shippedWard(w.begin, shipped(t, old)))
	t.Logf("made by the old nodes: %s", many.made())
	w.refusedBy(old)

	var kills []fault
	crash := func(node *process) {
		kills = append(kills, fault{"a node is killed", time.Now(), time.Now()})
		node.kill()
	}
	life, later := readingsOf(w.begin), 0
	steps := []struct {
		what string
		do   func()
	}{
		{"three old nodes work", func() {}},
		{"they stop, and a new one takes their place", func() {
			for _, node := range many.nodes {
				node.stop()
			}
			many.start(w.program)
		}},
		{"an old one that comes back is refused", func() { many.nodes[0].refused(old) }},
		{"the new one is killed and comes back", func() { crash(many.nodes[3]); many.nodes[3].start(w.program) }},
		{"the first two are replaced", func() { many.nodes[0].start(w.program); many.nodes[1].start(w.program) }},
		{"patients are enrolled under what only new ones know", func() {
			lone.enter(w.program, laterWard(w.begin))
			many.enter(w.program, laterWard(w.begin))
		}},
		{"their readings come", func() {}},
		{"one is killed and comes back", func() { crash(many.nodes[1]); many.nodes[1].start(w.program) }},
		{"the last is replaced", func() { many.nodes[2].start(w.program) }},
		{"four new nodes work", func() {}},
	}
	for i, step := range steps {
		t.Logf("%s %s", time.Now().UTC().Format(time.TimeOnly), step.what)
		part := life[i*len(life)/len(steps) : (i+1)*len(life)/len(steps)]
		if i > 5 {
			more := laterReadings(part)
			later += len(more)
			part = append(more, part...)
		}
		published := make(chan error, 1)
		go func() { published <- w.publish(part, 2*time.Second, lone, many) }()
		step.do()
		if err := <-published; err != nil {
			t.Fatal(err)
		}
	}

	many.equals(lone, len(life)+later, kills)
	t.Logf("at the end: %s", many.made())
}

// TestWhatANodeCouldNotEvaluateIsTakenByTheNext has a node beside the leading one
// that lacks a protocol. What it sets aside is taken as soon as it is replaced, by
// a node that does not lead.
func TestWhatANodeCouldNotEvaluateIsTakenByTheNext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.newer = w.folderOf(laterNights)
	lacking := w.program + "-lacking-it"
	if err := os.Link(w.program, lacking); err != nil {
		t.Fatal(err)
	}
	s := w.site("many", w.program, w.program)
	s.enter(w.program, laterWard(w.begin))
	s.start(lacking)
	s.nodes[1].ready() // its page is there before its subscription
	readings := laterReadings(readingsOf(w.begin))
	if err := w.publish(readings, 2*time.Second, s); err != nil {
		t.Fatal(err)
	}
	s.nodes[1].stop()
	s.nodes[1].start(w.program)
	s.settle(len(readings))
	s.saidOfOthers()
}

// laterNights is a protocol that an older version knows nothing of, with a cadence
// that the first of them could not read.
var laterNights = strings.NewReplacer("id: nights", "id: later-nights", "rules:", `  - {measure: weight, cadence: {times: 1, per: session, of: dialysis-session, grace: 4h}}
rules:`).Replace(nights)

// laterPatients are those under it; each lives as the patient of the ward that
// many places before.
const laterPatients = 10

func laterWard(begin time.Time) *registry.Registry {
	reg := &registry.Registry{}
	for i := range laterPatients {
		enrol(reg, begin, patients+i, "later-nights", "oximeter")
	}
	return reg
}

func laterReadings(life []publication) (later []publication) {
	for _, p := range life {
		var i int
		if _, err := fmt.Sscanf(p.device, "oximeter-%d", &i); err == nil && i < laterPatients {
			later = append(later, publication{fmt.Sprintf("oximeter-%02d", patients+i), p.payload})
		}
	}
	return later
}

// shippedWard is a patient under a protocol that ships, in the version that a program
// brings: another one may have another text.
func shippedWard(begin time.Time, version string) *registry.Registry {
	reg := &registry.Registry{}
	enrol(reg, begin.Add(8*time.Hour), 90, shippedProtocol, "implant-monitor")
	reg.Enrolments[0].Version = version
	return reg
}

const shippedProtocol = "cardiac-implant"

// shipped is the version of it that a program brings.
func shipped(t *testing.T, program string) string {
	t.Helper()
	out, err := exec.Command(program, "protocols", "list").Output()
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); len(fields) > 2 && fields[0] == shippedProtocol {
			return fields[2] // behind the word version
		}
	}
	t.Fatalf("no %s among what %s brings: %v\n%s", shippedProtocol, program, err, out)
	return ""
}

// refusedBy holds an older program that cannot read the newer protocol to saying
// so, with what and where, rather than to following patients by half of it.
func (w *world) refusedBy(old string) {
	w.t.Helper()
	out, err := exec.Command(old, "protocols", "check", filepath.Join(w.newer, "protocol.yaml")).CombinedOutput()
	switch {
	case err == nil:
		w.t.Log("the older program can read the newer protocol")
	case !bytes.Contains(out, []byte("session")):
		w.t.Errorf("the older program says of the newer protocol: %s", out)
	default:
		w.t.Logf("the older program refuses the newer protocol: %s", bytes.TrimSpace(out))
	}
}

// made says which schema the database has, and which format its states.
func (s *site) made() string {
	s.t.Helper()
	conn, err := pgx.Connect(s.t.Context(), s.url)
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close(s.t.Context())
	var said []string
	for _, sql := range []string{
		"SELECT name || ' schema ' || version || ' for programs from ' || floor FROM schema_versions ORDER BY name",
		"SELECT count(*) || ' states of format ' || get_byte(snapshot, 0) FROM states WHERE snapshot IS NOT NULL GROUP BY get_byte(snapshot, 0)",
	} {
		rows, err := conn.Query(s.t.Context(), sql)
		if err != nil {
			s.t.Fatal(err)
		}
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			s.t.Fatal(err)
		}
		said = append(said, lines...)
	}
	return strings.Join(said, ", ")
}

// saidOfOthers holds the nodes to having found out what they could not read or
// did not know, and to having caught up with it.
func (s *site) saidOfOthers() {
	s.t.Helper()
	computed := 0
	for _, node := range s.nodes {
		computed += strings.Count(node.said.String(), "cannot be read and is computed again")
	}
	records, err := s.store.SetAsides(s.t.Context(), ingest.SetAsideFilter{Code: protocols.NotEnrolled, Limit: 100_000})
	if err != nil {
		s.t.Fatal(err)
	}
	open := slices.IndexFunc(records, func(r ingest.SetAsideRecord) bool { return r.Settled.IsZero() })
	if len(records) == 0 || open >= 0 {
		s.t.Errorf("old nodes set aside %d readings under a protocol they do not know, want some, and all settled", len(records))
	}
	s.t.Logf("%d times a state of the other version was computed again; old nodes set aside %d readings that new ones then took", computed, len(records))
}
