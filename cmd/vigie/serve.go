package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"vigie/cmd/vigie/config"
	"vigie/cmd/vigie/service"
)

func serveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "serve",
		Short: "Faire tourner le service (run the service)",
		Long: `Fait tourner le service jusqu'à ce qu'on l'arrête (SIGTERM, Ctrl-C). Il ne prend
alors plus de messages, valide et acquitte ceux qu'il a pris, et se termine.

Runs the service until it is told to stop (SIGTERM, Ctrl-C). It then takes no
more messages, commits and acknowledges those it has taken, and ends.

deploy/vigie.yaml shows every key of the configuration.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := configOf(cmd)
			if err != nil {
				return err
			}
			return serve(cmd.Context(), cmd.OutOrStdout(), c)
		},
	}
}

// headroom is how much garbage may pile up, in bytes, before it is collected, beside
// what Go's own rule allows: as much as what is in use. With few patients in memory
// that is little, and the collector would run tens of times a second.
const headroom = 64 << 20

func serve(ctx context.Context, out io.Writer, c config.Config) error {
	// Counted as in use and never touched, so that it takes no memory itself.
	ballast := make([]byte, headroom)
	defer runtime.KeepAlive(ballast)
	log := logTo(os.Stderr, c.Log)
	running, err := service.Start(ctx, service.Options{Config: c, Now: time.Now, Log: log})
	if err != nil {
		return said(log, c.Log, err)
	}
	announce(out, log, c.Log, running)
	<-ctx.Done()
	log.Info("stopping: committing what was taken")
	return said(log, c.Log, running.Close())
}

const jsonFormat = "json"

// announce says where the doors are. A log in JSON holds nothing but JSON, also where
// standard output and standard error go to one place.
func announce(out io.Writer, log *slog.Logger, c config.Log, running *service.Service) {
	if c.Format == jsonFormat {
		log.Info("serving", "page", running.Page(), "broker", running.Broker())
		return
	}
	fmt.Fprintln(out, "page  ", running.Page())
	if address := running.Broker(); address != "" {
		fmt.Fprintln(out, "broker", address)
	}
}

// said writes an error into a log in JSON, and leaves it to the end of the program
// otherwise.
func said(log *slog.Logger, c config.Log, err error) error {
	if err == nil || c.Format != jsonFormat {
		return err
	}
	log.Error("the service ends", "error", err)
	return exitStatus(1)
}

func logTo(out io.Writer, c config.Log) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		level = slog.LevelInfo // Check has refused anything else
	}
	options := &slog.HandlerOptions{Level: level}
	if c.Format == jsonFormat {
		return slog.New(slog.NewJSONHandler(out, options))
	}
	return slog.New(slog.NewTextHandler(out, options))
}

// configFlags are the two ways of saying where things are, for every command.
func configFlags(root *cobra.Command) {
	root.PersistentFlags().String("config", "", "configuration file (see deploy/vigie.yaml); every key also comes from the environment")
	root.PersistentFlags().String("data", "", "folder of the embedded store, in place of the configuration's")
}

// configOf reads the configuration that the command line names.
func configOf(cmd *cobra.Command) (config.Config, error) {
	file, err := cmd.Flags().GetString("config")
	if err != nil {
		return config.Config{}, err
	}
	c, err := config.Load(file, os.Environ())
	if err != nil {
		return c, err
	}
	if folder, err := cmd.Flags().GetString("data"); err == nil && folder != "" {
		c.Data = folder
	}
	return c, nil
}

// openTools opens the store that the command line names, beside a service that
// may be running.
func openTools(cmd *cobra.Command) (*service.Tools, error) {
	c, err := configOf(cmd)
	if err != nil {
		return nil, err
	}
	if err := service.Standing(c); err != nil {
		return nil, err
	}
	return service.OpenTools(cmd.Context(), c)
}

// openRegistry is openTools, but that an import may begin a store.
func openRegistry(cmd *cobra.Command) (registryStore, error) {
	if cmd.Name() != "import" {
		return openTools(cmd)
	}
	c, err := configOf(cmd)
	if err != nil {
		return nil, err
	}
	return service.OpenTools(cmd.Context(), c)
}

func openPastStore(cmd *cobra.Command) (pastStore, error) { return openTools(cmd) }
