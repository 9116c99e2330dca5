package workspace

import (
	"context"
	"maps"
	"slices"

	"vigie/alerts"
	"vigie/alerts/access"
)

// Route is a line of the table of routes as tests walk it.
type Route struct {
	Pattern string
	Open    bool // everybody gets in
	Person  bool // a page, not the interface for programs
	Needs   access.Right
}

// Unresolved is what the worklist shows to who asks.
func (w *Workspace) Unresolved(ctx context.Context, f alerts.Filter) ([]alerts.Alert, error) {
	list, err := w.records.unresolved(ctx, f)
	all := []alerts.Alert{}
	for _, a := range list {
		all = append(all, *a)
	}
	return all, err
}

// Routes lists what is served.
func (w *Workspace) Routes() []Route {
	var list []Route
	for _, r := range w.routes() {
		list = append(list, Route{r.Pattern, r.Door == open, r.Door == person, r.Needs})
	}
	return list
}

// Described lists the routes that the document for programs has something to say of.
func (w *Workspace) Described() []string { return slices.Sorted(maps.Keys(operations)) }
