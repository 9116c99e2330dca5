package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"vigie/protocols"
	"vigie/protocols/replay"
	"vigie/protocols/replay/figures"
)

// mostPrinted bounds the alerts that a text report lists.
const mostPrinted = 200

// writeText writes a replay for a person at a terminal.
func writeText(w io.Writer, r *replayed) error {
	var b bytes.Buffer
	first, outcome, totals := r.versions[0], r.outcomes[0], r.totals(0)
	fmt.Fprintf(&b, "%s, version %s\n", first.protocol.Title.FR, first.protocol.Version)
	fmt.Fprintf(&b, "%s, du %s au %s, heures de %s\n", r.source.title, stamp(r.span.From, r.source.zone), stamp(r.span.To, r.source.zone), r.source.zone)
	for _, p := range first.protocol.Parameters {
		if s, ok := r.settings(r.versions[0])[p.Name]; ok {
			fmt.Fprintf(&b, "%s : %s %s (par défaut %s)\n", p.Title.FR, s.Value.French(), p.Unit, p.Default.French())
		}
	}
	fmt.Fprintf(&b, "%s, %s jours-patient, %s\n\n", some(outcome.Patients, "patient"), french(outcome.PatientDays, 1), some(outcome.Readings, "mesure"))
	textAlerts(&b, r)
	textTotals(&b, first.protocol, &totals)
	textHours(&b, &totals)
	textOverlap(&b, &totals)
	textStatistics(&b, r.statistics.ByMeasure())
	if len(r.versions) > 1 {
		textAgainst(&b, r)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func textAlerts(b *bytes.Buffer, r *replayed) {
	alerts := r.outcomes[0].Alerts
	if len(alerts) == 0 {
		b.WriteString("Aucune alerte.\n\n")
		return
	}
	b.WriteString("Alertes\n")
	for i := range alerts[:min(len(alerts), mostPrinted)] {
		a := &alerts[i]
		fmt.Fprintf(b, "  %s  %s %-22s %s", stamp(a.Time, r.source.zone), figures.Sign(a.Level), figures.Word(a.Level), a.Rule)
		if r.outcomes[0].Patients > 1 {
			fmt.Fprintf(b, "  %s", a.Patient)
		}
		b.WriteString("\n")
		if e := a.Explanation; e != nil {
			fmt.Fprintf(b, "      %s\n", e.Summary.FR)
		}
	}
	if more := len(alerts) - mostPrinted; more > 0 {
		fmt.Fprintf(b, "  … et %d autres : --format json les donne toutes\n", more)
	}
	b.WriteString("\n")
}

func textTotals(b *bytes.Buffer, p *protocols.Protocol, totals *replay.Totals) {
	fmt.Fprintf(b, "Totaux : %s, %s pour 100 jours-patient (%s)\n", some(totals.Alerts, "alerte"), french(totals.Rate, 2), levelTally(totals.ByLevel))
	table := tabwriter.NewWriter(b, 2, 8, 2, ' ', 0)
	fmt.Fprintf(table, "  règle\talertes\tpatients\tpour 100 jours-patient\tniveaux\n")
	for _, rule := range totals.ByRule {
		fmt.Fprintf(table, "  %s\t%d\t%d\t%s\t%s\n", rule.Rule, rule.Alerts, rule.Patients, french(rule.Rate, 2), levelTally(rule.ByLevel))
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

func textHours(b *bytes.Buffer, totals *replay.Totals) {
	most := slices.Max(totals.ByHour[:])
	if most == 0 {
		return
	}
	b.WriteString("Par heure de la journée du patient\n  ")
	bars := []rune(" ▁▂▃▄▅▆▇█")
	for _, n := range totals.ByHour {
		b.WriteString(strings.Repeat(string(bars[(n*(len(bars)-1)+most-1)/most]), 2))
	}
	fmt.Fprintf(b, "\n  0     3     6     9     12    15    18    21    (au plus %d)\n\n", most)
}

func textOverlap(b *bytes.Buffer, totals *replay.Totals) {
	if len(totals.Overlap) == 0 {
		return
	}
	b.WriteString("Règles qui sonnent ensemble, à moins de 24 h\n")
	for _, o := range totals.Overlap[:min(len(totals.Overlap), 12)] {
		fmt.Fprintf(b, "  %d des %d alertes de %s avec une de %s\n", o.Shared, o.Of, o.Rule, o.With)
	}
	b.WriteString("\n")
}

func textStatistics(b *bytes.Buffer, statistics map[string]any) {
	b.WriteString("Mesures\n")
	for _, m := range protocols.Measures() {
		switch f := statistics[m.ID].(type) {
		case replay.GlucoseFigures:
			fmt.Fprintf(b, "  glucose : %s, moyenne %s mg/dL, GMI %s %%, CV %s %%, port du capteur %s %%\n", some(f.Count, "mesure"), french(f.Mean, 2), french(f.GMI, 3), french(f.CV, 2), french(f.Wear, 1))
			fmt.Fprintf(b, "    70-180 : %s %%   < 70 : %s %%   < 54 : %s %%   > 180 : %s %%   > 250 : %s %%\n",
				french(f.InRange, 2), french(f.Below70, 2), french(f.Below54, 2), french(f.Above180, 2), french(f.Above250, 2))
		case replay.Figures:
			textFigures(b, m.Title.FR, f, &m.Components[0])
		case map[string]replay.Figures:
			for i := range m.Components {
				if c := &m.Components[i]; f[c.Name].Count > 0 {
					textFigures(b, m.Title.FR+", "+c.Title.FR, f[c.Name], c)
				}
			}
		}
	}
}

func textFigures(b *bytes.Buffer, name string, f replay.Figures, c *protocols.Component) {
	fmt.Fprintf(b, "  %s : %s, moyenne %s, de %s à %s %s\n", name, some(f.Count, "mesure"), french(f.Mean, c.Decimals+1), french(f.Min, c.Decimals), french(f.Max, c.Decimals), c.Unit)
}

func textAgainst(b *bytes.Buffer, r *replayed) {
	d, second := replay.Compare(r.outcomes[0], r.outcomes[1]), r.totals(1)
	fmt.Fprintf(b, "\nComparaison avec %s : %s, %s pour 100 jours-patient\n", r.versions[1].title, some(second.Alerts, "alerte"), french(second.Rate, 2))
	fmt.Fprintf(b, "  des deux côtés %d, premier seul %d, second seul %d\n", len(d.Both), len(d.OnlyFirst), len(d.OnlySecond))
	for _, rule := range d.ByRule {
		fmt.Fprintf(b, "    %s : %d des deux côtés, %d premier seul, %d second seul\n", rule.Rule, rule.Both, rule.OnlyFirst, rule.OnlySecond)
	}
}

// stamp is a local moment as a French reader writes it.
func stamp(t time.Time, zone *time.Location) string { return t.In(zone).Format("02/01/2006 15:04") }

// french writes a number with a comma; what rounds to nothing has no sign.
func french(f float64, decimals int) string {
	text := strings.Replace(fmt.Sprintf("%.*f", decimals, f), ".", ",", 1)
	if strings.Trim(text, "-0,") == "" {
		return strings.TrimPrefix(text, "-")
	}
	return text
}

// some counts things in French, which takes the plural from two on.
func some(n int, what string) string {
	if n > 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
