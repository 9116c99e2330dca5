// Package archive writes all that is kept of a patient into one file, and reads it back.
//
//	Sources    what an archive is made of
//	Gather     reads what is kept of a patient: a Dossier
//	Dossier    writes the archive
//	Open       reads an archive, each file held against the manifest
//
// Everything in an archive is for the patient: of other people there are the names of
// those who looked or acted, and nothing of other patients.
package archive

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"vigie/protocols"
)

// Format names what an archive of a patient is. A reader that does not know it
// refuses it.
const Format = "vigie-patient/1"

// manifestFile lists the other files of an archive.
const manifestFile = "manifest.json"

// MergesFile lists the other records of the person. Archives of earlier versions have none.
const MergesFile = "merges.json"

// Manifest says what an archive of a patient holds.
type Manifest struct {
	Format  string    `json:"format"`
	Patient string    `json:"patient"`
	Author  string    `json:"author"`
	Reason  string    `json:"reason"`
	Made    time.Time `json:"made"`
	// The request, and by when the law wants it answered.
	Requested string           `json:"requested"`
	AnswerBy  []Due            `json:"answer_by"`
	Whole     bool             `json:"whole"` // false: some of the past did not answer
	Missing   string           `json:"missing,omitempty"`
	Files     []File           `json:"files"`
	Excluded  []protocols.Text `json:"not_included"` // what of the patient is not in it, and why
}

// Due is one of the clocks of a request.
type Due struct {
	What   protocols.Text `json:"what"`
	Day    string         `json:"day"` // the last one
	Ground string         `json:"ground"`
}

// clocks are the delays of the law. The record of health is due within 8 days, within two
// months for what is older than five years (code de la santé publique, L1111-7 and
// R1111-1); any copy and what may be carried elsewhere within one month (GDPR, article 12).
func clocks(requested time.Time) []Due {
	return []Due{
		{protocols.Say("accès au dossier", "access to the record"), requested.AddDate(0, 0, 8).Format(time.DateOnly), "CSP L1111-7"},
		{protocols.Say("accès à ce qui a plus de cinq ans", "access to what is older than five years"), requested.AddDate(0, 2, 0).Format(time.DateOnly), "CSP L1111-7"},
		{protocols.Say("copie et portabilité", "copy and portability"), requested.AddDate(0, 1, 0).Format(time.DateOnly), "RGPD/GDPR 12(3), 15, 20"},
	}
}

// File is one file of an archive.
type File struct {
	Name    string         `json:"name"`
	SHA256  string         `json:"sha256"`
	Bytes   int64          `json:"bytes"`
	Rows    int            `json:"rows,omitempty"`
	What    protocols.Text `json:"what"`
	Columns []Column       `json:"columns,omitempty"` // of a CSV file, in order
}

// Column describes a column.
type Column struct {
	Name string         `json:"name"`
	What protocols.Text `json:"what"`
}

// column describes one in both languages.
func column(name, fr, en string) Column { return Column{name, protocols.Say(fr, en)} }

// archive writes files one after the other and keeps account of them.
type archive struct {
	zip   *zip.Writer
	files []File
	made  time.Time
}

// add writes a file.
func (a *archive) add(about File, write func(io.Writer) error) error {
	header := &zip.FileHeader{Name: about.Name, Method: zip.Deflate, Modified: a.made}
	file, err := a.zip.CreateHeader(header)
	if err != nil {
		return fmt.Errorf("add %s to the archive: %w", about.Name, err)
	}
	sum := sha256.New()
	count := &counted{to: io.MultiWriter(file, sum)}
	err = write(count)
	about.SHA256, about.Bytes = hex.EncodeToString(sum.Sum(nil)), count.bytes
	a.files = append(a.files, about)
	if err != nil {
		return fmt.Errorf("write %s: %w", about.Name, err)
	}
	return nil
}

// addJSON writes a value as a file.
func (a *archive) addJSON(about File, value any) error {
	return a.add(about, func(to io.Writer) error {
		encoder := json.NewEncoder(to)
		encoder.SetIndent("", " ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(value)
	})
}

// addTable writes rows as a CSV file.
func (a *archive) addTable(about File, rows [][]string) error {
	about.Rows = len(rows)
	return a.add(about, func(to io.Writer) error {
		out := csv.NewWriter(to)
		names := make([]string, len(about.Columns))
		for i, c := range about.Columns {
			names[i] = c.Name
		}
		if err := out.Write(names); err != nil {
			return err
		}
		for _, row := range rows {
			if len(row) != len(names) {
				return fmt.Errorf("a row of %d cells under %d columns", len(row), len(names))
			}
			for i := range row {
				row[i] = noFormula(row[i])
			}
			if err := out.Write(row); err != nil {
				return err
			}
		}
		out.Flush()
		return out.Error()
	})
}

// noFormula keeps a spreadsheet from computing what somebody has typed.
func noFormula(cell string) string {
	if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
		return "'" + cell
	}
	return cell
}

// counted counts what is written.
type counted struct {
	to    io.Writer
	bytes int64
}

// Write is part of io.Writer.
func (c *counted) Write(p []byte) (int, error) {
	n, err := c.to.Write(p)
	c.bytes += int64(n)
	return n, err
}
