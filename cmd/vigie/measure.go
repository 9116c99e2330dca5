package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"vigie/alerts"
	"vigie/protocols/library"
	"vigie/seeds/measure"
	"vigie/seeds/simulation"
)

const measureHelp = `Mesure les protocoles de la bibliothèque sur des cohortes simulées dont on connaît les
événements : combien sont vus à temps, combien sont vus, avec quel préavis, au prix de
combien de fausses alertes et de quel travail. C'est une simulation : elle compare des
protocoles entre eux, elle ne prouve rien sur des patients.

--world reported : le monde où l'on donne les résultats, où rien n'est réglé.
--world choosing : celui où l'on règle les paramètres d'un protocole.
--world FICHIER : un autre, qui dit en quoi il diffère de seeds/simulation/world.yaml.

Measures the library on simulated cohorts with known events: what is seen in time, what
is seen at all, the warning, false alerts, work. It is a simulation: it compares protocols
with one another and proves nothing about patients. Figures are reported in one world, and
parameters chosen in another; a file says in what a third one differs.`

// measureFlags are what the command line of a measure says.
type measureFlags struct {
	patients  int
	days      int
	seed      uint64
	seeds     int
	world     string
	protocols []string
	settings  []string
	format    string
	language  tongue
}

func measureCommand() *cobra.Command {
	var flags measureFlags
	command := &cobra.Command{
		Use:     "measure",
		Short:   "Sensibilité, préavis et fausses alertes sur des cohortes simulées (sensitivity and false alerts on simulated cohorts)",
		Long:    measureHelp,
		Example: "  vigie measure --protocol heart-failure --world choosing --settings fast-gain=1.5",
		Args:    cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			return runMeasure(command.Context(), &flags, command.OutOrStdout(), command.ErrOrStderr())
		},
	}
	f := command.Flags()
	f.IntVar(&flags.patients, "patients", 200, "patients of each condition and seed")
	f.IntVar(&flags.days, "days", 0, fmt.Sprintf("days that are simulated (default %d, %d with a sensor that measures all day)", usualDays, sensorDays))
	f.Uint64Var(&flags.seed, "seed", 1, "first seed: the same one gives the same patients")
	f.IntVar(&flags.seeds, "seeds", 3, "how many seeds, one after the other")
	f.StringVar(&flags.world, "world", "reported", "reported, choosing, or a file")
	f.StringArrayVar(&flags.protocols, "protocol", nil, "file, or id of the library; may be repeated; the whole library when absent")
	f.StringArrayVar(&flags.settings, "settings", nil, "settings for every patient, with one --protocol: name=value, or a file")
	f.StringVar(&flags.format, "format", "text", "text or json")
	flags.language.register(f)
	return command
}

func runMeasure(ctx context.Context, flags *measureFlags, out, progress io.Writer) error {
	write, ok := map[string]func(io.Writer, tongue, *measure.Found) error{"text": writeMeasuredText, "json": writeMeasuredJSON}[flags.format]
	if !ok {
		return fmt.Errorf("--format is text or json, not %q", flags.format)
	}
	if err := flags.language.check(); err != nil {
		return err
	}
	if flags.patients < 1 || flags.days < 0 || flags.seeds < 1 {
		return errors.New("--patients and --seeds must be above 0, and --days not below")
	}
	world, err := flags.readWorld()
	if err != nil {
		return err
	}
	versions, err := flags.versions()
	if err != nil {
		return err
	}
	found := &measure.Found{
		Simulation: true, World: measure.World{ID: world.ID, Title: world.Title, Digest: world.Digest()}, Patients: flags.patients, Phenotypes: world.Illness,
	}
	for n := range flags.seeds {
		found.Seeds = append(found.Seeds, flags.seed+uint64(n))
	}
	for _, v := range versions {
		for _, condition := range simulation.Followed(v.protocol) {
			trial := &measure.Trial{
				Protocol: v.protocol, Start: v.start, World: world, Seeds: found.Seeds, Office: officeHours,
				Cohort: simulation.Cohort{Patients: flags.patients, Days: flags.daysOf(condition), Of: condition, World: world},
			}
			bar := newProgress(progress, flags.language, patientNoun, flags.patients*flags.seeds)
			one, err := trial.Run(ctx, func() { bar.add(1) })
			bar.end()
			if err != nil {
				return err
			}
			found.Protocols = append(found.Protocols, *one)
		}
	}
	return write(out, flags.language, found)
}

// officeHours is when a delay is over that runs on working days from 8:30 to 18:00.
func officeHours(from time.Time, delay time.Duration, zone *time.Location) time.Time {
	hours := alerts.Calendar{
		Zone: zone, Opens: 8*time.Hour + 30*time.Minute, Closes: 18 * time.Hour, Days: [7]bool{false, true, true, true, true, true, false},
	}
	return hours.Add(from, delay)
}

// Days that are simulated unless another number is asked for. A sensor makes so many
// readings, and so many events, that fewer days say as much.
const (
	usualDays  = 180
	sensorDays = 60
)

func (f *measureFlags) daysOf(condition simulation.Condition) int {
	switch {
	case f.days > 0:
		return f.days
	case condition == simulation.Sensor || condition == simulation.Pregnancy:
		return sensorDays
	}
	return usualDays
}

// readWorld reads where the patients live.
func (f *measureFlags) readWorld() (*simulation.World, error) {
	switch f.world {
	case "", "reported":
		return simulation.Reported(), nil
	case "choosing":
		return simulation.Choosing(), nil
	}
	file, err := os.ReadFile(f.world)
	if err != nil {
		return nil, fmt.Errorf("--world is reported, choosing or a file: %w", err)
	}
	world, err := simulation.ReadWorld(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.world, err)
	}
	return world, nil
}

// versions are the protocols to measure, each with the settings in place.
func (f *measureFlags) versions() ([]*candidate, error) {
	if len(f.settings) > 0 && len(f.protocols) != 1 {
		return nil, fmt.Errorf("--settings needs exactly one --protocol, whose parameters they are")
	}
	names := f.protocols
	if len(names) == 0 {
		names = library.Names()
	}
	var versions []*candidate
	for _, name := range names {
		p, err := readProtocol(name)
		if err != nil {
			return nil, err
		}
		settings, err := readSettings(f.settings, p)
		if err != nil {
			return nil, err
		}
		v, err := newCandidate(p, settings, name)
		if err != nil {
			return nil, err
		}
		versions = append(versions, v)
	}
	return versions, nil
}
