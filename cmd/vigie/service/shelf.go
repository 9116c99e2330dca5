package service

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"vigie/ingest/document"
	"vigie/protocols"
	"vigie/protocols/library"
)

// Shelf holds the protocols that enrolments may name: those that ship, and those
// of the operator's own folders.
type Shelf struct {
	byName map[string]*protocols.Protocol // by "id@version"
}

// NewShelf reads the library and every .yaml file of the folders. A version is
// never changed once it is used: a file that gives another content to a version
// already on the shelf is refused.
func NewShelf(folders ...string) (*Shelf, error) {
	shipped, err := library.Library(document.Parse)
	if err != nil {
		return nil, fmt.Errorf("read the protocols that ship: %w", err)
	}
	shelf := &Shelf{byName: shipped}
	for _, folder := range folders {
		if err := shelf.add(folder); err != nil {
			return nil, err
		}
	}
	return shelf, nil
}

func (s *Shelf) add(folder string) error {
	names, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return fmt.Errorf("list the protocols in %s: %w", folder, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, ".test.yaml") {
			continue
		}
		p, err := readProtocol(name)
		if err != nil {
			return err
		}
		key := p.ID + "@" + p.Version
		if s.byName[key] != nil {
			return fmt.Errorf("%s: version %s of %s exists already and a version never changes: give this one a new version", name, p.Version, p.ID)
		}
		s.byName[key] = p
	}
	return nil
}

func readProtocol(name string) (*protocols.Protocol, error) {
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read a protocol: %w", err)
	}
	doc, err := document.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	p, problems := protocols.Parse(doc)
	for _, problem := range problems {
		if problem.Severity == protocols.Error {
			return nil, fmt.Errorf("%s:%d:%d: %s", name, problem.Line, problem.Column, problem.Message)
		}
	}
	return p, nil
}

// Protocol returns a version of a protocol, or nil. It is a registry.Library.
func (s *Shelf) Protocol(id, version string) *protocols.Protocol {
	return s.byName[id+"@"+version]
}
