package workspace

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"vigie/alerts/access"
	"vigie/ingest/registry"
)

// Pages of a list of the registry hold so many items unless a request says otherwise, and
// so many are read at once.
const (
	itemsPage = 100
	itemsRead = 500
)

// listing is what a request asks of a list: what lies behind an id, as far as it is
// wanted.
type listing struct {
	after string
	limit int
	query url.Values
}

// listingOf reads the parameters of a list. One that is not known is refused: a filter
// that is misspelt would show too much.
func listingOf(r *http.Request, known map[string]bool) (l listing, err error) {
	l.limit = itemsPage
	if l.query, err = queryOf(r); err != nil {
		return l, err
	}
	for name := range l.query {
		switch value := l.query.Get(name); {
		case name == "limit" && value != "":
			if l.limit, err = limitOf(value); err != nil {
				return l, err
			}
		case name == "after":
			l.after = value
		case name != "limit" && !known[name]:
			return l, badParameter(name, "il n'existe pas pour cette liste", "there is none of that name for this list")
		}
	}
	return l, nil
}

// wants reports whether a filter is not given, or is this.
func (l listing) wants(name, value string) bool {
	asked := l.query.Get(name)
	return asked == "" || asked == value
}

// filters are the parameters of each list, beside limit and after.
var filters = map[string]map[string]bool{
	registry.KindPatient:   {"q": true},
	registry.KindDevice:    {"kind": true},
	registry.KindEnrolment: {"patient": true, "protocol": true, "version": true, "team": true, "state": true, "ending": true},
	registry.KindTeam:      {},
}

// listItems lists what may be seen of a kind, by id.
func (w *Workspace) listItems(s section) http.HandlerFunc {
	lists := map[string]func(context.Context, listing) ([]json.RawMessage, string, error){
		registry.KindPatient: w.patientList, registry.KindDevice: w.deviceList,
		registry.KindEnrolment: w.enrolmentList, registry.KindTeam: w.teamList,
	}
	return func(rw http.ResponseWriter, r *http.Request) {
		asked, err := listingOf(r, filters[s.kind])
		if err != nil {
			w.fail(rw, r, err)
			return
		}
		items, next, err := lists[s.kind](r.Context(), asked)
		if err != nil {
			w.fail(rw, r, err)
			return
		}
		if items == nil {
			items = []json.RawMessage{}
		}
		body := map[string]any{s.path: items}
		if next != "" {
			body["next"] = next
		}
		w.reply(rw, r, http.StatusOK, body)
	}
}

// gather reads part after part until a page is full. show returns nil for what is not
// shown.
func gather[T any](ctx context.Context, l listing, read func(context.Context, string, int) ([]T, error), id func(*T) string, show func(*T) (json.RawMessage, error)) (shown []json.RawMessage, next string, err error) {
	last := ""
	for after := l.after; ; {
		part, err := read(ctx, after, itemsRead)
		if err != nil {
			return nil, "", err
		}
		for i := range part {
			text, err := show(&part[i])
			if err != nil {
				return nil, "", err
			}
			if text == nil {
				continue
			}
			if len(shown) == l.limit {
				return shown, last, nil
			}
			shown, last = append(shown, text), id(&part[i])
		}
		if len(part) != itemsRead {
			return shown, "", nil
		}
		after = id(&part[len(part)-1])
	}
}

func (w *Workspace) deviceList(ctx context.Context, l listing) ([]json.RawMessage, string, error) {
	return gather(ctx, l, w.Change.Devices, func(d *registry.Device) string { return d.Name }, func(d *registry.Device) (json.RawMessage, error) {
		if !l.wants("kind", d.Kind) {
			return nil, nil
		}
		if ok, err := w.mayOf(ctx, access.SeeDevices, d); err != nil || !ok {
			return nil, err
		}
		return registry.JSON(d)
	})
}

func (w *Workspace) enrolmentList(ctx context.Context, l listing) ([]json.RawMessage, string, error) {
	if state := registry.State(l.query.Get("state")); state != "" && !slices.Contains(registry.States(), state) {
		return nil, "", badParameter("state", "utilisez proposed, validated, active, suspended ou ended", "use proposed, validated, active, suspended or ended")
	}
	ending, err := daysOf(l.query.Get("ending"))
	if err != nil {
		return nil, "", err
	}
	return gather(ctx, l, w.Change.Enrolments, func(e *registry.Enrolment) string { return e.ID }, func(e *registry.Enrolment) (json.RawMessage, error) {
		if !l.wants("patient", e.Patient) || !l.wants("protocol", e.Protocol) || !l.wants("version", e.Version) || !l.wants("team", e.Team) || !l.wants("state", string(e.StateAt(w.Now()))) {
			return nil, nil
		}
		if ok, err := w.records.mayFor(ctx, access.SeePatients, e.Patient); err != nil || !ok {
			return nil, err
		}
		if ending > 0 {
			all, err := w.Enrolments(ctx, e.Patient)
			if err != nil || !e.EndsSoon(w.Now(), ending, all) {
				return nil, err
			}
		}
		saw(ctx, e.Patient)
		return registry.JSON(e)
	})
}

// daysOf reads a number of days; zero where none is given.
func daysOf(given string) (int, error) {
	if given == "" {
		return 0, nil
	}
	days, err := strconv.Atoi(given)
	if err != nil || days < 1 || days > 366 {
		return 0, badParameter("ending", "donnez un nombre de jours, 366 au plus", "give a number of days, 366 at most")
	}
	return days, nil
}

func (w *Workspace) teamList(ctx context.Context, l listing) ([]json.RawMessage, string, error) {
	read := func(ctx context.Context, after string, _ int) ([]registry.Team, error) {
		teams, err := w.Change.Teams(ctx)
		for len(teams) > 0 && teams[0].ID <= after {
			teams = teams[1:]
		}
		return teams, err
	}
	return gather(ctx, l, read, func(t *registry.Team) string { return t.ID }, func(t *registry.Team) (json.RawMessage, error) {
		if !access.From(ctx).MayIn(access.ManageTeam, t.ID) {
			return nil, nil
		}
		return registry.JSON(t)
	})
}

// faceJSON is a patient as a list shows him.
type faceJSON struct {
	ID         string         `json:"id"`
	BirthName  string         `json:"birth_name"`
	FirstGiven string         `json:"first_given_name"`
	Sex        string         `json:"sex"`
	BirthDate  string         `json:"birth_date"`
	Followed   []followedJSON `json:"followed"`
}

// followedJSON is an enrolment of a patient in a list.
type followedJSON struct {
	Protocol string    `json:"protocol"`
	Version  string    `json:"version"`
	Team     string    `json:"team"`
	From     time.Time `json:"from"`
	Until    time.Time `json:"until"`
	Devices  []string  `json:"devices"`
}

// patientList lists patients, or finds them by q: words of the name or the id, a birth
// date, a device or its serial number, a matricule.
func (w *Workspace) patientList(ctx context.Context, l listing) (list []json.RawMessage, next string, err error) {
	var found []registry.Face
	var more bool
	if typed := l.query.Get("q"); typed != "" {
		found, more, err = w.records.find(ctx, typed, l.after, l.limit)
	} else {
		found, more, err = w.records.everybody(ctx, l.after, l.limit)
	}
	if err != nil {
		return nil, "", err
	}
	for i := range found {
		f := &found[i]
		face := faceJSON{f.Patient, f.BirthName, f.FirstGiven, f.Sex, f.BirthDate, make([]followedJSON, len(f.Followed))}
		for j, of := range f.Followed {
			face.Followed[j] = followedJSON{of.Protocol, of.Version, of.Team, of.From, of.Until, of.Devices}
		}
		text, err := json.Marshal(face)
		if err != nil {
			return nil, "", err
		}
		list = append(list, text)
	}
	if more {
		next = found[len(found)-1].Patient
	}
	return list, next, nil
}
