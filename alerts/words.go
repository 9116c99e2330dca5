package alerts

import "vigie/protocols"

// reasons say why a message comes.
var reasons = map[EventKind]protocols.Text{
	EventRaised:       {FR: "Nouvelle alerte", EN: "New alert"},
	EventRisen:        {FR: "Alerte aggravée", EN: "Alert has risen"},
	EventRecurred:     {FR: "Alerte en cours", EN: "Alert goes on"},
	EventResumed:      {FR: "Alerte toujours en cours", EN: "Alert still goes on"},
	EventHandedOver:   {FR: "Alerte confiée à votre équipe", EN: "Alert handed over to your team"},
	EventEscalated:    {FR: "Alerte restée sans réponse", EN: "Alert left unanswered"},
	EventWorse:        {FR: "Alerte aggravée depuis sa prise en charge", EN: "Alert has got worse since it was taken on"},
	EventFollowUp:     {FR: "Alerte à suivre", EN: "Alert to follow up"},
	EventCallBack:     {FR: "Patient à rappeler", EN: "Patient to call again"},
	EventReleased:     {FR: "Alerte rendue à l'équipe", EN: "Alert given back to the team"},
	EventAssigned:     {FR: "Alerte qui vous est confiée", EN: "Alert given to you"},
	EventWoken:        {FR: "Alerte à revoir : fin de la mise en sommeil", EN: "Alert to look at again: its snooze is over"},
	EventAcknowledged: {FR: "Alerte prise en charge, rien à faire de votre part", EN: "Alert taken on, nothing for you to do"},
	EventUndone:       {FR: "Alerte de nouveau à regarder : un acte annulé", EN: "Alert to look at again: an act undone"},
	EventStruck:       {FR: "Alerte close : la mesure a été rayée, rien à faire de votre part", EN: "Alert closed: the reading was struck out, nothing for you to do"},
	EventRenewal:      {FR: "Des prescriptions finissent bientôt : à renouveler", EN: "Prescriptions end soon: to be renewed"},
	EventGlass:        {FR: "Une autre équipe a ouvert le dossier d'un de vos patients", EN: "Another team has opened the record of one of your patients"},
	EventUnsubscribed: {FR: "Un appareil ne reçoit plus les messages : sa personne n'est plus jointe par lui", EN: "A device takes no messages any more: its owner is no longer reached by it"},
	EventDigest:       {FR: "À lire à l'ouverture : la liste a du nouveau", EN: "To read at the opening: the list has news"},
}

// Why says why a message of the kind comes, without anything of a patient.
func (k EventKind) Why() protocols.Text {
	if why, ok := reasons[k]; ok {
		return why
	}
	return protocols.Text{FR: "Alerte", EN: "Alert"}
}
