package archive

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

	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// Write writes the archive, and returns its manifest: of one that is not whole, the
// manifest says what is missing.
func (d *Dossier) Write(ctx context.Context, from Sources, to io.Writer) (*Manifest, error) {
	m := &Manifest{
		Format: Format, Patient: d.patient.ID, Author: d.asked.Author, Reason: d.asked.Reason, Made: d.asked.Now.UTC().Truncate(time.Second),
		Requested: d.asked.Requested.Format(time.DateOnly), AnswerBy: clocks(d.asked.Requested), Whole: true, Excluded: notIncluded,
	}
	a := &archive{zip: zip.NewWriter(to), made: m.Made}
	readings, err := d.writeReadings(ctx, from, a, m)
	if err != nil {
		return nil, err
	}
	for _, write := range []func(*archive) error{d.writeCare, d.writeAlerts, d.writeRest} {
		if err := write(a); err != nil {
			return nil, err
		}
	}
	summary := File{Name: "LISEZMOI.txt", What: protocols.Say("résumé à lire", "summary to read, in French")}
	if err := a.add(summary, func(to io.Writer) error { return d.summarise(to, m, readings) }); err != nil {
		return nil, err
	}
	m.Files = slices.Clone(a.files)
	if err := a.addJSON(File{Name: manifestFile}, m); err != nil {
		return nil, err
	}
	return m, a.zip.Close()
}

// writeReadings writes the readings twice, as CSV and as devices send them, and returns
// how many there are of each measure.
func (d *Dossier) writeReadings(ctx context.Context, from Sources, a *archive, m *Manifest) (map[string]int, error) {
	count := map[string]int{}
	each := func(note bool) Each {
		return func(yield func(*protocols.Reading) bool) error {
			return from.Readings.History(ctx, d.patient.ID, nil, always.from, always.to, func(r *protocols.Reading) bool {
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
	table := File{Name: "readings.csv", What: protocols.Say("mesures, une ligne par valeur", "readings, one line a value"), Columns: []Column{
		column("time", "instant de la mesure, UTC", "instant of the measurement, UTC"), column("measure", "mesure", "measure"),
		column("component", "composante, comme systolic", "component, as systolic"), column("value", "valeur", "value"), column("unit", "unité (UCUM)", "unit (UCUM)"),
		column("device", "appareil", "device"), column("id", "référence donnée par l'appareil", "id that the device gave"), column("source", "appareil, personne ou calcul", "device, person or calculation"),
	}}
	if err := part(a.add(table, func(to io.Writer) error { return from.Table(to, each(false)) })); err != nil {
		return nil, err
	}
	whole := File{Name: "readings.json", What: protocols.Say("mesures, comme les appareils les envoient ; struck : rayée par un professionnel", "readings, as devices send them; struck: struck out by a professional")}
	return count, part(a.add(whole, func(to io.Writer) error { return from.Messages(to, each(true)) }))
}

func (d *Dossier) writeCare(a *archive) error {
	id := &d.patient.Identity
	strict := id.Strict()
	reach := *cmp.Or(id.Contact, &registry.Contact{})
	carer, physician := cmp.Or(reach.Carer, &registry.Carer{}), cmp.Or(reach.Physician, &registry.General{})
	identity := File{Name: "identity.csv", What: protocols.Say("identité", "identity"), Columns: []Column{
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
	enrolments := File{Name: "enrolments.csv", What: protocols.Say("suivis", "how the patient is followed"), Columns: []Column{
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
	versions := File{Name: "enrolment-versions.json", What: protocols.Say("chaque version de chaque inclusion, avec son auteur : réglages, consentement, pauses", "every version of every enrolment, with its author: settings, consent, pauses"), Rows: len(d.versions)}
	if err := a.addJSON(versions, d.versions); err != nil {
		return err
	}
	merges := File{Name: MergesFile, What: protocols.Say("autres dossiers de la même personne, avec qui les a réunis et pourquoi : chacun a son archive", "other records of the same person, with who merged them and why: each has an archive of its own"), Rows: len(d.merges)}
	if err := a.addJSON(merges, append([]registry.Merge{}, d.merges...)); err != nil {
		return err
	}
	reg := registry.Registry{Teams: d.teams, Patients: []registry.Patient{d.patient}, Devices: d.devices, Enrolments: d.enrolments}
	file := File{Name: "registry.yaml", What: protocols.Say("le tout comme vigie registry import le lit", "all of it as vigie registry import reads it")}
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

func (d *Dossier) writeAlerts(a *archive) error {
	table := File{Name: "alerts.csv", What: protocols.Say("alertes", "alerts"), Columns: []Column{
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
	whole := File{Name: "alerts.json", What: protocols.Say("alertes avec leur explication et tout ce qui en a été fait", "alerts with their explanation and all that was done about them"), Rows: len(d.alerts)}
	if d.alerts == nil {
		d.alerts = []alertKept{}
	}
	return a.addJSON(whole, d.alerts)
}

func (d *Dossier) writeRest(a *archive) error {
	if d.aside == nil {
		d.aside = []ingest.SetAsideRecord{}
	}
	aside := File{Name: "set-aside.json", What: protocols.Say("ce que ses appareils ont envoyé et qui n'a pas pu servir, avec la raison", "what his devices sent and could not be used, with the reason"), Rows: len(d.aside)}
	if err := a.addJSON(aside, d.aside); err != nil {
		return err
	}
	read := File{Name: "reviews.json", What: protocols.Say("relectures signées de son dossier", "signed reviews of his record"), Rows: len(d.reviews)}
	if err := a.addJSON(read, d.reviews); err != nil {
		return err
	}
	looks := File{Name: "accesses.csv", What: protocols.Say("qui a consulté le dossier ou agi pour le patient", "who looked at the record or acted for the patient"), Columns: accessColumns}
	if err := a.addTable(looks, d.accesses); err != nil {
		return err
	}
	for _, p := range d.protocols {
		file := File{Name: "protocols/" + p.ID + "-" + p.Version + ".yaml", What: protocols.Say("le protocole qui a fait naître les alertes", "the protocol that raised the alerts")}
		if err := a.add(file, func(to io.Writer) error { _, err := io.WriteString(to, p.Text); return err }); err != nil {
			return err
		}
	}
	return nil
}

// summarise writes what a person reads first.
func (d *Dossier) summarise(to io.Writer, m *Manifest, readings map[string]int) error {
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
