package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
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
alors plus de messages, valide et acquitte ceux qu'il a pris, et se termine. SIGHUP
lui fait relire jetons, niveau du journal et dossiers de protocoles.

Runs the service until it is told to stop (SIGTERM, Ctrl-C). It then takes no
more messages, commits and acknowledges those it has taken, and ends. SIGHUP lets
it read tokens, level of the log and folders of protocols again.

deploy/vigie.yaml shows every key of the configuration.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := configOf(cmd)
			if os.Getenv(config.Variable("log.format")) == jsonFormat {
				c.Log.Format = jsonFormat // whatever the file says, or cannot say
			}
			if err != nil {
				return said(logTo(os.Stderr, c.Log, new(slog.LevelVar)), c.Log, err)
			}
			return serve(cmd.Context(), cmd.OutOrStdout(), c, func() (config.Config, error) { return configOf(cmd) })
		},
	}
}

func serve(ctx context.Context, out io.Writer, c config.Config, again func() (config.Config, error)) error {
	tend(ctx)
	var level slog.LevelVar
	log := logTo(os.Stderr, c.Log, &level)
	slog.SetDefault(log) // what libraries write of themselves, too
	for _, doubt := range c.Doubts() {
		log.Warn(doubt)
	}
	reload, stop := hangups()
	defer stop()
	for {
		anew := make(chan struct{}, 1)
		running, err := service.Start(ctx, service.Options{Config: c, Now: time.Now, Log: log, Again: func() {
			select {
			case anew <- struct{}{}:
			default: // asked already
			}
		}})
		if err != nil {
			return said(log, c.Log, err)
		}
		announce(out, log, c.Log, running)
		more := follow(ctx, running, log, &level, again, reload, anew)
		log.Info("stopping: committing what was taken")
		if err := running.Close(); err != nil || !more {
			return said(log, c.Log, err)
		}
	}
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

// filesEvery is how often the files of the configuration's secrets are looked at.
const filesEvery = 2 * time.Second

// follow keeps a service to its configuration until ctx ends: tokens as soon as their
// files change, so that one that is revoked stops at once; the level of the log and the
// folders of protocols as well when it is told to (SIGHUP). It reports whether the service
// is to start anew.
func follow(ctx context.Context, running *service.Service, log *slog.Logger, level *slog.LevelVar, again func() (config.Config, error), reload <-chan os.Signal, anew <-chan struct{}) bool {
	look := time.NewTicker(filesEvery)
	defer look.Stop()
	trouble := ""
	for {
		var err error
		asked := false
		select {
		case <-ctx.Done():
			return false
		case <-anew:
			return true
		case <-reload:
			asked = true
		case <-look.C:
		}
		c, err := again()
		switch {
		case err != nil:
		case asked:
			setLevel(level, c.Log)
			err = running.Reload(ctx, c)
		default:
			err = running.SetTokens(c.HTTP.Tokens)
		}
		switch {
		case err == nil && asked:
			log.Info("the configuration was read again: tokens, level of the log, folders of protocols; all else needs a restart")
			trouble = ""
		case err == nil:
			trouble = ""
		case asked || err.Error() != trouble:
			trouble = err.Error()
			log.Error("the configuration cannot be read again, and stays as it was", "error", err)
		}
	}
}

func setLevel(level *slog.LevelVar, c config.Log) {
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		level.Set(slog.LevelInfo) // Check has refused anything else
	}
}

func logTo(out io.Writer, c config.Log, level *slog.LevelVar) *slog.Logger {
	setLevel(level, c)
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
	return asCommand(cmd, c)
}

// asCommand opens the store for a command, whose name the trail keeps.
func asCommand(cmd *cobra.Command, c config.Config) (*service.Tools, error) {
	tools, err := service.OpenTools(cmd.Context(), c)
	if err == nil {
		tools.As(cmd.CommandPath())
	}
	return tools, err
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
	return asCommand(cmd, c)
}

// openEdited opens the registry to change it by hand.
func openEdited(cmd *cobra.Command) (registryStore, error) { return openTools(cmd) }

func openPastStore(cmd *cobra.Command) (pastStore, error) { return openTools(cmd) }
