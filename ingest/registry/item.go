package registry

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"

	"vigie/protocols/document"
)

// Item names one thing that the registry holds, as in "enrolment e-1".
type Item struct{ Kind, ID string }

// String is the kind and the id.
func (i Item) String() string { return i.Kind + " " + i.ID }

// The kinds of items.
const (
	KindTeam      = "team"
	KindPatient   = "patient"
	KindDevice    = "device"
	KindEnrolment = "enrolment"
)

// kind is one kind of item: its list in a document, and the key that holds its id.
type kind struct {
	list, key string
	find      func(ctx context.Context, known Known, id string, by Access) (any, error)
	read      func(body []byte) (any, error) // as a store keeps it; nil for a patient, who is kept in two
	only      func(reg *Registry, id string) any
	alone     func(item any) Registry
}

// kinds is the one table of kinds of items.
var kinds = map[string]kind{
	KindTeam: {"teams", "id",
		func(ctx context.Context, known Known, id string, _ Access) (any, error) {
			return orNothing(known.Team(ctx, id))
		},
		as[Team],
		func(reg *Registry, id string) any {
			return itemOf(reg.Teams, id, func(t *Team) string { return t.ID })
		},
		func(item any) Registry { return Registry{Teams: []Team{*item.(*Team)}} }},
	KindPatient: {"patients", "id", findPatient, nil,
		func(reg *Registry, id string) any {
			return itemOf(reg.Patients, id, func(p *Patient) string { return p.ID })
		},
		func(item any) Registry { return Registry{Patients: []Patient{*item.(*Patient)}} }},
	KindDevice: {"devices", "name", findDevice, as[Device],
		func(reg *Registry, id string) any {
			return itemOf(reg.Devices, id, func(d *Device) string { return d.Name })
		},
		func(item any) Registry { return Registry{Devices: []Device{*item.(*Device)}} }},
	KindEnrolment: {"enrolments", "id",
		func(ctx context.Context, known Known, id string, _ Access) (any, error) {
			return orNothing(known.Enrolment(ctx, id))
		},
		as[Enrolment],
		func(reg *Registry, id string) any {
			return itemOf(reg.Enrolments, id, func(e *Enrolment) string { return e.ID })
		},
		func(item any) Registry { return Registry{Enrolments: []Enrolment{*item.(*Enrolment)}} }},
}

// orNothing keeps a nil pointer from becoming an item.
func orNothing[T any](item *T, err error) (any, error) {
	if err != nil {
		return nil, err
	}
	return item, nil
}

func as[T any](body []byte) (any, error) {
	item := new(T)
	return item, json.Unmarshal(body, item)
}

func itemOf[T any](list []T, id string, of func(*T) string) any {
	for i := range list {
		if of(&list[i]) == id {
			return &list[i]
		}
	}
	return nil
}

// Identities reads who a patient is. The reading is logged.
type Identities interface {
	Identity(ctx context.Context, patient string, access Access) (*Identity, error)
}

func findPatient(ctx context.Context, known Known, id string, by Access) (any, error) {
	reader, can := known.(Identities)
	if !can {
		return nil, errors.New("identities cannot be read here")
	}
	if has, err := known.HasPatient(ctx, id); err != nil || !has {
		return nil, errors.Join(err, fmt.Errorf("the patient %s is %w", id, ErrNotFound))
	}
	identity, err := reader.Identity(ctx, id, by)
	if err != nil {
		return nil, err
	}
	return &Patient{id, *identity}, nil
}

func findDevice(ctx context.Context, known Known, id string, _ Access) (any, error) {
	assignment, err := known.Device(ctx, id)
	if err != nil {
		return nil, err
	}
	return &assignment.Device, nil
}

// Find returns a *Team, *Patient, *Device or *Enrolment; ErrNotFound for what is not
// there. An identity is read, and that is logged, under by.
func Find(ctx context.Context, known Known, item Item, by Access) (any, error) {
	k, ok := kinds[item.Kind]
	if !ok {
		return nil, fmt.Errorf("the registry holds nothing of kind %q", item.Kind)
	}
	return k.find(ctx, known, item.ID, by)
}

// Tag tells one version of an item from another. What Find returns is one.
func Tag(item any) string {
	text, err := json.Marshal(item)
	if err != nil {
		panic("registry: an item that cannot be written as JSON: " + err.Error())
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// JSON is an item as a file holds it, with days where the patient lives: what was read
// may be sent again. Of a device it holds no secret.
func JSON(item any) (json.RawMessage, error) {
	name, reg := "", Registry{}
	switch one := item.(type) {
	case *Team:
		name, reg = KindTeam, kinds[KindTeam].alone(one)
	case *Patient:
		name, reg = KindPatient, kinds[KindPatient].alone(one)
	case *Device:
		open := *one
		open.Secret, open.Password = "", ""
		name, reg = KindDevice, kinds[KindDevice].alone(&open)
	case *Enrolment:
		name, reg = KindEnrolment, kinds[KindEnrolment].alone(one)
	}
	var text bytes.Buffer
	if err := Write(&text, &reg); err != nil {
		return nil, err
	}
	whole, err := yaml.YAMLToJSON(text.Bytes())
	if err != nil {
		return nil, fmt.Errorf("write the %s as JSON: %w", name, err)
	}
	var file map[string][]json.RawMessage
	if err := json.Unmarshal(whole, &file); err != nil || len(file[kinds[name].list]) != 1 {
		return nil, fmt.Errorf("write the %s as JSON: %w", name, err)
	}
	return bytes.TrimSpace(file[kinds[name].list][0]), nil
}

// Object is an item as JSON, read.
func Object(item any) (map[string]any, error) {
	text, err := JSON(item)
	if err != nil {
		return nil, err
	}
	var target map[string]any
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	return target, decoder.Decode(&target)
}

// document is an item as a document for Check. The id is that of the item.
func (i Item) document(object map[string]any) (*document.Node, error) {
	k := kinds[i.Kind]
	object[k.key] = i.ID
	text, err := json.Marshal(map[string]any{k.list: []any{object}})
	if err != nil {
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
