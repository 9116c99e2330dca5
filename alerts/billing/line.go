package billing

import (
	"strconv"

	"vigie/protocols"
)

// Columns are the columns of the extract, each with its definition. They say what was
// transmitted and done; whether that is paid is for the reader.
var Columns = []Column{
	column("patient", "pseudonyme dans Vigie", "pseudonym in Vigie"),
	column("enrolment", "inclusion", "enrolment"),
	column("protocol", "protocole et version", "protocol and version"),
	column("team", "équipe", "team"),
	column("physician", "médecin prescripteur (RPPS)", "prescribing physician (RPPS)"),
	column("month", "mois civil, là où vit le patient", "civil month, where the patient lives"),
	column("days_followed", "jours du mois commencés, à midi desquels l'inclusion court avec consentement", "days of the month that have begun, at whose noon the enrolment runs with consent"),
	column("days_paused", "parmi eux, ceux à midi desquels une pause court", "of them, those at whose noon a pause runs"),
	column("unit", "day ou week : le rythme des mesures obligatoires du protocole ; vide si aucune n'est attendue par jour ni par semaine", "day or week: the cadence of the protocol's mandatory measures; empty where none is expected by day or week"),
	column("due", "jours (ou semaines) suivis et non en pause", "days (or weeks) followed and not paused"),
	column("transmitted", "parmi eux, ceux où une mesure obligatoire a été faite et reçue", "of them, those on which a mandatory measure was taken and received"),
	column("share", "transmitted / due ; vide si rien n'est dû", "transmitted / due; empty where nothing is due"),
	column("readings_device", "mesures obligatoires transmises par un appareil", "mandatory measures sent by a device"),
	column("readings_patient", "mesures obligatoires saisies par le patient", "mandatory measures typed by the patient"),
	column("readings_professional", "mesures obligatoires saisies par un professionnel", "mandatory measures entered by a professional"),
	column("alerts_red", "alertes signalées dans le mois, de niveau rouge", "alerts raised in the month, of level red"),
	column("alerts_orange", "de niveau orange", "of level orange"),
	column("alerts_yellow", "de niveau jaune", "of level yellow"),
	column("alerts_technical", "de niveau technique", "of level technical"),
	column("alerts_waited", "parmi les alertes, celles auxquelles quelqu'un a répondu, ou dont le délai de réponse est passé", "of the alerts, those that somebody has answered, or whose answer delay has run out"),
	column("alerts_in_time", "parmi elles, celles qui ont eu leur réponse dans le délai de l'équipe", "of them, those that were answered within the team's delay"),
	column("acts", "actes tracés de personnes sur le patient dans le mois : alertes, mesures, suivi", "traced acts of people about the patient in the month: alerts, readings, care"),
	column("signed_reviews", "relectures du dossier signées dans le mois, retirées exclues", "reviews of the record signed in the month, without those taken back"),
	column("quiet_reviews", "parmi elles, celles sans alerte : aucune n'attendait alors", "of them, those without an alert: none waited then"),
	column("reviews", "consultations tracées du dossier dans le mois, une par personne et jour, avec ou sans alerte", "traced looks at the record in the month, one a person and day, with or without an alert"),
}

// Line is one line of the extract: an enrolment in a month.
type Line struct {
	e                *Followed
	month            string
	followed, paused int
	unit             string
	due, transmitted int
	sources          [3]int
	levels           map[protocols.Level]int
	waited, inTime   int
	acts             int
	signed, quiet    int // reviews
	reviews          int // looks
}

// Cells are a line in the order of Columns.
func (b *Line) Cells() []string {
	share, n := "", strconv.Itoa
	if b.unit != "" && b.due > 0 {
		share = strconv.FormatFloat(float64(b.transmitted)/float64(b.due), 'f', 3, 64)
	}
	cells := []string{b.e.Patient, b.e.Enrolment, b.e.Protocol + "@" + b.e.Version, b.e.Team, b.e.Physician, b.month, n(b.followed), n(b.paused), b.unit, n(b.due), n(b.transmitted), share}
	for _, sent := range b.sources {
		cells = append(cells, n(sent))
	}
	for _, level := range []protocols.Level{protocols.Red, protocols.Orange, protocols.Yellow, protocols.Technical} {
		cells = append(cells, n(b.levels[level]))
	}
	return append(cells, n(b.waited), n(b.inTime), n(b.acts), n(b.signed), n(b.quiet), n(b.reviews))
}
