package recorded

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"vigie/protocols"
)

// export is a file that is recognised by its header.
type export struct {
	id    string // for --layout
	title string
	// source is where the header was read: no layout is here without one.
	source string
	time   string
	date   string // of the day, where time holds the time of day alone
	form   string // how times are written, as TimeFormOf reads it; empty where the file tells
	sparse bool   // a row holds one measure of several
	series []column
}

// column is what one measure of an export is read from. A name that ends in * stands for
// every header that begins so.
type column struct {
	measure, variant string
	components       map[string]string
	where            map[string]string
	mark             string
	bounds           map[string][2]float64 // what "Low" and "High" stand for, by UCUM unit
}

// dexcom is what a Dexcom sensor can show: 40 to 400 mg/dL.
// Source: Dexcom G6 and G7 user guides, "glucose readings between 40 and 400 mg/dL";
// 2.2 and 22.2 are what they print in mmol/L.
var dexcom = map[string][2]float64{"mg/dL": {40, 400}, "mmol/L": {2.2, 22.2}}

// libre is one language of LibreView. Type 0 is what the sensor has kept every 15
// minutes, type 1 is a scan by the person.
func libre(id, language, source, time, kind, historic, scan string) export {
	return export{
		id: id, title: "LibreView, " + language, source: source, time: time,
		series: []column{
			{measure: "glucose", variant: "interstitial", components: map[string]string{"value": historic + " *"}, where: map[string]string{kind: "0"}},
			{measure: "glucose", variant: "interstitial", components: map[string]string{"value": scan + " *"}, where: map[string]string{kind: "1"}, mark: "-scan"},
		},
	}
}

// exports is the list of them: the first that fits counts.
var exports = []export{
	libre("libreview-en", "English", "https://github.com/SivertSolum/Glukoscillator/blob/main/docs/libreview-format.md",
		"Device Timestamp", "Record Type", "Historic Glucose", "Scan Glucose"),
	libre("libreview-fr", "français", "the two glucose columns as public programs name them that read a French export; no address is stable",
		"Horodatage de l'appareil", "Type d'enregistrement", "Historique de la glycémie", "Numérisation de la glycémie"),
	libre("libreview-de", "Deutsch", "https://github.com/creepymonster/GlucoseDirect (App/Modules/DataStore/StoreExport.swift)",
		"Gerätezeitstempel", "Aufzeichnungstyp", "Glukosewert-Verlauf", "Glukose-Scan"),
	libre("libreview-es", "español", "https://github.com/diiegoo72/glucopilot (analysis/explore_libreview_csv.py)",
		"Sello de tiempo del dispositivo", "Tipo de registro", "Historial de glucosa", "Escaneo de glucosa"),
	libre("libreview-nl", "Nederlands", "the whole header as a public converter writes it; a second program names the same two columns; no address is stable",
		"Tijdstempel apparaat", "Gegevenstype", "Historische glucose", "Scan Glucose"),
	{
		id: "carelink-en", title: "Medtronic CareLink", source: "https://github.com/cran/cgmanalysis (R/cleandata.R)", time: "Time", date: "Date",
		series: []column{{measure: "glucose", variant: "interstitial", components: map[string]string{"value": "Sensor Glucose (*"}}},
	},
	{
		id: "clarity-en", title: "Dexcom Clarity", source: "https://physionet.org/content/big-ideas-glycemic-wearable/ (Dexcom_001.csv)",
		time: "Timestamp (YYYY-MM-DDThh:mm:ss)",
		series: []column{{
			measure: "glucose", variant: "interstitial", components: map[string]string{"value": "Glucose Value (*"},
			where: map[string]string{"Event Type": "EGV"}, bounds: dexcom,
		}},
	},
	{
		id: "xdrip", title: "xDrip+, SiDiary", source: "https://www.sidiary.org/help/en/_35.htm",
		time: "TIME", date: "DAY", form: "DD.MM.YYYY HH:mm",
		series: []column{{measure: "glucose", variant: "interstitial", components: map[string]string{"value": "UDT_CGMS"}}},
	},
	{
		id: "nightscout", title: "Nightscout, entries", source: "https://github.com/nightscout/cgm-remote-monitor/blob/master/lib/server/swagger.yaml",
		time:   nightscoutTime,
		series: []column{{measure: "glucose", variant: "interstitial", components: map[string]string{"value": nightscoutValue}, where: map[string]string{nightscoutType: "sgv"}}},
	},
	{
		id: "tidepool", title: "Tidepool, JSON", source: "https://github.com/tidepool-org/TidepoolApi (docs/device-data: data-types/cbg.md, units.md, oor-values.md)",
		time: tidepoolTime,
		series: []column{
			{measure: "glucose", variant: "interstitial", components: map[string]string{"value": tidepoolValue}, where: map[string]string{tidepoolType: "cbg"}},
			{measure: "glucose", variant: "capillary", components: map[string]string{"value": tidepoolValue}, where: map[string]string{tidepoolType: "smbg"}, mark: "-meter"},
		},
	},
	{
		id: "omron-en", title: "OMRON connect", source: "https://github.com/vpnry/visualize-blood-pressure", time: "Time", date: "Date",
		series: []column{{
			measure:    "blood-pressure",
			components: map[string]string{"systolic": "Systolic (mmHg)", "diastolic": "Diastolic (mmHg)", "pulse": "Pulse (bpm)"},
		}},
	},
	{
		id: "withings-pressure", title: "Withings, bp.csv", source: "README.txt of the archive that Withings makes: bp.csv holds Heart Rate, Systolic and Diastolic", time: "Date",
		series: []column{{measure: "blood-pressure", components: map[string]string{"systolic": "Systolic", "diastolic": "Diastolic", "pulse": "Heart rate"}}},
	},
	{
		id: "withings-weight", title: "Withings, weight.csv", source: "https://github.com/mmarca-tech/OpenVitals (lib/features/imports/csv)", time: "Date",
		series: []column{{measure: "weight", components: map[string]string{"value": "Weight (*"}}},
	},
	{
		id: "viatom", title: "Viatom, Wellue: O2Ring, Checkme O2", source: "https://github.com/hms-homelab/hms-cpap (tests/services/test_O2RingCsvParser.cpp)", time: "Time",
		series: []column{{measure: "oxygen-saturation", components: map[string]string{"value": "Oxygen Level"}}},
	},
	{
		id: "viatom-s", title: "Viatom, Wellue: O2Ring S", source: "https://github.com/airwaylab-app/airwaylab/issues/296", time: "Time",
		series: []column{{measure: "oxygen-saturation", components: map[string]string{"value": "SpO2(%)"}}},
	},
	{
		id: "apple-health", title: "Apple Health, export.xml", source: appleSource, time: appleTime, sparse: true,
		series: []column{
			{measure: "weight", components: map[string]string{"value": "BodyMass"}},
			{measure: "blood-pressure", components: map[string]string{"systolic": "BloodPressureSystolic", "diastolic": "BloodPressureDiastolic"}},
			{measure: "oxygen-saturation", components: map[string]string{"value": "OxygenSaturation"}},
			{measure: "temperature", components: map[string]string{"value": "BodyTemperature"}},
		},
	},
}

// Recognised is an export that Recognise knows.
type Recognised struct {
	ID, Title string
	// Layouts are what to read, one for each column that holds readings. The caller adds
	// the device, the time zone and the start.
	Layouts []Layout
}

// ErrUnknownLayout says that the header of a file is that of no export that is known.
var ErrUnknownLayout = errors.New("no export that is known has this header")

// Exports lists the names of the exports that are recognised.
func Exports() (ids []string) {
	for i := range exports {
		ids = append(ids, exports[i].id)
	}
	return ids
}

// Sources is the table of the exports for the README: name, title, source.
func Sources() (rows []string) {
	for i := range exports {
		rows = append(rows, fmt.Sprintf("| `%s` | %s | %s |", exports[i].id, exports[i].title, exports[i].source))
	}
	return rows
}

// Recognise finds out by its header which export a file is, or checks that it is the
// named one. A file that could be two is refused with both names.
func Recognise(file io.Reader, name string) (*Recognised, error) {
	text, err := textOf(file)
	if err != nil {
		return nil, err
	}
	var found []*Recognised
	for i := range exports {
		if name != "" && exports[i].id != name {
			continue
		}
		if r := exports[i].in(text); r != nil {
			found = append(found, r)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return nil, ErrUnknownLayout
	}
	ids := make([]string, len(found))
	for i, r := range found {
		ids[i] = r.ID
	}
	return nil, fmt.Errorf("the file can be several exports: say which with --layout: %s", strings.Join(ids, ", "))
}

// in looks for the header of an export in the first lines of a text.
func (e *export) in(text []byte) *Recognised {
	for _, comma := range separators(text) {
		rows := csv.NewReader(bytes.NewReader(text))
		rows.Comma, rows.LazyQuotes, rows.FieldsPerRecord = comma, true, -1
		for range headerLines {
			row, err := rows.Read()
			if err != nil {
				break
			}
			if layouts := e.layouts(row); layouts != nil {
				return &Recognised{ID: e.id, Title: e.title, Layouts: layouts}
			}
		}
	}
	return nil
}

// layouts are those of the columns that a header has; nil where it is another one. The
// column of times and one measure have to be there.
func (e *export) layouts(header []string) (found []Layout) {
	if headed(header, e.time) == "" || e.date != "" && headed(header, e.date) == "" {
		return nil
	}
	form, err := TimeFormOf(e.form)
	if err != nil {
		return nil // a test holds the list to this
	}
	for i := range e.series {
		if l, ok := e.series[i].layout(header); ok {
			l.TimeColumn, l.DateColumn, l.TimeForm, l.Sparse = e.time, e.date, form, e.sparse
			found = append(found, l)
		}
	}
	return found
}

func (c *column) layout(header []string) (l Layout, ok bool) {
	l = Layout{Measure: protocols.MeasureByID(c.measure), Columns: map[string]string{}, Where: map[string]string{}, Mark: c.mark}
	if c.variant != "" {
		l.Variant = uint8(l.Measure.Variant(c.variant))
	}
	for name, pattern := range c.components {
		column := headed(header, pattern)
		component := l.Measure.Component(name)
		if column == "" && l.Measure.Components[component].Optional {
			continue
		}
		if column == "" {
			return l, false
		}
		l.Columns[name] = column
		bounds := c.bounds[unitIn(l.Measure, component, column)]
		l.Low, l.High = bounds[0], bounds[1]
	}
	for name, word := range c.where {
		if headed(header, name) == "" {
			return l, false
		}
		l.Where[name] = word
	}
	return l, true
}

// headed is the header that a pattern stands for; empty where there is none, or several.
func headed(header []string, pattern string) (found string) {
	begin, open := strings.CutSuffix(pattern, "*")
	for _, h := range header {
		h = strings.TrimSpace(h)
		if open && strings.HasPrefix(h, begin) || !open && h == pattern {
			if found != "" {
				return ""
			}
			found = h
		}
	}
	return found
}
