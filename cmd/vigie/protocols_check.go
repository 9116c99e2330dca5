package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"vigie/cmd/vigie/service"
	"vigie/protocols"
	"vigie/protocols/document"
	"vigie/protocols/review"
	"vigie/protocols/trial"
)

func protocolsCheckCommand() *cobra.Command {
	var format string
	var spoken tongue
	command := &cobra.Command{
		Use:   "check FILE…",
		Short: "Dire ce qui ne va pas dans des protocoles (say what is wrong with protocols)",
		Long: `Dire ce qui ne va pas dans des protocoles : structure, unités, seuils, origines,
traductions, non-transmission, essais.

Say what is wrong with protocols, each finding with its line, its column, a
stable code and what to do. The exit status is 1 when there is an error; warnings
alone leave it at 0.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			write, known := problemFormats[format]
			if !known {
				return fmt.Errorf("--format %s: use text, json or sarif", format)
			}
			if err := spoken.check(); err != nil {
				return err
			}
			files, problems, err := checkAll(names)
			if err != nil {
				return err
			}
			if err := write(cmd.OutOrStdout(), spoken, files, problems); err != nil {
				return fmt.Errorf("write the findings: %w", err)
			}
			if document.Refused(problems) {
				return exitStatus(1)
			}
			return nil
		},
	}
	command.Flags().StringVar(&format, "format", "text", "text, json or sarif")
	spoken.register(command.Flags())
	return command
}

// checkAll checks each protocol once, whichever of its two files was named.
func checkAll(names []string) (files []string, problems []document.Problem, err error) {
	problems = []document.Problem{}
	measures := map[string]*protocols.Measure{}
	for _, name := range names {
		if strings.HasSuffix(name, service.MeasuresSuffix) {
			found, err := service.CheckMeasures(name, measures)
			if err != nil {
				return nil, nil, err
			}
			files, problems = append(files, name), append(problems, found...)
			continue
		}
		s, err := openProtocol(name)
		if err != nil {
			return nil, nil, err
		}
		if slices.Contains(files, s.file) {
			continue
		}
		files = append(files, s.file)
		problems = append(problems, s.check()...)
	}
	return files, slices.CompactFunc(problems, func(a, b document.Problem) bool { return a == b }), nil
}

func (s *source) check() []document.Problem {
	problems := slices.Clone(s.bad)
	if s.doc == nil {
		return problems
	}
	var tests []*document.Node
	if s.cases != nil {
		tests = append(tests, s.cases)
	}
	found := slices.DeleteFunc(trial.Check(s.doc, tests...), s.ofUnread)
	for i := range found {
		if found[i].File == "" {
			found[i].File = s.file
		}
		if found[i].File == review.TestsFile {
			found[i].File = s.tests
		}
	}
	problems = append(problems, found...)
	if s.cases != nil && len(s.cases.Get("tests").Listed()) == 0 && !slices.ContainsFunc(found, func(p document.Problem) bool { return p.File == s.tests }) {
		problems = append(problems, noTests(s.cases, s.tests))
	}
	if s.tests == "" {
		problems = append(problems, document.Problem{
			File: s.file, Line: 1, Column: 1, Code: "no-tests", Message: protocols.Text{FR: "aucun essai n'accompagne ce protocole", EN: "no tests stand beside this protocol"},
			Suggestion: protocols.Text{FR: "les écrire dans " + s.besides(), EN: "write them in " + s.besides()}, Severity: document.Warning,
		})
	}
	return problems
}

// ofUnread reports whether a problem is that of a measure beside the protocol that cannot be
// used, which is said already.
func (s *source) ofUnread(p document.Problem) bool {
	if p.Code != "unknown-measure" || p.File == review.TestsFile {
		return false
	}
	at := s.doc.Find(p.Path)
	return at.Node != nil && slices.Contains(s.left, at.Node.Text)
}

// problemFormats are the forms in which findings are printed.
var problemFormats = map[string]func(io.Writer, tongue, []string, []document.Problem) error{
	"text": writeProblems, "json": writeProblemsJSON, "sarif": writeSARIF,
}

func writeProblems(out io.Writer, in tongue, files []string, problems []document.Problem) error {
	if err := listProblems(out, in, problems); err != nil {
		return err
	}
	errors := 0
	for _, p := range problems {
		if p.Severity == document.Error {
			errors++
		}
	}
	_, err := io.WriteString(out, in.say(protocols.Text{FR: "vérification de %s : %s, %s\n", EN: "%s checked: %s, %s\n"},
		in.some(len(files), checkedNoun(files)), in.some(errors, errorNoun), in.some(len(problems)-errors, warningNoun)))
	return err
}

// checkedNoun is what was checked: protocols, or files where measures are among them.
func checkedNoun(files []string) noun {
	if slices.ContainsFunc(files, func(name string) bool { return strings.HasSuffix(name, service.MeasuresSuffix) }) {
		return fileNoun
	}
	return protocolNoun
}

// writeProblemsJSON writes the findings in one language, as plain strings.
func writeProblemsJSON(out io.Writer, in tongue, files []string, problems []document.Problem) error {
	type said struct {
		document.Problem
		Message    string `json:"message"`
		Suggestion string `json:"suggestion,omitempty"`
	}
	list := make([]said, len(problems))
	for i, p := range problems {
		list[i] = said{p, in.say(p.Message), in.say(p.Suggestion)}
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(map[string]any{"files": files, "problems": list})
}

// writeSARIF writes the findings as SARIF 2.1.0 (OASIS), which code review tools
// show beside the lines.
func writeSARIF(out io.Writer, in tongue, _ []string, problems []document.Problem) error {
	type object = map[string]any
	results := []object{}
	rules := []object{}
	seen := map[string]bool{}
	for _, p := range problems {
		if !seen[p.Code] {
			seen[p.Code] = true
			rules = append(rules, object{"id": p.Code})
		}
		message := in.say(p.Message)
		if suggestion := in.say(p.Suggestion); suggestion != "" {
			message += " (" + suggestion + ")"
		}
		results = append(results, object{
			"ruleId": p.Code, "level": p.Severity, "message": object{"text": message},
			"locations": []object{{"physicalLocation": object{
				"artifactLocation": object{"uri": p.File},
				"region":           object{"startLine": p.Line, "startColumn": p.Column},
			}}},
		})
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(object{
		"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0",
		"runs": []object{{"tool": object{"driver": object{"name": "vigie protocols check", "rules": rules}}, "results": results}},
	})
}
