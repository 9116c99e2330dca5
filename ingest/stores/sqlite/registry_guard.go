package sqlite

import "strings"

// kept is one kind of item of the registry: where it is kept, and where its history.
type kept struct {
	name, table, columns, history string
}

var (
	teams      = kept{"team", "registry_teams", "id, body", "registry_history"}
	patients   = kept{"patient", "registry_patients", "id, body", "registry_history"}
	devices    = kept{"device", "registry_devices", "id, body", "registry_history"}
	enrolments = kept{"enrolment", "registry_enrolments", "id, body, patient", "registry_history"}
	identities = kept{"identity", "identities", "id, body", "identity_history"}
)

// intactRow is true in SQL for the rows of a table, under an alias, that are what was
// written.
func intactRow(alias, columns string) string {
	return "(" + alias + ".sum IS checksum(" + alias + "." + strings.ReplaceAll(columns, ", ", ", "+alias+".") + "))"
}

// The columns that the checksums of the histories cover.
const (
	historyColumns         = "kind, id, at, author, body"
	identityHistoryColumns = "id, at, author, body"
)

// body is the body of an item in SQL, under an alias. Where it is damaged, that is told,
// and the last version in the history takes its place: it is the same. Where that is
// damaged as well there is none.
func (k kept) body(alias string) string {
	of, columns := "", identityHistoryColumns
	if k.history == "registry_history" {
		of, columns = "h.kind = '"+k.name+"' AND ", historyColumns
	}
	return "CASE WHEN " + intactRow(alias, k.columns) + " THEN " + alias + ".body ELSE coalesce(tell('" + k.table + "', " + alias + ".id), " +
		"(SELECT h.body FROM " + k.history + " h WHERE " + of + "h.id = " + alias + ".id AND " + strings.Replace(intactRow("h", columns), "h.id", alias+".id", 1) + " ORDER BY h.at DESC, h.seq DESC LIMIT 1)) END"
}

// all selects the bodies of a kind; the rest of the statement follows.
func (k kept) all() string { return "SELECT " + k.body("k") + " FROM " + k.table + " k " }

// one selects the body of one item by its id.
func (k kept) one() string { return k.all() + "WHERE k.id = ?" }

// intactHistory selects from the history of enrolments what is intact, and what is that
// of the enrolment: its index can lead to another row.
const intactHistory = "FROM registry_history h WHERE h.kind = 'enrolment' AND h.id = ?1 AND (h.sum IS checksum(h.kind, ?1, h.at, h.author, h.body) OR tell('registry_history', h.seq)) "
