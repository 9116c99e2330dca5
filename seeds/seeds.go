// Package seeds is what ships as data: the demonstration cohort and what its
// patients live. Nobody in it exists.
//
// Glossary: plan = what is laid out beforehand; act = what a person does; take = get the
// next of what is there, which nobody else gets then; settle = what was pending becomes
// final; note = write down for later, and change nothing else.
package seeds

import (
	"context"
	_ "embed"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"vigie/ingest/registry"
	"vigie/ingest/yaml"
	"vigie/protocols/document"
)

//go:embed cohort.yaml
var cohort []byte

// Cohort returns the demonstration cohort for a demonstration that begins at
// start, complete but for the passwords of the devices. Whatever start is, its
// consents and prescriptions hold for weeks before and months after.
func Cohort(start time.Time) (registry.Registry, error) {
	return read(cohort, start)
}

func read(template []byte, start time.Time) (registry.Registry, error) {
	doc, err := yaml.Parse(template)
	if err != nil {
		return registry.Registry{}, fmt.Errorf("reading the cohort: %w", err)
	}
	resolve(doc, start)
	reg, problems, err := registry.Check(context.Background(), doc, nil, nil)
	if err != nil {
		return registry.Registry{}, fmt.Errorf("checking the cohort: %w", err)
	}
	if registry.Refused(problems) {
		p := problems[0]
		return registry.Registry{}, fmt.Errorf("the cohort, line %d, column %d: %s", p.Line, p.Column, p.Message.EN)
	}
	return reg, nil
}

// offset is a date in a template: days from the start.
var offset = regexp.MustCompile(`^[+-][0-9]+d$`)

// resolve puts dates in the place of offsets. They are days of the patient's
// civil calendar: registry.Check begins each in the time zone of its enrolment.
func resolve(n *document.Node, start time.Time) {
	for _, item := range n.Items {
		resolve(item, start)
	}
	if n.Kind != document.Scalar || !offset.MatchString(n.Text) {
		return
	}
	days, err := strconv.Atoi(n.Text[:len(n.Text)-1])
	if err != nil {
		return // more days than a number holds: Check says that it is no date
	}
	n.Text = start.UTC().AddDate(0, 0, days).Format(time.DateOnly)
}
