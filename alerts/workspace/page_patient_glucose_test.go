package workspace_test

import (
	"context"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"vigie/alerts/workspace"
	"vigie/ingest/registry"
	"vigie/ingest/stores/storetest"
	"vigie/protocols"
)

// worn is what a sensor measures every five minutes over whole days before a day: value
// gives mg/dL for an hour of the day on the clock of the patient.
func worn(before time.Time, days int, value func(day, hour int) int) (readings []*protocols.Reading) {
	m := protocols.MeasureByID("glucose")
	for day := range days {
		for minute := 0; minute < 24*60; minute += 5 {
			mg := value(day, minute/60)
			if mg == 0 {
				continue
			}
			at := before.AddDate(0, 0, day-days).Add(time.Duration(minute) * time.Minute)
			readings = append(readings, &protocols.Reading{
				ID: "g-" + at.Format("0102T1504"), Device: "sensor-1", Patient: "p-1", Time: at, Measure: m, Variant: uint8(m.Variant("interstitial")),
				Values: []protocols.Value{protocols.Value(mg) * 1000}, Battery: -1,
			})
		}
	}
	return readings
}

// sensorWard is a ward whose patient p-1 wears a sensor; it returns the midnight before now.
func sensorWard(t *testing.T, days int, value func(day, hour int) int, change ...func(*workspace.Options)) (*ward, time.Time) {
	zone, err := time.LoadLocation("Indian/Reunion")
	if err != nil {
		t.Fatal(err)
	}
	year, month, day := storetest.Morning.In(zone).Date()
	midnight := time.Date(year, month, day, 0, 0, 0, 0, zone)
	history := func(o *workspace.Options) { o.History = weights{worn(midnight, days, value)} }
	return open(t, append([]func(*workspace.Options){followed("p-1", shipped(t, "diabetes")), history}, change...)...), midnight
}

// nights is a patient who is low at three at night and high at noon.
func nights(_, hour int) int {
	switch hour {
	case 3:
		return 50
	case 12:
		return 200
	}
	return 120
}

// A sensor's weeks are shown as the time in each range with its goal, the usual day, and
// the days one below the other: the same figures stand in tables and in words.
func TestTheProfileOfASensor(t *testing.T) {
	w, midnight := sensorWard(t, 14, nights)
	session := w.login("Lea Nurse")
	from, to := midnight.AddDate(0, 0, -14).Format(time.DateOnly), midnight.AddDate(0, 0, -1).Format(time.DateOnly)
	page := w.page("/patients/p-1?from="+from+"&to="+to, session)
	_, page, _ = strings.Cut(page, `<h2 id="glucose">`)
	text := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, "|")
	for _, want := range []string{
		"très bas, sous 54\u202fmg/dL||", "|4,2\u202f%||", "|moins de 1 % |hors repère|", "dans la cible, de 70 à 180\u202fmg/dL", "|91,7\u202f%|", "haut, de 181 à 250\u202fmg/dL",
		"|03:00–04:00||14||50\u202fmg/dL||50\u202fmg/dL||50\u202fmg/dL|", "03:00–04:00\u202f: 50\u202fmg/dL, la moitié entre",
		"91,7\u202f% dans la cible, de 50\u202fmg/dL à 200\u202fmg/dL", "120\u202fmg/dL", "6,2\u202f%", "|100,0\u202f%|",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
	if strings.Contains(text, "ce qu'il faut pour juger") {
		t.Error("two full weeks are told to be too little")
	}
	if n := strings.Count(page, `<polyline points=`); n != 14+1 {
		t.Errorf("%d lines: want one a day, and the usual day", n)
	}
	w.wantText(w.page("/patients/p-1?last=7d", session), "ce qu&#39;il faut pour juger", `<a href="#glucose">`)
	if strings.Contains(w.page("/patients/p-1?last=24h", session), `id="glucose"`) {
		t.Error("a profile of a day is shown")
	}
	w.wantText(w.page("/patients/p-1?last=14d&lang=en", session), "in the target, 70 to 180\u202fmg/dL", "at least 70%", "Usual day")
}

// In pregnancy the target is that of the protocol, and goals are those set for the patient.
func TestTheRangesAreThoseOfTheProtocol(t *testing.T) {
	p := shipped(t, "diabetes-pregnancy")
	pregnant := followed("p-1", p, func(e *registry.Enrolment) {
		e.Settings = protocols.Settings{"time-in-range": {Value: 80_000, Author: "Dr Aubry", Date: storetest.Morning.AddDate(0, 0, -3), Reason: "objectif"}}
	})
	w, _ := sensorWard(t, 10, func(_, hour int) int {
		if hour < 6 {
			return 150
		}
		return 100
	}, pregnant)
	page := w.page("/patients/p-1?last=7d", w.login("Lea Nurse"))
	w.wantText(page, "dans la cible, de 63 à 140\u202fmg/dL", "au moins 80 %", "haut, de 141 à 250\u202fmg/dL", "protocole et des réglages du patient")
	_, target, _ := strings.Cut(page, `<tr class="target">`)
	if target, _, _ = strings.Cut(target, "</tr>"); !strings.Contains(target, "hors repère") {
		t.Errorf("75 %% of the time at 100 mg/dL is said to be enough: %s", target)
	}
}

// Where a sensor was not worn, the usual day and the days have gaps; an hour of two days is
// no usual one. A value below what the sensor measures stays a bound everywhere.
func TestGapsAndBoundsOfASensor(t *testing.T) {
	low := func(o *workspace.Options) {
		all := o.History.(weights).readings
		for _, r := range all[len(all)-30 : len(all)-10] {
			r.Values, r.Limits = []protocols.Value{39_999}, []protocols.Limit{protocols.LessThan}
		}
	}
	w, midnight := sensorWard(t, 10, func(day, hour int) int {
		if hour == 5 && day > 1 || hour >= 15 && day == 4 {
			return 0
		}
		return 150
	}, low)
	session := w.login("Lea Nurse")
	page := w.page("/patients/p-1?last=14d", session)
	_, profile, _ := strings.Cut(page, `<h2 id="glucose">`)
	for _, want := range []string{"< 40", `<rect class="gap"`, "04:00–05:00", "06:00–07:00"} {
		if !strings.Contains(profile, strings.ReplaceAll(want, "< ", "&lt; ")) && !strings.Contains(profile, want) {
			t.Errorf("the profile does not hold %q", want)
		}
	}
	if strings.Contains(profile, "05:00–06:00") {
		t.Error("an hour of two days is a usual one")
	}
	if n := strings.Count(strings.Split(profile, "<figcaption>")[0], "<polyline"); n != 2 {
		t.Errorf("the usual day is drawn in %d pieces", n)
	}
	if !strings.Contains(page, `class="beyond"`) || !strings.Contains(page, "hors de ce que l&#39;appareil mesure") {
		t.Error("the course does not mark what lies below it")
	}
	day := midnight.AddDate(0, 0, -1).Format(time.DateOnly)
	w.wantText(w.page("/patients/p-1?from="+day+"&to="+day, session), "&lt; 40\u202fmg/dL</td>", `<text x=`)
}

// The threshold that a physician changed is drawn as it was until then, and as it is since.
func TestThresholdsAreDrawnAsTheyWere(t *testing.T) {
	p := shipped(t, "diabetes")
	name := ""
	for i := range p.Parameters {
		if q := &p.Parameters[i]; q.Unit == "mg/dL" && q.Default == 350_000 {
			name = q.Name
		}
	}
	changed := storetest.Morning.AddDate(0, 0, -5)
	w, _ := sensorWard(t, 10, nights, func(o *workspace.Options) {
		current := o.Enrolments
		o.Enrolments = func(ctx context.Context, patient string) ([]registry.Enrolment, error) {
			list, err := current(ctx, patient)
			for i := range list {
				list[i] = list[i].With(name, protocols.Setting{Value: 330_000, Author: "Dr Aubry", Date: changed, Reason: "réveils"})
			}
			return list, err
		}
		o.Versions = func(ctx context.Context, id string) ([]registry.Version, error) {
			before, err := current(ctx, "p-1")
			after, _ := o.Enrolments(ctx, "p-1")
			return []registry.Version{{At: before[0].From, Enrolment: before[0]}, {At: changed, Enrolment: after[0]}}, err
		}
	})
	page := w.page("/patients/p-1?last=7d", w.login("Lea Nurse"))
	lines := map[string][2]float64{}
	for _, m := range regexp.MustCompile(`<line class="bound [a-z]+" x1="([0-9.]+)" x2="([0-9.]+)"[^>]*><text[^>]*>([^<]*)</text>`).FindAllStringSubmatch(page, -1) {
		from, _ := strconv.ParseFloat(m[1], 64)
		to, _ := strconv.ParseFloat(m[2], 64)
		lines[m[3]] = [2]float64{from, to}
	}
	before, after := lines["seuil 350\u202fmg/dL"], lines["seuil 330\u202fmg/dL, Dr Aubry"]
	if before[0] == 0 || after[0] == 0 || before[1] != after[0] || before[0] >= before[1] || after[0] >= after[1] {
		t.Errorf("350 mg/dL is drawn over %v, 330 mg/dL over %v, of %v", before, after, lines)
	}
	if whole := lines["seuil 70\u202fmg/dL"]; whole[0] != before[0] || whole[1] != after[1] {
		t.Errorf("what was not changed is drawn over %v", whole)
	}
}

// An interval is held against the one before, or any other, in a table and as a second line.
func TestTwoPeriodsAreCompared(t *testing.T) {
	w, _ := sensorWard(t, 28, func(day, _ int) int {
		if day < 21 {
			return 150
		}
		return 190
	})
	session := w.login("Lea Nurse")
	plain := w.page("/patients/p-1?last=7d", session)
	w.wantText(plain, `compare=before`)
	if strings.Contains(plain, `class="earlier"`) {
		t.Error("a period that nobody asked for is drawn")
	}
	page := w.page("/patients/p-1?last=7d&compare=before", session)
	w.wantText(page, `<polyline class="earlier"`, "<b>190\u202fmg/dL</b>", "<b>150\u202fmg/dL</b>", "+40\u202fmg/dL", "Ne plus comparer", "l&#39;autre :")
	w.wantText(w.page("/patients/p-1?last=7d&compare=2026-11-01", session), `value="2026-11-01"`, "+40\u202fmg/dL")
	w.wantText(w.page("/patients/p-1?last=7d&compare=2020-01-01", session), "aucune mesure")
	for _, bad := range []string{"yesterday", "2026-13-01", "2027-01-01", "0001-01-01"} {
		if got := w.ask("GET", "/patients/p-1?last=7d&compare="+bad, "", "Authorization", "", "Cookie", session); got.StatusCode != http.StatusBadRequest {
			t.Errorf("compared with %s: %s", bad, got.Status)
		}
	}
}

// Each value of a chart is told to the pointer, to the keyboard, and without a script.
func TestTheValuesOfAChartAreTold(t *testing.T) {
	w, _ := sensorWard(t, 3, nights)
	b := browse(w, w.login("Lea Nurse"))
	b.open("/patients/p-1?last=7d#charts")
	told := func() string {
		return b.eval(`[...document.querySelectorAll("figure.chart .at text")].filter((e) => getComputedStyle(e).visibility === "visible").map((e) => e.textContent).join("|")`)
	}
	if got := told(); got != "" {
		t.Errorf("nobody pointed at %q", got)
	}
	b.eval(`document.querySelector("figure.chart").scrollIntoView()`)
	b.pointAt(".at:nth-of-type(3) rect")
	if got := told(); !strings.Contains(got, "mg/dL") || strings.Contains(got, "|") {
		t.Errorf("the pointer is told %q", got)
	}
	b.do(chromedp.MouseEvent("mouseMoved", 0, 0))
	b.eval(`document.querySelector(".cursor input").focus()`)
	last := told()
	b.do(chromedp.KeyEvent(kb.ArrowLeft))
	if before := told(); before == last || before == "" || b.eval(`document.activeElement.getAttribute("aria-valuetext")`) != before || b.eval(`document.activeElement.getAttribute("aria-label")`) == "" {
		t.Errorf("the keyboard is told %q, then %q", last, before)
	}

	// Without a script.
	b.withoutScript()
	b.open("/patients/p-1?last=14d#charts")
	if got := b.eval(`getComputedStyle(document.querySelector(".cursor")).display`); got != "none" {
		t.Errorf("a cursor that needs a script is shown: %s", got)
	}
	b.eval(`document.querySelector("figure.chart").scrollIntoView()`)
	b.pointAt(".at:nth-of-type(5) rect")
	if got := told(); !strings.Contains(got, "mg/dL") {
		t.Errorf("without a script, the pointer is told %q", got)
	}
	b.eval(`document.querySelector("figure.chart summary").focus()`)
	b.do(chromedp.KeyEvent(kb.Enter))
	b.wait("the table", `document.querySelector("figure.chart details").open && document.querySelector("figure.chart tbody").innerText.includes("mg/dL")`)
}

// On paper the page of a patient is his values, charts and alerts: nothing to click, and
// nothing beyond the width of a sheet.
func TestThePageOfAPatientIsPrinted(t *testing.T) {
	w, _ := sensorWard(t, 14, nights)
	b := browse(w, w.login("Lea Nurse"))
	b.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"})
		return err
	}), chromedp.EmulateViewport(718, 1000)) // A4 without its margins
	b.open("/patients/p-1?last=14d&compare=before")
	if got := b.eval(`[...document.querySelectorAll("form, button, input, .top nav, .pills, .cursor, a.button, .skip")].filter((e) => e.checkVisibility() && e.getBoundingClientRect().width > 0).map((e) => e.tagName + "." + e.className).join(" ")`); got != "" {
		t.Errorf("on paper stands what cannot be clicked: %s", got)
	}
	if got := b.eval(`[...document.querySelectorAll("h1, .tiles, figure.chart svg, .ranges, .days")].filter((e) => e.checkVisibility()).length === 6 && document.documentElement.scrollWidth <= document.documentElement.clientWidth`); got != "true" {
		t.Errorf("on paper something is missing, or is too wide: %s", b.eval(`document.documentElement.scrollWidth`))
	}
}
