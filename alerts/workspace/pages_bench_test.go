package workspace_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/alerts/workspace"
	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// These benchmarks are about a hospital: 5,000 open alerts among 100,000 patients with a
// device each, in the embedded store. They print the processor time of a page, server and
// client together (ms-cpu/op), which a loaded machine does not change, beside the wall time:
//
//	go test ./alerts/workspace -run '^$' -bench 'Worklist|Patient|Search|Devices|OpenPages|Browser' -benchtime 50x
//
// BenchmarkBrowser prints what somebody waits for in Chromium, from the click to the page
// that is whole: the median (ms-whole/op) and the slowest (ms-slowest).

// looked asks for a page until the benchmark has had enough of it.
func (w *ward) looked(b *testing.B, session, path string, before func()) {
	w.ask("GET", path, "", "Authorization", "", "Cookie", session) // what is read once is read
	spent := processor()
	for b.Loop() {
		if before != nil {
			before()
		}
		if got := w.ask("GET", path, "", "Authorization", "", "Cookie", session); got.StatusCode != http.StatusOK {
			b.Fatal(got.Status)
		}
	}
	b.ReportMetric(float64((processor()-spent).Microseconds())/1000/float64(b.N), "ms-cpu/op")
}

// hospital is that ward.
func hospital(b *testing.B) *ward {
	b.Helper()
	faces := make([]registry.Face, 100_000)
	for i := range faces {
		faces[i] = face(fmt.Sprintf("p-%06d", i), fmt.Sprint("NOM", i), "Anne")
		faces[i].Followed[0].Devices = []string{fmt.Sprintf("scale-%06d", i)}
		faces[i].Followed[0].From, faces[i].Followed[0].Until = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2027, 6, 1, 0, 0, 0, 0, time.UTC)
	}
	var late lateRegistry
	w := open(b, named(faces...), fromStore, func(o *workspace.Options) {
		late.lateStore, o.Poll = o.Store.(lateStore), 0 // as often as a service looks
		o.Change, o.Protocol = &late, func(string, string) *protocols.Protocol { return nil }
		o.Enrolments = func(context.Context, string) ([]registry.Enrolment, error) { return nil, nil }
		o.Device = func(_ context.Context, name string) (*registry.Assignment, error) {
			return &registry.Assignment{Device: registry.Device{Name: name, Kind: "scale"}}, nil
		}
		o.Statuses = func(context.Context, []string) ([]ingest.DeviceStatus, error) { return nil, nil }
	})
	levels := []protocols.Level{protocols.Red, protocols.Orange, protocols.Orange, protocols.Yellow, protocols.Technical}
	findings := make([]protocols.Finding, 5000)
	for i := range findings {
		findings[i] = storetest.Finding(protocols.Raised, "weight-fast", "ep-1", levels[i%len(levels)], time.Duration(i)*time.Second)
		findings[i].Patient, findings[i].Enrolment = fmt.Sprintf("p-%06d", i*20), fmt.Sprintf("e-%06d", i*20)
	}
	w.found(findings...)
	return w
}

func BenchmarkWorklist(b *testing.B) {
	w := hospital(b)
	session := w.login("Lea Nurse")
	if page := w.page("/", session); strings.Count(page, "<li id=") != 50 {
		b.Fatalf("%d rows", strings.Count(page, "<li id="))
	}
	b.Run("again", func(b *testing.B) { w.looked(b, session, "/", nil) })
	some, err := w.store.Alerts(b.Context(), alerts.Filter{Limit: 1})
	if err != nil || len(some) != 1 {
		b.Fatal(err)
	}
	b.Run("after an act", func(b *testing.B) {
		w.looked(b, session, "/", func() {
			if err := alerts.Note(b.Context(), w.store, some[0].ID, "Lea Nurse", "vu", w.now); err != nil {
				b.Fatal(err)
			}
		})
	})
}

func BenchmarkSearch(b *testing.B) {
	w := hospital(b)
	w.looked(b, w.login("Lea Nurse"), "/?q=nom4242", nil)
}

func BenchmarkDevices(b *testing.B) {
	w := hospital(b)
	w.looked(b, w.login("Lea Nurse"), "/devices", nil)
}

// BenchmarkPatient answers the page of a patient whose sensor measured for 90 days.
func BenchmarkPatient(b *testing.B) {
	w := open(b, named(face("p-1", "ROUX", "Inès")), followed("p-1", shipped(b, "diabetes")), fromStore)
	w.measured(glucose("p-1", w.now, 90)...)
	w.ring("p-1", "hypoglycaemia", protocols.Red, 0)
	session := w.login("Lea Nurse")
	for _, last := range []string{"24h", "90d"} {
		b.Run(last, func(b *testing.B) { w.looked(b, session, "/patients/p-1?last="+last, nil) })
	}
}

// BenchmarkOpenPages holds 500 live worklists open, while a note a second is written. An
// operation is a second; the share of one core is printed, the 500 readers included.
func BenchmarkOpenPages(b *testing.B) {
	w := hospital(b)
	for range 500 {
		_, stop := w.listen()
		defer stop()
	}
	some, err := w.store.Alerts(b.Context(), alerts.Filter{Limit: 1})
	if err != nil || len(some) != 1 {
		b.Fatal(err)
	}
	spent, began := processor(), time.Now()
	for b.Loop() {
		if err := alerts.Note(b.Context(), w.store, some[0].ID, "Lea Nurse", "vu", w.now); err != nil {
			b.Fatal(err)
		}
		time.Sleep(time.Second)
	}
	b.ReportMetric(100*(processor()-spent).Seconds()/time.Since(began).Seconds(), "%core")
}

// BenchmarkBrowser opens the worklist of that hospital in Chromium.
func BenchmarkBrowser(b *testing.B) {
	w := hospital(b)
	page := browse(w, w.login("Lea Nurse"))
	page.open("/")
	var took []float64
	for b.Loop() {
		page.open("/")
		page.wait("the page", `document.readyState === "complete" && performance.getEntriesByType("navigation")[0].loadEventEnd > 0 && document.querySelectorAll("#desk > li").length === 50`)
		ms, err := strconv.ParseFloat(page.eval(`performance.getEntriesByType("navigation")[0].loadEventEnd`), 64)
		if err != nil {
			b.Fatal(err)
		}
		took = append(took, ms)
	}
	slices.Sort(took)
	b.ReportMetric(took[len(took)/2], "ms-whole/op")
	b.ReportMetric(took[len(took)-1], "ms-slowest")
}

// BenchmarkARefusedLogin is what somebody costs who is turned away at the login, in a storm
// from as many addresses.
func BenchmarkARefusedLogin(b *testing.B) {
	w := open(b)
	refused := 0
	for i := 0; b.Loop(); i++ {
		form := url.Values{"login": {fmt.Sprint("name", i)}, "password": {"wrong wrong wrong"}}
		request := httptest.NewRequest(http.MethodPost, "/login", strings.NewReader(form.Encode()))
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		request.RemoteAddr = fmt.Sprintf("198.51.%d.%d:1", i/250%250, i%250)
		answer := httptest.NewRecorder()
		w.space.ServeHTTP(answer, request)
		if answer.Code == http.StatusTooManyRequests {
			refused++
		}
	}
	b.ReportMetric(float64(b.N-refused), "looked-at")
}
