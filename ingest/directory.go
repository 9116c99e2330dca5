package ingest

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"vigie/ingest/registry"
	"vigie/protocols"
)

// directory remembers what the registry says of devices and enrolments, and the
// evaluation of each enrolment. It belongs to the goroutine that commits.
//
// After a change of the registry everything is asked for again when it is next
// needed; an evaluation goes on when its enrolment has stayed the same.
type directory struct {
	config     Config
	version    int64 // of the registry
	expects    bool  // the transaction finds out by itself whether that is still so
	generation int64 // of the work at hand

	devices    map[string]*device
	enrolments map[string]*enrolment
	zones      map[string]*time.Location
	loaded     *list.List // enrolments whose evaluation is in memory, the least used at the back
}

// device is one device and what it feeds.
type device struct {
	name       string
	version    int64 // of the registry, when this was read
	registered bool
	kind       string
	takes      *protocols.Kind // what that kind measures; nil when it is not known
	brand      string
	model      string
	gateway    string // that may publish for it; empty for none
	enrolments []*enrolment
	since      []time.Time // of each of them, the device is this patient's; zero for always

	status      DeviceStatus // as last kept
	statusKnown bool         // status was read
}

// enrolment is one enrolment under evaluation.
type enrolment struct {
	registry.Enrolment
	version int64 // of the registry, when this was read
	zone    *time.Location
	plan    Plan
	fault   error // why it cannot be evaluated; nil when it can
	fed     bool  // by a device in the directory

	evaluator protocols.Evaluator // nil when it is not in memory
	loaded    bool                // it was brought to where it had been
	kept      int64               // version of the state as kept
	place     *list.Element

	// Readings are missing from the history by which it was brought there, because they
	// are damaged.
	incomplete bool

	held held // episodes of an import that goes on; loaded with the state

	// Of the work at hand.
	generation int64
	earliest   time.Time
	fresh      []*protocols.Reading
	past       []*protocols.Reading // measured under an earlier enrolment, and told only now
	heldMoved  bool                 // what is held, or was told, is no longer what was kept
}

func newDirectory(config Config) *directory {
	return &directory{
		config: config, version: -1,
		devices: map[string]*device{}, enrolments: map[string]*enrolment{}, zones: map[string]*time.Location{},
		loaded: list.New(),
	}
}

// begin starts a piece of work: it finds out whether the registry has changed,
// and makes room.
func (d *directory) begin(ctx context.Context) error {
	version, err := d.config.Store.RegistryVersion(ctx)
	if err != nil {
		return fmt.Errorf("read the version of the registry: %w", err)
	}
	d.version = version
	d.next()
	return nil
}

// next starts a piece of work by the registry as it was.
func (d *directory) next() {
	d.generation++
	for d.loaded.Len() > d.config.Limits.States {
		d.forget(d.loaded.Back().Value.(*enrolment))
	}
	if most := 4 * d.config.Limits.States; len(d.devices) > most || len(d.enrolments) > most {
		d.tidy()
	}
}

// tidy forgets what the registry said of everybody whose evaluation is not in
// memory.
func (d *directory) tidy() {
	d.devices = map[string]*device{}
	d.enrolments = map[string]*enrolment{}
	for place := d.loaded.Front(); place != nil; place = place.Next() {
		e := place.Value.(*enrolment)
		e.fed = false
		d.enrolments[e.ID] = e
	}
}

// device returns what the registry says of a device.
func (d *directory) device(ctx context.Context, name string) (*device, error) {
	known := d.devices[name]
	if known != nil && known.version == d.version {
		return known, nil
	}
	if known == nil {
		known = &device{name: name}
	}
	assignment, err := d.config.Store.Device(ctx, name)
	if errors.Is(err, registry.ErrNotFound) {
		assignment = nil
	} else if err != nil {
		return nil, fmt.Errorf("look up the device %s: %w", name, err)
	}
	known.version, known.registered, known.enrolments, known.since = d.version, assignment != nil, nil, nil
	d.devices[name] = known
	if assignment == nil {
		return known, nil
	}
	known.since = assignment.Since
	known.kind, known.brand, known.model = assignment.Device.Kind, assignment.Device.Brand, assignment.Device.Model
	known.gateway = assignment.Device.Gateway
	known.takes = protocols.KindByID(known.kind)
	for i := range assignment.Enrolments {
		e := d.enrol(&assignment.Enrolments[i])
		if e.version != d.version {
			known.version = -1 // to be asked for again
		}
		e.fed = true
		known.enrolments = append(known.enrolments, e)
	}
	return known, nil
}

// followed reports whether what a device measured at a time, before an enrolment
// began, is of its past: the consent names it, or an earlier enrolment of the same
// patient under the same protocol covers that time, and the consent of then does.
func (d *device) followed(e *enrolment, at time.Time) bool {
	return e.Remembers(at) || d != nil && slices.ContainsFunc(d.enrolments, func(former *enrolment) bool {
		return e.Continues(&former.Enrolment, at)
	})
}

// holder is the enrolment of whoever has the device at a time, or else the first
// that it feeds; nil when it feeds nobody.
func (d *device) holder(at time.Time) *enrolment {
	for i, e := range d.enrolments {
		if e.Covers(at) && !at.Before(d.since[i]) {
			return e
		}
	}
	if len(d.enrolments) > 0 {
		return d.enrolments[0]
	}
	return nil
}

// holderID is the enrolment of whoever has the device at a time; empty for nobody.
func (d *device) holderID(at time.Time) string {
	if e := d.holder(at); e != nil {
		return e.ID
	}
	return ""
}

// enrolment returns one enrolment; registry.ErrNotFound when there is none.
func (d *directory) enrolment(ctx context.Context, id string) (*enrolment, error) {
	if known := d.enrolments[id]; known != nil && known.version == d.version {
		return known, nil
	}
	found, err := d.config.Store.Enrolment(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("look up the enrolment %s: %w", id, err)
	}
	return d.enrol(found), nil
}

// enrol returns the one value that stands for an enrolment.
func (d *directory) enrol(e *registry.Enrolment) *enrolment {
	known := d.enrolments[e.ID]
	switch {
	case known == nil:
	case reflect.DeepEqual(&known.Enrolment, e):
		known.version = d.version
		return known
	case known.generation == d.generation:
		// It is in the work at hand, and stays as it is to the end of it: two
		// evaluations of one enrolment would undo each other.
		return known
	default:
		d.forget(known)
	}
	fresh := &enrolment{Enrolment: *e, version: d.version}
	fresh.zone, fresh.fault = d.zone(e.Zone)
	if fresh.fault == nil {
		fresh.plan, fresh.fault = d.config.Plans(e.Protocol, e.Version)
	}
	if fresh.fault != nil {
		d.config.Logger.Error("an enrolment cannot be evaluated", "enrolment", e.ID, "protocol", e.Protocol, "version", e.Version, "error", fresh.fault)
	}
	d.enrolments[e.ID] = fresh
	return fresh
}

func (d *directory) zone(name string) (*time.Location, error) {
	if zone := d.zones[name]; zone != nil {
		return zone, nil
	}
	zone, err := time.LoadLocation(name)
	if err == nil {
		d.zones[name] = zone
	}
	return zone, err
}

// evaluator returns the evaluation of an enrolment, which may have to be loaded.
// One that cannot be made is a fault of the enrolment from then on.
func (d *directory) evaluator(e *enrolment) (protocols.Evaluator, error) {
	if e.evaluator != nil {
		return e.evaluator, nil
	}
	evaluator, err := e.trial()
	if err != nil {
		e.fault = fmt.Errorf("follow the enrolment %s: %w", e.ID, err)
		d.config.Logger.Error("an enrolment cannot be evaluated", "enrolment", e.ID, "error", err)
		return nil, e.fault
	}
	e.evaluator = evaluator
	return evaluator, nil
}

// trial is an evaluation beside the one in memory, not loaded yet.
func (e *enrolment) trial() (protocols.Evaluator, error) {
	return e.plan.For(protocols.Enrolment{
		ID: e.ID, Patient: e.Patient, Zone: e.zone, Settings: e.Settings,
		From: e.Begins(), Until: e.Ends(), Pauses: e.Pauses,
	})
}

// touch notes that an evaluation is in memory and was just used.
func (d *directory) touch(e *enrolment) {
	if e.place == nil {
		e.place = d.loaded.PushFront(e)
		return
	}
	d.loaded.MoveToFront(e.place)
}

// pass leaves an enrolment behind that a sweep has looked at: those who send
// readings are to stay in memory, not those who do not.
func (d *directory) pass(e *enrolment) {
	if e.place != nil {
		return
	}
	d.forget(e)
	if !e.fed {
		delete(d.enrolments, e.ID)
	}
}

// forget drops the evaluation of an enrolment: the kept state is the truth.
func (d *directory) forget(e *enrolment) {
	e.evaluator, e.loaded, e.held = nil, false, held{}
	if e.place != nil {
		d.loaded.Remove(e.place)
		e.place = nil
	}
}
