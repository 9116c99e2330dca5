package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/spf13/cobra"

	"vigie/alerts/access"
	"vigie/alerts/workspace"
	"vigie/cmd/vigie/service"
	"vigie/protocols"
)

const strikeHelp = `Raye des mesures d'un patient, avec un motif, dans la base d'un service arrêté : elles
restent, marquées, et ne comptent plus. Les alertes qui ne tenaient qu'à elles sont
closes au nom de l'auteur. readings unstrike les rétablit. Quand un service tourne, il le
fait lui-même : POST /api/v1/readings/strike.

Strikes readings of a patient out, with a reason, in the store of a service that is
stopped: they stay, marked, and count no more. Alerts that rested on them alone are closed
in the author's name. readings unstrike takes it back. A service that runs does so itself:
POST /api/v1/readings/strike.`

// strikeFlags are what the command line of `vigie readings strike` says.
type strikeFlags struct {
	patient, at, from, to, zone, device, id, measure, author, reason string
}

// readingsStrikeCommands strike readings out, and take that back.
func readingsStrikeCommands() []*cobra.Command {
	var commands []*cobra.Command
	for _, c := range []struct {
		name, short string
		undo        bool
	}{
		{"strike", "Rayer des mesures (strike readings out)", false},
		{"unstrike", "Rétablir des mesures rayées (take back that readings are struck out)", true},
	} {
		var flags strikeFlags
		command := &cobra.Command{
			Use:     c.name + " --patient P --at T --reason R --author A",
			Short:   c.short,
			Long:    strikeHelp,
			Example: "  vigie readings " + c.name + " --patient p-0012 --at 2026-03-02T07:02:00+01:00 --reason \"son mari\" --author \"Mme Hoarau\"",
			Args:    cobra.NoArgs,
			RunE:    func(cmd *cobra.Command, _ []string) error { return flags.run(cmd, c.undo) },
		}
		f := command.Flags()
		f.StringVar(&flags.patient, "patient", "", "pseudonymous id of the patient")
		f.StringVar(&flags.at, "at", "", "when the reading was measured: an instant")
		f.StringVar(&flags.from, "from", "", "of several, the beginning: a day or an instant")
		f.StringVar(&flags.to, "to", "", "of several, the end: a day (included) or an instant")
		f.StringVar(&flags.zone, "time-zone", "Europe/Paris", "zone of days and times written without one")
		f.StringVar(&flags.device, "device", "", "only what this device measured")
		f.StringVar(&flags.id, "id", "", "only the reading of this id")
		f.StringVar(&flags.measure, "measure", "", "only this measure, as weight")
		f.StringVar(&flags.reason, "reason", "", "why: who was on the scale, what was wrong")
		f.StringVar(&flags.author, "author", "", "who strikes it out; kept with it")
		commands = append(commands, command)
	}
	return commands
}

func (f *strikeFlags) about(undo bool) (about workspace.Striking, err error) {
	about = workspace.Striking{Patient: f.patient, Device: f.device, ID: f.id, Author: f.author, Reason: f.reason, Undo: undo}
	if f.patient == "" || f.reason == "" || f.author == "" {
		return about, errors.New("say whose reading it is with --patient, why with --reason, and who says so with --author")
	}
	if f.measure != "" {
		if about.Measure = protocols.MeasureByID(f.measure); about.Measure == nil {
			return about, fmt.Errorf("--measure %q is not known: vigie measures lists them", f.measure)
		}
	}
	if f.at != "" && f.from+f.to == "" {
		zone, err := time.LoadLocation(f.zone)
		if err != nil {
			return about, fmt.Errorf("the time zone %q is not known: use an IANA name such as Europe/Paris", f.zone)
		}
		about.From, err = momentOf("--at", f.at, zone, 0)
		about.To = about.From.Add(1)
		return about, err
	}
	span, err := spanOf(f.from, f.to, f.zone)
	if err == nil && (f.at != "" || span.From.IsZero() || span.To.IsZero()) {
		err = errors.New("say when the reading was measured with --at, or between which moments with --from and --to")
	}
	about.From, about.To = span.From, span.To
	return about, err
}

func (f *strikeFlags) run(cmd *cobra.Command, undo bool) error {
	about, err := f.about(undo)
	if err != nil {
		return err
	}
	c, err := configOf(cmd)
	if err != nil {
		return err
	}
	if err := f.note(cmd); err != nil {
		return err
	}
	options := service.Options{Config: c, Now: time.Now, Log: logTo(os.Stderr, c.Log, new(slog.LevelVar))}
	struck, err := service.Strike(cmd.Context(), options, about)
	if errors.Is(err, service.ErrRunning) {
		return fmt.Errorf("%w; it does so itself: POST /api/v1/readings/strike", service.ErrRunning)
	}
	if err != nil {
		return err
	}
	for _, r := range struck {
		said := "struck out"
		if undo {
			said = "counts again"
		}
		if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%s %s %s %s: %s\n", r.Time.Format(time.RFC3339), r.Measure.ID, harmless(r.Device), harmless(r.ID), said); err != nil {
			return err
		}
	}
	return nil
}

// note writes the act into the trail, before it is done.
func (f *strikeFlags) note(cmd *cobra.Command) (err error) {
	tools, err := openTools(cmd)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tools.Close()) }()
	return tools.Note(cmd.Context(), access.Who{}, "", f.author, f.patient, f.reason)
}
