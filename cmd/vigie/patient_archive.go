package main

import (
	"archive/zip"
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"vigie/protocols"
)

// archiveFormat names what an archive of a patient is. A reader that does not know it
// refuses it.
const archiveFormat = "vigie-patient/1"

// manifestFile lists the other files of an archive.
const manifestFile = "manifest.json"

// mergesFile lists the other records of the person. Archives of earlier versions have none.
const mergesFile = "merges.json"

// manifest says what an archive of a patient holds.
type manifest struct {
	Format  string    `json:"format"`
	Patient string    `json:"patient"`
	Author  string    `json:"author"`
	Reason  string    `json:"reason"`
	Made    time.Time `json:"made"`
	// The request, and by when the law wants it answered.
	Requested string           `json:"requested"`
	AnswerBy  []answerBy       `json:"answer_by"`
	Whole     bool             `json:"whole"` // false: some of the past did not answer
	Missing   string           `json:"missing,omitempty"`
	Files     []archivedFile   `json:"files"`
	Excluded  []protocols.Text `json:"not_included"` // what of the patient is not in it, and why
}

// answerBy is one of the clocks of a request.
type answerBy struct {
	What   protocols.Text `json:"what"`
	Day    string         `json:"day"` // the last one
	Ground string         `json:"ground"`
}

// clocks are the delays of the law. The record of health is due within 8 days, within two
// months for what is older than five years (code de la santé publique, L1111-7 and
// R1111-1); any copy and what may be carried elsewhere within one month (GDPR, article 12).
func clocks(requested time.Time) []answerBy {
	return []answerBy{
		{protocols.Say("accès au dossier", "access to the record"), requested.AddDate(0, 0, 8).Format(time.DateOnly), "CSP L1111-7"},
		{protocols.Say("accès à ce qui a plus de cinq ans", "access to what is older than five years"), requested.AddDate(0, 2, 0).Format(time.DateOnly), "CSP L1111-7"},
		{protocols.Say("copie et portabilité", "copy and portability"), requested.AddDate(0, 1, 0).Format(time.DateOnly), "RGPD/GDPR 12(3), 15, 20"},
	}
}

// archivedFile is one file of an archive.
type archivedFile struct {
	Name    string          `json:"name"`
	SHA256  string          `json:"sha256"`
	Bytes   int64           `json:"bytes"`
	Rows    int             `json:"rows,omitempty"`
	What    protocols.Text  `json:"what"`
	Columns []archiveColumn `json:"columns,omitempty"` // of a CSV file, in order
}

// archiveColumn describes a column.
type archiveColumn struct {
	Name string         `json:"name"`
	What protocols.Text `json:"what"`
}

// column describes one in both languages.
func column(name, fr, en string) archiveColumn { return archiveColumn{name, protocols.Say(fr, en)} }

// archive writes files one after the other and keeps account of them.
type archive struct {
	zip   *zip.Writer
	files []archivedFile
	made  time.Time
}

// add writes a file.
func (a *archive) add(about archivedFile, write func(io.Writer) error) error {
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
func (a *archive) addJSON(about archivedFile, value any) error {
	return a.add(about, func(to io.Writer) error {
		encoder := json.NewEncoder(to)
		encoder.SetIndent("", " ")
		encoder.SetEscapeHTML(false)
		return encoder.Encode(value)
	})
}

// addTable writes rows as a CSV file.
func (a *archive) addTable(about archivedFile, rows [][]string) error {
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

// openArchive reads the manifest of an archive and holds every file against it.
func openArchive(file string) (*zip.ReadCloser, *manifest, error) {
	in, err := zip.OpenReader(file)
	if err != nil {
		return nil, nil, fmt.Errorf("open the archive: %w", err)
	}
	m, err := checkArchive(&in.Reader)
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("%s: %w", file, err), in.Close())
	}
	return in, m, nil
}

func checkArchive(in *zip.Reader) (*manifest, error) {
	text, err := archived(in, manifestFile)
	if err != nil {
		return nil, err
	}
	m := new(manifest)
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("read %s: %w", manifestFile, err)
	}
	if m.Format != archiveFormat {
		return nil, fmt.Errorf("it is a %q, and this version reads %q", m.Format, archiveFormat)
	}
	for _, f := range m.Files {
		text, err := archived(in, f.Name)
		if err != nil {
			return nil, err
		}
		if sum := sha256.Sum256(text); hex.EncodeToString(sum[:]) != f.SHA256 {
			return nil, fmt.Errorf("%s is not what the manifest says: the archive was changed or is damaged; ask for it again", f.Name)
		}
	}
	for _, f := range in.File {
		known := func(a archivedFile) bool { return a.Name == f.Name }
		if f.Name != manifestFile && !slices.ContainsFunc(m.Files, known) {
			return nil, fmt.Errorf("%s is not in the manifest: the archive was changed", f.Name)
		}
	}
	return m, nil
}

// largestArchived bounds a file of an archive: a year of a glucose sensor is 40 MB.
const largestArchived = 1 << 30

// archived reads one file of an archive.
func archived(in *zip.Reader, name string) (text []byte, err error) {
	file, err := in.Open(name)
	if err != nil {
		return nil, fmt.Errorf("the archive holds no %s: %w", name, err)
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	text, err = io.ReadAll(io.LimitReader(file, largestArchived+1))
	if err == nil && len(text) > largestArchived {
		err = fmt.Errorf("%s is larger than %d bytes", name, largestArchived)
	}
	return text, err
}
