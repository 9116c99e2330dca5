package recorded

import (
	"bytes"
	"encoding/binary"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"vigie/ingest/latin"
)

// headerLines is how many lines a header is looked for in: exports begin with lines
// of their own, which may name the patient.
const headerLines = 20

// table is a file of which the header was found.
type table struct {
	text   []byte
	comma  rune
	quoted bool // there are quotation marks
	lazy   bool // a quote stands within a cell that is not quoted
	header []string
	first  int        // line of the first row
	before [][]string // lines before the header
	places places
	told   func(done, of int) // nil for nobody
}

// open reads a file and finds its header.
func open(file io.Reader, layout *Layout) (*table, error) {
	text, err := textOf(file)
	if err != nil {
		return nil, err
	}
	t := &table{text: text}
	if err := t.quotes(); err != nil {
		return nil, err
	}
	var failed error
	for _, t.comma = range separators(t.text) {
		err := t.find(layout)
		if err == nil {
			return t, nil
		}
		if failed == nil {
			failed = err
		}
	}
	return nil, failed
}

// textOf reads a file as a table, also one of another kind.
func textOf(file io.Reader) ([]byte, error) {
	data, err := io.ReadAll(file)
	if err != nil {
		return nil, fmt.Errorf("reading the series: %w", err)
	}
	text := bytes.TrimLeft(decoded(data), "\ufeff") // some programs mark a file twice
	if len(bytes.TrimSpace(text)) == 0 {
		return nil, errors.New("reading the series: the file is empty, a header line is expected")
	}
	return asTable(text)
}

// decoded is the text of a file in UTF-8: what is marked as UTF-16,
// UTF-8, or else Windows-1252, which is what spreadsheets write in western Europe.
func decoded(data []byte) []byte {
	switch {
	case bytes.HasPrefix(data, []byte{0xff, 0xfe}):
		return fromUTF16(data[2:], binary.LittleEndian)
	case bytes.HasPrefix(data, []byte{0xfe, 0xff}):
		return fromUTF16(data[2:], binary.BigEndian)
	case utf8.Valid(data):
		return data
	}
	return latin.Decode(data)
}

func fromUTF16(data []byte, order binary.ByteOrder) []byte {
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	return []byte(string(utf16.Decode(units)))
}

// separators are commas, semicolons and tabs, the most frequent of the first line
// first.
func separators(text []byte) []rune {
	line, _, _ := bytes.Cut(text, []byte("\n"))
	found := []rune{',', ';', '\t'}
	slices.SortStableFunc(found, func(a, b rune) int {
		return bytes.Count(line, []byte(string(b))) - bytes.Count(line, []byte(string(a)))
	})
	return found
}

func (t *table) rows() *csv.Reader {
	rows := csv.NewReader(bytes.NewReader(t.text))
	rows.Comma, rows.LazyQuotes = t.comma, t.lazy
	rows.ReuseRecord, rows.FieldsPerRecord = true, -1
	return rows
}

// quotes finds out whether quotes are written as CSV has them. Where they are not, a
// cell that begins with one could swallow lines: then the file is refused.
func (t *table) quotes() error {
	t.quoted = bytes.IndexByte(t.text, '"') >= 0
	if !t.quoted {
		return nil
	}
	t.comma = separators(t.text)[0]
	if err := t.each(func(int, []string) {}); err == nil {
		return nil
	}
	t.lazy = true
	rows := t.rows()
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the series: %w", err)
		}
		for i, cell := range row {
			if strings.Contains(cell, "\n") {
				line, _ := rows.FieldPos(i)
				return fmt.Errorf("reading the series: line %d: a quotation mark is opened and closed on another line; close it on its own", line)
			}
		}
	}
}

// commas reports whether a cell can hold a comma.
func (t *table) commas() bool {
	return t.quoted || t.comma != ',' && bytes.IndexByte(t.text, ',') >= 0
}

// find looks for the header in the first lines.
func (t *table) find(layout *Layout) error {
	rows := t.rows()
	var lines [][]string
	var failed error
	for range max(headerLines, layout.HeaderLine) {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("reading the header of the series: %w", err)
		}
		line, _ := rows.FieldPos(0)
		if layout.HeaderLine > 0 && line != layout.HeaderLine {
			continue
		}
		found, err := layout.locate(row)
		if err == nil {
			t.header, t.places, t.first, t.before = slices.Clone(row), found, line+1, lines
			if layout.HeaderLine == 0 && layout.byNumber() && !allWords(row) { // there is no header
				t.header, t.places.kind, t.first = make([]string, len(row)), -1, line
			}
			return nil
		}
		if failed == nil || len(lines) == 0 {
			failed = err
		}
		lines = append(lines, slices.Clone(row))
	}
	if failed == nil {
		return fmt.Errorf("line %d of the series has no cells: say with --header-line which line is the header", layout.HeaderLine)
	}
	return withColumns(failed, lines)
}

// withColumns adds the columns that there are, where a line is certainly a header: it
// is as long as the next one and holds no number and no time. Other lines may hold a
// name, which is not repeated.
func withColumns(err error, lines [][]string) error {
	for i, line := range lines {
		alone := i+1 == len(lines) && i > 0
		if len(line) < 2 || alone || i+1 < len(lines) && len(lines[i+1]) != len(line) || !allWords(line) {
			continue
		}
		known := make([]string, len(line))
		for i, h := range line {
			if known[i] = strconv.Quote(strings.TrimSpace(h)); known[i] == `""` {
				known[i] = "#" + strconv.Itoa(i+1) // by which it can be named
			}
		}
		return fmt.Errorf("%w; its columns are %s", err, strings.Join(known, ", "))
	}
	return fmt.Errorf("%w, and no line that is surely a header; a header line is expected", err)
}

func allWords(line []string) bool {
	return !slices.ContainsFunc(line, func(cell string) bool {
		cell = strings.TrimSpace(cell)
		return cell != "" && cell[0] >= '0' && cell[0] <= '9'
	})
}

// each calls use with every row behind the header, and its line. A row is valid
// until use returns.
func (t *table) each(use func(line int, row []string)) error {
	rows := t.rows()
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading the series: %w", err)
		}
		if line, _ := rows.FieldPos(0); line >= t.first {
			use(line, row)
		}
	}
}

// tellLines is after how many lines somebody is told how far the file is read.
const tellLines = 10_000

// telling is use, and says how far the first or the second reading is.
func (t *table) telling(before int, use func(line int, row []string)) func(line int, row []string) {
	if t.told == nil {
		return use
	}
	lines, next := bytes.Count(t.text, []byte("\n"))+1, 0
	return func(line int, row []string) {
		if line >= next {
			t.told((before*lines+line)/2, lines)
			next = line + tellLines
		}
		use(line, row)
	}
}

// begins reports whether one of the first rows behind the header is of that kind.
func (t *table) begins(kind func(row []string) bool) bool {
	rows := t.rows()
	for seen := 0; seen < headerLines; {
		row, err := rows.Read()
		if err != nil {
			return false
		}
		if line, _ := rows.FieldPos(0); line < t.first {
			continue
		}
		if kind(row) {
			return true
		}
		seen++
	}
	return false
}

// kinds are the headers of columns that tell kinds of rows apart: Dexcom Clarity's
// and LibreView's among them.
var kinds = []string{"event type", "record type", "type", "type d'enregistrement", "type d’enregistrement", "type d'événement", "type d’événement", "aufzeichnungstyp", "ereignisart"}

func kindColumn(header []string) int {
	return slices.IndexFunc(header, func(h string) bool {
		return slices.Contains(kinds, strings.ToLower(strings.TrimSpace(h)))
	})
}
