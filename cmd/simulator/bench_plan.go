package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"vigie/cmd/vigie/service"
	"vigie/ingest"
	"vigie/ingest/conformance"
	"vigie/ingest/formats/gateway"
	"vigie/protocols"
)

// plannedBench is a file that says what a device claims, and what is tried.
type plannedBench struct {
	Device   string        `yaml:"device"`
	Measures []string      `yaml:"measures"`
	Receipts *bool         `yaml:"receipts"`
	Clock    string        `yaml:"clock"`
	Buffers  *bool         `yaml:"buffers"`
	Every    time.Duration `yaml:"every"`
	Trials   []string      `yaml:"trials"`
	Gateways []string      `yaml:"gateways"`
	Readings int           `yaml:"readings"`
	For      time.Duration `yaml:"for"`

	Each map[string]plannedMeasure `yaml:"each"` // by measure
}

// plannedMeasure is what a device claims of one measure.
type plannedMeasure struct {
	Every time.Duration         `yaml:"every"`
	Flags []string              `yaml:"flags"`
	Shows map[string][2]float64 `yaml:"shows"` // from, to, by component
	Unit  string                `yaml:"unit"`  // of shows; the measure's own when empty
}

// claim reads what is claimed of a measure.
func (p *plannedMeasure) claim(id string) (c conformance.Claim, err error) {
	m := protocols.MeasureByID(id)
	if m == nil {
		return c, fmt.Errorf("there is no measure %q: use one of %s", id, measureNames())
	}
	for _, word := range p.Flags {
		if !slices.Contains(conformance.FlagsOf(m), word) {
			return c, fmt.Errorf("flags: %q does not go with it: use some of %s", word, strings.Join(conformance.FlagsOf(m), ", "))
		}
	}
	c = conformance.Claim{Every: p.Every, Flags: p.Flags, Shows: map[string]conformance.Scale{}}
	for name, ends := range p.Shows {
		if c.Shows[name], err = p.scale(m, name, ends); err != nil {
			return c, err
		}
	}
	return c, nil
}

// scale is from where to where a component is shown, in its canonical unit.
func (p *plannedMeasure) scale(m *protocols.Measure, name string, ends [2]float64) (s conformance.Scale, err error) {
	at := m.Component(name)
	if at < 0 {
		return s, fmt.Errorf("shows: there is no component %q", name)
	}
	unit := p.Unit
	if unit == "" || m.Components[at].Own {
		unit = m.Components[at].Unit
	}
	for i, end := range []*protocols.Value{&s.From, &s.To} {
		number, suits := m.Convert(at, ends[i], unit)
		if !suits {
			return s, fmt.Errorf("unit: %q is none of %s", unit, strings.Join(m.UnitsFor(at), ", "))
		}
		*end, _ = protocols.Of(number)
	}
	if s.From >= s.To {
		return s, fmt.Errorf("shows: %s is written from the lowest number to the highest: [40, 400]", name)
	}
	return s, nil
}

// readPlan takes what the file says in the place of the flags.
func (b *benching) readPlan() error {
	text, err := os.ReadFile(b.plan)
	if err != nil {
		return fmt.Errorf("--plan: %w", err)
	}
	var p plannedBench
	if err := yaml.UnmarshalWithOptions(text, &p, yaml.Strict()); err != nil {
		return fmt.Errorf("--plan %s: %w", b.plan, err)
	}
	for id, of := range p.Each {
		c, err := of.claim(id)
		if err != nil {
			return fmt.Errorf("--plan %s: each: %s: %w", b.plan, id, err)
		}
		if b.profile.Claims == nil {
			b.profile.Claims = map[string]conformance.Claim{}
		}
		b.profile.Claims[id] = c
	}
	b.take(&p)
	return nil
}

// take puts what the file says in the place of the flags.
func (b *benching) take(p *plannedBench) {
	if p.Device != "" {
		b.device = p.Device
	}
	if p.Measures != nil {
		b.profile.Measures = p.Measures
	}
	if p.Receipts != nil {
		b.profile.Receipts = *p.Receipts
	}
	if p.Clock != "" {
		b.clock = p.Clock
	}
	if p.Buffers != nil {
		b.profile.Buffers = *p.Buffers
	}
	if p.Every > 0 {
		b.profile.Every = p.Every
	}
	if p.Trials != nil {
		b.trialNames = p.Trials
	}
	if p.Gateways != nil {
		b.gateways = p.Gateways
	}
	if p.Readings > 0 {
		b.readings = p.Readings
	}
	if p.For > 0 {
		b.lasts = p.For
	}
}

// mappings are the gateways whose topics are read.
func (b *benching) mappings() (all []ingest.Gateway, err error) {
	for _, name := range b.gateways {
		text, err := service.Mapping(name)
		if err != nil {
			return nil, fmt.Errorf("--gateway: %w", err)
		}
		read, problems := gateway.Parse(text, "")
		if len(problems) > 0 {
			return nil, fmt.Errorf("--gateway %s: %s", name, problems[0].Message.EN)
		}
		all = append(all, read)
	}
	return all, nil
}
