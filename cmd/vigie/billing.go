package main

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"vigie/alerts"
	"vigie/alerts/figures"
	"vigie/alerts/trail"
	"vigie/cmd/vigie/service"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// billingColumns are the columns of the extract, each with its definition. They say what
// was transmitted and done; whether that is paid is for the reader.
var billingColumns = []archiveColumn{
	column("patient", "pseudonyme dans Vigie", "pseudonym in Vigie"),
	column("enrolment", "inclusion", "enrolment"),
	column("protocol", "protocole et version", "protocol and version"),
	column("team", "équipe", "team"),
	column("physician", "médecin prescripteur (RPPS)", "prescribing physician (RPPS)"),
	column("month", "mois civil, là où vit le patient", "civil month, where the patient lives"),
	column("days_followed", "jours du mois commencés, à midi desquels l'inclusion court avec consentement", "days of the month that have begun, at whose noon the enrolment runs with consent"),
	column("days_paused", "parmi eux, ceux à midi desquels une pause court", "of them, those at whose noon a pause runs"),
	column("unit", "day ou week : le rythme des mesures obligatoires du protocole ; vide si aucune n'est attendue par jour ni par semaine", "day or week: the cadence of the protocol's mandatory measures; empty where none is expected by day or week"),
	column("due", "jours (ou semaines) suivis et non en pause", "days (or weeks) followed and not paused"),
	column("transmitted", "parmi eux, ceux où une mesure obligatoire a été faite et reçue", "of them, those on which a mandatory measure was taken and received"),
	column("share", "transmitted / due ; vide si rien n'est dû", "transmitted / due; empty where nothing is due"),
	column("readings_device", "mesures obligatoires transmises par un appareil", "mandatory measures sent by a device"),
	column("readings_patient", "mesures obligatoires saisies par le patient", "mandatory measures typed by the patient"),
	column("readings_professional", "mesures obligatoires saisies par un professionnel", "mandatory measures entered by a professional"),
	column("alerts_red", "alertes signalées dans le mois, de niveau rouge", "alerts raised in the month, of level red"),
	column("alerts_orange", "de niveau orange", "of level orange"),
	column("alerts_yellow", "de niveau jaune", "of level yellow"),
	column("alerts_technical", "de niveau technique", "of level technical"),
	column("alerts_waited", "parmi les alertes, celles auxquelles quelqu'un a répondu, ou dont le délai de réponse est passé", "of the alerts, those that somebody has answered, or whose answer delay has run out"),
	column("alerts_in_time", "parmi elles, celles qui ont eu leur réponse dans le délai de l'équipe", "of them, those that were answered within the team's delay"),
	column("acts", "actes tracés de personnes sur le patient dans le mois : alertes, mesures, suivi", "traced acts of people about the patient in the month: alerts, readings, care"),
	column("signed_reviews", "relectures du dossier signées dans le mois, retirées exclues", "reviews of the record signed in the month, without those taken back"),
	column("quiet_reviews", "parmi elles, celles sans alerte : aucune n'attendait alors", "of them, those without an alert: none waited then"),
	column("reviews", "consultations tracées du dossier dans le mois, une par personne et jour, avec ou sans alerte", "traced looks at the record in the month, one a person and day, with or without an alert"),
}

// billed is one line of the extract.
type billed struct {
	e                *registry.Enrolment
	month            string
	followed, paused int
	unit             string
	due, transmitted int
	sources          [3]int
	levels           map[protocols.Level]int
	waited, inTime   int
	acts             int
	signed, quiet    int // reviews
	reviews          int // looks
}

// cells are a line in the order of billingColumns.
func (b *billed) cells() []string {
	share, n := "", strconv.Itoa
	if b.unit != "" && b.due > 0 {
		share = strconv.FormatFloat(float64(b.transmitted)/float64(b.due), 'f', 3, 64)
	}
	cells := []string{b.e.Patient, b.e.ID, b.e.Protocol + "@" + b.e.Version, b.e.Team, b.e.Physician, b.month, n(b.followed), n(b.paused), b.unit, n(b.due), n(b.transmitted), share}
	for _, sent := range b.sources {
		cells = append(cells, n(sent))
	}
	for _, level := range []protocols.Level{protocols.Red, protocols.Orange, protocols.Yellow, protocols.Technical} {
		cells = append(cells, n(b.levels[level]))
	}
	return append(cells, n(b.waited), n(b.inTime), n(b.acts), n(b.signed), n(b.quiet), n(b.reviews))
}

func billingCommand() *cobra.Command {
	var month, format string
	command := &cobra.Command{
		Use:   "billing --month 2026-10",
		Short: "Extrait mensuel pour la facturation (monthly extract for billing)",
		Long: `Écrit, par patient, inclusion et mois civil, ce qui était attendu, ce qui a été transmis
et par qui, les pauses, les alertes et les actes. Avec --format json, chaque colonne a sa
définition. L'extrait ne dit pas ce qui est payé.

Write, by patient, enrolment and civil month, what was due, what was transmitted and by
whom, pauses, alerts and acts. With --format json each column has its definition. The
extract does not say what is paid.`,
		Example: "  vigie billing --month 2026-10 --format json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			first, err := time.Parse("2006-01", month)
			if err != nil {
				return fmt.Errorf("--month %q: write it as 2026-10", month)
			}
			write := map[string]func(io.Writer, []*billed) error{"csv": billingCSV, "json": billingJSON}[format]
			if write == nil {
				return fmt.Errorf("--format %q: csv or json", format)
			}
			return withTools(cmd, func(tools *service.Tools) error {
				lines, err := billing(cmd.Context(), tools, first, time.Now())
				if err != nil {
					return err
				}
				return write(cmd.OutOrStdout(), lines)
			})
		},
	}
	command.Flags().StringVar(&month, "month", "", "the civil month: 2026-10")
	command.Flags().StringVar(&format, "format", "csv", "csv or json")
	return command
}

// billing is a line for each enrolment that ran in a civil month, up to now.
func billing(ctx context.Context, tools *service.Tools, first, now time.Time) (lines []*billed, err error) {
	all, err := allEnrolments(ctx, tools)
	if err != nil {
		return nil, err
	}
	for i := range all {
		zone, err := time.LoadLocation(all[i].Zone)
		if err != nil {
			return nil, fmt.Errorf("the time zone of enrolment %s: %w", all[i].ID, err)
		}
		b := &billed{e: &all[i], month: first.Format("2006-01"), levels: map[protocols.Level]int{}}
		from := time.Date(first.Year(), first.Month(), 1, 0, 0, 0, 0, zone)
		to := from.AddDate(0, 1, 0)
		due := b.calendar(tools.Protocol(b.e.Protocol, b.e.Version), from, to, now)
		if b.followed == 0 {
			continue
		}
		for _, read := range []func() error{
			func() error { return b.readings(ctx, tools, due, from, to) },
			func() error { return b.alerts(ctx, tools, from, to) },
			func() error { return b.reviewed(ctx, tools, from, to) },
			func() error { return b.traced(ctx, tools, from, to) },
		} {
			if err := read(); err != nil {
				return nil, err
			}
		}
		lines = append(lines, b)
	}
	return lines, nil
}

// calendar counts days, and returns what is due: days or weeks, by name.
func (b *billed) calendar(p *protocols.Protocol, from, to, now time.Time) map[string]bool {
	b.unit = cadence(p)
	due := map[string]bool{}
	for day := from; day.Before(to) && !day.After(now); day = day.AddDate(0, 0, 1) {
		noon := time.Date(day.Year(), day.Month(), day.Day(), 12, 0, 0, 0, day.Location())
		if !b.e.Covers(noon) || !b.e.Consent.At(noon) {
			continue
		}
		b.followed++
		if slices.ContainsFunc(b.e.Pauses, func(p protocols.Pause) bool { return !noon.Before(p.From) && noon.Before(p.Until) }) {
			b.paused++
			continue
		}
		due[b.period(day)] = true
	}
	b.due = len(due)
	return due
}

// period names the day or week of a moment.
func (b *billed) period(t time.Time) string {
	if b.unit == "week" {
		year, week := t.ISOWeek()
		return fmt.Sprintf("%d-W%02d", year, week)
	}
	return t.Format(time.DateOnly)
}

// cadence is the unit in which the mandatory measures of a protocol are due: a day where
// one is due each day, else a week; empty for neither.
func cadence(p *protocols.Protocol) (unit string) {
	if p == nil {
		return ""
	}
	for i := range p.Observations {
		switch o := &p.Observations[i]; {
		case o.Mandatory && (o.Cadence.Per == protocols.PerDay && o.Cadence.Times > 0 || o.Cadence.Every > 0):
			return "day"
		case o.Mandatory && o.Cadence.Per == protocols.PerWeek && o.Cadence.Times > 0:
			unit = "week"
		}
	}
	return unit
}

// readings counts what was transmitted of the mandatory measures.
func (b *billed) readings(ctx context.Context, tools *service.Tools, due map[string]bool, from, to time.Time) error {
	p := tools.Protocol(b.e.Protocol, b.e.Version)
	if p == nil {
		return nil
	}
	met := map[string]bool{}
	err := tools.History(ctx, b.e.Patient, nil, from, to, func(r *protocols.Reading) bool {
		mandatory := slices.ContainsFunc(p.Observations, func(o protocols.Observation) bool {
			return o.Mandatory && o.Measure == r.Measure && (o.Variant == 0 || o.Variant == r.Variant)
		})
		if mandatory && !r.Struck && b.e.Covers(r.Time) {
			b.sources[r.Source]++
			met[b.period(r.Time.In(from.Location()))] = true
		}
		return true
	})
	for name := range met {
		if due[name] {
			b.transmitted++
		}
	}
	return err
}

// alerts counts those raised in the month.
func (b *billed) alerts(ctx context.Context, tools *service.Tools, from, to time.Time) error {
	filter := alerts.Filter{Patient: b.e.Patient, From: from, To: to, Newest: true, Limit: alerts.MaxLimit}
	for {
		page, err := tools.Alerts.Alerts(ctx, filter)
		if err != nil {
			return err
		}
		for i := range page {
			a := &page[i]
			if a.Enrolment != b.e.ID {
				continue
			}
			b.levels[a.Level]++
			events, err := tools.Alerts.Events(ctx, a.ID)
			if err != nil {
				return err
			}
			answer, escalated := (&figures.Course{Events: events}).Answered()
			if !answer.IsZero() || !escalated.IsZero() {
				b.waited++
			}
			if !answer.IsZero() && (escalated.IsZero() || answer.Before(escalated)) {
				b.inTime++
			}
		}
		if len(page) < filter.Limit {
			return nil
		}
		filter.After = alerts.After(&page[len(page)-1]).String()
	}
}

// traced counts what people did about the patient, and looked at.
func (b *billed) traced(ctx context.Context, tools *service.Tools, from, to time.Time) error {
	store, _ := tools.Traces()
	rows, err := store.Find(ctx, trail.Filter{Patient: b.e.Patient, From: from, To: to})
	if err != nil {
		return err
	}
	looked := map[string]bool{}
	for i := range rows {
		e, err := rows[i].Entry()
		if err != nil {
			return err
		}
		switch {
		case e.Account == "" || e.Token != "": // a command, or a program
		case e.Kind == trail.Act:
			b.acts++
		case e.Kind == trail.Read:
			looked[e.Name+" "+e.At.In(from.Location()).Format(time.DateOnly)] = true
		}
	}
	b.reviews = len(looked)
	return nil
}

// reviewed counts the reviews of the record that people signed.
func (b *billed) reviewed(ctx context.Context, tools *service.Tools, from, to time.Time) error {
	list, err := tools.Reviews.ReviewsOf(ctx, b.e.Patient, from, to)
	for i := range list {
		b.signed++
		if list[i].Alerts == 0 {
			b.quiet++
		}
	}
	return err
}

func billingCSV(to io.Writer, lines []*billed) error {
	table := csv.NewWriter(to)
	names := make([]string, len(billingColumns))
	for i, c := range billingColumns {
		names[i] = c.Name
	}
	if err := table.Write(names); err != nil {
		return err
	}
	for _, b := range lines {
		cells := b.cells()
		for i := range cells {
			cells[i] = harmless(cells[i])
		}
		if err := table.Write(cells); err != nil {
			return err
		}
	}
	table.Flush()
	return table.Error()
}

func billingJSON(to io.Writer, lines []*billed) error {
	rows := make([]map[string]string, len(lines))
	for i, b := range lines {
		rows[i] = map[string]string{}
		for j, cell := range b.cells() {
			rows[i][billingColumns[j].Name] = cell
		}
	}
	out := json.NewEncoder(to)
	out.SetIndent("", "  ")
	return out.Encode(map[string]any{"columns": billingColumns, "rows": rows})
}
