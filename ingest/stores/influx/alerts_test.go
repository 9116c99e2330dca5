package influx_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/ingest"
	"vigie/ingest/stores/influx"
	"vigie/protocols"
)

// ward is a journal with alerts beside the readings.
type ward struct {
	*memory
	guard  sync.Mutex
	list   map[string]*alerts.Alert
	events []alerts.Event
	place  int64 // of the forwarder in the events
	stuck  bool  // the place is not kept, as where the process is killed before
}

func wardOf(readings ...*protocols.Reading) *ward {
	return &ward{memory: journalOf(readings...), list: map[string]*alerts.Alert{}}
}

func (w *ward) Cursor(ctx context.Context, name string) (int64, error) {
	if name != influx.AlertCursor {
		return w.memory.Cursor(ctx, name)
	}
	w.guard.Lock()
	defer w.guard.Unlock()
	return w.place, nil
}

func (w *ward) SetCursor(ctx context.Context, name string, seq int64) error {
	if name != influx.AlertCursor {
		return w.memory.SetCursor(ctx, name, seq)
	}
	w.guard.Lock()
	defer w.guard.Unlock()
	if w.stuck {
		return fmt.Errorf("killed before the place %d was kept", seq)
	}
	w.place = seq
	return nil
}

func (w *ward) Alert(_ context.Context, id string) (*alerts.Alert, error) {
	w.guard.Lock()
	defer w.guard.Unlock()
	if a := w.list[id]; a != nil {
		found := *a
		return &found, nil
	}
	return nil, alerts.ErrNotFound
}

func (w *ward) Events(_ context.Context, alert string) (list []alerts.Event, _ error) {
	w.guard.Lock()
	defer w.guard.Unlock()
	return slices.DeleteFunc(slices.Clone(w.events), func(e alerts.Event) bool { return e.Alert != alert }), nil
}

func (w *ward) EventsAfter(_ context.Context, seq int64, limit int) ([]alerts.Event, error) {
	w.guard.Lock()
	defer w.guard.Unlock()
	rest := slices.Clone(w.events[seq:])
	return rest[:min(limit, len(rest))], nil
}

// happens appends an event to an alert, minutes after the morning.
func (w *ward) happens(alert string, kind alerts.EventKind, minutes int, note string) {
	w.guard.Lock()
	defer w.guard.Unlock()
	a := w.list[alert]
	if a == nil {
		a = &alerts.Alert{ID: alert, Patient: "P1", Rule: "weight-gain-fast", Protocol: "heart-failure", Team: "cardio", Level: protocols.Orange, RaisedAt: morning}
		w.list[alert] = a
	}
	if _, to, ok := strings.Cut(note, " → "); ok {
		a.Team = to
	}
	w.events = append(w.events, alerts.Event{Seq: int64(len(w.events) + 1), Alert: alert, Kind: kind, At: morning.Add(time.Duration(minutes) * time.Minute), Level: a.Level, Note: note})
}

// told waits until everything that happened was told.
func (w *ward) told(t *testing.T) {
	t.Helper()
	eventually(t, func() bool {
		w.guard.Lock()
		defer w.guard.Unlock()
		return w.place == int64(len(w.events))
	})
}

// again has the forwarder begin anew with the events.
func (w *ward) again(t *testing.T) {
	t.Helper()
	w.guard.Lock()
	w.place = 0
	w.guard.Unlock()
	w.told(t)
}

// ringing has a forwarder tell of readings and alerts until the test ends.
func ringing(t *testing.T, c *influx.Client, w *ward) {
	t.Helper()
	_, stop := startWith(c, w, func(f *influx.Forwarder) { f.Alerts(w) })
	t.Cleanup(stop)
}

// bothWithPoints runs a test against a database of 1.8 and against a stand-in for 2.7.
// points lists the points of alerts: their tags in the order of letters, then the time.
func bothWithPoints(t *testing.T, test func(t *testing.T, c *influx.Client, points func() []string)) {
	t.Run("1.8", func(t *testing.T) {
		var bucket string
		c := one(t, func(o *influx.Options) { bucket = o.Bucket })
		test(t, c, func() []string { return pointsOfOne(t, bucket) })
	})
	t.Run("2.7", func(t *testing.T) {
		s, c := two(t, nil)
		test(t, c, func() []string { return s.Series("alert") })
	})
}

// pointsOfOne asks 1.8 for what servers.StandIn.Series tells.
func pointsOfOne(t *testing.T, bucket string) (points []string) {
	t.Helper()
	database, policy, _ := strings.Cut(bucket, "/")
	answer, err := http.PostForm(server(t).URL+"/query", url.Values{"db": {database}, "rp": {policy}, "epoch": {"ns"}, "q": {`SELECT "seq", "after_s" FROM "alert" GROUP BY *`}})
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	var said struct {
		Results []struct {
			Series []struct {
				Tags   map[string]string
				Values [][3]json.Number
			}
			Error string
		}
	}
	if err := json.Unmarshal(body, &said); err != nil || len(said.Results) != 1 || said.Results[0].Error != "" {
		t.Fatalf("%s: %v", body, err)
	}
	for _, s := range said.Results[0].Series {
		series := "alert"
		for _, name := range []string{"event", "level", "patient", "protocol", "rule", "team"} {
			if s.Tags[name] != "" {
				series += "," + name + "=" + s.Tags[name]
			}
		}
		for _, v := range s.Values {
			points = append(points, fmt.Sprintf("%s after_s=%s,seq=%s %s", series, v[2], v[1], v[0]))
		}
	}
	slices.Sort(points)
	return points
}

// point is what pointsOfOne should list.
func point(tags string, seq int64, minutes int) string {
	after := time.Duration(minutes) * time.Minute
	return fmt.Sprintf("alert,%s after_s=%.0f,seq=%d %d", tags, after.Seconds(), seq, morning.Add(after).UnixNano()+seq)
}

func expectPoints(t *testing.T, got []string, want ...string) {
	t.Helper()
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("points:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

const ofP1 = "level=orange,patient=P1,protocol=heart-failure,rule=weight-gain-fast"

// What rang and what people did is drawn: with its rule, level, event, protocol and the
// team that had it then. Whatever is sent again changes nothing.
func TestWhatHappensToAnAlertIsAPointOfItsOwn(t *testing.T) {
	bothWithPoints(t, func(t *testing.T, c *influx.Client, points func() []string) {
		w := wardOf(weighing("a", 0, 82))
		w.happens("one", alerts.EventRaised, 0, "")
		w.happens("one", alerts.EventAcknowledged, 7, "")
		w.happens("one", alerts.EventNoted, 7, "a word that stays in the store")
		w.list["device"] = &alerts.Alert{ID: "device", Device: "scale-01", Rule: ingest.RuleOffline, Level: protocols.Technical, RaisedAt: morning}
		w.happens("device", alerts.EventRaised, 8, "")
		ringing(t, c, w)
		w.told(t)
		w.forwarded(t)
		want := []string{
			point("event=raised,"+ofP1+",team=cardio", 1, 0), point("event=acknowledged,"+ofP1+",team=cardio", 2, 7), point("event=noted,"+ofP1+",team=cardio", 3, 7),
			point("event=raised,level=technical,rule=device-offline", 4, 8),
		}
		expectPoints(t, points(), want...)

		// Another team has it from now on. What was told before stays under the former one.
		w.happens("one", alerts.EventHandedOver, 60, "cardio → nuit")
		w.happens("one", alerts.EventResolved, 61, "")
		w.again(t)
		want = append(want, point("event=handed-over,"+ofP1+",team=nuit", 5, 60), point("event=resolved,"+ofP1+",team=nuit", 6, 61))
		expectPoints(t, points(), want...)

		same(t, history(t, c, "P1", nil, time.Time{}, ever), []*protocols.Reading{weighing("a", 0, 82)}) // readings are what they were
	})
}

// Killed between the write and its own note of it, the forwarder sends the same points.
func TestAnAlertThatIsToldTwiceIsOnePoint(t *testing.T) {
	bothWithPoints(t, func(t *testing.T, c *influx.Client, points func() []string) {
		w := wardOf()
		w.stuck = true
		for i := range 3 {
			w.happens("one", alerts.EventRecurred, 0, fmt.Sprint(i)) // of one moment and series
		}
		ringing(t, c, w)
		eventually(t, func() bool { return len(points()) == 3 })
		w.happens("one", alerts.EventHandedOver, 1, "cardio → nuit")
		w.guard.Lock()
		w.stuck = false
		w.guard.Unlock()
		w.told(t)
		var want []string
		for seq := range int64(3) {
			want = append(want, point("event=recurred,"+ofP1+",team=cardio", seq+1, 0))
		}
		expectPoints(t, points(), append(want, point("event=handed-over,"+ofP1+",team=nuit", 4, 1))...)
	})
}

func TestNothingBringsBackTheAlertsOfWhoIsErased(t *testing.T) {
	bothWithPoints(t, func(t *testing.T, c *influx.Client, points func() []string) {
		w := wardOf(weighing("a", 0, 82))
		w.happens("one", alerts.EventRaised, 0, "")
		w.happens("two", alerts.EventRaised, 1, "")
		w.list["two"].Patient = "P2"
		ringing(t, c, w)
		w.told(t)
		w.happens("one", alerts.EventResolved, 2, "") // on its way when it is decided
		w.erase("P1", morning.Add(3*time.Minute))
		w.done(t)
		w.happens("three", alerts.EventRaised, 5, "") // of a patient who begins anew
		w.told(t)
		of2 := strings.Replace(ofP1, "P1", "P2", 1)
		want := []string{point("event=raised,"+of2+",team=cardio", 2, 1), point("event=raised,"+ofP1+",team=cardio", 4, 5)}
		expectPoints(t, points(), want...)
		w.again(t)
		expectPoints(t, points(), want...)
		w.send(ingest.Feed, ingest.Task{From: morning, To: ever})
		w.done(t)
		w.told(t)
		expectPoints(t, points(), want...)
	})
}

// An empty InfluxDB is fed with the alerts, too.
func TestAFeedTellsTheAlertsOnceMore(t *testing.T) {
	bothWithPoints(t, func(t *testing.T, c *influx.Client, points func() []string) {
		w := wardOf()
		w.happens("one", alerts.EventRaised, 0, "")
		w.place = 1 // told to another server
		ringing(t, c, w)
		w.send(ingest.Feed, ingest.Task{From: morning, To: ever})
		w.done(t)
		eventually(t, func() bool { return len(points()) == 1 })
	})
}

// A measure of that name would mix its readings with alerts.
func TestNoMeasureIsCalledAlert(t *testing.T) {
	if protocols.MeasureByID("alert") != nil {
		t.Error("there is a measure whose points are those of alerts")
	}
}

// Who has accounts in the text of a tag, and a point that is refused, hold up nothing.
func TestAnAlertThatInfluxDBRefusesIsSetAside(t *testing.T) {
	s, c := two(t, nil)
	s.Keep(24 * time.Hour)
	w := wardOf()
	w.happens("old", alerts.EventRaised, 0, "") // longer ago than the bucket keeps
	w.list["old"].Device = "scale-01"
	w.list["new"] = &alerts.Alert{ID: "new", Patient: "P 1,=", Rule: "r", Level: protocols.Red, RaisedAt: time.Now()}
	w.happens("new", alerts.EventRaised, int(time.Since(morning).Minutes()), "")
	ringing(t, c, w)
	w.told(t)
	if got := s.Series("alert"); len(got) != 1 || !strings.Contains(got[0], `patient=P\ 1\,\=`) {
		t.Errorf("points: %v", got)
	}
	if len(w.refused) != 1 || w.refused[0].Device != "scale-01" || w.refused[0].Reading != "old" {
		t.Errorf("set aside: %+v", w.refused)
	}
}
