package recorded_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/ingest/formats/recorded"
	"vigie/protocols"
)

var paris = func() *time.Location {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic(err)
	}
	return zone
}()

func glucose() recorded.Layout {
	return recorded.Layout{
		Measure: protocols.MeasureByID("glucose"), Columns: map[string]string{"value": "gl"},
		TimeColumn: "time", Zone: paris, Device: "d", Patient: "p",
	}
}

func read(t *testing.T, text string, layout recorded.Layout) *recorded.Series {
	t.Helper()
	series, err := recorded.Read(strings.NewReader(text), layout)
	if err != nil {
		t.Fatal(err)
	}
	return series
}

func TestLocalTimesAreReadInTheZoneOfThePatient(t *testing.T) {
	series := read(t, "id,time,gl\nx,2015-06-06T21:50:27,153\n", glucose())
	got := series.Readings[0]
	if want := time.Date(2015, 6, 6, 19, 50, 27, 0, time.UTC); !got.Time.Equal(want) {
		t.Errorf("measured at %v, want %v", got.Time, want)
	}
	if got.Values[0] != 153000 || got.Device != "d" || got.Patient != "p" {
		t.Errorf("read %+v", got)
	}
}

func TestInstantsNeedNoZone(t *testing.T) {
	layout := glucose()
	layout.Zone = nil
	series := read(t, "time,gl\n2015-06-06T21:50:27+02:00,153\n2015-06-06T21:55:27,150\n", layout)
	if len(series.Readings) != 1 || len(series.Skipped) != 1 || series.Skipped[0].Line != 3 {
		t.Errorf("read %d and skipped %v: a local time without a zone is not guessed", len(series.Readings), series.Skipped)
	}
}

func TestSecondsCountFromTheStart(t *testing.T) {
	start := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	layout := recorded.Layout{
		Measure: protocols.MeasureByID("oxygen-saturation"), Columns: map[string]string{"value": "SpO2"},
		TimeColumn: "Time [s]", Start: start,
	}
	series := read(t, "Time [s], HR, SpO2\n0,94,97\n1.5,94,96\n2,94,\n3,94,NaN\n4,94,250\n", layout)
	if len(series.Readings) != 2 || !series.Readings[1].Time.Equal(start.Add(1500*time.Millisecond)) {
		t.Errorf("read %+v", series.Readings)
	}
	if len(series.Skipped) != 3 {
		t.Errorf("skipped %v, want the blank, the NaN and the impossible one", series.Skipped)
	}
}

func TestTheHourThatComesTwiceIsToldApartByOrder(t *testing.T) {
	series := read(t, "time,gl\n2026-10-25 02:30,100\n2026-10-25 02:50,101\n2026-10-25 02:10,102\n2026-10-25 03:00,103\n", glucose())
	want := []string{"00:30", "00:50", "01:10", "02:00"}
	for i, r := range series.Readings {
		if got := r.Time.Format("15:04"); got != want[i] {
			t.Errorf("row %d is at %s UTC, want %s", i, got, want[i])
		}
	}
}

func TestTheHourThatDoesNotExistIsSkipped(t *testing.T) {
	series := read(t, "time,gl\n2026-03-29 02:30,100\n", glucose())
	if len(series.Readings) != 0 || len(series.Skipped) != 1 {
		t.Errorf("read %v, skipped %v", series.Readings, series.Skipped)
	}
}

func TestOtherUnitsAreConverted(t *testing.T) {
	layout := glucose()
	layout.Unit = "g/l"
	if got := read(t, "time,gl\n2026-01-01 08:00,1.05\n", layout).Readings[0].Values[0]; got != 105000 {
		t.Errorf("1.05 g/L read as %s mg/dL", got)
	}
}

func TestReadingTwiceGivesTheSameIds(t *testing.T) {
	text := "time,gl\n2026-01-01 08:00,100\n2026-01-01 08:00,101\n"
	once, twice := read(t, text, glucose()), read(t, text, glucose())
	if once.Readings[0].ID == once.Readings[1].ID {
		t.Error("two samples of one second share an id")
	}
	for i := range once.Readings {
		if once.Readings[i].ID != twice.Readings[i].ID {
			t.Errorf("ids %q and %q differ", once.Readings[i].ID, twice.Readings[i].ID)
		}
	}
}

func TestTimesCloserThanAMillisecondHaveIdsOfTheirOwn(t *testing.T) {
	series := read(t, "time,gl\n2026-11-21T08:00:00.0001Z,100\n2026-11-21T08:00:00.0002Z,101\n2026-11-21T08:00:00.500Z,102\n", glucose())
	if a, b, c := series.Readings[0].ID, series.Readings[1].ID, series.Readings[2].ID; a == b || c != "glucose-20261121T080000.5Z" {
		t.Errorf("ids %s, %s, %s", a, b, c)
	}
}

func TestAWrongColumnIsNamedWithThoseThatExist(t *testing.T) {
	layout := glucose()
	layout.Columns = map[string]string{"value": "glucose"}
	_, err := recorded.Read(strings.NewReader("id,time,gl\n"), layout)
	if err == nil || !strings.Contains(err.Error(), `no column "glucose"`) || !strings.Contains(err.Error(), `"gl"`) {
		t.Errorf("got %v", err)
	}
}

func TestRealGlucoseOfTwoWeeks(t *testing.T) {
	file, err := os.Open(filepath.Join("..", "..", "..", "..", "shared", "data", "cgm-subject-1.csv"))
	if err != nil {
		t.Skipf("the recorded series is not here: %v", err)
	}
	defer file.Close()
	series, err := recorded.Read(file, glucose())
	if err != nil {
		t.Fatal(err)
	}
	if len(series.Readings) != 2915 || len(series.Skipped) != 0 {
		t.Errorf("read %d readings and skipped %d, want 2915 and none", len(series.Readings), len(series.Skipped))
	}
}

// inEnglish leaves out the French of what is skipped.
func inEnglish(skipped []recorded.Skip) (said []recorded.Skip) {
	for _, skip := range skipped {
		skip.Why.FR = ""
		said = append(said, skip)
	}
	return said
}

func FuzzRead(f *testing.F) {
	f.Add("id,time,gl\nx,2015-06-06T21:50:27,153\n")
	f.Add("time,gl\n0,1\n1,NaN\n\"2\",\n")
	f.Fuzz(func(t *testing.T, text string) {
		series, err := recorded.Read(strings.NewReader(text), glucose())
		if err != nil {
			return
		}
		for _, r := range series.Readings {
			c := r.Measure.Components[0]
			if r.Values[0] < c.Low || r.Values[0] > c.High || r.Time.Location() != time.UTC {
				t.Errorf("accepted %+v", r)
			}
		}
	})
}

// Spreadsheets write files in many ways; each of these holds the same two weights.
func TestSpreadsheetsWriteTheSameSeriesInManyWays(t *testing.T) {
	layout := recorded.Layout{
		Measure: protocols.MeasureByID("weight"), Columns: map[string]string{"value": "Poids (kg)"},
		TimeColumn: "Date", Zone: paris, Device: "d", Patient: "p",
	}
	for name, text := range map[string]string{
		"commas":                           "Date,Poids (kg)\n2026-05-01 07:30,80.5\n2026-05-02 07:30,81\n",
		"semicolons and decimal commas":    "Date;Poids (kg)\n2026-05-01 07:30;80,5\n2026-05-02 07:30;81,0\n",
		"semicolons and decimal points":    "Date;Poids (kg)\n2026-05-01 07:30;80.5\n2026-05-02 07:30;81\n",
		"tabs":                             "Date\tPoids (kg)\n2026-05-01 07:30\t80,5\n2026-05-02 07:30\t81\n",
		"a byte order mark and CRLF":       "\ufeffDate;Poids (kg)\r\n2026-05-01 07:30;80,5\r\n\r\n2026-05-02 07:30;81\r\n",
		"quotes":                           "\"Date\",\"Poids (kg)\"\n\"2026-05-01 07:30\",\"80.5\"\n\"2026-05-02 07:30\",\"81\"\n",
		"other columns, and spaces":        "n, Date , Poids (kg), note\n1, 2026-05-01 07:30, 80.5, ok\n2, 2026-05-02 07:30, 81,\n",
		"the latest first":                 "Date,Poids (kg)\n2026-05-02 07:30,81\n2026-05-01 07:30,80.5\n",
		"lines that are repeated":          "Date,Poids (kg)\n2026-05-01 07:30,80.5\n2026-05-01 07:30,80.5\n2026-05-02 07:30,81\n2026-05-01 07:30,80.5\n",
		"instants, local times":            "Date,Poids (kg)\n2026-05-01T05:30:00Z,80.5\n2026-05-02T07:30:00+02:00,81\n",
		"lines without a use":              "Date,Poids (kg)\nsoon,80\n2026-05-01 07:30,80.5\n2026-05-01 08:30,1e99\n2026-05-01 09:30,NaN\n2026-05-01 10:30\n2026-05-02 07:30,81\n",
		"a line at a time that is in both": "Date,Poids (kg)\n2026-05-01 07:30:00,80.50\n2026-05-01T07:30:00+02:00,80.5\n2026-05-02 07:30,81\n",
	} {
		series, err := recorded.Read(strings.NewReader(text), layout)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		sum := protocols.Value(0)
		for _, r := range series.Readings {
			if got := r.Time.In(paris).Format("15:04"); got != "07:30" {
				t.Errorf("%s: measured at %s", name, got)
			}
			sum += r.Values[0]
		}
		if len(series.Readings) != 2 || sum != 161_500 {
			t.Errorf("%s: read %+v, left aside %+v", name, series.Readings, series.Skipped)
		}
	}
}

func TestALineThatRepeatsAnotherIsListed(t *testing.T) {
	series := read(t, "time,gl\n2026-01-01 08:00,100\n2026-01-01 08:00,101\n2026-01-01 08:00,100\n", glucose())
	if len(series.Readings) != 2 || len(series.Skipped) != 1 || series.Skipped[0].Line != 4 {
		t.Errorf("read %+v, left aside %+v", series.Readings, series.Skipped)
	}
}

func pressure() recorded.Layout {
	return recorded.Layout{
		Measure: protocols.MeasureByID("blood-pressure"), Columns: map[string]string{"systolic": "sys", "diastolic": "dia", "pulse": "pulse"},
		TimeColumn: "time", Device: "d", Patient: "p",
	}
}

// TestWhatTheServiceWouldSetAsideIsNotReplayed holds a file to what a device is held to.
func TestWhatTheServiceWouldSetAsideIsNotReplayed(t *testing.T) {
	series := read(t, "time,sys,dia,pulse\n2026-01-01T08:00:00Z,80,190,70\n2026-01-01T09:00:00Z,120,80,70\n2026-01-01T10:00:00Z,120,,70\n", pressure())
	want := []recorded.Skip{{Line: 2, Column: "dia", Why: protocols.Text{EN: "the diastolic pressure is above the systolic"}}, {Line: 4, Column: "dia", Why: protocols.Text{EN: "no value was recorded"}}}
	if len(series.Readings) != 1 || series.Readings[0].Values[0] != 120_000 || !slices.Equal(inEnglish(series.Skipped), want) {
		t.Errorf("read %+v, left aside %+v, want one reading and %+v", series.Readings, series.Skipped, want)
	}
	grades := recorded.Layout{Measure: protocols.MeasureByID("symptom"), Columns: map[string]string{"cough": "cough"}, TimeColumn: "time"}
	series = read(t, "time,cough\n2026-01-01T08:00:00Z,1.5\n2026-01-01T09:00:00Z,2\n2026-01-01T10:00:00Z,\n", grades)
	want = []recorded.Skip{{Line: 2, Column: "cough", Why: protocols.Text{EN: "only a whole number makes sense"}}, {Line: 4, Column: "cough", Why: protocols.Text{EN: "no value was recorded"}}}
	if len(series.Readings) != 1 || !slices.Equal(inEnglish(series.Skipped), want) {
		t.Errorf("read %+v, left aside %+v, want one reading and %+v", series.Readings, series.Skipped, want)
	}
}

func TestAnOptionalComponentThatCannotBeUsedIsLeftOutAndListed(t *testing.T) {
	series := read(t, "time,sys,dia,pulse\n2026-01-01T08:00:00Z,215,131,0\n2026-01-01T09:00:00Z,215,131,--\n2026-01-01T10:00:00Z,215,131,\n", pressure())
	want := []recorded.Skip{{Line: 2, Column: "pulse", Why: protocols.Text{EN: "a device can report 20 to 300/min"}}, {Line: 3, Column: "pulse", Why: protocols.Text{EN: "this has to be a finite number"}}}
	if len(series.Readings) != 3 || len(series.Skipped) != 0 || !slices.Equal(inEnglish(series.LeftOut), want) {
		t.Errorf("read %+v, left aside %+v, left out %+v", series.Readings, series.Skipped, series.LeftOut)
	}
}

func TestAUnitThatTheMeasureDoesNotHaveIsRefusedWithThoseThatItHas(t *testing.T) {
	layout := glucose()
	layout.Unit = "kg"
	_, err := recorded.Read(strings.NewReader("time,gl\n2026-01-01 08:00,100\n"), layout)
	if err == nil || !strings.Contains(err.Error(), "kg") || !strings.Contains(err.Error(), "mmol/L") {
		t.Errorf("got %v", err)
	}
}
