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
	Event    string       `json:"event"` // "started"
	Page     string       `json:"page"`
	Broker   string       `json:"broker"`
	People   []demoPerson `json:"people"`
	Data     string       `json:"data"`
	Patients int          `json:"patients"`
	Devices  int          `json:"devices"`
	Speed    float64      `json:"speed"`
	Time     time.Time    `json:"time"` // on the demonstration's clock
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
	Version  string           `json:"version,omitempty"` // of the protocol
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
	mu       sync.Mutex
	out      io.Writer
	language string
	lively   bool
	zone     *time.Location
	bottom   string
	begin    time.Time // of the demonstration, on its clock
	old      int       // alerts that the upload of past readings raised
}

// marks gives each level a shape and a colour beside its words: never colour alone.
var marks = map[protocols.Level]struct{ shape, colour string }{
	protocols.Red:       {"▲", "\x1b[1;31m"},
	protocols.Orange:    {"◆", "\x1b[33m"},
	protocols.Yellow:    {"●", "\x1b[93m"},
	protocols.Technical: {"■", "\x1b[36m"},
}

var kindWords = map[alerts.EventKind]protocols.Text{
	alerts.EventRaised:       {FR: "nouvelle", EN: "new"},
	alerts.EventRisen:        {FR: "aggravée", EN: "graver"},
	alerts.EventRecurred:     {FR: "récidive", EN: "again"},
	alerts.EventEnded:        {FR: "condition terminée", EN: "condition ended"},
	alerts.EventResumed:      {FR: "toujours en cours", EN: "still goes on"},
	alerts.EventHandedOver:   {FR: "confiée à une autre équipe", EN: "handed over"},
	alerts.EventEscalated:    {FR: "sans réponse : relance", EN: "no answer: reminder"},
	alerts.EventAcknowledged: {FR: "prise en charge", EN: "acknowledged"},
	alerts.EventResolved:     {FR: "close", EN: "resolved"},
	alerts.EventWorse:        {FR: "plus marquée", EN: "worse"},
	alerts.EventPaused:       {FR: "en pause avec le patient", EN: "paused with the patient"},
	alerts.EventFollowUp:     {FR: "à suivre", EN: "to follow up"},
	alerts.EventCallBack:     {FR: "patient à rappeler", EN: "patient to call back"},
	alerts.EventReleased:     {FR: "rendue à l'équipe", EN: "given back to the team"},
	alerts.EventNoted:        {FR: "note", EN: "note"},
	alerts.EventAssigned:     {FR: "confiée à quelqu'un", EN: "given to somebody"},
	alerts.EventSnoozed:      {FR: "mise en sommeil", EN: "snoozed"},
	alerts.EventWoken:        {FR: "fin de la mise en sommeil", EN: "snooze over"},
	alerts.EventUndone:       {FR: "acte annulé", EN: "act undone"},
	alerts.EventStruck:       {FR: "mesure rayée", EN: "reading struck out"},
}

// What the demonstration says to a person. Both languages take the same values in
// the same order.
var (
	demoGreeting = protocols.Text{
		FR: `Vigie — démonstration : %d patients de synthèse, %d appareils, horloge ×%g
  page     %s
  comptes  %s
  broker   %s
  données  %s
Ni dispositif médical certifié, ni service d'urgence : en cas d'urgence, le 15.
`,
		EN: `Vigie — demonstration: %d synthetic patients, %d devices, clock ×%g
  page     %s
  accounts %s
  broker   %s
  data     %s
No certified medical device, no emergency service: in an emergency, call 15.
`,
	}
	demoOld = protocols.Text{
		FR: "(%d de plus, tirées de mesures trop anciennes : montrées sur la page, non signalées)",
		EN: "(%d more, of readings that are too old: shown on the page, told to nobody)",
	}
	demoNow = protocols.Text{
		FR: "%s · %d [mesure acceptée|mesures acceptées] · %d [alerte ouverte|alertes ouvertes] · Ctrl-C pour finir",
		EN: "%s · %d [reading|readings] accepted · %d open [alert|alerts] · Ctrl-C to end",
	}
	demoNone  = protocols.Text{FR: "aucune", EN: "none"}
	demoTotal = protocols.Text{
		FR: `
Bilan (%s pour %d patients et %d appareils)
  mesures acceptées      %d
  mesures en double      %d
  mises de côté          %s
  alertes par niveau     %s
  alertes par règle      %s
  vie des alertes        %s
  courriels aux équipes  %d (la démonstration les garde pour elle)
  accusé de réception    médiane %.1f ms, p99 %.1f ms, maximum %.1f ms`,
		EN: `
Summary (%s for %d patients and %d devices)
  readings accepted      %d
  readings sent twice    %d
  set aside              %s
  alerts by level        %s
  alerts by rule         %s
  life of the alerts     %s
  mails to care teams    %d (the demonstration keeps them to itself)
  acknowledged within    %.1f ms (median), %.1f ms (p99), %.1f ms (longest)`,
	}
)

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
	r.line(r.say(demoGreeting), s.Patients, s.Devices, s.Speed, s.Page, peopleText(s.People), s.Broker, s.Data)
}

func peopleText(people []demoPerson) string {
	var list []string
	for _, p := range people {
		list = append(list, p.Login+" / "+p.Password)
	}
	return strings.Join(list, "   ")
}

func (r *textReport) alert(a demoAlert) {
	if a.Late {
		if a.Kind == alerts.EventRaised {
			r.old++
		}
		return
	}
	if r.old > 0 && a.Time.After(r.begin) {
		r.line(r.say(demoOld), r.old)
		r.old = 0
	}
	mark := marks[a.Level]
	who := a.Patient
	if who == "" {
		who = a.Device
	}
	shape := fmt.Sprintf("%s %-21s", mark.shape, r.say(alerts.LevelText(a.Level)))
	if r.lively {
		shape = mark.colour + shape + "\x1b[0m"
	}
	r.line("%s  %s  %-8s %s · %s", a.Time.In(r.zone).Format("02/01 15:04"), shape, who, r.say(kindWords[a.Kind]), a.Rule)
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
	r.bottom = "\x1b[2m" + tongue(r.language).say(demoNow, now.In(r.zone).Format("02/01 15:04"), accepted, open) + "\x1b[0m"
	fmt.Fprint(r.out, "\r\x1b[K"+r.bottom)
}

func (r *textReport) summary(s demoSummary) {
	r.mu.Lock()
	if r.bottom != "" {
		fmt.Fprint(r.out, "\r\x1b[K")
		r.bottom = ""
	}
	r.mu.Unlock()
	none := r.say(demoNone)
	r.line(r.say(demoTotal), s.Simulated, s.Patients, s.Devices, s.Accepted, s.Duplicates, tally(s.SetAside, none),
		tally(s.AlertsByLevel, none), tally(s.AlertsByRule, none), tally(s.EventsByKind, none), s.Messages, s.Response.P50, s.Response.P99, s.Response.Max)
}

// say is a text in the language that was asked for.
func (r *textReport) say(text protocols.Text) string { return text.In(r.language) }

// tally writes counts by name, in the order of the names.
func tally[K ~string](counts map[K]int, none string) string {
	if len(counts) == 0 {
		return none
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, counts[name]))
	}
	return strings.Join(parts, ", ")
}
