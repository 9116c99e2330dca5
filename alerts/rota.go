package alerts

import (
	"slices"
	"time"
)

// Rota says who is on duty for a team, by its clock on the wall.
type Rota struct {
	Zone   *time.Location // UTC when nil
	Shifts []Shift
	// Overrides take the place of shifts: the latest that covers a moment counts. A
	// swap is two of them.
	Overrides []Override
	People    map[string]Person // by id
}

// Person is somebody who can be called. Until accounts exist, the id is the name of
// a token.
type Person struct {
	ID       string
	Name     string
	Contacts []string // each written by Contact
}

// Shift is a duty that comes again. One that ends when it begins, or before, ends on
// the next day.
type Shift struct {
	Days  [7]bool       // on which it begins, by time.Weekday; none for every day
	From  time.Duration // local time of day
	Until time.Duration // local time of day
	// People take turns, a week each, from the week of Start on.
	People []string
	Start  time.Time // zero: the first of them always
}

// Override puts somebody on duty for a time, in place of whoever the shifts name.
// Nobody is on duty when Person is empty.
type Override struct {
	From, Until time.Time
	Person      string
	Author      string
	Reason      string
}

func (r Rota) zone() *time.Location {
	if r.Zone == nil {
		return time.UTC
	}
	return r.Zone
}

// OnDuty lists who is on duty at a moment, in the order of the shifts.
func (r Rota) OnDuty(at time.Time) []Person {
	for _, o := range slices.Backward(r.Overrides) {
		if !at.Before(o.From) && at.Before(o.Until) {
			return r.people([]string{o.Person})
		}
	}
	var ids []string
	for i := range r.Shifts {
		if id, on := r.Shifts[i].at(at, r.zone()); on && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return r.people(ids)
}

func (r Rota) people(ids []string) []Person {
	var found []Person
	for _, id := range ids {
		if p, ok := r.People[id]; ok {
			found = append(found, p)
		}
	}
	return found
}

// at is who has the shift at a moment. It may have begun the day before.
func (s *Shift) at(at time.Time, zone *time.Location) (id string, on bool) {
	if len(s.People) == 0 {
		return "", false
	}
	wall := Calendar{Zone: zone}
	year, month, day := at.In(zone).Date()
	for back := range 2 {
		noon := time.Date(year, month, day-back, 12, 0, 0, 0, zone)
		from, until := s.span(wall, noon)
		if s.begins(noon.Weekday()) && !at.Before(from) && at.Before(until) {
			return s.turn(noon), true
		}
	}
	return "", false
}

func (s *Shift) begins(day time.Weekday) bool { return s.Days == [7]bool{} || s.Days[day] }

// span is when the shift that begins on a day does so, and when it ends.
func (s *Shift) span(wall Calendar, noon time.Time) (from, until time.Time) {
	ends := noon
	if s.Until <= s.From {
		ends = noon.AddDate(0, 0, 1)
	}
	return wall.at(noon, s.From), wall.at(ends, s.Until)
}

// turn is whose week it is.
func (s *Shift) turn(noon time.Time) string {
	if s.Start.IsZero() || len(s.People) == 1 {
		return s.People[0]
	}
	weeks := daysBetween(monday(s.Start.In(noon.Location())), monday(noon)) / 7
	return s.People[((weeks%len(s.People))+len(s.People))%len(s.People)]
}

func monday(t time.Time) time.Time {
	return t.AddDate(0, 0, -(int(t.Weekday())+6)%7)
}

// daysBetween counts civil days.
func daysBetween(from, to time.Time) int {
	civil := func(t time.Time) time.Time { return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC) }
	return int(civil(to).Sub(civil(from)) / day)
}

// searchedDuty bounds how far ahead the next change of duty is looked for.
const searchedDuty = 14 * day

// NextDuty is when somebody else comes on duty after a moment, and who. Zero when
// nothing changes within two weeks.
func (r Rota) NextDuty(at time.Time) (from time.Time, who []Person) {
	now := r.OnDuty(at)
	for _, t := range r.turns(at) {
		if then := r.OnDuty(t); !slices.EqualFunc(now, then, func(a, b Person) bool { return a.ID == b.ID }) {
			return t.UTC(), then
		}
	}
	return time.Time{}, nil
}

// turns are the moments after one at which duty may change, in order.
func (r Rota) turns(at time.Time) []time.Time {
	var moments []time.Time
	wall := Calendar{Zone: r.zone()}
	year, month, date := at.In(r.zone()).Date()
	for ahead := -1; time.Duration(ahead)*day < searchedDuty; ahead++ {
		noon := time.Date(year, month, date+ahead, 12, 0, 0, 0, r.zone())
		for i := range r.Shifts {
			if r.Shifts[i].begins(noon.Weekday()) {
				from, until := r.Shifts[i].span(wall, noon)
				moments = append(moments, from, until)
			}
		}
	}
	for _, o := range r.Overrides {
		moments = append(moments, o.From, o.Until)
	}
	moments = slices.DeleteFunc(moments, func(t time.Time) bool { return !t.After(at) || t.After(at.Add(searchedDuty)) })
	slices.SortFunc(moments, time.Time.Compare)
	return moments
}

// Duty is who answers for a team at a moment, and who does next.
type Duty struct {
	Open   bool      // the team reads its alerts then
	OnDuty []Person  // whoever is on duty; without a rota, the addresses of the first step of the escalation
	Next   time.Time // when somebody else comes on duty; zero for not within two weeks
	Then   []Person  // who does
	// Unreachable is the first moment of the next two weeks at which nobody reads what is to
	// call somebody; zero for none.
	Unreachable time.Time
}

// Duty says who answers for the team at a moment.
func (t Team) Duty(at time.Time) Duty {
	d := Duty{Open: t.Calendar.Open(at), Unreachable: t.Unreachable(at)}
	if t.Rota.empty() {
		if len(t.Escalate) > 0 {
			d.OnDuty = []Person{{Contacts: t.Escalate}}
		}
		return d
	}
	d.OnDuty = t.Rota.OnDuty(at)
	d.Next, d.Then = t.Rota.NextDuty(at)
	return d
}

func (r Rota) empty() bool { return len(r.Shifts) == 0 && len(r.Overrides) == 0 }

// OnDuty lists the addresses of whoever is called while the team is closed: those who are
// on duty; without a rota, and where it has forgotten a night or a holiday, those of the
// first step of the escalation.
func (t Team) OnDuty(at time.Time) []string {
	if addresses := t.rostered(at); len(addresses) > 0 {
		return addresses
	}
	return t.Escalate
}

// rostered lists the addresses of those whom the rota has on duty.
func (t Team) rostered(at time.Time) (addresses []string) {
	for _, p := range t.Rota.OnDuty(at) {
		addresses = append(addresses, p.Contacts...)
	}
	return addresses
}

// Unreachable returns the first moment of the two weeks after one at which the team
// reads no alerts and nobody is on duty for a level that is to call somebody then: a hole
// in a rota, too, though the first step of the escalation is called in it. Zero when there
// is none.
func (t Team) Unreachable(from time.Time) time.Time {
	if len(t.Contacts) == 0 && len(t.Systems) == 0 {
		return from.UTC()
	}
	calls := false
	for _, choice := range t.OutOfHours {
		calls = calls || choice == OnCall
	}
	if !calls {
		return time.Time{}
	}
	moments := append([]time.Time{from}, t.Rota.turns(from)...)
	t.Calendar.walk(from, func(o opening) bool {
		moments = append(moments, o.until)
		return o.until.Before(from.Add(searchedDuty))
	})
	slices.SortFunc(moments, time.Time.Compare)
	for _, at := range moments {
		if !at.Before(from) && !t.Calendar.Open(at) && len(t.rostered(at)) == 0 && !(t.Rota.empty() && len(t.Escalate) > 0) {
			return at.UTC()
		}
	}
	return time.Time{}
}
