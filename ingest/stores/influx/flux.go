package influx

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	influxhttp "github.com/influxdata/influxdb-client-go/v2/api/http"
	"github.com/influxdata/influxdb-client-go/v2/api/query"

	"vigie/ingest"
)

// flux runs a query and calls each, which may be nil, with every row of its answer.
func (c *Client) flux(ctx context.Context, text string, each func(*query.FluxRecord) error) error {
	answer, err := c.query.Query(ctx, text)
	if err != nil {
		var said *influxhttp.Error
		if errors.As(err, &said) && said.StatusCode != 0 {
			return faultOf(saidBy(said), reading)
		}
		return unreached(err)
	}
	for answer.Next() {
		if each == nil {
			continue
		}
		if err := each(answer.Record()); err != nil {
			return errors.Join(err, answer.Close())
		}
	}
	err = answer.Err()
	if err := errors.Join(err, answer.Close()); err != nil {
		// It may repeat what was read.
		return &Fault{Kind: BrokeOff}
	}
	return nil
}

// fluxString quotes a text of Flux. In it, ${ would begin an expression.
func fluxString(text string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "${", `\${`).Replace(text) + `"`
}

// fluxRows reads points from 2.x.
func (c *Client) fluxRows(ctx context.Context, asked ingest.Asked, found gathered, alive func()) error {
	rows := 0
	return c.flux(ctx, fluxText(c.options.Bucket, asked), func(record *query.FluxRecord) error {
		tag := func(name string) string {
			value, ok := record.ValueByKey(name).(string)
			if !ok {
				return ""
			}
			return value
		}
		if rows++; rows%1000 == 1 {
			alive()
		}
		of := found.of(record.Measurement(), place{patient: tag("patient"), device: tag("device"), source: tag("source"), variant: tag("variant")})
		if of == nil {
			return nil
		}
		return of.at(record.Time().UnixNano()).set(record.Field(), record.Value())
	})
}

func fluxText(bucket string, asked ingest.Asked) string {
	which := anyOf("patient", asked.Patients)
	if asked.Measures != nil {
		which += " and " + anyOf("_measurement", measurements(asked.Measures))
	}
	return fmt.Sprintf(`from(bucket: %s) |> range(start: %s, stop: %s) |> filter(fn: (r) => %s) |> drop(columns: ["_start", "_stop"])`,
		fluxString(bucket), fluxTime(asked.From), fluxTime(asked.To), which)
}

func fluxTime(t time.Time) string { return bounded(t).Format(time.RFC3339Nano) }

func anyOf(column string, values []string) string {
	tests := make([]string, len(values))
	for i, value := range values {
		tests[i] = "r." + column + " == " + fluxString(value)
	}
	return "(" + strings.Join(tests, " or ") + ")"
}

// fluxEnds finds the first and the last point of each field of each series.
func (c *Client) fluxEnds(ctx context.Context, asked ingest.Asked, take func(time.Time)) error {
	for _, function := range []string{" |> first()", " |> last()"} {
		err := c.flux(ctx, fluxText(c.options.Bucket, asked)+function, func(record *query.FluxRecord) error {
			take(record.Time())
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// fluxPatients lists the patients whom the index of 2.x names: all, or one.
func (c *Client) fluxPatients(ctx context.Context, only string) (names []string, err error) {
	which := "true"
	if only != "" {
		which = "r.patient == " + fluxString(only)
	}
	text := "import \"influxdata/influxdb/schema\"\nschema.tagValues(bucket: " + fluxString(c.options.Bucket) +
		`, tag: "patient", predicate: (r) => ` + which + ", start: " + fluxTime(earliest) + ")"
	err = c.flux(ctx, text, func(record *query.FluxRecord) error {
		name, ok := record.Value().(string)
		if !ok {
			return &Fault{Kind: BrokeOff, Err: errRows}
		}
		names = append(names, name)
		return nil
	})
	return names, err
}
