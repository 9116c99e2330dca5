package influx

import (
	"bytes"
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
	Values  json.RawMessage // rows, see eachRow: a year of a sensor is a hundred thousand
	Partial bool
}

// rows are the values of a small answer: json.Number, string, bool or nil.
func (s *series) rows() (rows [][]any, err error) {
	decoder := json.NewDecoder(bytes.NewReader(s.Values))
	decoder.UseNumber()
	if len(s.Values) > 0 {
		err = decoder.Decode(&rows)
	}
	for _, row := range rows {
		if len(row) != len(s.Columns) {
			err = errRows
		}
	}
	if err != nil {
		return nil, &Fault{Kind: BrokeOff, Err: errRows}
	}
	return rows, nil
}

var errRows = errors.New("rows that are not as InfluxDB writes them")

// eachRow calls row with the values of each row as they stand in the answer, which is
// known to be JSON. They are valid until row returns.
func (s *series) eachRow(row func(values [][]byte) error) error {
	values := make([][]byte, 0, len(s.Columns))
	depth, start := 0, -1
	for i := 0; i < len(s.Values); i++ {
		c := s.Values[i]
		switch {
		case c == '"': // to its end
			if start < 0 {
				start = i
			}
			for i++; i < len(s.Values) && s.Values[i] != '"'; i++ {
				if s.Values[i] == '\\' {
					i++
				}
			}
		case c == '[':
			depth++
		case c == ',' || c == ']':
			if start >= 0 && depth == 2 {
				values = append(values, s.Values[start:i])
			}
			start = -1
			if c == ',' {
				continue
			}
			if depth--; depth == 1 {
				if len(values) != len(s.Columns) {
					return &Fault{Kind: BrokeOff, Err: errRows}
				}
				if err := row(values); err != nil {
					return err
				}
				values = values[:0]
			}
		case start < 0 && c > ' ':
			start = i
		}
	}
	return nil
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
func (c *Client) influxRows(ctx context.Context, asked ingest.Asked, found gathered, alive func()) error {
	names := measurements(asked.Measures)
	fields, err := c.fields(ctx, names)
	if err != nil || len(fields) == 0 {
		return err
	}
	return c.influxQL(ctx, influxSelect(names, fields, asked), func(s *series) error {
		alive()
		of := found.of(s.Name, place{patient: s.Tags["patient"], device: s.Tags["device"], source: s.Tags["source"], variant: s.Tags["variant"]})
		when := slices.Index(s.Columns, "time")
		if of == nil {
			return nil
		}
		if when < 0 {
			return &Fault{Kind: BrokeOff, Err: errRows}
		}
		return s.eachRow(func(values [][]byte) error {
			at, ok := wholeNumber(values[when])
			if !ok {
				return &Fault{Kind: BrokeOff, Err: errRows}
			}
			p := of.at(at)
			for i, value := range values {
				if i == when || string(value) == "null" {
					continue
				}
				if err := p.setToken(s.Columns[i], value); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// setToken puts one field, as JSON has it, into a reading. Most are numbers.
func (p *gathering) setToken(field string, token []byte) error {
	switch field {
	case fieldIDHigh, fieldIDLow, fieldShortIDHigh, fieldShortIDLow:
		if n, ok := wholeNumber(token); ok {
			return p.set(field, n)
		}
	default:
		if i := p.reading.Measure.Component(field); i >= 0 {
			if v, ok := thousandths(token); ok {
				p.reading.Values[i] = v
				return nil
			}
		}
	}
	decoder := json.NewDecoder(bytes.NewReader(token))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		return &Fault{Kind: BrokeOff, Err: errRows}
	}
	return p.set(field, value)
}

// wholeNumber reads a number without a fraction.
func wholeNumber(token []byte) (n int64, ok bool) {
	digits, negative := token, false
	if len(token) > 0 && token[0] == '-' {
		digits, negative = token[1:], true
	}
	if len(digits) == 0 || len(digits) > 19 {
		return 0, false
	}
	var u uint64
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		u = u*10 + uint64(c-'0')
	}
	if negative {
		return int64(-u), u <= 1<<63
	}
	return int64(u), u < 1<<63
}

// thousandths reads a short number with up to three decimals.
func thousandths(token []byte) (v protocols.Value, ok bool) {
	whole, decimals, _ := bytes.Cut(token, []byte("."))
	n, ok := wholeNumber(whole)
	if !ok || len(whole) > 9 || len(decimals) > 3 || token[len(token)-1] == '.' {
		return 0, false
	}
	fraction := int64(0)
	for i := range 3 {
		fraction *= 10
		if i < len(decimals) {
			if decimals[i] < '0' || decimals[i] > '9' {
				return 0, false
			}
			fraction += int64(decimals[i] - '0')
		}
	}
	if whole[0] == '-' {
		fraction = -fraction
	}
	return protocols.Value(n*1000 + fraction), true
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

// influxPatients lists the patients of each of our measurements.
func (c *Client) influxPatients(ctx context.Context) (names []string, err error) {
	err = c.influxQL(ctx, "SHOW TAG VALUES FROM "+influxNames(measurements(nil))+` WITH KEY = "patient"`, func(s *series) error {
		value := slices.Index(s.Columns, "value")
		rows, err := s.rows()
		for _, row := range rows {
			name, ok := "", value >= 0
			if ok {
				name, ok = row[value].(string)
			}
			if !ok {
				return &Fault{Kind: BrokeOff, Err: errRows}
			}
			names = append(names, name)
		}
		return err
	})
	return names, err
}

// fieldsStand is for how long it is not asked again which fields there are: a long
// history is read in many parts.
const fieldsStand = 10 * time.Second

// fields lists the fields of ours that stand in these measurements.
func (c *Client) fields(ctx context.Context, names []string) (fields []string, err error) {
	of := strings.Join(names, " ")
	c.mu.Lock()
	known := c.listed
	c.mu.Unlock()
	if known.of == of && time.Since(known.at) < fieldsStand {
		return known.fields, nil
	}
	there := map[string]bool{}
	err = c.influxQL(ctx, "SHOW FIELD KEYS FROM "+influxNames(names), func(s *series) error {
		rows, err := s.rows()
		for _, row := range rows {
			if name, ok := row[0].(string); ok {
				there[name] = true
			}
		}
		return err
	})
	for _, name := range ourFields() {
		if there[name] {
			fields = append(fields, name)
		}
	}
	if err == nil && len(fields) > 0 {
		c.mu.Lock()
		c.listed = listed{of, time.Now(), fields}
		c.mu.Unlock()
	}
	return fields, err
}

// listed are the fields that stand in some measurements.
type listed struct {
	of     string
	at     time.Time
	fields []string
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
		return s.eachRow(func(values [][]byte) error {
			n, ok := wholeNumber(values[0])
			if !ok {
				return &Fault{Kind: BrokeOff, Err: errRows}
			}
			take(time.Unix(0, n).UTC())
			return nil
		})
	})
}
