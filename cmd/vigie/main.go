// Vigie watches over patients at home: it takes their devices' readings over
// MQTT, evaluates them against care protocols and puts alerts in front of a
// care team.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	_ "time/tzdata" // a minimal image has no zones

	"github.com/spf13/cobra"

	"vigie/cmd/edition"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), stopping()...)
	defer stop()
	// A second signal ends the program at once: what it waits for may hang.
	context.AfterFunc(ctx, stop)
	err := rootCommand().ExecuteContext(ctx)
	if err == nil {
		return
	}
	var status exitStatus
	if errors.As(err, &status) {
		os.Exit(int(status))
	}
	fmt.Fprintln(os.Stderr, "vigie:", err)
	os.Exit(1)
}

// stopping are the signals that end the program politely. Among them is the end of
// its terminal, unless it was started so as to survive that (nohup).
func stopping() []os.Signal {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) {
		signals = append(signals, syscall.SIGHUP)
	}
	return signals
}

// exitStatus ends the program with that status when everything has already been
// said: a check that found problems, a test that failed.
type exitStatus int

func (s exitStatus) Error() string { return fmt.Sprintf("exit status %d", int(s)) }

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:           "vigie",
		Short:         "Télésurveillance : de la mesure à domicile à l'alerte devant un soignant (telemonitoring)",
		SilenceUsage:  true,
		Version:       edition.Current().String(),
		SilenceErrors: true,
	}
	configFlags(root)
	root.AddCommand(
		demoCommand(), serveCommand(), backupCommand(), restoreCommand(), registryCommand(openRegistry), setAsideCommand(),
		protocolsCommand(), replayCommand(openPastStore), explainCommand(openPastStore), readingsCommand(), measureCommand(), measuresCommand(),
	)
	return root
}
