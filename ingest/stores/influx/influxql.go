package influx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"vigie/ingest"
	"vigie/protocols"
)

// series is a part of an answer in InfluxQL.
type series struct {
	Name    string
	Tags    map[string]string
	Columns []string
	Values  [][]any // json.Number, string, bool or nil
	Partial bool
}

// chunk is one of the documents of a chunked answer.
type chunk struct {
	Results []struct {
		StatementID int `json:"statement_id"`
		Series      []series
		Partial     bool
		Error       string
	}
	Error string
}

// chunkRows is how many rows the server sends at a time.
const chunkRows = "5000"

// influxQL runs statements and calls each with every part of the answer. Anything
// but an answer that came to its end is a failure: an empty one would look like a
// patient who has measured nothing.
func (c *Client) influxQL(ctx context.Context, text string, each func(*series) error) error {
	database, policy := c.database()
	query := url.Values{"db": {database}, "epoch": {"ns"}, "chunked": {"true"}, "chunk_size": {chunkRows}}
	if policy != "" {
		query.Set("rp", policy)
	}
	// In the body: the names of patients would stand in the log of the server, and
	// many do not fit into an address.
	body := url.Values{"q": {text}}.Encode()
	answer, err := c.send(ctx, http.MethodPost, "/query", query, "application/x-www-form-urlencoded", body)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK || answer.Header.Get("X-Influxdb-Version") == "" {
		read, err := io.ReadAll(io.LimitReader(answer.Body, 1<<16))
		if err != nil {
			return unreached(err)
		}
		return faultOf(saidOf(answer, read), reading)
	}
	return chunks(answer.Body, each)
}

// chunks reads documents until the last part of the last statement.
func chunks(body io.Reader, each func(*series) error) error {
	decoder := json.NewDecoder(body)
	decoder.UseNumber()
	whole := false
	for {
		var part chunk
		err := decoder.Decode(&part)
		switch {
		case errors.Is(err, io.EOF) && whole:
			return nil
		case err != nil:
			return &Fault{Kind: BrokeOff, Err: broken(err)}
		case part.Error != "":
			return saidWhileReading(part.Error)
		}
		whole = len(part.Results) > 0
		for i := range part.Results {
			result := &part.Results[i]
			if result.Error != "" {
				return saidWhileReading(result.Error)
			}
			whole = whole && !result.Partial
			for j := range result.Series {
				whole = whole && !result.Series[j].Partial
				if err := each(&result.Series[j]); err != nil {
					return err
				}
			}
		}
	}
}

// broken keeps only what is known to repeat nothing of an answer.
func broken(err error) error {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return io.ErrUnexpectedEOF
	case errors.As(err, &syntax), errors.As(err, &kind):
		return errors.New("not JSON as InfluxDB writes it")
	}
	return err
}

// saidWhileReading is the fault of an error that came with the status 200.
func saidWhileReading(message string) error {
	f := faultOf(said{status: http.StatusBadRequest, message: message}, reading)
	if f.Status = 0; f.Kind == Unclear {
		f.Kind = BrokeOff
	}
	return f
}

// influxName quotes the name of a measurement, a tag or a field of InfluxQL.
func influxName(name string) string { return `"` + influxEscapes.Replace(name) + `"` }

// influxString quotes a text of InfluxQL.
func influxString(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`, "\n", `\n`).Replace(text) + "'"
}

var influxEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// influxRows reads points from 1.8. Fields are named, and only those that are there:
// a foreign field may have the name of one of our tags.
func (c *Client) influxRows(ctx context.Context, asked ingest.Asked, row func(place, string, any) error) error {
	names := measurements(asked.Measures)
	fields, err := c.fields(ctx, names)
	if err != nil || len(fields) == 0 {
		return err
	}
	return c.influxQL(ctx, influxSelect(names, fields, asked), func(s *series) error {
		at := place{name: s.Name, patient: s.Tags["patient"], device: s.Tags["device"], source: s.Tags["source"], variant: s.Tags["variant"]}
		when := slices.Index(s.Columns, "time")
		if when < 0 {
			return &Fault{Kind: BrokeOff, Err: errors.New("rows without a time")}
		}
		for _, values := range s.Values {
			number, ok := values[when].(json.Number)
			if !ok || len(values) != len(s.Columns) {
				return &Fault{Kind: BrokeOff, Err: errors.New("rows that are not as InfluxDB writes them")}
			}
			if at.time, err = number.Int64(); err != nil {
				return &Fault{Kind: BrokeOff, Err: errors.New("a time that is no number")}
			}
			for i, value := range values {
				if i == when || value == nil {
					continue
				}
				if err := row(at, s.Columns[i], value); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

func influxSelect(names, fields []string, asked ingest.Asked) string {
	var text strings.Builder
	for i, field := range fields {
		text.WriteString([]string{"SELECT ", ", "}[min(i, 1)] + influxName(field) + "::field")
	}
	text.WriteString(" FROM " + influxNames(names))
	text.WriteString(fmt.Sprintf(" WHERE time >= %d AND time < %d AND (", nanos(asked.From), nanos(asked.To)))
	for i, patient := range asked.Patients {
		text.WriteString([]string{"", " OR "}[min(i, 1)] + `"patient"::tag = ` + influxString(patient))
	}
	return text.String() + `) GROUP BY "device", "patient", "source", "variant"`
}

func influxNames(names []string) string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = influxName(name)
	}
	return strings.Join(quoted, ", ")
}

// fields lists the fields of ours that stand in these measurements.
func (c *Client) fields(ctx context.Context, names []string) (fields []string, err error) {
	there := map[string]bool{}
	err = c.influxQL(ctx, "SHOW FIELD KEYS FROM "+influxNames(names), func(s *series) error {
		for _, row := range s.Values {
			if name, ok := row[0].(string); ok {
				there[name] = true
			}
		}
		return nil
	})
	for _, name := range ourFields() {
		if there[name] {
			fields = append(fields, name)
		}
	}
	return fields, err
}

// measurements are the names under which measures are kept; those of all when nil.
func measurements(measures []*protocols.Measure) (names []string) {
	if measures == nil {
		measures = protocols.Measures()
	}
	for _, m := range measures {
		names = append(names, m.ID, m.ID+words)
	}
	return names
}

// What InfluxDB can hold.
var (
	earliest = time.Date(1678, 1, 1, 0, 0, 0, 0, time.UTC)
	latest   = time.Date(2262, 1, 1, 0, 0, 0, 0, time.UTC)
)

// nanos is a time as InfluxDB has it, or the nearest that it can have.
func nanos(t time.Time) int64 { return bounded(t).UnixNano() }

func bounded(t time.Time) time.Time {
	switch {
	case t.Before(earliest):
		return earliest
	case t.After(latest):
		return latest
	}
	return t.UTC()
}

// influxEnds finds the first and the last point of each measurement.
func (c *Client) influxEnds(ctx context.Context, asked ingest.Asked, take func(time.Time)) error {
	names := measurements(asked.Measures)
	fields, err := c.fields(ctx, names)
	if err != nil || len(fields) == 0 {
		return err
	}
	selected := strings.TrimSuffix(influxSelect(names, fields, asked), ` GROUP BY "device", "patient", "source", "variant"`)
	return c.influxQL(ctx, selected+" ORDER BY time ASC LIMIT 1; "+selected+" ORDER BY time DESC LIMIT 1", func(s *series) error {
		for _, row := range s.Values {
			number, ok := row[0].(json.Number)
			n, err := number.Int64()
			if !ok || err != nil {
				return &Fault{Kind: BrokeOff, Err: errors.New("rows without a time")}
			}
			take(time.Unix(0, n).UTC())
		}
		return nil
	})
}
