package workspace_test

import (
	"context"
	"encoding/json"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/alerts/access"
	"vigie/alerts/workspace"
	"vigie/ingest"
	"vigie/ingest/formats/native"
	"vigie/ingest/registry"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// clerk keeps what is entered, and refuses what it is told to.
type clerk struct {
	enterer
	refuse protocols.Reason
}

func (c *clerk) enter(_ context.Context, about workspace.Entering) (workspace.Entered, error) {
	if c.refuse.Code != "" {
		return workspace.Entered{Entered: ingest.Entered{Refused: map[protocols.Code]int{c.refuse.Code: 1}, FirstFault: map[protocols.Code]protocols.Reason{c.refuse.Code: c.refuse}}}, nil
	}
	c.asked = append(c.asked, about)
	return workspace.Entered{Entered: ingest.Entered{New: 1}}, nil
}

// phoned is a ward whose patient p-1 weighed 80 to 81 kg of late.
func phoned(t *testing.T, c *clerk) *ward {
	t.Helper()
	weight := protocols.MeasureByID("weight")
	return open(t, followed("p-1", shipped(t, "heart-failure"), func(e *registry.Enrolment) { e.Devices = []string{"scale-1", "cuff-1"} }), func(o *workspace.Options) {
		o.Enter = c.enter
		var readings []*protocols.Reading
		for i, grams := range []protocols.Value{80_000, 80_400, 81_000} {
			readings = append(readings, &protocols.Reading{ID: string(rune('a' + i)), Device: "scale-1", Patient: "p-1", Time: storetest.Morning.AddDate(0, 0, i-4), Measure: weight, Values: []protocols.Value{grams}, Battery: -1})
		}
		o.History = weights{readings}
		o.Device = func(_ context.Context, name string) (*registry.Assignment, error) {
			kind := map[string]string{"scale-1": "scale", "cuff-1": "blood-pressure-monitor"}[name]
			return &registry.Assignment{Device: registry.Device{Name: name, Kind: kind, Brand: "Brand", Model: `<b>M`}}, nil
		}
	})
}

var hiddenField = regexp.MustCompile(`<input type="hidden" name="([^"]+)" value="([^"]*)">`)

// sentAgain is what the form of a page sends besides what is typed.
func sentAgain(page string, typed url.Values) url.Values {
	form := url.Values{}
	for name, values := range typed {
		form[name] = values
	}
	for _, m := range hiddenField.FindAllStringSubmatch(page, -1) {
		form.Set(m[1], html.UnescapeString(m[2]))
	}
	return form
}

func TestANurseEntersWhatThePatientReadsOut(t *testing.T) {
	c := &clerk{}
	w := phoned(t, c)
	nurse := w.login("Lea Nurse", access.Nurse)
	page := w.page("/patients/p-1/enter?measure=weight", nurse)
	w.wantText(page, "Saisir une mesure", "Ces 90 derniers jours : entre 80,0\u202fkg et 81,0\u202fkg", "balance Brand &lt;b&gt;M (scale-1)", "le patient")
	if strings.Contains(page, "cuff-1") {
		t.Error("a device that does not weigh is offered for a weight")
	}
	typed := url.Values{"value.value": {"80,6"}, "device": {"scale-1"}, "source": {"patient"}, "at": {"2026-11-23T11:30"}}
	form := sentAgain(page, typed)
	got := w.post("/patients/p-1/enter", nurse, form)
	if got.StatusCode != http.StatusSeeOther || got.Header.Get("Location") != "/patients/p-1/enter?done=1" {
		t.Fatalf("%s %s\n%s", got.Status, got.Header.Get("Location"), got.body)
	}
	w.wantText(w.page("/patients/p-1/enter?done=1", nurse), "Mesure gardée et évaluée")
	var reading struct {
		ID, Time, Measure, Unit, Source string
		Values                          map[string]float64
	}
	if err := json.Unmarshal(c.asked[0].Readings[0], &reading); err != nil {
		t.Fatal(err)
	}
	if a := c.asked[0]; a.Patient != "p-1" || a.Device != "scale-1" || a.Author != "Lea Nurse" || reading.Time != "2026-11-23T11:30:00+04:00" ||
		reading.Measure != "weight" || reading.Unit != "kg" || reading.Source != "patient" || reading.Values["value"] != 80.6 || reading.ID == "" {
		t.Errorf("asked for %+v, %+v", a, reading)
	}

	// Sent twice, it is one reading: it has the same id.
	w.post("/patients/p-1/enter", nurse, form)
	if first, again := string(c.asked[0].Readings[0]), string(c.asked[1].Readings[0]); first != again {
		t.Errorf("sent twice: %s and %s", first, again)
	}
	if other := sentAgain(w.page("/patients/p-1/enter?measure=weight", nurse), nil).Get("reading"); other == reading.ID {
		t.Error("two readings have one id")
	}
}

func TestTheUnusualIsLookedAtTwice(t *testing.T) {
	c := &clerk{}
	w := phoned(t, c)
	nurse := w.login("Lea Nurse", access.Nurse)
	typed := url.Values{"value.value": {"8,6"}, "device": {"scale-1"}, "source": {"professional"}, "at": {"2026-11-23T11:30"}}
	got := w.post("/patients/p-1/enter", nurse, sentAgain(w.page("/patients/p-1/enter?measure=weight", nurse), typed))
	w.wantText(got.body, "Valeur inhabituelle", "poids\u202f: 8,6\u202fkg", "entre 80,0\u202fkg et 81,0\u202fkg", `value="8,6"`, "C'est bien cette valeur", `value="professional" selected`)
	if len(c.asked) != 0 {
		t.Fatal("it was kept before it was looked at")
	}
	// Another value needs a look of its own; the same is kept.
	other := sentAgain(got.body, typed)
	other.Set("value.value", "9,6")
	if again := w.post("/patients/p-1/enter", nurse, other); again.StatusCode != http.StatusOK || len(c.asked) != 0 {
		t.Errorf("another unusual value was kept: %s", again.Status)
	}
	if again := w.post("/patients/p-1/enter", nurse, sentAgain(got.body, typed)); again.StatusCode != http.StatusSeeOther || len(c.asked) != 1 {
		t.Errorf("after the second look: %s", again.Status)
	}
	// Nobody knows what is usual of what was never measured.
	page := w.page("/patients/p-1/enter?measure=blood-pressure&lang=en", nurse)
	pressure := url.Values{"value.systolic": {"120"}, "value.diastolic": {"80"}, "device": {"cuff-1"}, "source": {"patient"}, "at": {"2026-11-23T11:30"}}
	got = w.post("/patients/p-1/enter?lang=en", nurse, sentAgain(page, pressure))
	if w.wantText(got.body, "Too few readings"); len(c.asked) != 1 {
		t.Error("a first pressure was kept without a look")
	}
}

func TestWhatCannotBeKeptIsSaidWithItsField(t *testing.T) {
	c := &clerk{refuse: protocols.Reason{Code: protocols.Implausible, Path: "values.systolic", Message: "beyond what an instrument reports"}}
	w := phoned(t, c)
	nurse := w.login("Lea Nurse", access.Nurse)
	page := w.page("/patients/p-1/enter?measure=blood-pressure", nurse)
	typed := url.Values{"value.systolic": {"1200"}, "value.diastolic": {"80"}, "device": {"cuff-1"}, "source": {"patient"}, "at": {"2026-11-23T11:30"}}
	page = w.post("/patients/p-1/enter", nurse, sentAgain(page, typed)).body
	got := w.post("/patients/p-1/enter", nurse, sentAgain(page, typed))
	if w.wantText(got.body, "n'a pas été gardée", "(systolique)", `value="1200"`); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("%s", got.Status)
	}
	for _, code := range protocols.Codes() {
		c.refuse = protocols.Reason{Code: code, Path: "time"}
		if got := w.post("/patients/p-1/enter", nurse, sentAgain(page, typed)); strings.Contains(got.body, "code."+string(code)) || !strings.Contains(got.body, "(Date et heure") {
			t.Errorf("%s is not said in words", code)
		}
	}

	hostile := `"><script>alert(1)</script>` + "\u202e\x00"
	for name, want := range map[string]string{"value.systolic": "pas un nombre", "at": "date et l'heure", "source": "qui a relevé", "device": "appareil qui a mesuré", "measure": "Choisissez une mesure"} {
		form := sentAgain(page, typed)
		form.Set(name, hostile)
		if name == "device" || name == "measure" {
			form.Set(name, "")
		}
		got := w.post("/patients/p-1/enter", nurse, form)
		if w.wantText(got.body, want); got.StatusCode != http.StatusUnprocessableEntity || strings.Contains(got.body, "<script>alert") {
			t.Errorf("%s: %s\n%s", name, got.Status, got.body)
		}
	}
	for _, number := range []string{"1e400", "NaN", "0x10", "1_000", "inf", "--1"} {
		form := sentAgain(page, typed)
		form.Set("value.systolic", number)
		w.wantText(w.post("/patients/p-1/enter", nurse, form).body, "pas un nombre")
	}
	if got := w.post("/patients/p-1/enter", nurse, typed, "Sec-Fetch-Site", "cross-site"); got.StatusCode != http.StatusForbidden {
		t.Errorf("a form of another site: %s", got.Status)
	}
	if len(c.asked) != 0 {
		t.Errorf("something was kept: %+v", c.asked)
	}
}

// Who enters leaves an act in the trail, and may do so for the patients of their teams.
func TestEnteringIsTracedAndKeptToOnesPatients(t *testing.T) {
	c := &clerk{}
	w := phoned(t, c)
	other := w.colleague("autre", "Autre Nurse", access.Nurse, "team-b")
	if got := w.ask("GET", "/patients/p-1/enter", "", other...); got.StatusCode != http.StatusNotFound {
		t.Errorf("a nurse of another team: %s", got.Status)
	}
	nurse := w.login("Lea Nurse", access.Nurse)
	typed := url.Values{"measure": {"weight"}, "reading": {"entered-1"}, "value.value": {"80.5"}, "device": {"scale-1"}, "source": {"patient"}, "at": {"2026-11-23T11:30"}}
	w.now = w.now.Add(time.Minute)
	w.post("/patients/p-1/enter", nurse, typed)
	if got := w.traced(); !slices.Contains(got, "Lea Nurse: act POST /patients/{id}/enter [p-1]") || len(c.asked) != 1 {
		t.Errorf("the trail holds %q, asked %d", got, len(c.asked))
	}
}

// A glucose says what it was measured in and when by the meal, in the words that a device
// would use: the format of devices reads it, and so do rules about meals.
func TestAGlucoseSaysWhenByTheMealItWasMeasured(t *testing.T) {
	c := &clerk{}
	w := open(t, followed("p-1", shipped(t, "diabetes-pregnancy"), func(e *registry.Enrolment) { e.Devices = []string{"meter-1"} }), func(o *workspace.Options) {
		o.Enter = c.enter
		o.Device = func(_ context.Context, name string) (*registry.Assignment, error) {
			return &registry.Assignment{Device: registry.Device{Name: name, Kind: "glucometer"}}, nil
		}
	})
	nurse := w.login("Lea Nurse", access.Nurse)
	page := w.page("/patients/p-1/enter?measure=glucose", nurse)
	w.wantText(page, "Moment, si connu", "à jeun", "2 h après un repas")
	typed := url.Values{"value.value": {"128"}, "device": {"meter-1"}, "source": {"patient"}, "at": {"2026-11-23T11:30"}, "variant": {"capillary"}, "meal": {"after-2h"}}
	got := w.post("/patients/p-1/enter", nurse, sentAgain(page, typed))
	w.wantText(got.body, `value="after-2h" selected`)
	w.post("/patients/p-1/enter", nurse, sentAgain(got.body, typed))
	if len(c.asked) != 1 {
		t.Fatalf("%d readings were entered", len(c.asked))
	}
	var batch ingest.Batch
	native.Decoder{}.Decode("vigie/v1/meter-1/readings", "meter-1", c.asked[0].Readings[0], &batch)
	if len(batch.Readings) != 1 || len(batch.Warnings) != 0 {
		t.Fatalf("the format of devices gives %+v of %s", batch, c.asked[0].Readings[0])
	}
	if r := &batch.Readings[0]; r.Meal() != protocols.AfterTwo || r.Variant != uint8(r.Measure.Variant("capillary")) {
		t.Errorf("it is read as %+v", r)
	}
}
