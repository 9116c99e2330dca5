package main

import (
	"fmt"
	"os"
	"time"

	"github.com/goccy/go-yaml"

	"vigie/cmd/vigie/service"
	"vigie/ingest"
	"vigie/ingest/formats/gateway"
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
	return nil
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
