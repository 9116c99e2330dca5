package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vigie/cmd/vigie/service"
	"vigie/ingest/disk"
	"vigie/ingest/registry"
	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/document"
)

// registryStore is a store that holds the registry and can be closed.
type registryStore interface {
	registry.Store
	// Protocol returns a version of a protocol that enrolments may name, or nil.
	Protocol(id, version string) *protocols.Protocol
	// Latest is the version of a protocol that came last; empty when there is none.
	Latest(id string) string
	io.Closer
}

// registryCommand is `vigie registry`. open opens the store that the command
// line names.
func registryCommand(open func(*cobra.Command) (registryStore, error)) *cobra.Command {
	command := &cobra.Command{
		Use:   "registry",
		Short: "Patients, appareils, inclusions, équipes : importer, exporter (the registry)",
	}
	command.AddCommand(registryImportCommand(open), registryExportCommand(open), registryHistoryCommand(open))
	return command
}

// registryImport is what `vigie registry import` was asked.
type registryImport struct {
	file      string
	dryRun    bool
	author    string
	passwords string // file for those that are generated
	record    string // what each line of a CSV file is
	loosening []string
	encoding  string
	language  tongue // of its problems
}

func registryImportCommand(open func(*cobra.Command) (registryStore, error)) *cobra.Command {
	var asked registryImport
	command := &cobra.Command{
		Use:   "import FILE",
		Short: "Ajouter au registre, ou le modifier, depuis un fichier YAML ou CSV (add to the registry)",
		Long: `Ajoute au registre, ou le modifie, depuis un fichier YAML ou CSV. Chaque erreur est
dite avec sa ligne et sa colonne ; s'il y en a, rien n'est importé. Un appareil sans
mot de passe en reçoit un, écrit une seule fois dans le fichier de --passwords. Ce qui
relâche la surveillance d'un patient doit être nommé : --allow-loosening consent:e-0001.

Add to the registry, or change it, from a YAML or CSV file.

Every problem of the file is listed with its line and column; when one forbids
the import, nothing is imported. What has an id that is already known takes its
place, and the former version stays in the history under its author's name.
Importing the same file again changes nothing.

What loosens the watch over a patient takes effect only where it is named: a consent
withdrawn, a longer pause, a later beginning or an earlier end, a device less, a setting
taken away or older than the one kept. Without its name the import is refused, and says
what to add: --allow-loosening consent:e-0001.

The file is UTF-8. What is not is refused with its line and column; a file that a
spreadsheet wrote otherwise is read with --encoding windows-1252.

Devices without a password get one of 256 random bits. Only its hash is kept:
the password itself is written to the file given with --passwords, once.

A CSV file holds teams, patients, devices or enrolments: its name says which
(devices.csv), or --record, or a column named record. Columns are the keys of
the YAML form, inner ones after a point: identity.ins, consent.date,
settings.fast-gain.value. Several devices, days or addresses in one cell are
separated by spaces.`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) (err error) {
			asked.file = args[0]
			if err := asked.language.check(); err != nil {
				return err
			}
			if asked.author == "" && !asked.dryRun {
				return errors.New("an import is kept under a name: give --author, or only look with --dry-run")
			}
			if !slices.Contains(registry.Encodings, asked.encoding) {
				return fmt.Errorf("--encoding: %q is none of %s", asked.encoding, strings.Join(registry.Encodings, ", "))
			}
			// Before the store, which an import may begin.
			data, err := os.ReadFile(asked.file)
			if err != nil {
				return fmt.Errorf("reading the registry: %w", err)
			}
			store, err := open(command)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, store.Close()) }()
			return asked.run(command, store, data)
		},
	}
	flags := command.Flags()
	flags.BoolVar(&asked.dryRun, "dry-run", false, "list problems and what would change, and import nothing")
	flags.StringVar(&asked.author, "author", "", "who imports; every version is kept under this name")
	flags.StringVar(&asked.passwords, "passwords", "", "new file for the passwords that are generated, one device,password a line")
	flags.StringVar(&asked.encoding, "encoding", registry.Encodings[0], "of the file: "+strings.Join(registry.Encodings, " or "))
	flags.StringSliceVar(&asked.loosening, "allow-loosening", nil, "what may loosen the watch: consent:ENROLMENT, pauses:ENROLMENT, prescription_end:ENROLMENT, settings.NAME:ENROLMENT")
	asked.language.register(flags)
	flags.StringVar(&asked.record, "record", "", "what each line of a CSV file is: "+strings.Join(registry.Records, ", "))
	return command
}

func (asked *registryImport) run(command *cobra.Command, store registryStore, data []byte) error {
	known := registry.Remembering(store)
	reg, problems, err := asked.check(command, store.Protocol, known, data)
	if err != nil {
		return err
	}
	for i := range problems {
		problems[i].File = asked.file
	}
	if err := listProblems(command.ErrOrStderr(), asked.language, problems); err != nil {
		return err
	}
	if registry.Refused(problems) {
		return exitStatus(1)
	}
	changed, err := registry.Differences(command.Context(), known, &reg)
	if err == nil {
		err = listDifferences(command.OutOrStdout(), changed)
	}
	if err != nil {
		return err
	}
	unnamed := registry.Unnamed(changed, asked.loosening)
	if len(unnamed) > 0 && !asked.dryRun {
		return fmt.Errorf("nothing was imported: less would be watched of what is marked above. If each of these is meant, add\n  --allow-loosening %s", strings.Join(unnamed, ","))
	}
	credentials, err := givePasswords(command, known, &reg)
	if err != nil {
		return err
	}
	if asked.dryRun {
		may := "may be imported"
		if len(unnamed) > 0 {
			may += " with --allow-loosening " + strings.Join(unnamed, ",")
		}
		_, err := fmt.Fprintf(command.OutOrStdout(), "%s %s: %d teams, %d patients, %d devices (%d would get a password), %d enrolments.\n",
			asked.file, may, len(reg.Teams), len(reg.Patients), len(reg.Devices), len(credentials), len(reg.Enrolments))
		return err
	}
	if err := writePasswords(asked.passwords, credentials); err != nil {
		return err
	}
	changes, err := store.Import(command.Context(), &reg, asked.author, clock())
	if err != nil {
		return errors.Join(err, forgetPasswords(asked.passwords, credentials))
	}
	_, err = fmt.Fprintf(command.OutOrStdout(), "Imported: %d added, %d changed, %d unchanged.\n", changes.Added, changes.Changed, changes.Unchanged)
	if err == nil && len(credentials) > 0 {
		_, err = fmt.Fprintf(command.OutOrStdout(), "%d passwords are in %s: hand them to whoever sets up the devices, then delete the file.\n", len(credentials), asked.passwords)
		if exposed := disk.Exposed(asked.passwords); exposed != nil {
			fmt.Fprintf(command.ErrOrStderr(), "vigie: the passwords are not for you alone: %v\n", exposed)
		}
	}
	return err
}

// check holds the content of the file against the library and the store.
func (asked *registryImport) check(command *cobra.Command, library registry.Library, known registry.Known, data []byte) (registry.Registry, []document.Problem, error) {
	doc, problems := asked.parse(data)
	if registry.Refused(problems) {
		return registry.Registry{}, problems, nil
	}
	reg, problems, err := registry.Ready(command.Context(), doc, library, known, asked.loosening, clock())
	if err != nil || registry.Refused(problems) {
		return reg, problems, err
	}
	unread, err := unreachable(doc, reg.Teams, clock())
	return reg, append(problems, unread...), err
}

// unreachable warns of teams that nobody can reach at some hour.
func unreachable(doc *document.Node, teams []registry.Team, now time.Time) (warnings []document.Problem, err error) {
	for i := range teams {
		t := &teams[i]
		at, err := service.Unreachable(t, now)
		if err != nil {
			return warnings, err
		}
		if at.IsZero() {
			continue
		}
		zone, err := time.LoadLocation(t.Zone)
		if err != nil {
			return warnings, err
		}
		place := doc.Get("teams").Items[i]
		warnings = append(warnings, document.Problem{
			Line: place.Line, Column: place.Column, Path: fmt.Sprintf("teams[%d]", i), Code: "unreachable", Severity: document.Warning,
			Message: protocols.Text{
				FR: fmt.Sprintf("personne n'est de garde dans l'équipe %s le %s, et elle est fermée", t.ID, at.In(zone).Format("2006-01-02 à 15:04")),
				EN: fmt.Sprintf("nobody is on duty in the team %s on %s, and it is closed", t.ID, at.In(zone).Format("2006-01-02 at 15:04")),
			},
			Suggestion: protocols.Text{FR: "donnez-lui mail, escalate ou un planning qui couvre ces heures", EN: "give it mail, escalate or a rota that covers these hours"},
		})
	}
	return warnings, nil
}

func (asked *registryImport) parse(data []byte) (*document.Node, []document.Problem) {
	data, problems := registry.Decode(data, asked.encoding)
	if len(problems) > 0 {
		return nil, problems
	}
	if strings.EqualFold(filepath.Ext(asked.file), ".csv") {
		record := asked.record
		if name := strings.TrimSuffix(filepath.Base(asked.file), filepath.Ext(asked.file)); record == "" && slices.Contains(registry.Records, name) {
			record = name
		}
		return registry.ParseCSV(data, record)
	}
	doc, err := registry.ParseYAML(data)
	if bad := new(yaml.Error); errors.As(err, &bad) {
		return nil, []document.Problem{bad.Problem()}
	}
	return doc, nil
}

// listDifferences writes one field a line, before and after. What loosens the watch
// over a patient is marked.
func listDifferences(w io.Writer, changed []registry.Difference) error {
	or := func(value string) string {
		if value == "" {
			return "—"
		}
		return value
	}
	for _, d := range changed {
		mark := ""
		if d.Loosens {
			mark = "  ! less is watched"
		}
		if _, err := fmt.Fprintf(w, "%s: %s: %s → %s%s\n", d.Item, harmless(d.Field), or(harmless(d.Before)), or(harmless(d.After)), mark); err != nil {
			return err
		}
	}
	return nil
}

// givePasswords makes one for each device that has none, neither in the file
// nor in the store.
func givePasswords(command *cobra.Command, known registry.Known, reg *registry.Registry) ([]registry.Credential, error) {
	var given []registry.Credential
	for i := range reg.Devices {
		d := &reg.Devices[i]
		if d.Password != "" || d.Secret != "" {
			continue
		}
		_, err := known.Device(command.Context(), d.Name)
		if err == nil {
			continue // it keeps the one it has
		}
		if !errors.Is(err, registry.ErrNotFound) {
			return nil, err
		}
		d.Password = registry.NewPassword()
		given = append(given, registry.Credential{Device: d.Name, Password: d.Password})
	}
	return given, nil
}

// writePasswords puts them on disk before the import keeps their hashes, so
// that none is ever lost. Only the user may read the file, which must be new.
func writePasswords(file string, credentials []registry.Credential) (err error) {
	if len(credentials) == 0 {
		return nil
	}
	if file == "" {
		return fmt.Errorf("%d devices get a new password, which nobody can read again later: give --passwords FILE to have them written", len(credentials))
	}
	out, err := disk.Create(file)
	if err != nil {
		return fmt.Errorf("writing the passwords: %w", err)
	}
	defer func() { err = errors.Join(err, disk.Finish(out)) }()
	for _, c := range credentials {
		if _, err := fmt.Fprintf(out, "%s,%s\n", c.Device, c.Password); err != nil {
			return fmt.Errorf("writing the passwords: %w", err)
		}
	}
	return nil
}

// forgetPasswords removes the file after an import that failed: the passwords
// in it open nothing.
func forgetPasswords(file string, credentials []registry.Credential) error {
	if len(credentials) == 0 {
		return nil
	}
	return os.Remove(file)
}

func registryExportCommand(open func(*cobra.Command) (registryStore, error)) *cobra.Command {
	var author, reason, mosquitto string
	command := &cobra.Command{
		Use:   "export",
		Short: "Écrire le registre en YAML, sans les mots de passe (write the registry as YAML)",
		Long: `Écrit le registre en YAML, empreintes à la place des mots de passe. Il contient
l'identité des patients : qui l'a lue, et pourquoi, est consigné.

Write the registry as YAML to standard output, hashes in the place of
passwords. What was exported can be imported again. The export holds the
identities of patients: that they were read, by whom and why, is logged.

With --mosquitto FOLDER it writes the files "passwords" and "acl" for a Mosquitto
broker instead, and no identity. Devices whose password an earlier Vigie set are
listed: give each a new one with "vigie device password".`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) (err error) {
			if mosquitto != "" {
				return exportMosquitto(command, mosquitto)
			}
			if author == "" || reason == "" {
				return errors.New("an export reads the identity of every patient, which is logged: give --author and --reason")
			}
			store, err := open(command)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, store.Close()) }()
			reg, err := store.Export(command.Context(), registry.Access{Author: author, Reason: reason, At: clock()})
			if err != nil {
				return err
			}
			return registry.Write(command.OutOrStdout(), &reg)
		},
	}
	command.Flags().StringVar(&mosquitto, "mosquitto", "", "folder for the password file and the access list of a Mosquitto broker")
	command.Flags().StringVar(&author, "author", "", "who reads the identities")
	command.Flags().StringVar(&reason, "reason", "", "why")
	return command
}

// exportMosquitto writes the files of a Mosquitto broker.
func exportMosquitto(command *cobra.Command, folder string) (err error) {
	tools, err := openTools(command)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, tools.Close()) }()
	left, err := tools.WriteMosquitto(command.Context(), folder)
	if err != nil {
		return err
	}
	for _, name := range left {
		if _, err := fmt.Fprintln(command.OutOrStdout(), name); err != nil {
			return err
		}
	}
	if len(left) > 0 {
		fmt.Fprintf(command.ErrOrStderr(), "%d devices are not in the password file: an earlier Vigie set their passwords; give each a new one\n", len(left))
	}
	return nil
}
