package workspace_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/figures"
	"vigie/alerts/workspace"
	"vigie/ingest/registry"
	"vigie/ingest/stores/sqlite"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// followedSince is a patient under the protocol of storetest's findings, since two weeks.
func followedSince(id, team string) registry.Face {
	f := face(id, "ROUX", "Inès")
	since := storetest.Morning.AddDate(0, 0, -14)
	f.Followed = []registry.Followed{{Protocol: "icc", Version: "1", Team: team, From: since, Until: since.AddDate(1, 0, 0)}}
	return f
}

// counted is a ward with figures, of six patients of two teams.
func counted(t *testing.T) *ward {
	t.Helper()
	var late lateFigures
	w := open(t, func(o *workspace.Options) { o.Figures, o.Protocol = &late, catalogued },
		named(followedSince("p-1", "team-a"), followedSince("p-2", "team-a"), followedSince("p-3", "team-a"), followedSince("p-4", "team-a"), followedSince("p-5", "team-a"), followedSince("p-6", "team-b")))
	late.Store = w.store
	w.ring("p-1", "weight-fast", protocols.Orange, 0)
	w.ring("p-2", "weight-fast", protocols.Orange, 0)
	w.ring("p-3", "spo2-low", protocols.Red, 0)
	w.now = storetest.Morning.Add(3 * time.Hour)
	if err := alerts.Close(t.Context(), w.store, alertOf(w, "p-1"), "Lea Nurse", []string{alerts.FalseAlarm}, "pied du chat", w.now); err != nil {
		t.Fatal(err)
	}
	return w
}

// catalogued is the protocol of storetest's findings, whose rule has a title of its own where no
// patient is known.
func catalogued(id, version string) *protocols.Protocol {
	return &protocols.Protocol{ID: id, Version: version, Rules: []protocols.Rule{{ID: "weight-fast", Title: protocols.Text{FR: "Prise de poids (> 2 kg)", EN: "Weight gain (> 2 kg)"}}}}
}

// lateFigures is the store of a ward, which exists only once the ward is open.
type lateFigures struct{ figures.Store }

func TestFiguresAreTheSameOnPageCSVAndJSON(t *testing.T) {
	w := counted(t)
	session := w.login("Lea Nurse")
	page := w.page("/figures?lang=fr", session)
	w.wantText(page, "<h1>Chiffres</h1>", "Qui est suivi", "Réponse de l'équipe", "Pertinence des alertes", "Continuité du suivi",
		"Fausses alertes", "100,0\u202f%", "Prise de poids (&gt; 2 kg)")
	for i := range figures.Table {
		w.wantText(page, figures.Table[i].Title.FR, figures.Table[i].Definition.FR)
	}
	headers := []string{"Authorization", "", "Cookie", session}
	var got struct {
		All         map[string]*float64
		Definitions []struct{ ID, Definition string }
		Levels      []struct {
			Level   string
			Figures map[string]*float64
		}
		Rules []struct {
			Rule    string
			Figures map[string]*float64
		}
	}
	answer := w.ask("GET", "/api/v1/figures", "", headers...)
	if err := json.Unmarshal([]byte(answer.body), &got); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%s %v %s", answer.Status, err, answer.body)
	}
	if len(got.Definitions) != len(figures.Table) || len(got.Levels) != 4 || len(got.Rules) != 2 {
		t.Errorf("the answer holds %s", answer.body)
	}
	for id, want := range map[string]float64{"patients": 5, "alerts": 3, "closed": 1, "false-alarms": 100, "answered": 1} {
		if got.All[id] == nil || *got.All[id] != want {
			t.Errorf("%s: %v, want %v", id, got.All[id], want)
		}
	}

	rows, err := csv.NewReader(strings.NewReader(w.ask("GET", "/api/v1/figures?format=csv", "", headers...).body)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	in := func(level, rule, figure string) string {
		at := slices.IndexFunc(rows, func(row []string) bool { return row[3] == level && row[5] == rule && row[8] == figure })
		if at < 0 {
			t.Fatalf("no row for %q %q %q", level, rule, figure)
		}
		return rows[at][10]
	}
	for id, value := range got.All {
		want := ""
		if value != nil {
			want = fmt.Sprint(*value)
		}
		if said := in("", "", id); said != want {
			t.Errorf("CSV says %q of %s, JSON %q", said, id, want)
		}
	}
	if n := slices.IndexFunc(rows, func(row []string) bool { return row[5] == "weight-fast" }); rows[n][6] != "Prise de poids (> 2 kg)" && rows[n][6] != "Weight gain (> 2 kg)" {
		t.Errorf("for many patients the rule is called %q", rows[n][6])
	}
	if said := in("orange", "weight-fast", "false-alarms"); said != "100" {
		t.Errorf("false alarms of a rule: %q", said)
	}
}

func TestFiguresAreThoseOfOnesTeams(t *testing.T) {
	w := counted(t)
	patients := func(path string, headers []string) float64 {
		t.Helper()
		var got struct{ All map[string]*float64 }
		answer := w.ask("GET", path, "", headers...)
		if err := json.Unmarshal([]byte(answer.body), &got); err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s %v %s", path, answer.Status, err, answer.body)
		}
		return *got.All["patients"]
	}
	lea := []string{"Authorization", "", "Cookie", w.login("Lea Nurse")}
	represent := w.colleague("usager", "Mme Usager", access.Representative, "team-a")
	if got := patients("/api/v1/figures", lea); got != 5 {
		t.Errorf("a nurse counts %v patients", got)
	}
	if got := patients("/api/v1/figures?team=team-b", lea); got != 0 {
		t.Errorf("a nurse counts %v patients of another team", got)
	}
	if got := patients("/api/v1/figures", represent); got != 6 {
		t.Errorf("a users' representative counts %v patients", got)
	}
	w.wantProblem(w.ask("GET", "/api/v1/figures?team=team-b", "", represent...), http.StatusConflict, "few-patients", "Moins de 5 patients")
	page := w.ask("GET", "/figures?team=team-b", "", represent...)
	if w.wantText(page.body, "Moins de 5 patients"); page.StatusCode != http.StatusOK {
		t.Errorf("the page of too few: %s", page.Status)
	}
}

func TestTheReportOfAMonth(t *testing.T) {
	w := counted(t)
	session := w.login("Lea Nurse")
	page := w.page("/figures?month=2026-11", session)
	w.wantText(page, "<h1>Rapport mensuel, novembre 2026</h1>", "Du 1er nov. au 30 nov.", `href="/figures?month=2026-10"`, "format=csv&month=2026-11", "octobre 2026")
	if strings.Contains(page, "décembre 2026") {
		t.Error("the page offers a month to come")
	}
	w.wantText(w.page("/figures?from=2026-11-20&to=2026-11-22&lang=en", session), "From 20 Nov to 22 Nov", "period before")
	for _, query := range []string{"month=2026-13", "last=2y", "from=2026-11-20", "format=xls", "teams=a"} {
		if got := w.ask("GET", "/figures?"+query, "", "Authorization", "", "Cookie", session); got.StatusCode != http.StatusBadRequest {
			t.Errorf("%s: %s", query, got.Status)
		}
	}
}

// BenchmarkFigures is 30 days of 100,000 patients and 5,000 alerts with their acts.
func BenchmarkFigures(b *testing.B) {
	var faces []registry.Face
	for i := range 100_000 {
		f := followedSince(fmt.Sprintf("p-%06d", i), []string{"team-a", "team-b"}[i%2])
		faces = append(faces, f)
	}
	var late lateFigures
	w := open(b, func(o *workspace.Options) { o.Figures = &late }, named(faces...))
	late.Store = w.store
	var findings []protocols.Finding
	for i := range 5_000 {
		f := storetest.Finding(protocols.Raised, fmt.Sprint("rule-", i%30), "ep-1", []protocols.Level{protocols.Red, protocols.Orange, protocols.Yellow}[i%3], 0)
		f.Patient, f.Enrolment = fmt.Sprintf("p-%06d", 2*i), fmt.Sprintf("e-%06d", 2*i)
		findings = append(findings, f)
	}
	w.found(findings...)
	settle(b, w.store, w.now)
	headers := []string{"Authorization", "", "Cookie", w.login("Lea Nurse")}
	b.ResetTimer()
	for b.Loop() {
		if got := w.ask("GET", "/api/v1/figures", "", headers...); got.StatusCode != http.StatusOK || !strings.Contains(got.body, `"alerts":5000`) {
			b.Fatal(got.Status, got.body)
		}
	}
}

// settle closes every second alert.
func settle(b *testing.B, store *sqlite.Store, now time.Time) {
	b.Helper()
	i := 0
	err := store.Courses(b.Context(), alerts.Filter{}, func(c *figures.Course) error {
		if i++; i%2 == 0 {
			return nil
		}
		return alerts.Close(b.Context(), store, c.ID, "Lea Nurse", []string{"patient-called"}, "vu", now)
	})
	if err != nil {
		b.Fatal(err)
	}
}
