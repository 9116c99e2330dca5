package conformance_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/ingest"
	"vigie/ingest/conformance"
	"vigie/ingest/formats/native"
	"vigie/protocols"
)

var now = time.Date(2026, 11, 21, 7, 0, 0, 0, time.UTC)

func begin(profile conformance.Profile) *conformance.Bench {
	return conformance.New(profile, "bp-1", "vigie/v1", native.Decoder{}, now)
}

func message(payload string) ingest.Message {
	return ingest.Message{Topic: "vigie/v1/bp-1/readings", Client: "bp-1", Payload: []byte(payload), Received: now, QoS: 1}
}

const one = `{"id":"a","time":"2026-11-21T07:02:11+01:00","measure":"blood-pressure","values":{"systolic":142,"diastolic":91,"pulse":72},"unit":"mm[Hg]","source":"device","context":{"posture":"sitting"},"flags":["irregular-pulse"],"battery":87}`

func other(from, to string) string { return strings.Replace(one, from, to, 1) }

// verdicts are the results by requirement.
func verdicts(r conformance.Report) map[string]conformance.Verdict {
	all := map[string]conformance.Verdict{}
	for _, result := range r.Results {
		all[result.Requirement] = result.Verdict
	}
	return all
}

func TestADeviceThatSpeaksWellFailsNothing(t *testing.T) {
	b := begin(conformance.Profile{Measures: []string{"blood-pressure"}, Receipts: true})
	b.LoggedIn()
	b.Listens()
	b.Message(ingest.Message{Topic: "vigie/v1/bp-1/status", Client: "bp-1", Payload: []byte(`{"online": true}`), Received: now, QoS: 1}, false)
	if receipts, dropped := b.Message(message(one), true); !dropped || len(receipts) != 1 || receipts[0].Verdict != ingest.Accepted {
		t.Errorf("answered %+v", receipts)
	}
	if receipts, dropped := b.Message(message(one), true); dropped || receipts[0].Verdict != ingest.Duplicate {
		t.Errorf("answered %+v", receipts)
	}
	b.Message(message(strings.NewReplacer(`"a"`, `"b"`, "07:02:11", "07:32:11", "142", `{"above":280}`).Replace(one)), false)
	report := b.Report(now)
	for number, verdict := range verdicts(report) {
		if want := conformance.Pass; verdict != want && !(number == "B4" && verdict == conformance.NotApplicable) {
			t.Errorf("%s: %s", number, verdict)
		}
	}
	if report.Failed() || report.Messages != 4 || report.Readings != 3 {
		t.Errorf("%+v", report)
	}
}

// fault is something that a device does wrong, and the one requirement to blame.
type fault struct {
	what, primary string
	do            func(*conformance.Bench)
}

func sends(payloads ...string) func(*conformance.Bench) {
	return func(b *conformance.Bench) {
		for _, payload := range payloads {
			b.Message(message(payload), false)
		}
	}
}

func faults() []fault {
	under := func(change func(*ingest.Message)) func(*conformance.Bench) {
		return func(b *conformance.Bench) {
			m := message(one)
			change(&m)
			b.Message(m, false)
		}
	}
	return []fault{
		{"a wrong password", "C1", func(b *conformance.Bench) { b.Refused() }},
		{"no subscription to receipts", "C2", func(b *conformance.Bench) { b.LoggedIn(); sends(one)(b) }},
		{"another device's topic", "P1", under(func(m *ingest.Message) { m.Topic = "vigie/v1/bp-2/readings" })},
		{"a topic of its own", "P1", under(func(m *ingest.Message) { m.Topic = "measurements/bp-1" })},
		{"a topic that no format owns", "P1", under(func(m *ingest.Message) { m.Topic = "vigie/v1/bp-1/data" })},
		{"QoS 0", "P2", under(func(m *ingest.Message) { m.QoS = 0 })},
		{"a message of 2 MiB", "P4", under(func(m *ingest.Message) { m.Size = 2 << 20 })},
		{"an array of 10,001", "P4", sends("[" + strings.Repeat(one+",", 10_000) + one + "]")},
		{"no JSON", "L1", sends("systolic=142")},
		{"JSON that is cut", "L1", sends(one[:100])},
		{"a number alone", "L1", sends("142")},
		{"an id that is empty", "L1", sends(other(`"id":"a"`, `"id":""`))},
		{"a field given twice", "L1", sends(other(`"id":"a"`, `"id":"a","id":"b"`))},
		{"a date that is no date", "L1", sends(other("2026-11-21T", "21/11/2026T"))},
		{"a source that is none", "L1", sends(other(`"device"`, `"robot"`))},
		{"time and age", "L1", sends(other(`"id":"a"`, `"id":"a","age":1`))},
		{"a field of its own", "L2", sends(other(`"battery"`, `"firmware":"1.0","battery"`))},
		{"a component that the measure lacks", "L2", sends(other(`"pulse"`, `"heart"`))},
		{"a measure of its own", "L3", sends(other(`"blood-pressure"`, `"bp"`))},
		{"no id", "L4", sends(other(`"id":"a",`, ``))},
		{"no time", "L4", sends(other(`"time":"2026-11-21T07:02:11+01:00",`, ``))},
		{"no unit", "L4", sends(other(`"unit":"mm[Hg]",`, ``))},
		{"half of a pressure", "L4", sends(other(`"diastolic":91,`, ``))},
		{"a number as a text", "L5", sends(other("142", `"142"`))},
		{"a word for a low value", "L5", sends(other("142", `"LOW"`))},
		{"NaN", "L5", sends(other("142", "NaN"))},
		{"null for a required value", "L5", sends(other("142", "null"))},
		{"a unit of its own", "L6", sends(other("mm[Hg]", "millimetres"))},
		{"a unit of another measure", "L7", sends(other("mm[Hg]", "kg"))},
		{"kilopascals called millimetres", "L8", sends(other(`"systolic":142,"diastolic":91`, `"systolic":18.9,"diastolic":12.1`))},
		{"pressures swapped", "L9", sends(other(`"systolic":142,"diastolic":91`, `"systolic":91,"diastolic":142`))},
		{"a local time", "L10", sends(other("+01:00", ""))},
		{"a clock that was never set", "L11", sends(other("2026-11-21", "1970-01-01"))},
		{"a clock that is a day ahead", "L12", sends(other("2026-11-21", "2026-11-22"))},
		{"the offset of another zone", "L12", sends(other("07:02:11+01:00", "08:30:00+01:00"))},
		{"a reading of last year", "L13", sends(other("2026-11-21", "2025-11-21"))},
		{"a measure that the profile does not claim", "L16", sends(`{"id":"w","time":"2026-11-21T07:02:11+01:00","measure":"weight","values":{"value":82},"unit":"kg"}`)},
		{"an id for two measurements of one moment", "B1", sends(one, other("142", "143"))},
		{"a new id when it sends again", "B2", sends(one, other(`"id":"a"`, `"id":"b"`))},
		{"giving up what was not acknowledged", "B3", func(b *conformance.Bench) {
			b.Message(message(one), true)
			sends(strings.NewReplacer(`"a"`, `"b"`, "07:02:11", "07:32:11").Replace(one))(b)
		}},
	}
}

func TestEachFaultFailsTheRequirementThatIsToBlame(t *testing.T) {
	all := faults()
	if len(all) < 30 {
		t.Errorf("there are %d faults", len(all))
	}
	blamed := map[string]bool{}
	for _, f := range all {
		b := begin(conformance.Profile{Measures: []string{"blood-pressure"}, Receipts: f.primary == "C2"})
		f.do(b)
		report := b.Report(now)
		if got := report.Primary(); !slices.Equal(got, []string{f.primary}) {
			t.Errorf("%s fails %v, want %s", f.what, got, f.primary)
		}
		blamed[f.primary] = true
		for _, r := range report.Results {
			if (r.Verdict == conformance.Fail || r.Verdict == conformance.Warning || r.Verdict == conformance.Inconclusive || r.Verdict == conformance.NotApplicable) && (r.Reason.FR == "" || r.Reason.EN == "") {
				t.Errorf("%s: %s is %s without a reason", f.what, r.Requirement, r.Verdict)
			}
		}
	}
	for _, q := range conformance.Plan() {
		if !blamed[q.Number] && !slices.Contains([]string{"C3", "P3", "L14", "L15", "B4", "B5"}, q.Number) {
			t.Errorf("no fault fails %s", q.Number)
		}
	}
}

// What is repeated unchanged though it was refused is blamed beside what is wrong with it.
func TestARefusedMessageThatComesAgainAndAgainIsBlamed(t *testing.T) {
	b := begin(conformance.Profile{})
	bad := other("142", `"LOW"`)
	sends(bad, bad)(b)
	if report := b.Report(now); slices.Contains(report.Primary(), "B4") {
		t.Error("twice is blamed")
	}
	sends(bad)(b)
	if report := b.Report(now); !slices.Equal(report.Primary(), []string{"L5", "B4"}) {
		t.Errorf("three times: %v", report.Primary())
	}
}

func TestWhatIsUsedAllTheSameIsAWarning(t *testing.T) {
	for number, do := range map[string]func(*conformance.Bench){
		"C3":  sends(one),
		"P3":  func(b *conformance.Bench) { m := message(one); m.Keep = true; b.Message(m, false) },
		"L14": sends(other("mm[Hg]", "mmHg")),
		"L15": sends(other("irregular-pulse", "wobbly")),
		"L8":  sends(other(`"pulse":72`, `"pulse":0`)),
	} {
		b := begin(conformance.Profile{})
		do(b)
		if report := b.Report(now); report.Failed() || verdicts(report)[number] != conformance.Warning {
			t.Errorf("%s: %s, failed %v", number, verdicts(report)[number], report.Primary())
		}
	}
}

// One fault of a message has one primary requirement; the others follow from it.
func TestOtherFaultsOfAMessageFollowFromTheFirst(t *testing.T) {
	b := begin(conformance.Profile{})
	sends(`{"id":"a","time":"2026-11-21T07:02:11","measure":"blood-pressure","values":{"systolic":"142"},"unit":"mm[Hg]"}`)(b)
	report := b.Report(now)
	if got := report.Primary(); !slices.Equal(got, []string{"L4"}) {
		t.Errorf("primary: %v", got)
	}
	for _, r := range report.Results {
		if (r.Requirement == "L5" || r.Requirement == "L10") && (r.Verdict != conformance.Fail || r.Follows != "L4") {
			t.Errorf("%+v", r)
		}
	}
}

func TestNothingHasComeIsNoVerdict(t *testing.T) {
	report := begin(conformance.Profile{}).Report(now)
	for number, verdict := range verdicts(report) {
		if verdict != conformance.Inconclusive && verdict != conformance.NotApplicable {
			t.Errorf("%s: %s", number, verdict)
		}
	}
}

func TestReportsSayTheSameInEveryForm(t *testing.T) {
	b := begin(conformance.Profile{Measures: []string{"blood-pressure"}})
	sends(one, other("142", `"LOW"`))(b)
	report := b.Report(now)
	for _, language := range []string{"fr", "en"} {
		var text, html, junit bytes.Buffer
		if err := report.Text(&text, language); err != nil || !strings.Contains(text.String(), "✗ L5") {
			t.Errorf("%v\n%s", err, text.String())
		}
		if err := report.HTML(&html, language); err != nil || !strings.Contains(html.String(), `<td class="fail">fail`) {
			t.Errorf("%v\n%s", err, html.String())
		}
		var suite struct {
			Tests    int `xml:"tests,attr"`
			Failures int `xml:"failures,attr"`
		}
		if err := report.JUnit(&junit, language); err != nil || xml.Unmarshal(junit.Bytes(), &suite) != nil || suite.Tests != len(report.Results) || suite.Failures != 1 {
			t.Errorf("%v: %+v", err, suite)
		}
	}
	var written bytes.Buffer
	var read conformance.Report
	if err := report.JSON(&written); err != nil || json.Unmarshal(written.Bytes(), &read) != nil || !slices.Equal(read.Primary(), report.Primary()) {
		t.Errorf("%v: %v", err, read.Primary())
	}
}

// Each code that a receipt can hold shows one requirement, but for what only a registry
// knows.
func TestEveryCodeShowsOneRequirement(t *testing.T) {
	shown := map[protocols.Code]int{}
	for _, q := range conformance.Plan() {
		for _, code := range q.Codes {
			shown[code]++
		}
	}
	registry := []protocols.Code{protocols.UnknownDevice, protocols.NotEnrolled, protocols.NoConsent, protocols.DeviceNotEligible}
	for _, code := range append(protocols.Codes(), protocols.OtherSpelling, protocols.UnknownWord) {
		want := 1
		if slices.Contains(registry, code) {
			want = 0
		}
		if shown[code] != want {
			t.Errorf("%s shows %d requirements, want %d", code, shown[code], want)
		}
	}
}

var update = flag.Bool("update", false, "write ingest/CONFORMANCE.md anew")

// TestThePlanIsWritten holds ingest/CONFORMANCE.md to the plan;
// go test ./ingest/conformance -update writes it.
func TestThePlanIsWritten(t *testing.T) {
	var text strings.Builder
	fmt.Fprintf(&text, `# Conformance plan %s

What a device is held to by `+"`simulator bench`"+`. The list is made from the code, and a test
holds it. A number is never used again. Passing says that a device speaks well; whether it
is eligible is the protocol's word.

A verdict is pass, warning (used all the same), fail, inconclusive (nothing came that shows
it) or not-applicable (the profile claims otherwise). Where one message breaks several
requirements, the first in this order is the primary one, and the others follow from it.
`, conformance.Version)
	part := conformance.Part("")
	for _, q := range conformance.Plan() {
		if q.Part != part {
			part = q.Part
			fmt.Fprintf(&text, "\n## %s\n\n| | requirement | codes | to mend it |\n|---|---|---|---|\n", strings.ToUpper(string(part[:1]))+string(part[1:]))
		}
		var codes []string
		for _, code := range q.Codes {
			codes = append(codes, "`"+string(code)+"`")
		}
		fmt.Fprintf(&text, "| %s | %s | %s | %s |\n", q.Number, q.Asks.EN, strings.Join(codes, ", "), q.Mend.EN)
	}
	const file = "../CONFORMANCE.md"
	if *update {
		if err := os.WriteFile(file, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if written, err := os.ReadFile(file); err != nil || string(written) != text.String() {
		t.Errorf("%s is not what the plan says; run go test ./ingest/conformance -update (%v)", file, err)
	}
}
