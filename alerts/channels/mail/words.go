package mail

import (
	"fmt"

	"vigie/alerts"
)

const body = `%s.
%s
Référence : %s
Pour la consulter : %s

Ce message ne contient volontairement aucune donnée de santé. Vigie n'est pas
un service d'urgence : en cas d'urgence, composez le 15 ou le 112.

--

%s.
%s
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

// words writes subject and body, French first. The subject says the team, the level as the
// list does, so that a red is not read like the others, and until when an answer is due;
// nothing of the patient.
func words(m alerts.Outgoing, link string) (subject, text string) {
	said, why, answer := m.Said(), m.Event.Why(), m.Answer()
	team := ""
	if m.Team != "" {
		team = " – " + m.Team
	}
	if m.Alert == "" {
		return fmt.Sprintf("Vigie%s : %s / %s", team, said.FR, said.EN), fmt.Sprintf(digest, said.FR, link, said.EN, link)
	}
	if level := alerts.LevelText(m.Level); level.FR != "" {
		team += " – " + level.FR
	}
	subject = fmt.Sprintf("Vigie%s : %s / %s (%s)", team, said.FR, said.EN, m.Alert)
	return subject, fmt.Sprintf(body, why.FR, line(answer.FR), m.Alert, link, why.EN, line(answer.EN), m.Alert, link)
}

// line is a sentence on lines of its own; an empty line for none.
func line(sentence string) string {
	if sentence == "" {
		return ""
	}
	return "\n" + sentence + ".\n"
}
