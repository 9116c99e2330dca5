package service

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"time"

	"vigie/alerts/access"
	"vigie/alerts/erasure"
	"vigie/alerts/trail"
	"vigie/cmd/vigie/config"
	"vigie/ingest/disk"
	"vigie/protocols"
)

// erasuresFile is the list of erasures in the data folder, apart from the store. A backup
// of the store has one of its own beside it.
const erasuresFile = "erasures"

// Erasing asks for a patient to be erased.
type Erasing struct {
	Patient, Author, Reason string
	DryRun                  bool
	Now                     time.Time
}

// Erased is what an erasure took out, or would.
type Erased struct {
	erasure.Result
	Subject  *erasure.Subject
	Record   erasure.Record
	InfluxDB bool  // the service deletes his points next
	Stays    bool  // InfluxDB 3 deletes nothing
	Unclean  error // why the files still hold what was there; it is tried at each start
}

// Erase takes a patient out of the store of a configuration, on which no service runs. A
// dry run counts, beside a service that may be running.
func Erase(ctx context.Context, c config.Config, e Erasing, log *slog.Logger) (erased *Erased, err error) {
	if err := Standing(c); err != nil {
		return nil, err
	}
	if !e.DryRun && c.Store.Postgres.URL == "" {
		lock, err := lockFolder(c.Data)
		if err != nil {
			return nil, err
		}
		defer func() { err = errors.Join(err, lock.Close()) }()
	}
	shelf, err := NewShelf(c.Protocols.Folders...)
	if err != nil {
		return nil, err
	}
	b, err := openBackend(ctx, c, shelf, log)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, b.store.Close()) }()
	if err := noneMissed(ctx, c, b); err != nil {
		return nil, err
	}
	subject, err := subjectOf(ctx, b, e.Patient, e.Now)
	if err != nil {
		return nil, err
	}
	erased = &Erased{Subject: subject, Record: erasure.NewRecord(e.Patient, e.Author, e.Reason, e.Now), InfluxDB: c.Influx.URL != "", Stays: c.Influx.CannotErase == "accepted"}
	if e.DryRun {
		gone, err := trail.Plan(ctx, b.trail, erased.Record.ID, toldOf(subject))
		if err == nil {
			erased.Result, err = b.erasure.Erase(ctx, erasure.Order{Subject: subject, Trail: gone, DryRun: true})
		}
		return erased, err
	}
	if err := errors.Join(mayErase(subject, &e), b.erasure.Alone(ctx)); err != nil {
		return nil, err
	}
	// From here on it is done, now or at the next start.
	if err := addErasures(c.Data, erased.Record); err != nil {
		return nil, err
	}
	if erased.Result, err = eraseFrom(ctx, c, b, subject, &erased.Record, log); err != nil {
		return nil, err
	}
	erased.Unclean = b.erasure.Clean(ctx)
	return erased, nil
}

// erase is Erase for the workspace, while this service runs. A dry run counts. Otherwise
// the erasure is written into the list, and the service starts anew: it is made before
// anything is served again.
func (s *Service) erase(ctx context.Context, e Erasing) (*erasure.Effect, error) {
	subject, err := subjectOf(ctx, s.backend, e.Patient, e.Now)
	if err != nil {
		return nil, err
	}
	effect := &erasure.Effect{Points: s.Config.Influx.URL != "", Stays: s.Config.Influx.CannotErase == "accepted"}
	gone, err := trail.Plan(ctx, s.backend.trail, "", toldOf(subject))
	if err != nil {
		return nil, err
	}
	counted, err := s.backend.erasure.Erase(ctx, erasure.Order{Subject: subject, Trail: gone, DryRun: true})
	if effect.Counts = counted.Counts; err != nil {
		return nil, err
	}
	if err := mayErase(subject, &e); err != nil {
		return effect, err
	}
	if s.Again == nil || !s.backend.alone() {
		return effect, &erasure.Refusal{Text: protocols.Text{
			FR: "Ce service ne peut pas redémarrer seul, ou plusieurs nœuds partagent la base : arrêtez-les, puis lancez vigie patient erase.",
			EN: "This service cannot start anew by itself, or several nodes share the store: stop them, then run vigie patient erase."}}
	}
	if e.DryRun {
		return effect, nil
	}
	if err := addErasures(s.Config.Data, erasure.NewRecord(e.Patient, e.Author, e.Reason, e.Now)); err != nil {
		return nil, err
	}
	s.Log.Warn("a patient is erased: the service starts anew")
	s.Again()
	return effect, nil
}

// subjectOf finds a patient of whom something is kept.
func subjectOf(ctx context.Context, b *backend, patient string, now time.Time) (*erasure.Subject, error) {
	known, err := b.erasure.Persons(ctx)
	if err != nil {
		return nil, err
	}
	if patient == "" || !slices.Contains(known, patient) {
		return nil, &erasure.Refusal{Text: protocols.Text{FR: "Rien n'est gardé sous cette référence ; la liste des patients donne les références.",
			EN: fmt.Sprintf("nothing is kept of a patient with the reference %s; vigie patient list gives the references", patient)}}
	}
	return b.erasure.Subject(ctx, patient, now)
}

// mayErase refuses what would leave somebody without care, or the name in the list.
func mayErase(s *erasure.Subject, e *Erasing) error {
	words := s.Words()
	no := func(fr, en string) error { return &erasure.Refusal{Text: protocols.Text{FR: fr, EN: en}} }
	switch {
	case e.Author == "" || e.Reason == "":
		return no("Dites pourquoi (--reason), et qui le décide (--author).", "say why with --reason, and who decides with --author")
	case words.Of(e.Reason) || words.Of(e.Author):
		return no("Le motif et l'auteur restent dans la liste des effacements : écrivez-les sans le nom, un numéro ou un appareil du patient.",
			"the reason and the author stay in the list of erasures: write them without the name, a number or a device of the patient")
	case len(s.Running) > 0:
		return no(fmt.Sprintf("Le patient est encore suivi (%v) : finissez d'abord ce suivi, ou notez le retrait du consentement.", s.Running),
			fmt.Sprintf("the patient is still followed (%v): end that first, with vigie enrolment close, or withdraw the consent", s.Running))
	case s.Open > 0:
		return no(fmt.Sprintf("%d alertes du patient ne sont pas résolues : quelqu'un doit d'abord les traiter.", s.Open),
			fmt.Sprintf("%d alerts of the patient are not resolved: somebody has to settle them first", s.Open))
	case s.Merged:
		return no("Le dossier est réuni avec un autre : séparez-les d'abord.", "the record is merged with another one: take that back first, with vigie patient unmerge")
	case s.Waiting > 0:
		return no(fmt.Sprintf("InfluxDB doit encore recevoir %d choses sur ce patient : attendez que vigie influx n'annonce plus rien.", s.Waiting),
			fmt.Sprintf("InfluxDB is still to be told %d things about the patient: start the service, wait until vigie influx says that nothing waits, and stop it", s.Waiting))
	}
	return nil
}

func toldOf(s *erasure.Subject) trail.Told {
	words := s.Words()
	return trail.Told{Patient: s.Patient, Is: words.Is, Of: words.Of}
}

// eraseFrom writes the entry of the trail, then takes the patient out.
func eraseFrom(ctx context.Context, c config.Config, b *backend, subject *erasure.Subject, record *erasure.Record, log *slog.Logger) (erasure.Result, error) {
	gone, err := trail.Plan(ctx, b.trail, record.ID, toldOf(subject))
	if err != nil {
		return erasure.Result{}, err
	}
	t, err := trailOf(ctx, b.trail, c, log)
	if err != nil {
		return erasure.Result{}, err
	}
	who := access.Who{Name: "command line", Roles: []access.Role{access.Operator}, From: "command line"}
	if account, err := user.Current(); err == nil {
		who.Name = account.Username
	}
	entry := trail.Entry{Kind: trail.Act, Deed: "patient erase", About: record.Author, Reason: record.Reason}.Of(who)
	if err := t.Erase(ctx, entry, record.ID, gone); err != nil {
		return erasure.Result{}, fmt.Errorf("nothing was erased, it is tried again at the next start: %w", err)
	}
	return b.erasure.Erase(ctx, erasure.Order{Subject: subject, Record: *record, Trail: gone, InfluxDB: c.Influx.URL != ""})
}

// missedErasures lists those of the list that the store does not know: it was restored
// from a backup, or an erasure was interrupted.
func missedErasures(ctx context.Context, c config.Config, b *backend) ([]erasure.Record, error) {
	list, err := readErasures(filepath.Join(c.Data, erasuresFile))
	if err != nil {
		return nil, err
	}
	known, err := b.erasure.Erasures(ctx)
	if err != nil {
		return nil, err
	}
	if more := erasure.Beyond(known, list); len(more) > 0 {
		if err := addErasures(c.Data, more...); err != nil {
			return nil, err
		}
	}
	return erasure.Beyond(list, known), nil
}

// noneMissed refuses to read a store in which somebody may stand who was erased.
func noneMissed(ctx context.Context, c config.Config, b *backend) error {
	missed, err := missedErasures(ctx, c, b)
	if err == nil && len(missed) > 0 {
		err = fmt.Errorf("%d erasures are not applied to this store yet (it comes from a backup, or one was cut short): start the service once, it applies them before it serves", len(missed))
	}
	return err
}

// afterErasures applies what the store missed before anything of it is served. It returns
// the store as it is afterwards, opened anew where something was done.
func afterErasures(ctx context.Context, c config.Config, b *backend, open func() (*backend, error), log *slog.Logger) (*backend, error) {
	missed, err := missedErasures(ctx, c, b)
	if err != nil {
		return b, err
	}
	if len(missed) > 0 {
		log.Warn("erasures are applied before anything is served", "erasures", len(missed))
		if err := applyErasures(ctx, c, b, missed, log); err != nil {
			return b, fmt.Errorf("apply the list of erasures before serving: %w", err)
		}
	}
	waiting, err := b.erasure.Unclean(ctx)
	if err != nil || len(missed) == 0 && !waiting {
		return b, err
	}
	if err := b.erasure.Clean(ctx); err != nil {
		log.Warn("the files still hold what was erased; it is tried again at the next start", "error", err)
	}
	if err := b.store.Close(); err != nil {
		return b, err
	}
	return open()
}

func applyErasures(ctx context.Context, c config.Config, b *backend, missed []erasure.Record, log *slog.Logger) error {
	persons, err := b.erasure.Persons(ctx)
	if err != nil {
		return err
	}
	for i := range missed {
		r := &missed[i]
		place := slices.IndexFunc(persons, r.Is)
		if place < 0 {
			if err := b.erasure.Noted(ctx, *r); err != nil {
				return err
			}
			continue
		}
		subject, err := b.erasure.Subject(ctx, persons[place], r.At)
		if err == nil {
			_, err = eraseFrom(ctx, c, b, subject, r, log)
		}
		if err != nil {
			return err
		}
		log.Info("an erasure was applied", "erasure", r.ID)
	}
	return nil
}

func readErasures(name string) ([]erasure.Record, error) {
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the list of erasures: %w", err)
	}
	return erasure.ReadList(text)
}

// addErasures adds records to the list of a data folder.
func addErasures(folder string, more ...erasure.Record) error {
	name := filepath.Join(folder, erasuresFile)
	list, err := readErasures(name)
	if err != nil {
		return err
	}
	text, err := erasure.WriteList(append(list, erasure.Beyond(more, list)...))
	if err == nil {
		err = errors.Join(disk.Make(folder), disk.Write(name, text))
	}
	if err != nil {
		return fmt.Errorf("write the list of erasures: %w", err)
	}
	return nil
}

// besideBackup is the list of erasures that goes with a backup.
func besideBackup(file string) string { return file + "." + erasuresFile }

// backupErasures writes the list beside a backup, if anybody was ever erased.
func backupErasures(folder, file string) error {
	list, err := readErasures(filepath.Join(folder, erasuresFile))
	if err != nil || len(list) == 0 {
		return err
	}
	text, err := erasure.WriteList(list)
	if err == nil {
		err = disk.Write(besideBackup(file), text)
	}
	return err
}

// restoreErasures takes over the lists that go with backups.
func restoreErasures(folder string, lists ...string) error {
	for _, name := range lists {
		list, err := readErasures(name)
		if err == nil && len(list) > 0 {
			err = addErasures(folder, list...)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
