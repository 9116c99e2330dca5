package workspace_test

import (
	"context"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/workspace"
	"vigie/ingest/registry"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// rostered gives team-a two people who take turns at night, from the registry of the ward.
func rostered(late *lateRegistry) func(*workspace.Options) {
	return func(o *workspace.Options) {
		o.Change = late
		if late.lateStore == nil {
			late.lateStore = o.Store.(lateStore)
		}
		o.Duty = func(ctx context.Context, id string, at time.Time) (alerts.Duty, error) {
			found, err := late.Team(ctx, id)
			if err != nil {
				return alerts.Duty{}, err
			}
			zone, err := time.LoadLocation(found.Zone)
			if err != nil {
				return alerts.Duty{}, err
			}
			rota := alerts.Rota{Zone: zone, People: map[string]alerts.Person{}}
			for _, s := range found.Rota.Shifts {
				rota.Shifts = append(rota.Shifts, shiftOf(s, zone))
			}
			for _, p := range found.Rota.People {
				rota.People[p.ID] = alerts.Person{ID: p.ID, Name: p.Name, Contacts: p.Mail}
			}
			for _, x := range found.Rota.Overrides {
				rota.Overrides = append(rota.Overrides, alerts.Override(x))
			}
			return alerts.Team{ID: id, Contacts: found.Mail, Rota: rota}.Duty(at), nil
		}
		team := registry.Team{
			ID: "team-a", Name: "Cardiologie, Saint-Denis", Zone: "Indian/Reunion", Opens: "08:30", Closes: "18:00", Days: []string{"monday", "tuesday"},
			Mail: []string{"equipe@example.org"}, Escalate: registry.Of("cadre@example.org"), OutOfHours: map[string]string{"red": "on-call"},
			Rota: &registry.Rota{
				People: []registry.Person{{ID: "caron", Name: "Dr Caron", Mail: []string{"caron@example.org"}}, {ID: "serre", Name: "Dr Serre", Mail: []string{"serre@example.org"}}},
				Shifts: []registry.Shift{{From: "08:00", Until: "18:00", People: []string{"caron"}}, {From: "18:00", Until: "08:00", People: []string{"serre"}}},
			},
		}
		if _, err := late.Import(context.Background(), &registry.Registry{Teams: []registry.Team{team}}, "Op", o.Now()); err != nil {
			panic(err)
		}
	}
}

// shiftOf is a shift of the registry as the rota has it. What cannot be read is zero.
func shiftOf(s registry.Shift, zone *time.Location) (shift alerts.Shift) {
	clock := func(text string) time.Duration {
		at, _ := time.Parse("15:04", text)
		return time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute
	}
	shift.From, shift.Until, shift.People = clock(s.From), clock(s.Until), s.People
	shift.Start, _ = time.ParseInLocation(time.DateOnly, s.Start, zone)
	for day := time.Sunday; day <= time.Saturday; day++ {
		shift.Days[day] = slices.Contains(s.Days, strings.ToLower(day.String()))
	}
	return shift
}

var seenField = regexp.MustCompile(`name="seen" value="([^"]+)"`)

// The team sees who is on duty now on every page, and this week on its own; who runs it
// puts somebody in the place of another, under the version that the page showed.
func TestTheTeamSeesWhoIsOnDutyAndPutsSomebodyInPlace(t *testing.T) {
	var late lateRegistry
	w := open(t, rostered(&late))
	nurse := w.login("Lea Nurse")
	w.wantText(w.page("/alerts", nurse), "De garde", "Dr Caron jusqu'à 18:00")
	page := w.page("/team", nurse)
	w.wantText(page, "lundi 23 nov.", "aujourd'hui", "00:00 – 08:00", "Dr Serre", "<b>Dr Caron</b>", "la personne de garde, tout de suite", "equipe@example.org", "cadre@example.org", "Tous les messages sont arrivés", "lundi, mardi")
	if strings.Contains(page, "/team/override") || w.post("/team/override", nurse, url.Values{"team": {"team-a"}}).StatusCode != http.StatusForbidden {
		t.Error("a nurse changes the rota")
	}
	w.wantText(w.page("/team?week=2026-12-02", nurse), "30 nov. – 6 déc.")
	for _, path := range []string{"/team?team=team-b", "/team?week=demain"} {
		if got := w.ask("GET", path, "", "Authorization", "", "Cookie", nurse); got.StatusCode == http.StatusOK {
			t.Errorf("%s: %s", path, got.Status)
		}
	}

	runs := w.login("Cora Dinatrice", access.Coordinator)
	seen := seenField.FindStringSubmatch(w.page("/team", runs))
	if seen == nil {
		t.Fatal("no form")
	}
	form := url.Values{"team": {"team-a"}, "seen": {html.UnescapeString(seen[1])}, "person": {"serre"}, "from": {"2026-11-23T12:00"}, "until": {"2026-11-23T18:00"}}
	if got := w.post("/team/override", runs, form); got.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(got.body, `value="2026-11-23T12:00"`) {
		t.Errorf("without a reason: %s", got.Status)
	}
	form.Set("reason", "<b>formation</b>")
	form.Set("person", "nobody")
	if got := w.post("/team/override", runs, form); got.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("somebody unknown: %s", got.Status)
	}
	form.Set("person", "serre")
	if got := w.post("/team/override", runs, form); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("%s %s", got.Status, got.body)
	}
	if got := w.post("/team/override", runs, form); got.StatusCode != http.StatusPreconditionFailed || !strings.Contains(got.body, "modifié depuis") {
		t.Errorf("under a version of before: %s", got.Status)
	}
	w.wantText(w.page("/team", runs), "remplacement", "Cora Dinatrice", "&lt;b&gt;formation")
	w.wantText(w.page("/alerts", nurse), "Dr Serre")
	both := w.member("max", "Max Payet", "team-a", "team-b")
	w.wantText(w.page("/alerts", both), "De garde\u202f: Dr Serre jusqu'à", "08:00 (Cardiologie, Saint-Denis)") // where room is short, the end is cut

	// A swap is both duties or none; an override is taken back.
	again := func() {
		form.Set("seen", html.UnescapeString(seenField.FindStringSubmatch(w.page("/team", runs))[1]))
	}
	again()
	for name, value := range map[string]string{"from": "2026-11-24T18:00", "until": "2026-11-25T08:00", "person": "caron", "back": "serre", "then": "2026-11-25T08:00", "reason": "échange"} {
		form.Set(name, value)
	}
	if got := w.post("/team/override", runs, form); got.StatusCode != http.StatusBadRequest || !strings.Contains(got.body, `value="2026-11-25T08:00"`) || strings.Contains(w.page("/team", runs), "échange<") {
		t.Errorf("half a swap: %s", got.Status)
	}
	form.Set("then-until", "2026-11-25T18:00")
	if got := w.post("/team/override", runs, form); got.StatusCode != http.StatusSeeOther {
		t.Fatalf("%s %s", got.Status, got.body)
	}
	if page := w.page("/team", runs); strings.Count(page, "Cora Dinatrice\u202f: échange") != 2 {
		t.Errorf("the swap is not two overrides:\n%s", page)
	}
	again()
	form.Set("drop", "0")
	if got := w.post("/team/override", nurse, form); got.StatusCode != http.StatusForbidden {
		t.Errorf("a nurse takes an override back: %s", got.Status)
	}
	if got := w.post("/team/override", runs, form); got.StatusCode != http.StatusSeeOther || strings.Contains(w.page("/team", runs), "formation") {
		t.Errorf("taken back: %s", got.Status)
	}
	if got := w.post("/team/override", runs, form); got.StatusCode != http.StatusPreconditionFailed {
		t.Errorf("taken back twice: %s", got.Status)
	}
	w.wantText(w.page("/team", runs), "échange")
	if !slices.ContainsFunc(w.traced(), func(line string) bool { return strings.HasPrefix(line, "Cora Dinatrice: act POST /team/override") }) {
		t.Errorf("the trail: %v", w.traced())
	}
}

// Who runs the team begins a shift, changes it and ends it by a form, under the version that
// the page showed. Each change is refused with a sentence or said with the way back.
func TestShiftsAreChangedByAForm(t *testing.T) {
	var late lateRegistry
	w := open(t, rostered(&late))
	nurse, runs := w.login("Lea Nurse"), w.login("Cora Dinatrice", access.Coordinator)
	page := w.page("/team", nurse)
	w.wantText(page, "Tours de garde", "tous les jours\u202f: 18:00 – 08:00", "Dr Serre")
	if strings.Contains(page, "/team/shift") || w.post("/team/shift", nurse, url.Values{"team": {"team-a"}}).StatusCode != http.StatusForbidden {
		t.Error("a nurse changes the shifts")
	}
	shifts := func() []registry.Shift {
		t.Helper()
		team, err := late.Team(t.Context(), "team-a")
		if err != nil {
			t.Fatal(err)
		}
		return team.Rota.Shifts
	}
	send := func(form url.Values, status int, says ...string) answer {
		t.Helper()
		form.Set("team", "team-a")
		if !form.Has("seen") {
			form.Set("seen", html.UnescapeString(seenField.FindStringSubmatch(w.page("/team", runs))[1]))
		}
		got := w.post("/team/shift", runs, form)
		if got.StatusCode != status {
			t.Fatalf("%v: %s, want %d", form, got.Status, status)
		}
		w.wantText(got.body, says...)
		return got
	}
	turns := func(change ...string) url.Values {
		form := url.Values{"shift": {"1"}, "day": {"saturday", "sunday"}, "begins": {"20:00"}, "ends": {"07:30"}, "turn": {"serre", "", "caron"}, "start": {"2026-11-23"}}
		for i := 0; i < len(change); i += 2 {
			form.Del(change[i])
			if change[i+1] != "" {
				form.Set(change[i], change[i+1])
			}
		}
		return form
	}

	before := shifts()
	for _, wrong := range []struct {
		form   url.Values
		status int
		says   string
	}{
		{turns("day", ""), http.StatusBadRequest, "Cochez au moins un jour."},
		{turns("day", "someday"), http.StatusUnprocessableEntity, "mot connu"},
		{turns("begins", ""), http.StatusBadRequest, "de quelle heure à quelle heure"},
		{turns("ends", "25:00"), http.StatusBadRequest, "de quelle heure à quelle heure"},
		{turns("turn", ""), http.StatusBadRequest, "Choisissez qui est de garde."},
		{turns("turn", "nobody"), http.StatusUnprocessableEntity, "dans people"},
		{turns("start", ""), http.StatusBadRequest, "la première semaine"},
		{turns("start", "lundi"), http.StatusBadRequest, "un de ses jours"},
		{turns("shift", "7"), http.StatusPreconditionFailed, "modifié depuis"},
		{turns("shift", "-1"), http.StatusPreconditionFailed, "modifié depuis"},
		{url.Values{"end": {"1"}}, http.StatusPreconditionFailed, "modifié depuis"},
		{turns("seen", "former"), http.StatusPreconditionFailed, "modifié depuis"},
	} {
		send(wrong.form, wrong.status, wrong.says, `role="alert"`)
	}
	refused := send(turns("start", "", "begins", "20:15"), http.StatusBadRequest).body
	w.wantText(refused, `<details open><summary>Modifier`, `name="begins" value="20:15"`, `value="sunday" checked`)
	if strings.Count(refused, "<details open><summary>") != 1 {
		t.Error("the form that is shown again is not the one that was sent")
	}
	if got := shifts(); !slices.EqualFunc(got, before, sameShift) {
		t.Fatalf("what is refused changes the shifts: %+v", got)
	}

	// Changed: the week shows who is on duty, and who takes turns with whom.
	to := send(turns(), http.StatusSeeOther).Header.Get("Location")
	want := registry.Shift{Days: []string{"saturday", "sunday"}, From: "20:00", Until: "07:30", People: []string{"serre", "caron"}, Start: "2026-11-23"}
	if got := shifts(); len(got) != 2 || !sameShift(got[1], want) {
		t.Fatalf("kept is %+v", got)
	}
	page = w.page(to, runs)
	w.wantText(page, "les tours de garde sont changés", "samedi, dimanche\u202f: 20:00 – 07:30", "Dr Serre, Dr Caron · une semaine chacun, depuis celle du 23 nov.", "personne")
	w.wantText(w.page("/team?week=2026-12-02", runs), "20:00 – 24:00</span> Dr Caron")
	if strings.Contains(w.page(to, nurse), "/team/shift") {
		t.Error("a nurse is offered to take a change of the shifts back")
	}

	// Taken back, by the form that the page holds.
	to = send(fields(t, page, "/team/shift"), http.StatusSeeOther).Header.Get("Location")
	if got := shifts(); !slices.EqualFunc(got, before, sameShift) {
		t.Fatalf("taken back, the shifts are %+v", got)
	}
	w.wantText(w.page(to, runs), "les tours de garde sont changés")

	// Begun, and ended again; ended, and put back where it was.
	page = w.page(send(turns("shift", ""), http.StatusSeeOther).Header.Get("Location"), runs)
	if got := shifts(); len(got) != 3 || !sameShift(got[2], want) {
		t.Fatalf("begun is %+v", got)
	}
	send(fields(t, page, "/team/shift"), http.StatusSeeOther)
	page = w.page(send(url.Values{"shift": {"0"}, "end": {"1"}}, http.StatusSeeOther).Header.Get("Location"), runs)
	if got := shifts(); len(got) != 1 || !sameShift(got[0], before[1]) {
		t.Fatalf("ended, the shifts are %+v", got)
	}
	form := fields(t, page, "/team/shift")
	send(form, http.StatusSeeOther)
	if got := shifts(); !slices.EqualFunc(got, before, sameShift) {
		t.Fatalf("put back, the shifts are %+v", got)
	}
	send(form, http.StatusPreconditionFailed, "modifié depuis") // sent twice
	if got := shifts(); len(got) != 2 {
		t.Errorf("sent twice, the shifts are %+v", got)
	}
	// What a file left out, the week from which people take turns, is put back so.
	send(turns("start", "", "unstarted", "1"), http.StatusSeeOther)
	unstarted := shifts()
	if unstarted[1].Start != "" || len(unstarted[1].People) != 2 {
		t.Fatalf("kept is %+v", unstarted[1])
	}
	for _, form := range []url.Values{{"shift": {"1"}, "end": {"1"}}, turns()} {
		page = w.page(send(form, http.StatusSeeOther).Header.Get("Location"), runs)
		send(fields(t, page, "/team/shift"), http.StatusSeeOther)
		if got := shifts(); !slices.EqualFunc(got, unstarted, sameShift) {
			t.Fatalf("put back, the shifts are %+v", got)
		}
	}
	// A colleague changes it meanwhile: hers is not taken back by the page of before.
	mine := send(turns(), http.StatusSeeOther).Header.Get("Location")
	stale := fields(t, w.page(mine, runs), "/team/shift")
	hers := w.page(send(turns("begins", "21:00"), http.StatusSeeOther).Header.Get("Location"), runs)
	if strings.Contains(w.page(mine, runs), "Annuler ce changement") || !strings.Contains(hers, "Annuler ce changement") {
		t.Error("the page of before offers to take a change of somebody else back")
	}
	send(stale, http.StatusPreconditionFailed, "modifié depuis")
	if got := shifts(); got[1].From != "21:00" {
		t.Fatalf("her change is %+v", got)
	}

	if got := w.ask("POST", "/team/shift", form.Encode(), "Cookie", runs, "Content-Type", "application/x-www-form-urlencoded", "Origin", "https://elsewhere.example", "Sec-Fetch-Site", "cross-site", "Authorization", ""); got.StatusCode != http.StatusForbidden {
		t.Errorf("a form of another site: %s", got.Status)
	}
	if !slices.ContainsFunc(w.traced(), func(line string) bool { return strings.HasPrefix(line, "Cora Dinatrice: act POST /team/shift") }) {
		t.Errorf("the trail: %v", w.traced())
	}
}

func sameShift(a, b registry.Shift) bool {
	return slices.Equal(a.Days, b.Days) && a.From == b.From && a.Until == b.Until && slices.Equal(a.People, b.People) && a.Start == b.Start
}

// A message that never arrived stands on the page of its team.
func TestAMessageThatNeverArrivedIsOnThePageOfTheTeam(t *testing.T) {
	var late lateRegistry
	w := open(t, rostered(&late))
	w.care.Team.Name = "Cardiologie, Saint-Denis"
	id := w.raise("weight-fast", protocols.Red)
	list, err := w.store.Outbox(t.Context(), alerts.Mail, w.now.Add(time.Hour), 10)
	if err != nil || len(list) == 0 {
		t.Fatalf("%d messages, %v", len(list), err)
	}
	if err := w.store.Refuse(t.Context(), list[0].ID, storetest.Morning, "550 <b>no such box</b>"); err != nil {
		t.Fatal(err)
	}
	w.wantText(w.page("/team", w.login("Lea Nurse")), "550 &lt;b&gt;no such box", `href="/alerts/`+id)
}

// Neither does a digest, which is about no alert: it stands there for a nurse of the team, and
// for no one of another.
func TestADigestThatNeverArrivedIsOnThePageOfTheTeam(t *testing.T) {
	var late lateRegistry
	w := open(t, rostered(&late))
	notice := alerts.Notice(alerts.EventRenewal, w.care.Team, "week 48", w.now)
	other := w.care.Team
	other.ID, other.Name, other.Contacts = "team-z", "Team Z", []string{"mailto:z@example.org"}
	for _, m := range append(notice, alerts.Notice(alerts.EventRenewal, other, "week 48", w.now)...) {
		if err := w.store.Post(t.Context(), []alerts.Outgoing{m}); err != nil {
			t.Fatal(err)
		}
		if err := w.store.Refuse(t.Context(), m.ID, w.now, "550 "+m.To); err != nil {
			t.Fatal(err)
		}
	}
	_, failed, _ := strings.Cut(w.page("/team", w.nurseOf("team-a", "lea")), `<h2 id="failed">`)
	failed, _, _ = strings.Cut(failed, "</section>")
	if !strings.Contains(failed, "550 "+notice[0].To) || strings.Contains(failed, "550 z@example.org") {
		t.Errorf("want that of the team alone, shown is %s", failed)
	}
}

// The page of an alert says who was told of it, whether that arrived, and who is next; that
// of the team has the latest messages, whatever became of them.
func TestWhoIsToldOfAnAlertStandsOnItsPage(t *testing.T) {
	var late lateRegistry
	w := open(t, rostered(&late), func(o *workspace.Options) {
		care := storetest.Care()
		o.Care = everyone{&care}
	})
	w.care.Team.Name = "Cardiologie, Saint-Denis"
	id, nurse := w.raise("weight-fast", protocols.Red), w.login("Lea Nurse")
	page := w.page("/alerts/"+id, nurse)
	w.wantText(page, "<b>equipe@example.org</b>", "part à l'instant", "<b>example.org</b>", "Ensuite\u202f: cadre@example.org", "si personne ne répond")
	list, err := w.store.Outbox(t.Context(), alerts.Mail, w.now.Add(time.Hour), 10)
	if err != nil || len(list) != 1 {
		t.Fatalf("%d messages, %v", len(list), err)
	}
	if err := w.store.Retry(t.Context(), list[0].ID, w.now.Add(time.Minute), "greylisted"); err != nil {
		t.Fatal(err)
	}
	w.wantText(w.page("/alerts/"+id, nurse), "pas encore remis : essais 1, le prochain 13:31")
	if err := w.store.Sent(t.Context(), list[0].ID, w.now.Add(2*time.Minute)); err != nil {
		t.Fatal(err)
	}
	for path, says := range map[string]string{"/alerts/" + id: "remis 13:32", "/team": "remis 13:32", "/team?lang=en": "delivered 13:32"} {
		w.wantText(w.page(path, nurse), says, "equipe@example.org")
	}
	w.wantText(w.page("/team", nurse), `<a href="/alerts/`+id)
	w.post("/alerts/"+id+"/acknowledge", nurse, nil)
	w.wantText(w.page("/alerts/"+id, nurse), "Ensuite\u202f: equipe@example.org")
	w.post("/alerts/"+id+"/resolve", nurse, url.Values{"outcome": {"patient-called"}})
	if page := w.page("/alerts/"+id, nurse); strings.Contains(page, "Ensuite\u202f: ") {
		t.Error("what is closed says who is told next")
	}
}
