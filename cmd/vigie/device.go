package main

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"vigie/ingest/registry"
)

// deviceCommand is `vigie device`.
func deviceCommand(open opener) *cobra.Command {
	command := &cobra.Command{
		Use:   "device",
		Short: "Appareils : ajouter, lister, remplacer, changer de mot de passe (add, list, replace, give another password)",
	}
	command.AddCommand(deviceAdd(open), deviceList(), deviceReplace(open), devicePassword(open))
	return command
}

func deviceReplace(open opener) *cobra.Command {
	var e edit
	next := registry.Device{}
	command := &cobra.Command{
		Use:   "replace FORMER NEW --serial NUMBER --passwords FILE",
		Short: "Mettre un appareil à la place d'un autre (put a device in the place of another)",
		Long: `Met un appareil à la place d'un autre dans les inclusions de son patient qui ne sont
pas finies. Ce que l'ancien a transmis jusque-là reste au patient ; un nouveau reçoit un
mot de passe.

Put a device in the place of another in the enrolments of its patient that are not over.
What the former one sent until now stays the patient's. A new one gets a password, written once to
--passwords; it is of the kind, brand and model of the former one unless said.`,
		Args: cobra.ExactArgs(2),
		RunE: func(command *cobra.Command, args []string) error {
			return e.run(command, open, func(store registryStore) (edited, error) {
				former, err := knownDevice(command, store, args[0])
				if err != nil {
					return edited{}, err
				}
				device := next
				device.Name = args[1]
				device.Kind = cmp.Or(device.Kind, former.Device.Kind)
				device.Brand, device.Model = cmp.Or(device.Brand, former.Device.Brand), cmp.Or(device.Model, former.Device.Model)
				return replacing(former, device, clock())
			})
		},
	}
	e.flags(command)
	flags := command.Flags()
	flags.StringVar(&e.passwords, "passwords", "", "new file for the password, as device,password")
	flags.StringVar(&next.Serial, "serial", "", "serial number of the new one")
	flags.StringVar(&next.Kind, "kind", "", "its kind, see \"vigie measures\"")
	flags.StringVar(&next.Brand, "brand", "", "its brand")
	flags.StringVar(&next.Model, "model", "", "its model")
	return command
}

// replacing puts a device in the place of another one, in the enrolments that are not over:
// what was measured under the others was measured by the former one.
func replacing(former *registry.Assignment, next registry.Device, now time.Time) (edited, error) {
	what := edited{Registry: registry.Registry{Devices: []registry.Device{next}}}
	for i := range former.Enrolments {
		if ends := former.Enrolments[i].Ends(); !ends.IsZero() && !now.Before(ends) {
			continue
		}
		if e, named := former.Enrolments[i].Replacing(former.Device.Name, next.Name); named {
			of := enrolment(e, "devices")
			what.Enrolments, what.means = append(what.Enrolments, of.Enrolments...), append(what.means, of.means...)
		}
	}
	if len(what.Enrolments) == 0 {
		return what, fmt.Errorf("nobody has the device %s: import the new one", former.Device.Name)
	}
	return what, nil
}

func devicePassword(open opener) *cobra.Command {
	var e edit
	command := &cobra.Command{
		Use:   "password DEVICE --passwords FILE",
		Short: "Donner un autre mot de passe à un appareil (give a device another password)",
		Long: `Donne un autre mot de passe à un appareil, tiré au hasard et écrit une seule fois dans
le fichier de --passwords. L'ancien ne vaut plus, et sa connexion est rompue.

Give a device another password, at random. It is written once to the file given with
--passwords. The former one is void at once, and its connection ends.`,
		Args: cobra.ExactArgs(1),
		RunE: func(command *cobra.Command, args []string) error {
			return e.run(command, open, func(store registryStore) (edited, error) {
				known, err := knownDevice(command, store, args[0])
				if err != nil {
					return edited{}, err
				}
				device := known.Device
				device.Secret, device.Password = "", registry.NewPassword()
				return edited{
					Registry:  registry.Registry{Devices: []registry.Device{device}},
					passwords: []registry.Credential{{Device: device.Name, Password: device.Password}},
				}, nil
			})
		},
	}
	e.flags(command)
	command.Flags().StringVar(&e.passwords, "passwords", "", "new file for the password, as device,password")
	return command
}

func knownDevice(command *cobra.Command, store registryStore, name string) (*registry.Assignment, error) {
	known, err := store.Device(command.Context(), name)
	if errors.Is(err, registry.ErrNotFound) {
		return nil, fmt.Errorf("no device is called %s: see \"vigie patient show PATIENT\"", name)
	}
	return known, err
}
