package recorded_test

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"vigie/ingest/formats/recorded"
	"vigie/protocols"
)

// of is a layout of a measure of one component.
func of(measure, column, times string) recorded.Layout {
	return recorded.Layout{
		Measure: protocols.MeasureByID(measure), Columns: map[string]string{"value": column},
		TimeColumn: times, Zone: paris, Device: "d", Patient: "p",
	}
}

// numbers are the first values of a series, with the bound before one.
func numbers(series *recorded.Series) string {
	var said []string
	for _, r := range series.Readings {
		sign := ""
		if r.Limits != nil {
			sign = map[protocols.Limit]string{protocols.LessThan: "<", protocols.MoreThan: ">"}[r.Limits[0]]
		}
		said = append(said, sign+r.Values[0].String())
	}
	return strings.Join(said, " ")
}

func refused(t *testing.T, text string, layout recorded.Layout, want ...string) {
	t.Helper()
	series, err := recorded.Read(strings.NewReader(text), layout)
	if err == nil {
		t.Errorf("read %s, want a refusal that names %q", numbers(series), want)
		return
	}
	for _, part := range want {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("refused with %q, want it to name %q", err, part)
		}
	}
}

func TestTheUnitIsReadInTheHeaderOrTheCell(t *testing.T) {
	for _, c := range []struct{ text, measure, column, want string }{
		{"t,Historic Glucose mmol/L\n2026-03-01 08:00,14.2\n2026-03-01 08:15,5.1\n", "glucose", "Historic Glucose mmol/L", "255.822 91.88"},
		{"t;Glycémie (g/L)\n2026-03-01 08:00;1,12\n2026-03-01 09:00;0,48\n", "glucose", "Glycémie (g/L)", "112 48"},
		{"t,Weight (lb)\n2026-03-01 08:00,172.8\n", "weight", "Weight (lb)", "78.381"},
		{"t,Poids (Kg)\n2026-03-01,80\n", "weight", "Poids (Kg)", "80"},
		{"t,Température (Celsius)\n2026-03-01 08:00,37.2\n", "temperature", "Température (Celsius)", "37.2"},
		{"t,kg\n2026-03-01,80\n", "weight", "kg", "80"},
		{"t;gl\n2026/03/01 08:00;95 mg/dL\n", "glucose", "gl", "95"},
		{"t,SpO2\n2026-03-01 08:00,97%\n2026-03-01 08:01,96 %\n", "oxygen-saturation", "SpO2", "97 96"},
	} {
		if got := numbers(read(t, c.text, of(c.measure, c.column, "t"))); got != c.want {
			t.Errorf("%q is read as %s, want %s", c.text, got, c.want)
		}
	}
}

func TestAUnitThatContradictsTheHeaderIsRefused(t *testing.T) {
	layout := of("glucose", "Glucose (mmol/L)", "t")
	layout.Unit = "mg/dL"
	refused(t, "t,Glucose (mmol/L)\n2026-03-01 08:00,14.2\n", layout, "mmol/L", "mg/dL", "--unit")
	refused(t, "t,Glucose (kg)\n2026-03-01 08:00,80\n", of("glucose", "Glucose (kg)", "t"), "kg", "mmol/L")
	series := read(t, "t,Glucose (mmol/L)\n2026-03-01 08:00,95 mg/dL\n2026-03-01 08:05,5.5\n", of("glucose", "Glucose (mmol/L)", "t"))
	if got := numbers(series); got != "99.086" || len(series.Skipped) != 1 {
		t.Errorf("read %s and skipped %v, want the cell of another unit skipped", got, series.Skipped)
	}
}

func TestValuesWithoutAUnitThatCouldBeOfTwoAreRefused(t *testing.T) {
	refused(t, "t,gl\n2026-03-01 08:00,14.2\n2026-03-01 08:15,13.1\n2026-03-01 08:30,5.1\n", of("glucose", "gl", "t"), "--unit", "suggests mmol/L")
	refused(t, "t,temperature\n2026-03-01 08:00,98.6\n", of("temperature", "temperature", "t"), "--unit", "suggests [degF]")
	refused(t, "t,weight\n2026-03-01 08:00,172.8\n", of("weight", "weight", "t"), "--unit", "kg or [lb_av]")
	layout := of("weight", "weight", "t")
	layout.Unit = "lb"
	if got := numbers(read(t, "t,weight\n2026-03-01 08:00,172.8\n", layout)); got != "78.381" {
		t.Errorf("with the unit said, read %s", got)
	}
}

func TestLowAndHighAreBounds(t *testing.T) {
	text := "t,gl\n2026-03-01T08:00,95\n2026-03-01T08:05,Low\n2026-03-01T08:10,LO\n2026-03-01T08:15,Bas\n2026-03-01T08:20,High\n2026-03-01T08:25,<40\n2026-03-01T08:30,> 400\n2026-03-01T08:35,Niedrig\n2026-03-01T08:40,39\n"
	layout := of("glucose", "gl", "t")
	layout.Low, layout.High = 40, 400
	if got, want := numbers(read(t, text, layout)), "95 <39.999 <39.999 <39.999 >400.001 <39.999 >400.001 <39.999 39"; got != want {
		t.Errorf("read %s, want %s", got, want)
	}
	series := read(t, text, of("glucose", "gl", "t"))
	if got, want := numbers(series), "95 <39.999 >400.001 39"; got != want || len(series.Skipped) != 5 {
		t.Errorf("without --low, read %s and skipped %v, want %s and the five words skipped", got, series.Skipped, want)
	}
	for _, skip := range series.Skipped {
		if !strings.Contains(skip.Why.EN, "--low") && !strings.Contains(skip.Why.EN, "--high") {
			t.Errorf("line %d: %q does not name the option", skip.Line, skip.Why.EN)
		}
	}
}

func TestKindsOfRowsAreToldApart(t *testing.T) {
	text := "Timestamp,Event Type,Glucose Value (mg/dL)\n2026-06-02T00:00:00,EGV,100\n2026-06-02T00:02:00,Calibration,300\n2026-06-02T00:05:00,EGV,101\n"
	layout := of("glucose", "Glucose Value (mg/dL)", "Timestamp")
	refused(t, text, layout, `--where "Event Type=WORD"`)
	layout.Where = map[string]string{"Event Type": "egv"}
	if got := numbers(read(t, text, layout)); got != "100 101" {
		t.Errorf("read %s, want the sensor's values", got)
	}
	layout.Where = map[string]string{"Event Type": ""}
	if got := numbers(read(t, text, layout)); got != "100 300 101" {
		t.Errorf("read %s, want all", got)
	}
}

func TestTheRepeatedHourIsTheSameInEitherDirection(t *testing.T) {
	for _, form := range []string{"", "2006-01-02 15:04:05"} {
		repeatedHour(t, form)
	}
}

// repeatedHour reads an hour that comes twice; form is what a person says of the times.
func repeatedHour(t *testing.T, form string) {
	t.Helper()
	var lines []string
	begin := time.Date(2025, 10, 25, 23, 0, 0, 0, time.UTC)
	for i := range 60 {
		lines = append(lines, fmt.Sprintf("%s,%d\n", begin.Add(time.Duration(i)*5*time.Minute).In(paris).Format(time.DateTime), 100+i))
	}
	oldest := "t,gl\n" + strings.Join(lines, "")
	slices.Reverse(lines)
	newest := "t,gl\n" + strings.Join(lines, "")
	for name, text := range map[string]string{"oldest first": oldest, "newest first": newest} {
		layout := of("glucose", "gl", "t")
		layout.TimeForm = form
		series := read(t, text, layout)
		for _, r := range series.Readings {
			if want := begin.Add(time.Duration(r.Values[0]/1000-100) * 5 * time.Minute); !r.Time.Equal(want) {
				t.Errorf("%s: %s was measured at %s, want %s", name, r.Values[0], r.Time, want)
			}
		}
		if len(series.Readings) != 60 {
			t.Errorf("%s: %d readings, want 60", name, len(series.Readings))
		}
	}
}

func TestAnEntryThatSaysAValueTwiceIsRefused(t *testing.T) {
	text := `[{"type":"sgv","sgv":118,"sgv":48,"date":1772348400000,"dateString":"2026-03-01T07:00:00.000Z"}]`
	refused(t, text, of("glucose", "sgv (mg/dL)", "date"), `"sgv" is given twice`)
}

func TestHowFarALongFileIsReadIsTold(t *testing.T) {
	var text strings.Builder
	text.WriteString("t,gl\n")
	for i := range 25_000 {
		fmt.Fprintf(&text, "%s,100\n", time.Date(2026, 1, 1, 0, i, 0, 0, time.UTC).Format(time.RFC3339))
	}
	layout, shares := of("glucose", "gl", "t"), []int{}
	layout.Told = func(done, of int) { shares = append(shares, 100*done/of) }
	read(t, text.String(), layout)
	if got := fmt.Sprint(shares); got != "[0 20 40 50 70 90]" {
		t.Errorf("told %s", got)
	}
}

func TestUntidyFilesAreRead(t *testing.T) {
	utf := func(text string) string {
		var b strings.Builder
		b.WriteString("\xff\xfe")
		for _, u := range utf16.Encode([]rune(text)) {
			b.Write([]byte{byte(u), byte(u >> 8)})
		}
		return b.String()
	}
	for name, c := range map[string]struct{ text, column, want string }{
		"a mark before a quote":   {"\ufeff\"Date\",\"Glycémie\"\n\"2026-03-01 08:00\",\"95\"\n", "Glycémie", "95"},
		"a quote within a cell":   {"Date,Glycémie,Notes\n2026-03-01 08:00,95,3\" pain\n2026-03-01 08:05,96,\n", "Glycémie", "95 96"},
		"UTF-16":                  {utf("Date;Glycémie\r\n2026-03-01 08:00;95,5\r\n"), "Glycémie", "95.5"},
		"UTF-16, marked twice":    {utf("\ufeffDate;Glycémie\r\n2026-03-01 08:00;95,5\r\n"), "Glycémie", "95.5"},
		"Windows-1252":            {"Date;Glyc\xe9mie\n2026-03-01 08:00;95\n", "Glycémie", "95"},
		"lines before the header": {"Export,du,15-06-2026,par,MARTIN Zoé\nN°,Date,Type,Glycémie,Notes,Autre\n1,2026-03-01 08:00,0,95,,\n", "Glycémie", "95"},
		"a quoted decimal comma":  {"Date,Glycémie\n2026-03-01 08:00,\"95,5\"\n2026-03-01 08:05,96\n", "Glycémie", "95.5 96"},
	} {
		series, err := recorded.Read(strings.NewReader(c.text), of("glucose", c.column, "Date"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := numbers(series); got != c.want {
			t.Errorf("%s: read %s, want %s", name, got, c.want)
		}
	}
}

func TestAQuoteThatWouldSwallowLinesIsRefused(t *testing.T) {
	refused(t, "Date,Glucose,Notes\n2026-03-01 08:00,95,\"pain\n2026-03-01 08:05,39,\n2026-03-01 08:10,96,a\" b\n", of("glucose", "Glucose", "Date"), "quotation mark")
}

func TestANameInAFileIsNotRepeated(t *testing.T) {
	for _, text := range []string{
		"Données,Généré le,15-06-2026,par,MARTIN Zoé\nN°,Date,Type,Glycémie,Notes,Autre\n1,2026-03-01 08:00,0,95,,\n",
		"MARTIN Zoé,2026-03-01 08:00,95\nMARTIN Zoé,2026-03-01 08:05,96\n",
	} {
		_, err := recorded.Read(strings.NewReader(text), of("glucose", "gl", "Date"))
		if err == nil || strings.Contains(err.Error(), "MARTIN") {
			t.Errorf("said %v", err)
		}
	}
}

func TestACommaThatCouldPartThousandsIsRefused(t *testing.T) {
	text := "Date;PEF (L/min)\n2026-03-01 08:00;400\n2026-03-01 08:05;1,095\n"
	layout := of("peak-flow", "PEF (L/min)", "Date")
	series := read(t, text, layout)
	if len(series.Readings) != 1 || len(series.Skipped) != 1 || !strings.Contains(series.Skipped[0].Why.EN, "--decimal") {
		t.Errorf("read %s and skipped %v", numbers(series), series.Skipped)
	}
	weight := "Date;kg\n2026-03-01 08:00;80,500\n2026-03-02 08:00;81\n"
	layout = of("weight", "kg", "Date")
	if got := numbers(read(t, weight, layout)); got != "81" {
		t.Errorf("read %s, want what can be read in two ways left aside", got)
	}
	layout.Decimal = ','
	if got := numbers(read(t, weight, layout)); got != "80.5 81" {
		t.Errorf("with the decimal comma said, read %s", got)
	}
	if got := numbers(read(t, weight+"2026-03-03 08:00;81,2\n", of("weight", "kg", "Date"))); got != "80.5 81 81.2" {
		t.Errorf("with a comma that surely parts decimals, read %s", got)
	}
}

func TestPressuresThatShareACell(t *testing.T) {
	layout := pressure()
	layout.Columns = map[string]string{"systolic": "BP", "diastolic": "BP"}
	series := read(t, "time,BP\n2026-03-01T08:00:00Z,120/80\n2026-03-01T09:00:00Z,82/128\n2026-03-01T10:00:00Z,120\n", layout)
	if len(series.Readings) != 1 || series.Readings[0].Values[0] != 120_000 || series.Readings[0].Values[1] != 80_000 || len(series.Skipped) != 2 {
		t.Errorf("read %+v and skipped %v", series.Readings, series.Skipped)
	}
}

func TestTimesThatCanMeanOneThingAreRead(t *testing.T) {
	series := read(t, strings.Join([]string{"time,gl", "2026-03-01T08:00:00+0100,95", "2026-03-01 08:05:00 +0100,95", "2026-03-01 08:10:00+01:00,95",
		"2026-03-01T07:15:00Z,95", "2026-03-01T07:20Z,95", "2026-03-01 08:25:00.000,95", "01-Mar-2026 08:30,95", "2026-03-01 8:35 AM,95",
		"1772350800000,95", "1772351100,95", "08:50:00 Mar 1 2026,95", "\"8:55:00AM Mar 1, 2026\",95"}, "\n")+"\n", glucose())
	begin := time.Date(2026, 3, 1, 7, 0, 0, 0, time.UTC)
	for i, r := range series.Readings {
		if want := begin.Add(time.Duration(i) * 5 * time.Minute); !r.Time.Equal(want) {
			t.Errorf("row %d was measured at %s, want %s", i, r.Time, want)
		}
	}
	if len(series.Readings) != 12 {
		t.Errorf("read %d, skipped %v", len(series.Readings), series.Skipped)
	}
	if series := read(t, "time,gl\n01/03/2026 08:00,95\n", glucose()); len(series.Readings) != 0 {
		t.Errorf("a day and a month in either order were read: %+v", series.Readings)
	}
}

func TestABoundIsConverted(t *testing.T) {
	series := read(t, "t,Glucose (mmol/L)\n2026-03-01 08:00,<2.2\n", of("glucose", "Glucose (mmol/L)", "t"))
	if got := series.Readings[0].Values[0].Float(); math.Abs(got-39.633) > 0.0005 || series.Readings[0].Limits[0] != protocols.LessThan {
		t.Errorf("read %+v", series.Readings[0])
	}
}

// moments are the times of a series in Paris.
func moments(series *recorded.Series) string {
	var said []string
	for _, r := range series.Readings {
		form := "02/01/2006 15:04"
		if r.DayOnly {
			form = "02/01/2006"
		}
		said = append(said, r.Time.In(paris).Format(form))
	}
	return strings.Join(said, ", ")
}

func TestAPersonSaysHowTimesAreWrittenAndWhereTheyStand(t *testing.T) {
	pressure := func(times string) recorded.Layout {
		l := of("blood-pressure", "", times)
		l.Columns = map[string]string{"systolic": "Sys (mmHg)", "diastolic": "Dia (mmHg)"}
		return l
	}
	said := func(form, date string, l recorded.Layout) recorded.Layout {
		t.Helper()
		var err error
		if l.TimeForm, err = recorded.TimeFormOf(form); err != nil {
			t.Fatal(err)
		}
		l.DateColumn = date
		return l
	}
	for _, c := range []struct {
		what, text string
		layout     recorded.Layout
		want       string
	}{
		{"English export, day and time apart", "Date,Time,Sys (mmHg),Dia (mmHg)\nJan 12 2026,08:15,128,82\n", said("", "Date", pressure("Time")), "12/01/2026 08:15"},
		{"French export, day and time apart", "Date;Heure;Sys (mmHg);Dia (mmHg)\n12/01/2026;08:15;128;82\n", said("DD/MM/YYYY HH:mm", "Date", pressure("Heure")), "12/01/2026 08:15"},
		{"the same, American", "Date;Heure;Sys (mmHg);Dia (mmHg)\n1/12/2026;8:15 PM;128;82\n", said("MM/DD/YYYY hh:mm AM", "Date", pressure("Heure")), "12/01/2026 20:15"},
		{"day first", "t,g (mg/dL)\n01/03/2026 08:00,95\n", said("DD/MM/YYYY HH:mm", "", of("glucose", "g (mg/dL)", "t")), "01/03/2026 08:00"},
		{"month first", "t,g (mg/dL)\n01/03/2026 08:00,95\n", said("MM/DD/YYYY HH:mm", "", of("glucose", "g (mg/dL)", "t")), "03/01/2026 08:00"},
		{"two digits of a year, and seconds", "t,g (mg/dL)\n03.06.26 08:00:07,95\n", said("DD.MM.YY HH:mm:ss", "", of("glucose", "g (mg/dL)", "t")), "03/06/2026 08:00"},
		{"a day alone", "t,w (kg)\n03-06-2026,80\n", said("DD-MM-YYYY", "", of("weight", "w (kg)", "t")), "03/06/2026"},
	} {
		series, err := recorded.Read(strings.NewReader(c.text), c.layout)
		if err != nil || moments(series) != c.want {
			t.Errorf("%s: %v, read %v", c.what, err, series)
		}
	}
	if series, err := recorded.Read(strings.NewReader("t,g (mg/dL)\n01/03/2026 08:00,95\n"), of("glucose", "g (mg/dL)", "t")); err != nil || len(series.Readings) != 0 {
		t.Errorf("a day that can be two was read: %v, %v", series, err)
	}
	for _, form := range []string{"HH:mm", "dd/mm/yyyy", "DD/MM", "%d/%m/%Y", "02/01/2006"} {
		if got, err := recorded.TimeFormOf(form); err == nil {
			t.Errorf("%q is taken for the form %q", form, got)
		}
	}
}

func TestColumnsAreNamedByNumberWhereThereIsNoHeader(t *testing.T) {
	byNumber := of("glucose", "#2", "#1")
	byNumber.Unit = "mg/dL"
	text := "\"2019-09-29 20:43:00\",\"166.00\",\"CGM\"\n\"2019-10-13 19:19:12\",\"80.00\",\"CGM\"\n"
	for what, c := range map[string]struct{ text, want string }{
		"no header": {text, "166 80"}, "a header all the same": {"when,value,kind\n" + text, "166 80"},
	} {
		series, err := recorded.Read(strings.NewReader(c.text), byNumber)
		if err != nil || numbers(series) != c.want {
			t.Errorf("%s: %v, %v", what, err, series)
		}
	}
	byNumber.Unit = "mmol/L"
	refused(t, "when,value (mg/dL)\n2019-09-29 20:43:00,166\n", byNumber, "mg/dL", "--unit")
	byNumber.Columns["value"] = "#9"
	refused(t, text, byNumber, "#9")
}

func TestThePersonSaysWhichLineIsTheHeader(t *testing.T) {
	l := of("weight", "kg", "t")
	text := "t,kg\n2020-01-01,99\n\nt,kg\n2026-03-01,80\n"
	l.HeaderLine = 4
	if series, err := recorded.Read(strings.NewReader(text), l); err != nil || numbers(series) != "80" {
		t.Errorf("%v, %v", err, series)
	}
	l.HeaderLine = 2
	refused(t, text, l, "no column")
	l.HeaderLine = 3
	refused(t, text, l, "--header-line")
}
