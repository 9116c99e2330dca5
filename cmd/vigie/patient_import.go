package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"vigie/alerts/workspace/archive"
	"vigie/cmd/vigie/service"
	"vigie/ingest"
	"vigie/ingest/formats/native"
	"vigie/ingest/registry"
	"vigie/protocols"
	"vigie/protocols/written"
)

// patientImport is what `vigie patient import` was asked.
type patientImport struct {
	file      string
	author    string
	passwords string
	dryRun    bool
	relive    bool
}

func patientImportCommand() *cobra.Command {
	var asked patientImport
	command := &cobra.Command{
		Use:   "import FILE.zip",
		Short: "Relire l'archive d'un patient (read the archive of a patient)",
		Long: `Relit l'archive d'un patient, écrite par vigie patient export : chaque fichier est
vérifié contre le manifeste, puis l'équipe, le patient, ses appareils, ses inclusions et
ses mesures entrent. Le service est arrêté. Les mesures anciennes entrent comme un passé,
sans rien faire sonner. Avec --relive, dans une base sans alerte, elles sont évaluées au
jour où elles ont été faites : les mêmes alertes en sortent, et personne n'est prévenu.

Read the archive of a patient that "vigie patient export" wrote: each file is held
against the manifest, then the team, the patient, the devices, the enrolments and the
readings enter. The service is stopped. Old readings enter as history, and nothing rings.
With --relive, in a store without alerts, they are evaluated on the day on which they were
measured: the same alerts come of it, and nobody is told.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			asked.file = args[0]
			if asked.author == "" && !asked.dryRun {
				return errors.New("an import is kept under a name: give --author, or only look with --dry-run")
			}
			return asked.run(cmd)
		},
	}
	flags := command.Flags()
	flags.StringVar(&asked.author, "author", "", "who imports it")
	flags.StringVar(&asked.passwords, "passwords", "", "new file for the passwords of the devices, which the archive does not hold")
	flags.BoolVar(&asked.dryRun, "dry-run", false, "say what would change, and change nothing")
	flags.BoolVar(&asked.relive, "relive", false, "evaluate the readings on the day on which they were measured")
	return command
}

func (p *patientImport) run(cmd *cobra.Command) (err error) {
	in, err := archive.Open(p.file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	byDevice, struck, err := in.Readings(native.Decoder{}, time.Now())
	if err != nil {
		return err
	}
	if err := p.registry(cmd, in); err != nil || p.dryRun {
		return err
	}
	c, err := configOf(cmd)
	if err != nil {
		return err
	}
	options := service.Options{Config: c, Now: time.Now, Log: logTo(os.Stderr, c.Log, new(slog.LevelVar))}
	entered, err := p.enter(cmd.Context(), options, byDevice)
	if errors.Is(err, service.ErrRunning) {
		err = fmt.Errorf("%w; stop it: devices wait meanwhile, and lose nothing", service.ErrRunning)
	}
	if err != nil {
		return err
	}
	_, err = io.WriteString(cmd.OutOrStdout(), written.Sentence("fr", "%s : %d [mesure entrée|mesures entrées] (readings entered), %d [connue|connues] (known), %d [refusée|refusées] (refused), %d [rayée laissée|rayées laissées] de côté (struck out, left aside).\n",
		in.Patient, entered.New, entered.Known, refusedIn(entered), struck))
	return err
}

func refusedIn(e ingest.Entered) (sum int) {
	for _, n := range e.Refused {
		sum += n
	}
	return sum
}

// registry imports the registry of an archive, as vigie registry import does.
func (p *patientImport) registry(cmd *cobra.Command, in *archive.Opened) (err error) {
	text, err := in.Read("registry.yaml")
	if err != nil {
		return err
	}
	store, err := openRegistry(cmd)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	asked := registryImport{file: "registry.yaml", author: p.author, passwords: p.passwords, dryRun: p.dryRun, encoding: "utf-8"}
	if err := asked.run(cmd, store, text); err != nil || p.dryRun {
		return err
	}
	return p.merges(cmd, in, store)
}

// merges takes the merges of an archive over. One with a record that is not there waits for
// the archive of that one, which names it too.
func (p *patientImport) merges(cmd *cobra.Command, in *archive.Opened, store registryStore) error {
	if !in.Holds(archive.MergesFile) {
		return nil
	}
	text, err := in.Read(archive.MergesFile)
	if err != nil {
		return err
	}
	var merges []registry.Merge
	if err := json.Unmarshal(text, &merges); err != nil {
		return fmt.Errorf("read %s: %w", archive.MergesFile, err)
	}
	for _, m := range merges {
		other, err := absent(cmd.Context(), store, m.From, m.Into)
		if err != nil {
			return err
		}
		said := fmt.Sprintf("%s réuni à (merged into) %s.\n", harmless(m.From), harmless(m.Into))
		if other != "" {
			said = fmt.Sprintf("%s sera réuni à %s avec l'archive de (will be merged with the archive of) %s.\n", harmless(m.From), harmless(m.Into), harmless(other))
		} else if _, err := store.Import(cmd.Context(), &registry.Registry{Merges: []registry.Merge{m}}, p.author, time.Now()); err != nil {
			return err
		}
		if _, err := fmt.Fprint(cmd.OutOrStdout(), said); err != nil {
			return err
		}
	}
	return nil
}

// absent returns the first of some records that the store does not hold; empty for none.
func absent(ctx context.Context, store registryStore, records ...string) (string, error) {
	for _, id := range records {
		if known, err := store.HasPatient(ctx, id); err != nil || !known {
			return id, err
		}
	}
	return "", nil
}

// enter keeps the readings.
func (p *patientImport) enter(ctx context.Context, options service.Options, byDevice map[string][]protocols.Reading) (sum ingest.Entered, err error) {
	if p.relive {
		return service.Relive(ctx, options, byDevice)
	}
	sum.Refused = map[protocols.Code]int{}
	for _, device := range slices.Sorted(maps.Keys(byDevice)) {
		entered, err := service.Enter(ctx, options, device, byDevice[device], nil)
		if err != nil {
			return sum, fmt.Errorf("enter the readings of %s: %w", device, err)
		}
		sum.New, sum.Known, sum.Past = sum.New+entered.New, sum.Known+entered.Known, sum.Past+entered.Past
		for code, n := range entered.Refused {
			sum.Refused[code] += n
		}
	}
	return sum, nil
}
