package influx_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vigie/deploy/servers"
	"vigie/ingest"
	"vigie/ingest/stores/influx"
	"vigie/protocols"
)

// both runs a test against a database of 1.8 and against a stand-in for 2.7.
func both(t *testing.T, test func(t *testing.T, c *influx.Client)) {
	t.Run("1.8", func(t *testing.T) { test(t, one(t, nil)) })
	t.Run("2.7", func(t *testing.T) { _, c := two(t, nil); test(t, c) })
}

// Whatever is late or sent again, nothing brings back what was erased; what comes
// afterwards is another's.
func TestWhoIsErasedDoesNotComeBack(t *testing.T) {
	both(t, func(t *testing.T, c *influx.Client) {
		mine, other, flagged := weighing("a", 0, 82.1), weighing("b", 0, 70), weighing("f", 1, 82)
		other.Patient, flagged.Flags = "P2", []string{"moved"}
		j := journalOf(mine, other, flagged)
		j.refused = append(j.refused, influx.Refused{ID: 1, Device: "scale-01", Reading: "old", Line: "weight,device=scale-01,patient=P1,source=device value=80 1"})
		forward(t, c, j)
		j.forwarded(t)
		j.keep(weighing("late", 2, 82)) // on its way when it is decided
		j.send(ingest.Erase, ingest.Task{Patient: "P1"})
		later := weighing("c", 5, 90) // of a patient who begins anew
		j.keep(later)
		j.forwarded(t)
		j.done(t)
		same(t, history(t, c, "P1", nil, time.Time{}, ever), []*protocols.Reading{later})
		same(t, history(t, c, "P2", nil, time.Time{}, ever), []*protocols.Reading{other})
		if len(j.refused) > 0 {
			t.Errorf("what was set aside would be sent again: %v", j.refused)
		}
		if err := j.SetCursor(t.Context(), influx.Cursor, 0); err != nil {
			t.Fatal(err)
		}
		j.forwarded(t)
		same(t, history(t, c, "P1", nil, time.Time{}, ever), []*protocols.Reading{later})
	})
}

func TestWhomInfluxDBKnows(t *testing.T) {
	both(t, func(t *testing.T, c *influx.Client) {
		first, second, third := weighing("a", 0, 82.1), weighing("b", 0, 70), weighing("c", 1, 70)
		second.Patient, third.Patient = `O'Neil "x", y=1`, second.Patient
		if known, err := c.Patients(t.Context()); err != nil || len(known) > 0 {
			t.Errorf("an empty one knows %q, %v", known, err)
		}
		send(t, c, second, first, third)
		if err := c.Write(t.Context(), "weather,patient=nobody value=1 1"); err != nil {
			t.Fatal(err)
		}
		known, err := c.Patients(t.Context())
		known = slices.DeleteFunc(known, func(name string) bool { return name == "nobody" }) // 2.x tells it, too
		if err != nil || !slices.Equal(known, []string{second.Patient, "P1"}) {
			t.Errorf("it knows %q, %v", known, err)
		}
	})
}

func TestAnErrandWaitsForWhatWasKeptBefore(t *testing.T) {
	both(t, func(t *testing.T, c *influx.Client) {
		var readings []*protocols.Reading
		for i := range 12_000 { // more than one request
			readings = append(readings, weighing(fmt.Sprint("w", i), 0, 80))
		}
		j := journalOf(readings...)
		j.send(ingest.Erase, ingest.Task{Patient: "P1"})
		forward(t, c, j)
		j.forwarded(t)
		j.done(t)
		same(t, history(t, c, "P1", nil, time.Time{}, ever), nil)
	})
}

func TestAStruckReadingIsMarkedAndNeverDeleted(t *testing.T) {
	both(t, func(t *testing.T, c *influx.Client) {
		first, second := weighing("a", 0, 82.1), weighing("b", 1, 182.1)
		j := journalOf(first, second)
		j.send(ingest.Strike, ingest.Task{Reading: ingest.NameOf(second)})
		forward(t, c, j)
		j.done(t)
		same(t, history(t, c, "P1", nil, time.Time{}, ever), []*protocols.Reading{first})
		struck := 0
		err := c.Points(t.Context(), ingest.Asked{Patients: []string{"P1"}, From: morning, To: ever}, func(p ingest.Point) error {
			if p.Struck {
				struck++
				same(t, []*protocols.Reading{p.Reading}, []*protocols.Reading{second})
			}
			return nil
		})
		if err != nil || struck != 1 {
			t.Errorf("%d points are struck out, %v", struck, err)
		}
		j.send(ingest.Unstrike, ingest.Task{Reading: ingest.NameOf(second)})
		j.done(t)
		same(t, history(t, c, "P1", nil, time.Time{}, ever), []*protocols.Reading{first, second})
	})
}

func TestACorrectedReadingIsOneReading(t *testing.T) {
	both(t, func(t *testing.T, c *influx.Client) {
		wrong, other := weighing("a", 0, 182.1), weighing("b", 1, 82.3)
		wrong.Flags = []string{"moved"}
		j := journalOf(wrong, other)
		forward(t, c, j)
		j.forwarded(t)
		// Whose it is, and what it says, was corrected: the store has it otherwise now.
		right := weighing("a", 0, 82.1)
		right.Patient = "P2"
		j.mu.Lock()
		j.kept[0].Reading = *right
		j.mu.Unlock()
		j.send(ingest.Correct, ingest.Task{Reading: ingest.NameOf(wrong), Becomes: ingest.NameOf(right)})
		j.done(t)
		same(t, history(t, c, "P1", nil, time.Time{}, ever), []*protocols.Reading{other})
		same(t, history(t, c, "P2", nil, time.Time{}, ever), []*protocols.Reading{right})
	})
}

// What the store has forgotten has its only copy in InfluxDB: a correction never
// deletes it before it stands under its new name, however often it is interrupted.
func TestTheOnlyCopyIsCorrected(t *testing.T) {
	both(t, func(t *testing.T, c *influx.Client) {
		wrong, struck, other, gone := weighing("a", 0, 82.1), weighing("s", 0, 83), weighing("b", 1, 82.3), weighing("c", 2, 1)
		wrong.Flags, wrong.Battery = []string{"moved"}, 40
		j := journalOf(wrong, struck, other, gone)
		j.send(ingest.Strike, ingest.Task{Reading: ingest.NameOf(struck)})
		_, stop := start(c, j)
		j.done(t)
		stop()
		j.gone = map[string]bool{"a": true, "s": true, "c": true}
		right, struckRight := *wrong, *struck
		right.Patient, struckRight.Patient = "P2", "P2"
		right.Time = right.Time.Add(-26 * time.Hour) // the clock of the device was wrong, too
		var want [][2]*protocols.Reading
		for _, r := range []struct{ was, is *protocols.Reading }{{wrong, &right}, {struck, &struckRight}, {gone, nil}} {
			task := ingest.Task{Reading: ingest.NameOf(r.was), Forgotten: true}
			if r.is != nil {
				task.Becomes = ingest.NameOf(r.is)
			}
			j.send(ingest.Correct, task)
			want = append(want, [2]*protocols.Reading{r.was, r.is})
		}
		j.interrupted = errors.New("the power fails")
		f, stop := start(c, j)
		eventually(t, func() bool { return f.Figures().Retries > 2 })
		stop()
		same(t, history(t, c, "P1", nil, time.Time{}, ever), []*protocols.Reading{wrong, other, gone})
		j.interrupted = nil
		_, stop = start(c, j)
		j.done(t)
		stop()
		for i := range j.errands { // the power failed before it was known that they are done
			if e := &j.errands[i]; e.Kind == ingest.Correct {
				e.Carried, e.Done = time.Time{}, time.Time{}
			}
		}
		forward(t, c, j)
		j.done(t)
		same(t, history(t, c, "P1", nil, time.Time{}, ever), []*protocols.Reading{other})
		same(t, history(t, c, "P2", nil, time.Time{}, ever), []*protocols.Reading{&right})
		if !reflect.DeepEqual(j.corrected, want) {
			t.Errorf("it is told that %v, want %v", j.corrected, want)
		}
	})
}

// from names the InfluxDB of before, and gives the forwarder a clock that is moved.
func from(former *influx.Client, late *atomic.Int64) func(*influx.Forwarder) {
	return func(f *influx.Forwarder) {
		f.From(nil, func() time.Time { return morning.Add(time.Duration(late.Load())) })
		f.Former(former)
	}
}

// What a feed would take from the InfluxDB of before is deleted there, too: else the next
// one brings back whom nobody may know any more.
func TestAnErasureReachesTheInfluxDBOfBefore(t *testing.T) {
	both(t, func(t *testing.T, c *influx.Client) {
		both(t, func(t *testing.T, former *influx.Client) {
			his, other := weighing("a", 0, 82.1), weighing("b", 0, 70)
			other.Patient = "P2"
			send(t, former, his, other)
			j := journalOf(his, other)
			_, stop := startWith(c, j, from(former, new(atomic.Int64)))
			defer stop()
			j.send(ingest.Erase, ingest.Task{Patient: "P1"})
			j.done(t)
			for _, each := range []*influx.Client{c, former} {
				same(t, history(t, each, "P1", nil, time.Time{}, ever), nil)
				same(t, history(t, each, "P2", nil, time.Time{}, ever), []*protocols.Reading{other})
			}
		})
	})
}

// An InfluxDB of before that is away holds up no reading. The erasure stays open, says
// why, and is made within the hour in which that one is back.
func TestAnErasureWaitsForTheInfluxDBOfBefore(t *testing.T) {
	behind := servers.StandInTwo(t)
	target, err := url.Parse(behind.URL)
	if err != nil {
		t.Fatal(err)
	}
	var there atomic.Bool
	there.Store(true)
	relay := httputil.NewSingleHostReverseProxy(target)
	gate := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !there.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		relay.ServeHTTP(w, r)
	}))
	defer gate.Close()
	former := standing(t, behind, influx.Options{Org: servers.StandInOrg}, func(o *influx.Options) { o.URL = gate.URL })
	send(t, former, weighing("a", 0, 82.1))
	there.Store(false)

	c := one(t, nil)
	var late atomic.Int64
	j := journalOf(weighing("a", 0, 82.1))
	_, stop := startWith(c, j, from(former, &late))
	defer stop()
	j.send(ingest.Erase, ingest.Task{Patient: "P1"})
	eventually(t, func() bool {
		e, err := j.Errand(t.Context(), 1)
		return err == nil && !e.Carried.IsZero() && e.Done.IsZero() && e.Reached.Former && strings.Contains(e.Reached.Note, "influx.former")
	})
	later := weighing("c", 1, 70)
	later.Patient = "P2"
	j.keep(later)
	j.forwarded(t)
	same(t, history(t, c, "P2", nil, time.Time{}, ever), []*protocols.Reading{later})
	there.Store(true)
	late.Store(int64(time.Hour))
	j.done(t)
	if e, err := j.Errand(t.Context(), 1); err != nil || e.Reached.Former || e.Reached.Note != "" {
		t.Errorf("it ends with %+v, %v", e.Reached, err)
	}
	if left := behind.Points(); left != 0 {
		t.Errorf("the InfluxDB of before holds %d points", left)
	}
}

// His points go wherever his pseudonym stands: under a measure that Vigie no longer
// has, in what a database has made of them, in another retention policy.
func TestAnErasureTakesWhateverBearsHisPseudonym(t *testing.T) {
	both(t, func(t *testing.T, c *influx.Client) {
		at := morning.UnixNano()
		for _, line := range []string{
			"weight,device=scale-01,patient=P1,source=device value=80 %d", "weight_of_before,patient=P1 value=80 %d",
			"daily,measure=weight,patient=P1 mean=80 %d", "daily,measure=weight,patient=P2 mean=81 %d", "weather value=12 %d",
		} {
			if err := c.Write(t.Context(), fmt.Sprintf(line, at)); err != nil {
				t.Fatal(err)
			}
		}
		j := journalOf()
		forward(t, c, j)
		j.send(ingest.Erase, ingest.Task{Patient: "P1"})
		j.done(t)
		if left, err := c.Left(t.Context(), "P1"); err != nil || left != 0 {
			t.Errorf("%d are left, %v", left, err)
		}
		if left, err := c.Left(t.Context(), "P2"); err != nil || left != 1 {
			t.Errorf("%d of another are left, %v", left, err)
		}
	})
}

// A server that says that it has deleted, and has not, is not believed.
func TestAnErasureIsCounted(t *testing.T) {
	for name, s := range map[string]string{"1.8": server(t).URL, "2.7": servers.StandInTwo(t).URL} {
		t.Run(name, func(t *testing.T) {
			target, err := url.Parse(s)
			if err != nil {
				t.Fatal(err)
			}
			relay := httputil.NewSingleHostReverseProxy(target)
			var lies atomic.Int64
			liar := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				text, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				r.Body = io.NopCloser(bytes.NewReader(text))
				switch {
				case r.URL.Path == "/api/v2/delete":
					lies.Add(1)
					w.WriteHeader(http.StatusNoContent)
				case bytes.Contains(text, []byte("DROP")):
					lies.Add(1)
					w.Header().Set("X-Influxdb-Version", "1.8.3")
					if _, err := io.WriteString(w, `{"results":[{"statement_id":0}]}`); err != nil {
						t.Error(err)
					}
				default:
					relay.ServeHTTP(w, r)
				}
			}))
			defer liar.Close()
			change := func(o *influx.Options) { o.URL = liar.URL }
			var c *influx.Client
			if name == "1.8" {
				c = one(t, change)
			} else {
				c = influx.New(influx.Options{URL: liar.URL, Org: servers.StandInOrg, Token: servers.StandInToken, Bucket: servers.StandInBucket})
				defer c.Close()
			}
			j := journalOf(weighing("a", 0, 82.1))
			f := forward(t, c, j)
			j.forwarded(t)
			j.send(ingest.Erase, ingest.Task{Patient: "P1"})
			eventually(t, func() bool { return lies.Load() > 2 })
			if e, err := j.Errand(t.Context(), 1); err != nil || !e.Carried.IsZero() || !strings.Contains(f.Figures().Error, "still holds") {
				t.Errorf("it is taken for done: %+v, %v, %q", e, err, f.Figures().Error)
			}
		})
	}
}

func TestThreeSaysThatItErasesNothing(t *testing.T) {
	s, c := three(t, nil)
	j := journalOf(weighing("a", 0, 82.1))
	forward(t, c, j)
	j.forwarded(t)
	j.send(ingest.Erase, ingest.Task{Patient: "P1"})
	j.done(t)
	if e := j.errands[0]; !strings.Contains(e.Reached.Note, "InfluxDB 3 deletes nothing") || s.Points() == 0 {
		t.Errorf("the errand ends with %+v", e)
	}
}

// many are readings of some patients, two a day.
func many(patients, days int) (all []*protocols.Reading) {
	for p := range patients {
		for d := range 2 * days {
			r := weighing(fmt.Sprintf("r%d-%d", p, d), 12*d, 80+float64(p))
			r.Patient, r.Device = fmt.Sprint("P", p), fmt.Sprint("scale-", p)
			all = append(all, r)
		}
	}
	return all
}

// emptied is a journal whose readings were all forwarded, and lost by InfluxDB since.
func emptied(t *testing.T, readings ...*protocols.Reading) *memory {
	t.Helper()
	j := journalOf(readings...)
	if err := j.SetCursor(t.Context(), influx.Cursor, int64(len(readings))); err != nil {
		t.Fatal(err)
	}
	return j
}

func TestAFeedFillsAnEmptyInfluxDB(t *testing.T) {
	both(t, func(t *testing.T, c *influx.Client) {
		all := many(5, 30)
		j := emptied(t, all...)
		for range 2 { // the second time changes nothing
			j.send(ingest.Feed, ingest.Task{From: morning.AddDate(0, 0, 10), To: morning.AddDate(0, 0, 20)})
			_, stop := start(c, j)
			j.done(t)
			stop()
			for p := range 5 {
				var want []*protocols.Reading
				for _, r := range all[60*p : 60*(p+1)] {
					if !r.Time.Before(morning.AddDate(0, 0, 10)) && r.Time.Before(morning.AddDate(0, 0, 20)) {
						want = append(want, r)
					}
				}
				same(t, history(t, c, fmt.Sprint("P", p), nil, time.Time{}, ever), want)
			}
		}
		if r := j.errands[1].Reached; r.Patients != 5 || r.Sent != 100 || r.Refused != 0 || r.NotWhole != 0 || len(j.refused) > 0 {
			t.Errorf("it says %+v, and set aside %v", r, j.refused)
		}
	})
}

// A feed goes on where it was, and live readings go first.
func TestAFeedGoesOnWhereItWas(t *testing.T) {
	s := servers.StandInTwo(t)
	target, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	var writes, stopAt atomic.Int64
	stopAt.Store(4)
	behind := httputil.NewSingleHostReverseProxy(target)
	gate := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/write") && writes.Add(1) >= stopAt.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		behind.ServeHTTP(w, r)
	}))
	defer gate.Close()
	c := standing(t, s, influx.Options{Org: servers.StandInOrg}, func(o *influx.Options) { o.URL = gate.URL })
	all := many(10, 3)
	j := emptied(t, all...)
	j.send(ingest.Feed, ingest.Task{From: time.Unix(0, 0), To: ever})
	_, stop := start(c, j)
	eventually(t, func() bool { return writes.Load() > 6 })
	stop()
	if e, err := j.Errand(t.Context(), 1); err != nil || e.Reached.Patients != 3 || !e.Done.IsZero() {
		t.Errorf("it stopped at %+v, %v", e, err)
	}
	live := weighing("live", 0, 99)
	j.keep(live)
	stopAt.Store(1 << 40)
	before := writes.Load()
	forward(t, c, j)
	j.done(t)
	if got := writes.Load() - before; got != 7+1 {
		t.Errorf("%d requests after the stop, want one for each of the 7 patients that were left and one live", got)
	}
	reads := standing(t, s, influx.Options{Org: servers.StandInOrg}, nil) // not by way of the gate
	for p := range 10 {
		if got := history(t, reads, fmt.Sprint("P", p), protocols.MeasureByID("weight"), morning.AddDate(0, 0, -1), ever); len(got) != 6+map[bool]int{true: 1}[p == 1] {
			t.Errorf("%d readings of patient %d", len(got), p)
		}
	}
}

func TestWhatAFeedIsRefusedIsCountedAndNotSetAside(t *testing.T) {
	c := one(t, nil)
	if err := c.Write(t.Context(), fmt.Sprintf(`weight value="high" %d`, morning.UnixNano())); err != nil {
		t.Fatal(err)
	}
	warm := weighing("t", 0, 38)
	warm.Measure = protocols.MeasureByID("temperature")
	j := emptied(t, weighing("a", 0, 82.1), warm)
	j.send(ingest.Feed, ingest.Task{From: time.Unix(0, 0), To: ever})
	forward(t, c, j)
	j.done(t)
	if r := j.errands[0].Reached; r.Sent != 1 || r.Refused != 1 || len(j.refused) > 0 {
		t.Errorf("it says %+v, and set aside %v", r, j.refused)
	}
}

func TestWhatWasRefusedIsSentAgainWhenAskedFor(t *testing.T) {
	s, c := three(t, nil)
	if err := c.Write(t.Context(), fmt.Sprintf(`weight value="high" %d`, morning.UnixNano())); err != nil {
		t.Fatal(err)
	}
	var all []*protocols.Reading
	for i := range 20 {
		all = append(all, weighing(fmt.Sprint("w", i), i, 80))
	}
	temperature := weighing("t", 0, 38)
	temperature.Measure = protocols.MeasureByID("temperature")
	j := journalOf(append(all, temperature)...)
	forward(t, c, j)
	j.forwarded(t)
	if len(j.refused) != 20 {
		t.Fatalf("%d are set aside", len(j.refused))
	}
	s.Forget("weight value")
	before := s.Writes()
	j.send(ingest.Resend, ingest.Task{})
	j.done(t)
	if len(j.refused) > 0 || s.Writes()-before > 10 {
		t.Errorf("%d are still set aside, after %d requests", len(j.refused), s.Writes()-before)
	}
}
