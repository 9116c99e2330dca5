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
	"vigie/ingest/formats/nightscout"
	"vigie/ingest/formats/values"
	"vigie/protocols"
)

var now = time.Date(2026, 11, 21, 7, 0, 0, 0, time.UTC)

func begin(profile conformance.Profile, trials ...conformance.Trial) *conformance.Bench {
	return conformance.New(conformance.Options{Profile: profile, Device: "bp-1", Prefix: "vigie/v1", Formats: map[string]ingest.Decoder{ingest.ReadingsTopic: native.Decoder{}, "nightscout": nightscout.Decoder{}}, Trials: trials}, now)
}

// hello is how a good device connects.
var hello = conformance.Hello{Client: "bp-1", KeepAlive: 4 * time.Minute, Will: true}

// at is one, measured and received so many minutes later, under another id.
func at(minutes int) ingest.Message {
	m := message(strings.NewReplacer(`"a"`, fmt.Sprintf(`"m%d"`, minutes), "07:02:11", now.Add(time.Duration(minutes)*time.Minute+time.Hour).Format("15:04:05")).Replace(one))
	m.Received = now.Add(time.Duration(minutes)*time.Minute + 2*time.Second)
	return m
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
	b := begin(conformance.Profile{Measures: []string{"blood-pressure"}, Receipts: true, Buffers: true, Every: 5 * time.Minute}, conformance.Trials()...)
	for range 3 { // it turns away from each bad certificate
		b.Opened(now)
		b.Judged(b.Certificate(), false)
	}
	if b.Certificate() != "" {
		t.Error("there is a fourth bad certificate")
	}
	b.Opened(now)
	if b.Hello(1, hello, now) != conformance.Silent {
		t.Error("the CONNACK comes")
	}
	b.Closed(1, true, false, now)
	line, minute := 1, 0
	connects := func(known bool) {
		line++
		b.Opened(now)
		b.Hello(line, hello, now.Add(time.Duration(minute)*time.Minute))
		b.Answered(line, true, known)
		b.Subscribed(line)
	}
	connects(false)
	b.Message(line, ingest.Message{Topic: "vigie/v1/bp-1/status", Client: "bp-1", Payload: []byte(`{"online": true}`), Received: now, QoS: 1})
	sends := func(want conformance.Trial) {
		t.Helper()
		b.Alive(line, now.Add(time.Duration(minute)*time.Minute))
		m := at(minute)
		receipts, trial := b.Message(line, m)
		if trial != want || len(receipts) != 1 || (receipts[0].Verdict == ingest.Accepted) != (want != conformance.Refused) {
			t.Errorf("minute %d: trial %q, want %q; %+v", minute, trial, want, receipts)
		}
		if want == conformance.Broken || want == conformance.WithheldAck || want == conformance.Takeover {
			b.Closed(line, false, false, now.Add(time.Duration(minute)*time.Minute))
			connects(true)
			if receipts, trial := b.Message(line, m); trial != "" || receipts[0].Verdict != ingest.Duplicate {
				t.Errorf("again: %q %+v", trial, receipts)
			}
		}
		if want == conformance.Restart {
			b.Closed(line, false, false, now.Add(time.Duration(minute)*time.Minute))
			connects(false)
		}
		minute++
	}
	for _, want := range []conformance.Trial{conformance.Broken, conformance.LateAck, conformance.DoubledAck, conformance.WithheldAck, conformance.Refused, conformance.Takeover, conformance.Restart, conformance.Offline} {
		sends(want)
		minute += 4
	}
	b.Away(now.Add(37 * time.Minute))
	b.Back(now.Add(41 * time.Minute))
	sends("") // measured meanwhile
	minute += 4
	sends("")
	b.Message(line, message(strings.NewReplacer(`"a"`, `"b"`, "07:02:11", "07:57:11", "142", `{"above":280}`).Replace(one)))
	report := b.Report(now.Add(time.Duration(minute) * time.Minute))
	for _, r := range report.Results {
		if want := conformance.Pass; r.Verdict != want && !(r.Verdict == conformance.NotApplicable && slices.Contains([]string{"B4", "M5/blood-pressure"}, r.Requirement)) {
			t.Errorf("%s: %s %s", r.Requirement, r.Verdict, r.Reason.EN)
		}
	}
	if report.Failed() || report.Readings != 14 {
		t.Errorf("%v: %d readings", report.Primary(), report.Readings)
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
			b.Message(0, message(payload))
		}
	}
}

// later is one, half an hour later.
var later = strings.NewReplacer(`"a"`, `"b"`, "07:02:11", "07:32:11").Replace(one)

// tried are the trials by which a fault shows, by its requirement.
var tried = map[string][]conformance.Trial{
	"C9": {conformance.Silent}, "C13": {conformance.LateConnack}, "C12": {conformance.Takeover}, "B3": {conformance.Broken}, "B6": {conformance.Broken, conformance.LateAck},
	"B8": {conformance.WithheldAck}, "B9": {conformance.Refused}, "B10": {conformance.Offline},
}

func faults() []fault {
	under := func(change func(*ingest.Message)) func(*conformance.Bench) {
		return func(b *conformance.Bench) {
			m := message(one)
			change(&m)
			b.Message(0, m)
		}
	}
	return []fault{
		{"a wrong password", "C1", func(b *conformance.Bench) { b.Hello(1, hello, now); b.Answered(1, false, false) }},
		{"no subscription to receipts", "C2", sends(one)},
		{"taking a certificate in another name", "C4", func(b *conformance.Bench) { b.Judged(conformance.WrongName, true) }},
		{"taking one that has expired", "C5", func(b *conformance.Bench) { b.Judged(conformance.Expired, true) }},
		{"taking one of anybody", "C6", func(b *conformance.Bench) { b.Judged(conformance.UnknownAuthority, true) }},
		{"no keep-alive", "C7", func(b *conformance.Bench) { h := hello; h.KeepAlive = 0; b.Hello(1, h, now) }},
		{"a keep-alive of ten hours", "C7", func(b *conformance.Bench) { h := hello; h.KeepAlive = 10 * time.Hour; b.Hello(1, h, now) }},
		{"no sign of life in time", "C7", func(b *conformance.Bench) { b.Hello(1, hello, now); b.Alive(1, now.Add(7*time.Minute)) }},
		{"silence until the end", "C7", func(b *conformance.Bench) { b.Hello(1, hello, now.Add(-7*time.Minute)) }},
		{"another client id each time", "C8", func(b *conformance.Bench) { h := hello; b.Hello(1, h, now); h.Client = "bp-1-7f3a"; b.Hello(2, h, now) }},
		{"no client id", "C8", func(b *conformance.Bench) { h := hello; h.Client = ""; b.Hello(1, h, now) }},
		{"waiting for CONNACK without an end", "C9", func(b *conformance.Bench) {
			b.Opened(now)
			b.Opened(now)
			b.Hello(2, hello, now)
			b.Waited(2, 30*time.Second)
			b.Closed(2, false, false, now)
		}},
		{"connecting again and again", "C10", func(b *conformance.Bench) {
			for i := range 11 {
				b.Opened(now.Add(time.Duration(i) * 100 * time.Millisecond))
			}
		}},
		{"no new subscription after a restart", "C11", func(b *conformance.Bench) {
			b.Hello(1, hello, now)
			b.Subscribed(1)
			b.Closed(1, false, false, now)
			b.Hello(2, hello, now)
			b.Answered(2, true, false)
			b.Message(2, message(one))
		}},
		{"no patience for a CONNACK", "C13", func(b *conformance.Bench) {
			b.Opened(now)
			b.Opened(now)
			b.Hello(2, hello, now)
			b.Closed(2, true, false, now)
		}},
		{"giving up where another takes over", "C12", sends(one, later)},
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
		{"a component that the measure lacks", "M3/blood-pressure", sends(other(`"pulse"`, `"heart"`))},
		{"a measure of its own", "L3", sends(other(`"blood-pressure"`, `"bp"`))},
		{"no id", "L4", sends(other(`"id":"a",`, ``))},
		{"no time", "L4", sends(other(`"time":"2026-11-21T07:02:11+01:00",`, ``))},
		{"no unit", "L4", sends(other(`"unit":"mm[Hg]",`, ``))},
		{"half of a pressure", "M3/blood-pressure", sends(other(`"diastolic":91,`, ``))},
		{"a number as a text", "L5", sends(other("142", `"142"`))},
		{"a word for a low value", "M6/blood-pressure", sends(other("142", `"LOW"`))},
		{"NaN", "L5", sends(other("142", "NaN"))},
		{"null for a required value", "L5", sends(other("142", "null"))},
		{"a unit of its own", "L6", sends(other("mm[Hg]", "millimetres"))},
		{"a unit of another measure", "M1/blood-pressure", sends(other("mm[Hg]", "kg"))},
		{"kilopascals called millimetres", "M2/blood-pressure", sends(other(`"systolic":142,"diastolic":91`, `"systolic":18.9,"diastolic":12.1`))},
		{"pressures swapped", "M4/blood-pressure", sends(other(`"systolic":142,"diastolic":91`, `"systolic":91,"diastolic":142`))},
		{"a local time", "L10", sends(other("+01:00", ""))},
		{"a clock that was never set", "L11", sends(other("2026-11-21", "1970-01-01"))},
		{"a clock that is a day ahead", "L12", sends(other("2026-11-21", "2026-11-22"))},
		{"the offset of another zone", "L12", sends(other("07:02:11+01:00", "08:30:00+01:00"))},
		{"a reading of last year", "L13", sends(other("2026-11-21", "2025-11-21"))},
		{"a battery of 140 %", "L17", sends(other(`"battery":87`, `"battery":140`))},
		{"two moments of one entry", "L18", func(b *conformance.Bench) {
			m := message(`{"_id":"n","type":"sgv","sgv":120,"date":1795327331000,"dateString":"2026-11-21T08:02:11Z","device":"dexcom"}`)
			m.Topic = "vigie/v1/bp-1/nightscout"
			b.Message(0, m)
		}},
		{"a measure that the profile does not claim", "L16", sends(`{"id":"w","time":"2026-11-21T07:02:11+01:00","measure":"weight","values":{"value":82},"unit":"kg"}`)},
		{"an id for two measurements of one moment", "B1", sends(one, other("142", "143"))},
		{"a new id when it sends again", "B2", sends(one, other(`"id":"a"`, `"id":"b"`))},
		{"a counter that begins again", "B1", sends(one, other("07:02:11", "07:32:11"))},
		{"giving up what was not acknowledged", "B3", sends(one, later)},
		{"repeating while the acknowledgement is late", "B6", func(b *conformance.Bench) {
			sends(one, one)(b)
			begun := strings.Replace(later, `"b"`, `"c"`, 1)
			sends(begun, begun, begun, begun, begun)(b)
		}},
		{"hanging up on a second acknowledgement", "B7", func(b *conformance.Bench) { b.Hello(1, hello, now); b.Twice(1); b.Closed(1, true, false, now) }},
		{"waiting for ever for an acknowledgement", "B8", func(b *conformance.Bench) {
			b.Message(0, message(one))
			for i := range 3 {
				b.Message(0, at(i))
				b.Message(0, at(i))
			}
			b.Message(0, at(5))
			b.Message(0, at(7))
		}},
		{"nothing behind a refused reading", "B9", func(b *conformance.Bench) {
			for range 4 {
				b.Message(0, message(one))
			}
		}},
		{"forgetting what it measured without a network", "B10", func(b *conformance.Bench) {
			b.Message(0, message(one))
			b.Away(now.Add(time.Minute))
			b.Back(now.Add(2 * time.Minute))
			b.Message(0, at(9))
		}},
		{"a clock in another zone", "B11", func(b *conformance.Bench) {
			for i := range 4 {
				m := at(i)
				m.Received = m.Received.Add(time.Hour)
				b.Message(0, m)
			}
		}},
		{"measuring less often than it claims", "M8/blood-pressure", func(b *conformance.Bench) {
			for i := range 6 {
				b.Message(0, at(11*i))
			}
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
		profile := conformance.Profile{Measures: []string{"blood-pressure"}, Receipts: f.primary == "C2" || f.primary == "B9", Buffers: f.primary == "B10"}
		if f.primary == "M8/blood-pressure" {
			profile.Every = 5 * time.Minute
		}
		b := begin(profile, tried[f.primary]...)
		if f.primary == "B9" {
			b.Subscribed(1)
		}
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
		if q.Part == conformance.Measures {
			continue // TestEachFaultOfEachMeasure
		}
		if !blamed[q.Number] && !slices.Contains([]string{"C3", "C14", "P3", "L14", "L15", "B4", "B5"}, q.Number) {
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
	if report := b.Report(now); !slices.Equal(report.Primary(), []string{"M6/blood-pressure", "B4"}) {
		t.Errorf("three times: %v", report.Primary())
	}
}

func TestWhatIsUsedAllTheSameIsAWarning(t *testing.T) {
	for number, do := range map[string]func(*conformance.Bench){
		"C3": sends(one),
		"C8": func(b *conformance.Bench) { h := hello; h.Clean = true; b.Hello(1, h, now) },
		"B11": func(b *conformance.Bench) {
			for i := range 4 {
				m := at(i)
				m.Received = m.Received.Add(time.Duration(7+9*i) * time.Minute)
				b.Message(0, m)
			}
		},
		"P3":                func(b *conformance.Bench) { m := message(one); m.Keep = true; b.Message(0, m) },
		"L14":               sends(other("mm[Hg]", "mmHg")),
		"L15":               sends(other("irregular-pulse", "wobbly")),
		"M2/blood-pressure": sends(other(`"pulse":72`, `"pulse":0`)),
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
	if got := report.Primary(); !slices.Equal(got, []string{"L5"}) {
		t.Errorf("primary: %v", got)
	}
	for _, r := range report.Results {
		if (r.Requirement == "M3/blood-pressure" || r.Requirement == "L10") && (r.Verdict != conformance.Fail || r.Follows != "L5") {
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
		if err := report.Text(&text, language); err != nil || !strings.Contains(text.String(), "✗ M6") {
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

// A message that wants one receipt is under a topic that is known.
func TestAMessageThatWantsOneReceipt(t *testing.T) {
	b := begin(conformance.Profile{})
	m := message(one)
	m.Topic += "/" + ingest.SummaryTopic
	if receipts, _ := b.Message(0, m); len(receipts) != 1 || receipts[0].Verdict != ingest.Accepted {
		t.Errorf("answered %+v", receipts)
	}
}

// Each code that a receipt can hold shows one requirement, but for what only a registry
// knows.
func TestEveryCodeShowsOneRequirement(t *testing.T) {
	shown := map[protocols.Code]int{}
	for _, q := range conformance.Plan() {
		if q.Part == conformance.Measures {
			continue // they show a requirement of the measure as well, by their path
		}
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
		if shown[code] != want && (code != protocols.UnitMismatch || shown[code] != 0) {
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
	text.WriteString(`
Each measure that the profile claims, or that comes, has all of M1 to M8, and a verdict of
its own for each:

| measure | M1 units | M2 range | M3 components | M4 | M5 kinds | M6 ends | M7 flags |
|---|---|---|---|---|---|---|---|
`)
	yes := map[bool]string{true: "yes"}
	for _, m := range protocols.Measures() {
		asks := func(number string) string {
			words := conformance.RequirementNamed(number + "/" + m.ID).Asks.EN
			_, words, _ = strings.Cut(words, ": ")
			for _, around := range []string{"the unit is ", "the device reports ", "; nothing else."} {
				words = strings.Replace(words, around, "", 1)
			}
			return strings.TrimSuffix(words, ".")
		}
		fmt.Fprintf(&text, "| %s | %s | %s | %s | %s | %s | %s | %s |\n", m.ID, asks("M1"), asks("M2"), asks("M3"),
			yes[len(values.Contradictions(m.ID)) > 0], strings.Join(m.Variants, ", "), yes[len(conformance.FlagsOf(m)) > 0], strings.Join(conformance.FlagsOf(m), ", "))
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
