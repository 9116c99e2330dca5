package registry

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/goccy/go-yaml"

	"vigie/protocols/document"
)

// Tag tells one version of an enrolment from another.
func (e *Enrolment) Tag() string {
	text, err := json.Marshal(e)
	if err != nil {
		panic("registry: an enrolment that cannot be written as JSON: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// JSON is an enrolment as a file holds it, with days where the patient lives: what was
// read may be sent again.
func (e *Enrolment) JSON() (json.RawMessage, error) {
	var text bytes.Buffer
	if err := Write(&text, &Registry{Enrolments: []Enrolment{*e}}); err != nil {
		return nil, err
	}
	whole, err := yaml.YAMLToJSON(text.Bytes())
	if err != nil {
		return nil, fmt.Errorf("write the enrolment %s as JSON: %w", e.ID, err)
	}
	var file struct{ Enrolments []json.RawMessage }
	if err := json.Unmarshal(whole, &file); err != nil || len(file.Enrolments) != 1 {
		return nil, fmt.Errorf("write the enrolment %s as JSON: %w", e.ID, err)
	}
	return file.Enrolments[0], nil
}

// Merge is what a JSON merge patch (RFC 7396) makes of an enrolment, as a document for
// Check. Keys take the place of what is there; null takes it away. The id stays.
func (e *Enrolment) Merge(patch map[string]any) (*document.Node, error) {
	text, err := e.JSON()
	if err != nil {
		return nil, err
	}
	var target map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&target); err != nil {
		return nil, err
	}
	target = merge(target, patch)
	target["id"] = e.ID
	if text, err = json.Marshal(map[string]any{"enrolments": []any{target}}); err != nil {
		return nil, err
	}
	return ParseYAML(text)
}

// merge is MergePatch of RFC 7396, section 2.
func merge(target, patch map[string]any) map[string]any {
	for name, value := range patch {
		inner, isObject := value.(map[string]any)
		switch {
		case value == nil:
			delete(target, name)
		case isObject:
			former, _ := target[name].(map[string]any)
			if former == nil {
				former = map[string]any{}
			}
			target[name] = merge(former, inner)
		default:
			target[name] = value
		}
	}
	return target
}

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

// Change is a change of an enrolment by somebody.
type Change struct {
	Enrolment string
	Patch     map[string]any // see Enrolment.Merge
	Seen      string         // the Tag of the enrolment as it was read
	Named     []string       // what may loosen the watch, see Registry.Loosening
	DryRun    bool
	Author    string
	At        time.Time
	// May is asked before anything is kept, with what would change. May be nil.
	May func([]Difference) error
}

// Changed is what a change came to.
type Changed struct {
	Enrolment *Enrolment         // as it is now, or would be
	Problems  []document.Problem // nothing was changed where Refused says so
	Fields    []Difference
	Unnamed   []string // what would loosen the watch and was not named: nothing was changed
}

// Changeable is the part of a Store that a change asks.
type Changeable interface {
	Known
	Import(ctx context.Context, reg *Registry, author string, at time.Time) (Changes, error)
}

// Make makes a change through the checks of an import. It returns ErrNotFound for an
// enrolment that is not there, and ErrChanged for one that is another than was read.
func (c Change) Make(ctx context.Context, store Changeable, library Library) (*Changed, error) {
	former, err := store.Enrolment(ctx, c.Enrolment)
	if err != nil {
		return nil, err
	}
	if former.Tag() != c.Seen {
		return nil, ErrChanged
	}
	doc, err := former.Merge(c.Patch)
	if err != nil {
		return nil, fmt.Errorf("read the change of enrolment %s: %w", c.Enrolment, err)
	}
	known := Remembering(store)
	reg, problems, err := Ready(ctx, doc, library, known, c.Named, c.At)
	if err != nil {
		return nil, err
	}
	done := &Changed{Enrolment: former, Problems: problems}
	if Refused(problems) {
		return done, nil
	}
	if done.Fields, err = Differences(ctx, known, &reg); err != nil {
		return nil, err
	}
	if c.May != nil {
		if err := c.May(done.Fields); err != nil {
			return nil, err
		}
	}
	done.Unnamed = Unnamed(done.Fields, c.Named)
	if len(done.Unnamed) > 0 && !c.DryRun {
		return done, nil
	}
	reg.Seen = map[string]string{c.Enrolment: c.Seen}
	if !c.DryRun {
		if _, err := store.Import(ctx, &reg, c.Author, c.At); err != nil {
			return nil, err
		}
	}
	for i := range reg.Enrolments {
		if reg.Enrolments[i].ID == c.Enrolment {
			done.Enrolment = &reg.Enrolments[i]
		}
	}
	if c.DryRun {
		return done, nil
	}
	if done.Enrolment, err = store.Enrolment(ctx, c.Enrolment); errors.Is(err, ErrNotFound) {
		return nil, ErrChanged
	}
	return done, err
}
