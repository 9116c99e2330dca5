package service

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"vigie/alerts"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// careRegistry is what the care around a patient is read from.
type careRegistry interface {
	Enrolment(ctx context.Context, id string) (*registry.Enrolment, error)
	Team(ctx context.Context, id string) (*registry.Team, error)
	Merges(ctx context.Context) ([]registry.Merge, error)
	RegistryVersion(ctx context.Context) (int64, error)
}

// care finds the team and the answer delays of an enrolment: an
// alerts.Directory. What it has read is kept until the registry changes.
type care struct {
	registry careRegistry
	shelf    *Shelf
	admin    []string // of the service
	persons  persons

	mu      sync.Mutex // guards the maps; never held over a read of the store
	version int64
	known   map[string]alerts.Care // by enrolment
	teams   map[string]alerts.Team
}

// careKept bounds how many enrolments are remembered.
const careKept = 100_000

// Care returns whose an enrolment is and how soon an answer is expected. The
// empty enrolment has no team: its alerts are shown to all.
func (c *care) Care(enrolment string) (alerts.Care, error) {
	if enrolment == "" {
		return alerts.Care{}, nil
	}
	ctx := context.Background() // a point look-up inside a commit: it is not to be left half done
	version, err := c.registry.RegistryVersion(ctx)
	if err != nil {
		return alerts.Care{}, err
	}
	return c.care(ctx, version, enrolment)
}

func (c *care) care(ctx context.Context, version int64, enrolment string) (alerts.Care, error) {
	if found, ok := c.recall(version, enrolment); ok {
		return found, nil
	}
	found, err := c.read(ctx, version, enrolment)
	if err != nil {
		return alerts.Care{}, err
	}
	c.ifStill(version, func() { c.known[enrolment] = found })
	return found, nil
}

// Team returns a care team by its id; the zero one when nobody knows it.
func (c *care) Team(id string) (alerts.Team, error) {
	ctx := context.Background() // as Care
	version, err := c.registry.RegistryVersion(ctx)
	if err != nil {
		return alerts.Team{}, err
	}
	c.recall(version, "")
	return c.team(ctx, version, id)
}

// AsOf is the same directory for whoever has read the version of the registry, and
// enrolments that Lacks names, in the transaction at hand: it does not ask for them again.
func (c *care) AsOf(version int64, read map[string]*registry.Enrolment) alerts.Directory {
	return careAsOf{c, version, read}
}

// Lacks are those of some enrolments that would have to be read.
func (c *care) Lacks(version int64, enrolments []string) (lacking []string) {
	for _, id := range enrolments {
		if _, known := c.recall(version, id); !known && id != "" && !slices.Contains(lacking, id) {
			lacking = append(lacking, id)
		}
	}
	return lacking
}

type careAsOf struct {
	*care
	version int64
	read    map[string]*registry.Enrolment
}

// Care is care.Care.
func (c careAsOf) Care(enrolment string) (alerts.Care, error) {
	if enrolment == "" {
		return alerts.Care{}, nil
	}
	ctx := context.Background() // as care.Care
	read := c.read[enrolment]
	if read == nil {
		return c.care.care(ctx, c.version, enrolment)
	}
	if found, ok := c.recall(c.version, enrolment); ok {
		return found, nil
	}
	found, err := c.around(ctx, c.version, read)
	if err == nil {
		c.ifStill(c.version, func() { c.known[enrolment] = found })
	}
	return found, err
}

// Team is care.Team.
func (c careAsOf) Team(id string) (alerts.Team, error) {
	c.recall(c.version, "")
	return c.team(context.Background(), c.version, id)
}

// recall returns what is known of an enrolment, and forgets everything when the
// registry has another version than the one it was read from.
func (c *care) recall(version int64, enrolment string) (found alerts.Care, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.known == nil || version != c.version || len(c.known) >= careKept {
		c.known, c.teams, c.version = map[string]alerts.Care{}, map[string]alerts.Team{}, version
	}
	found, ok = c.known[enrolment]
	return found, ok
}

// ifStill calls do with the lock held, unless another version of the registry has been met
// meanwhile.
func (c *care) ifStill(version int64, do func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if version == c.version {
		do()
	}
}

func (c *care) read(ctx context.Context, version int64, id string) (alerts.Care, error) {
	enrolment, err := c.registry.Enrolment(ctx, id)
	if errors.Is(err, registry.ErrNotFound) {
		return alerts.Care{}, nil
	}
	if err != nil {
		return alerts.Care{}, err
	}
	return c.around(ctx, version, enrolment)
}

// around is the care of an enrolment.
func (c *care) around(ctx context.Context, version int64, enrolment *registry.Enrolment) (found alerts.Care, err error) {
	if found.Team, err = c.team(ctx, version, enrolment.Team); err != nil {
		return alerts.Care{}, err
	}
	if known, err := c.persons.as(ctx, version, c.registry); err == nil {
		found.Same = known.Same(enrolment.Patient)
	} // else a person is called once for each record, rather than not at all
	found.Pauses, found.Until, found.Admin = enrolment.Pauses, enrolment.Ends(), c.admin
	if p := c.shelf.Protocol(enrolment.Protocol, enrolment.Version); p != nil {
		found.Answer, found.Rest, found.FollowUp, found.Rules = p.Answer, p.Rest, p.FollowUp, alerts.TraitsOf(p)
	}
	return found, nil
}

// team returns a team, empty when nobody knows it. Many enrolments share one, and
// its calendar takes a file of time zones to be read.
func (c *care) team(ctx context.Context, version int64, id string) (found alerts.Team, err error) {
	ok := false
	c.ifStill(version, func() { found, ok = c.teams[id] })
	if ok {
		return found, nil
	}
	team, err := c.registry.Team(ctx, id)
	switch {
	case errors.Is(err, registry.ErrNotFound):
	case err != nil:
		return alerts.Team{}, err
	default:
		if found, err = teamOf(team); err != nil {
			return alerts.Team{}, err
		}
	}
	c.ifStill(version, func() { c.teams[id] = found })
	return found, nil
}

// Unreachable is the first moment of the two weeks from one on at which a team reads no
// alerts and nobody is on duty for what is to call somebody then. Zero when there is none.
func Unreachable(t *registry.Team, from time.Time) (time.Time, error) {
	team, err := teamOf(t)
	if err != nil {
		return time.Time{}, err
	}
	return team.Unreachable(from), nil
}

// teamOf turns a team of the registry into one that alerts can reach.
func teamOf(t *registry.Team) (alerts.Team, error) {
	calendar, err := calendarOf(t)
	if err != nil {
		return alerts.Team{}, fmt.Errorf("the opening hours of team %s: %w", t.ID, err)
	}
	rota, err := rotaOf(t.Rota, calendar.Zone)
	if err != nil {
		return alerts.Team{}, fmt.Errorf("the rota of team %s: %w", t.ID, err)
	}
	outOfHours := map[protocols.Level]alerts.OutOfHours{}
	for name, choice := range t.OutOfHours {
		level, err := protocols.ParseLevel(name)
		if err != nil {
			return alerts.Team{}, err
		}
		outOfHours[level] = alerts.OutOfHours(choice)
	}
	first, systems := contactsOf(t.First())
	escalate, more := contactsOf(t.Escalate)
	systems = append(systems, more...)
	var chain [][]string
	for _, step := range t.EscalateThen {
		people, more := contactsOf(step)
		chain, systems = append(chain, people), append(systems, more...)
	}
	return alerts.Team{
		ID: t.ID, Name: t.Name, Calendar: calendar, Contacts: first, Escalate: escalate, Chain: chain, Systems: once(systems),
		OutOfHours: outOfHours, Rota: rota,
	}, nil
}

// contactsOf writes contacts as alerts hold them, those of people and those of systems. A
// channel that is no longer there keeps its contacts: their messages are given up, which
// somebody sees.
func contactsOf(by registry.Contacts) (people, systems []string) {
	for _, channel := range by.Channels() {
		list := &people
		if slices.ContainsFunc(channels, func(c channelOf) bool { return c.kind.Name == channel && c.kind.System }) {
			list = &systems
		}
		for _, address := range by[channel] {
			*list = append(*list, alerts.Contact(channel, address))
		}
	}
	return people, systems
}

// once drops what is listed again.
func once(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

func calendarOf(t *registry.Team) (alerts.Calendar, error) {
	zone, err := time.LoadLocation(t.Zone)
	if err != nil {
		return alerts.Calendar{}, err
	}
	calendar := alerts.Calendar{Zone: zone, AlsaceMoselle: t.AlsaceMoselle, OnHolidays: t.OnHolidays, Days: daysOf(t.Days)}
	if calendar.Opens, calendar.Closes, err = timesOfDay(t.Opens, t.Closes); err != nil {
		return alerts.Calendar{}, err
	}
	for _, further := range t.Further {
		hours := alerts.Hours{Days: daysOf(further.Days)}
		if hours.Opens, hours.Closes, err = timesOfDay(further.Opens, further.Closes); err != nil {
			return alerts.Calendar{}, err
		}
		calendar.Further = append(calendar.Further, hours)
	}
	return calendar, calendar.Check()
}

func rotaOf(r *registry.Rota, zone *time.Location) (alerts.Rota, error) {
	if r == nil {
		return alerts.Rota{}, nil
	}
	rota := alerts.Rota{Zone: zone, People: map[string]alerts.Person{}}
	for _, p := range r.People {
		people, _ := contactsOf(p.Reached()) // a system is on duty for nobody
		rota.People[p.ID] = alerts.Person{ID: p.ID, Name: p.Name, Contacts: people}
	}
	for _, s := range r.Shifts {
		shift := alerts.Shift{Days: daysOf(s.Days), People: s.People}
		var err error
		if shift.From, shift.Until, err = timesOfDay(s.From, s.Until); err != nil {
			return alerts.Rota{}, err
		}
		if s.Start != "" {
			if shift.Start, err = time.ParseInLocation(time.DateOnly, s.Start, zone); err != nil {
				return alerts.Rota{}, fmt.Errorf("%q is not a date: write 2026-01-31", s.Start)
			}
		}
		rota.Shifts = append(rota.Shifts, shift)
	}
	for _, o := range r.Overrides {
		rota.Overrides = append(rota.Overrides, alerts.Override(o))
	}
	return rota, nil
}

// daysOf are the days of the week that are named.
func daysOf(names []string) (days [7]bool) {
	for _, name := range names {
		for day := time.Sunday; day <= time.Saturday; day++ {
			if strings.EqualFold(day.String(), name) {
				days[day] = true
			}
		}
	}
	return days
}

func timesOfDay(from, until string) (begin, end time.Duration, err error) {
	if begin, err = timeOfDay(from); err != nil {
		return 0, 0, err
	}
	end, err = timeOfDay(until)
	return begin, end, err
}

// timeOfDay reads "08:30" as what has passed since midnight.
func timeOfDay(text string) (time.Duration, error) {
	at, err := time.Parse("15:04", text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a time of day: write 08:30", text)
	}
	return time.Duration(at.Hour())*time.Hour + time.Duration(at.Minute())*time.Minute, nil
}
