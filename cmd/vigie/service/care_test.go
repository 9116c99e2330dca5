package service

import (
	"context"
	"reflect"
	"slices"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/ingest/registry"
)

func TestATeamKeepsTheHolidaysOfWhereItIs(t *testing.T) {
	goodFriday := time.Date(2027, 3, 26, 9, 0, 0, 0, time.UTC)
	labourDay := time.Date(2028, 5, 1, 9, 0, 0, 0, time.UTC) // a Monday
	for name, c := range map[string]struct {
		change             func(*registry.Team)
		goodFriday, labour bool
	}{
		"in Paris":                   {func(*registry.Team) {}, true, false},
		"in Strasbourg":              {func(t *registry.Team) { t.AlsaceMoselle = true }, false, false},
		"in Paris, open on holidays": {func(t *registry.Team) { t.OnHolidays = true }, true, true},
	} {
		t.Run(name, func(t *testing.T) {
			team := registry.Team{ID: "a", Zone: "Europe/Paris", Opens: "08:30", Closes: "18:00", Days: []string{"monday", "friday"}}
			c.change(&team)
			calendar, err := calendarOf(&team)
			if err != nil {
				t.Fatal(err)
			}
			if open := calendar.Open(goodFriday); open != c.goodFriday {
				t.Errorf("open on Good Friday: %v", open)
			}
			if open := calendar.Open(labourDay); open != c.labour {
				t.Errorf("open on 1 May: %v", open)
			}
		})
	}
}

// TestEveryFieldOfATeamReachesItsAlerts walks the fields of both types of team: a
// channel whose address is not passed on would never ring.
func TestEveryFieldOfATeamReachesItsAlerts(t *testing.T) {
	full := func() registry.Team {
		return registry.Team{
			ID: "a", Name: "Cardiology", Zone: "Europe/Paris", Opens: "08:30", Closes: "18:00", Days: []string{"monday"},
			Contacts: registry.Contacts{"mail": {"ward@example.org"}}, Mail: []string{"team@example.org"}, Escalate: registry.Of("chief@example.org"), Webhook: "https://example.org/a", AlsaceMoselle: true, OnHolidays: true,
			Further: []registry.Hours{{Days: []string{"saturday"}, Opens: "20:00", Closes: "08:00"}}, EscalateThen: []registry.Contacts{registry.Of("head@example.org")},
			OutOfHours: map[string]string{"red": "on-call"}, Rota: &registry.Rota{
				People: []registry.Person{{ID: "p1", Name: "P. One", Mail: []string{"p1@example.org"}}},
				Shifts: []registry.Shift{{From: "18:00", Until: "08:30", People: []string{"p1"}, Start: "2026-11-23"}},
			},
		}
	}
	other := map[string]any{ // another value, where none can be made of the kind of the field
		"Zone": "America/Cayenne", "Opens": "09:00", "Closes": "17:00", "Days": []string{"friday"},
	}
	team := full()
	made, err := teamOf(&team)
	if err != nil {
		t.Fatal(err)
	}
	for i := range reflect.TypeFor[alerts.Team]().NumField() {
		if reflect.ValueOf(made).Field(i).IsZero() {
			t.Errorf("a full team of the registry leaves %s of a team that is told empty", reflect.TypeFor[alerts.Team]().Field(i).Name)
		}
	}
	for i := range reflect.TypeFor[registry.Team]().NumField() {
		name := reflect.TypeFor[registry.Team]().Field(i).Name
		if name == "GlucoseUnit" {
			continue // pages alone write in it
		}
		team := full()
		field := reflect.ValueOf(&team).Elem().Field(i)
		if field.IsZero() {
			t.Errorf("%s is empty here: give it a value, and see that it reaches the alerts", name)
		}
		if value, ok := other[name]; ok {
			field.Set(reflect.ValueOf(value))
		} else {
			field.SetZero()
		}
		changed, err := teamOf(&team)
		if err != nil {
			t.Fatal(err)
		}
		if reflect.DeepEqual(made, changed) {
			t.Errorf("another %s leaves the team that is told as it was", name)
		}
	}
}

// slowRegistry is one whose look-up of an enrolment waits.
type slowRegistry struct {
	asked, answer chan struct{}
}

func (r *slowRegistry) Enrolment(ctx context.Context, id string) (*registry.Enrolment, error) {
	if id == "slow" {
		close(r.asked)
		<-r.answer
	}
	return &registry.Enrolment{ID: id, Team: "a"}, nil
}

func (*slowRegistry) Team(context.Context, string) (*registry.Team, error) {
	return &registry.Team{ID: "a", Zone: "Europe/Paris", Opens: "08:30", Closes: "18:00"}, nil
}

func (*slowRegistry) Merges(context.Context) ([]registry.Merge, error) { return nil, nil }

func (*slowRegistry) RegistryVersion(context.Context) (int64, error) { return 1, nil }

// A database that answers one question late holds up that commit, and no other.
func TestCareIsFoundWhileAnotherIsBeingRead(t *testing.T) {
	slow := &slowRegistry{asked: make(chan struct{}), answer: make(chan struct{})}
	shelf, err := NewShelf()
	if err != nil {
		t.Fatal(err)
	}
	c := &care{registry: slow, shelf: shelf}
	done := make(chan error)
	go func() {
		_, err := c.Care("slow")
		done <- err
	}()
	<-slow.asked
	found := make(chan alerts.Care)
	go func() {
		care, err := c.Care("quick")
		if err != nil {
			t.Error(err)
		}
		found <- care
	}()
	select {
	case care := <-found:
		if care.Team.ID != "a" {
			t.Errorf("got %+v", care)
		}
	case <-time.After(20 * time.Second):
		t.Error("it waits for the answer to another's question")
	}
	close(slow.answer)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// readRegistry is one of which a transaction has read the version and enrolments.
type readRegistry struct {
	slowRegistry
	asked []string
}

func (r *readRegistry) Enrolment(_ context.Context, id string) (*registry.Enrolment, error) {
	r.asked = append(r.asked, id)
	return &registry.Enrolment{ID: id, Team: "a"}, nil
}

func (r *readRegistry) RegistryVersion(context.Context) (int64, error) {
	r.asked = append(r.asked, "version")
	return 1, nil
}

// What the transaction at hand has read is not asked for again, and the care is the same.
func TestCareIsThatOfWhatWasRead(t *testing.T) {
	shelf, err := NewShelf()
	if err != nil {
		t.Fatal(err)
	}
	r := &readRegistry{}
	c := &care{registry: r, shelf: shelf}
	if lacking := c.Lacks(1, []string{"e1", "", "e2", "e1"}); !slices.Equal(lacking, []string{"e1", "e2"}) {
		t.Errorf("it lacks %v of two enrolments that nobody read", lacking)
	}
	read := c.AsOf(1, map[string]*registry.Enrolment{"e1": {ID: "e1", Team: "a"}})
	got, err := read.Care("e1")
	if err != nil || len(r.asked) > 0 {
		t.Errorf("%v; asked for %v, want nothing", err, r.asked)
	}
	want, err := (&care{registry: r, shelf: shelf}).Care("e1")
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("the care by what was read\n%+v\nand by itself (%v)\n%+v", got, err, want)
	}
	r.asked = nil
	if _, err := read.Care("e2"); err != nil || !slices.Equal(r.asked, []string{"e2"}) {
		t.Errorf("%v; of an enrolment that was not read it asked for %v", err, r.asked)
	}
	if lacking := c.Lacks(1, []string{"e1", "e2"}); len(lacking) > 0 {
		t.Errorf("it lacks %v of what it knows", lacking)
	}
	if lacking := c.Lacks(2, []string{"e1"}); len(lacking) != 1 {
		t.Error("after a change of the registry it still knows the enrolment")
	}
}
