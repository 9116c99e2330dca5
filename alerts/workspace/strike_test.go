package workspace_test

import (
	"context"
	"errors"
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/workspace"
	"vigie/ingest"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// striker takes down what is asked of it.
type striker struct {
	asked []workspace.Striking
	under []context.Context
}

func (s *striker) strike(ctx context.Context, about workspace.Striking) ([]*protocols.Reading, error) {
	s.asked, s.under = append(s.asked, about), append(s.under, ctx)
	return []*protocols.Reading{{
		ID: "r-9", Device: "scale-1", Patient: about.Patient, Time: about.From, Battery: -1,
		Measure: protocols.MeasureByID("weight"), Values: []protocols.Value{65_100},
	}}, nil
}

func TestReadingsAreStruckOutByWhoMayEnterThem(t *testing.T) {
	s := &striker{}
	w := open(t, func(o *workspace.Options) { o.Strike = s.strike })
	nurse := w.login("Mme Hoarau", access.Nurse)
	body := `{"patient":"p-1","time":"2026-11-23T06:02:00Z","reason":"son mari"}`
	for path, struck := range map[string]bool{"/api/v1/readings/strike": true, "/api/v1/readings/unstrike": false} {
		got := w.ask("POST", path, body, "Authorization", "", "Cookie", nurse)
		if got.StatusCode != http.StatusOK || !strings.Contains(got.body, `"r-9"`) || strings.Contains(got.body, `"struck":true`) != struck {
			t.Errorf("%s: %s %s", path, got.Status, got.body)
		}
		at := time.Date(2026, 11, 23, 6, 2, 0, 0, time.UTC)
		if asked := s.asked[len(s.asked)-1]; asked != (workspace.Striking{Patient: "p-1", From: at, To: at.Add(1), Author: "Mme Hoarau", Reason: "son mari", Undo: !struck}) {
			t.Errorf("%s asks for %+v", path, asked)
		}
		if s.under[len(s.under)-1].Done() != nil {
			t.Errorf("%s stops half way where who asked goes away", path)
		}
	}
	asked := len(s.asked)
	for _, c := range []struct {
		body   string
		status int
		code   alerts.Code
		says   string
	}{
		{`{"patient":"p-1","time":"2026-11-23T06:02:00Z"}`, http.StatusUnprocessableEntity, alerts.NoReason, "pourquoi"},
		{`{"patient":"p-1","reason":"x"}`, http.StatusBadRequest, "malformed", "quand"},
		{`{"patient":"p-1","from":"2026-11-23T06:02:00Z","to":"2026-11-23T06:02:00Z","reason":"x"}`, http.StatusBadRequest, "malformed", "quand"},
		{`{"time":"2026-11-23T06:02:00Z","reason":"x"}`, http.StatusBadRequest, "malformed", "patient"},
		{`{"patient":"p-1","time":"2026-11-23T06:02:00Z","measure":"love","reason":"x"}`, http.StatusBadRequest, "malformed", "mesure"},
		{`{"patient":"p-1","time":"2026-11-23T06:02:00Z","reason":"x","author":"Dr Payet"}`, http.StatusUnprocessableEntity, "author-given", "compte"},
	} {
		w.wantProblem(w.ask("POST", "/api/v1/readings/strike", c.body, "Authorization", "", "Cookie", nurse), c.status, c.code, c.says)
	}
	if len(s.asked) != asked {
		t.Errorf("what was refused was done: %+v", s.asked[asked:])
	}
}

// slate is what one patient measured, with what was struck out of it.
type slate struct {
	weights
	marks []ingest.Mark
	done  func(workspace.Striking) // what else a strike does
}

func (s *slate) named(about workspace.Striking) (list []*protocols.Reading) {
	for _, r := range s.readings {
		if !r.Time.Before(about.From) && r.Time.Before(about.To) && (about.Measure == nil || r.Measure == about.Measure) && (about.ID == "" || r.ID == about.ID) {
			list = append(list, r)
		}
	}
	return list
}

func (s *slate) strike(_ context.Context, about workspace.Striking) ([]*protocols.Reading, error) {
	list := s.named(about)
	if len(list) == 0 || list[0].Struck != about.Undo {
		return nil, &alerts.Refused{Code: workspace.StruckBefore, Text: protocols.Text{FR: "Ces mesures sont déjà rayées.", EN: "These readings are struck out already."}}
	}
	for _, r := range list {
		r.Struck = !about.Undo
		if about.Undo {
			s.marks = nil
			continue
		}
		s.marks = append(s.marks, ingest.Mark{Reading: *ingest.NameOf(r), Values: r.Values, Author: about.Author, Reason: about.Reason, At: storetest.Morning.Add(26 * time.Hour)})
	}
	s.done(about)
	return list, nil
}

// slated is a ward whose readings can be struck out: the second weight raised an alert.
func slated(t *testing.T, change ...func(*workspace.Options)) (*ward, *slate, string) {
	s := &slate{}
	withdrawn := storetest.Finding(protocols.Withdrawn, "weight-fast", "ep-1", protocols.Orange, 0)
	w := open(t, append(change, named(face("p-1", "ROUX", "Inès")), followed("p-1", shipped(t, "heart-failure")), func(o *workspace.Options) {
		s.weights = o.History.(weights)
		o.History, o.Strike = s, s.strike
		o.TryStrike = func(context.Context, workspace.Striking) ([]protocols.Finding, error) {
			return []protocols.Finding{withdrawn}, nil
		}
		o.Marks = func(context.Context, string, time.Time, time.Time) ([]ingest.Mark, error) { return s.marks, nil }
	})...)
	s.done = func(about workspace.Striking) {
		if f := withdrawn; !about.Undo {
			f.Found, f.Author, f.Reason = w.now, about.Author, about.Reason
			w.found(f)
		}
	}
	id := w.raise("weight-fast", protocols.Orange)
	w.now = storetest.Morning.Add(26 * time.Hour)
	return w, s, id
}

var strikeLink = regexp.MustCompile(`href="(/patients/p-1/strike\?[^"]*)"`)

func linkIn(t *testing.T, page, after string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, after)
	link := strikeLink.FindStringSubmatch(rest)
	if !found || link == nil {
		t.Fatalf("no way to strike a reading out behind %q:\n%s", after, page)
	}
	return html.UnescapeString(link[1])
}

// From the table of a chart, a nurse reads what striking a weight out would change, does
// so, sees it marked, and undoes it.
func TestAReadingIsStruckOutOnItsPage(t *testing.T) {
	w, s, id := slated(t)
	session := w.login("Mme Hoarau")
	link := linkIn(t, w.page("/patients/p-1?last=7d", session), "<tbody>")
	w.wantText(w.page(link, session), "82,1", "scale-1", "Ce que cela changerait", "serait close, « mesure rayée »", "Mesure d'une autre personne")
	address, query, _ := strings.Cut(link, "?")
	form, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	if got := w.post(address, session, form); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.body, "Choisissez pourquoi") || len(s.marks) != 0 {
		t.Errorf("without a reason: %s, %d marks", got.Status, len(s.marks))
	}
	form.Set("why", "person")
	form.Set("note", "son \u202emari")
	if got := w.post(address, session, form); got.StatusCode != http.StatusUnprocessableEntity || len(s.marks) != 0 {
		t.Errorf("with a hidden character: %s", got.Status)
	}
	form.Set("note", "son <b>mari</b>")
	got := w.post(address, session, form)
	if got.StatusCode != http.StatusSeeOther {
		t.Fatalf("%s %s", got.Status, got.body)
	}
	after, _, _ := strings.Cut(got.Header.Get("Location"), "#")
	w.wantText(w.page(after, session), "la mesure est rayée", "<s>82,1", "Mme Hoarau", "son &lt;b&gt;mari", "Utiliser de nouveau")
	if twice := w.post(address, session, form); twice.StatusCode != http.StatusConflict || !strings.Contains(twice.body, "déjà rayées") {
		t.Errorf("twice: %s", twice.Status)
	}

	record := w.page("/patients/p-1?last=7d", session)
	w.wantText(record, "Mesures rayées", `class="struck"`, "<s>82,1", "Mesure d'une autre personne — son", "son &lt;b&gt;mari")
	w.wantText(w.page("/?tab=reread", session), "ROUX Inès", "mesure rayée", "Mme Hoarau", `href="/alerts/`+id)
	if page := w.page("/", session); strings.Contains(page, "/alerts/"+id) {
		t.Error("what a strike has closed is still to be seen")
	}
	if !slices.Contains(w.traced(), "Mme Hoarau: act POST /patients/{id}/strike [p-1]") {
		t.Errorf("the trail: %v", w.traced())
	}
	w.now = w.now.Add(73 * time.Hour)
	session = w.login("Mme Hoarau")
	if page := w.page("/?tab=reread", session); strings.Contains(page, "ROUX") {
		t.Error("what a strike has closed is to be read for more than three days")
	}

	form.Set("undo", "1")
	form.Set("why", "mistaken")
	if got := w.post(address, session, form); got.StatusCode != http.StatusSeeOther || len(s.marks) != 0 {
		t.Errorf("undone: %s, %d marks", got.Status, len(s.marks))
	}
	w.wantText(w.page(after, session), "compte de nouveau", "<b>82,1", ">Rayer</button>")
}

// The page of an alert leads to it, several readings are named by two times, and what is
// not there or not theirs is refused.
func TestStrikingOutIsReachedFromTheAlert(t *testing.T) {
	w, _, id := slated(t)
	session := w.login("Mme Hoarau")
	page := w.page("/alerts/"+id, session)
	w.wantText(page, "La mesure est fausse ?")
	if link := linkIn(t, page, `id="readings"`); !strings.Contains(link, "back=%2Falerts%2F"+id) {
		t.Errorf("the way back from %s", link)
	}
	w.wantText(w.page("/patients/p-1/strike?from=2026-11-23T00:00&to=2026-11-25T00:00&measure=weight", session), "82,1", "80,0\u202fkg")
	for path, status := range map[string]int{
		"/patients/p-1/strike?time=2026-11-23T06:00:00Z": 404, "/patients/p-1/strike": 400, "/patients/p-1/strike?time=hier": 400, "/patients/p-1/strike?from=2026-11-25T00:00&to=2026-11-23T00:00": 400,
	} {
		if got := w.ask("GET", path, "", "Authorization", "", "Cookie", session); got.StatusCode != status {
			t.Errorf("%s: %s, want %d", path, got.Status, status)
		}
	}
}

// A device that measured several patients: what it measured in those of her own teams is
// struck out at once, each patient with a line in the trail; the others are counted.
// wideActs keeps strikes of many patients in memory.
type wideActs struct{ list []ingest.WideAct }

func (a *wideActs) KeepWideAct(_ context.Context, act *ingest.WideAct) error {
	act.ID = int64(len(a.list) + 1)
	a.list = append(a.list, *act)
	return nil
}

func (a *wideActs) EndWideAct(_ context.Context, id int64, at time.Time) error {
	a.list[id-1].Done = at
	return nil
}

func (a *wideActs) OpenWideActs(context.Context) (open []ingest.WideAct, _ error) {
	for _, act := range a.list {
		if act.Done.IsZero() {
			open = append(open, act)
		}
	}
	return open, nil
}

func (a *wideActs) WideActsOf(_ context.Context, device string) (of []ingest.WideAct, _ error) {
	for _, act := range a.list {
		if act.About.Device == device {
			of = append(of, act)
		}
	}
	return of, nil
}

// wideSlate is a scale that measured three patients, each once, of whom the last is
// another team's.
type wideSlate struct {
	slate
	acts wideActs
	now  func() time.Time
	cut  int // strikes that are done before the service is killed; 0 for never

	asked []workspace.Striking
}

func (s *wideSlate) strike(_ context.Context, about workspace.Striking) (struck []*protocols.Reading, _ error) {
	s.asked = append(s.asked, about)
	if s.cut--; s.cut == 0 {
		return nil, errKilled
	}
	for _, r := range s.readings {
		if r.Patient != about.Patient || r.Struck != about.Undo || about.Wide != nil && !slices.ContainsFunc(s.marks, func(m ingest.Mark) bool { return m.Of(r) && about.Wide.Made(&m) }) {
			continue
		}
		struck, r.Struck = append(struck, r), !about.Undo
		if !about.Undo {
			s.marks = append(s.marks, ingest.Mark{Reading: *ingest.NameOf(r), Values: r.Values, Author: about.Author, Reason: about.Reason, At: s.now()})
		}
	}
	return struck, nil
}

func (s *wideSlate) struck() (n int) {
	for _, r := range s.readings {
		if r.Struck {
			n++
		}
	}
	return n
}

var errKilled = errors.New("killed")

func wideWard(t *testing.T, change ...func(*workspace.Options)) (*ward, *wideSlate) {
	s := &wideSlate{}
	for _, patient := range []string{"p-1", "p-2", "p-3"} {
		s.readings = append(s.readings, &protocols.Reading{ID: "r-" + patient, Device: "scale-1", Patient: patient, Time: storetest.Morning,
			Measure: protocols.MeasureByID("weight"), Values: []protocols.Value{80_000}, Battery: -1, Origin: &protocols.Origin{Batch: "import 2026-11-23T09:00:00Z"}})
	}
	w := open(t, append(change, func(o *workspace.Options) {
		s.now = o.Now
		o.History, o.Strike, o.Wide = s, s.strike, &s.acts
		o.Marks = func(_ context.Context, patient string, _, _ time.Time) (marks []ingest.Mark, _ error) {
			for _, m := range s.marks {
				if m.Reading.Patient == patient {
					marks = append(marks, m)
				}
			}
			return marks, nil
		}
		o.Fed = func(context.Context, string) ([]string, error) { return []string{"p-1", "p-2", "p-3", "p-4"}, nil }
		o.TryStrike = func(_ context.Context, about workspace.Striking) ([]protocols.Finding, error) {
			f := storetest.Finding(protocols.Withdrawn, "weight-fast", "ep-1", protocols.Orange, 0)
			return []protocols.Finding{f, f}, nil
		}
		o.TeamsOf = func(_ context.Context, patient string) ([]string, error) {
			if patient == "p-3" {
				return []string{"team-b"}, nil
			}
			return []string{"team-a"}, nil
		}
	})...)
	return w, s
}

// A long import is struck out of each patient as one, as it is of one patient: what ends
// later in it rings nowhere meanwhile.
func TestALongImportOfADeviceIsStruckOutOfEachPatientAsOne(t *testing.T) {
	w, s := wideWard(t)
	nurse := w.nurseOf("team-a", "lea")
	long := *s.readings[0]
	for i := range ingest.MostStruck {
		r := long
		r.ID, r.Time = strconv.Itoa(i), storetest.Morning.Add(time.Duration(i-ingest.MostStruck)*time.Minute)
		s.readings = append(s.readings, &r)
	}
	slices.SortFunc(s.readings, func(a, b *protocols.Reading) int { return a.Time.Compare(b.Time) })
	const about = `{"device":"scale-1","batch":"import 2026-11-23T09:00:00Z","reason":"le fichier d'un autre"}`
	for _, path := range []string{"strike", "unstrike"} {
		s.asked = nil
		if got := w.ask("POST", "/api/v1/readings/"+path, about, "Authorization", "", "Cookie", nurse); got.StatusCode != http.StatusOK || len(s.asked) != 2 {
			t.Errorf("%s of two patients: %s, in %d strikes", path, got.Status, len(s.asked))
		}
	}
}

// A strike of many patients that is killed half way goes on by itself, once, and is taken
// back without what somebody had struck out before for a reason of its own.
func TestAStrikeOfManyPatientsThatIsKilledGoesOn(t *testing.T) {
	w, s := wideWard(t)
	nurse := w.nurseOf("team-a", "lea")
	const about = `{"device":"scale-1","batch":"import 2026-11-23T09:00:00Z","reason":"le fichier d'un autre"}`
	s.readings[0].Struck = true
	s.marks = []ingest.Mark{{Reading: *ingest.NameOf(s.readings[0]), Values: s.readings[0].Values, Author: "lea", Reason: "son mari", At: s.now().Add(-time.Hour)}}
	s.readings = append(s.readings, &protocols.Reading{ID: "r-2", Device: "scale-1", Patient: "p-1", Time: storetest.Morning.Add(time.Hour),
		Measure: protocols.MeasureByID("weight"), Values: []protocols.Value{81_000}, Battery: -1, Origin: s.readings[0].Origin})
	s.cut = 2
	if got := w.ask("POST", "/api/v1/readings/strike", about, "Authorization", "", "Cookie", nurse); got.StatusCode != http.StatusInternalServerError || s.struck() != 2 {
		t.Fatalf("cut short, it says %s, %d struck out", got.Status, s.struck())
	}
	if err := w.space.CarryOn(t.Context()); err != nil || s.struck() != 2 {
		t.Errorf("at once: %d struck out, %v", s.struck(), err)
	}
	w.now = w.now.Add(time.Minute)
	for range 2 {
		if err := w.space.CarryOn(t.Context()); err != nil || s.struck() != 3 || s.readings[2].Struck {
			t.Errorf("a minute later %d are struck out, of the other team's patient %v, %v", s.struck(), s.readings[2].Struck, err)
		}
	}
	if due, err := w.space.CarryOnDue(t.Context(), w.now.Add(time.Hour)); due || err != nil {
		t.Errorf("something is left to do: %v", err)
	}
	lines := 0
	for _, line := range w.traced() {
		if strings.HasPrefix(line, "lea: act POST /api/v1/readings/strike") {
			lines++
		}
	}
	if lines != 2 {
		t.Errorf("the trail has %d acts, want one of each patient, before the first is touched", lines)
	}
	undone := w.ask("POST", "/api/v1/readings/unstrike", about, "Authorization", "", "Cookie", nurse)
	if undone.StatusCode != http.StatusOK || s.struck() != 1 || !s.readings[0].Struck {
		t.Errorf("taken back: %s, %d are still struck out, the husband's %v", undone.body, s.struck(), s.readings[0].Struck)
	}
}

func TestADeviceIsStruckOutOfAllItsPatientsWhomSheMayChange(t *testing.T) {
	w, s := wideWard(t)
	nurse := w.nurseOf("team-a", "lea")
	const about = `"device":"scale-1","batch":"import 2026-11-23T09:00:00Z","reason":"le fichier d'un autre"}`
	for _, c := range []struct {
		path, body, says string
		struck           int
	}{
		{"strike", `{"dry_run":true,` + about, `"readings":1,"alerts":1},{"patient":"p-2","readings":1,"alerts":1}],"count":2,"alerts":2,"left_out":1}`, 0},
		{"strike", `{"device":"scale-1","batch":"import 2020-01-01T00:00:00Z","reason":"x"}`, `{"patients":[],"count":0,"alerts":0,"left_out":1}`, 0},
		{"strike", "{" + about, `"count":2,"alerts":0,"left_out":1}`, 2},
		{"strike", "{" + about, `{"patients":[],"count":0,"alerts":0,"left_out":1}`, 2}, // the same once more does nothing
		{"unstrike", `{"device":"scale-1","from":"2026-11-23T00:00:00Z","to":"2026-11-24T00:00:00Z","reason":"c'était bien eux"}`, `"count":2,"alerts":0,"left_out":1}`, 0},
	} {
		got := w.ask("POST", "/api/v1/readings/"+c.path, c.body, "Authorization", "", "Cookie", nurse)
		if got.StatusCode != http.StatusOK || !strings.Contains(got.body, c.says) || s.struck() != c.struck {
			t.Errorf("%s %s: %s %s, %d struck out", c.path, c.body, got.Status, got.body, s.struck())
		}
	}
	for _, patient := range []string{"p-1", "p-2", "p-3"} {
		want := 2 // struck out and taken back
		if patient == "p-3" {
			want = 0
		}
		lines := 0
		for _, line := range w.traced() {
			if strings.HasPrefix(line, "lea: act POST /api/v1/readings/") && strings.HasSuffix(line, "["+patient+"]") {
				lines++
			}
		}
		if lines != want {
			t.Errorf("the trail has %d acts about %s, want %d", lines, patient, want)
		}
	}
	w.wantProblem(w.ask("POST", "/api/v1/readings/strike", `{"device":"scale-1","time":"2026-11-23T07:00:00Z","reason":"x"}`), http.StatusBadRequest, "malformed", "un patient")
}

// On the page of a device a nurse sees what a strike of all its patients would change, does
// it, and takes it back; what she saw has to be what is done.
func TestADeviceIsStruckOutOnItsPage(t *testing.T) {
	w, s := wideWard(t)
	nurse := w.nurseOf("team-a", "lea")
	const page = "/devices/scale-1/strike"
	w.wantText(w.page(page, nurse), "Mesures faites entre")
	const asked = page + "?from=2026-11-23T00:00&to=2026-11-23T23:59"
	w.raise("weight-fast", protocols.Orange)
	w.wantText(w.page(asked, nurse), "2 mesures de 2 patients", `href="/patients/p-1"`, `href="/patients/p-2"`, "1 autre patient est suivi par une autre équipe", "serait close", `name="seen" value="2/2"`)
	if other := w.page(asked, nurse); strings.Contains(other, "/patients/p-3") {
		t.Error("the page names a patient of another team")
	}
	form := url.Values{"from": {"2026-11-23T00:00"}, "to": {"2026-11-23T23:59"}, "seen": {"2/2"}}
	for _, c := range []struct {
		change map[string]string
		status int
		says   string
	}{
		{nil, http.StatusUnprocessableEntity, "Choisissez pourquoi"},
		{map[string]string{"why": "other", "note": "son \u202emari"}, http.StatusUnprocessableEntity, "caractère"},
		{map[string]string{"why": "person", "seen": "1/1"}, http.StatusPreconditionFailed, "changé"},
		{map[string]string{"why": "person", "from": "2026-11-24T00:00", "to": "2026-11-24T12:00"}, http.StatusPreconditionFailed, "changé"},
		{map[string]string{"why": "person", "to": "hier"}, http.StatusBadRequest, "date"},
	} {
		sent := maps.Clone(form)
		for name, value := range c.change {
			sent.Set(name, value)
		}
		if got := w.post(page, nurse, sent); got.StatusCode != c.status || !strings.Contains(got.body, c.says) || s.struck() != 0 {
			t.Errorf("%v: %s, %d struck out: %s", c.change, got.Status, s.struck(), got.body)
		}
	}
	form.Set("why", "person")
	form.Set("note", "<b>échangée</b>")
	got := w.post(page, nurse, form)
	if got.StatusCode != http.StatusSeeOther || s.struck() != 2 {
		t.Fatalf("%s, %d struck out: %s", got.Status, s.struck(), got.body)
	}
	after, _, _ := strings.Cut(got.Header.Get("Location"), "#")
	done := w.page(after, nurse)
	w.wantText(done, "les mesures sont rayées", "Rayées de 2 patients", "autre personne — &lt;b&gt;échangée", "Il ne reste rien à rayer")
	if twice := w.post(page, nurse, form); twice.StatusCode != http.StatusPreconditionFailed || s.struck() != 2 {
		t.Errorf("sent twice: %s, %d struck out", twice.Status, s.struck())
	}
	if page := w.page(page, w.nurseOf("team-b", "tom")); strings.Contains(page, "échangée") {
		t.Error("another team reads of an act on patients who are not theirs")
	}

	back := html.UnescapeString(regexp.MustCompile(`href="(/devices/scale-1/strike\?[^"]*undo=1[^"]*)"`).FindStringSubmatch(done)[1])
	w.wantText(w.page(back, nurse), "2 mesures de 2 patients", "Rayée par erreur")
	_, query, _ := strings.Cut(back, "?")
	if form, _ = url.ParseQuery(query); form == nil {
		t.Fatal(back)
	}
	form.Set("seen", "2/2")
	form.Set("why", "mistaken")
	if got := w.post(page, nurse, form); got.StatusCode != http.StatusSeeOther || s.struck() != 0 {
		t.Errorf("taken back: %s, %d struck out: %s", got.Status, s.struck(), got.body)
	}
	lines := 0
	for _, line := range w.traced() {
		if strings.HasPrefix(line, "lea: act POST /devices/{id}/strike") {
			lines++
		}
	}
	if lines != 4 {
		t.Errorf("the trail has %d acts, want one of each patient for each", lines)
	}
}
