package service

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vigie/ingest/registry"
	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/document"
	"vigie/protocols/nomenclature"
)

// MeasuresSuffix is what the name of a file of measures ends with.
const MeasuresSuffix = ".measures.yaml"

// measuresOf stands before the name of a file of measures, where the store keeps what was
// used. No protocol has such an id.
const measuresOf = "measures/"

// addMeasures reads the files of measures of a folder.
func (s *Shelf) addMeasures(folder string, define func([]*protocols.Measure) error) error {
	names, err := fs.Glob(os.DirFS(folder), "*"+MeasuresSuffix)
	if err != nil {
		return fmt.Errorf("list the measures in %s: %w", folder, err)
	}
	for _, name := range names {
		path := filepath.Join(folder, name)
		data, err := os.ReadFile(path)
		if err != nil {
			return fmt.Errorf("read measures: %w", err)
		}
		file, err := readMeasures(path, data)
		if err != nil {
			return err
		}
		if err := define(file.Measures); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		key := [2]string{measuresOf + strings.TrimSuffix(name, MeasuresSuffix), file.Version}
		if other, taken := s.measures[key]; taken {
			return fmt.Errorf("%s: %s has the same name and version: give one of them another name", path, other.file)
		}
		s.measures[key] = book{text: unix(string(data)), file: path}
	}
	return nil
}

// DefineMeasures makes the measures of a folder known, for a command that reads its
// protocols. A file that cannot be used is left out; the problems say why, as CheckMeasures
// does, and left are the measures that would stand in it.
func DefineMeasures(folder string) (refused []document.Problem, left []string, err error) {
	names, err := fs.Glob(os.DirFS(folder), "*"+MeasuresSuffix)
	if err != nil {
		return nil, nil, fmt.Errorf("list the measures in %s: %w", folder, err)
	}
	for _, name := range names {
		path := filepath.Join(folder, name)
		file, problems, err := checkMeasures(path, nil)
		if err != nil {
			return nil, nil, err
		}
		if document.Refused(problems) {
			refused, left = append(refused, problems...), append(left, measuresNamed(path)...)
			continue
		}
		if err := protocols.Define(file.Measures); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return refused, left, nil
}

// measuresNamed lists the measures of a file by their names; none of what is no YAML.
func measuresNamed(path string) (names []string) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	doc, err := yaml.Parse(data)
	if err != nil || doc.Get("measures") == nil {
		return nil
	}
	for _, key := range doc.Get("measures").Keys {
		names = append(names, key.Text)
	}
	return names
}

func readMeasures(path string, data []byte) (*nomenclature.File, error) {
	doc, err := yaml.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	file, problems := nomenclature.Parse(doc)
	for _, problem := range problems {
		if problem.Severity == document.Error {
			return nil, fmt.Errorf("%s:%d:%d: %s", path, problem.Line, problem.Column, problem.Message.EN)
		}
	}
	return file, nil
}

// knownMeasures refuses measures that a running service does not know: its store and its
// doors were opened without them.
func knownMeasures(list []*protocols.Measure) error {
	for _, m := range list {
		if known := protocols.MeasureByID(m.ID); known == nil || !known.Same(m) {
			return fmt.Errorf("the measure %s is new or has changed: restart the service to use it", m.ID)
		}
	}
	return nil
}

// recallMeasures holds the operator's measures against a file that was used before:
// readings are kept by the order and the units that it gave.
func (s *Shelf) recallMeasures(u registry.UsedProtocol) error {
	name := strings.TrimPrefix(u.ID, measuresOf)
	since := u.First.Format(time.DateOnly)
	former, err := readMeasures(name+" (as first used)", []byte(u.Text))
	if err != nil {
		return fmt.Errorf("the measures %s, used since %s, cannot be read by this program: start the newer Vigie that they were used with: %w", name, since, err)
	}
	if known, ok := s.measures[[2]string{u.ID, u.Version}]; ok && known.text != unix(u.Text) {
		return fmt.Errorf("%s: version %s has changed since it was first used, on %s: put its text back, and give the new one a new version", known.file, u.Version, since)
	}
	for _, m := range former.Measures {
		now := protocols.MeasureByID(m.ID)
		if now == nil {
			return fmt.Errorf("readings of the measure %s are kept since %s, and no file describes it: put %s back into one of protocols.folders", m.ID, since, name+MeasuresSuffix)
		}
		if !now.Continues(m) {
			return fmt.Errorf("readings of the measure %s are kept since %s in other units or another order: keep its components as they were, add new ones at the end as optional, or give the new measure another name", m.ID, since)
		}
	}
	return nil
}

// CheckMeasures says what is wrong with a file of measures, by itself and beside those that
// ship and those of the files before it, which are in known; it adds its own to them.
func CheckMeasures(path string, known map[string]*protocols.Measure) ([]document.Problem, error) {
	file, problems, err := checkMeasures(path, known)
	if file != nil && known != nil {
		for _, m := range file.Measures {
			known[m.ID] = m
		}
	}
	return problems, err
}

func checkMeasures(path string, known map[string]*protocols.Measure) (*nomenclature.File, []document.Problem, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fmt.Errorf("read measures: %w", err)
	}
	doc, err := yaml.Parse(data)
	var where *yaml.Error
	switch {
	case errors.As(err, &where):
		problem := where.Problem()
		problem.File = path
		return nil, []document.Problem{problem}, nil
	case err != nil:
		return nil, nil, fmt.Errorf("%s: %w", path, err)
	}
	file, problems := nomenclature.Parse(doc)
	problems = slices.Clone(problems)
	if file != nil {
		problems = append(problems, taken(doc, file, known)...)
	}
	for i := range problems {
		problems[i].File = path
	}
	document.ByFile(problems)
	return file, problems, nil
}

// taken are the measures of a file whose name stands for something else already.
func taken(doc *document.Node, file *nomenclature.File, known map[string]*protocols.Measure) []document.Problem {
	var r document.Reader
	for _, m := range file.Measures {
		other := known[m.ID]
		if other == nil {
			other = protocols.MeasureByID(m.ID)
		}
		if other != nil && !other.Same(m) {
			r.Fault(doc.Find("measures."+m.ID), "measure-taken", protocols.Say("il y a déjà une mesure « %s » (%s), et elle dit autre chose", "there is a measure %s already (%s), and it says something else", m.ID, other.Title), protocols.Say("donner un autre nom à celle-ci", "give this one another name"))
		}
	}
	return r.Problems
}
