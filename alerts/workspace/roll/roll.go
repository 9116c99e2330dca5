// Package roll finds patients by name, birth date or device among all that are followed.
//
// It keeps every name in memory, in the letters that people type: without accents,
// without case. When the registry has changed, only what changed is read again.
package roll

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"vigie/ingest/registry"
)

// Source is the registry behind a roll.
type Source interface {
	Faces(ctx context.Context) ([]registry.Face, error)
	// FacesOf lists some patients by id. Those that are not kept are left out.
	FacesOf(ctx context.Context, patients []string) ([]registry.Face, error)
	// Device returns a device, or registry.ErrNotFound.
	Device(ctx context.Context, name string) (*registry.Assignment, error)
	// Devices lists devices by name, from behind one on; at most limit of them.
	Devices(ctx context.Context, after string, limit int) ([]registry.Device, error)
	// RegistryVersion grows with every change.
	RegistryVersion(ctx context.Context) (int64, error)
	// Touched lists what has changed since a mark.
	Touched(ctx context.Context, since registry.Mark) (registry.Touched, error)
}

// Roll is safe for several goroutines.
type Roll struct {
	source Source

	mu      sync.Mutex
	mark    registry.Mark
	read    bool
	serials map[string]string // serial numbers of the devices, by name
	pages   pages
}

// Of returns the roll of a registry; nil for nil, which knows nobody.
func Of(source Source) *Roll {
	if source == nil {
		return nil
	}
	return &Roll{source: source}
}

// pages are a roll as it was read once, by id of the patient. Neither they nor their rows
// ever change: what changes stands in a copy, whose other rows are the same.
type pages []*row

// row is one patient.
type row struct {
	face   registry.Face
	text   string // the names, as they are searched
	things string // the devices and their serial numbers
}

// place is where a patient stands, or would stand.
func (p pages) place(patient string) (int, bool) {
	return slices.BinarySearchFunc(p, patient, func(one *row, id string) int { return cmp.Compare(one.face.Patient, id) })
}

// current reads what has changed in the registry.
func (r *Roll) current(ctx context.Context) (pages, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	version, err := r.source.RegistryVersion(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask whether the registry has changed: %w", err)
	}
	if r.read && version == r.mark.Version {
		return r.pages, nil
	}
	since := r.mark
	if !r.read {
		since = registry.Mark{}
	}
	touched, err := r.source.Touched(ctx, since) // before what it is about: what comes meanwhile is touched next time
	if err != nil {
		return nil, err
	}
	fill := r.patch
	if touched.All || !r.read {
		fill = r.fill
	}
	if err := fill(ctx, &touched); err != nil {
		return nil, err
	}
	r.read, r.mark = true, touched.Now
	return r.pages, nil
}

// fill reads everything.
func (r *Roll) fill(ctx context.Context, _ *registry.Touched) error {
	faces, err := r.source.Faces(ctx)
	if err != nil {
		return err
	}
	if err := r.readSerials(ctx); err != nil {
		return err
	}
	next := make(pages, len(faces))
	for i := range faces {
		next[i] = r.rowOf(&faces[i])
	}
	r.pages = next
	return nil
}

// patch reads the patients and devices that were touched. It changes nothing unless it can
// read them all.
func (r *Roll) patch(ctx context.Context, touched *registry.Touched) error {
	list, err := r.source.FacesOf(ctx, touched.Patients)
	if err != nil {
		return err
	}
	renumbered, err := r.renumbered(ctx, touched.Devices)
	if err != nil {
		return err
	}
	for name, serial := range renumbered {
		r.serials[name] = serial
	}
	found := make(map[string]*registry.Face, len(list))
	for i := range list {
		found[list[i].Patient] = &list[i]
	}
	next := slices.Clone(r.pages)
	for _, patient := range touched.Patients {
		next.put(r, patient, found[patient])
	}
	if len(renumbered) > 0 {
		for i, one := range next {
			if hasOne(&one.face, renumbered) {
				next[i] = r.rowOf(&one.face)
			}
		}
	}
	r.pages = next
	return nil
}

// put sets what is known of a patient; nil takes him out.
func (p *pages) put(r *Roll, patient string, f *registry.Face) {
	i, had := p.place(patient)
	switch {
	case f != nil && had:
		(*p)[i] = r.rowOf(f)
	case f != nil:
		*p = slices.Insert(*p, i, r.rowOf(f))
	case had:
		*p = slices.Delete(*p, i, i+1)
	}
}

// hasOne reports whether a patient has, or had, one of some devices.
func hasOne(f *registry.Face, devices map[string]string) bool {
	for i := range f.Followed {
		for _, name := range f.Followed[i].Devices {
			if _, one := devices[name]; one {
				return true
			}
		}
	}
	return false
}

// rowOf is a patient as people search for him: by name, and by his devices.
func (r *Roll) rowOf(f *registry.Face) *row {
	return &row{*f, " " + Fold(f.BirthName+" "+f.FirstGiven+" "+f.Patient) + " ", " " + Fold(devices(f, r.serials)) + " "}
}

// readSerials reads the serial numbers of all devices.
func (r *Roll) readSerials(ctx context.Context) error {
	const part = 10_000
	all := map[string]string{}
	for after := ""; ; {
		devices, err := r.source.Devices(ctx, after, part)
		if err != nil {
			return err
		}
		for i := range devices {
			all[devices[i].Name] = devices[i].Serial
			after = devices[i].Name
		}
		if len(devices) < part {
			r.serials = all
			return nil
		}
	}
}

// renumbered returns the serial numbers that devices have now, where they had another.
func (r *Roll) renumbered(ctx context.Context, names []string) (map[string]string, error) {
	found := map[string]string{}
	for _, name := range names {
		device, err := r.source.Device(ctx, name)
		if err != nil && !errors.Is(err, registry.ErrNotFound) {
			return nil, err
		}
		serial := ""
		if err == nil {
			serial = device.Device.Serial
		}
		if serial != r.serials[name] {
			found[name] = serial
		}
	}
	return found, nil
}

// devices are those of a patient, with their serial numbers.
func devices(f *registry.Face, serials map[string]string) string {
	var words []string
	for i := range f.Followed {
		for _, name := range f.Followed[i].Devices {
			words = append(words, name, serials[name])
		}
	}
	return strings.Join(words, " ")
}

// Face returns a patient as lists show him; false for one that the registry does not
// hold.
func (r *Roll) Face(ctx context.Context, patient string) (registry.Face, bool, error) {
	if r == nil {
		return registry.Face{}, false, nil
	}
	now, err := r.current(ctx)
	if err != nil {
		return registry.Face{}, false, err
	}
	i, known := now.place(patient)
	if !known {
		return registry.Face{}, false, nil
	}
	return now[i].face, true, nil
}

// All gives every patient, by id. None may be changed.
func (r *Roll) All(ctx context.Context) (iter.Seq[*registry.Face], error) {
	var now pages
	var err error
	if r != nil {
		now, err = r.current(ctx)
	}
	return func(yield func(*registry.Face) bool) {
		for _, one := range now {
			if !yield(&one.face) {
				return
			}
		}
	}, err
}

// List lists up to limit patients behind an id whom may lets through, by id. more says
// that there are others.
func (r *Roll) List(ctx context.Context, after string, limit int, may func(*registry.Face) bool) (found []registry.Face, more bool, err error) {
	return r.search(ctx, after, limit, func(*row) bool { return true }, may)
}

// Find lists up to limit patients behind an id whom may lets through, by id. Each of the
// words typed begins a word of the name or the id, or is the birth date, as 1951-03-27 or
// 27/03/1951; or what is typed holds a digit and begins the name or the serial number of a
// device. more says that there are others.
func (r *Roll) Find(ctx context.Context, typed, after string, limit int, may func(*registry.Face) bool) (found []registry.Face, more bool, err error) {
	rest, born := birthDate(typed)
	words, thing := strings.Fields(Fold(rest)), " "+strings.Join(strings.Fields(Fold(typed)), " ")
	if len(words) == 0 && born == "" {
		return nil, false, nil
	}
	numbered := strings.ContainsFunc(typed, unicode.IsDigit)
	return r.search(ctx, after, limit, func(one *row) bool {
		named := (born == "" || one.face.BirthDate == born) && holds(one.text, words)
		return named || numbered && strings.Contains(one.things, thing)
	}, may)
}

func (r *Roll) search(ctx context.Context, after string, limit int, fits func(*row) bool, may func(*registry.Face) bool) (found []registry.Face, more bool, err error) {
	if r == nil {
		return nil, false, nil
	}
	now, err := r.current(ctx)
	if err != nil {
		return nil, false, err
	}
	for _, one := range now {
		if one.face.Patient <= after || !fits(one) || !may(&one.face) {
			continue
		}
		if len(found) == limit {
			return found, true, nil
		}
		found = append(found, one.face)
	}
	return found, false, nil
}

// birthDate takes a date out of what is typed; empty for none.
func birthDate(typed string) (rest, born string) {
	var others []string
	for word := range strings.FieldsSeq(typed) {
		day, err := time.Parse(time.DateOnly, word)
		if err != nil {
			day, err = time.Parse("02/01/2006", word)
		}
		if err != nil || born != "" {
			others = append(others, word)
			continue
		}
		born = day.Format(time.DateOnly)
	}
	return strings.Join(others, " "), born
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
