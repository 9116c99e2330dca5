package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // every program brings zones

	"github.com/spf13/cobra"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	var o options
	command := &cobra.Command{
		Use:   "crash --vigie PROGRAM --moved PROGRAM",
		Short: "Casse le service et compte ce qui manque (break the service and count what is missing)",
		Long: `Fait tourner un vrai service auquel des appareils publient, et le casse : processus
tué, réseau coupé, broker, InfluxDB, courrier ou disque absents, horloge déplacée. Le
tableau dit ce qui a été acquitté, perdu, gardé en double, et les alertes manquées ou
répétées.

Run a real service, let devices publish to it, and break it: kill it, cut the
network, take away the broker, InfluxDB, the mail server, the disk, move the
clock. The table says how many readings were acknowledged, and how many of them
were lost or kept twice, and how many alerts and messages were missed or repeated,
compared with an undisturbed run over the same readings.

The status is 0 only when nothing was.`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(command *cobra.Command, _ []string) error {
			o.Out = command.OutOrStdout()
			return run(command.Context(), o)
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.Vigie, "vigie", "", "the program to break")
	flags.StringVar(&o.Moved, "moved", "", "the same with a clock that moves, built from cmd/vigie/moved")
	flags.BoolVar(&o.Quick, "quick", false, "a few kills, and only the faults that take seconds")
	flags.BoolVar(&o.Load, "load", false, "no faults: a stalled store, a flood, 10,000 devices, all of them at once")
	flags.StringVar(&o.Only, "only", "", "only the faults with this in their name")
	flags.IntVar(&o.Kills, "kills", 0, "how often to kill it; 100 when 0, 6 with --quick")
	flags.StringVar(&o.Folder, "folder", "", "where to keep the stores meanwhile; a temporary folder when empty")
	for _, flag := range []string{"vigie", "moved"} {
		if err := command.MarkFlagRequired(flag); err != nil {
			panic("crash: it has no flag " + flag)
		}
	}
	return command
}
