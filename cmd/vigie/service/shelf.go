package service

import (
	"context"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"vigie/ingest"
	"vigie/ingest/registry"
	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/document"
	"vigie/protocols/engine"
	"vigie/protocols/language"
	"vigie/protocols/library"
)

// Shelf holds the protocols that enrolments may name: those that ship, those of
// the operator's own folders, and versions that were used before and that no file
// holds any more.
type Shelf struct {
	mu    sync.RWMutex
	books map[[2]string]book // by id and version
	// measures are the operator's files of measures, by name and version.
	measures map[[2]string]book
	// Notes are sentences for the operator about versions that Recall found to
	// be otherwise than this program's.
	Notes []string
}

// book is one version of a protocol with its text, letter for letter.
type book struct {
	protocol *protocols.Protocol
	text     string
	file     string
	shipped  bool // with the program
}

// NewShelf reads the library and every .yaml file of the folders. The measures of the
// folders come first, and are known from then on: it is called before a store is opened.
func NewShelf(folders ...string) (*Shelf, error) { return readShelf(protocols.Define, folders) }

// readShelf is NewShelf, with what is to become of the measures of the folders.
func readShelf(define func([]*protocols.Measure) error, folders []string) (*Shelf, error) {
	shelf := &Shelf{books: map[[2]string]book{}, measures: map[[2]string]book{}}
	for _, folder := range folders {
		if err := shelf.addMeasures(folder, define); err != nil {
			return nil, err
		}
	}
	shipped, err := ofLibrary()
	if err != nil {
		return nil, err
	}
	maps.Copy(shelf.books, shipped)
	for _, folder := range folders {
		if err := shelf.addAll(os.DirFS(folder), folder, false); err != nil {
			return nil, err
		}
	}
	return shelf, nil
}

// ofLibrary reads the protocols that ship, once: they are a part of the program.
var ofLibrary = sync.OnceValues(func() (map[[2]string]book, error) {
	shipped := &Shelf{books: map[[2]string]book{}}
	err := shipped.addAll(library.FS, "", true)
	return shipped.books, err
})

// addAll adds the protocols of a folder. Two files with the same version are
// refused: nobody could say which of them was meant.
func (s *Shelf) addAll(folder fs.FS, place string, shipped bool) error {
	names, err := fs.Glob(folder, "*.yaml")
	if err != nil {
		return fmt.Errorf("list the protocols in %s: %w", place, err)
	}
	for _, name := range names {
		if strings.HasSuffix(name, ".test.yaml") || strings.HasSuffix(name, MeasuresSuffix) {
			continue
		}
		data, err := fs.ReadFile(folder, name)
		if err != nil {
			return fmt.Errorf("read a protocol: %w", err)
		}
		file := filepath.Join(place, name)
		p, err := readProtocol(file, data)
		if err != nil {
			return err
		}
		if other, taken := s.books[[2]string{p.ID, p.Version}]; taken {
			return fmt.Errorf("%s: version %s of %s is also in %s, and a version never changes: give this one a new version", file, p.Version, p.ID, other.file)
		}
		s.books[[2]string{p.ID, p.Version}] = book{protocol: p, text: unix(string(data)), file: file, shipped: shipped}
	}
	return nil
}

func readProtocol(file string, data []byte) (*protocols.Protocol, error) {
	doc, err := yaml.Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	p, problems := language.Parse(doc)
	for _, problem := range problems {
		if problem.Severity == document.Error {
			return nil, fmt.Errorf("%s:%d:%d: %s", file, problem.Line, problem.Column, problem.Message.EN)
		}
	}
	return p, nil
}

// Recall holds the shelf against the versions that were used before: they never
// change. One that no file holds any more comes back as it was. So does one that
// ships with another text than it was used with: its patients go on under what
// they were followed under, by whichever version of the program. One that the
// operator's own file has changed is refused. One that only a newer program can
// read is left out, and said so: its patients' readings are set aside by this
// program, and evaluated by the newer one.
func (s *Shelf) Recall(ctx context.Context, store registry.Store) error {
	used, err := store.UsedProtocols(ctx)
	if err != nil {
		return err
	}
	for _, u := range used {
		if strings.HasPrefix(u.ID, measuresOf) {
			if err := s.recallMeasures(u); err != nil {
				return err
			}
			continue
		}
		key := [2]string{u.ID, u.Version}
		if newest := s.Latest(u.ID); numbered(u.Version) && numbered(newest) && protocols.Newer(newest, u.Version) {
			s.note("version %s of %s was used here, and version %s is there: \"vigie enrolment migrate --all %s@%s --dry-run\" lists who is to go on under it", u.Version, u.ID, newest, u.ID, u.Version)
		}
		known, onShelf := s.books[key]
		switch {
		case onShelf && known.text == unix(u.Text):
			continue
		case onShelf && !known.shipped:
			return fmt.Errorf("%s: version %s of %s has changed since it was first used, on %s, and a version never changes: put its text back, and give the new one a new version",
				known.file, u.Version, u.ID, u.First.Format(time.DateOnly))
		case onShelf:
			s.note("version %s of %s ships with another text than it was used with since %s, which stays in force", u.Version, u.ID, u.First.Format(time.DateOnly))
		}
		delete(s.books, key)
		p, err := readProtocol(fmt.Sprintf("%s (version %s, as first used)", u.ID, u.Version), []byte(u.Text))
		if err != nil {
			s.note("version %s of %s cannot be read by this program; readings of its patients are set aside here: start the newer Vigie that it was used with (%v)", u.Version, u.ID, err)
			continue
		}
		s.books[key] = book{protocol: p, text: u.Text}
	}
	return nil
}

// unix is a text with the ends of lines that Unix has: a file that went through a
// Windows machine is the same protocol.
func unix(text string) string { return strings.ReplaceAll(text, "\r\n", "\n") }

func (s *Shelf) note(format string, args ...any) {
	s.Notes = append(s.Notes, fmt.Sprintf(format, args...))
}

// Protocol returns a version of a protocol, or nil. It is a registry.Library.
func (s *Shelf) Protocol(id, version string) *protocols.Protocol {
	return s.book([2]string{id, version}).protocol
}

// Text is the file of a version of a protocol, letter for letter; empty for one that is not
// at hand.
func (s *Shelf) Text(id, version string) string { return s.book([2]string{id, version}).text }

func (s *Shelf) book(key [2]string) book {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if b, ok := s.measures[key]; ok {
		return b
	}
	return s.books[key]
}

// replace takes what another shelf holds, and returns which versions are new. A version
// that the other one lacks stays: patients may be followed under it.
func (s *Shelf) replace(fresh *Shelf) (added [][2]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, b := range fresh.books {
		if _, known := s.books[key]; !known {
			s.books[key] = b
			added = append(added, key)
		}
	}
	return added
}

// Lookback is how far back the protocol that looks furthest does.
func (s *Shelf) Lookback() (furthest time.Duration, err error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, b := range s.books {
		plan, err := engine.NewPlan(b.protocol)
		if err != nil {
			return 0, err
		}
		state, err := plan.For(protocols.Enrolment{Zone: time.UTC})
		if err != nil {
			return 0, fmt.Errorf("see how far back version %s of %s looks: %w", b.protocol.Version, b.protocol.ID, err)
		}
		furthest = max(furthest, state.Lookback())
	}
	return furthest, nil
}

// readers notes which versions patients are followed under, until they are kept
// in the store. Plans are asked for in the middle of commits, where nothing else
// may be written.
type readers struct {
	mu    sync.Mutex
	known map[[2]string]bool // true once kept
}

// plans is the source of plans for the pipeline.
func (s *Service) plans() func(id, version string) (ingest.Plan, error) {
	find := ingest.Plans(s.Shelf.Protocol)
	s.readers.known = map[[2]string]bool{}
	for key := range s.Shelf.measures {
		s.readers.note(key) // readings of them may be kept from now on
	}
	return func(id, version string) (ingest.Plan, error) {
		plan, err := find(id, version)
		if err == nil {
			s.readers.note([2]string{id, version})
		}
		return plan, err
	}
}

func (r *readers) note(key [2]string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.known[key] {
		r.known[key] = false
	}
}

// waiting lists the versions that are in use and not kept yet.
func (r *readers) waiting() [][2]string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var list [][2]string
	for key, kept := range r.known {
		if !kept {
			list = append(list, key)
		}
	}
	return list
}

// keepUsed keeps the text of every version that came into use.
func (s *Service) keepUsed(ctx context.Context) error {
	for _, key := range s.readers.waiting() {
		used := registry.UsedProtocol{ID: key[0], Version: key[1], Text: s.Shelf.book(key).text, First: s.Now()}
		if err := s.backend.registry.UseProtocol(ctx, used); err != nil {
			return err
		}
		s.readers.mu.Lock()
		s.readers.known[key] = true
		s.readers.mu.Unlock()
	}
	return nil
}

func (s *Service) keepUsedDue(context.Context, time.Time) (bool, error) {
	return len(s.readers.waiting()) > 0, nil
}

// Latest is the version of a protocol that came last, by number where versions are
// numbers. Empty when there is none.
func (s *Shelf) Latest(id string) string {
	for _, p := range s.LatestOfAll() {
		if p.ID == id {
			return p.Version
		}
	}
	return ""
}

// numbered reports whether a version is a whole number, as those that ship are.
func numbered(version string) bool {
	_, err := strconv.ParseUint(version, 10, 32)
	return err == nil
}

// LatestOfAll lists every protocol in the version that came last, by id.
func (s *Shelf) LatestOfAll() []*protocols.Protocol {
	latest := map[string]*protocols.Protocol{}
	for key, b := range s.books {
		known := latest[key[0]]
		if known == nil || protocols.Newer(key[1], known.Version) {
			latest[key[0]] = b.protocol
		}
	}
	var all []*protocols.Protocol
	for _, id := range slices.Sorted(maps.Keys(latest)) {
		all = append(all, latest[id])
	}
	return all
}
