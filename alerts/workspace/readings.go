package workspace

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/protocols"
)

// The formats in which readings are written.
const (
	JSON = "json"
	CSV  = "csv"
)

// The bounds of a history that nobody has narrowed.
var (
	earliest = time.Unix(0, 0).UTC()
	latest   = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)
)

// readings writes the readings of a patient. Whoever asked is logged: this is
// the one place through which programs read health data.
func (w *Workspace) readings(rw http.ResponseWriter, r *http.Request) {
	asked, err := historyOf(r)
	if err != nil {
		w.fail(rw, r, err)
		return
	}
	select {
	case w.exports <- struct{}{}:
		defer func() { <-w.exports }()
	case <-r.Context().Done():
		return
	}
	if err := w.whole(rw, r, asked); err != nil {
		w.fail(rw, r, err)
		return
	}
	who := access.From(r.Context())
	w.Log.Info("readings of a patient read", "patient", asked.patient, "account", who.Account, "token", who.Token)
	out := &lazy{rw: rw, format: asked.format, hurry: w.hurry}
	err = WriteReadings(out, asked.format, func(yield func(*protocols.Reading) bool) error {
		return w.records.readings(r.Context(), asked.patient, asked.measure, asked.from, asked.to, yield)
	})
	var missing partial
	switch {
	case err == nil, errors.As(err, &missing) && asked.partial:
	case out.begun:
		// What has been sent looks complete; only a broken connection tells.
		w.Log.Error("readings of a patient broke off", "error", err)
		panic(http.ErrAbortHandler)
	default:
		w.fail(rw, r, err)
	}
}

// partial is the error of a history in which some of the past is missing.
type partial interface {
	error
	WholeFrom() time.Time // from this instant on, everything is there
	Differs() bool        // the past answers, but has lost something
}

// whole refuses an answer that would not be whole, before any of it is sent; with
// partial=1 a header says from when on it is.
func (w *Workspace) whole(rw http.ResponseWriter, r *http.Request, asked asked) error {
	err := w.records.whole(r.Context(), asked.patient, asked.measure, asked.from, asked.to)
	var missing partial
	if !errors.As(err, &missing) {
		return err
	}
	from := missing.WholeFrom().UTC().Format(time.RFC3339)
	if asked.partial {
		rw.Header().Set("Vigie-Whole-From", from)
		return nil
	}
	w.Log.Warn("readings of a patient are not whole", "error", err)
	return &notWhole{from: from, Refused: refuse(codeNotWhole,
		"Ce qui a été mesuré avant le "+from+" est dans InfluxDB, qui ne répond pas ou n'a pas tout ; demandez depuis cet instant (from), ou ce qu'il y a (partial=1).",
		"What was measured before "+from+" is in InfluxDB, which does not answer or has not all of it; ask from that instant on (from), or for what there is (partial=1).")}
}

// notWhole is the refusal of an answer that would not be whole.
type notWhole struct {
	*alerts.Refused
	from string
}

func (n *notWhole) Unwrap() error { return n.Refused }

// exports is how many histories are written at a time: each may hold a connection
// of the store for as long as its reader takes, and all else needs some too.
const exports = 2

// hurry gives what is written next its time: who reads nothing would hold the
// answer, and what it is read from, for ever.
func (w *Workspace) hurry(rw http.ResponseWriter) {
	ctx, cancel := context.WithTimeout(context.Background(), w.Patience)
	defer cancel()
	until, _ := ctx.Deadline()
	if err := http.NewResponseController(rw).SetWriteDeadline(until); err != nil {
		w.Log.Debug("an answer without a deadline", "error", err)
	}
}

// asked is what a request for readings asks for.
type asked struct {
	patient  string
	measure  *protocols.Measure
	from, to time.Time
	format   string
	partial  bool // what there is, where not everything is
}

func historyOf(r *http.Request) (asked, error) {
	a := asked{patient: r.PathValue("id"), from: earliest, to: latest, format: JSON}
	if strings.Contains(r.Header.Get("Accept"), "text/csv") {
		a.format = CSV
	}
	query, err := queryOf(r)
	if err != nil {
		return a, err
	}
	for name, values := range query {
		if err := a.set(name, values); err != nil {
			return a, err
		}
	}
	return a, nil
}

func (a *asked) set(name string, values []string) (err error) {
	value := url.Values{name: values}.Get(name)
	if len(values) > 1 {
		return badParameter(name, "donnez-le une seule fois", "give it only once")
	}
	if value == "" {
		return nil
	}
	switch name {
	case "measure":
		if a.measure = protocols.MeasureByID(value); a.measure == nil {
			err = badParameter(name, "aucune mesure ne porte ce nom", "there is no measure of that name")
		}
	case "from":
		a.from, err = instant(name, value)
	case "to":
		a.to, err = instant(name, value)
	case "format":
		if value != JSON && value != CSV {
			err = badParameter(name, "utilisez json ou csv", "use json or csv")
		}
		a.format = value
	case "partial":
		if value != "1" {
			err = badParameter(name, "écrivez 1, ou omettez-le", "write 1, or leave it out")
		}
		a.partial = true
	case "lang":
	default:
		err = badParameter(name, "il n'existe pas ; utilisez measure, from, to, format ou partial", "there is none of that name; use measure, from, to, format or partial")
	}
	return err
}

// lazy sends the header with the first byte, so that a failure before it can
// still be answered as such.
type lazy struct {
	rw     http.ResponseWriter
	format string
	hurry  func(http.ResponseWriter) // before each write
	begun  bool
}

func (l *lazy) Write(p []byte) (int, error) {
	if !l.begun {
		l.begun = true
		kind := "application/json"
		if l.format == CSV {
			kind = "text/csv; charset=utf-8"
			l.rw.Header().Set("Content-Disposition", `attachment; filename="readings.csv"`)
		}
		l.rw.Header().Set("Content-Type", kind)
	}
	l.hurry(l.rw)
	return l.rw.Write(p)
}

// WriteReadings writes the readings that each gives, in JSON or CSV. JSON is an
// array of readings in the shape in which devices send them, in canonical units.
// CSV has one line per component that has a value: time, measure, component,
// value, unit, device, id, source; a value below what the device shows is "< 40". What a
// person has struck out is marked in JSON, and left out of CSV. Where some of the past is missing it writes what
// there is, and returns the error that says so.
func WriteReadings(to io.Writer, format string, each func(yield func(*protocols.Reading) bool) error) error {
	buffer := bufio.NewWriterSize(to, 32<<10)
	write, finish := writeJSON(buffer)
	if format == CSV {
		write, finish = writeCSV(buffer)
	}
	var failed error
	err := each(func(r *protocols.Reading) bool {
		failed = write(r)
		return failed == nil
	})
	if failed != nil {
		return fmt.Errorf("write readings: %w", failed)
	}
	var missing partial
	if err != nil && !errors.As(err, &missing) {
		return fmt.Errorf("read the history: %w", err)
	}
	if err := finish(); err != nil {
		return fmt.Errorf("write readings: %w", err)
	}
	if flushed := buffer.Flush(); flushed != nil {
		return flushed
	}
	return err
}

// readingJSON is a reading in the shape in which devices send it.
type readingJSON struct {
	ID      string            `json:"id"`
	Device  string            `json:"device"`
	Time    time.Time         `json:"time"`
	DayOnly bool              `json:"day_only,omitempty"`
	Measure string            `json:"measure"`
	Variant string            `json:"variant,omitempty"`
	Values  map[string]given  `json:"values"`
	Unit    string            `json:"unit"` // of the components that have none of their own
	Source  string            `json:"source"`
	Flags   []string          `json:"flags,omitempty"`
	Context map[string]string `json:"context,omitempty"`
	Battery *int              `json:"battery,omitempty"`
	Struck  bool              `json:"struck,omitempty"` // a person has marked it as not to be used
}

// given is a number as a device sends it: 40, or {"below": 40}.
type given struct {
	value protocols.Value
	limit protocols.Limit
}

// MarshalJSON writes it as a device does.
func (g given) MarshalJSON() ([]byte, error) {
	if g.limit == protocols.Measured {
		return g.value.MarshalJSON()
	}
	return json.Marshal(map[protocols.Limit]protocols.Value{g.limit: g.value})
}

func writeJSON(to io.Writer) (write func(*protocols.Reading) error, finish func() error) {
	separator := "["
	encoder := json.NewEncoder(to)
	write = func(r *protocols.Reading) error {
		if _, err := io.WriteString(to, separator); err != nil {
			return err
		}
		separator = ","
		return encoder.Encode(jsonOf(r))
	}
	finish = func() error {
		end := "]\n"
		if separator == "[" {
			end = "[]\n"
		}
		_, err := io.WriteString(to, end)
		return err
	}
	return write, finish
}

func jsonOf(r *protocols.Reading) readingJSON {
	out := readingJSON{
		ID: r.ID, Device: r.Device, Time: r.Time.UTC(), DayOnly: r.DayOnly, Measure: r.Measure.ID, Values: map[string]given{},
		Unit: r.Measure.Components[0].Unit, Source: r.Source.String(), Flags: r.Flags, Context: r.Context, Struck: r.Struck,
	}
	if r.Variant > 0 {
		out.Variant = r.Measure.Variants[r.Variant-1]
	}
	if r.Battery >= 0 {
		out.Battery = &r.Battery
	}
	for i, value := range r.Values {
		if value != protocols.Missing {
			shown, limit := r.Shown(i)
			out.Values[r.Measure.Components[i].Name] = given{shown, limit}
		}
	}
	return out
}

// plain keeps a spreadsheet from taking an id, which a device chooses, for a
// formula.
func plain(id string) string {
	if strings.IndexAny(id, "=+-@") == 0 {
		return "'" + id
	}
	return id
}

func writeCSV(to io.Writer) (write func(*protocols.Reading) error, finish func() error) {
	out := csv.NewWriter(to)
	header := out.Write([]string{"time", "measure", "component", "value", "unit", "device", "id", "source"})
	write = func(r *protocols.Reading) error {
		if r.Struck {
			return header
		}
		for i, value := range r.Values {
			if value == protocols.Missing {
				continue
			}
			c := r.Measure.Components[i]
			shown, limit := r.Shown(i)
			err := out.Write([]string{r.Time.UTC().Format(time.RFC3339Nano), r.Measure.ID, c.Name, limit.Sign() + shown.String(), c.Unit, r.Device, plain(r.ID), r.Source.String()})
			if err != nil {
				return err
			}
		}
		return header
	}
	finish = func() error {
		out.Flush()
		if header != nil {
			return header
		}
		return out.Error()
	}
	return write, finish
}
