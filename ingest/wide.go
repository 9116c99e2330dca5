package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"vigie/protocols"
)

// WideAct is a strike of what a device measured, of many patients, or one that takes that
// back. It is done patient by patient, and kept before the first: one that was cut short
// goes on by itself.
type WideAct struct {
	ID       int64
	About    Striking // without a patient
	Undo     bool
	Patients []string // of whom, in their order
	At       time.Time
	Done     time.Time // when the last of them was done; zero until then
}

// WideActs is the part of a store that keeps them.
type WideActs interface {
	// KeepWideAct keeps an act and gives it its ID. IDs grow.
	KeepWideAct(ctx context.Context, act *WideAct) error
	// EndWideAct records when an act was done.
	EndWideAct(ctx context.Context, id int64, at time.Time) error
	// OpenWideActs lists those that are not done, in the order in which they came.
	OpenWideActs(ctx context.Context) ([]WideAct, error)
	// WideActsOf lists those about a device, done or not, in the order in which they came.
	WideActsOf(ctx context.Context, device string) ([]WideAct, error)
}

// WideStrikes are acts that struck readings out. What a person struck out by itself is none
// of theirs.
type WideStrikes []WideAct

// StrikesBefore are those of some acts that strike out and came before one, 0 for all.
func StrikesBefore(acts []WideAct, id int64) *WideStrikes {
	strikes := WideStrikes(slices.DeleteFunc(slices.Clone(acts), func(a WideAct) bool { return a.Undo || id != 0 && a.ID >= id }))
	return &strikes
}

// clocksApart is how much the clocks of two nodes may differ.
const clocksApart = time.Minute

// Made reports whether a mark was made by one of the acts: it bears its author and reason,
// and was made while the act was done. None was made by none, nil.
func (w *WideStrikes) Made(m *Mark) bool {
	return slices.ContainsFunc(*w, func(a WideAct) bool {
		return m.Author == a.About.Author && m.Reason == a.About.Reason &&
			!m.At.Before(a.At.Add(-clocksApart)) && (a.Done.IsZero() || !m.At.After(a.Done.Add(clocksApart)))
	})
}

// wideBody is what is kept of an act.
type wideBody struct {
	Device   string    `json:"device"`
	From     time.Time `json:"from"`
	To       time.Time `json:"to"`
	Batch    string    `json:"batch,omitempty"`
	Measure  string    `json:"measure,omitempty"`
	Author   string    `json:"author"`
	Reason   string    `json:"reason"`
	Undo     bool      `json:"undo,omitempty"`
	Patients []string  `json:"patients"`
}

// Body is what a store keeps of an act, in JSON, beside its ID and moments.
func (a *WideAct) Body() ([]byte, error) {
	body := wideBody{
		Device: a.About.Device, From: a.About.From, To: a.About.To, Batch: a.About.Batch, Author: a.About.Author, Reason: a.About.Reason,
		Undo: a.Undo, Patients: a.Patients,
	}
	if a.About.Measure != nil {
		body.Measure = a.About.Measure.ID
	}
	return json.Marshal(body)
}

// SetBody reads what Body wrote.
func (a *WideAct) SetBody(text []byte) error {
	var body wideBody
	if err := json.Unmarshal(text, &body); err != nil {
		return fmt.Errorf("read a strike of many patients: %w", err)
	}
	a.About = Striking{Device: body.Device, From: body.From, To: body.To, Batch: body.Batch, Author: body.Author, Reason: body.Reason}
	a.Undo, a.Patients = body.Undo, body.Patients
	if body.Measure == "" {
		return nil
	}
	if a.About.Measure = protocols.MeasureByID(body.Measure); a.About.Measure == nil {
		return fmt.Errorf("read a strike of many patients: the measure %q is not known to this program", body.Measure)
	}
	return nil
}
