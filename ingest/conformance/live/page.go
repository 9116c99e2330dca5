// Package live is the page of a bench while it runs: each message as it came and as it was
// read, each check, and the rule of an example that a reading would meet.
package live

import (
	_ "embed"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"vigie/ingest"
	"vigie/ingest/conformance"
	"vigie/protocols"
)

//go:embed page.html
var pageText string

//go:embed page.css
var style []byte

//go:embed page.js
var script []byte

var layout = template.Must(template.New("").Parse(pageText))

// Page shows what a bench has seen, as it goes.
type Page struct {
	Bench            *conformance.Bench
	Profile          conformance.Profile
	Address          string // where the device finds the broker
	Device, Password string
	Topic            string // of its readings
	Language         string // "fr" or "en", until one is asked for
	Now              func() time.Time
	Rules            func() *Rules // the examples, read once
}

// Handler serves the page, its style and the script that renews it. Nothing else is fetched.
func (p *Page) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		language := p.Language
		if asked := r.URL.Query().Get("language"); asked == "fr" || asked == "en" {
			language = asked
		}
		var text strings.Builder
		if err := layout.Execute(&text, p.show(language)); err != nil {
			http.Error(w, "the page cannot be written", http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(text.String())) // whoever asked has gone
	})
	mux.HandleFunc("GET /bench.css", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = w.Write(style)
	})
	mux.HandleFunc("GET /bench.js", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
		_, _ = w.Write(script)
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		mux.ServeHTTP(w, r)
	})
}

// The parts of the page, in one language.
type (
	view struct {
		Language, Other        string
		Address, Device, Topic string
		Password, Plan, Claims string
		Messages, Readings     int
		Counts                 []countView
		Results                []resultView
		Seen                   []messageView
		Title, Intro           string
		Again, Pause           string
		Words                  map[string]string
	}
	countView struct {
		Verdict conformance.Verdict
		Word    string
		Number  int
	}
	resultView struct {
		Number, Asks, Word, Why, Mend string
		Verdict                       conformance.Verdict
	}
	messageView struct {
		Number, Size   int
		At, Topic      string
		QoS            byte
		Payload, Trial string
		Cut            bool
		Answers        []answerView
		Checks         []resultView
		Readings       []readingView
	}
	answerView struct {
		Verdict ingest.Verdict
		Word    string
		ID      string
		Reasons []string
	}
	readingView struct {
		Measure, At, Rule, Said string
		Values                  []string
		Rings                   bool
	}
)

// verdictWords say the verdicts, in the order in which they are counted.
var verdictWords = []struct {
	verdict conformance.Verdict
	text    protocols.Text
}{
	{conformance.Fail, protocols.Say("non tenue", "failed")},
	{conformance.Warning, protocols.Say("à revoir", "warned")},
	{conformance.Pass, protocols.Say("tenue", "passed")},
	{conformance.Inconclusive, protocols.Say("pas encore vue", "not seen yet")},
	{conformance.NotApplicable, protocols.Say("sans objet", "not applicable")},
}

func verdictWord(v conformance.Verdict, language string) string {
	for _, w := range verdictWords {
		if w.verdict == v {
			return w.text.In(language)
		}
	}
	return string(v)
}

// answerWords say what became of a reading.
var answerWords = map[ingest.Verdict]protocols.Text{
	ingest.Accepted:  protocols.Say("acceptée", "accepted"),
	ingest.Duplicate: protocols.Say("déjà reçue", "duplicate"),
	ingest.SetAside:  protocols.Say("mise de côté", "set aside"),
}

// show is what the page shows.
func (p *Page) show(language string) *view {
	say := func(fr, en string) string { return protocols.Text{FR: fr, EN: en}.In(language) }
	report := p.Bench.Report(p.Now())
	v := &view{
		Language: language, Other: map[string]string{"fr": "en", "en": "fr"}[language], Address: p.Address, Device: p.Device, Password: p.Password,
		Topic: p.Topic, Plan: report.Plan, Messages: report.Messages, Readings: report.Readings, Claims: p.claims(say),
		Title: say("Banc d'essai", "Bench"), Intro: say("La page se renouvelle d'elle-même toutes les deux secondes.", "The page renews itself every two seconds."),
		Again: say("Recharger", "Reload"), Pause: say("Suspendre", "Pause"),
		Words: map[string]string{
			"address": say("adresse", "address"), "device": say("appareil", "device"), "password": say("mot de passe", "password"), "topic": say("sujet", "topic"), "claims": say("le profil annonce", "the profile claims"),
			"messages": say("Messages, le dernier d'abord", "Messages, the last one first"), "requirements": say("Exigences du plan", "Requirements of the plan"), "received": say("reçu", "received"), "none": say("Aucun message n'est encore venu.", "No message has come yet."),
			"became": say("devient", "becomes"), "rings": say("sonnerait", "would ring"), "looks": say("serait regardée par", "would be looked at by"), "checked": say("contrôles", "checks"), "cut": say("coupé", "cut"),
			"number": say("n°", "no."), "asks": say("exigence", "requirement"), "verdict": say("verdict", "verdict"), "why": say("pourquoi, et que faire", "why, and what to do"),
		},
	}
	v.count(&report, language)
	history := p.Bench.History()
	past := p.accepted(history)
	for i := range history {
		v.Seen = append(v.Seen, p.messageView(&history[i], past, language))
	}
	return v
}

func (p *Page) claims(say func(fr, en string) string) string {
	claims := []string{say("toute mesure", "any measure")}
	if len(p.Profile.Measures) > 0 {
		claims[0] = strings.Join(p.Profile.Measures, ", ")
	}
	add := func(on bool, fr, en string) {
		if on {
			claims = append(claims, say(fr, en))
		}
	}
	add(p.Profile.Clock == conformance.OwnClock, "une horloge", "a clock")
	add(p.Profile.Clock == conformance.NoClock, "pas d'horloge", "no clock")
	add(p.Profile.Receipts, "lit ses accusés", "reads its receipts")
	add(p.Profile.Buffers, "garde ses mesures sans réseau", "keeps its readings without a network")
	if p.Profile.Every > 0 {
		claims = append(claims, say("une mesure toutes les ", "a reading every ")+p.Profile.Every.String())
	}
	return strings.Join(claims, " · ")
}

func (v *view) count(report *conformance.Report, language string) {
	counted := map[conformance.Verdict]int{}
	for i := range report.Results {
		r := &report.Results[i]
		counted[r.Verdict]++
		q := conformance.RequirementNamed(r.Requirement)
		line := resultView{Number: r.Requirement, Asks: q.Asks.In(language), Word: verdictWord(r.Verdict, language), Why: r.Reason.In(language), Verdict: r.Verdict}
		if r.Follows != "" {
			line.Why += " (← " + r.Follows + ")"
		}
		if r.Verdict == conformance.Fail || r.Verdict == conformance.Warning {
			line.Mend = q.Mend.In(language)
		}
		v.Results = append(v.Results, line)
	}
	for _, w := range verdictWords {
		v.Counts = append(v.Counts, countView{w.verdict, w.text.In(language), counted[w.verdict]})
	}
	rank := func(r resultView) int {
		for i, w := range verdictWords {
			if w.verdict == r.Verdict {
				return i
			}
		}
		return len(verdictWords)
	}
	slices.SortStableFunc(v.Results, func(a, c resultView) int { return rank(a) - rank(c) })
}

// accepted are the readings of a history that were accepted, oldest first.
func (p *Page) accepted(history []conformance.Seen) (past []*protocols.Reading) {
	for i := len(history) - 1; i >= 0; i-- {
		seen := &history[i]
		for n := range seen.Readings {
			if n < len(seen.Receipts) && seen.Receipts[n].Verdict == ingest.Accepted {
				past = append(past, &seen.Readings[n])
			}
		}
	}
	return past
}

func (p *Page) messageView(seen *conformance.Seen, past []*protocols.Reading, language string) messageView {
	m := messageView{Number: seen.Number, Size: seen.Size, At: seen.Received.Format("15:04:05"), Topic: seen.Topic, QoS: seen.QoS, Payload: seen.Text(), Cut: seen.Size > len(seen.Payload)}
	if seen.Trial != "" {
		m.Trial = seen.Trial.Does().In(language)
	}
	for _, r := range seen.Receipts {
		answer := answerView{Verdict: r.Verdict, Word: answerWords[r.Verdict].In(language), ID: r.ID}
		for _, reason := range append(slices.Clone(r.Reasons), r.Warnings...) {
			answer.Reasons = append(answer.Reasons, strings.TrimSpace(string(reason.Code)+" "+reason.Path)+": "+reason.Message)
		}
		m.Answers = append(m.Answers, answer)
	}
	for _, c := range seen.Checks {
		q := conformance.RequirementNamed(c.Requirement)
		line := resultView{Number: c.Requirement, Asks: q.Asks.In(language), Verdict: c.Verdict, Word: verdictWord(c.Verdict, language), Why: c.Why.In(language)}
		if c.Verdict != conformance.Pass {
			line.Mend = q.Mend.In(language)
		}
		m.Checks = append(m.Checks, line)
	}
	for i := range seen.Readings {
		m.Readings = append(m.Readings, p.readingView(&seen.Readings[i], past, language))
	}
	return m
}

// readingView shows what a message became, and the example rule that it would meet.
func (p *Page) readingView(r *protocols.Reading, past []*protocols.Reading, language string) readingView {
	v := readingView{Measure: r.Measure.Title.In(language), At: r.Time.UTC().Format("2006-01-02 15:04:05Z")}
	for i := range r.Measure.Components {
		c := &r.Measure.Components[i]
		if i >= len(r.Values) || r.Values[i] == protocols.Missing {
			continue
		}
		shown, limit := r.Shown(i)
		number := shown.String()
		if language == "fr" {
			number = shown.French()
		}
		v.Values = append(v.Values, strings.TrimSpace(c.Title.In(language)+" "+limit.Sign()+number+" "+c.Unit))
	}
	at := slices.Index(past, r)
	if at < 0 {
		return v // it was not accepted, or came again
	}
	before := slices.Clone(past[:at+1])
	slices.SortStableFunc(before, func(a, c *protocols.Reading) int { return a.Time.Compare(c.Time) })
	if before[len(before)-1] != r { // it came late
		return v
	}
	if m := p.Rules().meets(before); m != nil {
		v.Rule, v.Said, v.Rings = m.Protocol.In(language)+" · "+m.Rule.In(language), m.Said.In(language), m.Rings
	}
	return v
}
