package mail

import (
	"fmt"

	"vigie/alerts"
	"vigie/protocols"
)

// subjects say why a mail comes.
var subjects = map[alerts.EventKind]protocols.Text{
	alerts.EventRaised:     {FR: "Nouvelle alerte", EN: "New alert"},
	alerts.EventRisen:      {FR: "Alerte aggravée", EN: "Alert has risen"},
	alerts.EventRecurred:   {FR: "Alerte en cours", EN: "Alert goes on"},
	alerts.EventResumed:    {FR: "Alerte toujours en cours", EN: "Alert still goes on"},
	alerts.EventHandedOver: {FR: "Alerte confiée à votre équipe", EN: "Alert handed over to your team"},
	alerts.EventEscalated:  {FR: "Alerte restée sans réponse", EN: "Alert left unanswered"},
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

// words writes subject and body, French first.
func words(m alerts.Outgoing, link string) (subject, text string) {
	why, ok := subjects[m.Event]
	if !ok {
		why = protocols.Text{FR: "Alerte", EN: "Alert"}
	}
	subject = fmt.Sprintf("Vigie : %s / %s (%s)", why.FR, why.EN, m.Alert)
	return subject, fmt.Sprintf(body, why.FR, m.Alert, link, why.EN, m.Alert, link)
}
