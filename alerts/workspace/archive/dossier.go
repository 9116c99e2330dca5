package archive

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"vigie/alerts"
	"vigie/alerts/reviews"
	"vigie/alerts/trail"
	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// Sources are what an archive is made of.
type Sources struct {
	Registry interface {
		HasPatient(ctx context.Context, patient string) (bool, error)
		Identity(ctx context.Context, patient string, access registry.Access) (*registry.Identity, error)
		EnrolmentsOf(ctx context.Context, patient string) ([]registry.Enrolment, error)
		Versions(ctx context.Context, enrolment string) ([]registry.Version, error)
		Merges(ctx context.Context) ([]registry.Merge, error)
		Team(ctx context.Context, id string) (*registry.Team, error)
		Device(ctx context.Context, name string) (*registry.Assignment, error)
		UsedProtocols(ctx context.Context) ([]registry.UsedProtocol, error)
	}
	Alerts interface {
		Alerts(ctx context.Context, f alerts.Filter) ([]alerts.Alert, error)
		Alert(ctx context.Context, id string) (*alerts.Alert, error)
		Events(ctx context.Context, alert string) ([]alerts.Event, error)
	}
	Reviews interface {
		ReviewsOf(ctx context.Context, patient string, from, to time.Time) ([]reviews.Review, error)
	}
	Trail interface {
		Find(ctx context.Context, f trail.Filter) ([]trail.Row, error)
	}
	SetAsides interface {
		SetAsides(ctx context.Context, f ingest.SetAsideFilter) ([]ingest.SetAsideRecord, error)
	}
	Readings interface {
		History(ctx context.Context, patient string, measure *protocols.Measure, from, to time.Time, yield func(*protocols.Reading) bool) error
	}
	// Text is a version of a protocol that is at hand, as it is written; empty for none.
	Text func(id, version string) string
	// Table and Messages write readings as CSV, and as devices send them.
	Table, Messages func(to io.Writer, each Each) error
}

// Each calls yield for each reading, until it returns false.
type Each = func(yield func(*protocols.Reading) bool) error

// always is a span that holds every reading.
var always = struct{ from, to time.Time }{time.Unix(0, 0).UTC(), time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)}

// notIncluded is what of a patient is not in an archive.
var notIncluded = []protocols.Text{
	protocols.Say("les mots de passe des appareils : ils ouvrent le courtier, et ne disent rien du patient", "the passwords of devices: they open the broker, and say nothing about the patient"),
	protocols.Say("les sauvegardes, qui contiennent la même chose plus ancienne", "backups, which hold the same as it was earlier"),
	protocols.Say("les versions antérieures de l'identité", "former versions of the identity"),
}

// Dossier is what is kept of a patient, but for the readings, which are too many to hold.
type Dossier struct {
	asked      Asked
	patient    registry.Patient
	teams      []registry.Team
	devices    []registry.Device
	enrolments []registry.Enrolment
	versions   []registry.Version
	alerts     []alertKept
	aside      []ingest.SetAsideRecord
	reviews    []reviews.Review
	accesses   [][]string
	protocols  []registry.UsedProtocol
	merges     []registry.Merge // with other records of the person
}

// alertKept is an alert with everything that happened to it.
type alertKept struct {
	alerts.Alert
	Events []alerts.Event `json:"events"`
}

// Asked is a request for an archive.
type Asked struct {
	Patient, Author, Reason string
	Requested               time.Time // the day on which it was asked for
	Now                     time.Time
}

// Gather reads what is kept of a patient. Reading the identity is logged under the
// author and the reason.
func Gather(ctx context.Context, from Sources, asked Asked) (*Dossier, error) {
	if known, err := from.Registry.HasPatient(ctx, asked.Patient); err != nil || !known {
		return nil, errors.Join(err, fmt.Errorf("no patient is called %s", asked.Patient))
	}
	identity, err := from.Registry.Identity(ctx, asked.Patient, registry.Access{Author: asked.Author, Reason: asked.Reason, At: asked.Now})
	if err != nil {
		return nil, err
	}
	d := &Dossier{asked: asked, patient: registry.Patient{ID: asked.Patient, Identity: identity.Leaving()}}
	for _, read := range []func(context.Context, Sources) error{d.readCare, d.readAlerts, d.readAside, d.readReviews, d.readAccesses} {
		if err := read(ctx, from); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// readCare reads the enrolments, their versions, and the teams, devices and protocols that
// they name or named.
func (d *Dossier) readCare(ctx context.Context, from Sources) (err error) {
	if d.enrolments, err = from.Registry.EnrolmentsOf(ctx, d.patient.ID); err != nil {
		return err
	}
	merges, err := from.Registry.Merges(ctx)
	if err != nil {
		return err
	}
	for _, m := range merges {
		if m.From == d.patient.ID || m.Into == d.patient.ID {
			d.merges = append(d.merges, m)
		}
	}
	teams, devices, used := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for i := range d.enrolments {
		versions, err := from.Registry.Versions(ctx, d.enrolments[i].ID)
		if err != nil {
			return err
		}
		d.versions = append(d.versions, versions...)
	}
	for i := range d.versions {
		e := &d.versions[i].Enrolment
		teams[e.Team], used[e.Protocol+"@"+e.Version] = true, true
		for _, name := range e.Devices {
			devices[name] = true
		}
	}
	for _, id := range sorted(teams) {
		team, err := from.Registry.Team(ctx, id)
		if err != nil && !errors.Is(err, registry.ErrNotFound) {
			return err
		}
		if err == nil {
			d.teams = append(d.teams, *team)
		}
	}
	for _, name := range sorted(devices) {
		known, err := from.Registry.Device(ctx, name)
		if err != nil && !errors.Is(err, registry.ErrNotFound) {
			return err
		}
		if err == nil {
			known.Device.Secret = "" // it opens the broker, and tells nothing about the patient
			d.devices = append(d.devices, known.Device)
		}
	}
	return d.readProtocols(ctx, from, used)
}

// readProtocols reads the versions of protocols that he was followed under, as they are
// kept, or as they are at hand where no service has run under them yet.
func (d *Dossier) readProtocols(ctx context.Context, from Sources, used map[string]bool) error {
	all, err := from.Registry.UsedProtocols(ctx)
	for _, p := range all {
		if used[p.ID+"@"+p.Version] {
			d.protocols = append(d.protocols, p)
			delete(used, p.ID+"@"+p.Version)
		}
	}
	for _, name := range sorted(used) {
		id, version, _ := strings.Cut(name, "@")
		if text := from.Text(id, version); text != "" {
			d.protocols = append(d.protocols, registry.UsedProtocol{ID: id, Version: version, Text: text})
		}
	}
	return err
}

func sorted(set map[string]bool) []string {
	var list []string
	for name := range set {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

func (d *Dossier) readAlerts(ctx context.Context, from Sources) error {
	filter := alerts.Filter{Patient: d.patient.ID, Newest: true, Limit: alerts.MaxLimit}
	for {
		page, err := from.Alerts.Alerts(ctx, filter)
		if err != nil {
			return err
		}
		for i := range page {
			whole, err := from.Alerts.Alert(ctx, page[i].ID)
			if err != nil {
				return err
			}
			events, err := from.Alerts.Events(ctx, page[i].ID)
			if err != nil {
				return err
			}
			d.alerts = append(d.alerts, alertKept{*whole, events})
		}
		if len(page) < filter.Limit {
			slices.Reverse(d.alerts) // oldest first
			return nil
		}
		filter.After = alerts.After(&page[len(page)-1]).String()
	}
}

// readAside reads what his devices sent and could not be used, while they were his.
func (d *Dossier) readAside(ctx context.Context, from Sources) error {
	for i := range d.devices {
		spans := d.wore(d.devices[i].Name)
		filter := ingest.SetAsideFilter{Device: d.devices[i].Name, Limit: 1000}
		for {
			page, err := from.SetAsides.SetAsides(ctx, filter)
			if err != nil {
				return err
			}
			for _, record := range page {
				if slices.ContainsFunc(spans, func(e *registry.Enrolment) bool { return e.Covers(record.Received) }) {
					d.aside = append(d.aside, record)
				}
			}
			if len(page) < filter.Limit {
				break
			}
			filter.Before = page[len(page)-1].ID
		}
	}
	return nil
}

// wore are the versions of enrolments that name a device.
func (d *Dossier) wore(device string) (list []*registry.Enrolment) {
	for i := range d.versions {
		if e := &d.versions[i].Enrolment; slices.Contains(e.Devices, device) {
			list = append(list, e)
		}
	}
	return list
}

// readReviews lists the reviews of the record, oldest first.
func (d *Dossier) readReviews(ctx context.Context, from Sources) (err error) {
	d.reviews, err = from.Reviews.ReviewsOf(ctx, d.patient.ID, always.from, always.to)
	return err
}

// readAccesses lists who looked at the patient or acted for him, oldest first.
func (d *Dossier) readAccesses(ctx context.Context, from Sources) error {
	rows, err := from.Trail.Find(ctx, trail.Filter{Patient: d.patient.ID})
	if err != nil {
		return err
	}
	d.accesses, err = accessesOf(rows)
	return err
}

// accessesOf are rows of the trail as a patient reads them: of other patients in the same
// entry it says nothing.
func accessesOf(rows []trail.Row) (list [][]string, err error) {
	for i := len(rows) - 1; i >= 0; i-- {
		e, err := rows[i].Entry()
		if err != nil {
			return nil, err
		}
		if e.Kind != trail.Read && e.Kind != trail.Act {
			continue
		}
		roles := make([]string, len(e.Roles))
		for j, role := range e.Roles {
			roles[j] = string(role)
		}
		glass := ""
		if e.Through != "" {
			glass = "yes"
		}
		list = append(list, []string{e.At.UTC().Format(time.RFC3339), e.Name, strings.Join(roles, " "), string(e.Kind), e.Deed, e.About, glass, e.Reason})
	}
	return list, nil
}

var accessColumns = []Column{
	column("at", "instant, UTC", "instant, UTC"),
	column("name", "nom du professionnel ou du programme", "name of the professional or the program"),
	column("roles", "ses rôles", "their roles"),
	column("kind", "read : consultation, act : acte", "read: a look, act: an act"),
	column("deed", "page, adresse ou commande", "page, address or command"),
	column("about", "alerte ou objet concerné", "alert or object it was about"),
	column("glass", "yes : accès hors équipe, motivé", "yes: access from outside the team, with a reason"),
	column("reason", "motif écrit", "reason written"),
}
