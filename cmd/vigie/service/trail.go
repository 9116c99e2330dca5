package service

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vigie/alerts/access"
	"vigie/alerts/trail"
	"vigie/alerts/workspace"
	"vigie/cmd/vigie/config"
	"vigie/ingest/disk"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// What the trail keeps in the data folder, apart from the store: the key that signs
// this node's chain, and the last head that it wrote.
const (
	trailKeyFile  = "trail-key"
	trailMarkFile = "trail-mark"
)

// openTrail opens the chain of this node.
func (s *Service) openTrail(ctx context.Context) (err error) {
	s.trail, err = trailOf(ctx, s.backend.trail, s.Config, s.Log)
	return err
}

func trailOf(ctx context.Context, store trail.Store, c config.Config, log *slog.Logger) (*trail.Trail, error) {
	key, err := trailKey(c.Data)
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	return trail.Open(ctx, trail.Options{
		Store: store, Key: key, Mark: trailMark(filepath.Join(c.Data, trailMarkFile)), Node: host, Now: time.Now, Log: log,
	})
}

// trailKey reads the key of a data folder, or makes it.
func trailKey(folder string) (ed25519.PrivateKey, error) {
	name := filepath.Join(folder, trailKeyFile)
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		seed := make([]byte, ed25519.SeedSize)
		rand.Read(seed) // never fails, see crypto/rand
		if err := errors.Join(disk.Make(folder), disk.Write(name, []byte(hex.EncodeToString(seed)+"\n"))); err != nil {
			return nil, fmt.Errorf("write the key of the trail: %w", err)
		}
		return ed25519.NewKeyFromSeed(seed), nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the key of the trail: %w", err)
	}
	seed, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(seed) != ed25519.SeedSize {
		return nil, fmt.Errorf("%s is no key of a trail: put the file back from where it was kept; without it a new chain begins", name)
	}
	return ed25519.NewKeyFromSeed(seed), nil
}

// trailMark is a trail.Mark in a file. It is not flushed to the disk: after a power cut
// an older mark finds out less, and nothing that is not so.
type trailMark string

// Load is part of trail.Mark. A file that holds no mark, as after a power cut, is none.
func (m trailMark) Load() (trail.Head, bool, error) {
	text, err := os.ReadFile(string(m))
	if errors.Is(err, fs.ErrNotExist) {
		return trail.Head{}, false, nil
	}
	if err != nil {
		return trail.Head{}, false, err
	}
	head, err := trail.ParseHead(strings.TrimSpace(string(text)))
	return head, err == nil, nil
}

// Save is part of trail.Mark.
func (m trailMark) Save(head trail.Head) error {
	return os.WriteFile(string(m), []byte(head.String()+"\n"), 0o600)
}

// traced says whether looks and acts are written down.
func (s *Service) traced() workspace.Statement {
	since, late, lost := s.trail.Gap()
	if since.IsZero() {
		return workspace.Statement{Name: "trail", OK: true, Text: protocols.Text{FR: "Les accès sont tracés.", EN: "Accesses are traced."}}
	}
	return workspace.Statement{Name: "trail", Text: protocols.Text{
		FR: fmt.Sprintf("Les accès ne peuvent pas être tracés depuis %s : %d attendent, %d sont perdus.", since.Format(time.RFC3339), late, lost),
		EN: fmt.Sprintf("Accesses cannot be traced since %s: %d wait, %d are lost.", since.Format(time.RFC3339), late, lost)}}
}

// Traces is the trail for a command that reads it, with the mark of the data folder.
func (t *Tools) Traces() (trail.Store, trail.Mark) {
	return t.traces, trailMark(filepath.Join(t.config.Data, trailMarkFile))
}

// As says which command reads the store from now on, for the trail.
func (t *Tools) As(deed string) { t.deed = deed }

// trace writes down what a command does. Where that cannot be written the command goes
// on, and says so.
func (t *Tools) trace(ctx context.Context, e trail.Entry) {
	if t.deed == "" {
		return
	}
	who := access.Who{Name: "command line", Roles: []access.Role{access.Operator}, From: "command line"}
	if account, err := user.Current(); err == nil {
		who.Name = account.Username
	}
	e = e.Of(who)
	e.Deed = t.deed
	err := t.openTrail(ctx)
	if err == nil {
		err = t.trail.Write(ctx, e)
	}
	if err != nil {
		slog.Default().Warn("this access could not be traced", "command", t.deed, "error", err)
	}
}

func (t *Tools) openTrail(ctx context.Context) (err error) {
	t.opening.Lock()
	defer t.opening.Unlock()
	if t.trail == nil {
		t.trail, err = trailOf(ctx, t.traces, t.config, slog.Default())
	}
	return err
}

// looked writes down, once, that a command reads of a patient. A command may read of
// many at the same time; nobody reads of one before that is written.
func (t *Tools) looked(ctx context.Context, patient string) {
	t.looking.Lock()
	defer t.looking.Unlock()
	if t.patients[patient] {
		return
	}
	t.patients[patient] = true
	t.trace(ctx, trail.Entry{Kind: trail.Read, Patients: []string{patient}})
}

// Note is access.Trail, for acts of a command on accounts.
func (t *Tools) Note(ctx context.Context, _ access.Who, deed, about, patient, reason string) error {
	e := trail.Entry{Kind: trail.Act, About: about, Reason: reason}
	if patient != "" {
		e.Patients = []string{patient}
	}
	t.trace(ctx, e)
	return nil
}

// Export is registry.Store.Export, and leaves a trace.
func (t *Tools) Export(ctx context.Context, access registry.Access) (registry.Registry, error) {
	reg, err := t.Registry.Export(ctx, access)
	if err != nil {
		return reg, err
	}
	t.trace(ctx, trail.Entry{Kind: trail.Read, Patients: patientsOf(&reg), Reason: access.Reason})
	return reg, nil
}

// Import is registry.Store.Import, and leaves a trace.
func (t *Tools) Import(ctx context.Context, reg *registry.Registry, author string, at time.Time) (registry.Changes, error) {
	changes, err := t.Registry.Import(ctx, reg, author, at)
	if err == nil {
		t.trace(ctx, trail.Entry{Kind: trail.Act, Patients: patientsOf(reg), About: author})
	}
	return changes, err
}

// Identity is registry.Store.Identity, and leaves a trace.
func (t *Tools) Identity(ctx context.Context, patient string, access registry.Access) (*registry.Identity, error) {
	t.looked(ctx, patient)
	return t.Registry.Identity(ctx, patient, access)
}

// IdentityVersions is registry.Store.IdentityVersions, and leaves a trace.
func (t *Tools) IdentityVersions(ctx context.Context, patient string, access registry.Access) ([]registry.IdentityVersion, error) {
	t.looked(ctx, patient)
	return t.Registry.IdentityVersions(ctx, patient, access)
}

// Faces is registry.Store.Faces, and leaves a trace.
func (t *Tools) Faces(ctx context.Context) ([]registry.Face, error) {
	t.trace(ctx, trail.Entry{Kind: trail.Read, Everyone: true})
	return t.Registry.Faces(ctx)
}

// EnrolmentsOf is registry.Store.EnrolmentsOf, and leaves a trace.
func (t *Tools) EnrolmentsOf(ctx context.Context, patient string) ([]registry.Enrolment, error) {
	t.looked(ctx, patient)
	return t.Registry.EnrolmentsOf(ctx, patient)
}

// patientsOf are those whom a registry is about, as persons or by an enrolment.
func patientsOf(reg *registry.Registry) []string {
	ids := make([]string, 0, len(reg.Patients)+len(reg.Enrolments))
	for _, p := range reg.Patients {
		ids = append(ids, p.ID)
	}
	for i := range reg.Enrolments {
		ids = append(ids, reg.Enrolments[i].Patient)
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}
