package erasure

import (
	"strings"

	"vigie/protocols"
)

// Category is one kind of what is kept of patients.
type Category struct {
	Key    string
	Name   protocols.Text
	Stays  bool           // it is kept
	Ground protocols.Text // why it goes or stays
	Until  protocols.Text // of what stays
}

// The keys of the categories that tables belong to.
const (
	identity = "identity"
	follow   = "follow-up"
	devices  = "devices"
	Readings = "readings"
	states   = "states"
	SetAside = "set-aside"
	alerts   = "alerts"
	access   = "access"
	Traces   = "trail"
	InfluxDB = "influxdb"
)

var asked = protocols.Text{FR: "demande du patient (RGPD, art. 17)", EN: "asked for by the patient (GDPR, art. 17)"}

// Categories are all of them, in the order in which they are shown.
var Categories = []Category{
	{Key: identity, Name: protocols.Text{FR: "identité et son histoire", EN: "identity and its history"}, Ground: asked},
	{Key: follow, Name: protocols.Text{FR: "suivi, réglages, consentements et leur histoire", EN: "enrolments, settings, consents and their history"}, Ground: asked},
	{Key: devices, Name: protocols.Text{FR: "appareils qu'il a eus seul", EN: "devices that he alone had"}, Ground: asked},
	{Key: Readings, Name: protocols.Text{FR: "mesures", EN: "readings"}, Ground: asked},
	{Key: states, Name: protocols.Text{FR: "états de l'évaluation", EN: "states of evaluation"}, Ground: asked},
	{Key: SetAside, Name: protocols.Text{FR: "messages mis de côté", EN: "messages set aside"}, Ground: asked},
	{Key: alerts, Name: protocols.Text{FR: "alertes, explications, notes, messages", EN: "alerts, explanations, notes, messages"}, Ground: asked},
	{Key: access, Name: protocols.Text{FR: "accès à son dossier, sa clé", EN: "accesses to his record, his key"}, Ground: asked},
	{Key: Traces, Name: protocols.Text{FR: "ce que les traces disent de lui", EN: "what the trail says of him"}, Ground: asked},
	{Key: InfluxDB, Name: protocols.Text{FR: "points dans InfluxDB, que le service supprime ensuite", EN: "points in InfluxDB, which the service deletes next"}, Ground: asked},
	{Key: "entries", Stays: true, Name: protocols.Text{FR: "les traces elles-mêmes : qui, quoi, quand, sans de qui", EN: "the trail itself: who, what, when, not of whom"},
		Ground: protocols.Text{FR: "sécurité du traitement (RGPD, art. 32)", EN: "security of processing (GDPR, art. 32)"}, Until: protocols.Text{FR: "la fin des traces", EN: "the end of the trail"}},
	{Key: "shared", Stays: true, Name: protocols.Text{FR: "appareils passés à un autre patient", EN: "devices that another patient had too"},
		Ground: protocols.Text{FR: "suivi de cet autre patient", EN: "the care of that other patient"}, Until: protocols.Text{FR: "la fin de ce suivi", EN: "the end of that care"}},
	{Key: "list", Stays: true, Name: protocols.Text{FR: "la liste des effacements, sans référence lisible", EN: "the list of erasures, without a reference that can be read"},
		Ground: protocols.Text{FR: "preuve, et application aux sauvegardes restaurées (RGPD, art. 5.2)", EN: "proof, and restored backups (GDPR, art. 5.2)"}, Until: protocols.Text{FR: "la dernière sauvegarde d'avant", EN: "the last backup from before"}},
}

// Step is one table from which rows go. Without a category they are not counted.
type Step struct {
	Category, Table, Where string
}

// Counting counts them.
func (s *Step) Counting() string { return "SELECT count(*) FROM " + s.Table + " WHERE " + s.Where }

// Statement deletes them.
func (s *Step) Statement() string { return "DELETE FROM " + s.Table + " WHERE " + s.Where }

// What the tables are read through: the store makes a table erased for the time of the
// transaction, with the kind and the id of what is his.
const (
	hisSelf       = "(SELECT id FROM erased WHERE kind = 'patient')"
	hisEnrolments = "(SELECT id FROM erased WHERE kind = 'enrolment')"
	hisDevices    = "(SELECT id FROM erased WHERE kind = 'device')"
	hisAlerts     = "patient IN " + hisSelf + " OR enrolment IN " + hisEnrolments + " OR device IN " + hisDevices
)

// Kinds are the ids of a subject by their kind, for the table erased.
func (s *Subject) Kinds() map[string][]string {
	return map[string][]string{"patient": {s.Patient}, "enrolment": s.Enrolments, "device": s.Devices}
}

// Steps are the tables that every store has, in the order in which rows may go. key is
// the column of alerts that episodes and explanations refer to.
func Steps(key string) []Step {
	ofAlerts := func(column string) string {
		return "alert IN (SELECT " + column + " FROM alerts WHERE " + hisAlerts + ")"
	}
	return []Step{
		{alerts, "outbox", ofAlerts("id")},
		{alerts, "alert_explanations", ofAlerts(key)},
		{alerts, "alert_episodes", ofAlerts(key)},
		{alerts, "alert_events", ofAlerts("id")},
		{alerts, "alerts", hisAlerts},
		{states, "states", "enrolment IN " + hisEnrolments},
		{devices, "device_status", "device IN " + hisDevices},
		{devices, "registry_devices", "id IN " + hisDevices},
		{devices, "registry_history", "kind = 'device' AND id IN " + hisDevices},
		{follow, "registry_feeds", "enrolment IN " + hisEnrolments + " OR device IN " + hisDevices},
		{follow, "registry_fed", "enrolment IN " + hisEnrolments + " OR device IN " + hisDevices},
		{follow, "registry_enrolments", "patient IN " + hisSelf},
		{follow, "registry_history", "kind = 'enrolment' AND id IN " + hisEnrolments},
		{identity, "registry_patients", "id IN " + hisSelf},
		{identity, "registry_history", "kind = 'patient' AND id IN " + hisSelf},
		{identity, "identities", "id IN " + hisSelf},
		{identity, "identity_history", "id IN " + hisSelf},
		{identity, "identity_accesses", "id IN " + hisSelf},
		{"", "wide_acts", "device IN " + hisDevices},
		{access, "reviews", "patient IN " + hisSelf},
		{access, "looks", "patient IN " + hisSelf},
		{access, "access_grants", "body ->> 'patient' IN " + hisSelf},
		{access, "access_tokens", "body ->> 'patient' IN " + hisSelf},
		{InfluxDB, "errands", "task ->> 'patient' IN " + hisSelf + " OR (task -> 'reading') ->> 'patient' IN " + hisSelf + " OR (task -> 'becomes') ->> 'patient' IN " + hisSelf},
	}
}

// WithoutHim is the column body of an act over many patients, as SQL without the one who
// is named $1 in JSON: once more, between others and alone.
const WithoutHim = `replace(replace(replace(CAST(body AS text), CAST($1 AS text) || ',', ''), ',' || CAST($1 AS text), ''), '[' || CAST($1 AS text) || ']', '[]')`

// Nobody stands where another's record named the patient: in the merge of two records.
const Nobody = `"-"`

// Named is how a patient stands in JSON.
func (s *Subject) Named() string { return `"` + strings.ReplaceAll(s.Patient, `"`, `\"`) + `"` }

// Persons selects every reference under which a store holds something, but readings.
const Persons = `SELECT id FROM registry_patients UNION SELECT id FROM identities UNION SELECT id FROM identity_history
	UNION SELECT patient FROM registry_enrolments UNION SELECT patient FROM alerts`
