package workspace

import (
	"context"
	"slices"

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

// find lists patients whose name or id holds the words, as far as who asks may see them.
func (d records) find(ctx context.Context, typed string, limit int) ([]registry.Face, bool, error) {
	if !access.From(ctx).May(access.SeeIdentity) {
		return nil, false, errNotAllowed
	}
	found, more, err := d.roll.Find(ctx, typed, limit, func(f *registry.Face) bool { return d.knows(ctx, f) })
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
