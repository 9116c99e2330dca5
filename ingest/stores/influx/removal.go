package influx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/influxdata/influxdb-client-go/v2/api/query"

	"vigie/ingest"
	"vigie/protocols"
)

// erase deletes every point of a patient, whichever measurement it stands in: of a
// measure that Vigie no longer has, or made of his by the database. It sees that none is
// left.
func (c *Client) erase(ctx context.Context, patient string) error {
	g, err := c.generation(ctx)
	if err != nil {
		return err
	}
	switch g {
	case One:
		err = c.statement(ctx, `DROP SERIES WHERE "patient" = `+influxString(patient))
	case Two:
		err = c.delete(ctx, earliest, latest, []string{"patient", patient}, "")
	default:
		return &Fault{Kind: CannotErase}
	}
	if err != nil {
		return err
	}
	left, err := c.Left(ctx, patient)
	if err == nil && left > 0 {
		err = fmt.Errorf("InfluxDB still holds %d series or points of a patient whom it was to delete", left)
	}
	return err
}

// Left counts what still bears the pseudonym of a patient, in any measurement: series of
// 1.8, in every retention policy of the database, and values of 2.x.
func (c *Client) Left(ctx context.Context, patient string) (count int, err error) {
	g, err := c.generation(ctx)
	if err != nil {
		return 0, err
	}
	switch g {
	case One:
		err = c.influxQL(ctx, `SHOW SERIES WHERE "patient" = `+influxString(patient), func(s *series) error {
			return s.eachRow(func([][]byte) error { count++; return nil })
		})
	case Two:
		asked := ingest.Asked{Patients: []string{patient}, From: earliest, To: latest}
		err = c.flux(ctx, fluxText(c.options.Bucket, asked), func(*query.FluxRecord) error { count++; return nil })
	default:
		err = &Fault{Kind: NotRead}
	}
	c.note(err)
	return count, err
}

// remembers reports whether the index of 2.x still holds the name of a patient whose
// points it has deleted, as it does for a while.
func (c *Client) remembers(ctx context.Context, patient string) (bool, error) {
	g, err := c.generation(ctx)
	if err != nil || g != Two {
		return false, err
	}
	names, err := c.fluxPatients(ctx, patient)
	return slices.Contains(names, patient), err
}

// deletePoint deletes one reading.
func (c *Client) deletePoint(ctx context.Context, n *ingest.Name) error {
	m := protocols.MeasureByID(n.Measure)
	if m == nil {
		return nil
	}
	g, err := c.generation(ctx)
	if err != nil {
		return err
	}
	at := pointTime(&protocols.Reading{ID: n.ID, Time: n.Time})
	tags := []string{"device", n.Device, "patient", n.Patient, "source", n.Source.String()}
	if n.Variant > 0 {
		tags = append(tags, "variant", m.Variants[n.Variant-1])
	}
	for _, name := range measurements([]*protocols.Measure{m}) {
		switch g {
		case One:
			var where strings.Builder
			for i := 0; i < len(tags); i += 2 {
				where.WriteString(" AND " + influxName(tags[i]) + " = " + influxString(tags[i+1]))
			}
			err = c.statement(ctx, "DELETE FROM "+influxName(name)+" WHERE time = "+strconv.FormatInt(at, 10)+where.String())
		case Two:
			moment := time.Unix(0, at).UTC()
			err = c.delete(ctx, moment, moment, tags, name)
		default:
			return &Fault{Kind: CannotErase}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// statement runs one that changes something in 1.8.
func (c *Client) statement(ctx context.Context, text string) error {
	return c.influxQL(ctx, text, func(*series) error { return nil })
}

// delete deletes points of 2.x by their tags, in [from, to], of one measurement or of
// all.
func (c *Client) delete(ctx context.Context, from, to time.Time, tags []string, measurement string) error {
	var tests []string
	if measurement != "" {
		tests = append(tests, "_measurement="+deleteString(measurement))
	}
	for i := 0; i < len(tags); i += 2 {
		tests = append(tests, tags[i]+"="+deleteString(tags[i+1]))
	}
	body, err := json.Marshal(map[string]string{"start": from.Format(time.RFC3339Nano), "stop": to.Format(time.RFC3339Nano), "predicate": strings.Join(tests, " AND ")})
	if err != nil {
		return err
	}
	target := url.Values{"org": {c.options.Org}, "bucket": {c.options.Bucket}}
	answer, said, err := c.ask(ctx, http.MethodPost, "/api/v2/delete", target, "application/json", string(body))
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusNoContent {
		return faultOf(saidOf(answer, said), writing)
	}
	return nil
}

// deleteString quotes a text of a predicate of deletion.
func deleteString(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"`
}

// mark writes whether a reading is struck out. It adds a field to its point, and
// changes nothing else of it.
func (c *Client) mark(ctx context.Context, n *ingest.Name, struck bool) error {
	m := protocols.MeasureByID(n.Measure)
	if m == nil {
		return nil
	}
	r := &protocols.Reading{ID: n.ID, Device: n.Device, Patient: n.Patient, Time: n.Time, Measure: m, Source: n.Source, Variant: n.Variant}
	value := protocols.Value(0)
	if struck {
		value = 1000
	}
	line := appendNumber(append(appendSeries(nil, r, ""), ' '), fieldStruck, value)
	return c.Write(ctx, string(appendTime(line, r)))
}

// carry carries out an errand that changes what InfluxDB holds.
func (f *Forwarder) carry(ctx context.Context, e *ingest.Errand) error {
	switch e.Kind {
	case ingest.Erase:
		if err := f.settleOf(ctx, e.Task.Patient); err != nil {
			return err
		}
		return f.client.erase(ctx, e.Task.Patient)
	case ingest.Strike, ingest.Unstrike:
		return f.client.mark(ctx, e.Task.Reading, e.Kind == ingest.Strike)
	case ingest.Correct:
		if e.Task.Forgotten {
			return f.correctOnly(ctx, e)
		}
		if err := f.client.deletePoint(ctx, e.Task.Reading); err != nil {
			return err
		}
		return f.rewrite(ctx, e.Task.Becomes)
	}
	return fmt.Errorf("the errand %d is of a kind that this program does not know (%s): start the newer Vigie that wrote it", e.ID, e.Kind)
}

// correctOnly gives the only copy of a reading another name, or deletes it. It is
// written and recorded before it is deleted: done again, it goes on where it was.
func (f *Forwarder) correctOnly(ctx context.Context, e *ingest.Errand) error {
	was, is := e.Task.Reading, e.Task.Becomes
	if !e.Reached.Recorded {
		point, err := f.client.point(ctx, was)
		if err != nil {
			return err
		}
		if point == nil {
			e.Reached.Note = "InfluxDB does not hold this reading"
			return nil
		}
		var becomes *protocols.Reading
		if is != nil {
			becomes = named(point.Reading, is)
			if err := f.client.writePoint(ctx, becomes, point.Struck); err != nil {
				return err
			}
		}
		e.Reached.Recorded = true
		if err := f.journal.Corrected(ctx, *e, point.Reading, becomes); err != nil {
			e.Reached.Recorded = false
			return err
		}
	}
	if is != nil && samePlace(was, is) {
		return nil
	}
	return f.client.deletePoint(ctx, was)
}

// writePoint writes a reading, and that it is struck out where it is.
func (c *Client) writePoint(ctx context.Context, r *protocols.Reading, struck bool) error {
	if err := c.Write(ctx, string(appendLines(nil, r))); err != nil || !struck {
		return err
	}
	return c.mark(ctx, ingest.NameOf(r), true)
}

// named is a reading under another name. What was measured stays what it was.
func named(r *protocols.Reading, n *ingest.Name) *protocols.Reading {
	other := *r
	other.Patient, other.Device, other.ID, other.Time, other.Source, other.Variant = n.Patient, n.Device, n.ID, n.Time, n.Source, n.Variant
	return &other
}

// samePlace reports whether the point of one reading takes the place of another's.
func samePlace(a, b *ingest.Name) bool {
	place := func(n *ingest.Name) ingest.Name {
		p := *n
		p.ID, p.Time = "", time.Unix(0, pointTime(&protocols.Reading{ID: n.ID, Time: n.Time}))
		return p
	}
	return place(a) == place(b)
}

// point reads one reading back; nil when InfluxDB does not hold it.
func (c *Client) point(ctx context.Context, n *ingest.Name) (found *ingest.Point, err error) {
	m := protocols.MeasureByID(n.Measure)
	if m == nil {
		return nil, nil
	}
	asked := ingest.Asked{Patients: []string{n.Patient}, Measures: []*protocols.Measure{m}, From: n.Time, To: n.Time.Add(1)}
	err = c.Points(ctx, asked, func(p ingest.Point) error {
		if r := p.Reading; r.Device == n.Device && r.ID == n.ID && r.Source == n.Source && r.Variant == n.Variant {
			found = &p
		}
		return nil
	})
	return found, err
}

// rewrite sends a reading as the store has it now.
func (f *Forwarder) rewrite(ctx context.Context, n *ingest.Name) error {
	if n == nil || protocols.MeasureByID(n.Measure) == nil {
		return nil
	}
	var lines []byte
	err := f.journal.History(ctx, n.Patient, protocols.MeasureByID(n.Measure), n.Time, n.Time.Add(1), func(r *protocols.Reading) bool {
		if r.Device == n.Device && r.ID == n.ID {
			lines = appendLines(nil, r)
		}
		return true
	})
	if err != nil || lines == nil {
		return err
	}
	return f.client.Write(ctx, string(lines))
}

// settleOf takes what is set aside of a patient out of what is sent again.
func (f *Forwarder) settleOf(ctx context.Context, patient string) error {
	tag := string(appendTag(nil, "patient", patient)) + ","
	for before := int64(0); ; {
		refused, err := f.journal.Refused(ctx, before)
		if err != nil || len(refused) == 0 {
			return err
		}
		before = refused[len(refused)-1].ID
		var theirs []int64
		for _, r := range refused {
			if strings.Contains(r.Line, tag) {
				theirs = append(theirs, r.ID)
			}
		}
		if len(theirs) == 0 {
			continue
		}
		if err := f.journal.Settle(ctx, theirs); err != nil {
			return fmt.Errorf("take what is set aside of a patient out of what is sent again: %w", err)
		}
	}
}

// errands does what is due behind a place in the journal, in its order, and returns
// the place behind which the next one waits; 0 when none does.
func (f *Forwarder) errands(ctx context.Context, cursor int64) (next int64, err error) {
	open, err := f.journal.OpenErrands(ctx)
	if err != nil {
		return 0, fmt.Errorf("see what else is to be done: %w", err)
	}
	for i := range open {
		e := &open[i]
		switch {
		case e.Kind == ingest.Feed || e.Kind == ingest.Resend:
			continue // behind everything else
		case !e.Carried.IsZero():
			if err := f.close(ctx, e); err != nil {
				return 0, err
			}
		case e.After > cursor:
			return e.After, nil
		default:
			if err := f.carryOut(ctx, e); err != nil {
				return 0, err
			}
		}
	}
	return 0, nil
}

// carryOut does one errand and records it. What a server cannot do is said there.
func (f *Forwarder) carryOut(ctx context.Context, e *ingest.Errand) error {
	err := f.carry(ctx, e)
	var refused *RefusedError
	switch {
	case isFault(err, CannotErase):
		e.Reached.Note = staysInThree
		f.log.Warn("InfluxDB cannot carry out a deletion", "errand", e.ID, "kind", string(e.Kind))
	case errors.As(err, &refused):
		e.Reached.Note = refused.Reason
		f.log.Warn("InfluxDB refused to have a reading changed", "errand", e.ID, "kind", string(e.Kind), "reason", refused.Reason)
	case err != nil:
		return fmt.Errorf("carry out the errand %d (%s): %w", e.ID, e.Kind, err)
	}
	e.Carried = f.now()
	e.Reached.Former = e.Kind == ingest.Erase && f.former != nil
	if e.Kind != ingest.Erase || e.Reached.Note != "" && !e.Reached.Former {
		e.Done = e.Carried
	}
	if err := f.journal.SetErrand(ctx, *e); err != nil {
		return err
	}
	if e.Kind == ingest.Erase {
		f.erased = nil // to be read anew
		return f.close(ctx, e)
	}
	return nil
}

// What a person should know of an erasure that is carried out.
const (
	staysInThree = "InfluxDB 3 deletes nothing: what it was sent of this stays there"
	inTheIndex   = "no point is left; the index of InfluxDB holds the pseudonym for some time yet"
	ofBefore     = "the InfluxDB of before (influx.former): "
	notNamed     = ofBefore + "it was taken out of the configuration before it had deleted anything"
)

// closeEvery is how often it is looked whether the index of 2.x has forgotten, and tried
// whether the InfluxDB of before deletes.
const closeEvery = time.Hour

// close ends an erasure once the index does not hold the patient's name any more, and the
// InfluxDB of before, which may be away for days, has deleted him too.
func (f *Forwarder) close(ctx context.Context, e *ingest.Errand) error {
	if !e.Done.IsZero() || f.now().Before(f.closing[e.ID]) {
		return nil
	}
	was := e.Reached
	e.Reached.Note = ""
	g, err := f.client.generation(ctx)
	if err != nil {
		return err
	}
	remembers, err := f.client.remembers(ctx, e.Task.Patient)
	switch {
	case err != nil:
		return err
	case g == Three:
		e.Reached.Note = staysInThree
	case remembers:
		e.Reached.Note = inTheIndex
	}
	if e.Reached.Former {
		if err := f.eraseBefore(ctx, e); err != nil {
			return err
		}
	}
	if remembers || e.Reached.Former {
		if f.closing == nil {
			f.closing = map[int64]time.Time{}
		}
		f.closing[e.ID] = f.now().Add(closeEvery)
		if was == e.Reached {
			return nil
		}
		return f.journal.SetErrand(ctx, *e)
	}
	delete(f.closing, e.ID)
	e.Done = f.now()
	return f.journal.SetErrand(ctx, *e)
}

// eraseBefore deletes a patient from the InfluxDB of before. What keeps it from that is
// noted, and holds up nothing else: one that does not answer is left alone for an hour.
func (f *Forwarder) eraseBefore(ctx context.Context, e *ingest.Errand) error {
	note := func(said string, over bool) {
		e.Reached.Note = strings.TrimPrefix(e.Reached.Note+"; "+said, "; ")
		e.Reached.Former = !over
	}
	if f.former == nil {
		note(notNamed, true)
		return nil
	}
	if f.now().Before(f.formerAgain) {
		note(ofBefore+"it did not delete a moment ago", false)
		return nil
	}
	err := f.former.erase(ctx, e.Task.Patient)
	switch {
	case err == nil:
		e.Reached.Former = false
	case ctx.Err() != nil:
		return ctx.Err()
	case isFault(err, CannotErase):
		note(ofBefore+staysInThree, true)
	default:
		f.formerAgain = f.now().Add(closeEvery)
		f.log.Warn("the InfluxDB of before (influx.former) has not deleted a patient who was erased; it is tried again every hour", "errand", e.ID, "error", In(err, f.client.options.Language))
		note(ofBefore+err.Error(), false)
	}
	return nil
}
