package alerts

import (
	"context"

	"vigie/protocols"
)

// Seen is an alert as somebody had it before them when they decided what to do.
type Seen struct {
	Level  protocols.Level `json:"level"`
	Active bool            `json:"active"`
	// Worse is the graver figure that was shown; nil where none was.
	Worse *protocols.Value `json:"worse,omitempty"`
	// Figures says that one would have been shown, had there been any.
	Figures bool `json:"-"`
}

// In is that store for the act of somebody who saw an alert so. It refuses the act
// when the alert has got worse since: its level rose, its figure got worse, or the
// condition that was over goes on. Nobody takes on, or settles, what they have not
// read.
func (s Seen) In(store Store) Store { return seenStore{store, s} }

type seenStore struct {
	Store
	seen Seen
}

// Act is part of Store.
func (s seenStore) Act(ctx context.Context, id string, change func(On) (Change, error)) error {
	return s.Store.Act(ctx, id, func(on On) (Change, error) {
		if a := &on.Alert; a.State != Resolved && (a.Level > s.seen.Level || a.Active && !s.seen.Active || s.seen.missed(a)) {
			return Change{}, &Refused{WorseSince, protocols.Text{
				FR: "Cette alerte s'est aggravée depuis que vous l'avez affichée : relisez-la, puis agissez de nouveau.",
				EN: "This alert has got worse since you opened it: read it again, then act again.",
			}}
		}
		return change(on)
	})
}

// missed reports whether a figure got worse after somebody saw the alert. Who says
// nothing of figures saw none.
func (s Seen) missed(a *Alert) bool {
	if a.Worse == nil || s.Worse == nil {
		return a.Worse != nil && s.Figures
	}
	return *s.Worse != *a.Worse
}
