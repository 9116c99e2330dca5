package main

import (
	"encoding/xml"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"vigie/protocols"
	"vigie/protocols/document"
	"vigie/protocols/trial"
)

func protocolsTestCommand() *cobra.Command {
	var junit string
	var spoken tongue
	command := &cobra.Command{
		Use:   "test FILE…",
		Short: "Jouer les essais des protocoles et dire ce qui diffère (play the tests beside protocols)",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			if err := spoken.check(); err != nil {
				return err
			}
			suites, err := playAll(names)
			if err != nil {
				return err
			}
			text, failed := suitesText(spoken, suites)
			if _, err := io.WriteString(cmd.OutOrStdout(), text); err != nil {
				return fmt.Errorf("write the results: %w", err)
			}
			if junit != "" {
				if err := writeJUnit(junit, spoken, suites); err != nil {
					return err
				}
			}
			if failed > 0 {
				return exitStatus(1)
			}
			return nil
		},
	}
	command.Flags().StringVar(&junit, "junit", "", "also write the results to this file, as JUnit XML")
	spoken.register(command.Flags())
	return command
}

// suite is the tests of one protocol and how they came out.
type suite struct {
	protocol string
	file     string
	problems []document.Problem // that kept the tests from being played
	results  []trial.TestResult
}

func playAll(names []string) ([]suite, error) {
	var suites []suite
	var played []string
	for _, name := range names {
		s, err := openProtocol(name)
		if err != nil {
			return nil, err
		}
		if slices.Contains(played, s.file) {
			continue
		}
		played = append(played, s.file)
		p, err := s.protocol()
		if err != nil {
			return nil, err
		}
		suites = append(suites, s.play(p))
	}
	return suites, nil
}

func (s *source) play(p *protocols.Protocol) suite {
	played := suite{protocol: p.ID, file: s.tests, problems: s.bad}
	if s.tests == "" {
		played.file = s.besides()
		played.problems = []document.Problem{{Line: 1, Column: 1, Code: "no-tests", Message: protocols.Text{FR: "aucun essai n'accompagne ce protocole", EN: "there are no tests beside this protocol"}, Severity: document.Error}}
	}
	if s.cases == nil {
		return played
	}
	results, problems := trial.RunTests(p, s.cases)
	played.results = results
	for _, problem := range problems {
		if problem.Severity == document.Error {
			played.problems = append(played.problems, problem)
		}
	}
	if len(results) == 0 && len(played.problems) == 0 {
		played.problems = []document.Problem{noTests(s.cases, s.tests)}
	}
	return played
}

// noTests is what a file without a single test deserves: nothing was shown.
func noTests(cases *document.Node, file string) document.Problem {
	return document.Problem{
		File: file, Line: cases.Line, Column: cases.Column, Code: "no-tests", Severity: document.Error,
		Message:    protocols.Text{FR: "ce fichier ne contient aucun essai : rien n'a été montré", EN: "this file holds no test: nothing was shown"},
		Suggestion: protocols.Text{FR: "en écrire un sous tests, avec name, readings et expect", EN: "write one under tests, with name, readings and expect"},
	}
}

// suitesText says what failed, one line per protocol, and counts the failures.
func suitesText(in tongue, suites []suite) (text string, failed int) {
	var out strings.Builder
	for _, s := range suites {
		for _, p := range s.problems {
			failed++
			fmt.Fprintf(&out, "%s:%d:%d: %s: %s\n", s.file, p.Line, p.Column, p.Code, in.say(p.Message))
			if suggestion := in.say(p.Suggestion); suggestion != "" {
				fmt.Fprintf(&out, "    %s\n", suggestion)
			}
		}
		wrong := 0
		for i := range s.results {
			r := &s.results[i]
			if r.Passed() {
				continue
			}
			wrong++
			fmt.Fprintf(&out, "%s:%d: %s %s\n", s.file, r.Line, in.say(protocols.Text{FR: "ÉCHEC", EN: "FAILED"}), r.Name)
			for _, d := range r.Differences {
				fmt.Fprintf(&out, "  %s\n", in.say(d))
			}
		}
		failed += wrong
		fmt.Fprintf(&out, "%-28s %s\n", s.protocol, s.outcome(in, wrong))
	}
	return out.String(), failed
}

// outcome counts what was played and what kept the rest from it. Where nothing was played
// there is no count, which would read like a success.
func (s *suite) outcome(in tongue, wrong int) string {
	if len(s.results) == 0 {
		return in.say(protocols.Text{FR: "aucun essai n'a été joué", EN: "no test was played"})
	}
	said := in.some(len(s.results), testNoun) + ", " + in.some(wrong, failureNoun)
	if len(s.problems) > 0 {
		said += ", " + in.some(len(s.problems), errorNoun)
	}
	return said
}

// The JUnit report: the part of the format that build servers read.
type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Failure *junitFailure `xml:"failure,omitempty"`
}

type junitFailure struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

func (s *suite) junit(in tongue) junitSuite {
	report := junitSuite{Name: s.file}
	add := func(name string, differences []protocols.Text) {
		c := junitCase{Name: name, Class: s.protocol}
		if len(differences) > 0 {
			report.Failures++
			said := make([]string, len(differences))
			for i, d := range differences {
				said[i] = in.say(d)
			}
			c.Failure = &junitFailure{Message: said[0], Text: strings.Join(said, "\n")}
		}
		report.Tests++
		report.Cases = append(report.Cases, c)
	}
	for _, p := range s.problems {
		place := protocols.Text{FR: "ligne %d, colonne %d : %s", EN: "line %d, column %d: %s"}
		add(p.Code, []protocols.Text{{FR: tongue("fr").say(place, p.Line, p.Column, p.Message.FR), EN: tongue("en").say(place, p.Line, p.Column, p.Message.EN)}})
	}
	for i := range s.results {
		add(s.results[i].Name, s.results[i].Differences)
	}
	return report
}

func writeJUnit(file string, in tongue, suites []suite) error {
	var report junitSuites
	for i := range suites {
		report.Suites = append(report.Suites, suites[i].junit(in))
	}
	data, err := xml.MarshalIndent(report, "", "  ")
	if err != nil {
		return fmt.Errorf("write the JUnit report: %w", err)
	}
	if err := os.WriteFile(file, append([]byte(xml.Header), data...), 0o644); err != nil {
		return fmt.Errorf("write the JUnit report: %w", err)
	}
	return nil
}
