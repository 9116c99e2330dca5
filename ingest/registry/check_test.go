package registry

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/document"
)

const ward = `teams:
  - id: cardio
    name: Cardiologie
    time_zone: Europe/Paris
    opens: "08:30"
    closes: "18:00"
    days: [monday, friday]
    mail: [equipe@cardio.example]
patients:
  - id: p-1
    identity: {ins: "277076322082910", oid: 1.2.250.1.213.1.4.10, birth_name: DURAND, given_names: ANNE MARIE, first_given_name: ANNE, sex: F, birth_date: 1977-07-04, birth_place: "63220"}
  - id: p-2
    identity: {ins: 177072A00412392, oid: 1.2.250.1.213.1.4.10, birth_name: COLONNA, given_names: PAUL, first_given_name: PAUL, sex: M, birth_date: 1977-07-09, birth_place: 2A004}
devices:
  - {name: scale-1, serial: A1, kind: scale, brand: Balancia, model: B-200}
  - {name: scale-2, serial: A2, kind: scale, brand: Balancia, model: B-200}
enrolments:
  - id: e-1
    patient: p-1
    protocol: heart-failure
    version: "1"
    time_zone: Indian/Reunion
    team: cardio
    physician: "10001234565"
    devices: [scale-1]
    consent: {given: true, date: 2026-01-02, scope: weight}
    from: 2026-01-05
    prescription_end: 2027-01-05
    settings:
      fast-gain: {value: 1.5, author: Dr Aubry, date: 2026-01-05, reason: small build}
    pauses:
      - {from: 2026-03-01, until: 2026-03-10T09:00:00+04:00, author: Dr Aubry, reason: hospital}
  - id: e-2
    patient: p-2
    protocol: heart-failure
    version: "1"
    time_zone: Europe/Paris
    team: cardio
    physician: "10001234565"
    devices: [scale-2]
    consent: {given: true, date: 2026-01-02, scope: weight}
    from: 2026-01-05
    prescription_end: 2026-06-30
`

// heart is a protocol with one parameter that admits scales.
func heart(id, version string) *protocols.Protocol {
	if id != "heart-failure" || version != "1" {
		return nil
	}
	return &protocols.Protocol{ID: id, Version: version,
		Eligibility: protocols.Eligibility{MinAge: 18, MaxAge: 150, Devices: []protocols.DeviceClass{{Kind: "scale", Brand: "Balancia"}}},
		Parameters:  []protocols.Parameter{{Name: "fast-gain", Unit: "kg", Min: 1000, Max: 5000}}}
}

func check(t *testing.T, text string, known Known) (Registry, []document.Problem) {
	t.Helper()
	doc, err := yaml.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	reg, problems, err := Check(t.Context(), doc, heart, known)
	if err != nil {
		t.Fatal(err)
	}
	return reg, problems
}

func TestReadsARegistry(t *testing.T) {
	reg, problems := check(t, ward, nil)
	if len(problems) > 0 {
		t.Fatalf("%+v", problems)
	}
	e := reg.Enrolments[0]
	if want := time.Date(2026, 1, 4, 20, 0, 0, 0, time.UTC); !e.From.Equal(want) || e.From.Location() != time.UTC {
		t.Errorf("from %s: a date begins at midnight where the patient lives, and is kept in UTC", e.From)
	}
	if e.Settings["fast-gain"].Value != 1500 || e.Settings["fast-gain"].Author != "Dr Aubry" {
		t.Errorf("settings %+v", e.Settings)
	}
	if want := time.Date(2026, 3, 10, 5, 0, 0, 0, time.UTC); len(e.Pauses) != 1 || !e.Pauses[0].Until.Equal(want) {
		t.Errorf("pauses %+v", e.Pauses)
	}
	if reg.Patients[1].Identity.BirthPlace != "2A004" || reg.Teams[0].Days[1] != "friday" {
		t.Errorf("%+v %+v", reg.Patients[1], reg.Teams[0])
	}
}

// TestTheLastDayOfAPrescriptionIsIncluded reads ends, and writes them as they were read.
func TestTheLastDayOfAPrescriptionIsIncluded(t *testing.T) {
	for written, end := range map[string]time.Time{
		"2026-12-04":                time.Date(2026, 12, 4, 20, 0, 0, 0, time.UTC), // 5 December, 00:00 in La Réunion
		"2026-12-04T18:00:00+04:00": time.Date(2026, 12, 4, 14, 0, 0, 0, time.UTC), // an instant is exact
		"2026-12-05T00:00:00+04:00": time.Date(2026, 12, 4, 20, 0, 0, 0, time.UTC),
	} {
		reg, problems := check(t, strings.Replace(ward, "prescription_end: 2027-01-05", "prescription_end: "+written, 1), nil)
		if e := reg.Enrolments[0]; len(problems) > 0 || !e.Prescription.Equal(end) {
			t.Errorf("%s: ends %s, want %s, %+v", written, e.Prescription, end, problems)
		}
		var out strings.Builder
		if err := Write(&out, &reg); err != nil {
			t.Fatal(err)
		}
		again, problems := check(t, out.String(), nil)
		if !again.Enrolments[0].Prescription.Equal(end) {
			t.Errorf("%s: written and read again, it ends %s: %+v", written, again.Enrolments[0].Prescription, problems)
		}
	}
}

// TestARenewalTakesOver has the next prescription begin on the last day, or earlier.
func TestARenewalTakesOver(t *testing.T) {
	both, _ := check(t, ward, nil)
	renew := func(end, from, devices, consent string) string {
		renewal := strings.NewReplacer("id: e-2", "id: e-1-renewed", "patient: p-2", "patient: p-1", "devices: [scale-2]", "devices: "+devices,
			"prescription_end: 2026-06-30", "prescription_end: 2027-06-30", "time_zone: Europe/Paris\n    team", "time_zone: Indian/Reunion\n    team",
			"{given: true, date: 2026-01-02, scope: weight}\n    from: 2026-01-05\n    prescription_end: 2026-06-30", consent+"\n    from: "+from+"\n    prescription_end: 2027-06-30").Replace(ward[strings.Index(ward, "  - id: e-2"):])
		return strings.Replace(ward[:strings.Index(ward, "  - id: e-2")], "prescription_end: 2027-01-05", "prescription_end: "+end, 1) + renewal
	}
	const given = "{given: true, date: 2026-01-02, scope: weight}"
	for name, c := range map[string]struct{ text, ends, code string }{
		"on the last day":          {renew("2026-12-04", "2026-12-04", "[scale-1]", given), "2026-12-03", ""},
		"two weeks before":         {renew("2026-12-04", "2026-11-20", "[scale-1, scale-2]", given), "2026-11-19", ""},
		"on the day after":         {renew("2026-12-04", "2026-12-05", "[scale-1]", given), "2026-12-04", ""},
		"without consent":          {renew("2026-12-04", "2026-12-04", "[scale-1]", "{given: false, date: 2026-01-02}"), "2026-12-04", ""},
		"with one of its devices":  {strings.Replace(renew("2026-12-04", "2026-12-04", "[scale-1]", given), "devices: [scale-1]", "devices: [scale-1, scale-2]", 1), "2026-12-04", "rings-twice"},
		"with none of its devices": {renew("2026-12-04", "2026-12-04", "[scale-2]", given), "2026-12-04", ""},
	} {
		reg, problems := check(t, c.text, nil)
		if c.code == "" && len(problems) > 0 || c.code != "" && (len(problems) != 1 || problems[0].Code != c.code || Refused(problems)) {
			t.Errorf("%s: %+v", name, problems)
		}
		if got := LastDay(reg.Enrolments[0].Prescription, reunion(t)).Format(time.DateOnly); got != c.ends {
			t.Errorf("%s: the last day of the former is %s, want %s", name, got, c.ends)
		}
		if c.ends == "2026-12-04" && name != "on the day after" {
			continue // it does not take over
		}
		// The same, with the former enrolment known and not in the file.
		_, alone, _ := strings.Cut(c.text, "  - id: e-1-renewed")
		reg, problems = check(t, "enrolments:\n  - id: e-1-renewed"+alone, held{both})
		if len(problems) > 0 || len(reg.Enrolments) != 2 || reg.Enrolments[1].ID != "e-1" || !reg.Enrolments[1].Prescription.Equal(reg.Enrolments[0].From) {
			t.Errorf("%s, the former being known: %+v %+v", name, problems, reg.Enrolments)
		}
		// And the former imported again.
		reg, problems = check(t, c.text[:strings.Index(c.text, "  - id: e-1-renewed")], held{Registry{Devices: both.Devices, Enrolments: append(reg.Enrolments[:1:1], both.Enrolments[1])}})
		if got := LastDay(reg.Enrolments[0].Prescription, reunion(t)).Format(time.DateOnly); len(problems) > 0 || got != c.ends {
			t.Errorf("%s, the renewal being known: the last day of the former is %s, want %s, %+v", name, got, c.ends, problems)
		}
	}
}

func reunion(t *testing.T) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Indian/Reunion")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

func TestReadsARota(t *testing.T) {
	const rota = `    mail: [equipe@cardio.example]
    escalate_then: [[cadre@cardio.example], [chef@cardio.example]]
    out_of_hours: {red: on-call}
    further_hours: [{days: [saturday], opens: "09:00", closes: "12:00"}]
    rota:
      people: [{id: petit, name: Infirmière Petit, mail: [petit@cardio.example]}]
      shifts: [{from: "18:00", until: "08:30", people: [petit]}]
      overrides: [{from: 2026-11-03, until: 2026-11-04T08:30:00+01:00, person: petit, author: Cadre Roux, reason: échange}]
`
	reg, problems := check(t, strings.Replace(ward, "    mail: [equipe@cardio.example]\n", rota, 1), nil)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	team := reg.Teams[0]
	if team.Rota == nil || len(team.Rota.Shifts) != 1 || len(team.Rota.Overrides) != 1 || team.Rota.People[0].Name != "Infirmière Petit" ||
		len(team.EscalateThen) != 2 || len(team.Further) != 1 || team.OutOfHours["red"] != "on-call" {
		t.Errorf("read as %+v", team)
	}
}

// TestEveryMistakeIsFoundAtItsPlace changes the ward by one mistake at a time.
func TestEveryMistakeIsFoundAtItsPlace(t *testing.T) {
	for _, c := range []struct{ from, to, code, place, says string }{
		{`ins: "277076322082910"`, `ins: "277076322082911"`, "bad-ins", "11:21", "key of 2 digits"},
		{`177072A00412392`, `177072B00412392`, "bad-ins", "13:21", ""},
		{`oid: 1.2.250.1.213.1.4.10, birth_name: DURAND`, `oid: 1.2.250.1.213.1.4.7, birth_name: DURAND`, "bad-oid", "", "1.2.250.1.213.1.4.10"},
		{`birth_date: 1977-07-04`, `birth_date: 04/07/1977`, "bad-date", "", "1951-03-27"},
		{`sex: F`, `sex: W`, "unknown-word", "", "M, F"},
		{`first_given_name: ANNE`, `first_given_name: MARIE`, "bad-given-name", "", ""},
		{`birth_place: 2A004`, `birth_place: Ajaccio`, "bad-birth-place", "", ""},
		{`physician: "10001234565"`, `physician: "10001234566"`, "bad-rpps", "24:16", ""},
		{`time_zone: Indian/Reunion`, `time_zone: Indian/Reunio`, "bad-time-zone", "22:16", "IANA"},
		{`opens: "08:30"`, `opens: "8h30"`, "bad-clock", "", "08:30"},
		{`closes: "18:00"`, `closes: "08:30"`, "bad-clock", "", "the same as opens"},
		{`days: [monday, friday]`, `days: [monday, vendredi]`, "unknown-word", "7:20", "friday"},
		{`equipe@cardio.example`, `equipe-cardio`, "bad-mail", "", ""},
		{`team: cardio`, `team: cardoi`, "unknown-team", "23:11", `did you mean "cardio"?`},
		{`patient: p-1`, `patient: p-9`, "unknown-patient", "19:14", ""},
		{`devices: [scale-1]`, `devices: [scale-7]`, "unknown-device", "25:15", `did you mean "scale-1"?`},
		{`devices: [scale-1]`, `devices: [scale-2]`, "device-shared", "", "e-1"},
		{`name: scale-1`, `name: scale-1, gateway: hall-1`, "unknown-device", "", ""},
		{`name: scale-1`, `name: scale-1, gateway: scale-1`, "unknown-device", "", ""},
		{`id: p-2`, `id: p-1`, "duplicate-id", "12:9", "patients[0]"},
		{`name: scale-2`, `name: scale-1`, "duplicate-id", "", ""},
		{`id: e-2`, `id: e-1`, "duplicate-id", "", ""},
		{`ins: 177072A00412392`, `ins: 277076322082910`, "duplicate-id", "", ""},
		{`protocol: heart-failure`, `protocol: hart-failure`, "unknown-protocol", "20:15", "hart-failure"},
		{`version: "1"`, `version: "2"`, "unknown-protocol", "", ""},
		{`value: 1.5`, `value: 9`, "bounds", "30:26", "from 1 to 5 kg"},
		{`value: 1.5`, `value: much`, "bad-number", "30:26", ""},
		{`value: 1.5`, `value: 1.23456`, "too-precise", "", "1.235"},
		{`value: 1.5, `, ``, "setting-unsigned", "", "value is missing"},
		{`fast-gain: {value`, `fast-gian: {value`, "unknown-parameter", "", `did you mean "fast-gain"?`},
		{`author: Dr Aubry, date: 2026-01-05, reason: small build`, `date: 2026-01-05, reason: small build`, "setting-unsigned", "", "author"},
		{`date: 2026-01-05, reason: small build`, `reason: small build`, "setting-unsigned", "", "date"},
		{`, reason: small build`, ``, "setting-unsigned", "", "reason"},
		{`, reason: hospital`, ``, "pause-unsigned", "", ""},
		{`until: 2026-03-10T09:00:00+04:00`, `until: 2026-02-10`, "bad-date", "", "not later than from"},
		{`kind: scale, brand: Balancia, model: B-200}` + "\n" + `  - {name: scale-2`, `kind: cgm, brand: Balancia, model: B-200}` + "\n" + `  - {name: scale-2`, "device-not-eligible", "25:15", "scale Balancia"},
		{`prescription_end: 2027-01-05`, `prescription_end: 2027-01-06`, "prescription-too-long", "28:23", "one year"},
		{`prescription_end: 2026-06-30`, `prescription_end: 2025-06-30`, "bad-date", "", "not later than from"},
		{`    consent: {given: true, date: 2026-01-02, scope: weight}` + "\n", ``, "consent-missing", "", "nobody is enrolled"},
		{`date: 2026-01-02, scope: weight}`, `date: 2026-01-02}`, "missing", "26:14", ""},
		{`scope: weight}`, `scope: weight, withdrawn: 2025-12-31}`, "bad-date", "", "consent"},
		{`birth_date: 1977-07-04`, `birth_date: 2010-07-04`, "patient-not-eligible", "19:14", "18 years"},
		{`birth_date: 1977-07-04`, `birth_date: 1874-07-04`, "patient-not-eligible", "19:14", "older than the 150 years"},
		{`serial: A1`, `seriel: A1`, "unknown-key", "15:21", `did you mean "serial"?`},
		{`enrolments:`, `enrollments:`, "unknown-key", "17:1", `did you mean "enrolments"?`},
		{`from: 2026-01-05`, `from: 05/01/2026`, "bad-date", "27:11", "2026-11-21"},
		{`model: B-200}`, `model: B-200, password: short}`, "weak-password", "", "16 characters"},
		{`model: B-200}`, `model: B-200, secret: abc}`, "bad-secret", "", ""},
		{`name: scale-1`, `name: "scale/+"`, "bad-name", "15:12", ""},
		{`given: true`, `given: oui`, "unknown-answer", "", "true or false"},
		{`devices: [scale-1]`, `devices: scale-1`, "wrong-shape", "25:14", "list"},
		{`pauses:` + "\n      - {from: 2026-03-01, until: 2026-03-10T09:00:00+04:00, author: Dr Aubry, reason: hospital}", `pauses: none`, "wrong-shape", "", "list"},
		{`team: cardio`, `team: [cardio]`, "wrong-shape", "", "a single value"},
	} {
		if !strings.Contains(ward, c.from) {
			t.Fatalf("the ward does not hold %q", c.from)
		}
		_, problems := check(t, strings.Replace(ward, c.from, c.to, 1), nil)
		i := slices.IndexFunc(problems, func(p document.Problem) bool { return p.Code == c.code })
		if i < 0 {
			t.Errorf("%s → %s: no problem %s in %+v", c.from, c.to, c.code, problems)
			continue
		}
		if one := slices.DeleteFunc(slices.Clone(problems), func(p document.Problem) bool { return p.Path != problems[i].Path || p.Severity == document.Warning }); len(one) != 1 {
			t.Errorf("%s → %s: said more than once: %+v", c.from, c.to, one)
		}
		p := problems[i]
		if place := fmt.Sprintf("%d:%d", p.Line, p.Column); c.place != "" && place != c.place {
			t.Errorf("%s → %s: found at %s, want %s (%s)", c.from, c.to, place, c.place, p.Message)
		}
		if p.Line == 0 || p.Severity != document.Error || p.Message.FR == "" || (p.Suggestion.FR == "") != (p.Suggestion.EN == "") || !strings.Contains(p.Message.EN+p.Suggestion.EN, c.says) {
			t.Errorf("%s → %s: %+v does not say %q", c.from, c.to, p, c.says)
		}
	}
}

func TestComplaintsRepeatNoIdentity(t *testing.T) {
	bad := strings.NewReplacer("277076322082910", "277076322082911", "DURAND", "", "1977-07-09", "9 juillet 1977", "given_names: PAUL", "given_names: PIERRE").Replace(ward)
	_, problems := check(t, bad, nil)
	if len(problems) < 4 {
		t.Fatalf("four traits are wrong: %+v", problems)
	}
	for _, p := range problems {
		for _, trait := range []string{"277076322082911", "juillet", "PIERRE", "PAUL"} {
			if strings.Contains(p.Message.EN+p.Suggestion.EN, trait) {
				t.Errorf("%q repeats an identity trait", p.Message)
			}
		}
	}
}

func TestConsentAfterTheBeginningIsOnlyWarnedOf(t *testing.T) {
	_, problems := check(t, strings.Replace(ward, "date: 2026-01-02, scope", "date: 2026-01-20, scope", 1), nil)
	if len(problems) != 1 || problems[0].Code != "consent-late" || Refused(problems) {
		t.Errorf("%+v", problems)
	}
}

func TestRefusedConsentIsRecorded(t *testing.T) {
	reg, problems := check(t, strings.Replace(ward, "{given: true, date: 2026-01-02, scope: weight}", "{given: false, date: 2026-01-02}", 1), nil)
	if len(problems) > 0 || reg.Enrolments[0].Consent.Given || reg.Enrolments[0].Consent.At(time.Now()) {
		t.Errorf("%+v %+v", problems, reg.Enrolments[0].Consent)
	}
}

func TestDeviceMayGoToAnotherPatientAfterwards(t *testing.T) {
	later := strings.NewReplacer("devices: [scale-2]", "devices: [scale-1]", "from: 2026-01-05\n    prescription_end: 2026-06-30", "from: 2027-01-06\n    prescription_end: 2027-06-30").Replace(ward)
	if _, problems := check(t, later, nil); len(problems) > 0 {
		t.Errorf("the first enrolment ends on the day before the second begins: %+v", problems)
	}
	onTheLastDay := strings.Replace(later, "from: 2027-01-06", "from: 2027-01-05", 1)
	if _, problems := check(t, onTheLastDay, nil); len(problems) != 1 || problems[0].Code != "device-shared" {
		t.Errorf("the last day of the first enrolment is still the first patient's: %+v", problems)
	}
}

// held is what a store would already hold.
type held struct{ reg Registry }

func (h held) Team(_ context.Context, id string) (*Team, error) {
	return pick(h.reg.Teams, func(t *Team) bool { return t.ID == id })
}

func (h held) HasPatient(_ context.Context, id string) (bool, error) {
	return slices.ContainsFunc(h.reg.Patients, func(p Patient) bool { return p.ID == id }), nil
}

func (h held) Enrolment(_ context.Context, id string) (*Enrolment, error) {
	return pick(h.reg.Enrolments, func(e *Enrolment) bool { return e.ID == id })
}

func (h held) Device(_ context.Context, name string) (*Assignment, error) {
	d, err := pick(h.reg.Devices, func(d *Device) bool { return d.Name == name })
	if err != nil {
		return nil, err
	}
	a := Assignment{Device: *d}
	for _, e := range h.reg.Enrolments {
		if slices.Contains(e.Devices, name) {
			a.Enrolments = append(a.Enrolments, e)
		}
	}
	return &a, nil
}

func pick[T any](items []T, is func(*T) bool) (*T, error) {
	for i := range items {
		if is(&items[i]) {
			return &items[i], nil
		}
	}
	return nil, ErrNotFound
}

func TestImportMayReferToWhatIsKnown(t *testing.T) {
	reg, _ := check(t, ward, nil)
	enrolments := ward[strings.Index(ward, "enrolments:"):]
	if _, problems := check(t, enrolments, held{reg}); len(problems) > 0 {
		t.Errorf("everything it refers to is known: %+v", problems)
	}
	for name, c := range map[string]struct{ text, code string }{
		"a setting changed under its old signature": {strings.Replace(enrolments, "value: 1.5", "value: 2.5", 1), "setting-unsigned"},
		"an enrolment given to another patient":     {strings.Replace(enrolments, "patient: p-1", "patient: p-2", 1), "patient-changed"},
		"a device another patient has":              {strings.NewReplacer("id: e-1", "id: e-3", "patient: p-1", "patient: p-2").Replace(enrolments), "device-shared"},
	} {
		_, problems := check(t, c.text, held{reg})
		if !slices.ContainsFunc(problems, func(p document.Problem) bool { return p.Code == c.code }) {
			t.Errorf("%s: no problem %s in %+v", name, c.code, problems)
		}
	}
	signed := strings.Replace(enrolments, "value: 1.5, author: Dr Aubry", "value: 2.5, author: Dr Roux", 1)
	if _, problems := check(t, signed, held{reg}); len(problems) > 0 {
		t.Errorf("a setting changed and signed: %+v", problems)
	}
}

type broken struct{ held }

func (broken) Team(context.Context, string) (*Team, error) { return nil, errors.New("disk on fire") }

func TestStoreThatFailsIsNoProblemOfTheDocument(t *testing.T) {
	doc, err := yaml.Parse([]byte(ward[strings.Index(ward, "enrolments:"):]))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := Check(t.Context(), doc, heart, broken{}); err == nil || !strings.Contains(err.Error(), "disk on fire") {
		t.Errorf("got %v", err)
	}
}

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	reg, _ := check(t, ward, nil)
	var written strings.Builder
	if err := Write(&written, &reg); err != nil {
		t.Fatal(err)
	}
	again, problems := check(t, written.String(), nil)
	if len(problems) > 0 {
		t.Fatalf("%+v in\n%s", problems, written.String())
	}
	if fmt.Sprintf("%+v", again) != fmt.Sprintf("%+v", reg) {
		t.Errorf("got\n%+v\nwant\n%+v", again, reg)
	}
}
