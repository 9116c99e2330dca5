package registry

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Difference is a field that an import would change.
type Difference struct {
	Item   string // "enrolment e-1"
	Field  string // "settings.fast-gain.value"
	Before string // empty where there is none
	After  string
	// Loosens tells that less is watched, or nothing, or by an older decision: consent,
	// pauses, beginning, end, devices and settings of an enrolment.
	Loosens bool
}

// Name is what names a difference that loosens the watch: what of the enrolment, and the
// enrolment, as in "consent:e-1", "pauses:e-1" and "settings.fast-gain:e-1".
func (d *Difference) Name() string {
	steps := strings.SplitN(d.Field, ".", 3)
	what, _, _ := strings.Cut(steps[0], "[")
	if what == "settings" && len(steps) > 1 {
		what += "." + steps[1]
	}
	return looseningName(what, strings.TrimPrefix(d.Item, "enrolment "))
}

func looseningName(what, enrolment string) string { return what + ":" + enrolment }

// Unnamed lists the names of what would loosen the watch and is not among those named.
func Unnamed(changed []Difference, named []string) (names []string) {
	for i := range changed {
		if name := changed[i].Name(); changed[i].Loosens && !slices.Contains(named, name) && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// Differences lists what an import would change of the teams, devices and enrolments
// that are known, field by field, and which records it would merge, in the order of the
// file. Of a secret it says only
// that it is another. Identities are not among them: who reads one is noted.
func Differences(ctx context.Context, known Known, reg *Registry) (all []Difference, err error) {
	for i := range reg.Teams {
		next := &reg.Teams[i]
		former, err := known.Team(ctx, next.ID)
		if all, err = differing(all, "team "+next.ID, former, next, err); err != nil {
			return nil, err
		}
	}
	for i := range reg.Devices {
		next := reg.Devices[i]
		assigned, err := known.Device(ctx, next.Name)
		var former *Device
		if err == nil {
			kept := assigned.Device
			former = &kept
			hideSecrets(former, &next)
		}
		if all, err = differing(all, "device "+next.Name, former, &next, err); err != nil {
			return nil, err
		}
	}
	for i := range reg.Enrolments {
		next := &reg.Enrolments[i]
		former, err := known.Enrolment(ctx, next.ID)
		from := len(all)
		if all, err = differing(all, "enrolment "+next.ID, former, next, err); err != nil {
			return nil, err
		}
		if former != nil {
			loosening(former, next, reg.goesOn, all[from:])
		}
	}
	return merging(ctx, all, known, reg.Merges)
}

// merging appends the merges that do not stand yet, by the record that is merged.
func merging(ctx context.Context, all []Difference, known Known, merges []Merge) ([]Difference, error) {
	if len(merges) == 0 {
		return all, nil
	}
	stand, err := known.Merges(ctx)
	if err != nil {
		return nil, fmt.Errorf("see which records are merged: %w", err)
	}
	persons := PersonsOf(stand)
	for _, m := range merges {
		if persons[m.From] != m.Into {
			all = append(all, Difference{Item: "patient " + m.From, Field: "merged", Before: persons[m.From], After: m.Into})
		}
	}
	return all, nil
}

// hideSecrets leaves of secrets only whether the device gets another one.
func hideSecrets(former, next *Device) {
	another := next.Password != "" && !CheckSecret(former.Secret, next.Password) || next.Secret != "" && next.Secret != former.Secret
	former.Password, former.Secret, next.Password, next.Secret = "", "", "", ""
	if another {
		former.Secret, next.Secret = "…", "another"
	}
}

// differing appends the fields in which two items differ. An item that is not known,
// told by err, is new.
func differing[T any](all []Difference, item string, former, next *T, err error) ([]Difference, error) {
	if errors.Is(err, ErrNotFound) {
		return all, nil
	}
	if err != nil {
		return nil, fmt.Errorf("see what is known of the %s: %w", item, err)
	}
	was, err := json.Marshal(former)
	if err != nil {
		return nil, err
	}
	is, err := json.Marshal(next)
	if err != nil || bytes.Equal(was, is) {
		return all, err
	}
	before, err := flattened(was)
	if err != nil {
		return nil, err
	}
	after, err := flattened(is)
	if err != nil {
		return nil, err
	}
	names := maps.Clone(before)
	maps.Copy(names, after)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if before[name] != after[name] {
			all = append(all, Difference{Item: item, Field: name, Before: before[name], After: after[name]})
		}
	}
	return all, nil
}

// flattened are the fields of an item in JSON, by their path, with times by the clock of its
// zone. Lists of words are one field.
func flattened(text []byte) (map[string]string, error) {
	var value any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&value); err != nil {
		return nil, err
	}
	zone := time.UTC
	if top, ok := value.(map[string]any); ok {
		if name, ok := top["time_zone"].(string); ok {
			if known, err := time.LoadLocation(name); err == nil {
				zone = known
			}
		}
	}
	fields := map[string]string{}
	flatten(fields, "", value)
	for path, text := range fields {
		if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
			if path == "prescription_end" {
				t = LastDay(t, zone)
			}
			fields[path] = strings.TrimSuffix(t.In(zone).Format("2006-01-02 15:04:05"), " 00:00:00")
		}
	}
	return fields, nil
}

func flatten(into map[string]string, path string, value any) {
	switch v := value.(type) {
	case nil:
	case map[string]any:
		for name, inner := range v {
			flatten(into, strings.TrimPrefix(path+"."+name, "."), inner)
		}
	case []any:
		var words []string
		for i, inner := range v {
			if word, ok := inner.(string); ok {
				words = append(words, word)
				continue
			}
			flatten(into, fmt.Sprintf("%s[%d]", path, i), inner)
		}
		if len(words) > 0 {
			into[path] = strings.Join(words, " ")
		}
	default:
		into[path] = fmt.Sprint(v)
	}
}

// loosening marks the fields by whose change less is watched.
// A prescription that ends where its renewal begins loosens nothing.
func loosening(former, next *Enrolment, renewed func(*Enrolment) bool, changed []Difference) {
	ends := func(e *Enrolment) time.Time { return cmp.Or(e.Ends(), time.Unix(1<<40, 0)) }
	paused := func(e *Enrolment) (sum time.Duration) {
		for _, p := range e.Pauses {
			sum += p.Until.Sub(p.From)
		}
		return sum
	}
	if former.Proposed { // nobody is watched yet
		return
	}
	fewer := slices.ContainsFunc(former.Devices, func(d string) bool { return !slices.Contains(next.Devices, d) })
	loosens := map[string]bool{
		"consent":          former.Consent.Given && (!next.Consent.Given || !next.Consent.Withdrawn.IsZero() && former.Consent.Withdrawn.IsZero()),
		"prescription_end": ends(next).Before(ends(former)) && !renewed(next),
		"pauses":           paused(next) > paused(former),
		"devices":          fewer,
		"from":             next.From.After(former.From),
		"proposed":         next.Proposed,
	}
	for name, setting := range former.Settings {
		next, set := next.Settings[name]
		loosens["settings."+name] = !set || next.Value != setting.Value && next.Date.Before(setting.Date)
	}
	for i := range changed {
		what, _, _ := strings.Cut(changed[i].Name(), ":")
		changed[i].Loosens = loosens[what]
	}
}

// Holding asks a store for all that a document names, and remembers it: every later
// question about an item of it is answered without the store.
func (r *remembering) Holding(ctx context.Context, reg *Registry) (*Holding, error) {
	holder, can := r.Known.(Holder)
	if !can {
		return &Holding{}, nil
	}
	holding, err := holder.Holding(ctx, reg)
	if err != nil {
		return nil, err
	}
	for i := range reg.Devices {
		r.devices[reg.Devices[i].Name] = holding.Devices[reg.Devices[i].Name]
	}
	for i := range reg.Enrolments {
		e := &reg.Enrolments[i]
		r.enrolments[e.ID] = holding.Enrolments[e.ID]
		for _, name := range e.Devices {
			r.devices[name] = holding.Devices[name]
		}
	}
	return holding, nil
}

// Remembering answers a second question about the same item without asking again: an
// import of thousands first checks them, then says what it changes.
func Remembering(known Known) Known {
	return &remembering{Known: known, teams: map[string]*Team{}, devices: map[string]*Assignment{}, enrolments: map[string]*Enrolment{}}
}

type remembering struct {
	Known
	teams      map[string]*Team
	devices    map[string]*Assignment
	enrolments map[string]*Enrolment
}

func (r *remembering) Team(ctx context.Context, id string) (*Team, error) {
	return remembered(ctx, r.teams, id, r.Known.Team)
}

func (r *remembering) Device(ctx context.Context, name string) (*Assignment, error) {
	return remembered(ctx, r.devices, name, r.Known.Device)
}

func (r *remembering) Enrolment(ctx context.Context, id string) (*Enrolment, error) {
	return remembered(ctx, r.enrolments, id, r.Known.Enrolment)
}

// remembered asks once; nil stands for what is not there.
func remembered[T any](ctx context.Context, of map[string]*T, key string, ask func(context.Context, string) (*T, error)) (*T, error) {
	if item, ok := of[key]; ok {
		if item == nil {
			return nil, ErrNotFound
		}
		return item, nil
	}
	item, err := ask(ctx, key)
	if err == nil || errors.Is(err, ErrNotFound) {
		of[key] = item
	}
	if err != nil {
		return nil, err
	}
	return item, nil
}
