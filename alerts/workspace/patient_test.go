package workspace_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/workspace"
	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/ingest/stores/storetest"
	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/library"
)

// shipped is one of the protocols that ship.
func shipped(t testing.TB, id string) *protocols.Protocol {
	t.Helper()
	all, err := library.Library(yaml.Parse)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		if p.ID == id {
			return p
		}
	}
	t.Fatalf("no protocol %s ships", id)
	return nil
}

// followed puts a patient under a protocol, with what the registry knows of him.
func followed(patient string, p *protocols.Protocol, change ...func(*registry.Enrolment)) func(*workspace.Options) {
	e := registry.Enrolment{
		ID: "e-" + patient, Patient: patient, Protocol: p.ID, Version: p.Version, Zone: "Indian/Reunion", Team: "team-a", Devices: []string{"sensor-1"},
		From: storetest.Morning.AddDate(0, -6, 0), Prescription: storetest.Morning.AddDate(0, 6, 0),
		Consent: registry.Consent{Given: true, Date: storetest.Morning.AddDate(0, -6, 0), Scope: "télésurveillance"},
	}
	for _, c := range change {
		c(&e)
	}
	return func(o *workspace.Options) {
		o.Protocol = func(id, version string) *protocols.Protocol {
			if id == p.ID && version == p.Version {
				return p
			}
			return nil
		}
		o.Enrolments = func(_ context.Context, asked string) ([]registry.Enrolment, error) {
			if asked != patient {
				return nil, nil
			}
			return []registry.Enrolment{e}, nil
		}
	}
}

// glucose is what a sensor measures until a moment, every five minutes.
func glucose(patient string, until time.Time, days int) (readings []*protocols.Reading) {
	m := protocols.MeasureByID("glucose")
	for i := days*288 - 1; i >= 0; i-- {
		at := until.Add(-time.Duration(i) * 5 * time.Minute)
		value := 140 + 60*math.Sin(float64(at.Unix())/13751) + 25*math.Sin(float64(at.Unix())/1597)
		readings = append(readings, &protocols.Reading{
			ID: fmt.Sprint("g-", i), Device: "sensor-1", Patient: patient, Time: at, Measure: m, Variant: uint8(m.Variant("interstitial")),
			Values: []protocols.Value{protocols.Value(value) * 1000}, Battery: 64,
		})
	}
	return readings
}

// measured keeps readings in the store of a ward, whose pages then read them from it.
func (w *ward) measured(readings ...*protocols.Reading) {
	w.Helper()
	for begin := 0; begin < len(readings); begin += 2000 {
		err := w.store.Update(w.Context(), func(tx ingest.Tx) error {
			_, err := tx.Keep(readings[begin:min(begin+2000, len(readings))], w.now)
			return err
		})
		if err != nil {
			w.Fatal(err)
		}
	}
}

func TestThePageOfAPatientHoldsWhatIsKnown(t *testing.T) {
	p := shipped(t, "heart-failure")
	name := p.Parameters[0].Name
	w := open(t, named(face("p-1", "ROUX", "Inès")), followed("p-1", p, func(e *registry.Enrolment) {
		e.Devices = []string{"scale-1", "bp-9"}
		e.Prescription = storetest.Morning.AddDate(0, 0, 10)
		e.Settings = protocols.Settings{name: {Value: p.Parameters[0].Default, Author: "Dr Aubry", Date: storetest.Morning.AddDate(0, 0, -3), Reason: "petit gabarit"}}
		e.Pauses = []protocols.Pause{{From: storetest.Morning, Until: storetest.Morning.Add(48 * time.Hour), Author: "Lea Nurse", Reason: "hospitalisation"}}
	}))
	id := w.raise("weight-fast", protocols.Orange)
	w.now = storetest.Morning.Add(26 * time.Hour)
	session := w.login("Lea Nurse")
	page := w.page("/patients/p-1?last=7d", session)
	w.wantText(page, "ROUX Inès", "F 34 ans", "née le 12 mai 1992", "Consentement du 23 mai", `<span class="late">Prescription jusqu'au 3 déc.</span>`, "En pause jusqu'à", "hospitalisation (Lea Nurse)",
		`href="/alerts/`+id, "Dr Aubry", "petit gabarit", "le protocole", "scale-1", "bp-9", "aucune depuis 90 jours",
		"82,1", "il y a 2 h", "Tableau : 2 lignes", "Début de pause", "Début du suivi", "24 nov., 12:00")
	if strings.Count(page, "petit gabarit") != 3 {
		t.Error("who set what, and why, stands among the settings, in the life of the patient and in the chart")
	}
	for path, status := range map[string]int{
		"/patients/p-1?from=2026-11-01&to=2026-11-23": 200, "/patients/p-1?from=2026-11-23&to=2026-11-01": 400, "/patients/p-1?last=5m": 400,
		"/patients/p-1?from=0000-00-00&to=9999-99-99": 400, "/patients/nobody": 404, "/patients/p-1%00": 404,
	} {
		if got := w.ask("GET", path, "", "Authorization", "", "Cookie", session); got.StatusCode != status {
			t.Errorf("%s: %s, want %d", path, got.Status, status)
		}
	}
	w.wantText(w.page("/alerts/"+id, session), `href="/patients/p-1?back=/alerts/`+id)
	w.wantText(w.page("/", session), `href="/patients/p-1"`)
	w.wantText(w.page("/?q=roux", session), `href="/patients/p-1"`)
	operator := w.ask("GET", "/patients/p-1", "", "Authorization", "", "Cookie", w.login("Ops", access.Operator))
	if operator.StatusCode == http.StatusOK {
		t.Error("an operator opens the record of a patient")
	}
}

var rowsOf = regexp.MustCompile(`(?s)<tbody>(.*?)</tbody>`)

// A chart of much holds a hundred rows and the table beside it the same ones, with every
// reading counted once.
func TestTheTableBesideAChartHoldsTheSame(t *testing.T) {
	w := open(t, followed("p-1", shipped(t, "diabetes")))
	history := weights{glucose("p-1", w.now, 8)}
	w.space.Close()
	w = open(t, followed("p-1", shipped(t, "diabetes")), func(o *workspace.Options) { o.History = history })
	session := w.login("Lea Nurse")
	for last, readings := range map[string]int{"24h": 289, "7d": 7*288 + 1} {
		page := w.page("/patients/p-1?last="+last, session)
		_, chart, _ := strings.Cut(page, `id="chart-glucose`)
		table := rowsOf.FindStringSubmatch(chart)
		if table == nil {
			t.Fatalf("%s: no table beside the chart", last)
		}
		total := 0
		for _, m := range regexp.MustCompile(`<td class="figure">([0-9]+)</td>`).FindAllStringSubmatch(table[1], -1) {
			var n int
			if _, err := fmt.Sscan(m[1], &n); err != nil {
				t.Fatal(err)
			}
			total += n
		}
		rows := strings.Count(table[1], "<tr>")
		if last == "24h" {
			total = rows // drawn one by one
		}
		if total != readings || rows > 300 {
			t.Errorf("%s: the table has %d rows for %d readings, want %d", last, rows, total, readings)
		}
		if !strings.Contains(chart, "seuil") {
			t.Error("the chart shows no threshold")
		}
	}
}

// What devices and people write comes out as text, wherever a patient's page shows it.
func TestThePageOfAPatientRunsNothing(t *testing.T) {
	const evil = "<script>alert(1)</script>\u202e"
	w := open(t, followed("p-1", shipped(t, "heart-failure"), func(e *registry.Enrolment) {
		e.Pauses = []protocols.Pause{{From: storetest.Morning, Until: storetest.Morning.Add(48 * time.Hour), Author: evil, Reason: evil}}
		e.Devices = []string{evil}
	}))
	id := w.raise("weight-fast", protocols.Orange)
	typed := strings.TrimSuffix(evil, "\u202e") // a note with a hidden character is refused
	if err := alerts.Resolve(t.Context(), w.store, id, typed, typed, typed, w.now); err != nil {
		t.Fatal(err)
	}
	page := w.page("/patients/p-1?back=javascript:alert(1)", w.login("Lea Nurse"))
	if strings.Contains(page, "<script>alert") || strings.Contains(page, "javascript:") {
		t.Error("the page runs what somebody wrote")
	}
}

// fromStore has pages read readings from the store of the ward, once it is open.
func fromStore(o *workspace.Options) { o.History = o.Store.(workspace.History) }

// everything gives the first patient of a ward a sensor, a scale, a setting and a pause.
func everything(t testing.TB) func(*workspace.Options) {
	p := shipped(t, "diabetes")
	enrol := followed("p-1", p, func(e *registry.Enrolment) {
		e.Settings = protocols.Settings{p.Parameters[0].Name: {Value: p.Parameters[0].Default, Author: "Dr Aubry", Date: storetest.Morning.AddDate(0, 0, -3), Reason: "réveils nocturnes"}}
		e.Pauses = []protocols.Pause{{From: storetest.Morning.AddDate(0, 0, -9), Until: storetest.Morning.AddDate(0, 0, -6), Author: "Lea Nurse", Reason: "hospitalisation"}}
		e.Devices = []string{"sensor-1", "scale-1", "pen-3", "diary-1"}
	})
	return func(o *workspace.Options) {
		enrol(o)
		history := o.History.(weights)
		for _, r := range glucose("p-1", o.Now(), 30) {
			if r.Time.Before(storetest.Morning.AddDate(0, 0, -9)) || r.Time.After(storetest.Morning.AddDate(0, 0, -6)) {
				history.readings = append(history.readings, r)
			}
		}
		rostered(&lateRegistry{})(o)
		o.Enter = (&clerk{}).enter
		_, aside := asides()
		aside(o)
		others := o.Device
		o.Device = func(ctx context.Context, name string) (*registry.Assignment, error) {
			if kind := map[string]string{"sensor-1": "cgm", "pen-3": "insulin-pen", "diary-1": "symptom-app"}[name]; kind != "" {
				return &registry.Assignment{Device: registry.Device{Name: name, Kind: kind, Brand: "Marque", Model: "X 200"}}, nil
			}
			return others(ctx, name)
		}
		o.Statuses = func(_ context.Context, names []string) ([]ingest.DeviceStatus, error) {
			return []ingest.DeviceStatus{{Device: "pen-3", Battery: 9, At: o.Now(), LowSince: o.Now().Add(-time.Hour)}}, nil
		}
		history.readings[0].Struck = true
		o.History = history
		o.Fed = func(context.Context, string) ([]string, error) { return []string{"p-1", "p-2"}, nil }
		o.Wide, o.Strike = &wideActs{list: []ingest.WideAct{{ID: 1, Patients: []string{"p-1"}, At: o.Now(), Done: o.Now(),
			About: ingest.Striking{Device: "sensor-1", From: storetest.Morning, To: o.Now(), Author: "Lea Nurse", Reason: "Appareil défectueux"}}}}, (&striker{}).strike
		o.TryStrike = func(context.Context, workspace.Striking) ([]protocols.Finding, error) {
			return []protocols.Finding{storetest.Finding(protocols.Withdrawn, "spo2-low", "ep-1", protocols.Red, 0)}, nil
		}
		o.Marks = func(context.Context, string, time.Time, time.Time) ([]ingest.Mark, error) {
			r := history.readings[0]
			return []ingest.Mark{{Reading: *ingest.NameOf(r), Values: r.Values, Author: "Lea Nurse", Reason: "Mesure d'une autre personne", At: o.Now()}}, nil
		}
	}
}

// strikeQuery names what everything has measured last.
const strikeQuery = "from=2026-11-23T11:00&to=2026-11-23T13:30"

// widePath strikes the same out of all whom a device measured.
const widePath = "/devices/sensor-1/strike?" + strikeQuery

// Glucose is written as the team's meters show it, beside the unit of the rules.
func TestGlucoseIsAlsoWrittenInTheUnitOfTheTeam(t *testing.T) {
	for unit, want := range map[string]string{"": "54\u202fmg/dL<", "g/L": "54\u202fmg/dL (0,54\u202fg/L)", "mmol/L": "54\u202fmg/dL (3,0\u202fmmol/L)"} {
		w := open(t, followed("p-1", shipped(t, "diabetes")), func(o *workspace.Options) {
			o.Teams = func() []workspace.Team {
				return []workspace.Team{{ID: "team-a", Name: "Diabète", Zone: time.UTC, Glucose: unit}}
			}
			m := protocols.MeasureByID("glucose")
			o.History = weights{[]*protocols.Reading{{ID: "g-1", Device: "meter-1", Patient: "p-1", Time: o.Now(), Measure: m, Values: []protocols.Value{54000}, Battery: -1}}}
		})
		w.wantText(w.page("/patients/p-1", w.login("Lea Nurse")), want)
	}
}

// Whoever calls finds the numbers, the hours and how the patient measures where the call
// is made, and nowhere else.
func TestWhomToCallStandsWhereOneCalls(t *testing.T) {
	p := shipped(t, "heart-failure")
	reached := face("p-1", "ROUX", "Inès")
	reached.Contact = &registry.Contact{
		Phone: "+262 692 12 34 56", Hours: "après 17 h <b>", Carer: &registry.Carer{Name: "Luce ROUX", Tie: "fille", Phone: "06 39 98 00 12"},
		Physician: &registry.General{Name: "Dr Hoarau"}, Language: "rcf", Measures: []string{"phone", "paper"},
	}
	w := open(t, named(reached, face("p-2", "VIDAL", "Paul")), followed("p-1", p))
	id := w.raise("weight-fast", protocols.Orange)
	session := w.login("Lea Nurse")
	for _, path := range []string{"/patients/p-1", "/alerts/" + id} {
		w.wantText(w.page(path, session), `href="tel:&#43;262692123456">&#43;262 692 12 34 56</a>`, "après 17 h &lt;b&gt;", "Aidant\u202f: Luce ROUX (fille)", `href="tel:0639980012"`,
			"Médecin traitant\u202f: Dr Hoarau", "Mesure par\u202f: téléphone, papier", "Langue\u202f: créole réunionnais")
		w.wantText(w.page(path+"?lang=en", session), "Carer: Luce ROUX", "Reunionese creole")
	}
	if page := w.page("/?q=vidal", session); strings.Contains(page, "tel:") {
		t.Error("a list shows whom to call")
	}
}

// A strip shows where the interval of the charts lies in the months around it, and leads to
// each week of them; charts of as long a time have none.
func TestAStripPlacesTheChartsInTheMonthsAround(t *testing.T) {
	w := open(t, named(face("p-1", "ROUX", "Inès")), followed("p-1", shipped(t, "diabetes")), fromStore)
	w.measured(glucose("p-1", w.now, 20)...)
	w.ring("p-1", "hypoglycaemia", protocols.Red, 0)
	nurse := w.login("Lea Nurse")
	page := w.page("/patients/p-1?last=7d", nurse)
	w.wantText(page, "Où se place cette période\u202f: glucose", `class="chosen"`, "90 jours : 21 avec une mesure", `aria-label="Semaine du 9 nov."`, "from=2026-11-09&amp;to=2026-11-15#charts")
	if days := strings.Count(page, `class="day"`); days != 21 {
		t.Errorf("%d days are drawn", days)
	}
	if page := w.page("/patients/p-1?last=90d", nurse); strings.Contains(page, `class="strip"`) {
		t.Error("charts of ninety days have a strip")
	}
	w.wantText(w.page("/patients/p-1?from=2026-11-09&to=2026-11-15", nurse), `class="strip"`)
}
