package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/spf13/pflag"

	"vigie/protocols"
)

// untidy is a file as people have them, and what a careful colleague makes of it.
type untidy struct {
	file, text string
	flags      string   // of the command line, parted by |
	want       string   // each reading with its time in Paris, in the order of the file
	aside      int      // rows and optional values that are left aside
	refused    []string // parts of the error, in the place of a reading
	rings      string   // the rules that a replay under diabetes raises, with how often
}

const (
	glucoseColumn = "--measure|glucose|--column|gl"
	inMilligrams  = glucoseColumn + "|--unit|mg/dL"
)

func untidyFiles() []untidy {
	dexcom := "Index,Timestamp (YYYY-MM-DDThh:mm:ss),Event Type,Glucose Value (mg/dL)\n"
	words := "time,gl\n2026-03-01T08:00:00,95\n2026-03-01T08:05:00,Low\n2026-03-01T08:10:00,LO\n2026-03-01T08:15:00,Bas\n2026-03-01T08:20:00,High\n2026-03-01T08:25:00,<40\n2026-03-01T08:30:00,>400\n2026-03-01T08:35:00,39\n"
	notes := "time,gl,type\n" + rowsOf(10, func(i int) string { return fmt.Sprintf("2026-03-01T08:%d:00,,note\n", 10+i) }) + "2026-03-01T08:20:00,Low,EGV\n2026-03-01T08:25:00,95,EGV\n2026-03-01T08:26:00,180,Calibration\n"
	return []untidy{
		// Units.
		{file: "libre-mmol-header", text: "Device,Device Timestamp,Record Type,Historic Glucose mmol/L,Scan Glucose mmol/L\nFSL,2026-03-01 08:00,0,14.2,\nFSL,2026-03-01 08:15,0,5.1,\nFSL,2026-03-01 08:20,1,,15.0\n",
			want: "01/03 08:00 255.822, 01/03 08:15 91.88, 01/03 08:20 270.234", aside: 3},
		{file: "libre-mmol-header, another unit said", text: "Device,Device Timestamp,Record Type,Historic Glucose mmol/L,Scan Glucose mmol/L\nFSL,2026-03-01 08:00,0,14.2,\n",
			flags: "--unit|mg/dL", refused: []string{"mmol/L", "--unit"}},
		{file: "glucose-without-unit", text: "time,gl\n2026-11-27 08:00,14.2\n2026-11-27 08:15,13.1\n2026-11-27 08:30,5.1\n2026-11-27 09:00,12.2\n2026-11-27 14:00,13.1\n",
			flags: glucoseColumn, refused: []string{"--unit", "suggests mmol/L"}},
		{file: "glucose-g-per-l", text: "Date;Glycémie (g/L)\n2026-11-01 08:00;1,12\n2026-11-01 12:00;0,48\n",
			flags: "--measure|glucose|--column|Glycémie (g/L)|--time-column|Date", want: "01/11 08:00 112, 01/11 12:00 48"},
		{file: "withings-weight-lb", text: "Date,\"Weight (lb)\",\"Fat mass (lb)\",Comments\n\"2026-11-05 08:12:00\",172.8,,\n\"2026-11-04 08:14:00\",173.3,,\n",
			want: "05/11 08:12 78.381, 04/11 08:14 78.608"},
		{file: "fahrenheit-unsaid", text: "Date,t\n2026-11-01 08:00,98.6\n", flags: "--measure|temperature|--column|t|--time-column|Date", refused: []string{"--unit", "degF"}},

		// Beyond what the instrument shows.
		{file: "low-high-words", text: words, flags: inMilligrams + "|--low|40|--high|400",
			want: "01/03 08:00 95, 01/03 08:05 < 40, 01/03 08:10 < 40, 01/03 08:15 < 40, 01/03 08:20 > 400, 01/03 08:25 < 40, 01/03 08:30 > 400, 01/03 08:35 39"},
		{file: "lows-as-word", text: lows("Low"), flags: inMilligrams + "|--low|40", rings: "severe-hypoglycaemia 1"},
		{file: "lows-as-39", text: lows("39"), flags: inMilligrams, rings: "severe-hypoglycaemia 1"},
		{file: "low-behind-notes", text: notes, flags: inMilligrams + "|--low|40|--where|type=EGV", want: "01/03 08:20 < 40, 01/03 08:25 95", aside: 11},
		{file: "clarity-calibration", text: dexcom + "1,2026-06-02T00:00:00,EGV,100\n2,2026-06-02T00:02:00,Calibration,300\n3,2026-06-02T00:05:00,EGV,100\n",
			want: "02/06 00:00 100, 02/06 00:05 100", aside: 1},
		{file: "clarity, low and high", text: dexcom + "1,2026-06-02T00:00:00,EGV,Low\n2,2026-06-02T00:05:00,EGV,High\n", want: "02/06 00:00 < 40, 02/06 00:05 > 400"},

		// Untidy tables.
		{file: "bom-quoted-header", text: "\ufeff\"Date\",\"Glucose\"\n\"2026-03-01 08:00\",\"95\"\n", flags: "--measure|glucose|--column|Glucose|--time-column|Date", want: "01/03 08:00 95"},
		{file: "stray-quote", text: "Date,Glucose,Notes\n2026-03-01 08:00,95,3\" pain\n2026-03-01 08:05,96,\n", flags: "--measure|glucose|--column|Glucose|--time-column|Date", want: "01/03 08:00 95, 01/03 08:05 96"},
		{file: "utf16", text: utf16Marked("Date;Glucose\r\n2026-03-01 08:00;95,5\r\n"), flags: "--measure|glucose|--column|Glucose|--time-column|Date", want: "01/03 08:00 95.5"},
		{file: "latin1-header", text: "Date;Glyc\xe9mie\n2026-03-01 08:00;95\n", flags: "--measure|glucose|--column|Glycémie|--time-column|Date", want: "01/03 08:00 95"},
		{file: "headerless", text: "\"2019-09-29 20:43:00\",\"166.00\",\"\",\"CGM\",\"(Scan)\"\n\"2019-10-13 19:19:12\",\"80.00\",\"\",\"CGM\",\"(Sensor)\"\n",
			flags: "--measure|glucose|--column|#2|--time-column|#1|--unit|mg/dL", want: "29/09 20:43 166, 13/10 19:19 80"},
		{file: "libreview-fr", text: libreviewFR, want: "03/06 08:00 112, 03/06 08:07 118", aside: 2},

		// Times.
		{file: "autumn-oldest-first", text: autumn(false), flags: inMilligrams, want: autumnRead(false)},
		{file: "autumn-newest-first", text: autumn(true), flags: inMilligrams, want: autumnRead(true)},
		{file: "many-times", text: "time,gl\n2026-03-01T08:00:00+0100,95\n2026-03-01 08:05:00 +0100,96\n2026-03-01 08:10:00+01:00,97\n2026-03-01T08:15:00Z,98\n2026-03-01T08:20Z,99\n2026-03-01 08:25:00.000,100\n2026-03-01,101\n2026-03-01T8:30:00,102\n01-Mar-2026 08:35,103\n2026-03-01 8:40 AM,104\n",
			flags: inMilligrams, want: "01/03 08:00 95, 01/03 08:05 96, 01/03 08:10 97, 01/03 09:15 98, 01/03 09:20 99, 01/03 08:25 100, 01/03 (day) 101, 01/03 08:30 102, 01/03 08:35 103, 01/03 08:40 104"},
		{file: "date-dmy", text: "Date;Glucose\n01/03/2026 08:00;95\n", flags: "--measure|glucose|--column|Glucose|--time-column|Date|--unit|mg/dL", aside: 1},
		{file: "date-dmy, said", text: "Date;Glucose\n01/03/2026 08:00;95\n", flags: "--measure|glucose|--column|Glucose|--time-column|Date|--time-format|DD/MM/YYYY HH:mm", want: "01/03 08:00 95"},
		{file: "date-dmy, another line tells", text: "Date;Glucose\n01/03/2026 08:00;95\n13/03/2026 08:00;96\n", flags: "--measure|glucose|--column|Glucose|--time-column|Date", want: "01/03 08:00 95, 13/03 08:00 96"},
		{file: "date-dmy, lines contradict", text: "Date;Glucose\n03/13/2026 08:00;95\n13/03/2026 08:00;96\n", flags: "--measure|glucose|--column|Glucose|--time-column|Date|--unit|mg/dL", aside: 2},
		{file: "am-pm", text: "time,gl\n2026-03-01 8:40 AM,104\n", flags: inMilligrams, want: "01/03 08:40 104"},
		{file: "epoch-ms", text: "time,gl\n1775421029000,95\n", flags: inMilligrams, want: "05/04 22:30 95"},
		{file: "day-only", text: "Date,kg\n2026-11-01,80\n", flags: "--measure|weight|--column|kg|--time-column|Date", want: "01/11 (day) 80"},
		{file: "omron-en", text: "Date,Time,Systolic (mmHg),Diastolic (mmHg),Pulse (bpm),Symptoms,Consumed,TruRead,Notes\nJan 12 2026,08:15,128,82,64,-,-,Off,ok\nJan 12 2026,21:00,188,112,70,-,-,Off,-\n",
			want: "12/01 08:15 128/82/64, 12/01 21:00 188/112/70"},
		{file: "omron-fr", text: "Date;Heure;Systolique (mmHg);Diastolique (mmHg);Pouls (bpm)\n12/01/2026;08:15;128;82;64\n",
			flags: "--measure|blood-pressure|--component|systolic=Systolique (mmHg)|--component|diastolic=Diastolique (mmHg)|--component|pulse=Pouls (bpm)|--date-column|Date|--time-column|Heure|--time-format|DD/MM/YYYY HH:mm",
			want:  "12/01 08:15 128/82/64"},
		{file: "o2ring-1", text: "Time,Oxygen Level,Pulse Rate,Motion,O2 Reminder,PR Reminder\n00:16:55 Jun 26 2026,95,86,29,0,0\n00:16:59 Jun 26 2026,--,--,0,0,0\n", want: "26/06 00:16 95", aside: 1},
		{file: "o2ring-2", text: "Time,SpO2(%),Pulse Rate(bpm),Motion,SpO2 Reminder,PR Reminder,\n\"11:20:29PM Jun 19, 2026\",89,60,0,0,0,\n", want: "19/06 23:20 89"},
		{file: "xdrip", text: "DAY;TIME;UDT_CGMS;BG_LEVEL;CH_GR;BOLUS;REMARK\n03.04.2026;19:20;115;;;;\n", flags: "--unit|mg/dL", want: "03/04 19:20 115"},

		// Numbers.
		{file: "decimal-comma-quoted", text: "Date,Glucose\n2026-03-01 08:00,\"95,5\"\n2026-03-01 08:05,96\n", flags: "--measure|glucose|--column|Glucose|--time-column|Date", want: "01/03 08:00 95.5, 01/03 08:05 96"},
		{file: "thousands", text: "Date;Glucose\n2026-03-01 08:00;95\n2026-03-01 08:05;1 095\n2026-03-01 08:10;\"1.095,5\"\n2026-03-01 08:15;1,095\n", flags: "--measure|glucose|--column|Glucose|--time-column|Date|--unit|mg/dL", want: "01/03 08:00 95", aside: 3},
		{file: "percent-sign", text: "Date,SpO2\n2026-11-01 08:00,97%\n2026-11-01 08:01,97 %\n", flags: "--measure|oxygen-saturation|--column|SpO2|--time-column|Date", want: "01/11 08:00 97, 01/11 08:01 97"},
		{file: "pressure-slash", text: "Date,BP\n2026-11-01 08:00,120/80\n", flags: "--measure|blood-pressure|--component|systolic=BP|--component|diastolic=BP|--time-column|Date", want: "01/11 08:00 120/80"},
		{file: "unit-in-cell", text: "Date;gl\n2026/11/01 08:00;95 mg/dL\n", flags: glucoseColumn + "|--time-column|Date", want: "01/11 08:00 95"},
		{file: "pressure-swapped", text: "Date,Systolic,Diastolic\n2026-11-01 08:00,82,128\n2026-11-01 08:05,128,82\n", flags: "--measure|blood-pressure|--component|systolic=Systolic|--component|diastolic=Diastolic|--time-column|Date", want: "01/11 08:05 128/82", aside: 1},

		// What a day or a sensor is.
		{file: "flash-15-minutes", text: flash(), flags: inMilligrams, rings: "time-above-range 1, time-in-range-low 1"},
		{file: "three-late-highs", text: "time,gl\n2026-03-01T23:50:00,260\n2026-03-02T23:50:00,260\n2026-03-03T23:50:00,260\n2026-03-04T00:05:00,120\n", flags: inMilligrams, rings: "–"},

		// What always worked, and exports.
		{file: "withings-bp", text: "Date,\"Heart rate\",Systolic,Diastolic,Comments\n\"2026-11-05 08:12:00\",64,128,82,\n\"2026-11-05 08:10:00\",66,,,\n\"2026-11-04 21:00:00\",,131,84,\n", want: "05/11 08:12 128/82/64, 04/11 21:00 131/84", aside: 1},
		{file: "withings-weight", text: "Date,\"Weight (kg)\",\"Fat mass (kg)\",\"Bone mass (kg)\",\"Muscle mass (kg)\",\"Hydration (kg)\",Comments\n\"2026-11-05 08:12:00\",78.4,15.2,3.1,54.1,40.2,\n\"2026-11-03 08:10:00\",75.2,15.1,3.1,54.0,40.0,\"pieds nus, à jeun\"\n", want: "05/11 08:12 78.4, 03/11 08:10 75.2"},
		{file: "libreview-es", text: "Datos de glucosa,Generado el,15-06-2026 09:00 UTC,Generado por,DUPONT Anne\nDispositivo,Número de serie,Sello de tiempo del dispositivo,Tipo de registro,Historial de glucosa mg/dL,Escaneo de glucosa mg/dL,Notas\nFreeStyle LibreLink,SN1,13-06-2026 08:00,0,112,,\nFreeStyle LibreLink,SN1,13-06-2026 08:07,1,,118,\n", want: "13/06 08:00 112, 13/06 08:07 118", aside: 2},
		{file: "libreview-nl", text: "Glucosegegevens,Gegenereerd op,15-06-2026 09:00 UTC,Gegenereerd door,DUPONT Anne\nApparaat,Serienummer,Tijdstempel apparaat,Gegevenstype,Historische glucose mmol/l,Scan Glucose mmol/l,Notities\nFreeStyle LibreLink,SN1,13-06-2026 08:00,0,\"6,2\",,\nFreeStyle LibreLink,SN1,13-06-2026 08:07,1,,\"6,6\",\n", want: "13/06 08:00 111.697, 13/06 08:07 118.903", aside: 2},
		{file: "tidepool", text: tidepool, want: "14/06 08:00 96, 14/06 08:05 < 40, 14/06 08:10 95, 14/06 08:02 118", aside: 6},
		{file: "carelink", text: carelink, want: "28/10 06:27 113, 28/10 06:22 109", aside: 6},
		{file: "no export that is known", text: "when,value\n2026-06-18 07:05:00,70.3\n", refused: []string{"--measure"}},
		{file: "apple-health, a table", text: "date,value\n2026-06-18 07:05:00 +0200,70.3\n", flags: "--measure|weight|--column|value|--time-column|date|--unit|kg", want: "18/06 07:05 70.3"},
		{file: "apple-health", text: appleHealth, want: "18/06 07:05 70.3, 18/06 07:06 128/82, 18/06 07:07 97"},
		{file: "nightscout", text: `[{"_id":"6559","type":"sgv","sgv":118,"date":1772348400000,"dateString":"2026-03-01T07:00:00.000Z","noise":1},{"type":"mbg","mbg":120,"date":1772348700000,"dateString":"2026-03-01T07:05:00.000Z"}]`, want: "01/03 08:00 118", aside: 1},
		{file: "nightscout, error codes, LOW and HIGH", text: `[{"type":"sgv","sgv":12,"date":1772348400000,"dateString":""},{"type":"sgv","sgv":39,"date":1772348700000,"dateString":""},{"type":"sgv","sgv":401,"date":1772349000000,"dateString":""},{"type":"sgv","device":"xDrip-LibreReceiver","sgv":401,"date":1772349300000,"dateString":""}]`, want: "01/03 08:05 < 40, 01/03 08:10 > 400, 01/03 08:15 401", aside: 1},
	}
}

const libreviewFR = "Données du glucose,Généré le,15-06-2026 09:00 UTC,Généré par,DUPONT Anne\nAppareil,Numéro de série,Horodatage de l'appareil,Type d'enregistrement,Historique de la glycémie mg/dL,Numérisation de la glycémie mg/dL,Insuline à action rapide sans valeur numérique,Notes\nFreeStyle LibreLink,SN1,03-06-2026 08:00,0,112,,,\nFreeStyle LibreLink,SN1,03-06-2026 08:07,1,,118,,\n"

// tidepool has values as Tidepool keeps them, in mmol/L, and as it gives them in mg/dL.
const tidepool = `[{"type":"upload","uploadId":"u1","time":"2026-06-14T05:00:00.000Z","units":{"bg":"mmol/L"}},
{"type":"cbg","uploadId":"u1","time":"2026-06-14T06:00:00.000Z","deviceTime":"2026-06-14T08:00:00","units":"mmol/L","value":5.32871806},
{"type":"cbg","uploadId":"u1","time":"2026-06-14T06:05:00.000Z","units":"mmol/L","value":2.16479,"annotations":[{"code":"bg/out-of-range","value":"low","threshold":40}]},
{"type":"smbg","uploadId":"u1","time":"2026-06-14T06:02:00.000Z","units":"mg/dL","value":118},
{"type":"cbg","uploadId":"u1","time":"2026-06-14T06:10:00.000Z","units":"mg/dL","value":95},
{"type":"cbg","uploadId":"u1","time":"2026-06-14T06:15:00.000Z","units":"furlong","value":95}]`

// carelink has three sections, each with its header; the readings of the sensor are the last.
const carelink = "Last Name;First Name;Patient ID;Start Date;End Date;Device\nDUPONT;Anne;;2025/10/21;2025/10/28;MiniMed 780G MMT-1886\nPatient DOB;;;;;\n-------;MiniMed 780G MMT-1886;Pump;NG1;-------\n" +
	carelinkHeader + "0,00000;2025/10/28;06:24:38;;;;;;\n1,00000;2025/10/28;06:25:00;;;7,5;;;\n-------;MiniMed 780G MMT-1886;Sensor;NG1;-------\n" +
	carelinkHeader + "458,00000;2025/10/28;06:27:34;;;;113;19,01;\n459,00000;2025/10/28;06:22:34;;;;109;18,5;\n460,00000;2025/10/27;00:00:00;;;;;;End of the day\n461,00000;2025/10/27;00:00:00;;;;;;Start of the day\n"

const carelinkHeader = "Index;Date;Time;New Device Time;BG Reading (mg/dL);Basal Rate (U/h);Sensor Glucose (mg/dL);ISIG Value;Event Marker\n"

const appleHealth = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE HealthData [ <!ELEMENT HealthData (Record*)> ]>
<HealthData locale="fr_FR">
 <Record type="HKQuantityTypeIdentifierBodyMass" sourceName="Balance" unit="kg" startDate="2026-06-18 07:05:00 +0200" endDate="2026-06-18 07:05:00 +0200" value="70.3"/>
 <Record type="HKQuantityTypeIdentifierBloodPressureSystolic" sourceName="Tension" unit="mmHg" startDate="2026-06-18 07:06:00 +0200" value="128"/>
 <Record type="HKQuantityTypeIdentifierBloodPressureDiastolic" sourceName="Tension" unit="mmHg" startDate="2026-06-18 07:06:00 +0200" value="82"/>
 <Record type="HKQuantityTypeIdentifierOxygenSaturation" sourceName="Montre" unit="%" startDate="2026-06-18 07:07:00 +0200" value="0.97"/>
 <Record type="HKCategoryTypeIdentifierSleepAnalysis" sourceName="Montre" startDate="2026-06-18 07:07:00 +0200" value="HKCategoryValueSleepAnalysisInBed"/>
</HealthData>`

func rowsOf(n int, row func(i int) string) string {
	var text strings.Builder
	for i := range n {
		text.WriteString(row(i))
	}
	return text.String()
}

// lows is a day of a sensor that is below what it shows for two hours in the night.
func lows(low string) string {
	begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	return "time,gl\n" + rowsOf(288, func(i int) string {
		value := strconv.Itoa(110 + i%7) // one that never varied would be a sensor to be checked
		if i >= 36 && i < 63 {
			value = low
		}
		return begin.Add(time.Duration(i)*5*time.Minute).Format("2006-01-02T15:04:05") + "," + value + "\n"
	})
}

// flash is a sensor that keeps a reading every 15 minutes, worn for 15 days.
func flash() string {
	begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	return "time,gl\n" + rowsOf(1440, func(i int) string {
		return fmt.Sprintf("%s,%d\n", begin.Add(time.Duration(i)*15*time.Minute).Format("2006-01-02T15:04:05"), 150+i%2*50)
	})
}

// autumnInstants are five hours of 26 October 2025, every five minutes.
func autumnInstants(newestFirst bool) []time.Time {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		panic(err)
	}
	begin := time.Date(2025, 10, 25, 23, 0, 0, 0, time.UTC)
	var at []time.Time
	for i := range 60 {
		at = append(at, begin.Add(time.Duration(i)*5*time.Minute).In(zone))
	}
	if newestFirst {
		slices.Reverse(at)
	}
	return at
}

func autumn(newestFirst bool) string {
	text := "time,gl\n"
	for _, at := range autumnInstants(newestFirst) {
		text += fmt.Sprintf("%s,%d\n", at.Format(time.DateTime), autumnValue(at))
	}
	return text
}

func autumnValue(at time.Time) int {
	return 100 + int(at.Sub(time.Date(2025, 10, 25, 23, 0, 0, 0, time.UTC))/(5*time.Minute))
}

func autumnRead(newestFirst bool) string {
	var want []string
	for _, at := range autumnInstants(newestFirst) {
		want = append(want, fmt.Sprintf("%s %d", at.Format("02/01 15:04"), autumnValue(at)))
	}
	return strings.Join(want, ", ")
}

func utf16Marked(text string) string {
	bytes := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		bytes = append(bytes, byte(u), byte(u>>8))
	}
	return string(bytes)
}

// TestFilesAsPeopleHaveThem reads each file by the flags of its line. Whatever is left
// aside is said in French and in English.
func TestFilesAsPeopleHaveThem(t *testing.T) {
	for _, c := range untidyFiles() {
		t.Run(c.file, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			flags := strings.FieldsFunc(c.flags, func(r rune) bool { return r == '|' })
			if c.rings != "" {
				if rang := ringsOf(t, append(flags, "--protocol", "diabetes", "--csv", path)); rang != c.rings {
					t.Errorf("rang %s, want %s", rang, c.rings)
				}
				return
			}
			read, aside, err := readByFlags(path, flags)
			for _, part := range c.refused {
				if err == nil || !strings.Contains(err.Error(), part) {
					t.Errorf("refused with %v, want it to name %q", err, part)
				}
			}
			if c.refused == nil && (err != nil || strings.Join(read, ", ") != c.want || len(aside) != c.aside) {
				t.Errorf("%v: read %s\nand left %d aside %v,\nwant %s, and %d", err, strings.Join(read, ", "), len(aside), aside, c.want, c.aside)
			}
			for _, why := range aside {
				if why.FR == "" || why.EN == "" || why.FR == why.EN {
					t.Errorf("a row is left aside without a sentence in both languages: %+v", why)
				}
			}
		})
	}
}

// readByFlags reads a file as the commands do.
func readByFlags(path string, flags []string) (read []string, aside []protocols.Text, err error) {
	var f recordedFlags
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	f.register(set)
	if err := set.Parse(append(flags, "--csv", path)); err != nil {
		return nil, nil, err
	}
	layouts, err := f.layouts(&protocols.Protocol{})
	if err != nil {
		return nil, nil, err
	}
	for _, layout := range layouts {
		series, err := f.read(layout)
		if err != nil {
			return nil, nil, err
		}
		for i := range series.Readings {
			read = append(read, saidBriefly(&series.Readings[i], layout.Zone))
		}
		for _, skip := range slices.Concat(series.Skipped, series.LeftOut) {
			aside = append(aside, skip.Why)
		}
	}
	return read, aside, nil
}

func saidBriefly(r *protocols.Reading, zone *time.Location) string {
	var values []string
	for i, v := range r.Values {
		shown, limit := r.Shown(i)
		if v != protocols.Missing {
			values = append(values, limit.Sign()+shown.String())
		}
	}
	form := "02/01 15:04"
	if r.DayOnly {
		form = "02/01 (day)"
	}
	return r.Time.In(zone).Format(form) + " " + strings.Join(values, "/")
}

// ringsOf replays a file, and counts the alerts of each rule.
func ringsOf(t *testing.T, arguments []string) string {
	t.Helper()
	count := map[string]int{}
	for _, alert := range replayOf(t, arguments...).Alerts {
		count[alert.Rule]++
	}
	var said []string
	for rule, n := range count {
		said = append(said, fmt.Sprintf("%s %d", rule, n))
	}
	slices.Sort(said)
	if said == nil {
		return "–"
	}
	return strings.Join(said, ", ")
}
