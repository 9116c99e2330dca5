package workspace_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/workspace"
	"vigie/ingest/registry"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
	"vigie/protocols/replay"
)

// foreseen is an enrolment with a preview that finds two rapid gains under settings of less
// than 2 kg and none from there on.
func foreseen(t *testing.T) (w *ward, spans *[]replay.Span) {
	t.Helper()
	spans = &[]replay.Span{}
	w = enrolled(t, func(o *workspace.Options) {
		o.Preview = func(_ context.Context, forms []registry.Enrolment, span replay.Span) (found [][]replay.Alert, err error) {
			*spans = append(*spans, span)
			for _, e := range forms {
				var list []replay.Alert
				value := protocols.Value(2000)
				if set, is := e.Settings["fast-gain"]; is {
					value = set.Value
				}
				if value < 2000 {
					for _, day := range []int{-9, -4} {
						list = append(list, replay.Alert{Time: storetest.Morning.AddDate(0, 0, day), Patient: e.Patient, Rule: "weight-gain-fast", Level: protocols.Orange})
					}
				}
				found = append(found, list)
			}
			return found, nil
		}
	})
	return w, spans
}

// A physician sees which days a threshold would have changed before it is kept, then keeps
// it with a reason.
func TestASettingIsForeseenBeforeItIsKept(t *testing.T) {
	w, spans := foreseen(t)
	aubry := w.colleague("aubry", "Dr Aubry", access.Physician, "team-a")
	page := w.pageAs(aubry, "/enrolments/e-1")
	w.wantText(page, "Voir ce que cela aurait changé")
	if strings.Contains(page, `action="/enrolments/e-1/setting"`) {
		t.Error("a setting can be kept without being foreseen")
	}
	page = w.pageAs(aubry, "/enrolments/e-1?name=fast-gain&value=2%2C5")
	w.wantText(page, "<s>1,5\u202fkg</s>", "<b>2,5\u202fkg</b>", "Sur les derniers 30 jours", "aucune alerte au lieu de 2", "n'aurait plus sonné", "sam. 14 nov.", "jeu. 19 nov.", `action="/enrolments/e-1/setting"`, "↓ 0")
	if e := w.enrolment("e-1"); e.Settings["fast-gain"].Value != 1500 {
		t.Errorf("looking changed the setting: %+v", e.Settings)
	}
	if got := (*spans)[0]; got.To.Sub(got.From) < 29*24*time.Hour || !got.To.Equal(w.now) {
		t.Errorf("it looks at %v", got)
	}
	w.wantText(w.pageAs(aubry, "/enrolments/e-1?name=fast-gain&value=1.2&days=90"), "Sur les derniers 90 jours", "2 alertes, comme aujourd'hui", "Aucun jour ne change")
	if got := (*spans)[1].Days(); got < 89 || got > 91 {
		t.Errorf("90 days are %v", got)
	}
	w.wantText(w.pageAs(aubry, "/enrolments/e-1?name=fast-gain&value=&lang=en"), "no alert instead of 2", "would not have rung")

	kept := w.postAs(aubry, "/enrolments/e-1/setting", sentAgain(page, url.Values{"name": {"fast-gain"}, "value": {"2.5"}, "reason": {"nouveau diurétique"}}))
	if kept.StatusCode == http.StatusUnprocessableEntity && strings.Contains(kept.body, `name="allow"`) {
		kept = w.postAs(aubry, "/enrolments/e-1/setting", allow(kept.body, url.Values{"name": {"fast-gain"}, "value": {"2.5"}, "reason": {"nouveau diurétique"}}))
	}
	if kept.StatusCode != http.StatusSeeOther {
		t.Fatalf("%s\n%s", kept.Status, kept.body)
	}
	if s := w.enrolment("e-1").Settings["fast-gain"]; s.Value != 2500 || s.Author != "Dr Aubry" || s.Reason != "nouveau diurétique" {
		t.Errorf("kept is %+v", s)
	}
}

var allowed = regexp.MustCompile(`name="(allow|seen)" value="([^"]+)"`)

// allow adds to a form what has to be meant.
func allow(page string, form url.Values) url.Values {
	for _, m := range allowed.FindAllStringSubmatch(page, -1) {
		form.Add(m[1], m[2])
	}
	return form
}

// What cannot be foreseen is said, and nothing can be kept that the protocol does not allow.
func TestWhatCannotBeForeseenIsSaid(t *testing.T) {
	w, _ := foreseen(t)
	aubry := w.colleague("aubry", "Dr Aubry", access.Physician, "team-a")
	for query, want := range map[string]string{
		"name=fast-gain&value=x": "n'est pas un nombre", "name=fast-gain&value=400": "sort de ce que le protocole permet",
		"name=nothing&value=1": "n'existe pas dans ce protocole", "name=fast-gain&value=NaN": "n'est pas un nombre",
		"name=fast-gain&value=%3Cscript%3E": "n'est pas un nombre",
	} {
		page := w.pageAs(aubry, "/enrolments/e-1?"+query)
		w.wantText(page, want)
		if strings.Contains(page, `action="/enrolments/e-1/setting"`) || strings.Contains(page, "<script>") {
			t.Errorf("%s: it can be kept all the same, or is markup", query)
		}
	}
	nurse := w.colleague("lea", "Lea Nurse", access.Nurse, "team-a")
	if page := w.pageAs(nurse, "/enrolments/e-1?name=fast-gain&value=2"); strings.Contains(page, "au lieu de") {
		t.Error("a nurse foresees a setting that only a physician changes")
	}
}

// A long list of changes is cut, and says so.
func TestAPreviewListsABoundedNumberOfDays(t *testing.T) {
	w := enrolled(t, func(o *workspace.Options) {
		o.Preview = func(_ context.Context, forms []registry.Enrolment, span replay.Span) ([][]replay.Alert, error) {
			var list []replay.Alert
			for i := range 60 {
				list = append(list, replay.Alert{Time: span.To.Add(-time.Duration(i) * 30 * time.Hour), Patient: forms[0].Patient, Rule: "weight-gain-fast", Level: protocols.Orange})
			}
			return [][]replay.Alert{nil, list}, nil
		}
	})
	page := w.pageAs(w.colleague("aubry", "Dr Aubry", access.Physician, "team-a"), "/enrolments/e-1?name=fast-gain&value=2&days=90")
	w.wantText(page, "60 alertes au lieu de 0", "et d'autres, non listés")
	if got := strings.Count(page, "aurait sonné en plus"); got != 40 {
		t.Errorf("%d days are listed", got)
	}
}

// A program that asks what another version would change is told what would have rung.
func TestAnotherVersionIsForeseenByADryRun(t *testing.T) {
	w := enrolled(t, func(o *workspace.Options) {
		o.Preview = func(_ context.Context, forms []registry.Enrolment, span replay.Span) ([][]replay.Alert, error) {
			if len(forms) != 2 || forms[0].Version == forms[1].Version || span.To.Sub(span.From) < 29*24*time.Hour {
				t.Errorf("asked about %+v from %s to %s", forms, span.From, span.To)
			}
			ring := func(rule string, level protocols.Level) replay.Alert { return replay.Alert{Rule: rule, Level: level} }
			return [][]replay.Alert{{ring("b", protocols.Orange), ring("a", protocols.Red)}, {ring("a", protocols.Red), ring("a", protocols.Red), ring("a", protocols.Yellow)}}, nil
		}
	})
	who := w.colleague("aubry", "Dr Aubry", access.Physician, "team-a")
	tag := w.ask("GET", "/api/v1/enrolments/e-1", "", who...).Header.Get("ETag")
	former := w.enrolment("e-1").Version
	got := w.ask("PATCH", "/api/v1/enrolments/e-1?dry_run=1", `{"version":"`+theNext+`"}`, with(who, "If-Match", tag)...)
	w.wantText(got.body, `"foreseen"`, `{"rule":"a","level":"red","before":1,"after":2},{"rule":"a","level":"yellow","before":0,"after":1},{"rule":"b","level":"orange","before":1,"after":0}`)
	if now := w.enrolment("e-1").Version; now != former {
		t.Errorf("a dry run moved the patient to version %s", now)
	}
	if same := w.ask("PATCH", "/api/v1/enrolments/e-1?dry_run=1", `{"devices":["scale-1"]}`, with(who, "If-Match", tag)...); strings.Contains(same.body, "foreseen") {
		t.Errorf("the same version is foreseen: %s", same.body)
	}
}

// Whoever a physician follows under a version moves to another one at once, after what
// would have rung was shown. The patients of other teams stay.
func TestAllOfAVersionMoveAtOnceByProgram(t *testing.T) {
	w := enrolled(t, func(o *workspace.Options) {
		o.Preview = func(_ context.Context, forms []registry.Enrolment, _ replay.Span) ([][]replay.Alert, error) {
			rings := []replay.Alert{{Rule: "weight-gain-fast", Level: protocols.Orange}}
			if forms[0].Patient == "p-2" {
				return [][]replay.Alert{rings, {}}, nil
			}
			return [][]replay.Alert{rings, rings}, nil
		}
	})
	first := w.enrolment("e-1")
	more := registry.Registry{Teams: []registry.Team{{ID: "team-b", Name: "Autre", Zone: "Europe/Paris", Opens: "08:00", Closes: "18:00", Days: []string{"monday"}}}}
	for n, team := range []string{"team-a", "team-b"} {
		id := string(rune('2' + n))
		next := *first
		next.ID, next.Patient, next.Team, next.Devices = "e-"+id, "p-"+id, team, []string{"scale-" + id}
		more.Patients = append(more.Patients, registry.Patient{ID: next.Patient, Identity: registry.Identity{BirthName: "ROUX", GivenNames: "INES", FirstGiven: "INES", Sex: "F", BirthDate: "1977-07-04", BirthPlace: "63220"}})
		more.Devices = append(more.Devices, registry.Device{Name: next.Devices[0], Serial: "S", Kind: "scale", Password: "a password long enough"})
		more.Enrolments = append(more.Enrolments, next)
	}
	if _, err := w.store.Import(t.Context(), &more, "Op", w.now); err != nil {
		t.Fatal(err)
	}
	aubry := w.colleague("aubry", "Dr Aubry", access.Physician, "team-a")
	body := func(to string, dry bool) string {
		return fmt.Sprintf(`{"protocol":"heart-failure","from":%q,"to":%q,"dry_run":%v}`, first.Version, to, dry)
	}
	stand := func(want ...string) {
		t.Helper()
		for i, version := range want {
			if e := w.enrolment(fmt.Sprint("e-", i+1)); e.Version != version {
				t.Errorf("%s is under version %s, want %s", e.ID, e.Version, version)
			}
		}
	}
	const path = "/api/v1/enrolments/migrate"
	shown := w.ask("POST", path, body(theNext, true), aubry...)
	w.wantText(shown.body, `{"enrolments":[{"enrolment":"e-1","patient":"p-1"},{"enrolment":"e-2","patient":"p-2","alerts":[{"rule":"weight-gain-fast","level":"orange","before":1,"after":0}]}],"others":1,`,
		`"alerts":[{"rule":"weight-gain-fast","level":"orange","before":2,"after":1}]},"replayed":2,"warnings":[],"dry_run":true}`)
	stand(first.Version, first.Version, first.Version)
	tag := shown.Header.Get("ETag")
	w.wantProblem(w.ask("POST", path, body(theNext, false), aubry...), http.StatusPreconditionRequired, "no-if-match", "dry_run")
	w.wantProblem(w.ask("POST", path, body("99", false), with(aubry, "If-Match", tag)...), http.StatusUnprocessableEntity, "unacceptable", "bibliothèque")
	w.wantProblem(w.ask("POST", path, strings.Replace(body(theNext, true), "heart-failure", "copd", 1), aubry...), http.StatusNotFound, alerts.Unknown, "Aucun patient")
	other := w.colleague("weber", "Ida Weber", access.Coordinator, "team-a")
	w.wantProblem(w.ask("POST", path, body(theNext, true), other...), http.StatusForbidden, "not-allowed", "")
	// Somebody else changes one of them meanwhile: nobody moves.
	seen := w.ask("GET", "/api/v1/enrolments/e-2", "", aubry...)
	w.got(w.ask("PATCH", "/api/v1/enrolments/e-2", `{"settings":{"fast-gain":{"value":1.2,"reason":"habitude"}}}`, with(aubry, "If-Match", seen.Header.Get("ETag"))...), http.StatusOK)
	w.wantProblem(w.ask("POST", path, body(theNext, false), with(aubry, "If-Match", tag)...), http.StatusPreconditionFailed, "changed-since", "lisez")
	stand(first.Version, first.Version, first.Version)
	tag = w.ask("POST", path, body(theNext, true), aubry...).Header.Get("ETag")
	done := w.ask("POST", path, body(theNext, false), with(aubry, "If-Match", tag)...)
	if w.got(done, http.StatusOK); strings.Contains(done.body, "foreseen") {
		t.Errorf("moved: %s", done.body)
	}
	stand(theNext, theNext, first.Version)
	if e := w.enrolment("e-2"); e.Settings["fast-gain"].Value != 1200 {
		t.Errorf("the settings did not move along: %+v", e.Settings)
	}
	w.wantProblem(w.ask("POST", path, body(theNext, false), with(aubry, "If-Match", tag)...), http.StatusNotFound, alerts.Unknown, "Aucun patient")
}

// Where one of them cannot be under the other version, nobody moves, and the answer says
// whose.
func TestNobodyMovesWhereOneCannot(t *testing.T) {
	w := enrolled(t)
	with := w.enrolment("e-1").With("gone", protocols.Setting{Value: 1, Author: "Dr Aubry", Date: w.now, Reason: "a threshold that the other version does not have"})
	if _, err := w.store.Import(t.Context(), &registry.Registry{Enrolments: []registry.Enrolment{with}}, "Op", w.now); err != nil {
		t.Fatal(err)
	}
	aubry := w.colleague("aubry", "Dr Aubry", access.Physician, "team-a")
	version := w.enrolment("e-1").Version
	refused := w.ask("POST", "/api/v1/enrolments/migrate", fmt.Sprintf(`{"protocol":"heart-failure","from":%q,"to":%q,"dry_run":true}`, version, theNext), aubry...)
	w.wantProblem(refused, http.StatusUnprocessableEntity, "unacceptable", "")
	w.wantText(refused.body, `"path":"enrolments.e-1.settings.gone`)
}
