package service

import (
	"context"
	"errors"
	"time"

	"vigie/alerts"
	"vigie/alerts/workspace"
	"vigie/ingest"
	"vigie/ingest/formats/native"
	"vigie/protocols"
)

// strike marks readings as not to be used, or takes that back. What cannot be done is said
// in a sentence.
func (s *Service) strike(ctx context.Context, about workspace.Striking) ([]*protocols.Reading, error) {
	return strikeIn(ctx, s.pipeline, about)
}

// Strike does so on a store that no service is running on; ErrRunning when one is.
func Strike(ctx context.Context, options Options, about workspace.Striking) (struck []*protocols.Reading, err error) {
	err = unattended(ctx, options, func(p *ingest.Pipeline) error {
		struck, err = strikeIn(ctx, p, about)
		return err
	})
	return struck, err
}

// BeginWide keeps a strike of many patients on a store that no service is running on, before
// the first of them is touched: one that is cut short goes on by itself once a service runs.
// strikes are what an undo takes back; nil otherwise. A try keeps nothing.
func BeginWide(ctx context.Context, options Options, about workspace.Striking, patients []string, try bool) (id int64, strikes *ingest.WideStrikes, err error) {
	err = withPipeline(ctx, options, func(s *Service) error {
		if about.Undo {
			acts, err := s.backend.store.WideActsOf(ctx, about.Device)
			if err != nil {
				return err
			}
			strikes = ingest.StrikesBefore(acts, 0)
		}
		if try {
			return nil
		}
		act := ingest.WideAct{About: strikingOf(about), Undo: about.Undo, Patients: patients, At: s.Now().UTC().Truncate(time.Millisecond)}
		err := s.backend.store.KeepWideAct(ctx, &act)
		id = act.ID
		return err
	})
	return id, strikes, err
}

// EndWide records that such a strike is done.
func EndWide(ctx context.Context, options Options, id int64) error {
	return withPipeline(ctx, options, func(s *Service) error { return s.backend.store.EndWideAct(ctx, id, s.Now().UTC()) })
}

// carryOn ends the strikes of many patients that were cut short.
func (s *Service) carryOn(ctx context.Context) error {
	if s.workspace == nil {
		return nil
	}
	return s.workspace.CarryOn(ctx)
}

func (s *Service) carryOnDue(ctx context.Context, by time.Time) (bool, error) {
	if s.workspace == nil {
		return false, nil
	}
	return s.workspace.CarryOnDue(ctx, by)
}

// TryStrike says how many readings Strike would find, and how many alerts would change, on a
// store that no service is running on; ErrRunning when one is.
func TryStrike(ctx context.Context, options Options, about workspace.Striking) (readings, changed int, err error) {
	err = unattended(ctx, options, func(p *ingest.Pipeline) error {
		tried, err := p.TryStrike(ctx, strikingOf(about), about.Undo)
		rules := map[[3]string]bool{}
		for i := range tried.Findings {
			rules[[3]string{tried.Findings[i].Enrolment, tried.Findings[i].Device, tried.Findings[i].Rule}] = true
		}
		readings, changed = len(tried.Readings), len(rules)
		return refusedStrike(err)
	})
	return readings, changed, err
}

// tryStrike says what it would find, and does nothing.
func (s *Service) tryStrike(ctx context.Context, about workspace.Striking) ([]protocols.Finding, error) {
	tried, err := s.pipeline.TryStrike(ctx, strikingOf(about), about.Undo)
	return tried.Findings, refusedStrike(err)
}

func strikingOf(about workspace.Striking) ingest.Striking {
	return ingest.Striking{
		Patient: about.Patient, From: about.From, To: about.To, Device: about.Device, ID: about.ID, Batch: about.Batch, Measure: about.Measure, Author: about.Author, Reason: about.Reason,
		Wide: about.Wide,
	}
}

func strikeIn(ctx context.Context, p *ingest.Pipeline, about workspace.Striking) (struck []*protocols.Reading, err error) {
	asked := strikingOf(about)
	if about.Undo {
		struck, err = p.Unstrike(ctx, asked)
	} else {
		struck, err = p.Strike(ctx, asked)
	}
	return struck, refusedStrike(err)
}

// aside is what was set aside, for the pages: what is kept of it, and who tries it again.
type aside struct {
	kept interface {
		SetAsides(ctx context.Context, filter ingest.SetAsideFilter) ([]ingest.SetAsideRecord, error)
	}
	*ingest.Pipeline
}

// SetAsides is workspace.Aside.SetAsides.
func (a aside) SetAsides(ctx context.Context, filter ingest.SetAsideFilter) ([]ingest.SetAsideRecord, error) {
	return a.kept.SetAsides(ctx, filter)
}

// Told is workspace.Aside.Told.
func (a aside) Told(record *ingest.SetAsideRecord, reason protocols.Reason) protocols.Text {
	return native.Told(record.Payload, reason)
}

// refusals are the sentences for what cannot be struck out.
var refusals = []struct {
	err  error
	code alerts.Code
	text protocols.Text
}{
	{ingest.ErrNoneToStrike, workspace.NoSuchReading, protocols.Text{FR: "Aucune mesure gardée n'y répond : vérifiez le patient, le moment et l'appareil.", EN: "No reading that is kept fits: check the patient, the moment and the device."}},
	{ingest.ErrStruckBefore, workspace.StruckBefore, protocols.Text{FR: "Ces mesures sont déjà rayées.", EN: "These readings are struck out already."}},
	{ingest.ErrNotStruck, workspace.NotStruck, protocols.Text{FR: "Ces mesures ne sont pas rayées.", EN: "These readings are not struck out."}},
	{ingest.ErrManyToStrike, workspace.TooManyAtOnce, protocols.Text{FR: "On raye 10 000 mesures au plus à la fois : choisissez des moments plus proches.", EN: "10,000 readings at most are struck out at once: choose moments that are closer."}},
	{ingest.ErrReplaced, workspace.Replaced, protocols.Text{FR: "L'appareil a redonné cette mesure depuis, avec d'autres valeurs : rayez d'abord celle-là.", EN: "The device has told this reading anew since, with other values: strike that one out first."}},
	{ingest.ErrOnlyBeyond, workspace.OnlyInInfluxDB, protocols.Text{FR: "Ces mesures, ou celles qui les précèdent, ne sont plus que dans InfluxDB : elles ne peuvent plus être rayées.", EN: "These readings, or those before them, are in InfluxDB alone by now: they can no longer be struck out."}},
}

func refusedStrike(err error) error {
	for _, r := range refusals {
		if errors.Is(err, r.err) {
			return &alerts.Refused{Code: r.code, Text: r.text}
		}
	}
	return err
}
