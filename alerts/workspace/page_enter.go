package workspace

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// enterView is the page on which a nurse types what a patient reads out on the phone. A
// value that is not usual for the patient is shown once more before it is kept.
type enterView struct {
	view
	Person   subject
	Record   string
	Measures []choice
	Measure  string // empty until one is chosen
	Title    string
	ID       string // of the reading: sent twice, it is kept once
	Devices  []choice
	Variants []choice
	Meals    []choice // when, by a meal
	Fields   []enterField
	At       string // by the clock of the patient
	Source   string
	Unusual  []string // why a second look is asked for
	Sure     string   // what the second look holds for
	Error    string
	Done     string
}

// enterField is one component of a measure.
type enterField struct {
	Name, Title, Unit, Value string
	Usual                    string
	Required                 bool
	Grades                   []choice // the answers, where they are words
}

// usualBack is how far back usual values are looked for, and usualFew how many there are
// at least.
const (
	usualBack = 90 * 24 * time.Hour
	usualFew  = 3
)

// usual is the range of a component of late.
type usual struct {
	low, median, high float64
	count             int
}

// holds reports whether a value is within the range, widened by a tenth of the median on
// each side. Of few values nothing is usual.
func (u usual) holds(value float64) bool {
	wide := math.Abs(u.median) / 10
	return u.count >= usualFew && value >= u.low-wide && value <= u.high+wide
}

func (w *Workspace) enterPage(rw http.ResponseWriter, r *http.Request) {
	query, err := queryOf(r)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	v := enterView{view: w.view(r, "enter.title")}
	if query.Get("done") != "" {
		v.Done = v.T("enter.done")
	}
	w.showEnter(rw, r, http.StatusOK, v, query)
}

// showEnter fills the page with what was typed and shows it.
func (w *Workspace) showEnter(rw http.ResponseWriter, r *http.Request, status int, v enterView, typed url.Values) {
	if err := w.fillEnter(r.Context(), &v, r.PathValue("id"), typed); err != nil {
		w.failPage(rw, r, err)
		return
	}
	w.render(rw, r, status, "enter", v)
}

func (w *Workspace) fillEnter(ctx context.Context, v *enterView, patient string, typed url.Values) error {
	if err := w.records.mayEnter(ctx, patient); err != nil {
		return err
	}
	enrolments, err := w.records.enrolments(ctx, patient)
	if err != nil {
		return err
	}
	if err := w.whose(ctx, &v.view, &v.Person, patient); err != nil {
		return err
	}
	v.Record = "/patients/" + url.PathEscape(patient)
	v.Source = typed.Get("source")
	m := protocols.MeasureByID(typed.Get("measure"))
	if m == nil && typed.Get("measure") != "" {
		return badParameter("measure", "aucune mesure ne porte ce nom", "there is no measure of that name")
	}
	w.enterMeasures(v, enrolments, m)
	if m == nil {
		return nil
	}
	return w.fillMeasure(ctx, v, patient, enrolments, m, typed)
}

// fillMeasure fills in the form of a measure.
func (w *Workspace) fillMeasure(ctx context.Context, v *enterView, patient string, enrolments []registry.Enrolment, m *protocols.Measure, typed url.Values) error {
	v.Measure, v.Title = m.ID, v.In(m.Title)
	if v.ID = typed.Get("reading"); v.ID == "" {
		v.ID = "entered-" + rand.Text()
	}
	if v.At = typed.Get("at"); v.At == "" {
		v.At = v.now.In(v.Zone("")).Format(wallClock)
	}
	w.enterDevices(ctx, v, enrolments, m, typed.Get("device"))
	for _, name := range m.Variants {
		v.Variants = append(v.Variants, choice{name, v.T("variant." + name), name == typed.Get("variant")})
	}
	if m.ID == eaten {
		for _, meal := range protocols.Meals() {
			v.Meals = append(v.Meals, choice{string(meal.Meal), v.In(meal.Title), string(meal.Meal) == typed.Get("meal")})
		}
	}
	return w.enterFields(ctx, v, patient, m, typed)
}

// eaten is the measure of which a meal says what is normal.
const eaten = "glucose"

// enterMeasures offers what the protocols of the patient look at first, then the rest.
func (w *Workspace) enterMeasures(v *enterView, enrolments []registry.Enrolment, chosen *protocols.Measure) {
	observed := map[string]bool{}
	for i := range enrolments {
		if !enrolments[i].Covers(v.now) || w.Protocol == nil {
			continue
		}
		if p := w.Protocol(enrolments[i].Protocol, enrolments[i].Version); p != nil {
			for _, o := range p.Observations {
				observed[o.Measure.ID] = true
			}
		}
	}
	for _, m := range protocols.Measures() {
		if observed[m.ID] {
			v.Measures = append(v.Measures, choice{m.ID, v.In(m.Title), m == chosen})
		}
	}
	for _, m := range protocols.Measures() {
		if !observed[m.ID] {
			v.Measures = append(v.Measures, choice{m.ID, v.In(m.Title), m == chosen})
		}
	}
}

// enterDevices lists the devices of the patient that take a measure.
func (w *Workspace) enterDevices(ctx context.Context, v *enterView, enrolments []registry.Enrolment, m *protocols.Measure, chosen string) {
	seen := map[string]bool{}
	for i := range enrolments {
		if !enrolments[i].Covers(v.now) {
			continue
		}
		for _, name := range enrolments[i].Devices {
			if seen[name] || w.Device == nil {
				continue
			}
			seen[name] = true
			a, err := w.Device(ctx, name)
			if err != nil {
				continue
			}
			title := a.Device.Kind
			if kind := protocols.KindByID(title); kind != nil {
				if !kind.Takes(m) {
					continue
				}
				title = v.In(kind.Title)
			}
			v.Devices = append(v.Devices, choice{name, strings.Join(strings.Fields(title+" "+a.Device.Brand+" "+a.Device.Model), " ") + " (" + name + ")", name == chosen})
		}
	}
}

func (w *Workspace) enterFields(ctx context.Context, v *enterView, patient string, m *protocols.Measure, typed url.Values) error {
	ranges, err := w.usualOf(ctx, patient, m, v.now)
	if err != nil {
		return err
	}
	for i := range m.Components {
		c := &m.Components[i]
		f := enterField{Name: c.Name, Title: v.In(c.Title), Unit: v.In(protocols.SpokenUnit(c.Unit)), Value: typed.Get("value." + c.Name), Required: !c.Optional}
		if u := ranges[i]; u.count >= usualFew {
			f.Usual = v.T("enter.usual") + " " + v.amount(u.low, c) + " " + v.T("enter.and") + " " + v.amount(u.high, c)
		}
		for n, grade := range c.Grades {
			value := (c.Low + protocols.Value(n)*1000).String()
			f.Grades = append(f.Grades, choice{value, v.In(grade), value == f.Value})
		}
		v.Fields = append(v.Fields, f)
	}
	return nil
}

// amount is a number of a component with its unit.
func (v view) amount(value float64, c *protocols.Component) string {
	exact, ok := protocols.Of(value)
	if !ok {
		exact = protocols.Missing
	}
	return v.Say(exact, c.Decimals, c.Unit)
}

// usualOf reads the range of each component of late.
func (w *Workspace) usualOf(ctx context.Context, patient string, m *protocols.Measure, now time.Time) ([]usual, error) {
	values := make([][]float64, len(m.Components))
	err := w.records.readings(ctx, patient, m, now.Add(-usualBack), now.Add(1), func(r *protocols.Reading) bool {
		for i, value := range r.Values {
			if value != protocols.Missing && !r.Struck {
				values[i] = append(values[i], value.Float())
			}
		}
		return true
	})
	var missing partial
	if err != nil && !errors.As(err, &missing) {
		return nil, err
	}
	ranges := make([]usual, len(m.Components))
	for i, list := range values {
		if len(list) == 0 {
			continue
		}
		slices.Sort(list)
		ranges[i] = usual{list[0], list[(len(list)-1)/2], list[len(list)-1], len(list)}
	}
	return ranges, nil
}

// enterForm keeps what was typed, after a second look at what is not usual.
func (w *Workspace) enterForm(rw http.ResponseWriter, r *http.Request) {
	if err := readForm(rw, r); err != nil {
		w.failPage(rw, r, err)
		return
	}
	patient, form := r.PathValue("id"), r.PostForm
	v := enterView{view: w.view(r, "enter.title")}
	if err := w.records.mayEnter(r.Context(), patient); err != nil {
		w.failPage(rw, r, err)
		return
	}
	if err := w.whose(r.Context(), &v.view, &v.Person, patient); err != nil {
		w.failPage(rw, r, err)
		return
	}
	typed, err := v.typed(form)
	if err != nil {
		refused := w.refusal(r, err)
		v.Error = v.In(refused.Text)
		w.showEnter(rw, r, http.StatusUnprocessableEntity, v, form)
		return
	}
	if form.Get("sure") != typed.digest() {
		if v.Unusual, err = w.unusual(r.Context(), v.view, patient, typed); err != nil {
			w.failPage(rw, r, err)
			return
		}
		if len(v.Unusual) > 0 {
			v.Sure = typed.digest()
			w.showEnter(rw, r, http.StatusOK, v, form)
			return
		}
	}
	about := Entering{Patient: patient, Device: typed.device, Readings: []json.RawMessage{typed.text}, Author: access.From(r.Context()).Name, Reason: "dictée au téléphone"}
	entered, err := w.records.enter(r.Context(), about, w.Options.Enter)
	if err != nil {
		w.failPage(rw, r, err)
		return
	}
	for _, code := range slices.Sorted(maps.Keys(entered.Refused)) {
		v.Error = v.refusedBecause(typed.measure, code, entered.FirstFault[code].Path)
		w.showEnter(rw, r, http.StatusUnprocessableEntity, v, form)
		return
	}
	w.Log.Info("a reading was entered by hand", "new", entered.New, "known", entered.Known, "batch", entered.Batch, "account", access.From(r.Context()).Account)
	http.Redirect(rw, r, r.URL.Path+"?done=1", http.StatusSeeOther)
}

// refusedBecause says why a reading was refused, which field is meant, and the way out.
func (v view) refusedBecause(m *protocols.Measure, code protocols.Code, path string) string {
	return v.T("enter.refused") + v.T("colon") + v.refusedField(m, code, path) + " " + v.T("code.way."+string(code))
}

// refusedField is a reason in words, with the field that is meant.
func (v view) refusedField(m *protocols.Measure, code protocols.Code, path string) string {
	said := v.T("code." + string(code))
	field := ""
	switch name, isValue := strings.CutPrefix(path, "values."); {
	case isValue:
		if i := m.Component(name); i >= 0 {
			field = v.In(m.Components[i].Title)
		}
	case path == "time":
		field = v.T("enter.at")
	case path == "device":
		field = v.T("enter.device")
	}
	if field != "" {
		said += " (" + field + ")"
	}
	return said + "."
}

// typedReading is what a form holds, read.
type typedReading struct {
	measure *protocols.Measure
	device  string
	values  []protocols.Value
	text    json.RawMessage // as a device would send it
}

// digest names what was typed but for the moment, so that a second look holds for these
// values alone.
func (t *typedReading) digest() string {
	var said []string
	for _, value := range t.values {
		said = append(said, value.String())
	}
	return t.measure.ID + "/" + t.device + "/" + strings.Join(said, "/")
}

// typed reads a form: numbers with a comma or a point, and the time by the clock of the
// patient.
func (v view) typed(form url.Values) (*typedReading, error) {
	m := protocols.MeasureByID(form.Get("measure"))
	if m == nil {
		return nil, refuse(alerts.Code(protocols.UnknownMeasure), "Choisissez une mesure.", "Choose a measure.")
	}
	t := &typedReading{measure: m, device: form.Get("device"), values: make([]protocols.Value, len(m.Components))}
	if t.device == "" {
		return nil, refuse(codeMalformed, "Choisissez l'appareil qui a mesuré.", "Choose the device that measured.")
	}
	at, err := time.ParseInLocation(wallClock, form.Get("at"), v.Zone(""))
	if err != nil {
		return nil, refuse(codeMalformed, "Donnez la date et l'heure de la mesure.", "Give the date and the time of the reading.")
	}
	source, known := protocols.ParseSource(form.Get("source"))
	if !known || source == protocols.FromDevice {
		return nil, refuse(codeMalformed, "Dites qui a relevé la mesure.", "Say who took the reading.")
	}
	values := map[string]json.Number{}
	for i := range m.Components {
		c := &m.Components[i]
		t.values[i] = protocols.Missing
		text := strings.Replace(strings.TrimSpace(form.Get("value."+c.Name)), ",", ".", 1)
		if text == "" {
			continue
		}
		number, err := strconv.ParseFloat(text, 64)
		value, ok := protocols.Of(number)
		if err != nil || !ok || strings.ContainsAny(text, "xXpP_nN") {
			return nil, refuse(alerts.Code(protocols.NotANumber), "« "+c.Title.FR+" » n'est pas un nombre.", "“"+c.Title.EN+"” is not a number.")
		}
		t.values[i] = value
		values[c.Name] = json.Number(value.String())
	}
	if len(values) == 0 {
		return nil, refuse(alerts.Code(protocols.MissingValue), "Saisissez au moins une valeur.", "Type at least one value.")
	}
	reading := map[string]any{
		"id": form.Get("reading"), "time": at.Format(time.RFC3339), "measure": m.ID, "values": values,
		"unit": m.Components[0].Unit, "source": source.String(),
	}
	if around := surroundings(m, form); len(around) > 0 {
		reading["context"] = around
	}
	t.text, err = json.Marshal(reading)
	return t, err
}

// surroundings are what a form says beside the values, as a device would: what was
// measured in, and when by a meal.
func surroundings(m *protocols.Measure, form url.Values) map[string]string {
	around := map[string]string{}
	if m.Variant(form.Get("variant")) > 0 {
		around["specimen"] = form.Get("variant")
	}
	if meal := protocols.MealOf(form.Get("meal")); meal != "" && m.ID == eaten {
		around[protocols.MealContext] = string(meal)
	}
	return around
}

// unusual says in sentences which values are not what the patient usually has.
func (w *Workspace) unusual(ctx context.Context, v view, patient string, t *typedReading) (said []string, err error) {
	ranges, err := w.usualOf(ctx, patient, t.measure, v.now)
	if err != nil {
		return nil, err
	}
	for i, value := range t.values {
		c := &t.measure.Components[i]
		if value == protocols.Missing || c.Event || len(c.Grades) > 0 || ranges[i].holds(value.Float()) {
			continue
		}
		text := v.In(c.Title) + v.T("colon") + v.Say(value, c.Decimals, c.Unit) + ". "
		if u := ranges[i]; u.count >= usualFew {
			text += v.T("enter.usual") + " " + v.amount(u.low, c) + " " + v.T("enter.and") + " " + v.amount(u.high, c) + "."
		} else {
			text += v.T("enter.few")
		}
		said = append(said, text)
	}
	return said, nil
}
