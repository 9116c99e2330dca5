package mail

import (
	"fmt"

	"vigie/alerts"
	"vigie/protocols"
)

// subjects say why a mail comes.
var subjects = map[alerts.EventKind]protocols.Text{
	alerts.EventRaised:       {FR: "Nouvelle alerte", EN: "New alert"},
	alerts.EventRisen:        {FR: "Alerte aggravée", EN: "Alert has risen"},
	alerts.EventRecurred:     {FR: "Alerte en cours", EN: "Alert goes on"},
	alerts.EventResumed:      {FR: "Alerte toujours en cours", EN: "Alert still goes on"},
	alerts.EventHandedOver:   {FR: "Alerte confiée à votre équipe", EN: "Alert handed over to your team"},
	alerts.EventEscalated:    {FR: "Alerte restée sans réponse", EN: "Alert left unanswered"},
	alerts.EventWorse:        {FR: "Alerte aggravée depuis sa prise en charge", EN: "Alert has got worse since it was taken on"},
	alerts.EventFollowUp:     {FR: "Alerte à suivre", EN: "Alert to follow up"},
	alerts.EventCallBack:     {FR: "Patient à rappeler", EN: "Patient to call again"},
	alerts.EventReleased:     {FR: "Alerte rendue à l'équipe", EN: "Alert given back to the team"},
	alerts.EventAssigned:     {FR: "Alerte qui vous est confiée", EN: "Alert given to you"},
	alerts.EventWoken:        {FR: "Alerte à revoir : fin de la mise en sommeil", EN: "Alert to look at again: its snooze is over"},
	alerts.EventAcknowledged: {FR: "Alerte prise en charge, rien à faire de votre part", EN: "Alert taken on, nothing for you to do"},
	alerts.EventUndone:       {FR: "Alerte de nouveau à regarder : un acte annulé", EN: "Alert to look at again: an act undone"},
	alerts.EventStruck:       {FR: "Alerte close : la mesure a été rayée, rien à faire de votre part", EN: "Alert closed: the reading was struck out, nothing for you to do"},
	alerts.EventRenewal:      {FR: "Des prescriptions finissent bientôt : à renouveler", EN: "Prescriptions end soon: to be renewed"},
	alerts.EventGlass:        {FR: "Une autre équipe a ouvert le dossier d'un de vos patients", EN: "Another team has opened the record of one of your patients"},
	alerts.EventDigest:       {FR: "À lire à l'ouverture : la liste a du nouveau", EN: "To read at the opening: the list has news"},
}

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
	why, ok := subjects[m.Event]
	if !ok {
		why = protocols.Text{FR: "Alerte", EN: "Alert"}
	}
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
