package main

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/spf13/cobra"

	"vigie/ingest/registry"
)

// clock is the time of every command that reads or changes the registry. A trial moves it.
var clock = time.Now

// opener opens the store that the command line names.
type opener func(*cobra.Command) (registryStore, error)

// edit is a change of the registry by hand: one item, through the same checks as an
// import, kept under the name of whoever made it.
type edit struct {
	author    string
	dryRun    bool
	passwords string // file for those of devices
	language  tongue // of its problems
}

// flags adds what every change by hand is asked.
func (e *edit) flags(command *cobra.Command) {
	command.Flags().StringVar(&e.author, "author", "", "who changes it; the version is kept under this name")
	command.Flags().BoolVar(&e.dryRun, "dry-run", false, "say what would change, and change nothing")
	e.language.register(command.Flags())
}

// run opens the store and lets change say what the registry becomes.
func (e *edit) run(command *cobra.Command, open opener, change func(store registryStore) (edited, error)) (err error) {
	if err := e.language.check(); err != nil {
		return err
	}
	if e.author == "" && !e.dryRun {
		return errors.New("a change is kept under a name: give --author, or only look with --dry-run")
	}
	store, err := open(command)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	what, err := change(store)
	if err != nil {
		return err
	}
	return e.keep(command, store, what)
}

// enrolment runs a command whose first argument names an enrolment, with what change
// makes of it. zone is where the patient lives.
func (e *edit) enrolment(open opener, change func(former *registry.Enrolment, zone *time.Location) (edited, error)) func(*cobra.Command, []string) error {
	return func(command *cobra.Command, args []string) error {
		return e.run(command, open, func(store registryStore) (edited, error) {
			former, zone, err := knownEnrolment(command, store, args[0])
			if err != nil {
				return edited{}, err
			}
			return change(former, zone)
		})
	}
}

// edited is what a change makes of the registry.
type edited struct {
	registry.Registry
	// means names what the command is there for, as registry.Unnamed does: a pause is a
	// longer pause.
	means []string
	// passwords are those that devices get instead of theirs.
	passwords []registry.Credential
}

// enrolment is an edited enrolment. The command says itself what of it may loosen the
// watch.
func enrolment(e registry.Enrolment, means ...string) edited {
	of := edited{Registry: registry.Registry{Enrolments: []registry.Enrolment{e}}}
	for _, field := range means {
		of.means = append(of.means, field+":"+e.ID)
	}
	return of
}

// places are where something stands in a file, of which a change by hand has none.
var places = regexp.MustCompile(`(enrolments|devices)\[\d+\]\.`)

// keep checks what the registry would become, says what changes, and imports it.
func (e *edit) keep(command *cobra.Command, store registryStore, what edited) error {
	var text bytes.Buffer
	if err := registry.Write(&text, &what.Registry); err != nil {
		return err
	}
	known := registry.Remembering(store)
	asked := registryImport{loosening: what.means}
	reg, problems, err := asked.check(command, store.Protocol, known, text.Bytes())
	if err != nil {
		return err
	}
	for i := range problems {
		p := &problems[i]
		p.Line, p.Column, p.Path = 0, 0, places.ReplaceAllString(p.Path, "")
	}
	if err := listProblems(command.ErrOrStderr(), e.language, problems); err != nil {
		return err
	}
	if registry.Refused(problems) {
		return exitStatus(1)
	}
	changed, err := registry.Differences(command.Context(), known, &reg)
	if err != nil {
		return err
	}
	if err := listDifferences(command.OutOrStdout(), changed); err != nil {
		return err
	}
	if unnamed := registry.Unnamed(changed, what.means); len(unnamed) > 0 {
		return fmt.Errorf("nothing was changed: less would be watched than you asked for (%v)", unnamed)
	}
	if e.dryRun {
		_, err := fmt.Fprintln(command.OutOrStdout(), "Rien n'est changé (nothing was changed).")
		return err
	}
	credentials, err := givePasswords(command, known, &reg)
	if err != nil {
		return err
	}
	credentials = append(credentials, what.passwords...)
	if err := writePasswords(e.passwords, credentials); err != nil {
		return err
	}
	changes, err := store.Import(command.Context(), &reg, e.author, clock())
	if err != nil {
		return errors.Join(err, forgetPasswords(e.passwords, credentials))
	}
	said := "C'est fait (done)."
	if changes.Added+changes.Changed == 0 {
		said = "C'était déjà ainsi (it was so already)."
	}
	_, err = fmt.Fprintln(command.OutOrStdout(), said)
	return err
}

// knownEnrolment returns an enrolment and where the patient lives.
func knownEnrolment(command *cobra.Command, store registryStore, id string) (*registry.Enrolment, *time.Location, error) {
	e, err := store.Enrolment(command.Context(), id)
	if errors.Is(err, registry.ErrNotFound) {
		return nil, nil, fmt.Errorf("no enrolment is called %s: see \"vigie patient show PATIENT\"", id)
	}
	if err != nil {
		return nil, nil, err
	}
	zone, err := time.LoadLocation(e.Zone)
	if err != nil {
		return nil, nil, fmt.Errorf("the time zone of enrolment %s: %w", id, err)
	}
	return e, zone, nil
}

// instant reads a moment: RFC 3339, or a day, which begins at midnight where the patient
// lives. It is now when nothing is written.
func instant(flag, text string, zone *time.Location) (time.Time, error) {
	if text == "" {
		return clock().UTC().Truncate(time.Second), nil
	}
	if at, err := time.ParseInLocation(time.DateOnly, text, zone); err == nil {
		return at, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("--%s: %q is neither a day (2026-12-04) nor a moment (2026-12-04T18:00:00+01:00)", flag, text)
	}
	return at, nil
}

// lastDay reads the last day of something, which is included: it ends at the midnight
// behind it.
func lastDay(flag, text string, zone *time.Location) (time.Time, error) {
	day, err := time.ParseInLocation(time.DateOnly, text, zone)
	if err != nil {
		return day, fmt.Errorf("--%s: %q is not a day: write 2026-12-04, which is included", flag, text)
	}
	return day.AddDate(0, 0, 1), nil
}
