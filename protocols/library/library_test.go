package library_test

import (
	"slices"
	"testing"

	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/document"
	"vigie/protocols/language"
	"vigie/protocols/library"
	"vigie/protocols/review"
	"vigie/protocols/trial"
)

func TestEveryShippedProtocolCanBeRead(t *testing.T) {
	shipped, err := library.Library(yaml.Parse)
	if err != nil {
		t.Fatal(err)
	}
	if len(shipped) != len(library.Names()) {
		t.Errorf("%d protocols in %d files", len(shipped), len(library.Names()))
	}
	for id, p := range shipped {
		if id != p.ID+"@"+p.Version || !slices.Contains(library.Names(), p.ID) {
			t.Errorf("%s is %s in version %s, in no file of that name", id, p.ID, p.Version)
		}
		if p.Status != "example" {
			t.Errorf("%s has status %q; nobody has validated it: it must say example", id, p.Status)
		}
	}
}

// TestEveryShippedProtocolStandsReview holds the library to what vigie protocols
// check asks of anybody's protocol, warnings included: every number has an
// origin, every rule is raised by a test at every level.
func TestEveryShippedProtocolStandsReview(t *testing.T) {
	for _, id := range library.Names() {
		for _, p := range trial.Check(read(t, id+".yaml"), read(t, id+".test.yaml")) {
			file := id + ".yaml"
			if p.File == review.TestsFile {
				file = id + ".test.yaml"
			}
			t.Errorf("%s:%d:%d: %s: %s", file, p.Line, p.Column, p.Code, p.Message)
		}
	}
}

func TestEveryShippedProtocolPassesItsTests(t *testing.T) {
	for _, id := range library.Names() {
		p, _ := language.Parse(read(t, id+".yaml"))
		results, problems := trial.RunTests(p, read(t, id+".test.yaml"))
		for _, problem := range problems {
			t.Errorf("%s.test.yaml:%d:%d: %s", id, problem.Line, problem.Column, problem.Message)
		}
		for _, result := range results {
			t.Run(id+"/"+result.Name, func(t *testing.T) {
				for _, difference := range result.Differences {
					t.Errorf("%s.test.yaml:%d: %s", id, result.Line, difference)
				}
			})
		}
	}
}

// TestEverySentenceIsPlayed holds what every rule says, at every level and in both
// languages, by a test beside its protocol.
func TestEverySentenceIsPlayed(t *testing.T) {
	for _, id := range library.Names() {
		p, _ := language.Parse(read(t, id+".yaml"))
		tests, _ := language.ParseTimelines(p, read(t, id+".test.yaml"))
		played := map[string]bool{}
		for i := range tests {
			for _, e := range tests[i].Expect {
				played[e.Rule+" "+e.Level.String()] = played[e.Rule+" "+e.Level.String()] || e.Says.FR != "" && e.Says.EN != ""
			}
		}
		for i := range p.Rules {
			for _, level := range p.Rules[i].Raises() {
				if !played[p.Rules[i].ID+" "+level.String()] {
					t.Errorf("%s: no test holds what %s says at %s in French and in English", id, p.Rules[i].ID, level)
				}
			}
		}
	}
}

func read(t *testing.T, file string) *document.Node {
	t.Helper()
	data, err := library.FS.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := yaml.Parse(data)
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return doc
}

// TestTheLibraryShowsEveryShapeOfARule keeps an example of everything that the
// language can say.
func TestTheLibraryShowsEveryShapeOfARule(t *testing.T) {
	shipped, err := library.Library(yaml.Parse)
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, p := range shipped {
		for i := range p.Rules {
			noteRule(used, &p.Rules[i])
		}
		for i := range p.Parameters {
			used["must be set"] = used["must be set"] || p.Parameters[i].MustBeSet
		}
		for i := range p.Observations {
			used["plausible"] = used["plausible"] || p.Observations[i].Plausible != nil
		}
	}
	for _, shape := range []string{
		"last", "mean", "median", "min", "max", "sum", "count", "share", "streak", "events", "change", "step", "rise", "fall",
		"rise-percent", "fall-percent", "slope", "cv", "gmi", "wear", "days-covered", "improbable",
		"clear", "margin", "until", "minus another measure", "meal", "remark", "plausible", "must be set", "seed", "as percent", "as deviations", "score", "so many of", "confirm", "confirm apart", "lasting", "days", "minus", "minus component", "per component", "floor", "apart", "flag", "hours of the day", "multiple of a parameter", "parameter", "variant",
		"window of hours", "window of days", "all", "any", "not", "held by", "yields to", "absence per day", "absence per week", "absence per session",
		"technical", "yellow", "orange", "red",
		"pill-dispenser", "implant", "dialysis-session", "symptom",
	} {
		if !used[shape] {
			t.Errorf("no rule of the library shows %q", shape)
		}
	}
}

func noteRule(used map[string]bool, rule *protocols.Rule) {
	used["held by"] = used["held by"] || len(rule.HeldBy) > 0
	used["yields to"] = used["yields to"] || len(rule.YieldsTo) > 0
	used["remark"] = used["remark"] || len(rule.Remarks) > 0
	if a := rule.Absence; a != nil {
		used["absence per "+string(a.Cadence.Per)] = true
	}
	for i := range rule.Levels {
		l := &rule.Levels[i]
		used[l.Level.String()] = true
		used["confirm"] = used["confirm"] || l.Confirm > 0
		used["confirm apart"] = used["confirm apart"] || l.ConfirmApart > 0
		noteCondition(used, &l.When)
	}
}

func noteCondition(used map[string]bool, c *protocols.Condition) {
	if c.Score != nil {
		used["score"] = true
		for i := range c.Score.Parts {
			noteCondition(used, &c.Score.Parts[i].When)
		}
	}
	for word, parts := range map[string][]protocols.Condition{"all": c.All, "any": c.Any, "so many of": c.Of} {
		for i := range parts {
			used[word] = true
			noteCondition(used, &parts[i])
		}
	}
	if c.Not != nil {
		used["not"] = true
		noteCondition(used, c.Not)
	}
	if c.Compare != nil {
		noteComparison(used, c.Compare)
	}
}

func noteComparison(used map[string]bool, c *protocols.Comparison) {
	for shape, is := range map[string]bool{
		string(c.Statistic): true, c.Measure.ID: true,
		"clear": c.Clear != nil, "margin": c.Margin != 0, "lasting": c.Lasting > 0, "days": c.Days != protocols.Operand{},
		"minus": c.Minus != nil, "minus component": c.MinusComponent >= 0, "per component": c.PerComponent >= 0, "floor": c.Floor > 0, "apart": c.Apart > 0,
		"parameter": c.Threshold.Parameter != "", "variant": c.Variant > 0,
		"flag": c.Flag != "", "hours of the day": c.Hours != protocols.Hours{}, "by a meal": c.Meal != "", "multiple of a parameter": c.Threshold.Factor != 0,
		"minus another measure": c.Beside != nil, "until": c.Until != nil, "meal": c.Meal != "",
		"seed": c.Minus != nil && c.Minus.Seed != protocols.Operand{}, "as percent": c.Minus != nil && c.Minus.As == protocols.InPercent, "as deviations": c.Minus != nil && c.Minus.As == protocols.InDeviations,
		"window of hours": c.Window.Length > 0, "window of days": c.Window.Days > 0,
	} {
		used[shape] = used[shape] || is
	}
}
