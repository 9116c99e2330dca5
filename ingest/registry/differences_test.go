package registry

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/protocols"
)

// counted counts what a store is asked.
type counted struct {
	Known
	kept  Registry
	asked int
}

func (c *counted) Enrolment(ctx context.Context, id string) (*Enrolment, error) {
	c.asked++
	return c.Known.Enrolment(ctx, id)
}

func (c *counted) Device(ctx context.Context, name string) (*Assignment, error) {
	c.asked++
	return c.Known.Device(ctx, name)
}

func TestWhatLoosensTheWatchIsMarked(t *testing.T) {
	reg, _ := check(t, ward, nil)
	day := 24 * time.Hour
	for name, c := range map[string]struct {
		change func(*Enrolment)
		field  string
		want   bool
	}{
		"consent withdrawn":    {func(e *Enrolment) { e.Consent.Withdrawn = e.From.Add(30 * day) }, "consent.withdrawn", true},
		"consent refused":      {func(e *Enrolment) { e.Consent.Given = false }, "consent.given", true},
		"a longer pause":       {func(e *Enrolment) { e.Pauses[0].Until = e.Pauses[0].Until.Add(day) }, "pauses[0].until", true},
		"a shorter pause":      {func(e *Enrolment) { e.Pauses[0].Until = e.Pauses[0].Until.Add(-day) }, "pauses[0].until", false},
		"a device less":        {func(e *Enrolment) { e.Devices = nil }, "devices", true},
		"a device more":        {func(e *Enrolment) { e.Devices = append(e.Devices, "scale-9") }, "devices", false},
		"it ends sooner":       {func(e *Enrolment) { e.Prescription = e.Prescription.Add(-day) }, "prescription_end", true},
		"it ends later":        {func(e *Enrolment) { e.Prescription = e.Prescription.Add(day) }, "prescription_end", false},
		"it begins later":      {func(e *Enrolment) { e.From = e.From.Add(day) }, "from", true},
		"a setting taken away": {func(e *Enrolment) { e.Settings = nil }, "settings.fast-gain.value", true},
		"an older setting": {func(e *Enrolment) {
			set := e.Settings["fast-gain"]
			set.Value, set.Date = 3000, set.Date.Add(-day)
			e.Settings = protocols.Settings{"fast-gain": set}
		}, "settings.fast-gain.value", true},
		"a newer setting": {func(e *Enrolment) {
			set := e.Settings["fast-gain"]
			set.Value, set.Date = 3000, set.Date.Add(day)
			e.Settings = protocols.Settings{"fast-gain": set}
		}, "settings.fast-gain.value", false},
		"another physician":    {func(e *Enrolment) { e.Physician = "10001234599" }, "physician", false},
		"nothing, told by all": {func(*Enrolment) {}, "", false},
	} {
		next := reg.Enrolments[0]
		next.Pauses = append([]protocols.Pause(nil), next.Pauses...)
		next.Devices = append([]string(nil), next.Devices...)
		c.change(&next)
		found, err := differing(nil, "enrolment e-1", &reg.Enrolments[0], &next, nil)
		if err != nil {
			t.Fatal(err)
		}
		loosening(&reg.Enrolments[0], &next, reg.goesOn, found)
		if c.field == "" {
			if len(found) > 0 {
				t.Errorf("%s: %+v", name, found)
			}
			continue
		}
		at := slices.IndexFunc(found, func(d Difference) bool { return d.Field == c.field })
		if at < 0 || found[at].Loosens != c.want {
			t.Errorf("%s: %+v, want %s, loosens %v", name, found, c.field, c.want)
		}
		what, _, _ := strings.Cut(strings.TrimSuffix(c.field, ".value"), "[")
		what = strings.TrimSuffix(strings.TrimSuffix(what, ".given"), ".withdrawn")
		want := []string{what + ":e-1"}
		if !c.want {
			want = nil
		}
		if got := Unnamed(found, nil); !slices.Equal(got, want) {
			t.Errorf("%s: named %q, want %q", name, got, want)
		}
		if left := Unnamed(found, want); len(left) > 0 {
			t.Errorf("%s: %q is left to be named", name, left)
		}
	}
}

// Holding is Holder.Holding.
func (c *counted) Holding(context.Context, *Registry) (*Holding, error) {
	holding := Holding{Devices: map[string]*Assignment{}, Enrolments: map[string]*Enrolment{}}
	for i := range c.kept.Enrolments {
		holding.Enrolments[c.kept.Enrolments[i].ID] = &c.kept.Enrolments[i]
	}
	for i := range c.kept.Devices {
		holding.Devices[c.kept.Devices[i].Name] = &Assignment{Device: c.kept.Devices[i]}
	}
	return &holding, nil
}

// TestAnUnchangedImportAsksForAllAtOnce checks the ward against itself: no item is asked
// for by itself.
func TestAnUnchangedImportAsksForAllAtOnce(t *testing.T) {
	kept, _ := check(t, ward, nil)
	store := &counted{Known: nothing{}, kept: kept}
	known := Remembering(store)
	reg, problems := check(t, ward, known)
	changed, err := Differences(t.Context(), known, &reg)
	if err != nil || len(problems)+len(changed) > 0 || store.asked > 0 {
		t.Errorf("%v: %+v %+v, %d items were asked for one by one", err, problems, changed, store.asked)
	}
}

func TestAnItemIsAskedForOnce(t *testing.T) {
	store := &counted{Known: nothing{}}
	known := Remembering(store)
	for range 3 {
		if _, err := known.Enrolment(t.Context(), "e-1"); err != ErrNotFound {
			t.Fatal(err)
		}
	}
	if store.asked != 1 {
		t.Errorf("asked %d times", store.asked)
	}
}
