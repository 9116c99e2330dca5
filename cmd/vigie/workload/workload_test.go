package workload

import (
	"reflect"
	"testing"
	"time"

	"vigie/seeds"
	"vigie/seeds/simulation"
)

func run(t *testing.T, change func(*seeds.Staff)) Figures {
	t.Helper()
	staff, err := seeds.ReadStaff(nil)
	if err != nil {
		t.Fatal(err)
	}
	change(&staff)
	figures, err := Run(t.Context(), Options{Cohort: simulation.Cohort{Patients: 10, Days: 30, Seed: 3}, Staff: staff})
	if err != nil {
		t.Fatal(err)
	}
	return figures
}

func TestTheSameCohortAndTeamGiveTheSameFigures(t *testing.T) {
	once, again := run(t, func(*seeds.Staff) {}), run(t, func(*seeds.Staff) {})
	if !reflect.DeepEqual(once, again) {
		t.Errorf("first %+v, then %+v", once, again)
	}
	if once.Readings == 0 || once.Mails == 0 || once.Reds == 0 {
		t.Errorf("nothing happens: %+v", once)
	}
}

func TestATeamThatNeverComesSeesNothing(t *testing.T) {
	figures := run(t, func(s *seeds.Staff) {
		s.Habits.Rounds, s.Habits.MailMissed, s.Habits.CallMissed = nil, 1, 1
	})
	if figures.RedNever != figures.Reds || figures.Repeats == 0 {
		t.Errorf("%+v: want every red unseen, and the on-call told", figures)
	}
}

func TestASpreadIsOfWhatCame(t *testing.T) {
	var hours []time.Duration
	for i := range 20 {
		hours = append(hours, time.Duration(20-i)*time.Hour)
	}
	if got := spread(hours); got != (Spread{Median: 10, P95: 19}) {
		t.Errorf("of 1 to 20 hours: %+v, want 10 and 19", got)
	}
	if got := spread(nil); got != (Spread{}) {
		t.Errorf("of none: %+v", got)
	}
}
