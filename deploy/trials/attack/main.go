// Command attack does to a fresh service what strangers and broken devices do, and sees
// whether a healthy device beside them notices.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"text/tabwriter"
	"time"
	_ "time/tzdata" // every program brings zones

	"github.com/spf13/cobra"
)

type options struct {
	Vigie string
	Quick bool
	Seed  uint64
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := command().ExecuteContext(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "attack:", err)
		os.Exit(1)
	}
}

func command() *cobra.Command {
	var o options
	command := &cobra.Command{
		Use:   "attack --vigie PROGRAM",
		Short: "Attaque un service neuf et voit ce qu'un appareil sain en remarque (attack a fresh service, and see what a healthy device notices)",
		Long: `Start a service over an empty store, and attack its broker: packets of MQTT by hand,
altered packets, slow devices, a flooding device, strangers that fill the log. After
each attack a healthy device publishes a reading and waits for its acknowledgement.

The status is 0 only when every reading was kept, the service never ended, and its log
stayed small.`,
		Args:          cobra.NoArgs,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(command *cobra.Command, _ []string) error {
			return run(command.Context(), command.OutOrStdout(), o)
		},
	}
	flags := command.Flags()
	flags.StringVar(&o.Vigie, "vigie", "", "the program to attack")
	flags.BoolVar(&o.Quick, "quick", false, "each attack for seconds")
	flags.Uint64Var(&o.Seed, "seed", 1, "of the altered packets")
	if err := command.MarkFlagRequired("vigie"); err != nil {
		panic("attack: it has no flag vigie")
	}
	return command
}

// attack is one of them. It returns how much it has sent, and what went otherwise than
// it must.
type attack struct {
	name string
	run  func(context.Context, *target) (sent int, err error)
}

// mostLog is how much one attack may add to the log.
const mostLog = 256 << 10

// run attacks, and prints a line for each attack.
func run(ctx context.Context, out io.Writer, o options) (err error) {
	folder, err := os.MkdirTemp("", "vigie-attack-")
	if err != nil {
		return fmt.Errorf("make a folder for the store: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	t, err := start(ctx, o, folder)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.stop()) }()
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "attack\tsent\tlog\treading after\tresult")
	failed := 0
	for _, a := range attacks {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		logged := t.logged()
		sent, err := a.run(ctx, t)
		began := time.Now()
		err = errors.Join(err, t.healthy())
		waited, grown := time.Since(began), t.logged()-logged
		if grown > mostLog {
			err = errors.Join(err, fmt.Errorf("the log grew by %d bytes", grown))
		}
		result := "holds"
		if err != nil {
			result = err.Error()
			failed++
		}
		fmt.Fprintf(table, "%s\t%d\t%d B\t%d ms\t%s\n", a.name, sent, grown, waited.Milliseconds(), result)
	}
	kept := errors.Join(t.kept(ctx), t.counted())
	if kept != nil {
		failed++
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(out, "acknowledged=%d failed=%d\n", t.acknowledged, failed)
	if failed > 0 {
		return errors.Join(fmt.Errorf("%d of %d did not hold", failed, len(attacks)+1), kept)
	}
	return nil
}
