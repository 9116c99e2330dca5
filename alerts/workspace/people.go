package workspace

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"vigie/alerts/access"
	"vigie/ingest/registry"
)

// face is a patient by name; false for who may not see names, and for a patient of
// another team.
func (d records) face(ctx context.Context, patient string) (registry.Face, bool, error) {
	if !access.From(ctx).May(access.SeeIdentity) {
		return registry.Face{}, false, nil
	}
	face, known, err := d.roll.Face(ctx, patient)
	if err != nil || !known || !d.knows(ctx, &face) {
		return registry.Face{}, false, err
	}
	return face, true, nil
}

// find lists patients by name, id, birth date, device or matricule, as far as who asks may
// see them, from behind an id on.
func (d records) find(ctx context.Context, typed, after string, limit int) (found []registry.Face, more bool, err error) {
	if !access.From(ctx).May(access.SeeIdentity) {
		return nil, false, errNotAllowed
	}
	may := func(f *registry.Face) bool { return d.knows(ctx, f) }
	if ins := strings.ToUpper(strings.Join(strings.Fields(typed), "")); matricule.MatchString(ins) && d.withINS != nil {
		found, err = d.owners(ctx, ins, may)
	} else {
		found, more, err = d.roll.Find(ctx, typed, after, limit, may)
	}
	for i := range found {
		saw(ctx, found[i].Patient)
	}
	return found, more, err
}

// matricule is an INS as people type it, with its key.
var matricule = regexp.MustCompile(`^[0-9]{5}[0-9AB]{2}[0-9]{8}$`)

// owners are the patients with a matricule.
func (d records) owners(ctx context.Context, ins string, may func(*registry.Face) bool) (found []registry.Face, err error) {
	ids, err := d.withINS(ctx, ins)
	for _, id := range ids {
		face, known, err := d.roll.Face(ctx, id)
		if err != nil {
			return nil, err
		}
		if known && may(&face) {
			found = append(found, face)
		}
	}
	return found, err
}

// everybody lists the patients whom who asks may see, by id, from behind one on.
func (d records) everybody(ctx context.Context, after string, limit int) ([]registry.Face, bool, error) {
	found, more, err := d.roll.List(ctx, after, limit, func(f *registry.Face) bool { return d.knows(ctx, f) })
	for i := range found {
		saw(ctx, found[i].Patient)
	}
	return found, more, err
}

// knows reports whether who asks may see the name of a patient.
func (d records) knows(ctx context.Context, f *registry.Face) bool {
	var teams []string
	for i := range f.Followed {
		if !slices.Contains(teams, f.Followed[i].Team) {
			teams = append(teams, f.Followed[i].Team)
		}
	}
	return access.From(ctx).MayFor(access.SeeIdentity, f.Patient, teams, d.now())
}
