package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// KindIdentity is how stores call the traits of a patient, which they keep apart from
// the pseudonymous id.
const KindIdentity = "identity"

// Importing is what an import asks of a store, all within one transaction. A kind is one
// of the constants, KindIdentity included.
type Importing interface {
	// Kept returns what is kept of items of a kind, by their place in ids.
	Kept(ctx context.Context, kind string, ids []string) ([]Kept, error)
	// Keep keeps items of a kind, new ones and other ones, and appends each to the history
	// under the author's name.
	Keep(ctx context.Context, kind string, items []Body) error
	// Feed notes which devices feed enrolments from now on, and makes each due at once.
	Feed(ctx context.Context, fed []Fed) error
	// Naming returns an enrolment that names a team, a patient or a device; empty for none.
	Naming(ctx context.Context, item Item) (enrolment string, err error)
	// Remove takes out a team, a patient or a device. The history keeps that, as null.
	Remove(ctx context.Context, item Item) error
	// Renew gives the registry its next version.
	Renew(ctx context.Context) error
}

// Kept is what a store holds of an item.
type Kept struct {
	Body    []byte // JSON; nil when there is none, or none that is intact
	Damaged bool   // Body is the last of the history: the item is kept anew
}

// Body is an item as a store keeps it, in JSON.
type Body struct {
	ID   string
	JSON []byte
}

// Fed is an enrolment with the devices that feed it. They do so since it began when New
// is true, since now otherwise.
type Fed struct {
	Enrolment string
	Devices   []string
	New       bool
}

// Pseudonym is all that is kept of a patient beside the identity.
type Pseudonym struct {
	ID     string `json:"id"`
	Merged *Merge `json:"merged,omitempty"` // the latest of its merges, taken back or not
}

// Import is Store.Import for every store. write runs a function within one transaction,
// and undoes what it did when it returns an error. It may run it again.
func Import(ctx context.Context, reg *Registry, author string, write func(func(Importing) error) error) (Changes, error) {
	if author == "" {
		return Changes{}, errors.New("import the registry: an author is needed, every version is kept under a name")
	}
	var changes Changes
	err := write(func(tx Importing) error {
		im := importer{ctx: ctx, tx: tx, reg: reg}
		if err := im.all(); err != nil {
			return err
		}
		changes = im.changes
		if changes.Added+changes.Changed == 0 {
			return nil
		}
		return tx.Renew(ctx)
	})
	if err != nil {
		return Changes{}, fmt.Errorf("import the registry: %w; nothing was imported", err)
	}
	return changes, nil
}

// importer makes one import in one transaction.
type importer struct {
	ctx     context.Context
	tx      Importing
	reg     *Registry
	changes Changes
}

// atOnce is how many items one call of Importing is about at most.
const atOnce = 2_000

func (im *importer) all() error {
	for part := range slices.Chunk(im.reg.Teams, atOnce) {
		if err := importItems(im, KindTeam, part, func(t *Team) string { return t.ID }); err != nil {
			return err
		}
	}
	for part := range slices.Chunk(im.reg.Patients, atOnce) {
		if err := im.patients(part); err != nil {
			return err
		}
	}
	for part := range slices.Chunk(im.reg.Devices, atOnce) {
		if err := im.devices(part); err != nil {
			return err
		}
	}
	for part := range slices.Chunk(im.reg.Enrolments, atOnce) {
		if err := im.enrolments(part); err != nil {
			return err
		}
	}
	for _, m := range im.reg.Merges {
		if err := im.merge(m); err != nil {
			return err
		}
	}
	for _, item := range im.reg.Gone {
		if err := im.remove(item); err != nil {
			return err
		}
	}
	return nil
}

// importItems imports items that are kept as they are.
func importItems[T any](im *importer, kind string, list []T, id func(*T) string) error {
	changes, err := formers(im, kind, list, id)
	if err != nil {
		return err
	}
	for i := range list {
		if err := changes[i].become(&list[i]); err != nil {
			return err
		}
	}
	return im.keep(kind, im.count(changes))
}

// patients keeps the pseudonymous ids with the rest and the traits apart. Both together
// count as one.
func (im *importer) patients(list []Patient) error {
	id := func(p *Patient) string { return p.ID }
	pseudonyms, err := formers(im, KindPatient, list, id)
	if err != nil {
		return err
	}
	traits, err := formers(im, KindIdentity, list, id)
	if err != nil {
		return err
	}
	for i := range list {
		pseudonym, err := stored[Pseudonym](KindPatient, pseudonyms[i])
		if err != nil {
			return err
		}
		if pseudonym == nil {
			pseudonym = &Pseudonym{ID: list[i].ID}
		}
		former, err := stored[Identity](KindIdentity, traits[i])
		if err != nil {
			return err
		}
		if former != nil {
			list[i].Identity.stayChecked(former)
		}
		if former != nil && unchecked(former, &list[i].Identity) && !slices.Contains(im.reg.Loosening, TraitsName(list[i].ID)) {
			said, wayOut := uncheckedTraits(list[i].ID)
			return errors.New(said.EN + ": " + wayOut.EN)
		}
		if err := errors.Join(pseudonyms[i].become(pseudonym), traits[i].become(&list[i].Identity)); err != nil {
			return err
		}
	}
	if err := im.keep(KindPatient, toKeep(pseudonyms)); err != nil {
		return err
	}
	return im.keep(KindIdentity, im.count(traits))
}

// devices keeps each with a secret in the place of its password.
func (im *importer) devices(list []Device) error {
	changes, err := formers(im, KindDevice, list, func(d *Device) string { return d.Name })
	if err != nil {
		return err
	}
	for i, device := range list {
		former, err := stored[Device](KindDevice, changes[i])
		if err != nil {
			return err
		}
		if password := device.ChooseSecret(former); password != "" {
			im.changes.Passwords = append(im.changes.Passwords, Credential{Device: device.Name, Password: password})
		}
		if err := changes[i].become(&device); err != nil {
			return err
		}
	}
	return im.keep(KindDevice, im.count(changes))
}

func (im *importer) enrolments(list []Enrolment) error {
	changes, err := formers(im, KindEnrolment, list, func(e *Enrolment) string { return e.ID })
	if err != nil {
		return err
	}
	var fed []Fed
	for i := range list {
		former, err := stored[Enrolment](KindEnrolment, changes[i])
		if err != nil {
			return err
		}
		if former != nil {
			if err := checkReplace(former, &list[i], im.reg); err != nil {
				return err
			}
		}
		if err := changes[i].become(&list[i]); err != nil {
			return err
		}
		if changes[i].differs() {
			fed = append(fed, Fed{Enrolment: list[i].ID, Devices: list[i].Devices, New: former == nil})
		}
	}
	if err := im.keep(KindEnrolment, im.count(changes)); err != nil || len(fed) == 0 {
		return err
	}
	return im.tx.Feed(im.ctx, fed)
}

// remove takes out what no enrolment names.
func (im *importer) remove(item Item) error {
	kind := item.Kind
	switch kind {
	case KindEnrolment:
		return fmt.Errorf("the %s: %w", item, ErrUsed)
	case KindPatient:
		kind = KindIdentity
	}
	kept, err := im.tx.Kept(im.ctx, kind, []string{item.ID})
	if err != nil {
		return err
	}
	if kept[0].Body == nil {
		return fmt.Errorf("the %s is %w", item, ErrNotFound)
	}
	if err := checkSeen(im.reg, kind, item.ID, kept[0].Body); err != nil {
		return err
	}
	enrolment, err := im.tx.Naming(im.ctx, item)
	if err != nil {
		return err
	}
	if enrolment != "" {
		return fmt.Errorf("the %s: %w: %s", item, ErrUsed, enrolment)
	}
	im.changes.Changed++
	return im.tx.Remove(im.ctx, item)
}

// change is what an import says of one item.
type change struct {
	id     string
	former Kept
	next   []byte // JSON
}

// formers asks the store what it holds of each item, by place.
func formers[T any](im *importer, kind string, list []T, id func(*T) string) ([]change, error) {
	if err := im.ctx.Err(); err != nil {
		return nil, err
	}
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = id(&list[i])
	}
	kept, err := im.tx.Kept(im.ctx, kind, ids)
	if err != nil {
		return nil, err
	}
	changes := make([]change, len(list))
	for i, id := range ids {
		changes[i] = change{id: id, former: kept[i]}
		if err := checkSeen(im.reg, kind, id, kept[i].Body); err != nil {
			return nil, err
		}
	}
	return changes, nil
}

// stored reads what the registry holds of an item, nil when it is new.
func stored[T any](kind string, c change) (*T, error) {
	if c.former.Body == nil {
		return nil, nil
	}
	former := new(T)
	if err := json.Unmarshal(c.former.Body, former); err != nil {
		return nil, fmt.Errorf("the %s %s in the store cannot be read: %w", kind, c.id, err)
	}
	return former, nil
}

func (c *change) become(item any) (err error) {
	if c.next, err = json.Marshal(item); err != nil {
		return fmt.Errorf("write %s: %w", c.id, err)
	}
	return nil
}

func (c *change) differs() bool {
	return c.former.Damaged || !bytes.Equal(c.former.Body, c.next)
}

// count counts changes and returns those that change anything.
func (im *importer) count(changes []change) []Body {
	for i := range changes {
		switch {
		case !changes[i].differs():
			im.changes.Unchanged++
		case changes[i].former.Body == nil:
			im.changes.Added++
		default:
			im.changes.Changed++
		}
	}
	return toKeep(changes)
}

func toKeep(changes []change) []Body {
	var items []Body
	for i := range changes {
		if changes[i].differs() {
			items = append(items, Body{changes[i].id, changes[i].next})
		}
	}
	return items
}

func (im *importer) keep(kind string, items []Body) error {
	if len(items) == 0 {
		return nil
	}
	return im.tx.Keep(im.ctx, kind, items)
}

// checkSeen returns ErrChanged for an item that is another by now than it was when it was
// read, see Registry.Seen. kept is its body as the store holds it, nil for none. A patient
// is asked about by KindIdentity.
func checkSeen(reg *Registry, kind, id string, kept []byte) error {
	switch kind {
	case KindPatient:
		return nil
	case KindIdentity:
		kind = KindPatient
	}
	item := Item{kind, id}
	seen, asked := reg.Seen[item.String()]
	if !asked {
		return nil
	}
	now := ""
	if kept != nil {
		one, err := keptItem(item, kept)
		if err != nil {
			return err
		}
		now = Tag(one)
	}
	if now != seen {
		return fmt.Errorf("the %s: %w", item, ErrChanged)
	}
	return nil
}

func keptItem(item Item, body []byte) (any, error) {
	if item.Kind != KindPatient {
		return kinds[item.Kind].read(body)
	}
	p := &Patient{ID: item.ID}
	return p, json.Unmarshal(body, &p.Identity)
}

// checkReplace refuses to put an enrolment in the place of a former one. It may not go
// to another patient, nor change a setting without a new author, date and reason. It may
// not bring back what was withdrawn or replaced since, as an older file does; a setting
// older than the one kept passes where it is named, see Registry.Loosening.
func checkReplace(former, next *Enrolment, reg *Registry) error {
	if former.Patient != next.Patient {
		return fmt.Errorf("the enrolment %s belongs to another patient: give this one an enrolment of its own", next.ID)
	}
	if names := unsigned(former, next); len(names) > 0 {
		return fmt.Errorf("the enrolment %s changes %s without a new author, date and reason", next.ID, strings.Join(names, ", "))
	}
	for _, old := range broughtBack(former, next) {
		if !slices.Contains(reg.Loosening, looseningName(old.field, next.ID)) {
			return fmt.Errorf("the enrolment %s: %s", next.ID, old.text.EN)
		}
	}
	return nil
}
