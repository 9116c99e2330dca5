// Check prints, for every system, whether the programs build, whether all packages and
// their tests compile, and how the tests are run.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	_ "time/tzdata" // every program brings zones

	"vigie/deploy/systems"
)

func main() {
	types := flag.Bool("types", false, "of systems that are like another, check types and make no code: a tenth of the time")
	names := flag.String("systems", "", "only these, as linux-amd64,windows-arm64")
	flags := flag.Bool("flags", false, "print what the programs of these systems are compiled with, a flag a line, and do nothing else")
	flag.Parse()
	if *flags {
		printFlags(*names, os.Stdout)
		return
	}
	if err := run(*types, *names, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "check:", err)
		os.Exit(1)
	}
}

func run(types bool, names string, out io.Writer) error {
	list, known := systems.Named(names)
	if !known {
		return errors.New("only systems of deploy/systems can be named")
	}
	var failed []error
	fmt.Fprintf(out, "%-14s %-18s %-18s %s\n", "system", "programs", "packages, tests", "tests run")
	for _, s := range list {
		began := time.Now()
		check := compile
		if types && s.Like != "" {
			check = typeCheck
		}
		programs, tests := check(s)
		failed = append(failed, programs.err, tests.err)
		fmt.Fprintf(out, "%-14s %-18s %-18s %s (%.0f s)\n", s.Name(), programs, tests, s.Tests, time.Since(began).Seconds())
	}
	return errors.Join(failed...)
}

// printFlags prints the flags of a release, for tests that are compiled alike.
func printFlags(names string, out io.Writer) {
	list, _ := systems.Named(names)
	for _, s := range list {
		fmt.Fprintln(out, strings.Join(s.Stripped(), "\n"))
	}
}

// outcome is one cell of the table.
type outcome struct {
	well string // what it says when all is well
	err  error
}

func (o outcome) String() string {
	if o.err != nil {
		return "FAIL"
	}
	return o.well
}
