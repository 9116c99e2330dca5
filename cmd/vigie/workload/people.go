package workload

import (
	"cmp"
	"container/heap"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"vigie/alerts"
	"vigie/protocols"
	"vigie/seeds"
)

// people are the simulated teams at work. They are an alerts.Channel: the mails they
// get.
type people struct {
	ward  *ward
	mu    sync.Mutex
	plans plans
	told  map[string]int         // mails, by alert
	seen  map[string][]time.Time // by patient and rule
	days  map[string]time.Time   // until when the rounds of a team are planned
}

// plan is something that somebody will do.
type plan struct {
	at   time.Time
	what string // tells apart what is planned for one moment
	do   func() error
}

type plans []plan

func (p plans) Len() int { return len(p) }
func (p plans) Less(i, j int) bool {
	return cmp.Or(p[i].at.Compare(p[j].at), cmp.Compare(p[i].what, p[j].what)) < 0
}
func (p plans) Swap(i, j int) { p[i], p[j] = p[j], p[i] }
func (p *plans) Push(x any)   { *p = append(*p, x.(plan)) }
func (p *plans) Pop() any {
	last := (*p)[len(*p)-1]
	*p = (*p)[:len(*p)-1]
	return last
}

func newPeople(w *ward) people {
	return people{ward: w, told: map[string]int{}, seen: map[string][]time.Time{}}
}

func (p *people) habits() *seeds.Habits { return &p.ward.Staff.Habits }

// later plans something.
func (p *people) later(at time.Time, what string, do func() error) {
	heap.Push(&p.plans, plan{at.Truncate(time.Second), what, do})
}

// next is when somebody next does something; zero for never.
func (p *people) next() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.plan()
	if len(p.plans) == 0 {
		return time.Time{}
	}
	return p.plans[0].at
}

// plan plans the rounds of the days to come.
func (p *people) plan() {
	if p.days == nil {
		p.days = map[string]time.Time{}
	}
	for i := range p.ward.Staff.Teams {
		team := &p.ward.Staff.Teams[i]
		zone := location(team.Zone)
		for day := p.days[team.ID]; ; {
			if day.IsZero() {
				day = p.ward.now.In(zone)
			}
			if day.After(p.ward.now.AddDate(0, 0, 2)) {
				p.days[team.ID] = day
				break
			}
			if !slices.Contains(p.habits().Away, day.Format(time.DateOnly)) {
				for _, clock := range p.habits().Rounds {
					since, _ := seeds.TimeOfDay(clock) // checked with the file
					y, m, d := day.Date()
					at := time.Date(y, m, d, 0, int(since/time.Minute), 0, 0, zone)
					if at.After(p.ward.now) && p.calendar(team.ID).Open(at) {
						p.later(at.UTC(), "round "+team.ID, func() error { return p.round(team.ID) })
					}
				}
			}
			day = day.AddDate(0, 0, 1)
		}
	}
}

// act does everything that is planned by now.
func (p *people) act() error {
	for {
		p.mu.Lock()
		if len(p.plans) == 0 || p.plans[0].at.After(p.ward.now) {
			p.mu.Unlock()
			return nil
		}
		first := heap.Pop(&p.plans).(plan)
		p.mu.Unlock()
		if err := first.do(); err != nil {
			return err
		}
	}
}

// calendar is that of a team.
func (p *people) calendar(id string) alerts.Calendar {
	for i := range p.ward.Staff.Teams {
		team := &p.ward.Staff.Teams[i]
		if team.ID != id {
			continue
		}
		c := alerts.Calendar{Zone: location(team.Zone)}
		c.Opens, _ = seeds.TimeOfDay(team.Opens)   // checked with the file
		c.Closes, _ = seeds.TimeOfDay(team.Closes) // checked with the file
		for day := time.Sunday; day <= time.Saturday; day++ {
			c.Days[day] = slices.ContainsFunc(team.Days, func(name string) bool { return name == dayName(day) })
		}
		return c
	}
	return alerts.Calendar{}
}

func dayName(day time.Weekday) string {
	return [...]string{"sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"}[day]
}

func location(name string) *time.Location {
	zone, err := time.LoadLocation(name)
	if err != nil {
		return time.UTC
	}
	return zone
}

// Send is part of alerts.Channel: a mail reaches somebody, who opens it or not.
func (p *people) Send(_ context.Context, m alerts.Outgoing) error {
	if m.Event == alerts.EventRenewal { // prescriptions end with the simulation
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	f := &p.ward.figures
	f.Mails++
	f.Messages[m.Level.String()]++
	f.Why[string(m.Event)]++
	if m.Alert == "" {
		return nil // a digest: the list is gone through in the rounds
	}
	if p.told[m.Alert]++; p.told[m.Alert] > 1 {
		f.Repeats++
	}
	luck := lucky(m.Alert, fmt.Sprint("mail", p.told[m.Alert]))
	now := p.ward.now
	for i := range p.ward.Staff.Teams {
		team := &p.ward.Staff.Teams[i]
		switch {
		case slices.Contains(team.Escalate[m.Channel], m.To):
			if luck.Float64() >= p.habits().CallMissed {
				p.later(now.Add(around(luck, p.habits().CallOpenedAfter)), "call "+m.ID, func() error { return p.open(m.Alert, "Astreinte") })
			}
		case slices.Contains(team.First()[m.Channel], m.To):
			if luck.Float64() >= p.habits().MailMissed {
				p.later(p.calendar(team.ID).Add(now, around(luck, p.habits().MailOpenedAfter)), "mail "+m.ID, func() error { return p.open(m.Alert, "Équipe") })
			}
		}
	}
	return nil
}

// lucky draws for one alert and one purpose: the same in every version that has the
// same alert.
func lucky(alert, purpose string) *rand.Rand {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(alert + "/" + purpose)) // it never fails
	return rand.New(rand.NewPCG(sum.Sum64(), 1))
}

// around is a duration from half to one and a half times that.
func around(luck *rand.Rand, d time.Duration) time.Duration {
	return time.Duration((0.5 + luck.Float64()) * float64(d)).Truncate(time.Second)
}

// open has somebody open the alert of a mail.
func (p *people) open(id, who string) error {
	alert, err := p.ward.service.Alerts().Alert(p.ward.ctx, id)
	if err != nil {
		return fmt.Errorf("open the alert of a mail: %w", err)
	}
	switch alert.State {
	case alerts.Open:
		return p.handle(alert, who)
	case alerts.Acknowledged: // they are asked what became of it
		if err := p.look(alert.Patient); err != nil {
			return err
		}
		return p.close(alert.ID, who, "patient-called")
	}
	return nil
}

// round has somebody of a team go through its list from the top.
func (p *people) round(team string) error {
	list, err := p.ward.all(alerts.Filter{States: []alerts.State{alerts.Open, alerts.Acknowledged}, Team: team})
	if err != nil {
		return err
	}
	patients := map[string]bool{}
	for i := range list {
		alert := &list[i]
		if alert.State != alerts.Open {
			continue
		}
		if !patients[alert.Patient] && len(patients) == p.habits().PatientsARound {
			break
		}
		patients[alert.Patient] = true
		if err := p.handle(alert, "Équipe"); err != nil {
			return err
		}
	}
	return nil
}

// handle does what somebody does with an alert they have got to.
func (p *people) handle(alert *alerts.Alert, who string) error {
	luck := lucky(alert.ID, fmt.Sprint("handle", alert.LastAt, alert.Level))
	if luck.Float64() < p.habits().ClosedUnread {
		err := alerts.Resolve(p.ward.ctx, p.ward.service.Alerts(), alert.ID, who, "no-action", "", p.ward.now)
		var refused *alerts.Refused
		if !errors.As(err, &refused) || refused.Code != alerts.NoReason {
			return tolerate(err)
		}
		// Who has to say why looks first.
	}
	if err := p.look(alert.Patient); err != nil {
		return err
	}
	if luck.Float64() < p.habits().ClosedAtOnce {
		return p.close(alert.ID, who, "patient-called")
	}
	if err := tolerate(alerts.Acknowledge(p.ward.ctx, p.ward.service.Alerts(), alert.ID, who, "", p.ward.now)); err != nil {
		return err
	}
	at := p.calendar(alert.Team).Add(p.ward.now.Add(around(luck, p.habits().ClosedAfter)), time.Minute)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.later(at, "close "+alert.ID, func() error { return p.close(alert.ID, who, "patient-called") })
	return nil
}

// look has somebody see everything that stands on the list about a patient.
func (p *people) look(patient string) error {
	list, err := p.ward.all(alerts.Filter{States: []alerts.State{alerts.Open, alerts.Acknowledged}, Patient: patient})
	if err != nil {
		return err
	}
	for i := range list {
		if list[i].Level == protocols.Red {
			key := list[i].Patient + "/" + list[i].Rule
			p.seen[key] = append(p.seen[key], p.ward.now)
		}
	}
	return nil
}

// close closes an alert, be the patient well or not.
func (p *people) close(id, who, outcome string) error {
	return tolerate(alerts.Resolve(p.ward.ctx, p.ward.service.Alerts(), id, who, outcome, "simulation", p.ward.now))
}

// tolerate takes a refusal for an answer: somebody else was faster.
func tolerate(err error) error {
	var refused *alerts.Refused
	if errors.As(err, &refused) {
		return nil
	}
	return err
}

// sawAfter is when somebody first had a red of that patient and rule before them,
// from then on; zero for never.
func (p *people) sawAfter(patient, rule string, from time.Time) time.Time {
	for _, at := range p.seen[patient+"/"+rule] {
		if !at.Before(from) {
			return at
		}
	}
	return time.Time{}
}
