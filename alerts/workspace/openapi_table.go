package workspace

import (
	"vigie/alerts"
	"vigie/alerts/reviews"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// operation is what the document for programs says of one route.
type operation struct {
	summary string
	query   []string // see parameters
	version bool     // made under If-Match
	body    any      // a value of the type that is sent; merge for a merge patch
	example string   // of the body; the tests send it
	status  int      // of the answer
	answer  any      // a value of the type that is answered; nil for no body
	media   string   // of the answer, when it is not JSON
}

// merge is a JSON merge patch of whatever the address names.
type merge struct{}

// parameters are the query parameters by name, in English and short.
var parameters = map[string]string{
	"limit": "how many, at most 500", "after": "“next” of the page before", "q": "words of a name or an id, a birth date, a device or its serial number, a matricule",
	"kind": "kind of device", "patient": "id of a patient", "protocol": "id of a protocol", "version": "version of a protocol", "team": "id of a care team",
	"state": "of alerts: open, acknowledged, resolved, several; of enrolments: proposed, validated, active, suspended, ended", "level": "red, orange, yellow, technical; several", "rule": "id of a rule",
	"from": "from this instant or day on", "to": "before this instant or day", "order": "newest, or gravest and oldest first",
	"month": "a civil month, as 2026-10", "last": "so many days back",
	"measure": "id of a measure", "format": "json or csv", "at": "at this instant", "now": "true: say, too, where the rule stands at this moment", "dry_run": "1: change nothing, say what would change",
	"ending":          "that end within so many days and that nothing renews",
	"allow_loosening": "what may loosen the watch, as consent:e-1; several",
}

var alertFilter = []string{"state", "level", "team", "patient", "protocol", "rule", "from", "to", "order", "limit", "after"}
var whenChanging = []string{"dry_run", "allow_loosening"}

// The answers that have no type of their own.
type (
	itemChanged struct {
		Changes  []field `json:"changes"`
		Warnings []fault `json:"warnings"`
		DryRun   bool    `json:"dry_run"`
		Password string  `json:"password,omitempty"`
	}
	patientChanged struct {
		Patient registry.Patient `json:"patient,omitzero"`
		itemChanged
	}
	deviceChanged struct {
		Device registry.Device `json:"device,omitzero"`
		itemChanged
	}
	enrolmentChanged struct {
		Enrolment registry.Enrolment `json:"enrolment,omitzero"`
		Foreseen  *foreseen          `json:"foreseen,omitempty"` // of a dry run of another version
		itemChanged
	}
	teamChanged struct {
		Team registry.Team `json:"team,omitzero"`
		itemChanged
	}
	patientPage struct {
		Patients []faceJSON `json:"patients"`
		Next     string     `json:"next,omitempty"`
	}
	devicePage struct {
		Devices []registry.Device `json:"devices"`
		Next    string            `json:"next,omitempty"`
	}
	enrolmentPage struct {
		Enrolments []registry.Enrolment `json:"enrolments"`
		Next       string               `json:"next,omitempty"`
	}
	teamPage struct {
		Teams []registry.Team `json:"teams"`
		Next  string          `json:"next,omitempty"`
	}
	settingsPart struct {
		Settings map[string]protocols.Setting `json:"settings"`
	}
	consentPart struct {
		Consent registry.Consent `json:"consent"`
	}
	pausesPart struct {
		Pauses []protocols.Pause `json:"pauses"`
	}
	settingGiven struct {
		Value  protocols.Value `json:"value"`
		Reason string          `json:"reason"`
	}
	pauseGiven struct {
		From   string `json:"from"`
		Until  string `json:"until"`
		Reason string `json:"reason"`
	}
	worklistJSON struct {
		Patients []alerts.PatientRow `json:"patients"`
	}
	handedJSON struct {
		Alerts int `json:"alerts"`
	}
	undeliveredJSON struct {
		Messages []any `json:"messages"`
	}
	struckJSON struct {
		Readings []readingJSON   `json:"readings,omitempty"`
		Count    int             `json:"count,omitempty"`
		Patients []struckPatient `json:"patients,omitempty"`
		Alerts   int             `json:"alerts,omitempty"`
		LeftOut  int             `json:"left_out,omitempty"`
	}
	figuresJSON struct {
		From        string              `json:"from"`
		To          string              `json:"to"`
		Team        string              `json:"team"`
		Protocol    string              `json:"protocol"`
		Definitions []definition        `json:"definitions"`
		All         map[string]*float64 `json:"all"`
		Levels      []figuresLine       `json:"levels"`
		Rules       []figuresLine       `json:"rules"`
		Messages    any                 `json:"messages"`
	}
	document map[string]any
)

const (
	exampleConsent = `{"given":true,"date":"2026-11-09","scope":"poids, tension"}`
	exampleRehome  = `{"patient":"p-1","time":"2026-11-23T07:00:00Z","reason":"son mari","into":"p-2","as_device":"scale-2"}`
	exampleStrike  = `{"patient":"p-1","time":"2026-11-23T07:00:00Z","device":"scale-1","reason":"la balance du voisin"}`
)

// operations is the one table of what the document says. A test holds it against the
// table of routes.
var operations = map[string]operation{
	"GET /api/v1/openapi.json":                       {summary: "This document", status: 200, answer: document{}},
	"GET /api/v1/alerts":                             {summary: "List alerts", query: alertFilter, status: 200, answer: alertPage{}},
	"GET /api/v1/alerts/{id}":                        {summary: "One alert with its explanation and events, and, with now=true, where its rule stands at this moment", query: []string{"now"}, status: 200, answer: alertWithEvents{}},
	"POST /api/v1/alerts/{id}/{act}":                 {summary: "Act on an alert: acknowledge, resolve, note, call-back, snooze, assign, transfer, release, undo", body: act{}, example: `{"note":"appelée, va bien"}`, status: 200, answer: alertWithEvents{}},
	"GET /api/v1/worklist":                           {summary: "What is left to do, one row a patient, in the order in which it is due", query: alertFilter, status: 200, answer: worklistJSON{}},
	"POST /api/v1/handovers":                         {summary: "Give all that one has taken on to somebody else", body: act{}, example: `{"to":"Ida Weber","note":"fin de service"}`, status: 200, answer: handedJSON{}},
	"GET /api/v1/messages/undelivered":               {summary: "Messages that will never arrive", status: 200, answer: undeliveredJSON{}},
	"GET /api/v1/patients/{id}/readings":             {summary: "The readings of a patient", query: []string{"measure", "from", "to", "format"}, status: 200, answer: []readingJSON{}},
	"POST /api/v1/readings/import":                   {summary: "Enter recorded readings, all or none of a request; what is longer comes in parts, oldest first, with one batch and more in all but the last", body: entering{}, status: 200, answer: Entered{}},
	"POST /api/v1/readings/strike":                   {summary: "Mark readings as not to be used", body: striking{}, example: exampleStrike, status: 200, answer: struckJSON{}},
	"POST /api/v1/readings/unstrike":                 {summary: "Take that back", body: striking{}, example: exampleStrike, status: 200, answer: struckJSON{}},
	"POST /api/v1/readings/rehome":                   {summary: "Give readings to the patient whose they are: they are entered for him under a device of his, and struck out of the other", body: rehoming{}, example: exampleRehome, status: 200, answer: rehomed{}},
	"GET /api/v1/stream":                             {summary: "What happens to alerts, as server-sent events; resumes after Last-Event-ID", query: []string{"after"}, status: 200, media: "text/event-stream"},
	"GET /api/v1/figures":                            {summary: "Figures of alerts and answers", query: []string{"team", "protocol", "from", "to", "month", "last", "format"}, status: 200, answer: figuresJSON{}},
	"GET /api/v1/teams/{id}/duty":                    {summary: "Who is on duty and who is next", query: []string{"at"}, status: 200, answer: dutyJSON{}},
	"GET /api/v1/patients/{id}/enrolments":           {summary: "How a patient is followed, oldest first", status: 200, answer: enrolmentPage{}},
	"POST /api/v1/enrolments/{id}/validate":          {summary: "Validate a proposed enrolment with its settings; it begins then, or later where it says so", version: true, query: whenChanging, status: 200, answer: enrolmentChanged{}},
	"POST /api/v1/enrolments/migrate":                {summary: "Say what another version of a protocol would change for all who are followed under one (dry_run, with their last 30 days replayed), or move them, all at once, under the ETag of that answer", version: true, body: moving{}, example: `{"protocol":"heart-failure","from":"VERSION","to":"VERSION","dry_run":true}`, status: 200, answer: movedVersion{}},
	"GET /api/v1/patients/{id}/identity":             {summary: "The strict traits of a patient, their status and history; the look is logged", status: 200, answer: patientIdentity{}},
	"POST /api/v1/patients/{id}/merge":               {summary: "Say that this record and another are one person", body: merging{}, example: `{"into":"p-2","reason":"même matricule, saisie deux fois","dry_run":true}`, status: 200, answer: merged{}},
	"POST /api/v1/patients/{id}/erase":               {summary: "Count what the erasure of a patient would take out (dry_run), or have it taken out: the service starts anew for it", body: erasing{}, example: `{"reason":"demande du 20 novembre","dry_run":true}`, status: 200, answer: erasedAnswer{}},
	"POST /api/v1/patients/{id}/unmerge":             {summary: "Take that back", body: merging{}, example: `{"reason":"deux sœurs","dry_run":true}`, status: 200, answer: merged{}},
	"GET /api/v1/patients/{id}/reviews":              {summary: "Who read through the record of a patient and when, oldest first", status: 200, answer: reviewList{}},
	"POST /api/v1/patients/{id}/reviews":             {summary: "Sign that one has read through the record of a patient", status: 200, answer: reviews.Review{}},
	"POST /api/v1/patients/{id}/reviews/undo":        {summary: "Take one's own latest review back, within 24 hours", status: 200, answer: reviews.Review{}},
	"POST /api/v1/devices/{id}/password":             {summary: "Give a device another password, at random; it is shown once", version: true, query: whenChanging, status: 200, answer: deviceChanged{}},
	"GET /api/v1/enrolments/{id}/settings":           {summary: "The settings of an enrolment", status: 200, answer: settingsPart{}},
	"GET /api/v1/enrolments/{id}/consent":            {summary: "The consent of an enrolment", status: 200, answer: consentPart{}},
	"PUT /api/v1/enrolments/{id}/consent":            {summary: "Put the consent", version: true, query: whenChanging, body: registry.Consent{}, example: exampleConsent, status: 200, answer: enrolmentChanged{}},
	"PATCH /api/v1/enrolments/{id}/consent":          {summary: "Change the consent, as to withdraw it", version: true, query: whenChanging, body: merge{}, example: `{"scope":"poids"}`, status: 200, answer: enrolmentChanged{}},
	"GET /api/v1/enrolments/{id}/pauses":             {summary: "The pauses of an enrolment", status: 200, answer: pausesPart{}},
	"POST /api/v1/enrolments/{id}/pauses":            {summary: "Add a pause", version: true, query: whenChanging, body: pauseGiven{}, example: `{"from":"2026-12-01","until":"2026-12-10","reason":"hôpital"}`, status: 200, answer: enrolmentChanged{}},
	"DELETE /api/v1/enrolments/{id}/pauses/{number}": {summary: "End a pause now, or take it away if it has not begun; they count from 1", version: true, query: whenChanging, status: 200, answer: enrolmentChanged{}},
	"GET /api/v1/enrolments/{id}/settings/{name}":    {summary: "One setting", status: 200, answer: protocols.Setting{}},
	"PUT /api/v1/enrolments/{id}/settings/{name}":    {summary: "Set one; it is signed by the account", version: true, query: whenChanging, body: settingGiven{}, example: `{"value":2,"reason":"petit gabarit"}`, status: 200, answer: enrolmentChanged{}},
	"DELETE /api/v1/enrolments/{id}/settings/{name}": {summary: "Take a setting away: the protocol's own value holds", version: true, query: whenChanging, status: 200, answer: enrolmentChanged{}},

	"GET /api/v1/patients":         {summary: "List or find patients, by id", query: []string{"q", "limit", "after"}, status: 200, answer: patientPage{}},
	"POST /api/v1/patients":        {summary: "Add a patient", query: whenChanging, body: registry.Patient{}, example: `{"identity":{"ins":"277076322082910","oid":"1.2.250.1.213.1.4.10","birth_name":"ROUX","given_names":"INES","first_given_name":"INES","sex":"F","birth_date":"1977-07-04","birth_place":"63220"}}`, status: 201, answer: patientChanged{}},
	"GET /api/v1/patients/{id}":    {summary: "One patient; the look is traced", status: 200, answer: registry.Patient{}},
	"PUT /api/v1/patients/{id}":    {summary: "Put a patient", version: true, query: whenChanging, body: registry.Patient{}, example: `{"identity":{"ins":"277076322082910","oid":"1.2.250.1.213.1.4.10","birth_name":"DUPONT","given_names":"ANNE MARIE","first_given_name":"ANNE","sex":"F","birth_date":"1977-07-04","birth_place":"63220"}}`, status: 200, answer: patientChanged{}},
	"PATCH /api/v1/patients/{id}":  {summary: "Change a patient", version: true, query: whenChanging, body: merge{}, example: `{"identity":{"birth_name":"DUPONT","status":"provisional"}}`, status: 200, answer: patientChanged{}},
	"DELETE /api/v1/patients/{id}": {summary: "Take out a patient who was never enrolled", version: true, query: whenChanging, status: 204},

	"GET /api/v1/devices":         {summary: "List devices, by name", query: []string{"kind", "limit", "after"}, status: 200, answer: devicePage{}},
	"POST /api/v1/devices":        {summary: "Add a device; its password is shown once", query: whenChanging, body: registry.Device{}, example: `{"name":"scale-7","serial":"B7","kind":"scale","brand":"B","model":"M"}`, status: 201, answer: deviceChanged{}},
	"GET /api/v1/devices/{id}":    {summary: "One device, without its secret", status: 200, answer: registry.Device{}},
	"PUT /api/v1/devices/{id}":    {summary: "Put a device", version: true, query: whenChanging, body: registry.Device{}, example: `{"serial":"A2","kind":"scale","brand":"B","model":"M"}`, status: 200, answer: deviceChanged{}},
	"PATCH /api/v1/devices/{id}":  {summary: "Change a device", version: true, query: whenChanging, body: merge{}, example: `{"serial":"A2"}`, status: 200, answer: deviceChanged{}},
	"DELETE /api/v1/devices/{id}": {summary: "Take out a device that no enrolment names", version: true, query: whenChanging, status: 204},

	"GET /api/v1/enrolments":         {summary: "List enrolments, by id", query: []string{"patient", "protocol", "version", "team", "state", "ending", "limit", "after"}, status: 200, answer: enrolmentPage{}},
	"POST /api/v1/enrolments":        {summary: "Enrol a patient, or propose it to a physician with proposed", query: whenChanging, body: registry.Enrolment{}, example: `{"patient":"p-1","protocol":"heart-failure","version":"VERSION","time_zone":"Europe/Paris","team":"team-a","physician":"10001234565","devices":["scale-1"],"consent":` + exampleConsent + `,"from":"2027-01-01","prescription_end":"2027-06-30"}`, status: 201, answer: enrolmentChanged{}},
	"GET /api/v1/enrolments/{id}":    {summary: "One enrolment", status: 200, answer: registry.Enrolment{}},
	"PUT /api/v1/enrolments/{id}":    {summary: "Put an enrolment", version: true, query: whenChanging, body: registry.Enrolment{}, example: `{"patient":"p-1","protocol":"heart-failure","version":"VERSION","time_zone":"Europe/Paris","team":"team-a","physician":"10001234565","devices":["scale-1"],"consent":{"given":true,"date":"2026-01-02","scope":"weight"},"from":"2026-01-05","prescription_end":"2027-01-04","settings":{"fast-gain":{"value":2,"reason":"sortie d'hôpital"}}}`, status: 200, answer: enrolmentChanged{}},
	"PATCH /api/v1/enrolments/{id}":  {summary: "Change an enrolment", version: true, query: whenChanging, body: merge{}, example: `{"settings":{"fast-gain":{"value":1.2,"reason":"sortie d'hôpital"}}}`, status: 200, answer: enrolmentChanged{}},
	"DELETE /api/v1/enrolments/{id}": {summary: "End an enrolment now; what it was stays", version: true, query: whenChanging, status: 200, answer: enrolmentChanged{}},

	"GET /api/v1/teams":         {summary: "List care teams, by id", query: []string{"limit", "after"}, status: 200, answer: teamPage{}},
	"POST /api/v1/teams":        {summary: "Add a care team", query: whenChanging, body: registry.Team{}, example: `{"id":"team-d","name":"Néphrologie","time_zone":"Indian/Reunion","opens":"08:00","closes":"16:30","days":["monday","tuesday"]}`, status: 201, answer: teamChanged{}},
	"GET /api/v1/teams/{id}":    {summary: "One care team", status: 200, answer: registry.Team{}},
	"PUT /api/v1/teams/{id}":    {summary: "Put a care team", version: true, query: whenChanging, body: registry.Team{}, example: `{"name":"Cardiologie","time_zone":"Europe/Paris","opens":"08:00","closes":"18:00","days":["monday"]}`, status: 200, answer: teamChanged{}},
	"PATCH /api/v1/teams/{id}":  {summary: "Change a care team", version: true, query: whenChanging, body: merge{}, example: `{"opens":"08:00"}`, status: 200, answer: teamChanged{}},
	"DELETE /api/v1/teams/{id}": {summary: "Take out a team that no enrolment names", version: true, query: whenChanging, status: 204},
}
