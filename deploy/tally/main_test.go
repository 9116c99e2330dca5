package main

import (
	"strings"
	"testing"
)

func TestTally(t *testing.T) {
	for _, c := range []struct{ name, input, last, contains string }{
		{"counts", `{"Action":"start","Package":"vigie/a"}
{"Action":"pass","Package":"vigie/a","Test":"TestOne"}
{"Action":"output","Package":"vigie/a","Test":"TestTwo","Output":"=== RUN   TestTwo\n"}
{"Action":"output","Package":"vigie/a","Test":"TestTwo","Output":"    a_test.go:3: needs a real server\n"}
{"Action":"skip","Package":"vigie/a","Test":"TestTwo"}
{"Action":"pass","Package":"vigie/a"}
`, "1 passed, 0 failed, 1 skipped", "SKIP vigie/a TestTwo: a_test.go:3: needs a real server"},
		{"a failed test is one failure, its package none", `{"Action":"start","Package":"vigie/a"}
{"Action":"output","Package":"vigie/a","Test":"TestOne","Output":"got 2, want 3\n"}
{"Action":"fail","Package":"vigie/a","Test":"TestOne"}
{"Action":"fail","Package":"vigie/a"}
`, "0 passed, 1 failed, 0 skipped", "failed: vigie/a TestOne: got 2, want 3"},
		{"a package that does not build", `{"ImportPath":"vigie/a","Action":"build-output","Output":"a.go:1: undefined: x\n"}
{"ImportPath":"vigie/a","Action":"build-fail"}
{"Action":"start","Package":"vigie/a"}
{"Action":"fail","Package":"vigie/a","FailedBuild":"vigie/a"}
`, "0 passed, 1 failed, 0 skipped", "undefined: x"},
		{"a package that never ends", `{"Action":"start","Package":"vigie/a"}
{"Action":"pass","Package":"vigie/a","Test":"TestOne"}
`, "1 passed, 1 failed, 0 skipped", "ended without a result"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var out strings.Builder
			tally := newTally(&out)
			if err := tally.read(strings.NewReader(c.input)); err != nil {
				t.Fatal(err)
			}
			tally.close()
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			if got := lines[len(lines)-1]; got != c.last {
				t.Errorf("closing line %q, want %q", got, c.last)
			}
			if !strings.Contains(out.String(), c.contains) {
				t.Errorf("%q is not in\n%s", c.contains, out.String())
			}
		})
	}
}
