package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"vigie/cmd/vigie/service"
	"vigie/ingest"
	"vigie/ingest/stores/influx"
	"vigie/protocols"
)

func influxCommand() *cobra.Command {
	command := &cobra.Command{Use: "influx", Short: "Ce qu'InfluxDB détient : le comparer, le remplir (compare and fill InfluxDB)"}
	command.AddCommand(influxCheckCommand(), influxCompareCommand(), influxFeedCommand(), influxResendCommand())
	return command
}

// influxTools opens the store and the client of InfluxDB that the command line names.
func influxTools(command *cobra.Command) (*service.Tools, error) {
	tools, err := openTools(command)
	if err != nil {
		return nil, err
	}
	if tools.Influx() == nil {
		return nil, errors.Join(errors.New("influx.url: no InfluxDB is configured; name the configuration with --config"), tools.Close())
	}
	return tools, nil
}

func influxCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Quel InfluxDB répond, et ce que le jeton permet (which InfluxDB answers, and what the token may do)",
		Args:  cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) (err error) {
			tools, err := influxTools(command)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, tools.Close()) }()
			standing, err := tools.Influx().Look(command.Context())
			if err != nil {
				return errors.New(influx.In(err, tools.Language))
			}
			keeps := "?"
			switch {
			case standing.EndKnown && standing.End == 0:
				keeps = protocols.Text{FR: "sans fin", EN: "for ever"}.In(tools.Language)
			case standing.EndKnown:
				keeps = fmt.Sprintf("%.4gd", standing.End.Hours()/24)
			}
			said := protocols.Text{FR: "InfluxDB %s (génération %d) répond ; conservation : %s\n", EN: "InfluxDB %s (generation %d) answers; it keeps: %s\n"}
			_, err = fmt.Fprintf(command.OutOrStdout(), said.In(tools.Language), standing.Version, standing.Generation, keeps)
			return err
		},
	}
}

// spanFlags are the time that a command is about.
type spanFlags struct{ from, to, zone string }

func (f *spanFlags) register(command *cobra.Command) {
	flags := command.Flags()
	flags.StringVar(&f.from, "from", "", "beginning: a day or an instant")
	flags.StringVar(&f.to, "to", "", "end: a day (included) or an instant")
	flags.StringVar(&f.zone, "time-zone", "Europe/Paris", "zone of days and times written without one")
}

func (f *spanFlags) span() (from, to time.Time, err error) {
	span, err := spanOf(f.from, f.to, f.zone)
	if err != nil {
		return from, to, err
	}
	if span.From.IsZero() {
		span.From = everything.From
	}
	if span.To.IsZero() {
		span.To = everything.To
	}
	return span.From, span.To, nil
}

const compareHelp = `Compare, mesure par mesure, ce que la base et InfluxDB détiennent, et écrit les jours
(en UTC) où ils diffèrent : ce qui manque à InfluxDB, ce qui est étranger à la base, ce
qui est autre. De ce que la base a oublié, les sommes sont comparées. Le statut est 3
s'il y a une différence.

Compares, reading by reading, what the store and InfluxDB hold, and writes the days (in
UTC) on which they differ: what InfluxDB lacks, what the store does not know, what is
another. Of what the store has forgotten the sums are compared. The status is 3 where
there is a difference.`

func influxCompareCommand() *cobra.Command {
	var flags spanFlags
	var patient string
	command := &cobra.Command{
		Use:     "compare",
		Short:   "Les jours où la base et InfluxDB diffèrent (the days on which store and InfluxDB differ)",
		Long:    compareHelp,
		Example: "  vigie influx compare --from 2026-01-01 --config /etc/vigie.yaml",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) (err error) {
			from, to, err := flags.span()
			if err != nil {
				return err
			}
			tools, err := influxTools(command)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, tools.Close()) }()
			return compareAll(command.Context(), command.OutOrStdout(), tools, patient, from, to)
		},
	}
	flags.register(command)
	command.Flags().StringVar(&patient, "patient", "", "one patient; all when empty")
	return command
}

// eachPatient calls do with every patient of the store, or with one.
func eachPatient(ctx context.Context, store ingest.Errands, only string, do func(patient string) error) error {
	if only != "" {
		return do(only)
	}
	const some = 1000
	for behind := ""; ; {
		patients, err := store.Patients(ctx, behind, some)
		if err != nil || len(patients) == 0 {
			return err
		}
		for _, patient := range patients {
			if err := do(patient); err != nil {
				return err
			}
			behind = patient
		}
	}
}

// eachStranger calls do with every patient whom InfluxDB alone knows.
func eachStranger(ctx context.Context, client *influx.Client, known map[string]bool, do func(patient string) error) error {
	patients, err := client.Patients(ctx)
	if err != nil {
		return err
	}
	for _, patient := range patients {
		if known[patient] {
			continue
		}
		if err := do(patient); err != nil {
			return err
		}
	}
	return nil
}

func compareAll(ctx context.Context, out io.Writer, tools *service.Tools, patient string, from, to time.Time) error {
	days := map[time.Time]*ingest.Compared{}
	compared := map[string]bool{}
	compare := func(patient string) error {
		compared[patient] = true
		return ingest.Compare(ctx, tools.Kept, tools.Influx(), patient, from, to, days)
	}
	err := eachPatient(ctx, tools.Kept, patient, compare)
	if err == nil && patient == "" {
		err = eachStranger(ctx, tools.Influx(), compared, compare)
	}
	if err != nil {
		return errors.New(influx.In(err, tools.Language))
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	if len(days) > 0 {
		fmt.Fprintln(table, protocols.Text{
			FR: "JOUR\tBASE\tINFLUXDB\tMANQUENT À INFLUXDB\tÉTRANGÈRES À LA BASE\tAUTRES\t",
			EN: "DAY\tSTORE\tINFLUXDB\tINFLUXDB LACKS\tSTORE LACKS\tDIFFERENT\t",
		}.In(tools.Language))
	}
	for _, day := range slices.SortedFunc(maps.Keys(days), time.Time.Compare) {
		d := days[day]
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\t\n", day.Format(time.DateOnly), d.Store, d.Influx, d.Missing, d.Foreign, d.Different)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	said := protocols.Text{FR: "%d [patient comparé|patients comparés], %d [jour diffère|jours diffèrent]\n", EN: "%d [patient|patients] compared, %d [day differs|days differ]\n"}
	if _, err := io.WriteString(out, tongue(tools.Language).say(said, len(compared), len(days))); err != nil {
		return err
	}
	if len(days) > 0 {
		return notWhole
	}
	return nil
}

const feedHelp = `Envoie encore une fois à InfluxDB ce que la base détient, et ce qu'elle a oublié si
influx.former nomme l'InfluxDB d'avant. Le service le fait, derrière les mesures qui
arrivent ; une interruption reprend là où elle s'est arrêtée ; deux fois ne change rien,
et rien n'est mis de côté. La commande montre l'avancée ; elle peut être interrompue
sans que le travail le soit.

Sends to InfluxDB once more what the store holds, and what it has forgotten where
influx.former names the InfluxDB before. The service does it, behind the readings that
come in; after an interruption it goes on where it was; twice changes nothing, and
nothing is set aside. The command shows how far it has come; it can be interrupted
without ending the work.`

func influxFeedCommand() *cobra.Command {
	var flags spanFlags
	command := &cobra.Command{
		Use:     "feed",
		Short:   "Remplir InfluxDB depuis la base (fill InfluxDB from the store)",
		Long:    feedHelp,
		Example: "  vigie influx feed --from 2026-01-01 --config /etc/vigie.yaml",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			from, to, err := flags.span()
			if err != nil {
				return err
			}
			return sendErrand(command, ingest.Errand{Kind: ingest.Feed, Task: ingest.Task{From: from, To: to}})
		},
	}
	flags.register(command)
	return command
}

func influxResendCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "resend",
		Short: "Renvoyer ce qu'InfluxDB a refusé (send again what InfluxDB refused)",
		Long: `Renvoie à InfluxDB, par lots, ce qu'il a refusé et qui est mis de côté, une fois la
cause corrigée. Le service le fait aussi à chaque démarrage.

Sends to InfluxDB again, in batches, what it refused and what is set aside, once the
cause is removed. The service also does so at each start.`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return sendErrand(command, ingest.Errand{Kind: ingest.Resend})
		},
	}
}

// askEvery is how often a command looks how far an errand has come.
const askEvery = 200 * time.Millisecond

// sendErrand leaves an errand for the service, and shows how far it has come until it
// is done. Without a service on this store it does it itself.
func sendErrand(command *cobra.Command, e ingest.Errand) (err error) {
	tools, err := influxTools(command)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tools.Close()) }()
	ctx := command.Context()
	e.At = time.Now()
	id, err := tools.Send(ctx, e)
	if err != nil {
		return err
	}
	c, err := configOf(command)
	if err != nil {
		return err
	}
	alone, err := service.ForwardAlone(ctx, c, tools)
	if err != nil {
		return err
	}
	defer alone()
	out := command.OutOrStdout()
	tick := time.NewTicker(askEvery)
	defer tick.Stop()
	for shown := (ingest.Reached{}); ; {
		now, err := tools.Kept.Errand(ctx, id)
		if err != nil {
			return err
		}
		if now.Reached != shown {
			shown = now.Reached
			said := protocols.Text{FR: "%d [patient|patients], %d [mesure envoyée|mesures envoyées], %d [refusée|refusées]\n", EN: "%d [patient|patients], %d [reading|readings] sent, %d refused\n"}
			fmt.Fprint(out, tongue(tools.Language).say(said, shown.Patients, shown.Sent, shown.Refused))
		}
		if !now.Done.IsZero() {
			return sayEnd(out, &now, tools.Language)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// sayEnd says what an errand that is done could not do.
func sayEnd(out io.Writer, e *ingest.Errand, language string) error {
	if _, err := fmt.Fprintln(out, protocols.Text{FR: "fait", EN: "done"}.In(language)); err != nil {
		return err
	}
	if e.Reached.NotWhole > 0 {
		said := protocols.Text{
			FR: "ce que la base a oublié de %d [patient|patients] n'a pas pu être relu : influx.former nomme-t-il l'InfluxDB d'avant ?",
			EN: "what the store has forgotten of %d [patient|patients] could not be read back: does influx.former name the InfluxDB before?",
		}
		if _, err := fmt.Fprintln(out, tongue(language).say(said, e.Reached.NotWhole)); err != nil {
			return err
		}
		return notWhole
	}
	if e.Reached.Refused > 0 {
		return notWhole
	}
	return nil
}
