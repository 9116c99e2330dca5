package seeds

import (
	"strings"
	"testing"
	"time"

	"vigie/ingest/registry"
	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/library"
)

func TestCohortHoldsAtAnyStart(t *testing.T) {
	for _, start := range []time.Time{
		time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC),
		time.Date(2028, 2, 29, 23, 30, 0, 0, time.UTC),
		time.Date(2031, 3, 30, 0, 59, 0, 0, time.UTC),
	} {
		reg, err := Cohort(start)
		if err != nil {
			t.Fatalf("a demonstration that begins on %s: %v", start.Format(time.DateOnly), err)
		}
		for _, e := range reg.Enrolments {
			if !e.Covers(start.AddDate(0, 0, -25)) || !e.Covers(start.AddDate(0, 0, 60)) {
				t.Errorf("%s runs from %s to %s: it must cover 25 days before and 60 after %s", e.ID, e.From, e.Prescription, start)
			}
			if e.Covers(start.AddDate(0, 0, -30)) {
				t.Errorf("%s runs from %s on, before the 28 days of history: what nobody measured then would be missing", e.ID, e.From)
			}
		}
	}
}

func TestCohortIsWhatTheDemonstrationPromises(t *testing.T) {
	reg, err := Cohort(time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	if len(reg.Patients) < 48 {
		t.Errorf("%d patients, at least 48 expected", len(reg.Patients))
	}
	for _, p := range reg.Patients {
		if p.Identity.OID != registry.OIDTest {
			t.Errorf("%s has the OID %s: synthetic patients use %s", p.ID, p.Identity.OID, registry.OIDTest)
		}
	}
	pathologies, zones, paused, withdrawn := map[string]int{}, map[string]bool{}, 0, 0
	for _, e := range reg.Enrolments {
		for _, pathology := range []string{"heart-failure", "diabetes", "respiratory-failure", "kidney-failure", "cardiac-implant"} {
			if strings.HasPrefix(e.Protocol, pathology) {
				pathologies[pathology]++
			}
		}
		zones[e.Zone] = true
		if len(e.Pauses) > 0 {
			paused++
		}
		if !e.Consent.Withdrawn.IsZero() {
			withdrawn++
		}
	}
	if len(pathologies) != 5 || len(zones) < 9 || paused == 0 || withdrawn == 0 {
		t.Errorf("pathologies %v, %d time zones, %d paused, %d withdrawn", pathologies, len(zones), paused, withdrawn)
	}
}

func TestCrowdCouldBeImported(t *testing.T) {
	start := time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC)
	reg, err := Crowd(50_000, start, "weight", "a password long enough")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i, p := range reg.Patients {
		if seen[p.Identity.INS] {
			t.Fatalf("two patients have the INS of patient %d", i)
		}
		seen[p.Identity.INS] = true
	}
	first := registry.Registry{Teams: reg.Teams, Patients: reg.Patients[:20], Devices: reg.Devices[:20], Enrolments: reg.Enrolments[:20]}
	var written strings.Builder
	if err := registry.Write(&written, &first); err != nil {
		t.Fatal(err)
	}
	if _, err := read([]byte(written.String()), start); err != nil {
		t.Error(err)
	}
	if !registry.CheckSecret(reg.Devices[7].Secret, "a password long enough") || !reg.Enrolments[7].Covers(start) {
		t.Error("a device of the crowd could not publish")
	}
}

// A crowd is enrolled in what ships: nothing of it would be kept otherwise.
func TestACrowdSuitsTheLibrary(t *testing.T) {
	shipped, err := library.Library(yaml.Parse)
	if err != nil {
		t.Fatal(err)
	}
	for measure, use := range crowdKinds {
		if shipped[use.protocol+"@"+use.version] == nil {
			t.Errorf("a crowd that takes %s is under %s in version %s, which does not ship", measure, use.protocol, use.version)
		}
	}
}

// TestCohortSuitsTheLibrary holds protocols, settings and devices against the
// protocols that ship.
func TestCohortSuitsTheLibrary(t *testing.T) {
	shipped, err := library.Library(yaml.Parse)
	if err != nil {
		t.Fatal(err)
	}
	reg, err := Cohort(time.Date(2026, 11, 20, 4, 30, 0, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	var written strings.Builder
	if err := registry.Write(&written, &reg); err != nil {
		t.Fatal(err)
	}
	doc, err := yaml.Parse([]byte(written.String()))
	if err != nil {
		t.Fatal(err)
	}
	_, problems, err := registry.Check(t.Context(), doc, func(id, version string) *protocols.Protocol { return shipped[id+"@"+version] }, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s (%s) %s", p.Message, p.Code, p.Suggestion)
	}
	settings := 0
	for _, e := range reg.Enrolments {
		settings += len(e.Settings)
	}
	if settings < 4 {
		t.Errorf("%d settings of patients, at least 4 expected", settings)
	}
}

func TestTheSimulatedTeamCanBeRead(t *testing.T) {
	staff, err := ReadStaff(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, clock := range append(append([]string{}, staff.Habits.Rounds...), staff.Teams[0].Opens, staff.Teams[0].Closes) {
		if _, err := TimeOfDay(clock); err != nil {
			t.Error(err)
		}
	}
	if _, err := ReadStaff([]byte("teams: []\n")); err == nil {
		t.Error("a team of nobody is read")
	}
	if _, err := ReadStaff([]byte("team: []\n")); err == nil {
		t.Error("an unknown key is read")
	}
}
