package workspace_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"vigie/alerts/workspace"
	"vigie/protocols"
)

// cut is a history that lacks what was measured before a time.
type cut struct {
	weights
	from    time.Time
	differs bool
}

type missing struct {
	error
	cut
}

func (m missing) WholeFrom() time.Time { return m.from }
func (m missing) Differs() bool        { return m.differs }

func (c cut) Whole(context.Context, string, *protocols.Measure, time.Time, time.Time) error {
	return missing{errors.New("not whole"), c}
}

func (c cut) History(ctx context.Context, patient string, measure *protocols.Measure, from, to time.Time, yield func(*protocols.Reading) bool) error {
	if err := c.weights.History(ctx, patient, measure, from, to, yield); err != nil {
		return err
	}
	return c.Whole(ctx, patient, measure, from, to)
}

func TestAnAnswerThatIsNotWholeNeverLooksWhole(t *testing.T) {
	from := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	w := open(t, func(o *workspace.Options) { o.History = cut{o.History.(weights), from, false} })
	get := func(path string) (*http.Response, string) {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.server.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+secret)
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer, string(body)
	}
	answer, body := get("/api/v1/patients/p-1/readings")
	var problem struct {
		Code string
		From string `json:"whole_from"`
	}
	if err := json.Unmarshal([]byte(body), &problem); err != nil || answer.StatusCode != http.StatusServiceUnavailable || problem.Code != "not-whole" || problem.From != "2026-03-04T00:00:00Z" {
		t.Errorf("%s: %s", answer.Status, body)
	}
	answer, body = get("/api/v1/patients/p-1/readings?partial=1")
	var rows []any
	if err := json.Unmarshal([]byte(body), &rows); err != nil || answer.StatusCode != http.StatusOK || answer.Header.Get("Vigie-Whole-From") != "2026-03-04T00:00:00Z" {
		t.Errorf("%s, whole from %q: %s", answer.Status, answer.Header.Get("Vigie-Whole-From"), body)
	}
	if answer, body = get("/api/v1/patients/p-1/readings?partial=yes"); answer.StatusCode != http.StatusBadRequest {
		t.Errorf("%s: %s", answer.Status, body)
	}
	if strings.Contains(body, "scale-1") {
		t.Errorf("a refusal holds readings: %s", body)
	}
}

// The page of an alert shows what there is, and says what is missing.
func TestThePageOfAnAlertSaysWhatIsMissing(t *testing.T) {
	from := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	for differs, want := range map[bool]string{
		false: "est dans InfluxDB, qui ne répond pas",
		true:  "est dans InfluxDB, qui n'en a plus tout",
	} {
		w := open(t, func(o *workspace.Options) { o.History = cut{o.History.(weights), from, differs} })
		session := w.login("Marie Hoarau")
		w.wantText(w.page("/alerts/"+w.raise("weight-fast", protocols.Orange), session), want)
	}
}
