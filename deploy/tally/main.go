// Command tally reads what "go test -json" writes, shows failures and skipped
// tests with their reason, and ends with one line: how many passed, failed and
// were skipped. It exits with 1 when anything failed.
//
//	go test -json ./... | go run ./deploy/tally -passed 3
//
// -passed and -failed add checks that were made elsewhere. A package that does
// not build, or that ends without a result, counts as one failure.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	_ "time/tzdata" // every program brings zones
)

func main() {
	passed := flag.Int("passed", 0, "checks made elsewhere that passed")
	failed := flag.Int("failed", 0, "checks made elsewhere that failed")
	flag.Parse()
	t := newTally(os.Stdout)
	t.passed, t.failed = *passed, *failed
	if err := t.read(os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "tally:", err)
		os.Exit(2)
	}
	t.close()
	if t.failed > 0 {
		os.Exit(1)
	}
}

// event is one line of "go test -json"; see "go doc test2json".
type event struct {
	Action     string
	Package    string
	ImportPath string // of what does not build
	Test       string
	Output     string
	Elapsed    float64
}

type tally struct {
	out                     io.Writer
	passed, failed, skipped int
	output                  map[[2]string][]string // by package and test
	open                    map[string]int         // failures inside a package that has not ended
	running                 map[string]bool        // packages without a result
	failures                []string               // what each failed test said first
}

func newTally(out io.Writer) *tally {
	return &tally{out: out, output: map[[2]string][]string{}, open: map[string]int{}, running: map[string]bool{}}
}

func (t *tally) read(r io.Reader) error {
	lines := bufio.NewReader(r)
	for {
		line, err := lines.ReadString('\n')
		if line != "" {
			t.line(line)
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the results: %w", err)
		}
	}
}

func (t *tally) line(line string) {
	var e event
	if json.Unmarshal([]byte(line), &e) != nil {
		fmt.Fprint(t.out, line) // what the go command itself says
		return
	}
	key := [2]string{e.Package, e.Test}
	switch e.Action {
	case "start":
		t.running[e.Package] = true
	case "build-output":
		fmt.Fprint(t.out, e.Output)
	case "output":
		t.output[key] = append(t.output[key], e.Output)
	case "pass", "fail", "skip":
		t.end(e)
		delete(t.output, key)
	}
}

// end counts one test, or one package whose tests say nothing of its failure.
func (t *tally) end(e event) {
	if e.Test == "" {
		t.endPackage(e)
		return
	}
	name := e.Package + " " + e.Test
	said := t.output[[2]string{e.Package, e.Test}]
	switch e.Action {
	case "pass":
		t.passed++
	case "skip":
		t.skipped++
		fmt.Fprintf(t.out, "SKIP %s: %s\n", name, reason(said))
	case "fail":
		t.failed++
		t.open[e.Package]++
		t.failures = append(t.failures, fmt.Sprintf("%s: %s", name, first(said)))
		fmt.Fprintf(t.out, "FAIL %s\n%s", name, strings.Join(said, ""))
	}
}

func (t *tally) endPackage(e event) {
	delete(t.running, e.Package)
	if e.Action == "fail" && t.open[e.Package] == 0 {
		t.failed++
		fmt.Fprintf(t.out, "FAIL %s\n%s", e.Package, strings.Join(t.output[[2]string{e.Package, ""}], ""))
		return
	}
	if e.Action != "skip" { // a package without tests
		fmt.Fprintf(t.out, "%-4s %s %.1fs\n", e.Action, e.Package, e.Elapsed)
	}
}

// close counts what never ended, says once more what failed, since logs of servers may stand
// behind it, and writes the closing line.
func (t *tally) close() {
	for name := range t.running {
		t.failed++
		fmt.Fprintf(t.out, "FAIL %s: ended without a result\n", name)
	}
	for _, failure := range t.failures {
		fmt.Fprintln(t.out, "failed:", failure)
	}
	fmt.Fprintf(t.out, "%d passed, %d failed, %d skipped\n", t.passed, t.failed, t.skipped)
}

// first is how what a failed test said begins: its errors, and what it logged before them.
func first(output []string) string {
	const enough = 2_000
	said := reason(output)
	return said[:min(len(said), enough)]
}

// reason finds what a skipped test said, between the lines of the test runner.
func reason(output []string) string {
	var said []string
	for _, line := range output {
		line = strings.TrimSpace(line)
		if line != "" && !strings.HasPrefix(line, "=== ") && !strings.HasPrefix(line, "--- ") {
			said = append(said, line)
		}
	}
	return strings.Join(said, " ")
}
