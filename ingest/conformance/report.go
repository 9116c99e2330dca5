package conformance

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html/template"
	"io"
	"strings"
	"time"

	"vigie/protocols"
)

// Verdict is how one requirement came out.
type Verdict string

// The verdicts.
const (
	Pass          Verdict = "pass"
	Warning       Verdict = "warning"
	Fail          Verdict = "fail"
	Inconclusive  Verdict = "inconclusive"
	NotApplicable Verdict = "not-applicable"
)

// Result is a verdict with its reason.
type Result struct {
	Requirement string         `json:"requirement"`
	Verdict     Verdict        `json:"verdict"`
	Reason      protocols.Text `json:"reason,omitzero"`
	Evidence    []string       `json:"evidence,omitempty"` // ids or topics, the first few
	Times       int            `json:"times,omitempty"`    // how often it was not met
	Follows     string         `json:"follows,omitempty"`  // the requirement whose fault causes this one
}

func (b *Bench) result(number string) *Result {
	for i := range b.results {
		if b.results[i].Requirement == number {
			return &b.results[i]
		}
	}
	return &Result{Requirement: number, Verdict: Inconclusive} // of a measure that is not known: nothing asks for it
}

// pass notes that a requirement was met once; what failed or warned before stays.
func (b *Bench) pass(number string) {
	b.now.check(number, Pass, protocols.Text{})
	if r := b.result(number); r.Verdict == Inconclusive {
		r.Verdict = Pass
	}
}

// evidences is how much evidence of one requirement is kept.
const evidences = 5

func (b *Bench) note(number string, verdict Verdict, why protocols.Text, evidence string) {
	b.now.check(number, verdict, why)
	r := b.result(number)
	if r.Verdict != verdict || r.Follows != "" {
		r.Verdict, r.Reason, r.Follows, r.Evidence = verdict, why, "", nil
	}
	r.Times++
	if evidence != "" && len(r.Evidence) < evidences {
		r.Evidence = append(r.Evidence, evidence)
	}
}

func (b *Bench) fail(number string, why protocols.Text, evidence string) {
	b.note(number, Fail, why, evidence)
}

func (b *Bench) warn(number string, why protocols.Text, evidence string) {
	if b.result(number).Verdict != Fail {
		b.note(number, Warning, why, evidence)
		return
	}
	b.now.check(number, Warning, why)
}

// Report is what a bench has found.
type Report struct {
	Plan     string    `json:"plan"` // its version
	Device   string    `json:"device"`
	Profile  Profile   `json:"profile"`
	Began    time.Time `json:"began"`
	Ended    time.Time `json:"ended"`
	Messages int       `json:"messages"`
	Readings int       `json:"readings"`
	Results  []Result  `json:"results"`
}

// Report says how every requirement has come out so far.
func (b *Bench) Report(now time.Time) Report {
	b.mu.Lock()
	defer b.mu.Unlock()
	r := Report{Plan: Version, Device: b.device, Profile: b.profile, Began: b.began, Ended: now, Messages: b.messages, Readings: b.readings}
	for _, l := range b.lines {
		b.silence(l, now)
		b.resubscribed(l)
	}
	for _, result := range b.results {
		result.Evidence = append([]string(nil), result.Evidence...)
		b.conclude(&result)
		b.concludeFlags(&result)
		r.Results = append(r.Results, result)
	}
	return r
}

// conclude says why a requirement was not judged, or judges it by all that came.
func (b *Bench) conclude(r *Result) {
	if r.Verdict != Inconclusive {
		return
	}
	if plan[placeOf(r.Requirement)].Part == Measures {
		b.concludeMeasure(r)
		return
	}
	switch r.Requirement {
	case listens:
		if !b.profile.Receipts {
			r.Verdict, r.Reason = NotApplicable, say("le profil ne dit pas que l'appareil lit ses accusés", "the profile does not claim that the device reads its receipts")
			return
		}
		if b.messages > 0 {
			r.Verdict, r.Reason = Fail, say("le profil dit que l'appareil lit ses accusés, et il ne s'y abonne pas", "the profile claims that the device reads its receipts, and it does not subscribe to them")
			return
		}
	case online:
		if b.messages > 0 {
			r.Verdict, r.Reason = Warning, say("l'appareil n'a rien dit de lui : son silence ne se verra que tard", "the device has said nothing of itself: its silence will be seen late")
			return
		}
	case again, withheldAck, takenOver:
		if a := b.attempted(shows(r.Requirement)); a != nil && a.since > 0 {
			r.Verdict, r.Reason = Fail, say("une mesure qui n'a pas été acquittée n'est pas revenue, d'autres sont venues", "a reading that was not acknowledged did not come again, others came")
			r.Evidence = a.ids[:min(len(a.ids), evidences)]
			return
		}
	case buffers:
		if !b.profile.Buffers {
			r.Verdict, r.Reason = NotApplicable, say("le profil ne dit pas que l'appareil garde ce qu'il mesure sans réseau", "the profile does not claim that the device keeps what it measures without a network")
			return
		}
		if a := b.attempted(Offline); a != nil && !a.to.IsZero() && a.since > 0 {
			r.Verdict, r.Reason = Fail, say("rien n'est venu de ce qui a été mesuré sans réseau, d'autres mesures sont venues", "nothing came of what was measured without a network, other readings came")
			return
		}
	case goesOn:
		if !b.profile.Receipts {
			r.Verdict, r.Reason = NotApplicable, say("le profil ne dit pas que l'appareil lit ses accusés", "the profile does not claim that the device reads its receipts")
			return
		}
		if a := b.attempted(Refused); a != nil && a.times >= mostRepeats && a.since == 0 {
			r.Verdict, r.Reason, r.Evidence = Fail, say("la mesure refusée revient, et aucune autre ne vient", "the refused reading comes again, and no other comes"), a.ids[:1]
			return
		}
	case rightTime:
		b.concludeTime(r)
		return
	case oneID:
		r.Reason = say("rien n'est venu deux fois", "nothing came twice")
		return
	case noRepeat:
		r.Verdict, r.Reason = NotApplicable, say("rien n'a été refusé", "nothing was refused")
		return
	case whole:
		b.concludeWhole(r)
		return
	}
	r.Reason = b.unseen(r.Requirement)
}

// unseen says why nothing came that shows a requirement.
func (b *Bench) unseen(number string) protocols.Text {
	t := shows(number)
	switch made := b.attempted(t) != nil || b.shown[t]; {
	case t == "":
		return say("rien n'est venu qui le montre", "nothing came that shows it")
	case made:
		return say("l'essai a eu lieu, et rien n'est venu depuis", "the trial was made, and nothing has come since")
	case b.wants(t):
		return say("l'essai n'a pas encore eu lieu", "the trial was not made yet")
	}
	return both("cet essai n'a pas été demandé (--trial %s)", "this trial was not asked for (--trial %s)", t)
}

func (b *Bench) concludeWhole(r *Result) {
	if len(b.profile.Measures) == 0 {
		r.Verdict, r.Reason = NotApplicable, say("le profil ne nomme aucune mesure (--measure)", "the profile names no measure (--measure)")
		return
	}
	var missing []string
	for _, id := range b.profile.Measures {
		if !b.measures[id] {
			missing = append(missing, id)
		}
	}
	if len(missing) == 0 {
		r.Verdict = Pass
		return
	}
	r.Reason, r.Evidence = say("certaines mesures ne sont pas venues", "some measures have not come"), missing
}

// Failed reports whether a requirement was not met.
func (r *Report) Failed() bool { return len(r.Primary()) > 0 }

// Primary lists the requirements that were not met, without those that follow from
// another.
func (r *Report) Primary() (numbers []string) {
	for i := range r.Results {
		if r.Results[i].Verdict == Fail && r.Results[i].Follows == "" {
			numbers = append(numbers, r.Results[i].Requirement)
		}
	}
	return numbers
}

// line is a result beside its requirement, in one language.
type line struct {
	Result
	Asks, Mend, Why string
}

func (r *Report) lines(language string) (lines []line) {
	for _, result := range r.Results {
		q := RequirementNamed(result.Requirement)
		l := line{Result: result, Asks: q.Asks.In(language), Why: result.Reason.In(language)}
		if result.Verdict == Fail || result.Verdict == Warning {
			l.Mend = q.Mend.In(language)
		}
		lines = append(lines, l)
	}
	return lines
}

// marks stand before a line of text.
var marks = map[Verdict]string{Pass: "✓", Warning: "!", Fail: "✗", Inconclusive: "?", NotApplicable: "·"}

// Text writes the report for a terminal.
func (r *Report) Text(out io.Writer, language string) error {
	var text strings.Builder
	for _, l := range r.lines(language) {
		fmt.Fprintf(&text, "%s %-4s %s\n", marks[l.Verdict], l.Requirement, l.Asks)
		if l.Why != "" {
			fmt.Fprintf(&text, "       %s", l.Why)
			if len(l.Evidence) > 0 {
				fmt.Fprintf(&text, " [%s]", strings.Join(l.Evidence, ", "))
			}
			if l.Follows != "" {
				fmt.Fprintf(&text, " (← %s)", l.Follows)
			}
			text.WriteString("\n")
		}
		if l.Mend != "" {
			fmt.Fprintf(&text, "       → %s\n", l.Mend)
		}
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// JSON writes the report for a program.
func (r *Report) JSON(out io.Writer) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(r)
}

// The JUnit form, as build servers read it.
type (
	junitSuite struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string      `xml:"classname,attr"`
		Name    string      `xml:"name,attr"`
		Failure *junitWords `xml:"failure,omitempty"`
		Skipped *junitWords `xml:"skipped,omitempty"`
		Out     string      `xml:"system-out,omitempty"`
	}
	junitWords struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// JUnit writes the report for a build server. What follows from another fault, and what
// was not judged, is skipped.
func (r *Report) JUnit(out io.Writer, language string) error {
	suite := junitSuite{Name: "vigie conformance " + r.Plan + " " + r.Device, Tests: len(r.Results)}
	for _, l := range r.lines(language) {
		c := junitCase{Class: "conformance." + string(plan[placeOf(l.Requirement)].Part), Name: l.Requirement + " " + l.Asks}
		words := &junitWords{l.Why, strings.Join(append([]string{l.Mend}, l.Evidence...), "\n")}
		switch {
		case l.Verdict == Fail && l.Follows == "":
			c.Failure = words
			suite.Failures++
		case l.Verdict == Pass:
		case l.Verdict == Warning:
			c.Out = l.Why
		default:
			c.Skipped = words
			suite.Skipped++
		}
		suite.Cases = append(suite.Cases, c)
	}
	if _, err := io.WriteString(out, xml.Header); err != nil {
		return err
	}
	encoder := xml.NewEncoder(out)
	encoder.Indent("", "  ")
	return encoder.Encode(suite)
}

var page = template.Must(template.New("").Parse(`<!doctype html>
<html lang="{{.Language}}"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.Report.Device}} — plan {{.Report.Plan}}</title>
<style>body{font:16px/1.5 sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}td,th{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid #ccc}.fail{color:#a3121f;font-weight:bold}.warning{color:#7a4b00}.pass{color:#0b5d2a}</style>
<h1>{{.Report.Device}}</h1><p>plan {{.Report.Plan}} · {{.Report.Messages}} messages · {{.Report.Readings}} {{.Readings}} · {{.Report.Ended.Format "2006-01-02 15:04:05Z07:00"}}</p>
<table>{{range .Lines}}<tr><th>{{.Requirement}}<td>{{.Asks}}<td class="{{.Verdict}}">{{.Verdict}}<td>{{.Why}}{{if .Follows}} (← {{.Follows}}){{end}}{{range .Evidence}}<br><code>{{.}}</code>{{end}}{{if .Mend}}<br>→ {{.Mend}}{{end}}{{end}}</table>
`))

// HTML writes the report as a page.
func (r *Report) HTML(out io.Writer, language string) error {
	return page.Execute(out, map[string]any{"Report": r, "Lines": r.lines(language), "Language": language, "Readings": say("mesures", "readings").In(language)})
}
