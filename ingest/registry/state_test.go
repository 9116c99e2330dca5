package registry

import (
	"strings"
	"testing"
	"time"

	"vigie/protocols"
)

func TestAnEnrolmentStandsSomewhereAtEveryMoment(t *testing.T) {
	day := func(n int) time.Time { return time.Date(2026, 1, n, 0, 0, 0, 0, time.UTC) }
	e := Enrolment{ID: "e-1", From: day(5), Prescription: day(25), Zone: "UTC", Consent: Consent{Given: true, Date: day(1)},
		Pauses: []protocols.Pause{{From: day(10), Until: day(12), Author: "a", Reason: "b"}}}
	stands := func(e *Enrolment) string {
		var all []string
		for _, n := range []int{2, 6, 10, 12, 24, 25} {
			all = append(all, string(e.StateAt(day(n))))
		}
		return strings.Join(all, " ")
	}
	proposed := e
	proposed.Proposed = true
	withdrawn := e.Withdrawn(day(11))
	validated := proposed.ValidatedBy("Dr Aubry", day(8))
	refused := e
	refused.Consent.Given = false
	for _, c := range []struct {
		e    *Enrolment
		want string
	}{
		{&e, "validated active suspended active active ended"},
		{&proposed, "proposed proposed proposed proposed proposed ended"},
		{&withdrawn, "validated active suspended ended ended ended"},
		{&validated, "validated validated suspended active active ended"},
		{&refused, "ended ended ended ended ended ended"},
	} {
		if got := stands(c.e); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
	for n := 1; n < 26; n++ {
		if proposed.Covers(day(n)) || proposed.Remembers(day(n)) {
			t.Errorf("a proposal covers the day %d", n)
		}
	}
	if !validated.From.Equal(day(8)) || validated.Validated.Author != "Dr Aubry" {
		t.Errorf("%+v", validated)
	}
	if early := proposed.ValidatedBy("Dr Aubry", day(3)); !early.From.Equal(day(5)) {
		t.Error("a validation brings the beginning forward")
	}
}

// A pause is over once another prescription goes on: it was decided under the former one, and
// whoever resumes that one early has no other to resume.
func TestAPauseEndsWithItsPrescription(t *testing.T) {
	end := time.Date(2026, 12, 10, 23, 0, 0, 0, time.UTC)
	e := Enrolment{ID: "e-1", From: end.AddDate(0, -3, 0), Prescription: end, Consent: Consent{Given: true, Date: end.AddDate(0, -3, 0)}}
	e = e.Paused(protocols.Pause{From: end.AddDate(0, 0, -5), Until: end.AddDate(0, 0, 10), Reason: "hospital"})
	next := e.Renewed("e-2", end.AddDate(0, 3, 0))
	if before, after := e.StateAt(end.Add(-time.Hour)), next.StateAt(end); before != Suspended || after != Active {
		t.Errorf("it is %s, and then %s, want suspended and active", before, after)
	}
}

func TestAPrescriptionThatEndsSoonIsToBeRenewed(t *testing.T) {
	zone, _ := time.LoadLocation("Indian/Reunion")
	now := time.Date(2026, 1, 10, 22, 0, 0, 0, time.UTC) // the 11th, where the patient lives
	e := Enrolment{ID: "e-1", Patient: "p-1", Protocol: "icc", Zone: zone.String(), From: now.AddDate(0, -3, 0),
		Prescription: time.Date(2026, 1, 19, 0, 0, 0, 0, zone), Consent: Consent{Given: true, Date: now.AddDate(0, -3, 0)}}
	if left := e.DaysLeft(now); left != 7 { // the 18th is the last day
		t.Errorf("%d days are left", left)
	}
	next := e.Renewed("e-2", e.Prescription.AddDate(0, 3, 0))
	proposal := next
	proposal.Proposed = true
	for what, c := range map[string]struct {
		all  []Enrolment
		days int
		soon bool
	}{
		"nothing follows": {[]Enrolment{e}, 7, true}, "later": {[]Enrolment{e}, 6, false}, "it is renewed": {[]Enrolment{e, next}, 30, false}, "it is proposed": {[]Enrolment{e, proposal}, 30, true},
	} {
		if e.EndsSoon(now, c.days, c.all) != c.soon {
			t.Errorf("%s: soon is %v", what, !c.soon)
		}
	}
	if gone := e.Withdrawn(now.AddDate(0, 0, 3)); gone.EndsSoon(now, 30, nil) {
		t.Error("who withdraws is to be renewed")
	}
}

// While a renewal is only proposed, the former prescription runs to its end.
func TestAProposalTakesNothingOver(t *testing.T) {
	text := strings.Replace(ward, "prescription_end: 2026-06-30\n", `prescription_end: 2026-06-30
  - id: e-3
    patient: p-2
    protocol: heart-failure
    version: "1"
    time_zone: Europe/Paris
    team: cardio
    physician: "10001234565"
    devices: [scale-2]
    consent: {given: true, date: 2026-01-02, scope: weight}
    from: 2026-06-01
    prescription_end: 2026-12-30
    proposed: true
`, 1)
	reg, problems := check(t, text, nil)
	if Refused(problems) {
		t.Fatal(problems)
	}
	if end := reg.Enrolments[1].Prescription; end.Month() != time.June || end.Day() != 30 {
		t.Errorf("the former prescription ends on %v", end)
	}
	reg, _ = check(t, strings.Replace(text, "    proposed: true\n", "", 1), nil)
	if end := reg.Enrolments[1].Prescription; end.Day() == 30 {
		t.Errorf("a renewal does not take over: %v", end)
	}
	former := reg.Enrolments[2]
	next := former
	next.Proposed = true
	known := held{Registry{Enrolments: []Enrolment{former}}}
	changed, err := Differences(t.Context(), known, &Registry{Enrolments: []Enrolment{next}})
	if err != nil || len(Unnamed(changed, nil)) != 1 || Unnamed(changed, nil)[0] != "proposed:e-3" {
		t.Errorf("%v %+v: who is followed becomes a proposal, and nobody has to name it", err, changed)
	}
}
