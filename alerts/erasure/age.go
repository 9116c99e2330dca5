package erasure

import (
	"context"
	"time"

	"vigie/protocols"
)

// The keys of what is kept for a time, as the configuration names them under retention.
const (
	KeptReadings = "readings"
	KeptAsides   = "set_asides"
	KeptMessages = "messages"
	KeptAlerts   = "alerts"
	KeptActs     = "acts"
	KeptSessions = "sessions"
	KeptTrail    = "trail"
	KeptIdentity = "identity"
)

// Kept is one kind of what is kept for a time.
type Kept struct {
	Key    string
	Name   protocols.Text
	Ground protocols.Text // why it is kept; the configuration may say another one
	Starts protocols.Text // from when on the time counts
}

// Kinds are all of them, in the order in which they are shown.
var Kinds = []Kept{
	{KeptReadings, protocols.Text{FR: "mesures, dans la base du service", EN: "readings, in the service's store"},
		protocols.Text{FR: "suivi médical ; InfluxDB les garde", EN: "medical care; InfluxDB keeps them"}, protocols.Text{FR: "la mesure, une fois dans InfluxDB", EN: "the measurement, once InfluxDB has it"}},
	{KeptAlerts, protocols.Text{FR: "alertes résolues, leurs notes et explications, relectures", EN: "resolved alerts, their notes and explanations, reviews"},
		protocols.Text{FR: "dossier médical : 20 ans après le dernier passage (CSP, art. R. 1112-7)", EN: "medical record: 20 years after the last contact (CSP, art. R. 1112-7)"}, protocols.Text{FR: "la résolution, et la fin de tout suivi du patient", EN: "the resolution, and the end of all care of the patient"}},
	{KeptIdentity, protocols.Text{FR: "identité, et tout ce qui reste du patient", EN: "identity, and all that is left of the patient"},
		protocols.Text{FR: "dossier médical : 20 ans après le dernier passage (CSP, art. R. 1112-7)", EN: "medical record: 20 years after the last contact (CSP, art. R. 1112-7)"}, protocols.Text{FR: "la fin de tout suivi ; effacé au démarrage suivant", EN: "the end of all care; erased at the next start"}},
	{KeptAsides, protocols.Text{FR: "messages mis de côté", EN: "messages set aside"},
		protocols.Text{FR: "ne perdre aucune mesure (RGPD, art. 6.1 c et 9.2 h)", EN: "to lose no reading (GDPR, art. 6.1 c and 9.2 h)"}, protocols.Text{FR: "la réception", EN: "the receipt"}},
	{KeptMessages, protocols.Text{FR: "messages envoyés aux soignants", EN: "messages sent to carers"},
		protocols.Text{FR: "preuve qu'une alerte a été dite (RGPD, art. 5.2)", EN: "proof that an alert was told (GDPR, art. 5.2)"}, protocols.Text{FR: "l'envoi", EN: "the sending"}},
	{KeptActs, protocols.Text{FR: "annulations de mesures de plusieurs patients", EN: "strikes of readings of several patients"},
		protocols.Text{FR: "pouvoir revenir en arrière (RGPD, art. 16)", EN: "to be able to take it back (GDPR, art. 16)"}, protocols.Text{FR: "l'acte terminé", EN: "the end of the act"}},
	{KeptSessions, protocols.Text{FR: "connexions terminées", EN: "sessions that are over"},
		protocols.Text{FR: "sécurité du traitement (RGPD, art. 32)", EN: "security of processing (GDPR, art. 32)"}, protocols.Text{FR: "la dernière page vue", EN: "the last page seen"}},
	{KeptTrail, protocols.Text{FR: "de qui et pourquoi, dans les traces ; qui, quoi et quand restent", EN: "of whom and why, in the trail; who, what and when stay"},
		protocols.Text{FR: "droit du patient de savoir qui a vu son dossier (CSP, art. L. 1111-7 ; RGPD, art. 15)", EN: "the patient's right to know who saw the record (CSP, art. L. 1111-7; GDPR, art. 15)"}, protocols.Text{FR: "l'accès", EN: "the access"}},
}

// Keeping is a category as the configuration has it.
type Keeping struct {
	Kept
	For time.Duration // zero for ever
	Due int           // how much is to go now; Uncounted where nobody counts
}

// Uncounted is the Due of what is not counted: readings, which InfluxDB has to show, and
// messages, which go as soon as they may.
const Uncounted = -1

// Effect is what an erasure takes out, or would.
type Effect struct {
	Counts map[string]int // rows by the key of the category
	Points bool           // InfluxDB is told next
	Stays  bool           // InfluxDB deletes nothing
}

// Refusal is why nobody is erased now, as it is answered. It is an error.
type Refusal struct{ Text protocols.Text }

// Error is the sentence in English.
func (r *Refusal) Error() string { return r.Text.EN }

// Ageing is the part of a store that forgets what is old. Every implementation passes the
// same tests.
type Ageing interface {
	// Aged lists the patients with alerts that were resolved before a time, or reviews from
	// before it; with the empty name for alerts of nobody.
	Aged(ctx context.Context, before time.Time) ([]string, error)
	// Age forgets what is older than a time, in one transaction, and returns how much; a dry
	// run counts it. Of KeptAlerts it forgets those of one patient.
	Age(ctx context.Context, kept, patient string, before time.Time, dry bool) (int, error)
}

// AgeStep is one table from which rows go: $1 is the time and $2 the patient.
type AgeStep struct {
	Step
	Nanos bool // the time is in nanoseconds in every store
}

// AgedPatients selects whom Aged lists. $1 is in nanoseconds.
const AgedPatients = "SELECT patient FROM alerts WHERE state = 'resolved' AND resolved_at < $1 UNION SELECT patient FROM reviews WHERE at < $1"

// Ages are the tables from which old rows go, in the order in which they may. Those with a
// category are counted. The time stands before the patient in each. key is the column of alerts that episodes and explanations refer
// to. Set-aside messages are only counted so: Pruner knows which of them stay.
func Ages(kept, key string) (steps []AgeStep) {
	const old = "resolved_at < $1 AND state = 'resolved' AND patient = $2"
	of := func(column string) string { return "alert IN (SELECT " + column + " FROM alerts WHERE " + old + ")" }
	switch kept {
	case KeptAlerts:
		return []AgeStep{
			{Step{"", "outbox", of("id")}, true}, {Step{"", "alert_explanations", of(key)}, true}, {Step{"", "alert_episodes", of(key)}, true},
			{Step{"", "alert_events", of("id")}, true}, {Step{kept, "alerts", old}, true}, {Step{kept, "reviews", "at < $1 AND patient = $2"}, true},
		}
	case KeptActs:
		return []AgeStep{{Step{kept, "wide_acts", "done <> 0 AND done < $1"}, false}}
	case KeptSessions:
		return []AgeStep{{Step{kept, "access_sessions", "seen < $1"}, false}}
	case KeptAsides:
		return []AgeStep{{Step{kept, "set_aside", "received < $1"}, false}}
	}
	return nil
}
