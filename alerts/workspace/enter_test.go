package workspace_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/workspace"
	"vigie/ingest"
	"vigie/protocols"
)

// enterer takes down what is asked of it.
type enterer struct{ asked []workspace.Entering }

func (e *enterer) enter(_ context.Context, about workspace.Entering) (workspace.Entered, error) {
	e.asked = append(e.asked, about)
	return workspace.Entered{Batch: "import 2026-11-23T06:02:00Z", Entered: ingest.Entered{New: 1, Refused: map[protocols.Code]int{protocols.NotEnrolled: 1}}}, nil
}

func TestRecordedReadingsAreEnteredByWhoMayEnterReadings(t *testing.T) {
	e := &enterer{}
	w := open(t, func(o *workspace.Options) { o.Enter = e.enter })
	nurse := w.login("Mme Hoarau", access.Nurse)
	post := func(cookie, body string) answer {
		return w.ask("POST", "/api/v1/readings/import", body, "Authorization", "", "Cookie", cookie)
	}
	got := post(nurse, `{"patient":"p-1","device":"scale-1","reason":"carnet","readings":[{"id":"a"},{"id":"b"}]}`)
	if got.StatusCode != http.StatusOK || !strings.Contains(got.body, `"batch":"import 2026-11-23T06:02:00Z"`) || !strings.Contains(got.body, `"new":1`) || !strings.Contains(got.body, `"not-enrolled":1`) {
		t.Errorf("%s %s", got.Status, got.body)
	}
	if a := e.asked[0]; a.Patient != "p-1" || a.Device != "scale-1" || a.Author != "Mme Hoarau" || a.Reason != "carnet" || len(a.Readings) != 2 || string(a.Readings[1]) != `{"id":"b"}` {
		t.Errorf("asked for %+v", a)
	}
	for _, c := range []struct {
		body   string
		status int
		code   alerts.Code
		says   string
	}{
		{`{"patient":"p-1","readings":[{}]}`, http.StatusBadRequest, "malformed", "appareil"},
		{`{"device":"scale-1","readings":[{}]}`, http.StatusBadRequest, "malformed", "patient"},
		{`{"patient":"p-1","device":"scale-1","readings":[]}`, http.StatusBadRequest, "malformed", "aucune mesure"},
		{`{"patient":"p-1","device":"scale-1","readings":[{}],"author":"Dr Payet"}`, http.StatusUnprocessableEntity, "author-given", "compte"},
		{`{"patient":"p-1","device":"scale-1","readings":[{}],"reason":"` + strings.Repeat("x", 1001) + `"}`, http.StatusUnprocessableEntity, alerts.TooLong, "1000"},
	} {
		w.wantProblem(post(nurse, c.body), c.status, c.code, c.says)
	}
	operator := w.login("Exploitant", access.Operator)
	w.wantProblem(post(operator, `{"patient":"p-1","device":"scale-1","readings":[{}]}`), http.StatusForbidden, "not-allowed", "rôle")
	if len(e.asked) != 1 {
		t.Errorf("what was refused was done: %+v", e.asked[1:])
	}
}

func TestABodyOfReadingsMayBeLargeAndHasAnEnd(t *testing.T) {
	e := &enterer{}
	w := open(t, func(o *workspace.Options) { o.Enter = e.enter })
	body := func(bytes int) string {
		return `{"patient":"p-1","device":"scale-1","readings":["` + strings.Repeat("x", bytes) + `"]}`
	}
	if got := w.ask("POST", "/api/v1/readings/import", body(1<<20), "Authorization", "Bearer "+secret); got.StatusCode != http.StatusOK {
		t.Errorf("%s %s", got.Status, got.body)
	}
	w.wantProblem(w.ask("POST", "/api/v1/readings/import", body(32<<20), "Authorization", "Bearer "+secret), http.StatusRequestEntityTooLarge, "too-large", "32768 Kio")
}
