package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"vigie/protocols"
)

// settingCommand is `vigie setting`.
func settingCommand(open opener) *cobra.Command {
	command := &cobra.Command{
		Use:   "setting",
		Short: "Seuils d'un patient : les lire, les régler (a patient's thresholds)",
	}
	command.AddCommand(settingList(open), settingSet(open), settingUnset(open))
	return command
}

func settingList(open opener) *cobra.Command {
	return &cobra.Command{
		Use:   "list ENROLMENT",
		Short: "Chaque seuil, sa valeur, qui l'a réglé et ses bornes (every threshold, with its bounds)",
		Args:  cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) (err error) {
			store, err := open(command)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, store.Close()) }()
			e, _, err := knownEnrolment(command, store, args[0])
			if err != nil {
				return err
			}
			settings, err := e.LocalSettings()
			if err != nil {
				return err
			}
			protocol := store.Protocol(e.Protocol, e.Version)
			if protocol == nil {
				return fmt.Errorf("the protocol %s, version %s, is not in the library", e.Protocol, e.Version)
			}
			for _, p := range protocol.Parameters {
				value, by := p.Default, "valeur du protocole"
				if s, set := settings[p.Name]; set {
					value, by = s.Value, fmt.Sprintf("%s, le %s : %s", s.Author, s.Date.Format("02/01/2006"), s.Reason)
				}
				if _, err := fmt.Fprintf(command.OutOrStdout(), "%-24s %8s %-8s de %s à %s   %s   (%s)\n", p.Name, value.French(), p.Unit, p.Min.French(), p.Max.French(), p.Title.FR, by); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func settingSet(open opener) *cobra.Command {
	var e edit
	var by, reason, on string
	command := &cobra.Command{
		Use:   "set ENROLMENT NAME VALUE --by WHO --reason WHY",
		Short: "Régler un seuil, avec qui l'a décidé et pourquoi (set a threshold)",
		Long: `Règle un seuil d'un patient, dans l'unité du protocole. Qui l'a décidé et pourquoi
sont gardés, et se lisent dans chaque alerte.

Set one of a patient's thresholds, in the unit of the protocol: who decided it and why
are kept, and stand in each alert. A running service evaluates with it at once.`,
		Args: cobra.ExactArgs(3),
		RunE: func(command *cobra.Command, args []string) error {
			value, err := asNumber(args[2])
			if err != nil {
				return err
			}
			return e.run(command, open, func(store registryStore) (edited, error) {
				former, zone, err := knownEnrolment(command, store, args[0])
				if err != nil {
					return edited{}, err
				}
				if by == "" || reason == "" {
					return edited{}, errors.New("a threshold has who decided it and why: give --by and --reason")
				}
				decided, err := instant("on", on, zone)
				return enrolment(former.With(args[1], protocols.Setting{Value: value, Author: by, Date: decided, Reason: reason})), err
			})
		},
	}
	e.flags(command)
	command.Flags().StringVar(&by, "by", "", "who decided it: the physician")
	command.Flags().StringVar(&reason, "reason", "", "why")
	command.Flags().StringVar(&on, "on", "", "when it was decided; now unless said")
	return command
}

// asNumber reads a number as people type it, with a comma or a point.
func asNumber(text string) (protocols.Value, error) {
	number, err := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
	if value, ok := protocols.Of(number); err == nil && ok {
		return value, nil
	}
	return protocols.Missing, fmt.Errorf("%q is not a number: write 1.5 or 1,5, without the unit", text)
}

func settingUnset(open opener) *cobra.Command {
	var e edit
	command := &cobra.Command{
		Use:   "unset ENROLMENT NAME",
		Short: "Revenir à la valeur du protocole (go back to the protocol's own value)",
		Args:  cobra.ExactArgs(2),
		RunE: func(command *cobra.Command, args []string) error {
			return e.run(command, open, func(store registryStore) (edited, error) {
				former, _, err := knownEnrolment(command, store, args[0])
				if err != nil {
					return edited{}, err
				}
				next, had := former.Without(args[1])
				if !had {
					return edited{}, fmt.Errorf("%s has no setting %s: see \"vigie setting list %s\"", args[0], args[1], args[0])
				}
				return enrolment(next, "settings."+args[1]), nil
			})
		},
	}
	e.flags(command)
	return command
}
