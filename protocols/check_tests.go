package protocols

import "fmt"

// TestsFile stands for the name of the file of tests in a Problem of Check,
// which knows no file names.
const TestsFile = "tests"

// tested notes rules that no test raises, and what is wrong with the tests.
func (c *checker) tested(tests []*Node) {
	raised := map[string]bool{}
	for _, doc := range tests {
		timelines, problems := ParseTimelines(c.protocol, doc)
		for i := range problems {
			problems[i].File = TestsFile
		}
		c.problems = append(c.problems, problems...)
		for i := range timelines {
			for _, e := range timelines[i].Expect {
				raised[e.Rule+" "+e.Level.String()] = true
			}
		}
	}
	for i, at := range c.items(c.doc.key("rules")) {
		rule := &c.protocol.Rules[i]
		for _, level := range rule.raises() {
			if !raised[rule.ID+" "+level.String()] {
				c.note(at, Warning, "untested", fmt.Sprintf("no test raises %s at the level %s", rule.ID, level), "add a test that does, and one just below")
			}
		}
	}
}
