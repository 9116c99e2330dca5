package workspace

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigie/ingest/registry"
)

// shiftRow is one shift of the rota, and the form that changes it for who may. The last of
// those forms begins a new one.
type shiftRow struct {
	Place        string // among the shifts of the team; empty for a new one
	Text, People string
	Days         []choice
	Begins, Ends string
	Turns        [][]choice // who, by the week of the turn
	Start        string
	Open         bool // the form was refused: it holds what was sent
}

// mostWeeks is how many weeks people take turns over in a form. Files may have more; theirs
// stay.
const mostWeeks = 4

var weekdays = []string{"monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"}

// shifts lists the shifts of the rota. values are those of a form that was refused.
func (v *teamView) shifts(team *registry.Team, values url.Values) {
	if team.Rota == nil {
		return
	}
	for place := range team.Rota.Shifts {
		s := &team.Rota.Shifts[place]
		row := v.formOf(team, strconv.Itoa(place), shiftValues(s), values)
		row.Text, row.People = v.shiftText(s), v.shiftPeople(team, s)
		v.Shifts = append(v.Shifts, row)
	}
	if v.People != nil {
		v.Shifts = append(v.Shifts, v.formOf(team, "", url.Values{"day": weekdays}, values))
	}
}

// Nth counts from one.
func (v teamView) Nth(n int) int { return n + 1 }

// formOf is the form of one shift: as it is kept, or as it was sent.
func (v *teamView) formOf(team *registry.Team, place string, kept, sent url.Values) shiftRow {
	row := shiftRow{Place: place, Open: v.Error != "" && sent.Has("begins") && sent.Get("shift") == place}
	if row.Open {
		kept = sent
	}
	row.Begins, row.Ends, row.Start = kept.Get("begins"), kept.Get("ends"), kept.Get("start")
	for _, day := range weekdays {
		row.Days = append(row.Days, choice{day, v.T("day." + day), slices.Contains(kept["day"], day)})
	}
	turns := slices.DeleteFunc(slices.Clone(kept["turn"]), func(id string) bool { return id == "" })
	for week := range max(len(turns), min(mostWeeks, len(team.Rota.People))) {
		var who []choice
		for _, p := range team.Rota.People {
			who = append(who, choice{p.ID, p.Name, week < len(turns) && turns[week] == p.ID})
		}
		row.Turns = append(row.Turns, who)
	}
	return row
}

// shiftValues is a shift as a form sends it.
func shiftValues(s *registry.Shift) url.Values {
	days := s.Days
	if len(days) == 0 {
		days = weekdays
	}
	values := url.Values{"day": days, "begins": {s.From}, "ends": {s.Until}, "turn": s.People, "start": {s.Start}}
	if s.Start == "" && len(s.People) > 1 {
		values.Set("unstarted", "1") // a file may leave it out: what was kept so may be kept again
	}
	return values
}

// shiftText says when a shift is: "samedi, dimanche : 18:00 – 08:00".
func (v *teamView) shiftText(s *registry.Shift) string {
	days := v.T("team.shift.every")
	if len(s.Days) > 0 && len(s.Days) < len(weekdays) {
		names := make([]string, len(s.Days))
		for i, day := range s.Days {
			names[i] = v.T("day." + day)
		}
		days = strings.Join(names, ", ")
	}
	return days + v.T("colon") + s.From + " – " + s.Until
}

// shiftPeople says who has a shift, and since when they take turns.
func (v *teamView) shiftPeople(team *registry.Team, s *registry.Shift) string {
	names := make([]string, len(s.People))
	for i, id := range s.People {
		names[i] = personOf(team, id)
	}
	text := strings.Join(names, ", ")
	start, err := time.ParseInLocation(time.DateOnly, s.Start, v.Zone(v.ID))
	if len(names) > 1 && err == nil {
		text += " · " + v.T("team.shift.turns") + " " + date(v.Language, start, v.now)
	}
	return text
}

// shiftForm begins a shift, changes one, or ends one.
func (w *Workspace) shiftForm(rw http.ResponseWriter, r *http.Request) {
	if err := readForm(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	back, err := w.shift(r)
	if err != nil {
		refused := w.refusal(r, err)
		w.showTeam(rw, r, r.PostForm, statuses[refused.Code], err)
		return
	}
	changed, err := w.Change.Team(r.Context(), r.PostForm.Get("team"))
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	back.Set("seen", registry.Tag(changed)) // once somebody else has changed the rota, this is not theirs to undo
	again := url.Values{"team": {changed.ID}, "shifted": {"1"}}
	for name, list := range back {
		again[undoes+name] = list
	}
	http.Redirect(rw, r, "/team?"+again.Encode()+"#said", http.StatusSeeOther)
}

// shift makes the change. It returns the form that takes it back.
func (w *Workspace) shift(r *http.Request) (back url.Values, err error) {
	form, v := r.PostForm, w.view(r, "nav.team")
	team, list, err := w.rotaIn(r, "shifts")
	if err != nil {
		return nil, err
	}
	place := len(list)
	if at := form.Get("shift"); at != "" {
		if place, err = placeIn(at, list); err != nil {
			return nil, err
		}
		back = shiftValues(&team.Rota.Shifts[place])
	}
	if form.Get("end") != "" {
		if back == nil {
			return nil, errChanged
		}
		back.Set("at", strconv.Itoa(place))
		return back, w.putRota(r, team, "shifts", slices.Delete(list, place, place+1))
	}
	next, err := v.shiftIn(form)
	if err != nil {
		return nil, err
	}
	if back != nil {
		back.Set("shift", strconv.Itoa(place))
		list[place] = next
		return back, w.putRota(r, team, "shifts", list)
	}
	if at := form.Get("at"); at != "" && at != strconv.Itoa(place) { // where it was before it ended
		if place, err = placeIn(at, list); err != nil {
			return nil, err
		}
	}
	back = url.Values{"shift": {strconv.Itoa(place)}, "end": {"1"}}
	return back, w.putRota(r, team, "shifts", slices.Insert(list, place, next))
}

// shiftIn reads a shift from its form. Who and what the rota does not know is refused by
// the checks of an import.
func (v view) shiftIn(form url.Values) (any, error) {
	begins, ends := form.Get("begins"), form.Get("ends")
	if !registry.IsClock(begins) || !registry.IsClock(ends) {
		return nil, refuse(codeMalformed, "Dites de quelle heure à quelle heure, comme 18:00 et 08:00.", "Say from what time to what time, such as 18:00 and 08:00.")
	}
	days := form["day"]
	if len(days) == 0 {
		return nil, refuse(codeMalformed, "Cochez au moins un jour.", "Tick at least one day.")
	}
	people := slices.DeleteFunc(slices.Clone(form["turn"]), func(id string) bool { return id == "" })
	if len(people) == 0 {
		return nil, refuse(codeMalformed, "Choisissez qui est de garde.", "Choose who is on duty.")
	}
	shift := map[string]any{"from": begins, "until": ends, "people": anyOf(people)}
	if len(days) < len(weekdays) {
		shift["days"] = anyOf(days)
	}
	start := form.Get("start")
	if start == "" && len(people) > 1 && form.Get("unstarted") == "" {
		return nil, refuse(codeMalformed, "Dites de quand est la première semaine : les personnes alternent à partir d'elle.", "Say when the first week is: people take turns from it on.")
	}
	if start != "" {
		if _, err := time.Parse(time.DateOnly, start); err != nil {
			return nil, refuse(codeMalformed, "La première semaine est à dire par un de ses jours, comme 2026-11-23.", "Say the first week by one of its days, such as 2026-11-23.")
		}
		shift["start"] = start
	}
	return shift, nil
}

func anyOf(list []string) []any {
	all := make([]any, len(list))
	for i, text := range list {
		all[i] = text
	}
	return all
}

// undoes begins the names in the address of a page that offers to take a change back.
const undoes = "undo-"

// undoOfShift is the form that an address holds, and no other names than it has.
func undoOfShift(values url.Values) (form []sent) {
	for _, name := range []string{"seen", "shift", "end", "at", "day", "begins", "ends", "turn", "start", "unstarted"} {
		for _, value := range values[undoes+name] {
			form = append(form, sent{name, value})
		}
	}
	return form
}
