package alerts

import (
	"context"
	"fmt"
	"strings"
	"time"

	"vigie/protocols"
)

// Transfer puts an alert before another team until it is transferred back, and says why.
// Its clock and its messages are those of that team from then on. Nobody has answered it
// there: what somebody had taken on is open again, and an answer that was waited for is
// due no later. What comes back or begins anew is the patient's team's. Errors are of type
// *Refused when the act is not possible.
func Transfer(ctx context.Context, store Store, id, author, to, note string, now time.Time) error {
	to = strings.TrimSpace(to)
	return taken(ctx, store, id, author, note, now, "transfer", func(p *deed) (EventKind, error) {
		a := p.alert
		if to == a.Team {
			return "", nil
		}
		team, err := p.receives(to)
		if err != nil {
			return "", err
		}
		p.relieve(EventAcknowledged) // whoever was woken need not act any more
		p.teams = a.Team + handedTo + team.ID
		a.Team, a.Transferred, p.care.Team = team.ID, team.ID, team
		if team.ID == p.home.ID {
			a.Transferred = ""
		}
		p.askAnew()
		return EventHandedOver, nil
	})
}

// receives is the team that an alert may be transferred to: one that somebody reads now.
func (p *deed) receives(to string) (Team, error) {
	team := p.home
	if to != p.home.ID {
		team = p.before.team(to)
	}
	switch {
	case team.ID == "":
		return team, &Refused{NoTeam, protocols.Text{
			FR: "Aucune équipe ne porte cet identifiant : choisissez-en une autre.",
			EN: "There is no team of this id: choose another one.",
		}}
	case p.words == "":
		return team, &Refused{NoReason, protocols.Text{
			FR: "Écrivez dans la note pourquoi vous transmettez cette alerte.",
			EN: "Write in the note why you transfer this alert.",
		}}
	case team.Unreachable(p.now).Equal(p.now):
		return team, &Refused{NobodyThere, protocols.Text{
			FR: fmt.Sprintf("Personne ne lit les alertes de l'équipe %s en ce moment : l'alerte reste à votre équipe. Appelez l'autre équipe.", team.Name),
			EN: fmt.Sprintf("Nobody reads the alerts of the team %s now: your team keeps the alert. Call the other team.", team.Name),
		}}
	}
	return team, nil
}

// askAnew calls the team that an alert has come to, and starts its clock. A silence that a
// pause holds back, or that nobody waits for any more, is only put on the list.
func (p *deed) askAnew() {
	a, held := p.alert, p.held()
	if a.State != Open {
		a.reopen()
	}
	a.RangAt = time.Time{} // whom the former team called says nothing of this one
	if held {
		p.digest()
		return
	}
	step := a.StepAt
	p.startClock()
	if a.Overdue && a.AnswerBy.IsZero() {
		a.StepAt = step // it rings by itself then
	}
	if a.Level == protocols.Technical {
		p.digest()
	}
	a.RangAt = p.now
	p.call(EventHandedOver, a.Team+"/"+p.now.Format(time.RFC3339Nano), false)
}

// held reports whether an alert is a silence that a pause holds back, or that nobody waits
// for any more.
func (p *deed) held() bool {
	return p.traits.Silence && (!p.alert.PausedUntil.IsZero() || p.care.over(p.now))
}
