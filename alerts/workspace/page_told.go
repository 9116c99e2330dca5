package workspace

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"vigie/alerts"
	"vigie/alerts/access"
)

// messageRow is one message to somebody, and what became of it.
type messageRow struct {
	At       *stamp
	To, Fate string
	Lost     bool // it will never arrive
	What     string
	Link     string // the alert that it is about, on pages that show several
}

// toldShown is how many messages a page lists.
const toldShown = 20

// told lists the messages about an alert, or to a team by its name where no alert is named,
// as far as who asks may see what they are about.
func (d records) told(ctx context.Context, alert, team string) ([]alerts.Outgoing, error) {
	list, err := d.store.Told(ctx, alert, team, toldShown)
	if err != nil || alert != "" {
		return list, err
	}
	seen, shown := d.sight(ctx), list[:0]
	for _, m := range list {
		if m.Alert != "" {
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

// message writes one message. people are those whose names are known by their contact.
func (v view) message(m *alerts.Outgoing, team string, people map[string]string) messageRow {
	row := messageRow{At: v.Stamp(m.Created, team), To: orWord(people[alerts.Contact(m.Channel, m.To)], m.Recipient()), What: v.T("event." + string(m.Event)), Lost: !m.GivenUp.IsZero()}
	switch {
	case row.Lost:
		row.Fate = v.T("told.lost") + v.T("colon") + m.Error
	case !m.SentAt.IsZero():
		row.Fate = v.T("told.sent") + " " + v.Stamp(m.SentAt, team).Clock
	case m.Attempts > 0:
		row.Fate = fmt.Sprintf(v.T("told.again"), whole(v.Language, m.Attempts), v.Stamp(m.NotUntil, team).Clock)
	case m.NotUntil.After(v.now):
		row.Fate = v.T("told.waits") + " " + v.Stamp(m.NotUntil, team).Clock
	default:
		row.Fate = v.T("told.now")
	}
	return row
}

// namesOf are the people of a team by their contacts.
func namesOf(team *alerts.Team) map[string]string {
	names := map[string]string{}
	for id, person := range team.Rota.People {
		for _, contact := range person.Contacts {
			names[contact] = orWord(person.Name, id)
		}
	}
	return names
}

// whoIsTold writes who was told of an alert, whether it arrived, and who is next.
func (w *Workspace) whoIsTold(ctx context.Context, v *alertView, a *alerts.Alert) error {
	list, err := w.records.told(ctx, a.ID, "")
	if err != nil {
		return err
	}
	var care, home alerts.Care
	if w.Care != nil {
		if home, err = alerts.CareFor(w.Care, a.Enrolment); err != nil {
			return err
		}
		if care, err = alerts.CareOf(w.Care, a); err != nil {
			return err
		}
	}
	names := namesOf(&home.Team) // who may have been told before it was transferred
	maps.Copy(names, namesOf(&care.Team))
	for i := range slices.Backward(list) { // as a story, that leads to who is next
		v.Messages = append(v.Messages, v.message(&list[i], a.Team, names))
	}
	contacts, at := care.NextTold(a)
	if at.IsZero() || a.State == alerts.Resolved {
		return nil
	}
	var next []string
	for _, contact := range contacts {
		next = append(next, orWord(names[contact], alerts.ShownContact(contact)))
	}
	slices.Sort(next)
	v.NextTold = orWord(strings.Join(slices.Compact(next), ", "), v.T("desk.nobody"))
	v.NextAt = v.Stamp(at, a.Team)
	return nil
}

// deliveries lists the latest messages to a team.
func (w *Workspace) deliveries(ctx context.Context, v *teamView) error {
	list, err := w.records.told(ctx, "", v.Name)
	if err != nil {
		return err
	}
	if access.From(ctx).AllTeams() {
		sawEveryone(ctx)
	}
	for i := range list {
		row := v.message(&list[i], v.ID, nil)
		if list[i].Alert != "" {
			row.Link = alertAddress(list[i].Alert, "")
		}
		v.Messages = append(v.Messages, row)
	}
	return nil
}
