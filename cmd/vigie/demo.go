package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/cmd/console"
	"vigie/cmd/vigie/config"
	"vigie/cmd/vigie/service"
	"vigie/ingest/registry"
	"vigie/seeds"
	"vigie/seeds/devices"
)

// demoFlags are what a newcomer may choose.
type demoFlags struct {
	data     string
	speed    float64
	duration time.Duration
	json     bool
	language string
	verbose  bool
	open     bool
}

func demoCommand() *cobra.Command {
	var flags demoFlags
	command := &cobra.Command{
		Use:   "demo",
		Short: "Tout voir à l'œuvre sur des patients de synthèse (everything at work, on synthetic patients)",
		Long: `Démarre un broker, la base embarquée et les pages sur cette machine, inclut la
cohorte de démonstration, et laisse ses appareils simulés publier par de vraies
connexions, sur une horloge accélérée.

Starts a broker, the embedded store and the pages on loopback, enrols the
demonstration cohort, and lets its simulated devices publish over real
connections, on a clock that runs faster than ours. VIGIE_HTTP_LISTEN and
VIGIE_BROKER_INSIDE_LISTEN choose other ports, as for the service.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runDemo(cmd.Context(), cmd.OutOrStdout(), flags) },
	}
	command.Flags().StringVar(&flags.data, "data", "", "folder that keeps the data (default: a temporary one, removed at the end)")
	command.Flags().Float64Var(&flags.speed, "speed", 600, "how many times faster than real time the patients live")
	command.Flags().DurationVar(&flags.duration, "duration", 0, "end after this long, with a summary (default: run until Ctrl-C)")
	command.Flags().BoolVar(&flags.json, "json", false, "write one JSON object per line")
	command.Flags().StringVar(&flags.language, "language", "fr", "of what it says: fr or en")
	command.Flags().BoolVar(&flags.open, "open", false, "open the page in the browser")
	command.Flags().BoolVar(&flags.verbose, "verbose", false, "write the service's log to standard error")
	return command
}

// demo is one demonstration under way.
type demo struct {
	flags    demoFlags
	report   demoReport
	clock    *devices.Accelerated
	start    time.Time
	registry registry.Registry
	service  *service.Service
	fleet    *devices.Fleet
	post     demoPost
	caught   chan struct{} // closed when the devices have uploaded what they had measured before
}

// fastest is a day in less than a second: beyond, devices could not follow.
const fastest = 100_000

// demoHistory is how far back the devices have measured before the start: the
// longest windows of the library are full.
const demoHistory = 28 * 24 * time.Hour

func runDemo(ctx context.Context, out io.Writer, flags demoFlags) (err error) {
	ctx, stop := withTerminal(ctx)
	defer stop()
	if !(flags.speed > 0 && flags.speed <= fastest) {
		return fmt.Errorf("--speed: must be above 0 and at most %d; 600 makes ten minutes of one second", fastest)
	}
	if flags.duration < 0 {
		return errors.New("--duration: must be above 0, as 60s; without it the demonstration runs until Ctrl-C")
	}
	if flags.language != "fr" && flags.language != "en" {
		return fmt.Errorf("--language: %q is neither fr nor en", flags.language)
	}
	folder, remove, err := demoFolder(flags.data)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, remove()) }()
	d := &demo{flags: flags, report: reportTo(out, flags), start: demoStart(time.Now()), caught: make(chan struct{})}
	d.clock = devices.NewAccelerated(d.start, flags.speed)
	if err := d.open(ctx, folder); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.service.Close()) }()
	if flags.open {
		if err := console.Browse(ctx, d.service.Page()); err != nil {
			fmt.Fprintln(os.Stderr, "vigie:", err)
		}
	}
	return d.live(ctx)
}

// demoFolder is where the data goes, and how to remove it afterwards.
func demoFolder(chosen string) (folder string, remove func() error, err error) {
	if chosen != "" {
		return chosen, func() error { return nil }, nil
	}
	folder, err = os.MkdirTemp("", "vigie-demo-")
	if err != nil {
		return "", nil, fmt.Errorf("make a temporary folder; choose one with --data: %w", err)
	}
	return folder, func() error { return os.RemoveAll(folder) }, nil
}

// reportTo suits the report to who reads it.
func reportTo(out io.Writer, flags demoFlags) demoReport {
	if flags.json {
		return newJSONReport(out)
	}
	return &textReport{out: out, language: flags.language, zone: paris(), lively: os.Getenv("NO_COLOR") == "" && console.Lively(out)}
}

func paris() *time.Location {
	zone, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		return time.UTC
	}
	return zone
}

// demoStart is early on the last working day before today that follows another:
// care teams open a few minutes into the demonstration.
func demoStart(today time.Time) time.Time {
	zone := paris()
	calendar := alerts.Calendar{Zone: zone}
	working := func(day time.Time) bool {
		_, holiday := calendar.Holiday(day)
		return !holiday && day.Weekday() != time.Saturday && day.Weekday() != time.Sunday
	}
	day := today.In(zone)
	for {
		day = day.AddDate(0, 0, -1)
		if working(day) && working(day.AddDate(0, 0, -1)) {
			return time.Date(day.Year(), day.Month(), day.Day(), 5, 30, 0, 0, zone).UTC()
		}
	}
}

// open starts the service and enrols the cohort.
func (d *demo) open(ctx context.Context, folder string) (err error) {
	log := slog.New(slog.DiscardHandler)
	if d.flags.verbose {
		log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	c, err := demoConfig(os.Environ())
	if err != nil {
		return err
	}
	c.Data = folder
	c.Access.SecondFactor = config.Optional
	d.service, err = service.Start(ctx, service.Options{Config: c, Now: d.clock.Now, Log: log, NextPort: true, Caught: d.caught, Channels: map[string]alerts.Channel{"mail": &d.post}})
	if err != nil {
		return err
	}
	passwords, err := d.enrol(ctx)
	if err != nil {
		return errors.Join(err, d.service.Close())
	}
	people, err := d.people(ctx)
	if err != nil {
		return errors.Join(err, d.service.Close())
	}
	lives, err := seeds.Lives()
	if err != nil {
		return errors.Join(err, d.service.Close())
	}
	d.fleet, err = devices.NewFleet(devices.Plan{
		Registry: d.registry, Passwords: passwords, Scenarios: lives, Broker: d.service.Broker(), Prefix: c.Topics.Prefix,
		Clock: d.clock, History: demoHistory, Seed: 1,
	})
	if err != nil {
		return errors.Join(fmt.Errorf("make the simulated devices: %w", err), d.service.Close())
	}
	d.report.started(demoStarted{
		Page: d.service.Page(), Broker: d.service.Broker(), People: people, Data: folder, Speed: d.flags.speed,
		Patients: len(d.registry.Patients), Devices: d.fleet.Devices(), Time: d.start,
	})
	return nil
}

// demoConfig is the configuration of a demonstration: the usual one, but for the doors
// that the environment names. What else it holds is meant for a service.
func demoConfig(environment []string) (config.Config, error) {
	doors := slices.DeleteFunc(slices.Clone(environment), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return name != config.Variable("http.listen") && name != config.Variable("broker.inside.listen")
	})
	return config.Load("", doors)
}

// demoPerson is somebody who can log in to the demonstration.
type demoPerson struct {
	Login    string      `json:"login"`
	Password string      `json:"password"`
	Role     access.Role `json:"role"`
}

// people gives the demonstration a nurse and a physician of every care team, and an
// administrator, each with a password made for this run.
func (d *demo) people(ctx context.Context) ([]demoPerson, error) {
	var teams []string
	for _, team := range d.registry.Teams {
		teams = append(teams, team.ID)
	}
	var people []demoPerson
	for _, account := range []access.Account{
		{Login: "infirmiere", Name: "Léa Morel", Roles: []access.Role{access.Nurse}, Teams: teams},
		{Login: "medecin", Name: "Dr Claire Aubry", Roles: []access.Role{access.Physician}, Teams: teams},
		{Login: "admin", Name: "Administrateur", Roles: []access.Role{access.Administrator}},
	} {
		accounts := d.service.Accounts()
		link, err := accounts.Add(ctx, account)
		var refused *access.Refused
		if errors.As(err, &refused) && refused.Code == access.LoginTaken { // data that was kept, or the first administrator
			link, err = accounts.ResetFactor(ctx, account.Login)
		}
		if err != nil {
			return nil, fmt.Errorf("make the account %s of the demonstration: %w", account.Login, err)
		}
		password := strings.ToLower(rand.Text()[:12])
		if _, err := accounts.Choose(ctx, link, password); err != nil {
			return nil, fmt.Errorf("choose the password of %s: %w", account.Login, err)
		}
		people = append(people, demoPerson{account.Login, password, account.Roles[0]})
	}
	return people, nil
}

// demoPost takes the mails of the demonstration, whose care teams do not exist.
type demoPost struct{ sent atomic.Int64 }

// Send is part of alerts.Channel.
func (p *demoPost) Send(context.Context, alerts.Outgoing) error {
	p.sent.Add(1)
	return nil
}

// enrol imports the cohort and returns the devices' passwords.
func (d *demo) enrol(ctx context.Context) (map[string]string, error) {
	cohort, err := seeds.Cohort(d.start)
	if err != nil {
		return nil, err
	}
	for i := range cohort.Enrolments {
		// Nothing is missing from before the devices' first upload.
		if from := d.start.Add(-demoHistory); cohort.Enrolments[i].From.Before(from) {
			cohort.Enrolments[i].From = from
		}
	}
	d.registry = cohort
	passwords := map[string]string{}
	for i := range cohort.Devices {
		device := &cohort.Devices[i]
		device.Password = registry.NewPassword()
		passwords[device.Name] = device.Password
	}
	if _, err := d.service.Registry().Import(ctx, &cohort, "démonstration", d.start); err != nil {
		return nil, fmt.Errorf("enrol the demonstration cohort: %w", err)
	}
	return passwords, nil
}

// live lets the cohort live until the duration is over or ctx ends, and sums up.
func (d *demo) live(ctx context.Context) error {
	living, stop := context.WithCancel(ctx)
	defer stop()
	if d.flags.duration > 0 {
		living, stop = context.WithTimeout(ctx, d.flags.duration)
		defer stop()
	}
	ended := make(chan error, 1)
	go func() { ended <- d.fleet.Run(living) }()
	go func() {
		select {
		case <-d.fleet.Uploaded():
			close(d.caught)
			d.clock.Start()
		case <-living.Done():
		}
	}()
	watch := demoWatch{demo: d, seen: map[string]alerts.Alert{}}
	failed := watch.run(living)
	stop()
	if err := errors.Join(failed, <-ended); err != nil {
		return err
	}
	return watch.sumUp()
}
