// Package library holds the care protocols that ship with Vigie, as data. All
// of them are examples, to be validated by a professional before use; each has
// its tests beside it, in a file named <id>.test.yaml.
package library

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"vigie/protocols"
	"vigie/protocols/document"
	"vigie/protocols/language"
)

//go:embed *.yaml
var files embed.FS

// FS holds <id>.yaml and <id>.test.yaml for every protocol of the library.
var FS = document.Packed{Folder: files}

// Library reads every protocol that ships, by "id@version". The reader of the
// file format is passed in: this package knows none.
func Library(parse func([]byte) (*document.Node, error)) (map[string]*protocols.Protocol, error) {
	shipped := map[string]*protocols.Protocol{}
	for _, name := range Names() {
		p, err := load(name+".yaml", parse)
		if err != nil {
			return nil, err
		}
		shipped[p.ID+"@"+p.Version] = p
	}
	return shipped, nil
}

// Names lists the protocols that ship, in alphabetical order.
func Names() []string {
	files, err := fs.Glob(FS, "*.yaml")
	if err != nil {
		panic("library: the pattern is a constant and well formed: " + err.Error())
	}
	var names []string
	for _, file := range files {
		if !strings.HasSuffix(file, ".test.yaml") {
			names = append(names, strings.TrimSuffix(file, ".yaml"))
		}
	}
	return names
}

func load(file string, parse func([]byte) (*document.Node, error)) (*protocols.Protocol, error) {
	data, err := FS.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the protocol %s: %w", file, err)
	}
	doc, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("read the protocol %s: %w", file, err)
	}
	p, problems := language.Parse(doc)
	if p == nil {
		return nil, fmt.Errorf("read the protocol %s: %w", file, errors.Join(asErrors(problems)...))
	}
	return p, nil
}

func asErrors(problems []document.Problem) []error {
	list := make([]error, len(problems))
	for i, p := range problems {
		list[i] = fmt.Errorf("line %d, column %d: %s", p.Line, p.Column, p.Message.EN)
	}
	return list
}
