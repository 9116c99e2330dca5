package service

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigie/alerts/erasure"
	"vigie/alerts/reviews"
	"vigie/ingest/registry"
)

// Whoever's care ended longer ago than the configuration keeps an identity is erased before
// the next start serves; whoever is followed, or ended later, stays.
func TestAnIdentityIsKeptForItsTime(t *testing.T) {
	s, c := running(t)
	followed(t, s, time.Now().Add(-time.Hour))
	c.Retention.Identity = 2 * time.Hour
	starts := func() bool {
		t.Helper()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		var err error
		if s, err = Start(t.Context(), Options{Config: c, Now: time.Now, Log: quiet}); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		known, err := s.Registry().HasPatient(t.Context(), "p-zenobie")
		if err != nil {
			t.Fatal(err)
		}
		return known
	}
	if !starts() {
		t.Fatal("she is erased before her time")
	}
	c.Retention.Identity = 30 * time.Minute
	c.Retention.Grounds.Identity = "décision du 3 mars"
	tools, err := OpenTools(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	list, err := tools.Retained(t.Context(), time.Now())
	if err := tools.Close(); err != nil {
		t.Fatal(err)
	}
	for _, k := range list {
		if k.Key == erasure.KeptIdentity && (k.Due != 1 || k.Ground.FR != "décision du 3 mars") {
			t.Errorf("a dry run: %+v", k)
		}
	}
	if err != nil || starts() {
		t.Errorf("she is still known, %v", err)
	}
	if known, err := s.Registry().HasPatient(t.Context(), "p-1"); err != nil || !known {
		t.Errorf("who was never enrolled is gone: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if found := named(t, c.Data); len(found) > 0 {
		t.Errorf("the folder holds %v", found)
	}
	records, err := readErasures(filepath.Join(c.Data, erasuresFile))
	if err != nil || len(records) != 1 || !strings.Contains(records[0].Reason, "décision du 3 mars") {
		t.Errorf("the list: %+v, %v", records, err)
	}
}

// What is old goes once a day; of whoever is followed it stays, however old.
func TestWhatIsOldGoesOnlyOnceTheCareIsOver(t *testing.T) {
	s := still(t)
	now := time.Now()
	followed(t, s, now.Add(time.Hour))
	s.Config.Retention.Alerts, s.Config.Retention.Trail = time.Hour, time.Hour
	old := reviews.Review{Patient: "p-zenobie", By: "Ida", At: now.AddDate(0, -1, 0).UTC()}
	if err := s.backend.reviews.AddReview(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	kept := func() bool {
		t.Helper()
		s.prunedAt = time.Time{}
		if err := s.prune(t.Context()); err != nil {
			t.Fatal(err)
		}
		list, err := s.backend.reviews.ReviewsOf(t.Context(), "p-zenobie", old.At, now)
		if err != nil {
			t.Fatal(err)
		}
		return len(list) == 1
	}
	if !kept() {
		t.Fatal("the review of a patient who is followed is gone")
	}
	e, err := s.Registry().Enrolment(t.Context(), "e-zenobie")
	if err != nil {
		t.Fatal(err)
	}
	over := e.Closed(now.Add(-90 * time.Minute))
	change := &registry.Registry{Enrolments: []registry.Enrolment{over}, Loosening: []string{"prescription_end:e-zenobie"}}
	if _, err := s.Registry().Import(t.Context(), change, "a nurse", now); err != nil {
		t.Fatal(err)
	}
	if kept() {
		t.Error("the review of a patient whose care is over stays")
	}
}

// An erasure that a page asks for is counted, refused with its way out, or made before the
// service that starts anew serves anybody.
func TestAPageHasAPatientErased(t *testing.T) {
	s, c := running(t)
	followed(t, s, time.Now().Add(-time.Hour))
	dry := erasing()
	dry.DryRun = true
	if effect, err := s.erase(t.Context(), dry); effect == nil || effect.Counts["readings"] != 1 || err == nil || !strings.Contains(err.Error(), "cannot start anew") {
		t.Errorf("where nobody starts it anew: %+v, %v", effect, err)
	}
	anew := 0
	s.Again = func() { anew++ }
	if effect, err := s.erase(t.Context(), dry); err != nil || effect.Counts["trail"] == 0 || anew != 0 {
		t.Errorf("a dry run: %+v, %v, %d times", effect, err, anew)
	}
	telling := erasing()
	telling.Reason = "demande de Mme Quermadec"
	var refused *erasure.Refusal
	if _, err := s.erase(t.Context(), telling); !errors.As(err, &refused) || !strings.Contains(refused.Text.FR, "sans le nom") {
		t.Errorf("a reason with the name: %v", err)
	}
	if _, err := s.erase(t.Context(), erasing()); err != nil || anew != 1 {
		t.Fatalf("%v, asked %d times", err, anew)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	again, _ := runningIn(t, c.Data)
	if known, err := again.Registry().HasPatient(t.Context(), "p-zenobie"); err != nil || known {
		t.Errorf("she is known to a service that serves: %v, %v", known, err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	if found := named(t, c.Data); len(found) > 0 {
		t.Errorf("the folder holds %v", found)
	}
}
