// Simulator is a bench of medical devices: it plays recorded series as a device
// over MQTT, lets a whole cohort live at an accelerated clock, and makes load.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // a minimal image has no zones

	"github.com/spf13/cobra"

	"vigie/cmd/edition"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := rootCommand().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "simulator:", err)
		os.Exit(1)
	}
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "simulator",
		Short:         "Des appareils qui n'existent pas : rejouer, vivre, charger (devices that do not exist)",
		SilenceUsage:  true,
		Version:       edition.Current().String(),
		SilenceErrors: true,
	}
	root.AddCommand(replayCommand(), cohortCommand(), fleetCommand(), crowdCommand(), loadCommand(), rehearseCommand(), teamCommand(), benchCommand(), runCommand())
	return root
}
