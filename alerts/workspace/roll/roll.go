// Package roll finds patients by name among all that are followed.
//
// It keeps every name in memory, in the letters that people type: without accents,
// without case. The registry is read again when it has changed.
package roll

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"vigie/ingest/registry"
)

// Source is the registry behind a roll.
type Source interface {
	Faces(ctx context.Context) ([]registry.Face, error)
	// RegistryVersion grows with every change.
	RegistryVersion(ctx context.Context) (int64, error)
}

// Roll is safe for several goroutines.
type Roll struct {
	source Source

	mu      sync.Mutex
	read    bool
	version int64
	faces   []registry.Face
	text    []string // by place in faces: what is searched
	place   map[string]int
}

// Of returns the roll of a registry; nil for nil, which knows nobody.
func Of(source Source) *Roll {
	if source == nil {
		return nil
	}
	return &Roll{source: source}
}

// current reads the registry where it has changed.
func (r *Roll) current(ctx context.Context) (faces []registry.Face, text []string, place map[string]int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	version, err := r.source.RegistryVersion(ctx)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("ask whether the registry has changed: %w", err)
	}
	if !r.read || version != r.version {
		if err := r.fill(ctx); err != nil {
			return nil, nil, nil, err
		}
		r.read, r.version = true, version
	}
	return r.faces, r.text, r.place, nil
}

func (r *Roll) fill(ctx context.Context) error {
	faces, err := r.source.Faces(ctx)
	if err != nil {
		return err
	}
	text, place := make([]string, len(faces)), make(map[string]int, len(faces))
	for i := range faces {
		f := &faces[i]
		text[i] = " " + Fold(f.BirthName+" "+f.FirstGiven+" "+f.Patient) + " "
		place[f.Patient] = i
	}
	r.faces, r.text, r.place = faces, text, place
	return nil
}

// Face returns a patient as lists show him; false for one that the registry does not
// hold.
func (r *Roll) Face(ctx context.Context, patient string) (registry.Face, bool, error) {
	if r == nil {
		return registry.Face{}, false, nil
	}
	faces, _, place, err := r.current(ctx)
	if err != nil {
		return registry.Face{}, false, err
	}
	i, known := place[patient]
	if !known {
		return registry.Face{}, false, nil
	}
	return faces[i], true, nil
}

// Find lists up to limit patients whom may lets through and in whose name or id each of
// the words begins a word, by id. more says that there are others.
func (r *Roll) Find(ctx context.Context, words string, limit int, may func(*registry.Face) bool) (found []registry.Face, more bool, err error) {
	wanted := strings.Fields(Fold(words))
	if r == nil || len(wanted) == 0 {
		return nil, false, nil
	}
	faces, text, _, err := r.current(ctx)
	if err != nil {
		return nil, false, err
	}
	for i := range faces {
		if !holds(text[i], wanted) || !may(&faces[i]) {
			continue
		}
		if len(found) == limit {
			return found, true, nil
		}
		found = append(found, faces[i])
	}
	return found, false, nil
}

func holds(text string, words []string) bool {
	for _, word := range words {
		if !strings.Contains(text, " "+word) {
			return false
		}
	}
	return true
}

// Fold writes a name as people search for it: "Lœtitia Élise-Anne" is
// "loetitia elise anne".
func Fold(name string) string {
	var folded strings.Builder
	for _, c := range norm.NFD.String(name) {
		switch c = unicode.ToLower(c); {
		case c == 'œ':
			folded.WriteString("oe")
		case c == 'æ':
			folded.WriteString("ae")
		case c == 'ß':
			folded.WriteString("ss")
		case unicode.Is(unicode.Mn, c):
		case unicode.IsLetter(c) || unicode.IsDigit(c):
			folded.WriteRune(c)
		default:
			folded.WriteByte(' ')
		}
	}
	return folded.String()
}
