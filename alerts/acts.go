package alerts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"vigie/protocols"
)

// Code names one reason for which an act is refused. Codes are stable: programs
// act on them.
type Code string

// The codes.
const (
	Unknown             Code = "unknown-alert"
	NoAuthor            Code = "no-author"
	NoOutcome           Code = "no-outcome"
	TooLong             Code = "too-long"
	HiddenCharacter     Code = "hidden-character"
	AlreadyAcknowledged Code = "already-acknowledged"
	AlreadyResolved     Code = "already-resolved"
	WorseSince          Code = "worse-since"
	NoReason            Code = "no-reason"
	NotYet              Code = "not-reached"
	NoSnooze            Code = "no-snooze"
	BadTime             Code = "bad-time"
	TooLateToUndo       Code = "too-late-to-undo"
	NoTeam              Code = "no-team"
	NobodyThere         Code = "nobody-there"
)

// Refused is an act that cannot be done, in a sentence for the person who tried.
type Refused struct {
	Code Code
	Text protocols.Text
}

// Error returns the English sentence.
func (r *Refused) Error() string { return r.Text.In("en") }

// How long what people write may be, in characters.
const (
	longestName = 200
	longestNote = 4000
)

// Acknowledge notes that somebody has taken an alert on, and starts the clock of its
// follow-up. The same author may say so twice, and what is noted then is kept as
// well. Errors are of type *Refused when the act is not possible.
func Acknowledge(ctx context.Context, store Store, id, author, note string, now time.Time) error {
	author, note = strings.TrimSpace(author), strings.TrimSpace(note)
	if err := checkWords(author, "", note); err != nil {
		return err
	}
	return act(ctx, store, id, "acknowledge", func(on On) (Change, error) {
		p := acting(on, author, note, now)
		a := p.alert
		switch {
		case a.State == Resolved:
			return Change{}, alreadyResolved(a)
		case a.State == Acknowledged && a.AcknowledgedBy == author:
			if note == "" || note == a.Note {
				return Change{}, nil
			}
			return p.done(EventAcknowledged), nil
		case a.State == Acknowledged:
			return Change{}, &Refused{AlreadyAcknowledged, protocols.Text{
				FR: fmt.Sprintf("Cette alerte est déjà prise en charge par %s.", a.AcknowledgedBy),
				EN: fmt.Sprintf("This alert is already acknowledged by %s.", a.AcknowledgedBy),
			}}
		}
		p.takeOn()
		return p.done(EventAcknowledged), nil
	})
}

// Resolve notes that an alert is settled, and how: outcome is one of Outcomes or
// words of one's own. Resolving an alert nobody has acknowledged acknowledges it
// as well. The same author may say the same twice. Errors are of type *Refused when
// the act is not possible.
func Resolve(ctx context.Context, store Store, id, author, outcome, note string, now time.Time) error {
	return Close(ctx, store, id, author, []string{outcome}, note, now)
}

// Close is Resolve with several outcomes. What it asks for depends on the level: see
// asksFor. An alert whose condition still holds may come back, see Apply.
func Close(ctx context.Context, store Store, id, author string, outcomes []string, note string, now time.Time) error {
	author, note = strings.TrimSpace(author), strings.TrimSpace(note)
	outcomes = tidyOutcomes(outcomes)
	if err := checkWords(author, strings.Join(outcomes, " "), note); err != nil {
		return err
	}
	if len(outcomes) == 0 {
		return &Refused{NoOutcome, protocols.Text{
			FR: "Indiquez l'issue : ce qui a été fait, ou pourquoi rien ne l'a été.",
			EN: "Give the outcome: what was done, or why nothing was.",
		}}
	}
	return act(ctx, store, id, "resolve", func(on On) (Change, error) {
		p := acting(on, author, note, now)
		a := p.alert
		if a.State == Resolved && a.ResolvedBy == author && slices.Equal(a.outcomes(), outcomes) && (note == "" || note == a.Note) {
			return Change{}, nil
		}
		if a.State == Resolved {
			return Change{}, alreadyResolved(a)
		}
		if err := asksFor(a, author, outcomes, note); err != nil {
			return Change{}, err
		}
		p.resolve(outcomes)
		change := p.done(EventResolved)
		change.Events[len(change.Events)-1].Outcome = a.Outcome
		return change, nil
	})
}

func tidyOutcomes(outcomes []string) []string {
	var tidy []string
	for _, outcome := range outcomes {
		if outcome = strings.TrimSpace(outcome); outcome != "" && !slices.Contains(tidy, outcome) {
			tidy = append(tidy, outcome)
		}
	}
	return tidy
}

// outcomes are all that closing named.
func (a *Alert) outcomes() []string {
	if len(a.Outcomes) > 0 {
		return a.Outcomes
	}
	return tidyOutcomes([]string{a.Outcome})
}

// asksFor returns why an alert cannot be closed with so little, by its level: closing
// a red that another person has taken on asks for a reason, and so does an outcome
// that says nothing by itself; a patient who was not reached leaves a red open.
func asksFor(a *Alert, author string, outcomes []string, note string) error {
	if note != "" {
		return nil
	}
	if a.Level == protocols.Red && a.State == Acknowledged && a.AcknowledgedBy != author {
		return &Refused{NoReason, protocols.Text{
			FR: fmt.Sprintf("%s a pris en charge cette alerte rouge : écrivez pourquoi vous la clôturez.", a.AcknowledgedBy),
			EN: fmt.Sprintf("%s has taken this red alert on: write why you close it.", a.AcknowledgedBy),
		}}
	}
	for _, outcome := range outcomes {
		if known := outcomeByID(outcome); known != nil && known.Asks(a.Level) {
			return &Refused{NoReason, protocols.Text{
				FR: fmt.Sprintf("« %s » demande une explication : écrivez-la dans la note.", known.Title.FR),
				EN: fmt.Sprintf("“%s” asks for an explanation: write it in the note.", known.Title.EN),
			}}
		}
	}
	if a.Level == protocols.Red && slices.Equal(outcomes, []string{NotReached}) {
		return &Refused{NotYet, protocols.Text{
			FR: "Le patient n'a pas été joint : choisissez quand le rappeler, ou écrivez dans la note ce qui a été fait.",
			EN: "The patient was not reached: choose when to call again, or write in the note what was done.",
		}}
	}
	return nil
}

// acting is a person at work on a copy of an alert.
func acting(on On, author, note string, now time.Time) *deed {
	a := on.Alert
	p := &deed{author: author, words: note, was: on.Alert}
	p.before, p.care, p.home, p.traits, p.now = on.Before, on.Care, on.Care.Team, on.Care.traits(a.Rule), now.UTC()
	p.finding = protocols.Finding{
		Enrolment: a.Enrolment, Patient: a.Patient, Device: a.Device, Protocol: a.Protocol, Version: a.Version,
		Rule: a.Rule, Level: a.Level, Episode: a.Episode, At: a.LastAt, Found: now.UTC(),
	}
	p.edit(&a)
	return p
}

// deed is one act of a person.
type deed struct {
	change
	was           Alert // before the act
	author, words string
	teams         string // the two of a transfer, in front of the words in the event
}

// done is what follows from the act.
func (p *deed) done(kind EventKind) Change {
	a := p.alert
	if p.words != "" {
		a.Note = p.words
	}
	p.remember(kind)
	if p.teams != "" {
		a.Undo = nil // it is transferred back, which calls the other team
	}
	p.events = append(p.events, Event{Alert: a.ID, Kind: kind, At: p.now, Level: a.Level, Author: p.author, Note: strings.TrimSpace(p.teams + " " + p.words)})
	return Change{Next: a, Events: p.events, Outgoing: p.outgoing}
}

// takeOn starts the clock of the follow-up. Whoever was woken hears that somebody has
// taken the alert on.
func (p *deed) takeOn() {
	a := p.alert
	p.relieve(EventAcknowledged)
	a.State, a.AcknowledgedBy, a.AcknowledgedAt = Acknowledged, p.author, p.now
	a.AnswerBy, a.EscalatedAt, a.Step, a.StepAt, a.Overdue = time.Time{}, time.Time{}, 0, time.Time{}, false
	a.Worse, a.SnoozedUntil = nil, time.Time{}
	a.FollowUpBy = p.care.followUp(a.Level, p.now)
}

// relieve tells whoever was called beyond the team that they need not act.
func (p *change) relieve(kind EventKind) {
	if p.alert.State != Open {
		return
	}
	team := p.care.Team
	team.Systems = nil
	p.outgoing = append(p.outgoing, messages(p.alert, kind, p.now.Format(time.RFC3339Nano), p.woken(), team, time.Time{}, p.now)...)
}

// woken is who was called beyond the team about an alert that nobody has answered.
func (p *change) woken() []string {
	a := p.alert
	if a.Level < protocols.Orange {
		return nil
	}
	told := p.care.escalation(a.Level)
	var addresses []string
	for _, step := range told[:min(a.Step, len(told))] {
		addresses = append(addresses, step...)
	}
	if !a.RangAt.IsZero() && p.care.Team.wakes(a.Level, a.RangAt) {
		addresses = append(addresses, p.care.Team.OnDuty(a.RangAt)...)
	}
	slices.Sort(addresses)
	return slices.Compact(addresses)
}

// resolve settles an alert, and says when it comes back should its condition hold on
// and nobody measure: a red after its rest time, a silence after a week.
func (p *deed) resolve(outcomes []string) {
	a := p.alert
	if a.State == Open {
		p.relieve(EventAcknowledged)
		a.AcknowledgedBy, a.AcknowledgedAt = p.author, p.now
	}
	if !a.Active && a.EndedAt.After(p.now) {
		a.EndedAt = p.now // by a clock that is ahead; who resolves it has seen its end
	}
	a.stopClock()
	a.State, a.ResolvedBy, a.ResolvedAt, a.Outcome, a.Outcomes = Resolved, p.author, p.now, outcomes[0], outcomes
	if len(outcomes) == 1 {
		a.Outcomes = nil
	}
	p.comesBackBy()
}

// comesBackBy says when a resolved alert comes back without a reading.
func (c *change) comesBackBy() {
	a := c.alert
	a.BackAt = time.Time{}
	switch {
	case !a.Active || a.TooLate || c.care.dropped(a):
	case c.traits.Silence:
		a.BackAt = c.now.Add(silenceBack)
	case a.Level == protocols.Red:
		a.BackAt = c.care.restsUntil(a.Rule, a.Level, c.now)
	}
}

// Release gives back an alert that was taken on: it is to be answered again.
func Release(ctx context.Context, store Store, id, author, note string, now time.Time) error {
	return taken(ctx, store, id, author, note, now, "release", func(p *deed) (EventKind, error) {
		if p.alert.State == Open {
			return "", nil
		}
		p.alert.reopen()
		if p.held() {
			p.digest()
			return EventReleased, nil
		}
		p.startClock()
		p.alert.RangAt = p.now
		p.call(EventReleased, p.now.Format(time.RFC3339Nano), false)
		return EventReleased, nil
	})
}

// GiveBack gives back all that somebody has in hand, who is no longer there: it is to be
// answered again. It returns how many alerts there were.
func GiveBack(ctx context.Context, store Store, name, author, note string, now time.Time) (given int, err error) {
	list, err := Unresolved(ctx, store.Alerts, Filter{States: []State{Acknowledged}})
	if err != nil {
		return 0, err
	}
	for i := range list {
		if list[i].AcknowledgedBy != name {
			continue
		}
		if err := Release(ctx, store, list[i].ID, author, note, now); err != nil {
			return given, err
		}
		given++
	}
	return given, nil
}

// Note writes something down about an alert. It is what came of a call that was due, and
// the answer of whoever has the alert in hand and was asked; else it changes nothing.
func Note(ctx context.Context, store Store, id, author, note string, now time.Time) error {
	if strings.TrimSpace(note) == "" {
		return &Refused{NoReason, protocols.Text{FR: "Écrivez la note.", EN: "Write the note."}}
	}
	author, note = strings.TrimSpace(author), strings.TrimSpace(note)
	if err := checkWords(author, "", note); err != nil {
		return err
	}
	return act(ctx, store, id, "note", func(on On) (Change, error) {
		p := acting(on, author, note, now)
		if p.alert.Reminded {
			p.alert.promiseNothing()
		}
		if p.alert.AcknowledgedBy == author {
			p.answer()
		}
		return p.done(EventNoted), nil
	})
}

// answer starts the clock of the follow-up anew once whoever has the alert in hand has
// answered it.
func (p *deed) answer() {
	if a := p.alert; a.State == Acknowledged && a.Step > 0 {
		a.EscalatedAt, a.Step, a.StepAt = time.Time{}, 0, time.Time{}
		a.FollowUpBy = p.care.followUp(a.Level, p.now)
	}
}

// Assign gives an alert to another person, who has taken it on from then on.
func Assign(ctx context.Context, store Store, id, author, to, note string, now time.Time) error {
	to = strings.TrimSpace(to)
	if err := checkWords(to, "", ""); err != nil {
		return err
	}
	return taken(ctx, store, id, author, note, now, "assign", func(p *deed) (EventKind, error) {
		by := p.author
		p.author = to
		p.takeOn()
		p.author = by
		if to != by {
			a, team := p.alert, p.care.Team
			team.Systems = nil
			p.outgoing = append(p.outgoing, messages(a, EventAssigned, p.now.Format(time.RFC3339Nano), team.addressesOf(to), team, time.Time{}, p.now)...)
		}
		if p.words == "" {
			p.words = "→ " + to
		}
		return EventAssigned, nil
	})
}

// CallBack says when the patient is to be called again. Whoever says so has taken the
// alert on.
func CallBack(ctx context.Context, store Store, id, author, note string, at, now time.Time) error {
	if !at.After(now) {
		return &Refused{BadTime, protocols.Text{FR: "Choisissez un moment à venir.", EN: "Choose a moment that is still to come."}}
	}
	return taken(ctx, store, id, author, note, now, "call back", func(p *deed) (EventKind, error) {
		if p.alert.State == Open {
			p.takeOn()
		}
		p.answer()
		p.alert.CallBackAt, p.alert.CallBackBy, p.alert.Reminded = at.UTC(), p.author, false
		p.alert.SnoozedUntil = time.Time{}
		return EventCallBack, nil
	})
}

// Snooze puts an alert aside until a moment: for a time that is bounded by its level,
// and never for missing readings. It ends at once when the alert gets graver.
func Snooze(ctx context.Context, store Store, id, author, note string, until, now time.Time) error {
	return taken(ctx, store, id, author, note, now, "snooze", func(p *deed) (EventKind, error) {
		longest := LongestSnooze(p.alert.Level)
		switch {
		case p.traits.Silence:
			return "", &Refused{NoSnooze, protocols.Text{
				FR: "Une absence de mesures ne se met pas en sommeil : enregistrez une pause du patient, avec son motif et sa fin.",
				EN: "Missing readings cannot be snoozed: enter a pause of the patient, with its reason and its end.",
			}}
		case !until.After(now):
			return "", &Refused{BadTime, protocols.Text{FR: "Choisissez un moment à venir.", EN: "Choose a moment that is still to come."}}
		case until.Sub(now) > longest:
			return "", &Refused{BadTime, protocols.Text{
				FR: fmt.Sprintf("Une alerte de ce niveau se met en sommeil pour %d h au plus.", int(longest/time.Hour)),
				EN: fmt.Sprintf("An alert of this level can be snoozed for %d h at most.", int(longest/time.Hour)),
			}}
		}
		if p.alert.State == Open {
			p.takeOn()
		}
		p.alert.SnoozedUntil = until.UTC()
		return EventSnoozed, nil
	})
}

// taken does an act on an alert that is not resolved. An empty kind changes nothing.
func taken(ctx context.Context, store Store, id, author, note string, now time.Time, what string, do func(*deed) (EventKind, error)) error {
	author, note = strings.TrimSpace(author), strings.TrimSpace(note)
	if err := checkWords(author, "", note); err != nil {
		return err
	}
	return act(ctx, store, id, what, func(on On) (Change, error) {
		if on.Alert.State == Resolved {
			return Change{}, alreadyResolved(&on.Alert)
		}
		p := acting(on, author, note, now)
		kind, err := do(p)
		if err != nil || kind == "" {
			return Change{}, err
		}
		return p.done(kind), nil
	})
}

// act changes an alert, and says in a sentence when there is none.
func act(ctx context.Context, store Store, id, what string, change func(On) (Change, error)) error {
	err := store.Act(ctx, id, change)
	var refused *Refused
	switch {
	case err == nil, errors.As(err, &refused):
		return err
	case errors.Is(err, ErrNotFound):
		return &Refused{Unknown, protocols.Text{
			FR: "Aucune alerte ne porte cette référence.",
			EN: "There is no alert with this reference.",
		}}
	}
	return fmt.Errorf("%s alert %s: %w", what, id, err)
}

func alreadyResolved(a *Alert) error {
	return &Refused{AlreadyResolved, protocols.Text{
		FR: fmt.Sprintf("Cette alerte est déjà close par %s.", a.ResolvedBy),
		EN: fmt.Sprintf("This alert is already resolved by %s.", a.ResolvedBy),
	}}
}

func checkWords(author, outcome, note string) error {
	if author == "" {
		return &Refused{NoAuthor, protocols.Text{
			FR: "Indiquez qui agit : chaque acte a un auteur.",
			EN: "Say who acts: every act has an author.",
		}}
	}
	if utf8.RuneCountInString(author) > longestName || utf8.RuneCountInString(outcome) > longestName || utf8.RuneCountInString(note) > longestNote {
		return &Refused{TooLong, protocols.Text{
			FR: fmt.Sprintf("Trop long : l'auteur et l'issue tiennent en %d caractères, la note en %d.", longestName, longestNote),
			EN: fmt.Sprintf("Too long: author and outcome hold %d characters, the note %d.", longestName, longestNote),
		}}
	}
	return CheckText(author, outcome, note)
}

// CheckText refuses text with a character that nobody can read, and that may change the
// order of what is beside it.
func CheckText(texts ...string) error {
	for _, text := range texts {
		if before, found := beforeHidden(text); found {
			return &Refused{HiddenCharacter, protocols.Text{
				FR: fmt.Sprintf("Un caractère invisible, qui commande l'affichage, suit « %s » : effacez-le et retapez ce qui l'entoure.", before),
				EN: fmt.Sprintf("An invisible character, which controls the display, follows “%s”: delete it, and type again what is around it.", before),
			}}
		}
	}
	return nil
}

// beforeHidden returns the last words before the first character that nobody can read.
// The ends of lines and tabs of a note are none.
func beforeHidden(text string) (before string, found bool) {
	at := strings.IndexFunc(text, func(r rune) bool { return protocols.Unprintable(r) && !strings.ContainsRune("\n\r\t", r) })
	if at < 0 {
		return "", false
	}
	const shown = 30
	runes := []rune(protocols.OneLine(text[:at]))
	return strings.TrimSpace(string(runes[max(0, len(runes)-shown):])), true
}

// Outcome is one way in which an alert is often settled.
type Outcome struct {
	ID    string
	Title protocols.Text
	Why   protocols.Level // from this level on it says too little by itself: a note has to explain it, see asksFor
	Old   bool            // is shown where it was chosen, and no longer offered
}

const (
	// NotReached is the outcome of a call that nobody answered.
	NotReached = "not-reached"
	// StruckOut is the outcome of an alert whose readings were struck out.
	StruckOut = "struck-out"
	// FalseAlarm is the outcome of an alert that called for nothing.
	FalseAlarm = "false-alarm"
)

// Outcomes are those a page offers.
func Outcomes() []Outcome {
	return slices.DeleteFunc(slices.Clone(outcomes), func(o Outcome) bool { return o.Old })
}

var outcomes = []Outcome{
	{ID: "patient-called", Title: protocols.Text{FR: "patient joint et conseillé", EN: "patient reached and advised"}},
	{ID: NotReached, Title: protocols.Text{FR: "patient non joint", EN: "patient not reached"}},
	{ID: "treatment-changed", Title: protocols.Text{FR: "traitement adapté", EN: "treatment changed"}},
	{ID: "appointment", Title: protocols.Text{FR: "consultation ou visite programmée", EN: "appointment or visit arranged"}},
	{ID: "teleconsultation", Title: protocols.Text{FR: "téléconsultation", EN: "teleconsultation"}},
	{ID: "tele-expertise", Title: protocols.Text{FR: "télé-expertise demandée", EN: "remote expert opinion asked for"}},
	{ID: "telecare", Title: protocols.Text{FR: "télésoin", EN: "telecare"}},
	{ID: "physician-informed", Title: protocols.Text{FR: "médecin traitant informé", EN: "general practitioner informed"}},
	{ID: "emergency", Title: protocols.Text{FR: "15 ou SAS appelé", EN: "emergency service (15 or SAS) called"}},
	{ID: "hospitalised", Title: protocols.Text{FR: "patient hospitalisé", EN: "patient in hospital"}},
	{ID: "measured-again", Title: protocols.Text{FR: "nouvelle mesure rassurante", EN: "measured again, reassuring"}},
	{ID: "device-fixed", Title: protocols.Text{FR: "appareil remplacé ou réparé", EN: "device replaced or repaired"}},
	{ID: "by-itself", Title: protocols.Text{FR: "résolu de lui-même", EN: "resolved by itself"}},
	{ID: FalseAlarm, Title: protocols.Text{FR: "fausse alerte", EN: "false alarm"}, Why: protocols.Orange},
	{ID: "no-action", Title: protocols.Text{FR: "aucune action nécessaire", EN: "no action needed"}, Why: protocols.Red},
	{ID: "referred", Title: protocols.Text{FR: "adressé à un confrère ou aux urgences", EN: "referred to a colleague or to emergency care"}, Old: true},
	{ID: StruckOut, Title: protocols.Text{FR: "mesure rayée", EN: "reading struck out"}, Old: true},
}

// Asks reports whether an alert of a level is closed so only with an explanation.
func (o *Outcome) Asks(level protocols.Level) bool {
	return o.Why > protocols.Technical && level >= o.Why
}

func outcomeByID(id string) *Outcome {
	for i := range outcomes {
		if outcomes[i].ID == id {
			return &outcomes[i]
		}
	}
	return nil
}

// OutcomeText is the title of an outcome; words of one's own come back as they
// are.
func OutcomeText(outcome string) protocols.Text {
	if known := outcomeByID(outcome); known != nil {
		return known.Title
	}
	return protocols.Text{FR: outcome, EN: outcome}
}

// LevelText is a level as a clinician reads it.
func LevelText(level protocols.Level) protocols.Text {
	switch level {
	case protocols.Red:
		return protocols.Text{FR: "à traiter en priorité", EN: "to deal with first"}
	case protocols.Orange:
		return protocols.Text{FR: "à traiter", EN: "to deal with"}
	case protocols.Yellow:
		return protocols.Text{FR: "à surveiller", EN: "to watch"}
	case protocols.Technical:
		return protocols.Text{FR: "technique", EN: "technical"}
	}
	return protocols.Text{}
}
