package main

import (
	"context"
	"fmt"
	"io"
	"slices"
)

// comparison holds the rounds: for each side, one measurement a round.
type comparison struct {
	readings int64
	sides    []side
	rounds   map[string][]measured
}

// compare runs the sides in turn, round after round, and prints what came of it.
func (b *bench) compare(ctx context.Context) error {
	c := &comparison{readings: b.Readings, sides: sides, rounds: map[string][]measured{}}
	if !b.Quick {
		c.sides = append(append(slices.Clone(sides), withReceipts), b.alerting()...)
	}
	for round := range b.Rounds {
		for _, side := range c.sides {
			m, err := b.run(ctx, side)
			if err != nil {
				return err
			}
			c.rounds[side.name] = append(c.rounds[side.name], m)
			fmt.Fprintf(b.Out, "round %d  %-2s  %7.0f readings/s\n", round+1, side.name, c.rate(m))
		}
	}
	return c.print(b.Out)
}

func (c *comparison) rate(m measured) float64 { return float64(c.readings) / m.took.Seconds() }

// over lists what a figure of one measurement is, round by round.
func (c *comparison) over(name string, figure func(measured) float64) spread {
	var s spread
	for _, m := range c.rounds[name] {
		s = append(s, figure(m))
	}
	return s
}

// ratio lists, round by round, what a figure is of one side to another.
func (c *comparison) ratio(name, to string, figure func(measured) float64) spread {
	s, base := c.over(name, figure), c.over(to, figure)
	for i := range s {
		s[i] /= base[i]
	}
	return s
}

func (c *comparison) print(out io.Writer) error {
	cost := func(m measured) float64 { return microseconds(m.server, c.readings) }
	fmt.Fprintf(out, "\n%d readings a round, QoS 1, %d devices, %d in flight each; median (lowest–highest) of %d rounds\n\n",
		c.readings, devices, inFlight, len(c.rounds[c.sides[0].name]))
	fmt.Fprintf(out, "%-36s %26s   %s\n", "", "readings/s", "processor time a reading, µs: server, Mosquitto, InfluxDB, publishers")
	for _, side := range c.sides {
		others := func(m measured) float64 { return microseconds(m.broker, c.readings) }
		influx := func(m measured) float64 { return microseconds(m.influx, c.readings) }
		publishers := func(m measured) float64 { return microseconds(m.publisher, c.readings) }
		fmt.Fprintf(out, "%-2s %-33s %26s   %s, %.1f, %.1f, %.1f\n", side.name, side.way, c.over(side.name, c.rate).whole(), c.over(side.name, cost).tenths(),
			c.over(side.name, others).median(), c.over(side.name, influx).median(), c.over(side.name, publishers).median())
	}
	fmt.Fprintln(out)
	for _, side := range c.sides[1:] {
		fmt.Fprintf(out, "%-13s %s\n", side.name+"/A", c.ratio(side.name, "A", c.rate).hundredths())
	}
	cpu := c.ratio("B", "A", cost)
	fmt.Fprintf(out, "%-13s %s\n\n", "cpu/telegraf", cpu.hundredths())
	_, err := fmt.Fprintf(out, "B/A=%.2f C/A=%.2f D/A=%.2f cpu/telegraf=%.2f\n", c.ratio("B", "A", c.rate).median(),
		c.ratio("C", "A", c.rate).median(), c.ratio("D", "A", c.rate).median(), cpu.median())
	return err
}

// spread is one figure over several rounds.
type spread []float64

func (s spread) median() float64 {
	sorted := slices.Sorted(slices.Values(s))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

func (s spread) format(verb string) string {
	return fmt.Sprintf(verb+" ("+verb+"–"+verb+")", s.median(), slices.Min(s), slices.Max(s))
}

func (s spread) whole() string      { return s.format("%.0f") }
func (s spread) tenths() string     { return s.format("%.1f") }
func (s spread) hundredths() string { return s.format("%.2f") }
