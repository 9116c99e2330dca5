package alerts

import "vigie/protocols"

// Damaged stands in the place of an alert that a store no longer holds as it was
// written. Whose it is and where it stands in a list are as they are still read; the
// rest is not believed: somebody has to look at the patient.
func Damaged(read Alert) Alert {
	if read.Level < protocols.Technical || read.Level > protocols.Red {
		read.Level = protocols.Red
	}
	return Alert{
		ID: read.ID, Enrolment: read.Enrolment, Patient: read.Patient, Device: read.Device, Protocol: read.Protocol, Version: read.Version, Rule: read.Rule,
		Title: protocols.Text{FR: "Alerte abîmée dans la base", EN: "Alert damaged in the store"},
		Summary: protocols.Text{
			FR: "Ce qui était enregistré de cette alerte n'est plus sûr. Voyez le patient. L'administrateur peut retrouver l'alerte dans une sauvegarde.",
			EN: "What was kept of this alert is not certain any more. See the patient. The administrator can find the alert in a backup.",
		},
		Episode: read.Episode, EpisodeAt: read.EpisodeAt, Level: read.Level, State: Open, Active: true, Occurrences: max(read.Occurrences, 1),
		At: read.At, LastAt: read.LastAt, RaisedAt: read.RaisedAt,
	}
}
