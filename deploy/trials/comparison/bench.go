// Comparison measures Vigie beside the stack that people would otherwise use,
// on one machine and in one go: rounds of the same readings through one after
// another, so that what disturbs the machine disturbs all alike, and ratios
// rather than absolute figures.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"vigie/deploy/load"
	"vigie/deploy/servers"
	"vigie/seeds"
)

// options say what to measure with.
type options struct {
	Vigie    string // path of the program
	Telegraf string // path of the program
	NodeRED  string // path of its red.js; it is left out when empty
	Former   string // path of Vigie as it was, to be tried beside it at a steady rate; may be empty
	Quick    bool   // the comparison alone, with few readings
	Readings int64  // in one measurement of the comparison; 0 for a sound number
	Rounds   int    // of the comparison; 0 for a sound number
	Part     string // the one to run: "compare", "steady", "rest" or "backlog" of it, "growth", "connections" of it; all when empty
	// SteadyFor is how long a steady rate is kept; Devices names the one pace to be
	// tried by how many send, 0 for all; Side the one side, empty for all.
	SteadyFor time.Duration
	Devices   int
	Side      string
	Out       io.Writer
}

const (
	devices  = 50 // that publish at a time
	inFlight = 20 // messages of each that are not acknowledged
	measure  = "blood-pressure"
	password = "the password of devices that do not exist"
)

// bench is one run of everything.
type bench struct {
	options
	dir    string
	influx *servers.InfluxServer
	serial int // of measurements, for names
}

// run measures and prints. The last line holds the medians of the comparison:
// "B/A=1.02 C/A=1.61 D/A=2.05 cpu/telegraf=0.90".
func run(ctx context.Context, o options) (err error) {
	b := &bench{options: o}
	if b.Readings == 0 {
		b.Readings = 200_000
		if b.Quick {
			b.Readings = 50_000
		}
	}
	if b.Rounds == 0 {
		b.Rounds = 5
		if b.Quick {
			b.Rounds = 2
		}
	}
	if b.dir, err = os.MkdirTemp("", "vigie-bench-"); err != nil {
		return fmt.Errorf("make a folder for the bench: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(b.dir)) }()
	if b.influx, err = servers.StartInflux(b.dir); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.influx.Stop()) }()
	return b.parts(ctx)
}

// parts runs what was asked for, the comparison last.
func (b *bench) parts(ctx context.Context) error {
	known := false
	for _, part := range []struct {
		name         string
		long, within bool // within: it is part of another
		run          func(context.Context) error
	}{
		{"steady", true, false, b.steady},
		{"rest", true, true, b.rest},
		{"backlog", true, true, b.backlog},
		{"growth", true, false, b.growth},
		{"connections", true, true, b.connections},
		{"compare", false, false, b.compare},
	} {
		if b.Part != "" && b.Part != part.name {
			continue
		}
		known = true
		if b.Part == "" && (part.within || b.Quick && part.long) {
			continue
		}
		if err := part.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	if !known {
		return fmt.Errorf("no part is called %q: compare, steady, rest, backlog, growth and connections are", b.Part)
	}
	return nil
}

// folder makes a folder for one measurement.
func (b *bench) folder() (string, error) {
	b.serial++
	dir := fmt.Sprintf("%s/%03d", b.dir, b.serial)
	return dir, os.Mkdir(dir, 0o755)
}

// publishers are the first n devices of a crowd.
func publishers(n int) []load.Credential {
	list := make([]load.Credential, n)
	for i := range list {
		list[i] = load.Credential{Device: seeds.CrowdDevice(i), Password: password}
	}
	return list
}

func microseconds(d time.Duration, readings int64) float64 {
	return float64(d) / float64(time.Microsecond) / float64(readings)
}
