package registry

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"vigie/protocols/document"
)

// Ready holds a document against the library and what is known, as an import does: it
// returns what would be imported, and all that is wrong with it. named is what may
// loosen the watch, see Registry.Loosening.
func Ready(ctx context.Context, doc *document.Node, library Library, known Known, named []string, now time.Time) (Registry, []document.Problem, error) {
	reg, problems, err := Check(ctx, doc, library, known)
	if err != nil {
		return reg, problems, err
	}
	reg.Loosening = named
	problems = append(AllowNamed(&reg, problems), Ahead(doc, &reg, now)...)
	return reg, problems, WithdrawNow(ctx, doc, &reg, known, now)
}

// Change is a change of one item by somebody: Patch, or Whole, or Remove.
type Change struct {
	Item   Item
	Patch  map[string]any // a JSON merge patch (RFC 7396)
	Whole  map[string]any // all that the item is to be
	Remove bool
	Seen   string   // the Tag of the item as it was read; empty for one that is to be new
	Named  []string // what may loosen the watch, see Registry.Loosening
	DryRun bool
	By     Access // who changes it, why and when
	// May is asked before anything is kept, with the item as it would be and what would
	// change of it. May be nil.
	May func(next any, changed []Difference) error
	// Before is called with the item as it will be once nothing forbids the change, before it
	// is kept. A dry run does not call it. May be nil.
	Before func(next any) error
}

// Changed is what a change came to.
type Changed struct {
	Item     any                // as it is now, or would be; nil where it was removed
	Problems []document.Problem // nothing was changed where Refused says so
	Fields   []Difference
	Unnamed  []string // what would loosen the watch and was not named: nothing was changed
	Password string   // of a device that is new or gets another one; nobody can read it again
	Same     bool     // it is so already
}

// Changeable is the part of a Store that a change asks.
type Changeable interface {
	Known
	Identities
	Import(ctx context.Context, reg *Registry, author string, at time.Time) (Changes, error)
}

// Make makes a change through the checks of an import. It returns ErrNotFound for an item
// that is not there, and ErrChanged for one that is another than was read, or is there
// though it was to be new.
func (c Change) Make(ctx context.Context, store Changeable, library Library) (*Changed, error) {
	former, err := Find(ctx, store, c.Item, c.By)
	switch {
	case errors.Is(err, ErrNotFound) && c.Seen == "" && c.Whole != nil:
		former = nil
	case err != nil:
		return nil, err
	case Tag(former) != c.Seen:
		return nil, ErrChanged
	}
	if c.Remove {
		return c.remove(ctx, store, former)
	}
	object := maps.Clone(c.Whole)
	if object == nil {
		target, err := Object(former)
		if err != nil {
			return nil, err
		}
		object = merge(target, c.Patch)
	}
	doc, err := c.Item.document(object)
	if err != nil {
		return nil, fmt.Errorf("read the change of the %s: %w", c.Item, err)
	}
	return c.keep(ctx, store, library, doc, former)
}

func (c Change) keep(ctx context.Context, store Changeable, library Library, doc *document.Node, former any) (*Changed, error) {
	known := Remembering(store)
	reg, problems, err := Ready(ctx, doc, library, known, c.Named, c.By.At)
	if err != nil {
		return nil, err
	}
	done := &Changed{Item: former, Problems: problems}
	if Refused(problems) {
		return done, nil
	}
	if done.Fields, err = Differences(ctx, known, &reg); err != nil {
		return nil, err
	}
	next := kinds[c.Item.Kind].only(&reg, c.Item.ID)
	if former != nil && c.Item.Kind == KindPatient {
		done.Fields, err = differing(nil, c.Item.String(), former.(*Patient), next.(*Patient), nil)
		if err != nil {
			return nil, err
		}
		if unchecked(&former.(*Patient).Identity, &next.(*Patient).Identity) && !slices.Contains(c.Named, TraitsName(c.Item.ID)) {
			said, wayOut := uncheckedTraits(c.Item.ID)
			done.Problems = append(done.Problems, document.Problem{Path: "patients[0].identity.status", Code: "traits-unchecked", Severity: document.Error, Message: said, Suggestion: wayOut})
			return done, nil
		}
	}
	if c.May != nil {
		if err := c.May(next, done.Fields); err != nil {
			return nil, err
		}
	}
	done.Unnamed = Unnamed(done.Fields, c.Named)
	if len(done.Unnamed) > 0 && !c.DryRun {
		return done, nil
	}
	if c.DryRun {
		done.Item = next
		return done, nil
	}
	if c.Before != nil {
		if err := c.Before(next); err != nil {
			return nil, err
		}
	}
	done.Password = newPassword(former, next)
	reg.Seen = map[string]string{c.Item.String(): c.Seen}
	changes, err := store.Import(ctx, &reg, c.By.Author, c.By.At)
	if err != nil {
		return nil, err
	}
	done.Same = changes.Added+changes.Changed == 0
	if done.Item, err = Find(ctx, store, c.Item, c.By); errors.Is(err, ErrNotFound) {
		return nil, ErrChanged
	}
	return done, err
}

// newPassword gives a device that is new a password, and keeps that of every other one.
func newPassword(former, next any) string {
	device, isDevice := next.(*Device)
	if !isDevice || former != nil || device.Password != "" || device.Secret != "" {
		return ""
	}
	device.Password = NewPassword()
	return device.Password
}

func (c Change) remove(ctx context.Context, store Changeable, former any) (*Changed, error) {
	if c.May != nil {
		if err := c.May(former, nil); err != nil {
			return nil, err
		}
	}
	done := &Changed{}
	if c.DryRun {
		return done, nil
	}
	if c.Before != nil {
		if err := c.Before(former); err != nil {
			return nil, err
		}
	}
	reg := Registry{Gone: []Item{c.Item}, Seen: map[string]string{c.Item.String(): c.Seen}}
	_, err := store.Import(ctx, &reg, c.By.Author, c.By.At)
	return done, err
}
