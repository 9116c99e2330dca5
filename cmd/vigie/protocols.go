package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"vigie/cmd/vigie/service"
	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/document"
	"vigie/protocols/language"
	"vigie/protocols/library"
	"vigie/protocols/nomenclature"
)

// protocolsCommand groups the tools with which a care protocol is written,
// reviewed and tested.
func protocolsCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "protocols",
		Short: "Écrire, vérifier, essayer et lire les protocoles de soins (write, check, test and read care protocols)",
		Long: `Écrire, vérifier, essayer et lire les protocoles de soins.

Un FILE est le chemin d'un protocole (heart-failure.yaml), ou le nom d'un de ceux
qui sont livrés (heart-failure). Ses essais sont à côté, dans
heart-failure.test.yaml.

Write, check, test and read care protocols. A FILE is the path of a protocol
(heart-failure.yaml), or the id of one that ships (heart-failure). Its tests
stand beside it, in heart-failure.test.yaml.`,
	}
	command.AddCommand(
		protocolsListCommand(), protocolsCheckCommand(), protocolsTestCommand(), protocolsShowCommand(openPastStore), protocolsDiffCommand(), protocolsSchemaCommand(),
	)
	return command
}

func protocolsListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "Lister les protocoles livrés (list the protocols that ship)",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, id := range library.Names() {
				source, err := openProtocol(id)
				if err != nil {
					return err
				}
				p, _ := language.Parse(source.doc)
				if p == nil {
					return fmt.Errorf("the protocol %s that ships cannot be read; run vigie protocols check %s", id, id)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%-24s version %-4s %-8s %s\n", p.ID, p.Version, p.Status, p.Title.FR)
			}
			return nil
		},
	}
}

func protocolsSchemaCommand() *cobra.Command {
	var tests, measures bool
	command := &cobra.Command{
		Use:   "schema",
		Short: "Imprimer le schéma JSON du langage, pour les éditeurs (print the JSON Schema, for editors)",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			schema := language.Schema()
			if tests {
				schema = language.TestsSchema()
			}
			if measures {
				schema = nomenclature.Schema()
			}
			_, err := cmd.OutOrStdout().Write(schema)
			return err
		},
	}
	command.Flags().BoolVar(&tests, "tests", false, "the schema of the tests beside a protocol")
	command.Flags().BoolVar(&measures, "measures", false, "the schema of a file of measures")
	command.MarkFlagsMutuallyExclusive("tests", "measures")
	return command
}

// source is a protocol as it was found, with the tests beside it.
type source struct {
	file  string // for messages
	doc   *document.Node
	tests string         // file; empty when there are none
	cases *document.Node // the tests
	bad   []document.Problem
	left  []string // measures of a file beside it that cannot be used, as bad says
}

// openProtocol reads a protocol and its tests from a file or from the library.
// What is no YAML is a problem of the source; what cannot be read is an error.
func openProtocol(name string) (*source, error) {
	file, folder, read, err := locate(name)
	if err != nil {
		return nil, err
	}
	s := &source{file: file}
	if folder != "" {
		if s.bad, s.left, err = service.DefineMeasures(folder); err != nil {
			return nil, err
		}
	}
	data, err := read(file)
	if err != nil {
		return nil, fmt.Errorf("read the protocol: %w", err)
	}
	s.doc = s.parse(file, data)
	tests := s.besides()
	data, err = read(tests)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the tests: %w", err)
	}
	s.tests = tests
	s.cases = s.parse(tests, data)
	return s, nil
}

// besides is the file in which the tests of a protocol stand.
func (s *source) besides() string { return strings.TrimSuffix(s.file, ".yaml") + ".test.yaml" }

// locate tells where a protocol is: a file, or one that ships. The name of a file
// of tests means the protocol beside it. The folder is empty for one that ships.
func locate(name string) (file, folder string, read func(string) ([]byte, error), err error) {
	if base, ok := strings.CutSuffix(name, ".test.yaml"); ok {
		name = base + ".yaml"
	}
	if _, err := os.Stat(name); err == nil {
		return name, filepath.Dir(name), os.ReadFile, nil
	}
	if _, shipped := fs.Stat(library.FS, name+".yaml"); shipped == nil {
		return name + ".yaml", "", library.FS.ReadFile, nil
	}
	return "", "", nil, fmt.Errorf("%s is neither a file nor a protocol that ships; these ship: %s", name, strings.Join(library.Names(), ", "))
}

func (s *source) parse(file string, data []byte) *document.Node {
	doc, err := yaml.Parse(data)
	if err == nil {
		return doc
	}
	problem := document.Problem{Line: 1, Column: 1, Code: "not-yaml", Message: protocols.Text{FR: err.Error(), EN: err.Error()}, Severity: document.Error}
	var where *yaml.Error
	if errors.As(err, &where) {
		problem = where.Problem()
	}
	problem.File = file
	s.bad = append(s.bad, problem)
	return nil
}

// protocol returns what the source holds, or an error that lists the problems.
func (s *source) protocol() (*protocols.Protocol, error) {
	problems := s.bad
	if s.doc != nil {
		p, found := language.Parse(s.doc)
		if p != nil {
			return p, nil
		}
		problems = append(problems, found...)
	}
	first := problems[0]
	if first.File != "" && first.File != s.file {
		return nil, fmt.Errorf("%s cannot be used: %s, line %d, column %d: %s; see vigie protocols check %s", s.file, first.File, first.Line, first.Column, first.Message.EN, s.file)
	}
	return nil, fmt.Errorf("%s cannot be used: line %d, column %d: %s; see vigie protocols check %s", s.file, first.Line, first.Column, first.Message.EN, s.file)
}
