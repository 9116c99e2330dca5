package main

import (
	"archive/zip"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"vigie/alerts"
	"vigie/alerts/reviews"
	"vigie/alerts/trail"
	"vigie/alerts/workspace"
	"vigie/cmd/vigie/service"
	"vigie/ingest"
	"vigie/ingest/disk"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// patientExport is what `vigie patient export` was asked.
type patientExport struct {
	patient, author, reason, requested, output string
}

func patientExportCommand() *cobra.Command {
	var asked patientExport
	command := &cobra.Command{
		Use:   "export PATIENT --output FILE.zip",
		Short: "Tout ce qui est gardé d'un patient, en une archive (all that is kept of a patient, in one archive)",
		Long: `Écrit tout ce qui est gardé d'un patient dans une archive : identité, suivi et son
histoire, mesures, alertes et ce qui en a été fait, ce qui a été mis de côté, et qui a
consulté le dossier. Chaque table est en CSV, décrite colonne par colonne, et en JSON ;
LISEZMOI.txt la résume ; manifest.json dit la somme SHA-256 de chaque fichier, la
demande, et jusqu'à quand la loi veut une réponse. vigie patient import la relit.

Write all that is kept of a patient into an archive: identity, how he is followed and
was, readings, alerts and what was done about them, what was set aside, and who looked.
Each table is CSV, described column by column, and JSON; LISEZMOI.txt is a summary;
manifest.json has the SHA-256 of each file, the request, and by when the law wants an
answer. "vigie patient import" reads it.`,
		Example: "  vigie patient export p-0012 --author \"Ida Weber\" --reason \"demande du patient\" --requested 2026-11-20 --output p-0012.zip",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			asked.patient = args[0]
			if asked.author == "" || asked.reason == "" {
				return errors.New("an export reads the identity of the patient, which is logged: give --author and --reason")
			}
			if asked.output == "" {
				return errors.New("say where the archive goes with --output: it holds names and measurements, and is written for you alone")
			}
			return withTools(cmd, func(tools *service.Tools) error { return asked.run(cmd, tools) })
		},
	}
	flags := command.Flags()
	flags.StringVar(&asked.author, "author", "", "who exports it")
	flags.StringVar(&asked.reason, "reason", "", "why, as who has asked")
	flags.StringVar(&asked.requested, "requested", "", "day on which it was asked for; today when empty")
	flags.StringVar(&asked.output, "output", "", "new file for the archive")
	return command
}

func (p *patientExport) run(cmd *cobra.Command, tools *service.Tools) (err error) {
	now := time.Now()
	requested := now
	if p.requested != "" {
		if requested, err = time.Parse(time.DateOnly, p.requested); err != nil {
			return fmt.Errorf("--requested: write the day as 2026-11-21: %w", err)
		}
	}
	found, err := gather(cmd.Context(), tools, p.patient, registry.Access{Author: p.author, Reason: p.reason, At: now})
	if err != nil {
		return err
	}
	out, err := disk.Create(p.output)
	if err != nil {
		return fmt.Errorf("write the archive: %w", err)
	}
	m := &manifest{Format: archiveFormat, Patient: p.patient, Author: p.author, Reason: p.reason, Made: now.UTC().Truncate(time.Second),
		Requested: requested.Format(time.DateOnly), AnswerBy: clocks(requested), Whole: true, Excluded: notIncluded}
	err = errors.Join(found.write(cmd.Context(), tools, out, m), disk.Finish(out))
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "%s : %d fichiers (files). À remettre au plus tard le (due by) %s.\n", p.output, len(m.Files)+1, m.AnswerBy[0].Day)
	if err == nil && !m.Whole {
		_, err = fmt.Fprintln(cmd.ErrOrStderr(), "vigie: "+m.Missing)
		err = errors.Join(err, notWhole)
	}
	return err
}

// notIncluded is what of a patient is not in an archive.
var notIncluded = []protocols.Text{
	protocols.Say("les mots de passe des appareils : ils ouvrent le courtier, et ne disent rien du patient", "the passwords of devices: they open the broker, and say nothing about the patient"),
	protocols.Say("les sauvegardes, qui contiennent la même chose plus ancienne", "backups, which hold the same as it was earlier"),
	protocols.Say("les versions antérieures de l'identité", "former versions of the identity"),
}

// dossier is what is kept of a patient, but for the readings, which are too many to hold.
type dossier struct {
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

func gather(ctx context.Context, tools *service.Tools, patient string, by registry.Access) (*dossier, error) {
	if known, err := tools.HasPatient(ctx, patient); err != nil || !known {
		return nil, errors.Join(err, fmt.Errorf("no patient is called %s", patient))
	}
	identity, err := tools.Identity(ctx, patient, by)
	if err != nil {
		return nil, err
	}
	d := &dossier{patient: registry.Patient{ID: patient, Identity: identity.Leaving()}}
	for _, read := range []func(context.Context, *service.Tools) error{d.readCare, d.readAlerts, d.readAside, d.readReviews, d.readAccesses} {
		if err := read(ctx, tools); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// readCare reads the enrolments, their versions, and the teams, devices and protocols that
// they name or named.
func (d *dossier) readCare(ctx context.Context, tools *service.Tools) (err error) {
	if d.enrolments, err = tools.EnrolmentsOf(ctx, d.patient.ID); err != nil {
		return err
	}
	merges, err := tools.Merges(ctx)
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
		versions, err := tools.Versions(ctx, d.enrolments[i].ID)
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
		team, err := tools.Team(ctx, id)
		if err != nil && !errors.Is(err, registry.ErrNotFound) {
			return err
		}
		if err == nil {
			d.teams = append(d.teams, *team)
		}
	}
	for _, name := range sorted(devices) {
		known, err := tools.Device(ctx, name)
		if err != nil && !errors.Is(err, registry.ErrNotFound) {
			return err
		}
		if err == nil {
			known.Device.Secret = "" // it opens the broker, and tells nothing about the patient
			d.devices = append(d.devices, known.Device)
		}
	}
	return d.readProtocols(ctx, tools, used)
}

// readProtocols reads the versions of protocols that he was followed under, as they are
// kept, or as they are at hand where no service has run under them yet.
func (d *dossier) readProtocols(ctx context.Context, tools *service.Tools, used map[string]bool) error {
	all, err := tools.UsedProtocols(ctx)
	for _, p := range all {
		if used[p.ID+"@"+p.Version] {
			d.protocols = append(d.protocols, p)
			delete(used, p.ID+"@"+p.Version)
		}
	}
	for _, name := range sorted(used) {
		id, version, _ := strings.Cut(name, "@")
		if text := tools.Shelf.Text(id, version); text != "" {
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

func (d *dossier) readAlerts(ctx context.Context, tools *service.Tools) error {
	filter := alerts.Filter{Patient: d.patient.ID, Newest: true, Limit: alerts.MaxLimit}
	for {
		page, err := tools.Alerts.Alerts(ctx, filter)
		if err != nil {
			return err
		}
		for i := range page {
			whole, err := tools.Alerts.Alert(ctx, page[i].ID)
			if err != nil {
				return err
			}
			events, err := tools.Alerts.Events(ctx, page[i].ID)
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
func (d *dossier) readAside(ctx context.Context, tools *service.Tools) error {
	for i := range d.devices {
		spans := d.wore(d.devices[i].Name)
		filter := ingest.SetAsideFilter{Device: d.devices[i].Name, Limit: 1000}
		for {
			page, err := tools.Store.SetAsides(ctx, filter)
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
func (d *dossier) wore(device string) (list []*registry.Enrolment) {
	for i := range d.versions {
		if e := &d.versions[i].Enrolment; slices.Contains(e.Devices, device) {
			list = append(list, e)
		}
	}
	return list
}

// readReviews lists the reviews of the record, oldest first.
func (d *dossier) readReviews(ctx context.Context, tools *service.Tools) (err error) {
	d.reviews, err = tools.Reviews.ReviewsOf(ctx, d.patient.ID, everything.From, everything.To)
	return err
}

// readAccesses lists who looked at the patient or acted for him, oldest first.
func (d *dossier) readAccesses(ctx context.Context, tools *service.Tools) error {
	store, _ := tools.Traces()
	rows, err := store.Find(ctx, trail.Filter{Patient: d.patient.ID})
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

var accessColumns = []archiveColumn{
	column("at", "instant, UTC", "instant, UTC"),
	column("name", "nom du professionnel ou du programme", "name of the professional or the program"),
	column("roles", "ses rôles", "their roles"),
	column("kind", "read : consultation, act : acte", "read: a look, act: an act"),
	column("deed", "page, adresse ou commande", "page, address or command"),
	column("about", "alerte ou objet concerné", "alert or object it was about"),
	column("glass", "yes : accès hors équipe, motivé", "yes: access from outside the team, with a reason"),
	column("reason", "motif écrit", "reason written"),
}

// write writes the archive.
func (d *dossier) write(ctx context.Context, tools *service.Tools, to io.Writer, m *manifest) error {
	a := &archive{zip: zip.NewWriter(to), made: m.Made}
	readings, err := d.writeReadings(ctx, tools, a, m)
	if err != nil {
		return err
	}
	for _, write := range []func(*archive) error{d.writeCare, d.writeAlerts, d.writeRest} {
		if err := write(a); err != nil {
			return err
		}
	}
	summary := archivedFile{Name: "LISEZMOI.txt", What: protocols.Say("résumé à lire", "summary to read, in French")}
	if err := a.add(summary, func(to io.Writer) error { return d.summarise(to, m, readings) }); err != nil {
		return err
	}
	m.Files = slices.Clone(a.files)
	if err := a.addJSON(archivedFile{Name: manifestFile}, m); err != nil {
		return err
	}
	return a.zip.Close()
}

// writeReadings writes the readings twice, as CSV and as devices send them, and returns
// how many there are of each measure.
func (d *dossier) writeReadings(ctx context.Context, tools *service.Tools, a *archive, m *manifest) (map[string]int, error) {
	count := map[string]int{}
	each := func(note bool) func(yield func(*protocols.Reading) bool) error {
		return func(yield func(*protocols.Reading) bool) error {
			return tools.History(ctx, d.patient.ID, nil, everything.From, everything.To, func(r *protocols.Reading) bool {
				if note {
					count[r.Measure.ID]++
				}
				return yield(r)
			})
		}
	}
	part := func(err error) error {
		var missing *ingest.NotWholeError
		if errors.As(err, &missing) {
			m.Whole = false
			m.Missing = "what was measured before " + missing.From.UTC().Format(time.RFC3339) + " is in InfluxDB, which does not answer whole: export again once it does"
			return nil
		}
		return err
	}
	table := archivedFile{Name: "readings.csv", What: protocols.Say("mesures, une ligne par valeur", "readings, one line a value"), Columns: []archiveColumn{
		column("time", "instant de la mesure, UTC", "instant of the measurement, UTC"), column("measure", "mesure", "measure"),
		column("component", "composante, comme systolic", "component, as systolic"), column("value", "valeur", "value"), column("unit", "unité (UCUM)", "unit (UCUM)"),
		column("device", "appareil", "device"), column("id", "référence donnée par l'appareil", "id that the device gave"), column("source", "appareil, personne ou calcul", "device, person or calculation"),
	}}
	if err := part(a.add(table, func(to io.Writer) error { return workspace.WriteReadings(to, workspace.CSV, each(false)) })); err != nil {
		return nil, err
	}
	whole := archivedFile{Name: "readings.json", What: protocols.Say("mesures, comme les appareils les envoient ; struck : rayée par un professionnel", "readings, as devices send them; struck: struck out by a professional")}
	return count, part(a.add(whole, func(to io.Writer) error { return workspace.WriteReadings(to, workspace.JSON, each(true)) }))
}

func (d *dossier) writeCare(a *archive) error {
	id := &d.patient.Identity
	strict := id.Strict()
	reach := *cmp.Or(id.Contact, &registry.Contact{})
	carer, physician := cmp.Or(reach.Carer, &registry.Carer{}), cmp.Or(reach.Physician, &registry.General{})
	identity := archivedFile{Name: "identity.csv", What: protocols.Say("identité", "identity"), Columns: []archiveColumn{
		column("patient", "pseudonyme dans Vigie", "pseudonym in Vigie"), column("ins", "matricule INS, d'une identité qualifiée seulement", "INS, of a qualified identity only"), column("oid", "nature du matricule", "kind of INS"),
		column("birth_name", "nom de naissance", "birth name"), column("given_names", "prénoms", "given names"), column("first_given_name", "premier prénom", "first given name"),
		column("sex", "sexe", "sex"), column("birth_date", "date de naissance", "birth date"), column("birth_place", "commune de naissance (INSEE)", "birth place (INSEE)"),
		column("status", "validated : vérifiée sur pièce", "validated: checked against a document"), column("strict_birth_name", "nom de naissance, trait strict", "birth name, strict trait"),
		column("strict_given_names", "prénoms, trait strict", "given names, strict trait"), column("strict_first_given_name", "premier prénom, trait strict", "first given name, strict trait"),
		column("phone", "téléphone", "telephone"), column("hours", "heures où l'appeler", "when to call"), column("carer", "aidant", "carer"), column("carer_phone", "téléphone de l'aidant", "telephone of the carer"),
		column("general_practitioner", "médecin traitant", "general practitioner"), column("language", "langue (BCP 47)", "language (BCP 47)"), column("measures_by", "façons de mesurer", "ways of measuring"),
	}}
	if err := a.addTable(identity, [][]string{{d.patient.ID, id.INS, id.OID, id.BirthName, id.GivenNames, id.FirstGiven, id.Sex, id.BirthDate, id.BirthPlace,
		string(cmp.Or(id.Status, registry.Provisional)), strict.BirthName, strict.GivenNames, strict.FirstGiven, reach.Phone, reach.Hours, carer.Name, carer.Phone, physician.Name, reach.Language, strings.Join(reach.Measures, " ")}}); err != nil {
		return err
	}
	enrolments := archivedFile{Name: "enrolments.csv", What: protocols.Say("suivis", "how the patient is followed"), Columns: []archiveColumn{
		column("id", "inclusion", "enrolment"), column("protocol", "protocole", "protocol"), column("version", "sa version", "its version"), column("team", "équipe", "team"),
		column("physician", "médecin prescripteur (RPPS)", "prescribing physician (RPPS)"), column("from", "début", "beginning"), column("prescription_end", "instant où la prescription finit", "instant at which the prescription ends"),
		column("consent", "given, refused ou withdrawn", "given, refused or withdrawn"), column("consent_date", "date du consentement", "date of the consent"), column("consent_scope", "sur quoi il porte", "what it covers"), column("devices", "appareils", "devices"),
	}}
	var rows [][]string
	for i := range d.enrolments {
		e := &d.enrolments[i]
		rows = append(rows, []string{e.ID, e.Protocol, e.Version, e.Team, e.Physician, e.From.UTC().Format(time.RFC3339), e.Prescription.UTC().Format(time.RFC3339),
			consentWord(e.Consent), e.Consent.Date.UTC().Format(time.RFC3339), e.Consent.Scope, strings.Join(e.Devices, " ")})
	}
	if err := a.addTable(enrolments, rows); err != nil {
		return err
	}
	versions := archivedFile{Name: "enrolment-versions.json", What: protocols.Say("chaque version de chaque inclusion, avec son auteur : réglages, consentement, pauses", "every version of every enrolment, with its author: settings, consent, pauses"), Rows: len(d.versions)}
	if err := a.addJSON(versions, d.versions); err != nil {
		return err
	}
	merges := archivedFile{Name: mergesFile, What: protocols.Say("autres dossiers de la même personne, avec qui les a réunis et pourquoi : chacun a son archive", "other records of the same person, with who merged them and why: each has an archive of its own"), Rows: len(d.merges)}
	if err := a.addJSON(merges, append([]registry.Merge{}, d.merges...)); err != nil {
		return err
	}
	reg := registry.Registry{Teams: d.teams, Patients: []registry.Patient{d.patient}, Devices: d.devices, Enrolments: d.enrolments}
	file := archivedFile{Name: "registry.yaml", What: protocols.Say("le tout comme vigie registry import le lit", "all of it as vigie registry import reads it")}
	return a.add(file, func(to io.Writer) error { return registry.Write(to, &reg) })
}

func consentWord(c registry.Consent) string {
	switch {
	case !c.Given:
		return "refused"
	case !c.Withdrawn.IsZero():
		return "withdrawn"
	}
	return "given"
}

func (d *dossier) writeAlerts(a *archive) error {
	table := archivedFile{Name: "alerts.csv", What: protocols.Say("alertes", "alerts"), Columns: []archiveColumn{
		column("id", "alerte", "alert"), column("at", "instant de la mesure qui l'a fait naître, UTC", "instant of the reading that began it, UTC"), column("raised_at", "instant où elle a été trouvée, UTC", "instant at which it was found, UTC"),
		column("level", "niveau : red, orange, yellow, technical", "level"), column("protocol", "protocole", "protocol"), column("version", "sa version", "its version"), column("rule", "règle", "rule"), column("title", "titre", "title, in French"),
		column("summary", "phrase", "sentence, in French"), column("state", "open, acknowledged, resolved", "state"), column("acknowledged_by", "prise en charge par", "taken on by"), column("acknowledged_at", "le, UTC", "at, UTC"),
		column("resolved_by", "close par", "closed by"), column("resolved_at", "le, UTC", "at, UTC"), column("outcome", "issue", "outcome"), column("note", "note", "note"),
	}}
	instant := func(t time.Time) string {
		if t.IsZero() {
			return ""
		}
		return t.UTC().Format(time.RFC3339)
	}
	var rows [][]string
	for i := range d.alerts {
		al := &d.alerts[i]
		rows = append(rows, []string{al.ID, instant(al.At), instant(al.RaisedAt), al.Level.String(), al.Protocol, al.Version, al.Rule, al.Title.FR, al.Summary.FR,
			string(al.State), al.AcknowledgedBy, instant(al.AcknowledgedAt), al.ResolvedBy, instant(al.ResolvedAt), al.Outcome, al.Note})
	}
	if err := a.addTable(table, rows); err != nil {
		return err
	}
	whole := archivedFile{Name: "alerts.json", What: protocols.Say("alertes avec leur explication et tout ce qui en a été fait", "alerts with their explanation and all that was done about them"), Rows: len(d.alerts)}
	if d.alerts == nil {
		d.alerts = []alertKept{}
	}
	return a.addJSON(whole, d.alerts)
}

func (d *dossier) writeRest(a *archive) error {
	if d.aside == nil {
		d.aside = []ingest.SetAsideRecord{}
	}
	aside := archivedFile{Name: "set-aside.json", What: protocols.Say("ce que ses appareils ont envoyé et qui n'a pas pu servir, avec la raison", "what his devices sent and could not be used, with the reason"), Rows: len(d.aside)}
	if err := a.addJSON(aside, d.aside); err != nil {
		return err
	}
	read := archivedFile{Name: "reviews.json", What: protocols.Say("relectures signées de son dossier", "signed reviews of his record"), Rows: len(d.reviews)}
	if err := a.addJSON(read, d.reviews); err != nil {
		return err
	}
	looks := archivedFile{Name: "accesses.csv", What: protocols.Say("qui a consulté le dossier ou agi pour le patient", "who looked at the record or acted for the patient"), Columns: accessColumns}
	if err := a.addTable(looks, d.accesses); err != nil {
		return err
	}
	for _, p := range d.protocols {
		file := archivedFile{Name: "protocols/" + p.ID + "-" + p.Version + ".yaml", What: protocols.Say("le protocole qui a fait naître les alertes", "the protocol that raised the alerts")}
		if err := a.add(file, func(to io.Writer) error { _, err := io.WriteString(to, p.Text); return err }); err != nil {
			return err
		}
	}
	return nil
}

// summarise writes what a person reads first.
func (d *dossier) summarise(to io.Writer, m *manifest, readings map[string]int) error {
	var text strings.Builder
	id := &d.patient.Identity
	fmt.Fprintf(&text, "%s %s, né(e) le %s. Référence %s.\n\nDemande du %s ; archive du %s, par %s (%s).\n",
		id.BirthName, id.FirstGiven, id.BirthDate, d.patient.ID, m.Requested, m.Made.Format("2006-01-02"), m.Author, m.Reason)
	for _, due := range m.AnswerBy {
		fmt.Fprintf(&text, "  %s : au plus tard le %s (%s)\n", due.What.FR, due.Day, due.Ground)
	}
	fmt.Fprintf(&text, "\nSuivis\n")
	for i := range d.enrolments {
		e := &d.enrolments[i]
		fmt.Fprintf(&text, "  %s : %s, version %s, équipe %s, du %s au %s\n", e.ID, e.Protocol, e.Version, e.Team, e.From.UTC().Format(time.DateOnly), e.Ends().UTC().Format(time.DateOnly))
	}
	fmt.Fprintf(&text, "\nMesures\n")
	measures := make([]string, 0, len(readings))
	for id := range readings {
		measures = append(measures, id)
	}
	slices.Sort(measures)
	for _, id := range measures {
		fmt.Fprintf(&text, "  %s : %s\n", protocols.MeasureByID(id).Title.FR, strconv.Itoa(readings[id]))
	}
	fmt.Fprintf(&text, "\nAlertes : %d. Consultations et actes : %d. Mis de côté : %d.\n", len(d.alerts), len(d.accesses), len(d.aside))
	if !m.Whole {
		fmt.Fprintf(&text, "\nIncomplet : %s\n", m.Missing)
	}
	text.WriteString("\nChaque fichier, et chaque colonne, est décrit dans manifest.json. Rien n'est caché : les\nmots de passe des appareils seuls sont laissés de côté.\n")
	_, err := io.WriteString(to, text.String())
	return err
}
