package mail

import (
	"fmt"

	"vigie/alerts"
	"vigie/protocols"
)

// levels are said in the subject, so that a red is not read like the others.
var levels = map[protocols.Level]protocols.Text{
	protocols.Red:    {FR: "rouge", EN: "red"},
	protocols.Orange: {FR: "orange", EN: "orange"},
}

const body = `%s.

Référence : %s
Pour la consulter : %s

Ce message ne contient volontairement aucune donnée de santé. Vigie n'est pas
un service d'urgence : en cas d'urgence, composez le 15 ou le 112.

--

%s.

Reference: %s
To read it: %s

This message carries no health data on purpose. Vigie is not an emergency
service: in an emergency, call 15 or 112.
`

// digest is the body of a message about a list.
const digest = `%s.

Pour la consulter : %s

Ce message ne contient volontairement aucune donnée de santé. Vigie n'est pas
un service d'urgence : en cas d'urgence, composez le 15 ou le 112.

--

%s.

To read it: %s

This message carries no health data on purpose. Vigie is not an emergency
service: in an emergency, call 15 or 112.
`

// words writes subject and body, French first. The subject says the level and the
// team, and nothing of the patient.
func words(m alerts.Outgoing, link string) (subject, text string) {
	why := m.Event.Why()
	team := ""
	if m.Team != "" {
		team = " – " + m.Team
	}
	if m.Alert == "" {
		return fmt.Sprintf("Vigie%s : %s / %s", team, why.FR, why.EN), fmt.Sprintf(digest, why.FR, link, why.EN, link)
	}
	if level, ok := levels[m.Level]; ok {
		team = " " + level.FR + team
	}
	subject = fmt.Sprintf("Vigie%s : %s / %s (%s)", team, why.FR, why.EN, m.Alert)
	return subject, fmt.Sprintf(body, why.FR, m.Alert, link, why.EN, m.Alert, link)
}
