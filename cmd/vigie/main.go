// Vigie watches over patients at home: it takes their devices' readings over
// MQTT, evaluates them against care protocols and puts alerts in front of a
// care team.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	_ "time/tzdata" // a minimal image has no zones

	"github.com/spf13/cobra"

	"vigie/cmd/console"
	"vigie/cmd/edition"
)

// stopping are the signals that end the program politely. The end of its terminal ends
// the demonstration as well; a service reads its configuration again.
var stopping = []os.Signal{os.Interrupt, syscall.SIGTERM}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), stopping...)
	defer stop()
	// A second signal ends the program at once: what it waits for may hang.
	context.AfterFunc(ctx, stop)
	cobra.MousetrapHelpText = "" // a double click starts the demonstration
	root := rootCommand()
	clicked := console.Clicked()
	root.SetArgs(arguments(os.Args[1:], clicked))
	status := statusOf(root.ExecuteContext(ctx), os.Stderr)
	if clicked {
		leave(os.Stdin, os.Stdout)
	}
	os.Exit(status)
}

// arguments are what was typed; a double click types nothing, and means the
// demonstration with its page.
func arguments(typed []string, clicked bool) []string {
	if clicked && len(typed) == 0 {
		return []string{"demo", "--open"}
	}
	return typed
}

// leave keeps the window of a double click until somebody has read what it says.
func leave(in io.Reader, out io.Writer) {
	fmt.Fprintln(out, "\nEntrée ferme cette fenêtre (Enter closes this window).")
	// Whatever comes, or the end, is an answer.
	_, _ = bufio.NewReader(in).ReadString('\n')
}

// statusOf says what went wrong, unless that has been said, and returns the status to
// end with.
func statusOf(err error, out io.Writer) int {
	var status exitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	}
	lines := strings.Split(err.Error(), "\n")
	for i := range lines {
		lines[i] = harmless(lines[i])
	}
	fmt.Fprintln(out, "vigie:", strings.Join(lines, "\n"))
	return 1
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
		demoCommand(), serveCommand(), backupCommand(), restoreCommand(), checkCommand(), registryCommand(openRegistry), patientCommand(openEdited), enrolmentCommand(openEdited), settingCommand(openEdited), consentCommand(openEdited), deviceCommand(openEdited), setAsideCommand(), billingCommand(), gatewayCommand(), accountCommand(), tokenCommand(), auditCommand(), retentionCommand(),
		protocolsCommand(), replayCommand(openPastStore), explainCommand(openPastStore), readingsCommand(), influxCommand(), measureCommand(), measuresCommand(),
	)
	return root
}
