package registry

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"

	"vigie/protocols"
	"vigie/protocols/document"
)

// Records names what a registry holds, as the keys of its document.
var Records = []string{"teams", "patients", "devices", "enrolments"}

// listColumns hold several words, separated by spaces. So do the columns of contacts by
// channel: contacts.mail, escalate.mail.
var listColumns = []string{"days", "mail", "escalate", "devices", "identity.confirmed", "identity.contact.measures_by"}

// ParseCSV reads a table into the document that Check takes, each cell with its
// line and column.
//
// The first line names the columns. They are the keys of the YAML form, those
// of inner mappings after a point:
//
//	teams       id, name, time_zone, opens, closes, days, contacts.CHANNEL, mail, escalate, webhook,
//	            alsace_moselle, on_holidays, glucose_unit
//	patients    id, identity.ins, identity.oid, identity.birth_name, identity.given_names,
//	            identity.first_given_name, identity.sex, identity.birth_date, identity.birth_place,
//	            identity.status, identity.confirmed, identity.contact.phone, identity.contact.hours, identity.contact.language,
//	            identity.contact.measures_by, and those of identity.contact.carer and
//	            identity.contact.general_practitioner
//	devices     name, serial, kind, brand, model, gateway, password, secret
//	enrolments  id, patient, protocol, version, time_zone, team, physician, devices,
//	            consent.given, consent.date, consent.scope, consent.withdrawn, consent.history,
//	            consent.notice, consent.how, consent.by, consent.proof_sha256, those of
//	            consent.research and consent.sharing (given, date, with, withdrawn, notice, how, by,
//	            proof_sha256), from, prescription_end,
//	            settings.NAME.value, settings.NAME.author, settings.NAME.date, settings.NAME.reason
//
// A column named record says which of the four a line is; without it, all are
// what the second argument says. Days, contacts, mail, escalate, devices, confirmed and measures_by hold several
// words separated by spaces. Empty cells are left out. Commas, semicolons and tabs separate
// cells. Pauses need the YAML form.
func ParseCSV(data []byte, record string) (*document.Node, []document.Problem) {
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	reader := csv.NewReader(bytes.NewReader(data))
	reader.Comma = separator(data)
	reader.TrimLeadingSpace = true
	t := table{cells: reader, record: record, doc: &document.Node{Kind: document.Mapping, Line: 1, Column: 1}}
	for {
		cells, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return t.doc, t.Problems
		}
		if err != nil {
			return t.doc, append(t.Problems, unreadable(err))
		}
		t.row(cells)
	}
}

type table struct {
	document.Reader
	cells  *csv.Reader
	record string // of every line, unless a column says it
	header []string
	doc    *document.Node
}

func (t *table) row(cells []string) {
	if t.header == nil {
		for _, name := range cells {
			t.header = append(t.header, strings.TrimSpace(name))
		}
		return
	}
	record := t.record
	if i := slices.Index(t.header, "record"); i >= 0 {
		record = strings.TrimSpace(cells[i])
	}
	line, column := t.cells.FieldPos(0)
	item := &document.Node{Kind: document.Mapping, Line: line, Column: column}
	if !slices.Contains(Records, record) {
		t.Fault(document.Place{Node: item, Path: "record"}, "unknown-record", protocols.Say("« %s » n'est pas un type de ligne", "%q is no kind of line", record), document.Suggest(record, Records))
		return
	}
	for i, name := range t.header {
		cell := strings.TrimSpace(cells[i])
		if cell == "" || name == "record" {
			continue
		}
		line, column := t.cells.FieldPos(i)
		put(item, strings.Split(name, "."), scalarAt(cell, several(name), line, column))
	}
	list := t.doc.Get(record)
	if list == nil {
		list = &document.Node{Kind: document.List, Line: line, Column: column}
		set(t.doc, record, list)
	}
	list.Items = append(list.Items, item)
}

// several reports whether a column holds several words.
func several(name string) bool {
	return slices.Contains(listColumns, name) || strings.HasPrefix(name, "contacts.") || strings.HasPrefix(name, "escalate.")
}

// put sets the value at a path of keys, making the mappings on the way.
func put(in *document.Node, path []string, value *document.Node) {
	if len(path) == 1 {
		set(in, path[0], value)
		return
	}
	inner := in.Get(path[0])
	if inner == nil {
		inner = &document.Node{Kind: document.Mapping, Line: value.Line, Column: value.Column}
		set(in, path[0], inner)
	}
	put(inner, path[1:], value)
}

func set(in *document.Node, key string, value *document.Node) {
	in.Keys = append(in.Keys, &document.Node{Kind: document.Scalar, Text: key, Line: value.Line, Column: value.Column})
	in.Items = append(in.Items, value)
}

func scalarAt(cell string, several bool, line, column int) *document.Node {
	if !several {
		return &document.Node{Kind: document.Scalar, Text: cell, Line: line, Column: column}
	}
	list := &document.Node{Kind: document.List, Line: line, Column: column}
	for word := range strings.FieldsSeq(cell) {
		list.Items = append(list.Items, &document.Node{Kind: document.Scalar, Text: word, Line: line, Column: column})
	}
	return list
}

// separator is the most frequent candidate in the first line; French
// spreadsheets write semicolons.
func separator(data []byte) rune {
	header, _, _ := bytes.Cut(data, []byte("\n"))
	best := ','
	for _, candidate := range ";\t" {
		if bytes.Count(header, []byte(string(candidate))) > bytes.Count(header, []byte(string(best))) {
			best = candidate
		}
	}
	return best
}

// unreadableCells says what encoding/csv refuses.
var unreadableCells = map[error]protocols.Text{
	csv.ErrFieldCount: protocols.Say("cette ligne n'a pas autant de cellules que la première", "this line has not as many cells as the first"),
	csv.ErrQuote:      protocols.Say("un guillemet manque, ou est de trop, dans une cellule entre guillemets", "a quote is missing, or is too many, in a cell between quotes"),
	csv.ErrBareQuote:  protocols.Say("un guillemet au milieu d'une cellule demande des guillemets autour d'elle", "a quote within a cell needs quotes around it"),
}

func unreadable(err error) document.Problem {
	p := document.Problem{Line: 1, Column: 1, Code: "malformed", Severity: document.Error, Message: protocols.Text{FR: err.Error(), EN: err.Error()}}
	if at := new(csv.ParseError); errors.As(err, &at) {
		p.Line, p.Column = at.Line, at.Column
		if said, known := unreadableCells[at.Err]; known {
			p.Message = said
		}
	}
	return p
}
