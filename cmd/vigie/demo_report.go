package main

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"vigie/alerts"
	"vigie/protocols"
)

// demoStarted is the first thing the demonstration says.
type demoStarted struct {
	Event    string    `json:"event"` // "started"
	Page     string    `json:"page"`
	Broker   string    `json:"broker"`
	Token    string    `json:"token"`
	Data     string    `json:"data"`
	Patients int       `json:"patients"`
	Devices  int       `json:"devices"`
	Speed    float64   `json:"speed"`
	Time     time.Time `json:"time"` // on the demonstration's clock
}

// demoAlert is one event of one alert.
type demoAlert struct {
	Event    string           `json:"event"` // "alert"
	Kind     alerts.EventKind `json:"kind"`
	ID       string           `json:"id"`
	Time     time.Time        `json:"time"` // on the demonstration's clock
	At       time.Time        `json:"at"`   // when it was measured
	Level    protocols.Level  `json:"level"`
	Protocol string           `json:"protocol,omitempty"`
	Rule     string           `json:"rule"`
	Patient  string           `json:"patient,omitempty"`
	Device   string           `json:"device,omitempty"`
	Sentence string           `json:"sentence,omitempty"`
	Late     bool             `json:"too_late,omitempty"`
}

// demoSummary is the last thing it says.
type demoSummary struct {
	Event         string                   `json:"event"` // "summary"
	Accepted      int64                    `json:"accepted"`
	Duplicates    int64                    `json:"duplicates"`
	SetAside      map[protocols.Code]int   `json:"set_aside"`
	AlertsByLevel map[string]int           `json:"alerts_by_level"`
	AlertsByRule  map[string]int           `json:"alerts_by_rule"`
	EventsByKind  map[alerts.EventKind]int `json:"alert_events"`
	Messages      int64                    `json:"messages"` // mails to care teams, which the demonstration keeps to itself
	Patients      int                      `json:"patients"`
	Devices       int                      `json:"devices"`
	Simulated     string                   `json:"simulated"`   // how much time went by for the patients
	Response      demoResponse             `json:"response_ms"` // from publication to acknowledgement
}

// demoResponse holds response times in milliseconds.
type demoResponse struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

// demoReport tells a person, a pipe or a program what goes on.
type demoReport interface {
	started(demoStarted)
	alert(demoAlert)
	progress(now time.Time, accepted int64, open int)
	summary(demoSummary)
}

// jsonReport writes one object per line.
type jsonReport struct {
	mu  sync.Mutex
	out *json.Encoder
}

func newJSONReport(out io.Writer) *jsonReport { return &jsonReport{out: json.NewEncoder(out)} }

func (r *jsonReport) write(v any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	// Standard output that is gone leaves nobody to tell.
	_ = r.out.Encode(v)
}

func (r *jsonReport) started(s demoStarted)          { s.Event = "started"; r.write(s) }
func (r *jsonReport) alert(a demoAlert)              { a.Event = "alert"; r.write(a) }
func (r *jsonReport) progress(time.Time, int64, int) {}
func (r *jsonReport) summary(s demoSummary)          { s.Event = "summary"; r.write(s) }

// textReport writes lines for people; on a terminal, in colour and with a line
// at the bottom that moves.
type textReport struct {
	mu     sync.Mutex
	out    io.Writer
	lively bool
	zone   *time.Location
	bottom string
	begin  time.Time // of the demonstration, on its clock
	old    int       // alerts that the upload of past readings raised
}

// marks gives each level a word, a shape and a colour: never colour alone.
var marks = map[protocols.Level]struct{ shape, word, colour string }{
	protocols.Red:       {"▲", "à traiter en priorité", "\x1b[1;31m"},
	protocols.Orange:    {"◆", "à traiter", "\x1b[33m"},
	protocols.Yellow:    {"●", "à surveiller", "\x1b[93m"},
	protocols.Technical: {"■", "technique", "\x1b[36m"},
}

var kindWords = map[alerts.EventKind]string{
	alerts.EventRaised:       "nouvelle",
	alerts.EventRisen:        "aggravée",
	alerts.EventRecurred:     "récidive",
	alerts.EventEnded:        "condition terminée",
	alerts.EventEscalated:    "sans réponse : escalade",
	alerts.EventAcknowledged: "prise en charge",
	alerts.EventResolved:     "close",
}

func (r *textReport) line(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bottom != "" {
		fmt.Fprint(r.out, "\r\x1b[K")
	}
	fmt.Fprintf(r.out, format+"\n", args...)
	if r.bottom != "" {
		fmt.Fprint(r.out, r.bottom)
	}
}

func (r *textReport) started(s demoStarted) {
	r.begin = s.Time
	r.line("Vigie — démonstration : %d patients de synthèse, %d appareils, horloge ×%g", s.Patients, s.Devices, s.Speed)
	r.line("  page     %s   (jeton : %s)", s.Page, s.Token)
	r.line("  broker   %s", s.Broker)
	r.line("  données  %s", s.Data)
	r.line("Ni dispositif médical certifié, ni service d'urgence : en cas d'urgence, le 15.")
	r.line("")
}

func (r *textReport) alert(a demoAlert) {
	if a.Late {
		if a.Kind == alerts.EventRaised {
			r.old++
		}
		return
	}
	if r.old > 0 && a.Time.After(r.begin) {
		r.line("(%d de plus, tirées de mesures trop anciennes : montrées sur la page, non signalées)", r.old)
		r.old = 0
	}
	mark := marks[a.Level]
	who := a.Patient
	if who == "" {
		who = a.Device
	}
	shape := fmt.Sprintf("%s %-21s", mark.shape, mark.word)
	if r.lively {
		shape = mark.colour + shape + "\x1b[0m"
	}
	r.line("%s  %s  %-8s %s · %s", a.Time.In(r.zone).Format("02/01 15:04"), shape, who, kindWords[a.Kind], a.Rule)
	if a.Sentence != "" && (a.Kind == alerts.EventRaised || a.Kind == alerts.EventRisen) {
		r.line("             %s", a.Sentence)
	}
}

func (r *textReport) progress(now time.Time, accepted int64, open int) {
	if !r.lively {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bottom = fmt.Sprintf("\x1b[2m%s · %d mesures acceptées · %d alertes ouvertes · Ctrl-C pour finir\x1b[0m", now.In(r.zone).Format("lun. 02/01 15:04")[5:], accepted, open)
	fmt.Fprint(r.out, "\r\x1b[K"+r.bottom)
}

func (r *textReport) summary(s demoSummary) {
	r.mu.Lock()
	if r.bottom != "" {
		fmt.Fprint(r.out, "\r\x1b[K")
		r.bottom = ""
	}
	r.mu.Unlock()
	r.line("")
	r.line("Bilan (%s pour %d patients et %d appareils)", s.Simulated, s.Patients, s.Devices)
	r.line("  mesures acceptées      %d", s.Accepted)
	r.line("  mesures en double      %d", s.Duplicates)
	r.line("  mises de côté          %s", tally(s.SetAside))
	r.line("  alertes par niveau     %s", tally(s.AlertsByLevel))
	r.line("  alertes par règle      %s", tally(s.AlertsByRule))
	r.line("  vie des alertes        %s", tally(s.EventsByKind))
	r.line("  courriels aux équipes  %d (la démonstration les garde pour elle)", s.Messages)
	r.line("  accusé de réception    médiane %.1f ms, p99 %.1f ms, maximum %.1f ms", s.Response.P50, s.Response.P99, s.Response.Max)
}

// tally writes counts by name, in the order of the names.
func tally[K ~string](counts map[K]int) string {
	if len(counts) == 0 {
		return "aucune"
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return strings.Join(parts, ", ")
}
