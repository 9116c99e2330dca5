package workspace

import (
	"context"
	"errors"
	"slices"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/alerts/reviews"
	"vigie/alerts/workspace/roll"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// records is the one way from a request to what is kept about patients: every method
// asks who asks, and gives no more than they may see. What somebody may not see is
// answered like what does not exist.
type records struct {
	store   alerts.Store
	history History
	// teamsOf lists the care teams that follow a patient, or followed him.
	teamsOf func(ctx context.Context, patient string) ([]string, error)
	now     func() time.Time
	roll    *roll.Roll // nil: nobody has a name
	board   *board
	// enrolled lists the enrolments of a patient, oldest first; nil: nobody has any.
	enrolled func(ctx context.Context, patient string) ([]registry.Enrolment, error)
	// withINS lists the patients who have a matricule; nil: nobody is found by it.
	withINS func(ctx context.Context, ins string) ([]string, error)
	// persons says which records are merged; nil for none.
	persons func(ctx context.Context) (registry.Persons, error)
	reviews reviews.Store // nil: nobody signs any
}

// within narrows a filter to what somebody may see.
func (d records) within(ctx context.Context, f alerts.Filter) (alerts.Filter, error) {
	who := access.From(ctx)
	if !who.May(access.SeePatients) {
		return f, errNotAllowed
	}
	if who.AllTeams() || slices.ContainsFunc(who.Grants, func(g access.Grant) bool { return g.Patient == f.Patient && g.Holds(d.now()) }) {
		return f, nil
	}
	f.Within = append([]string{}, who.Teams...)
	if f.Patient == "" {
		return f, nil
	}
	// Whose patient it is sees all that concerns him, also what another team has in hand.
	all, err := d.mayFor(ctx, access.SeePatients, f.Patient)
	if all {
		f.Within = nil
	}
	return f, err
}

// alerts lists alerts to be shown.
func (d records) alerts(ctx context.Context, f alerts.Filter) ([]alerts.Alert, error) {
	list, err := d.unseen(ctx, f)
	shown(ctx, list)
	return list, err
}

// unseen lists alerts to be counted or cut to a page: whoever shows some of them says
// so by shown.
func (d records) unseen(ctx context.Context, f alerts.Filter) ([]alerts.Alert, error) {
	f, err := d.within(ctx, f)
	if err != nil {
		return nil, err
	}
	list, err := d.store.Alerts(ctx, f)
	if err != nil || len(list) == 0 {
		return list, err
	}
	persons, err := d.merged(ctx)
	for i := range list {
		list[i].Person = persons[list[i].Patient]
	}
	return list, err
}

// merged says under which records merged ones go.
func (d records) merged(ctx context.Context) (registry.Persons, error) {
	if d.persons == nil {
		return nil, nil
	}
	return d.persons(ctx)
}

// shown notes for the trail whose alerts a list shows.
func shown(ctx context.Context, list []alerts.Alert) {
	for i := range list {
		saw(ctx, list[i].Patient)
	}
}

func (d records) summary(ctx context.Context, team string) (alerts.Summary, error) {
	f, err := d.within(ctx, alerts.Filter{Team: team})
	if err != nil {
		return alerts.Summary{}, err
	}
	return d.store.Summary(ctx, f)
}

// alert returns one alert; alerts.ErrNotFound when there is none that may be seen.
func (d records) alert(ctx context.Context, id string) (*alerts.Alert, error) {
	found, err := d.store.Alert(ctx, id)
	if err != nil {
		return nil, err
	}
	if ok, err := d.may(ctx, access.SeePatients, found); err != nil || !ok {
		return nil, orNotFound(err)
	}
	saw(ctx, found.Patient)
	return found, nil
}

func orNotFound(err error) error {
	if err != nil {
		return err
	}
	return alerts.ErrNotFound
}

// may reports whether who asks holds a right for what an alert is about: by the team
// in charge of it, or by a team that follows the patient.
func (d records) may(ctx context.Context, right access.Right, a *alerts.Alert) (bool, error) {
	who := access.From(ctx)
	if who.MayIn(right, a.Team) {
		return true, nil
	}
	if a.Patient == "" {
		return false, nil
	}
	return d.mayFor(ctx, right, a.Patient)
}

func (d records) mayFor(ctx context.Context, right access.Right, patient string) (bool, error) {
	who := access.From(ctx)
	if who.AllTeams() {
		return who.May(right), nil
	}
	teams, err := d.teamsOf(ctx, patient)
	if err != nil {
		return false, err
	}
	if who.MayFor(right, patient, teams, d.now()) {
		return true, nil
	}
	return d.mayForTransferred(ctx, right, patient)
}

// mayForTransferred reports whether an alert of the patient was transferred to a team of who
// asks: as long as it is there, that team reads what it is about.
func (d records) mayForTransferred(ctx context.Context, right access.Right, patient string) (bool, error) {
	if who := access.From(ctx); !slices.Contains(transferred, right) || !who.May(right) {
		return false, nil
	}
	list, err := d.store.Alerts(ctx, alerts.Filter{Patient: patient, States: []alerts.State{alerts.Open, alerts.Acknowledged}, Limit: alerts.MaxLimit})
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(list, func(a alerts.Alert) bool {
		return a.Transferred != "" && access.From(ctx).MayIn(right, a.Transferred)
	}), nil
}

// transferred are the rights that an alert which was transferred gives for its patient.
var transferred = []access.Right{access.SeePatients, access.SeeIdentity, access.EnterReadings}

// left returns an alert as an act of who asks left it.
func (d records) left(ctx context.Context, id string) (*alerts.Alert, []alerts.Event, error) {
	found, err := d.store.Alert(ctx, id)
	if err != nil {
		return nil, nil, err
	}
	events, err := d.events(ctx, found)
	return found, events, err
}

// mayTransfer returns nil where the patient lets other teams than his own read of him.
func (d records) mayTransfer(ctx context.Context, id, team string) error {
	found, err := d.alert(ctx, id)
	if err != nil || found.Patient == "" || d.enrolled == nil {
		return err
	}
	enrolments, err := d.enrolled(ctx, found.Patient)
	if err != nil {
		return err
	}
	own := slices.ContainsFunc(enrolments, func(e registry.Enrolment) bool { return e.Team == team })
	if only := slices.ContainsFunc(enrolments, func(e registry.Enrolment) bool { return e.Consent.TeamOnly }); only && !own {
		return refuse(alerts.Code(access.Blocked), "Le patient a refusé qu'une autre équipe lise son dossier : son équipe garde l'alerte.",
			"The patient has refused that another team reads the record: the patient's team keeps the alert.")
	}
	return nil
}

func (d records) events(ctx context.Context, a *alerts.Alert) ([]alerts.Event, error) {
	return d.store.Events(ctx, a.ID)
}

// eventsAfter lists what happened to all alerts, for a stream, which asks a sight for
// each whether it may be shown.
func (d records) eventsAfter(ctx context.Context, seq int64, limit int) ([]alerts.Event, error) {
	return d.store.EventsAfter(ctx, seq, limit)
}

func (d records) lastSeq(ctx context.Context) (int64, error) { return d.store.LastSeq(ctx) }

// readings gives what a patient measured; alerts.ErrNotFound to who may not see him.
func (d records) readings(ctx context.Context, patient string, measure *protocols.Measure, from, to time.Time, yield func(*protocols.Reading) bool) error {
	ok, err := d.mayFor(ctx, access.SeePatients, patient)
	if err != nil || !ok {
		return orNotFound(err)
	}
	saw(ctx, patient)
	return d.history.History(ctx, patient, measure, from, to, yield)
}

// readingsForAct gives what a patient measured to an act on many patients: whoever asked for
// it was let in to each of them then, and need not be there when it goes on.
func (d records) readingsForAct(ctx context.Context, patient string, measure *protocols.Measure, from, to time.Time, yield func(*protocols.Reading) bool) error {
	return d.history.History(ctx, patient, measure, from, to, yield)
}

// whole returns an error where a history would not hold all that was measured, if the
// history can tell; alerts.ErrNotFound to who may not see the patient.
func (d records) whole(ctx context.Context, patient string, measure *protocols.Measure, from, to time.Time) error {
	ok, err := d.mayFor(ctx, access.SeePatients, patient)
	if err != nil || !ok {
		return orNotFound(err)
	}
	history, ok := d.history.(interface {
		Whole(ctx context.Context, patient string, measure *protocols.Measure, from, to time.Time) error
	})
	if !ok {
		return nil
	}
	return history.Whole(ctx, patient, measure, from, to)
}

// acting is the store for an act on one alert, once it is known that who asks may act
// on it.
func (d records) acting(ctx context.Context, id string) (alerts.Store, error) {
	found, err := d.alert(ctx, id)
	if err != nil {
		return nil, err
	}
	ok, err := d.may(ctx, access.Act, found)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, errNotAllowed
	}
	actsOn(ctx, found)
	return d.store, nil
}

// undelivered lists messages that will never arrive, about alerts that may be seen.
func (d records) undelivered(ctx context.Context) ([]alerts.Outgoing, error) {
	list, err := d.store.Undelivered(ctx, alerts.MaxLimit)
	if err != nil {
		return nil, err
	}
	if access.From(ctx).AllTeams() {
		sawEveryone(ctx)
		return list, nil
	}
	seen := d.sight(ctx)
	shown := list[:0]
	for _, m := range list {
		if m.Alert != "" { // else it names nobody
			if ok, err := seen.may(m.Alert); err != nil {
				return nil, err
			} else if !ok {
				continue
			}
		}
		shown = append(shown, m)
	}
	return shown, nil
}

// sight remembers which alerts somebody may see, for a list or a stream of what
// happens to them.
type sight struct {
	ctx     context.Context
	records records
	known   map[string]bool
}

func (d records) sight(ctx context.Context) *sight { return &sight{ctx, d, map[string]bool{}} }

// most bounds what a stream that is open for days remembers.
const most = 10_000

func (s *sight) may(alert string) (bool, error) {
	if access.From(s.ctx).AllTeams() {
		sawEveryone(s.ctx)
		return true, nil
	}
	if ok, known := s.known[alert]; known {
		return ok, nil
	}
	_, err := s.records.alert(s.ctx, alert)
	if err != nil && !errors.Is(err, alerts.ErrNotFound) {
		return false, err
	}
	if len(s.known) >= most {
		clear(s.known)
	}
	s.known[alert] = err == nil
	return err == nil, nil
}
