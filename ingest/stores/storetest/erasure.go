package storetest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/erasure"
	"vigie/alerts/reviews"
	"vigie/alerts/trail"
	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// Whole is a store with all its parts.
type Whole interface {
	Alerts
	registry.Store
	ingest.Directory
	ingest.Errands
	ingest.Verifier
	ingest.WideActs
	erasure.Store
	erasure.Ageing
	reviews.Store
}

// Erasable is a store out of which patients are taken.
type Erasable struct {
	Whole
	Trail  Traces
	Access access.Store
	// Again closes the store and opens it anew.
	Again func() Erasable
	// Scan is all that its files hold, or a dump.
	Scan func() []byte
}

// rare are what only one patient has: they are looked for in the files.
var rare = []string{
	"QUERMADEC", "ZÉNOBIE", "279035121518989", "p-1\x00", "scale-1", "SN-RARE-7731", "e-1\x00", "0639980012",
	"zenobie-posture", "zenobie-unit", "zenobie-reading", "zenobie-state", "zenobie-payload", "zenobie-note", "zenobie-reason",
}

// rareValue is a value that is kept as a number.
const rareValue = 876_543_210

// RunErasure holds a store to the contract of erasure.Store.
func RunErasure(t *testing.T, open func(t *testing.T) Erasable) {
	t.Run("nothing is left of who is erased, and everything of the others", func(t *testing.T) { erasedWhole(t, open(t)) })
	t.Run("what is old goes, and nothing that an open alert needs", func(t *testing.T) { aged(t, open(t)) })
	t.Run("a year of a ward agrees with a model of it", func(t *testing.T) { runYear(t, open(t)) })
	t.Run("a dry run counts and changes nothing", func(t *testing.T) { erasedDry(t, open(t)) })
	t.Run("who is followed is asked of the time that is given", func(t *testing.T) { followed(t, open(t)) })
	t.Run("an erasure of InfluxDB is told until it is done, and names nobody then", func(t *testing.T) { erasedOutside(t, open(t)) })
}

// followed reads, before and after the end of a prescription that lies ahead of any clock
// that runs, what is known of the patient.
func followed(t *testing.T, s Erasable) {
	end := noon.AddDate(70, 0, 0)
	reg := ward()
	reg.Enrolments[0].Prescription = end
	importWard(t, s, reg, "a nurse", noon)
	for at, want := range map[time.Time]int{end.AddDate(0, 0, -1): 1, end.AddDate(0, 0, 1): 0} {
		subject, err := s.Subject(t.Context(), "p-1", at)
		if err != nil || len(subject.Running) != want {
			t.Errorf("at %v: %+v, %v", at, subject, err)
		}
	}
}

// inhabited fills a store with two patients who share a device, one after the other.
func inhabited(t *testing.T, s Erasable) {
	t.Helper()
	reg := ward()
	one := &reg.Patients[0]
	one.Identity.INS, one.Identity.BirthName, one.Identity.GivenNames, one.Identity.FirstGiven = "279035121518989", "QUERMADEC", "ZÉNOBIE ANNE", "ZÉNOBIE"
	one.Identity.Contact.Phone = "0639980012"
	reg.Patients[1].ID, reg.Enrolments[1].Patient = "p-12", "p-12"
	reg.Devices[0].Serial = "SN-RARE-7731"
	reg.Devices = append(reg.Devices, registry.Device{Name: "scale-9", Serial: "S9", Kind: "scale", Brand: "B", Model: "M", Password: "a password long enough"})
	reg.Enrolments[0].Devices = []string{"scale-1", "scale-9"}
	importWard(t, s, reg, "a nurse", noon.AddDate(0, -1, 0))
	reg.Patients[0].Identity.BirthName = "QUERMADEC-ROUX"
	reg.Enrolments[0].Devices, reg.Enrolments[1].Devices = []string{"scale-1"}, []string{"scale-2", "scale-9"}
	for i := range reg.Devices {
		reg.Devices[i].Password = ""
	}
	importWard(t, s, reg, "a nurse", noon.Add(6*time.Hour))
	for _, into := range []string{"p-1", ""} {
		merge := registry.Merge{From: "p-12", Into: into, Author: "a nurse", Reason: "twice", At: noon}
		if _, err := s.Import(t.Context(), &registry.Registry{Merges: []registry.Merge{merge}}, "a nurse", noon); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Identity(t.Context(), "p-1", registry.Access{Author: "Ida", Reason: "zenobie-reason", At: noon}); err != nil {
		t.Fatal(err)
	}
	for i := range 12 {
		keep(t, s, ofOther(i, "scale-2"), ofRare(i, "scale-1"), ofOther(100+i, "scale-9"), ofRare(100+i, "scale-9"), ofOther(200+i, "scale-2"))
	}
	for _, patients := range [][]string{{"p-1", "p-12"}, {"p-12", "p-1"}, {"p-1"}} {
		act := ingest.WideAct{About: ingest.Striking{Device: "scale-9", Author: "Ida", Reason: "wet"}, Patients: patients, At: noon}
		if err := s.KeepWideAct(t.Context(), &act); err != nil {
			t.Fatal(err)
		}
	}
	struck := ofRare(3, "scale-1")
	update(t, s, func(tx ingest.Tx) error {
		if err := tx.Strike([]*protocols.Reading{struck, ofOther(3, "scale-2")}, "Ida", "zenobie-reason"[8:], noon); err != nil {
			return err
		}
		for enrolment, snapshot := range map[string]string{"e-1": "zenobie-state", "e-2": "other"} {
			_, version, err := tx.LoadState(enrolment)
			if err == nil {
				err = tx.SaveStates([]ingest.StateRecord{{Enrolment: enrolment, Version: version, Snapshot: []byte(snapshot)}})
			}
			if err != nil {
				return err
			}
		}
		for _, device := range []string{"scale-1", "scale-2"} {
			if err := tx.SetDeviceStatus(ingest.DeviceStatus{Device: device, Online: true, Battery: 50, At: noon}); err != nil {
				return err
			}
		}
		_, err := tx.SetAside([]ingest.SetAsideRecord{
			{Device: "scale-1", Topic: "t", Received: noon, Payload: []byte("zenobie-payload")},
			{Device: "scale-9", Topic: "t", Received: noon, Payload: []byte("zenobie-payload while it was hers")},
			{Device: "unknown", Topic: "t", Received: noon, Payload: []byte(`{"ins":"279035121518989","more":"zenobie-payload"}`)},
			{Device: "unknown", Topic: "t", Received: noon, Payload: []byte(`{"family":"Quermadec","given":"Zénobie","more":"zenobie-payload"}`)},
			{Device: "scale-9", Topic: "t", Received: noon.AddDate(0, 0, 2), Payload: []byte("of the other")},
		})
		return err
	})
	for enrolment, patient := range map[string]string{"e-1": "p-1", "e-2": "p-12"} {
		raised := Finding(protocols.Raised, "fast-gain", "a", protocols.Red, 0)
		raised.Enrolment, raised.Patient = enrolment, patient
		raised.Explanation.Readings[0].Device = "scale-2"
		if patient == "p-1" {
			raised.Explanation.Readings[0].Device = "scale-1"
			raised.Explanation.Summary.FR = "zenobie-note"
		}
		update(t, s, func(tx ingest.Tx) error { return tx.Apply([]protocols.Finding{raised}) })
	}
	for _, a := range alertsOf(t, s, "p-1") {
		if err := alerts.Note(t.Context(), s, a.ID, "Ida", "zenobie-note", Morning.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		if err := alerts.Resolve(t.Context(), s, a.ID, "Ida", "patient-called", "zenobie-note", Morning.Add(2*time.Hour)); err != nil {
			t.Fatal(err)
		}
	}
	for _, patient := range []string{"p-1", "p-12"} {
		if err := s.AddReview(t.Context(), reviews.Review{Patient: patient, At: noon, By: "Ida"}); err != nil {
			t.Fatal(err)
		}
		if err := s.Access.SaveGrant(t.Context(), &access.Grant{ID: "g-" + patient[2:], Account: "a-lea", Patient: patient, Reason: "zenobie-reason"[8:], At: noon, Until: noon.Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		if err := s.Access.SaveToken(t.Context(), &access.Token{ID: "own-" + patient, Name: "own entry", Patient: patient, Created: noon, Until: noon.Add(time.Hour), Digest: "d" + patient[2:]}); err != nil {
			t.Fatal(err)
		}
	}
	for _, patient := range []string{"p-1", "p-12"} {
		if err := s.Trail.AddLook(t.Context(), trail.Look{Patient: patient, Account: "a-lea", Name: "Léa", At: noon}); err != nil {
			t.Fatal(err)
		}
	}
	n := openTrail(t, s.Trail, 1, &MarkInMemory{})
	n.look(t, lea, "p-1")
	n.look(t, lea, "p-1", "p-12")
	n.look(t, lea, "p-12")
	for _, e := range []trail.Entry{{Kind: trail.Act, About: "device scale-1"}, {Kind: trail.Act, About: "enrolment e-2"}, {Kind: trail.Act, Name: "patient p-1", Patients: []string{"p-1"}, Reason: "zenobie-reason"}} {
		e.At = noon
		if err := n.Write(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
}

func ofRare(i int, device string) *protocols.Reading {
	return &protocols.Reading{
		ID: fmt.Sprint("zenobie-reading-", i), Device: device, Patient: "p-1", Time: noon.Add(time.Duration(i) * time.Minute), Battery: -1,
		Measure: protocols.MeasureByID("weight"), Values: []protocols.Value{rareValue}, Context: map[string]string{"posture": "zenobie-posture"}, Origin: &protocols.Origin{Unit: "zenobie-unit"},
	}
}

func ofOther(i int, device string) *protocols.Reading {
	return &protocols.Reading{
		ID: fmt.Sprint("other-", i), Device: device, Patient: "p-12", Time: noon.Add(time.Duration(i) * time.Minute), Battery: -1,
		Measure: protocols.MeasureByID("weight"), Values: []protocols.Value{82_100},
	}
}

func alertsOf(t *testing.T, s Erasable, patient string) []alerts.Alert {
	t.Helper()
	list, err := s.Alerts(t.Context(), alerts.Filter{Patient: patient})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// said is everything that a store says of the other patient.
func said(t *testing.T, s Erasable) (list []string) {
	t.Helper()
	for _, r := range history(t, s, "p-12", nil, noon.AddDate(-1, 0, 0), noon.AddDate(1, 0, 0)) {
		list = append(list, fmt.Sprintf("reading %+v", *r))
	}
	kept, err := s.ReadingsAfter(t.Context(), 0, 1000)
	for _, k := range kept {
		if err == nil && k.Reading.Patient == "p-12" {
			list = append(list, fmt.Sprintf("journal %d %s", k.Seq, k.Reading.ID))
		}
	}
	for _, a := range alertsOf(t, s, "p-12") {
		events, failed := s.Events(t.Context(), a.ID)
		if failed != nil {
			err = failed
		}
		list = append(list, asJSON(t, a), asJSON(t, events))
	}
	marks, failed := s.Marks(t.Context(), "p-12", noon.AddDate(-1, 0, 0), noon.AddDate(1, 0, 0))
	if err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	enrolment, err := s.Enrolment(t.Context(), "e-2")
	if err != nil {
		t.Fatal(err)
	}
	team, err := s.Team(t.Context(), "cardio")
	if err != nil {
		t.Fatal(err)
	}
	var state string
	update(t, s, func(tx ingest.Tx) error {
		snapshot, version, err := tx.LoadState("e-2")
		state = fmt.Sprint(string(snapshot), version)
		return err
	})
	aside, err := s.SetAsides(t.Context(), ingest.SetAsideFilter{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range aside {
		if strings.Contains(string(aside[i].Payload), "of the other") {
			list = append(list, "aside "+string(aside[i].Payload))
		}
	}
	looks, err := s.Trail.LooksOf(t.Context(), "p-12")
	if err != nil || len(looks) != 1 {
		t.Fatal(looks, err)
	}
	return append(list, asJSON(t, looks), asJSON(t, marks), asJSON(t, enrolment), asJSON(t, team), state)
}

// erase erases the first patient.
func erase(t *testing.T, s Erasable, influx, dry bool) erasure.Result {
	t.Helper()
	subject, err := s.Subject(t.Context(), "p-1", noon)
	if err != nil {
		t.Fatal(err)
	}
	record := erasure.NewRecord("p-1", "Ida", "asked for", noon)
	words := subject.Words()
	gone, err := trail.Plan(t.Context(), s.Trail, record.ID, trail.Told{Patient: "p-1", Is: words.Is, Of: words.Of})
	if err != nil {
		t.Fatal(err)
	}
	if !dry {
		n := openTrail(t, s.Trail, 1, &MarkInMemory{})
		if err := n.Erase(t.Context(), trail.Entry{Kind: trail.Act, Deed: "patient erase"}, record.ID, gone); err != nil {
			t.Fatal(err)
		}
	}
	result, err := s.Erase(t.Context(), erasure.Order{Subject: subject, Record: record, Trail: gone, InfluxDB: influx, DryRun: dry})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// stillIn lists what is rare and still stands in the files.
func stillIn(files []byte) (found []string) {
	for _, word := range rare {
		for _, form := range []string{word, strings.ToLower(word)} {
			name, alone := strings.CutSuffix(form, "\x00")
			for rest, before := files, byte(0); ; {
				at := bytes.Index(rest, []byte(name))
				if at < 0 {
					break
				}
				if at > 0 {
					before = rest[at-1]
				}
				rest = rest[at+len(name):]
				// "p-1" also begins "p-12", "e-1" also ends "node-1".
				if !alone || !partOfWord(before) && (len(rest) == 0 || !partOfWord(rest[0])) {
					found = append(found, form)
					break
				}
			}
		}
	}
	if bytes.Contains(files, binary.AppendUvarint(nil, rareValue<<1+1)) || bytes.Contains(files, []byte(fmt.Sprint(rareValue))) {
		found = append(found, "the rare value")
	}
	return found
}

func partOfWord(b byte) bool {
	return b >= '0' && b <= '9' || b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b == '-'
}

func erasedWhole(t *testing.T, s Erasable) {
	inhabited(t, s)
	s = s.Again()
	if found := stillIn(s.Scan()); len(found) < len(rare) {
		t.Fatalf("the files hold %v before, want everything: the search finds nothing", found)
	}
	before := said(t, s)
	result := erase(t, s, false, false)
	if len(result.Left) > 0 {
		t.Errorf("he is still named: %v", result.Left)
	}
	if err := s.Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = s.Again()
	if found := stillIn(s.Scan()); len(found) > 0 {
		t.Errorf("the files still hold %q", found)
	}
	after := said(t, s)
	if !slices.Equal(before, after) {
		t.Errorf("of the other patient it is said\n%s\nwas\n%s", strings.Join(after, "\n"), strings.Join(before, "\n"))
	}
	if damaged, err := s.Verify(t.Context()); err != nil || len(damaged) > 0 {
		t.Errorf("damaged: %v, %v", damaged, err)
	}
	if report := verified(t, s.Trail); len(report.Faults) > 0 || len(report.Notes) != 1 {
		t.Errorf("the trail: %+v", report)
	}
	acts, err := s.OpenWideActs(t.Context())
	var of [][]string
	for i := range acts {
		of = append(of, acts[i].Patients)
	}
	expect(t, "error", err, nil)
	expect(t, "of whom the acts are", of, [][]string{{"p-12"}, {"p-12"}, {}})
	persons, err := s.Persons(t.Context())
	expect(t, "error", err, nil)
	expect(t, "whom the store knows", persons, []string{"p-12"})
	if unclean, err := s.Unclean(t.Context()); err != nil || unclean {
		t.Errorf("to be cleaned: %v, %v", unclean, err)
	}
	expect(t, "sent again, and sent next", keep(t, s, ofOther(101, "scale-9"), ofOther(900, "scale-9")), []ingest.Fate{ingest.Repeated, ingest.Fresh})
	list, err := s.Erasures(t.Context())
	if err != nil || len(list) != 1 || !list[0].Is("p-1") || list[0].Is("p-12") {
		t.Errorf("erasures: %+v, %v", list, err)
	}
	if err := s.Noted(t.Context(), list[0]); err != nil {
		t.Error(err)
	}
}

func erasedDry(t *testing.T, s Erasable) {
	inhabited(t, s)
	s = s.Again()
	before := said(t, s)
	dry := erase(t, s, false, true)
	expect(t, "what is said of the other", said(t, s), before)
	if found := stillIn(s.Scan()); len(found) < len(rare) {
		t.Errorf("a dry run left %v", found)
	}
	done := erase(t, s, false, false)
	expect(t, "counts", done.Counts, dry.Counts)
	expect(t, "readings", dry.Counts[erasure.Readings], 24)
	expect(t, "set aside", dry.Counts[erasure.SetAside], 4)
}

func erasedOutside(t *testing.T, s Erasable) {
	inhabited(t, s)
	erase(t, s, true, false)
	if err := s.Clean(t.Context()); err != nil {
		t.Fatal(err)
	}
	s = s.Again()
	open, err := s.OpenErrands(t.Context())
	if err != nil || len(open) != 1 || open[0].Kind != ingest.Erase || open[0].Task.Patient != "p-1" {
		t.Fatalf("open errands: %+v, %v", open, err)
	}
	if erased, err := s.Erased(t.Context()); err != nil || erased["p-1"].After != open[0].After {
		t.Errorf("who is to be erased: %v, %v", erased, err)
	}
	open[0].Carried, open[0].Done = noon, noon
	if err := s.SetErrand(t.Context(), open[0]); err != nil {
		t.Fatal(err)
	}
	if erased, err := s.Erased(t.Context()); err != nil || len(erased) > 0 {
		t.Errorf("who is to be erased: %v, %v", erased, err)
	}
	s = s.Again()
	if found := stillIn(s.Scan()); len(found) > 0 {
		t.Errorf("the files still hold %q", found)
	}
}
