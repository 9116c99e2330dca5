package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
	_ "time/tzdata" // every program brings zones

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "comparison:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	var o options
	var steady bool
	command := &cobra.Command{
		Use:   "comparison --vigie PROGRAM --telegraf PROGRAM",
		Short: "Compare Vigie à Mosquitto, Telegraf et InfluxDB (measure Vigie beside the usual stack)",
		Long: `Compare Vigie à Mosquitto, Telegraf et InfluxDB, sur cette machine et tour à tour.
La dernière ligne donne les rapports.

Measure Vigie beside Mosquitto, Telegraf and InfluxDB, on loopback and in turns.

deploy/bench installs what this needs and runs it. Round after round, the same
readings are published

  A  through Mosquitto and Telegraf to InfluxDB
  B  through Mosquitto and Vigie to InfluxDB
  C  to Vigie, with its broker inside, and on to InfluxDB
  D  to Vigie alone

and, without --quick, through Telegraf with starlark and Node-RED, which alert as well;
each time counts until everything is acknowledged and present. The last line
holds the ratios. Without --quick, it also measures how soon alerts are committed
at steady rates and what a reading costs then, with the goals beside, and what more
patients and connections cost.`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(command *cobra.Command, _ []string) error {
			o.Out = command.OutOrStdout()
			if steady {
				o.Part = "steady"
			}
			return run(command.Context(), o)
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.Vigie, "vigie", "vigie", "the program")
	flags.StringVar(&o.Telegraf, "telegraf", "telegraf", "the program")
	flags.StringVar(&o.NodeRED, "node-red", "", "its red.js; it is left out without")
	flags.BoolVar(&o.Quick, "quick", false, "the comparison alone, within a minute")
	flags.StringVar(&o.Part, "part", "", "only one part: compare, steady, rest or backlog of it, growth, or connections of it")
	flags.BoolVar(&steady, "steady", false, "the same as --part steady")
	flags.StringVar(&o.Former, "former", "", "the program as it was, tried in turns with the present one at a steady rate")
	flags.DurationVar(&o.SteadyFor, "for", 20*time.Second, "how long a steady rate is kept")
	flags.StringVar(&o.Side, "side", "", "only one side at a steady rate: B, C, P, P3, S or N")
	flags.IntVar(&o.Devices, "devices", 0, "only the steady rate of so many devices: 2500 or 5000")
	flags.Int64Var(&o.Readings, "readings", 0, "in one measurement of the comparison; 200,000 unless said, 50,000 when quick")
	flags.IntVar(&o.Rounds, "rounds", 0, "of the comparison and of a steady rate; 5 unless said, 2 when quick")
	return command
}
