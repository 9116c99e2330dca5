package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"vigie/protocols"
	"vigie/protocols/replay"
	"vigie/protocols/replay/figures"
)

// mostPrinted bounds the alerts that a text report lists.
const mostPrinted = 200

// writeText writes a replay for a person at a terminal.
func writeText(w io.Writer, in tongue, r *replayed) error {
	var b bytes.Buffer
	first, outcome, totals := r.versions[0], r.outcomes[0], r.totals(0)
	b.WriteString(in.say(replayHead, in.say(first.protocol.Title), first.protocol.Version,
		r.source.title, in.stamp(r.span.From, r.source.zone), in.stamp(r.span.To, r.source.zone), r.source.zone))
	for _, p := range first.protocol.Parameters {
		if s, ok := r.settings(r.versions[0])[p.Name]; ok {
			b.WriteString(in.say(replaySetting, in.say(p.Title), in.exact(s.Value), in.say(protocols.SpokenUnit(p.Unit)), in.exact(p.Default)))
		}
	}
	b.WriteString(in.say(replaySize, in.some(outcome.Patients, patientNoun), in.number(outcome.PatientDays, 1), in.some(outcome.Readings, readingNoun)))
	if note := r.daysOnlyNote(in); note != "" {
		b.WriteString(note + "\n\n")
	}
	textAlerts(&b, in, r)
	textTotals(&b, in, &totals)
	textHours(&b, in, &totals)
	textOverlap(&b, in, &totals)
	textStatistics(&b, in, r.statistics.ByMeasure())
	if len(r.versions) > 1 {
		textAgainst(&b, in, r)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func textAlerts(b *bytes.Buffer, in tongue, r *replayed) {
	alerts := r.outcomes[0].Alerts
	if len(alerts) == 0 {
		b.WriteString(in.say(replayNone))
		return
	}
	b.WriteString(in.say(replayAlerts))
	for i := range alerts[:min(len(alerts), mostPrinted)] {
		a := &alerts[i]
		fmt.Fprintf(b, "  %s  %s %-22s %s", in.stamp(a.Time, r.source.zone), figures.Sign(a.Level), in.say(figures.Word(a.Level)), a.Rule)
		if r.outcomes[0].Patients > 1 {
			fmt.Fprintf(b, "  %s", a.Patient)
		}
		b.WriteString("\n")
		if e := a.Explanation; e != nil {
			fmt.Fprintf(b, "      %s\n", in.say(e.Summary))
		}
	}
	if more := len(alerts) - mostPrinted; more > 0 {
		b.WriteString(in.say(replayMore, more))
	}
	b.WriteString("\n")
}

func textTotals(b *bytes.Buffer, in tongue, totals *replay.Totals) {
	b.WriteString(in.say(replayTotals, in.some(totals.Alerts, alertNoun), in.number(totals.Rate, 2), levelTally(totals.ByLevel)))
	table := tabwriter.NewWriter(b, 2, 8, 2, ' ', 0)
	fmt.Fprint(table, in.say(replayRules))
	for _, rule := range totals.ByRule {
		fmt.Fprintf(table, "  %s\t%d\t%d\t%s\t%s\n", rule.Rule, rule.Alerts, rule.Patients, in.number(rule.Rate, 2), levelTally(rule.ByLevel))
	}
	// The table is written to memory, which does not fail.
	_ = table.Flush()
	b.WriteString("\n")
}

// levelTally counts by level, the gravest first.
func levelTally(counts map[protocols.Level]int) string {
	var parts []string
	for _, level := range []protocols.Level{protocols.Red, protocols.Orange, protocols.Yellow, protocols.Technical} {
		if n := counts[level]; n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", figures.Sign(level), n))
		}
	}
	if len(parts) == 0 {
		return "–"
	}
	return strings.Join(parts, " ")
}

func textHours(b *bytes.Buffer, in tongue, totals *replay.Totals) {
	most := slices.Max(totals.ByHour[:])
	if most == 0 {
		return
	}
	b.WriteString(in.say(replayHours))
	bars := []rune(" ▁▂▃▄▅▆▇█")
	for _, n := range totals.ByHour {
		b.WriteString(strings.Repeat(string(bars[(n*(len(bars)-1)+most-1)/most]), 2))
	}
	fmt.Fprintf(b, "\n  0     3     6     9     12    15    18    21    %s\n\n", in.say(replayMost, most))
}

func textOverlap(b *bytes.Buffer, in tongue, totals *replay.Totals) {
	if len(totals.Overlap) == 0 {
		return
	}
	b.WriteString(in.say(replayTogether))
	for _, o := range totals.Overlap[:min(len(totals.Overlap), 12)] {
		b.WriteString(in.say(replayShared, o.Shared, o.Of, o.Rule, o.With))
	}
	b.WriteString("\n")
}

func textStatistics(b *bytes.Buffer, in tongue, statistics map[string]any) {
	b.WriteString(in.say(replayReadings))
	for _, m := range protocols.Measures() {
		switch f := statistics[m.ID].(type) {
		case replay.GlucoseFigures:
			textGlucose(b, in, f)
		case replay.Figures:
			textFigures(b, in, in.say(m.Title), f, &m.Components[0])
		case map[string]replay.Figures:
			for i := range m.Components {
				if c := &m.Components[i]; f[c.Name].Count > 0 {
					textFigures(b, in, in.say(m.Title)+", "+in.say(c.Title), f[c.Name], c)
				}
			}
		}
	}
}

func textGlucose(b *bytes.Buffer, in tongue, f replay.GlucoseFigures) {
	tenth := func(v float64) string { return in.number(v, 1) }
	worn := "" // values of a meter are worn by nobody
	if f.Wear != nil {
		worn = in.say(replayWorn, tenth(*f.Wear))
	}
	b.WriteString(in.say(replayGlucose, in.some(f.Count, readingNoun), tenth(f.Mean), tenth(f.GMI), tenth(f.CV), worn))
	b.WriteString(in.say(replayZones, tenth(f.InRange), tenth(f.Below70), tenth(f.Below54), tenth(f.Above180), tenth(f.Above250)))
}

func textFigures(b *bytes.Buffer, in tongue, name string, f replay.Figures, c *protocols.Component) {
	b.WriteString(in.say(replayFigures, name, in.some(f.Count, readingNoun),
		in.number(f.Mean, c.Decimals+1), in.number(f.Min, c.Decimals), in.number(f.Max, c.Decimals), in.say(protocols.SpokenUnit(c.Unit))))
}

func textAgainst(b *bytes.Buffer, in tongue, r *replayed) {
	d, second := replay.Compare(r.outcomes[0], r.outcomes[1]), r.totals(1)
	b.WriteString(in.say(replayAgainst, r.versions[1].title, in.some(second.Alerts, alertNoun), in.number(second.Rate, 2)))
	b.WriteString(in.say(replaySides, len(d.Both), len(d.OnlyFirst), len(d.OnlySecond)))
	for _, rule := range d.ByRule {
		b.WriteString(in.say(replayByRule, rule.Rule, rule.Both, rule.OnlyFirst, rule.OnlySecond))
	}
}
