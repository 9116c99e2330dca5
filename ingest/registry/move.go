package registry

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"time"

	"vigie/protocols/document"
)

// Movable is the part of a Store that a move asks.
type Movable interface {
	Changeable
	EnrolmentsUnder(ctx context.Context, protocol string) ([]Enrolment, error)
}

// Under lists the enrolments under a version of a protocol that are not over, by id.
func Under(ctx context.Context, store interface {
	EnrolmentsUnder(ctx context.Context, protocol string) ([]Enrolment, error)
}, protocol, version string, now time.Time) (list []Enrolment, err error) {
	all, err := store.EnrolmentsUnder(ctx, protocol)
	for _, e := range all {
		if e.Version == version && (e.Ends().IsZero() || now.Before(e.Ends())) {
			list = append(list, e)
		}
	}
	return list, err
}

// Move puts the enrolments under a version of a protocol that are not over under another
// version, all of them at once or none.
type Move struct {
	Protocol, From, To string
	Seen               string // Moved.Tag as it was read; not asked of a dry run
	DryRun             bool
	By                 Access
	// May leaves those where they are for which it is false.
	May func(*Enrolment) (bool, error)
	// Before is called once everything was checked, before anything is kept. An error ends
	// the move. May be nil.
	Before func(moved []Enrolment) error
}

// Moved is what a move came to.
type Moved struct {
	Former, Next []Enrolment
	Left         int                // under the same version, that May left where they are
	Problems     []document.Problem // nothing was moved where Refused says so
	Tag          string             // tells these enrolments, as they were read, from others
}

// Make moves through the checks of an import. It returns ErrNotFound where there is nothing
// to move, and ErrChanged where the enrolments are others than were read.
func (m Move) Make(ctx context.Context, store Movable, library Library) (*Moved, error) {
	under, err := Under(ctx, store, m.Protocol, m.From, m.By.At)
	if err != nil {
		return nil, fmt.Errorf("list who is followed under %s, version %s: %w", m.Protocol, m.From, err)
	}
	done := &Moved{}
	for i := range under {
		may, err := m.May(&under[i])
		if err != nil {
			return nil, err
		}
		if !may {
			done.Left++
			continue
		}
		done.Former, done.Next = append(done.Former, under[i]), append(done.Next, under[i].Under(m.To))
	}
	if len(done.Former) == 0 {
		return done, ErrNotFound
	}
	if done.Tag = Tag(done.Former); !m.DryRun && m.Seen != done.Tag {
		return nil, ErrChanged
	}
	return done, m.keep(ctx, store, library, done)
}

func (m Move) keep(ctx context.Context, store Movable, library Library, done *Moved) error {
	var text bytes.Buffer
	if err := Write(&text, &Registry{Enrolments: done.Next}); err != nil {
		return err
	}
	doc, err := ParseYAML(text.Bytes())
	if err != nil {
		return fmt.Errorf("read the enrolments that move: %w", err)
	}
	reg, problems, err := Ready(ctx, doc, library, Remembering(store), nil, m.By.At)
	done.Problems = named(problems, done.Next)
	if err != nil || Refused(problems) || m.DryRun {
		return err
	}
	if m.Before != nil {
		if err := m.Before(done.Next); err != nil {
			return err
		}
	}
	reg.Seen = map[string]string{}
	for i := range done.Former {
		reg.Seen[Item{KindEnrolment, done.Former[i].ID}.String()] = Tag(&done.Former[i])
	}
	_, err = store.Import(ctx, &reg, m.By.Author, m.By.At)
	return err
}

// named puts the id of an enrolment in the place of its number in the paths of problems.
func named(problems []document.Problem, of []Enrolment) []document.Problem {
	for i := range problems {
		n := 0
		if _, err := fmt.Sscanf(problems[i].Path, "enrolments[%d]", &n); err == nil && n < len(of) {
			problems[i].Path = strings.Replace(problems[i].Path, fmt.Sprintf("enrolments[%d]", n), "enrolments."+of[n].ID, 1)
		}
	}
	return problems
}
