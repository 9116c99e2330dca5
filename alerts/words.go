package alerts

import (
	"fmt"

	"vigie/protocols"
	"vigie/protocols/written"
)

// reasons say why a message comes.
var reasons = map[EventKind]protocols.Text{
	EventRaised:       {FR: "Nouvelle alerte", EN: "New alert"},
	EventRisen:        {FR: "Alerte aggravée", EN: "Alert level raised"},
	EventRecurred:     {FR: "Alerte en cours", EN: "Alert still active"},
	EventResumed:      {FR: "Alerte toujours en cours", EN: "Alert still active"},
	EventHandedOver:   {FR: "Alerte confiée à votre équipe", EN: "Alert handed over to your team"},
	EventEscalated:    {FR: "Alerte restée sans réponse", EN: "Alert left unanswered"},
	EventWorse:        {FR: "Alerte aggravée depuis sa prise en charge", EN: "Alert worse since it was taken on"},
	EventFollowUp:     {FR: "Alerte à suivre", EN: "Alert to follow up"},
	EventCallBack:     {FR: "Patient à rappeler", EN: "Call the patient back"},
	EventReleased:     {FR: "Alerte rendue à l'équipe", EN: "Alert handed back to the team"},
	EventAssigned:     {FR: "Alerte qui vous est confiée", EN: "Alert assigned to you"},
	EventWoken:        {FR: "Alerte à revoir : fin de la mise en sommeil", EN: "Alert to look at again: its snooze is over"},
	EventAcknowledged: {FR: "Alerte prise en charge, rien à faire de votre part", EN: "Alert taken on, nothing for you to do"},
	EventUndone:       {FR: "Alerte de nouveau à regarder : un acte annulé", EN: "Alert to look at again: an action was undone"},
	EventStruck:       {FR: "Alerte close : la mesure a été rayée, rien à faire de votre part", EN: "Alert closed: the reading was struck out, nothing for you to do"},
	EventRenewal:      {FR: "Des prescriptions finissent bientôt : à renouveler", EN: "Prescriptions end soon: to be renewed"},
	EventGlass:        {FR: "Une autre équipe a ouvert le dossier d'un de vos patients", EN: "Another team has opened the record of one of your patients"},
	EventUnsubscribed: {FR: "Un téléphone ne reçoit plus les notifications : la personne qui le porte n'est plus prévenue par lui", EN: "A phone no longer gets notifications: whoever carries it is no longer told on it"},
	EventDigest:       {FR: "À lire à l'ouverture : la liste a du nouveau", EN: "To read at opening time: new alerts on the list"},
}

// Why says why a message of the kind comes, without anything of a patient.
func (k EventKind) Why() protocols.Text {
	if why, ok := reasons[k]; ok {
		return why
	}
	return protocols.Text{FR: "Alerte", EN: "Alert"}
}

// Said is why a message comes, with until when an answer is due, or how many alerts wait. It
// carries nothing of a patient.
func (m *Outgoing) Said() protocols.Text {
	why := m.Event.Why()
	switch {
	case m.Event == EventDigest && m.Waiting > 0:
		return protocols.Text{FR: m.waiting("fr"), EN: m.waiting("en")}
	case m.AnswerBy.IsZero():
		return why
	}
	return protocols.Text{
		FR: fmt.Sprintf("%s, réponse attendue avant %s", why.FR, m.AnswerBy.Format("15:04")),
		EN: fmt.Sprintf("%s, answer expected by %s", why.EN, m.AnswerBy.Format("15:04")),
	}
}

// waiting says how many alerts a digest is about.
func (m *Outgoing) waiting(language string) string {
	if language == "en" {
		said := written.Sentence("en", "To read at opening time: %d [alert waits|alerts wait]", m.Waiting)
		if m.Urgent > 0 {
			said += fmt.Sprintf(", %d to deal with first", m.Urgent)
		}
		return said
	}
	said := written.Sentence("fr", "À lire à l'ouverture : %d [alerte attend|alertes attendent]", m.Waiting)
	if m.Urgent > 0 {
		said += fmt.Sprintf(", dont %d à traiter en priorité", m.Urgent)
	}
	return said
}

// Answer is the day and hour by which an answer is due, in words; empty for none.
func (m *Outgoing) Answer() protocols.Text {
	if m.AnswerBy.IsZero() {
		return protocols.Text{}
	}
	return protocols.Text{
		FR: fmt.Sprintf("Réponse attendue avant le %s à %s", written.Day("fr", m.AnswerBy), m.AnswerBy.Format("15:04 MST")),
		EN: fmt.Sprintf("Answer expected by %s at %s", written.Day("en", m.AnswerBy), m.AnswerBy.Format("15:04 MST")),
	}
}
