package influx

import (
	"encoding/json"
	"net/http"
	"reflect"
	"strings"
	"testing"

	"vigie/protocols"
)

// What servers were seen to answer, and what it means. 1.8.3, 2.7.12 and 3.6.0 Core.
func TestAnswersOfEachGeneration(t *testing.T) {
	const (
		json2 = "application/json; charset=utf-8"
		json1 = "application/json"
	)
	point, fault := func(reason string) string { return "point: " + reason }, func(k Kind) string { return "fault: " + faults[k].Text.EN }
	for _, c := range []struct {
		name   string
		to     doing
		status int
		kind   string
		error1 string // X-Influxdb-Error
		body   string
		want   string
	}{
		{"2.7 unknown token", writing, 401, json2, "", `{"code":"unauthorized","message":"unauthorized access"}`, fault(WrongToken)},
		{"2.7 may not write", writing, 403, json2, "", `{"code":"forbidden","message":"insufficient permissions for write"}`, fault(MayNotWrite)},
		{"2.7 unknown organisation", writing, 404, json2, "", `{"code":"not found","message":"organization name \"none\" not found"}`, fault(NoOrganisation)},
		{"2.7 no organisation", writing, 400, json2, "", `{"code":"invalid","message":"Please provide either orgID or org"}`, fault(NoOrganisation)},
		{"2.7 unknown bucket", writing, 404, json2, "", `{"code":"not found","message":"bucket \"none\" not found"}`, fault(NoBucket)},
		{"2.7 line that cannot be parsed", writing, 400, json2, "", `{"code":"invalid","message":"unable to parse 'weight,patient=p-1 value=82.1kg 1795911590000000000': invalid number"}`, point("unable to parse")},
		{"2.7 type", writing, 422, json2, "", `{"code":"unprocessable entity","message":"failure writing points to database: partial write: field type conflict: input field \"value\" on measurement \"weight\" is type string, already exists as type float dropped=1"}`, point("field type conflict")},
		{"early 2.x type", writing, 500, json2, "", `{"code":"internal error","message":"unexpected error writing points to database: partial write: field type conflict: input field \"value\" on measurement \"weight\" is type string, already exists as type float dropped=1"}`, point("field type conflict")},
		{"2.7 retention", writing, 422, json2, "", `{"code":"unprocessable entity","message":"failure writing points to database: partial write: dropped 1 points outside retention policy of duration 24h0m0s - oldest point weight,device=scale-1,patient=p-1,source=device at 2026-08-31T00:19:50Z dropped because it violates a Retention Policy Lower Bound dropped=1 for database: 54de736c7349b3c9 for retention policy: autogen"}`, point("older than the retention policy")},
		{"2.7 read with a token that only writes", reading, 404, json2, "", `{"code":"not found","message":"failed to initialize execute state: could not find bucket \"vigie\""}`, fault(NoBucketOrRight)},
		{"2.7 read, unknown organisation", reading, 400, json2, "", `{"code":"invalid","message":"failed to decode request body: organization name \"none\" not found"}`, fault(NoOrganisation)},
		{"2.7 delete without the right", writing, 403, json2, "", `{"code":"forbidden","message":"insufficient permissions to delete"}`, fault(MayNotWrite)},
		{"1.8 unknown database", writing, 404, json1, `database not found: "none"`, `{"error":"database not found: \"none\""}` + "\n", fault(NoBucket)},
		{"1.8 unknown policy", writing, 500, json1, "retention policy not found: none", `{"error":"retention policy not found: none"}` + "\n", fault(NoBucket)},
		{"1.8 line that cannot be parsed", writing, 400, json1, "partial write: unable to parse", `{"error":"partial write: unable to parse 'weight,patient=p-1 value=82.1kg 1795911590000000000': invalid number dropped=0"}` + "\n", point("unable to parse")},
		{"1.8 type", writing, 400, json1, "partial write: field type conflict", `{"error":"partial write: field type conflict: input field \"value\" on measurement \"weight\" is type string, already exists as type float dropped=1"}` + "\n", point("field type conflict")},
		{"1.8 retention", writing, 400, json1, "", `{"error":"partial write: points beyond retention policy dropped=1"}` + "\n", point("older than the retention policy")},
		{"1.8 index full", writing, 400, json1, "", `{"error":"partial write: max-values-per-tag limit exceeded (100000/100000): measurement=\"weight\" tag=\"device\" value=\"scale-1\" dropped=1"}`, point("its index is full: max-values-per-tag")},
		{"1.8 no credentials", writing, 401, json1, "", `{"error":"unable to parse authentication credentials"}`, fault(WrongToken)},
		{"1.8 may not read", reading, 403, json1, "", `{"error":"error authorizing query: vigie not authorized to execute statement 'SELECT value FROM vigie.forever.weight', requires READ on vigie"}`, fault(MayNotRead)},
		{"3.6 wrong token", writing, 401, "", "", "", fault(WrongToken)},
		{"3.6 refused point", writing, 400, "", "", `{"code":"invalid","message":"write buffer error: parsing for line protocol failed"}`, point("unable to parse the point, or a field")},
		{"3.6 query", reading, 404, "", "", `{"error":"query error: database not found: none"}`, fault(NoBucket)},
		{"a proxy", writing, 400, "text/html", "", "<html>Portail</html>", fault(Stranger)},
		{"a proxy without its upstream", writing, 502, "text/html", "", "<html>Bad gateway</html>", fault(Stranger)},
		{"a server that wants https", writing, 400, "", "", "Client sent an HTTP request to an HTTPS server.\n", fault(Stranger)},
		{"too busy", writing, 503, "", "", "", fault(Busy)},
		{"too large", writing, 413, "text/html", "", "<html>", point("too large")},
	} {
		answer := &http.Response{StatusCode: c.status, Header: http.Header{}}
		answer.Header.Set("Content-Type", c.kind)
		answer.Header.Set("X-Influxdb-Error", c.error1)
		s := saidOf(answer, []byte(c.body))
		got := faultOf(s, c.to).Error()
		want := strings.TrimPrefix(c.want, "fault: ")
		if refused := refusalOf(s); c.to == writing && refused != nil && refused.Sure {
			got = "point: " + refused.Reason
			want = c.want
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
		for _, secret := range []string{"p-1", "scale-1", "82.1"} {
			if strings.Contains(got, secret) {
				t.Errorf("%s: %q repeats %q", c.name, got, secret)
			}
		}
	}
}

// An answer in InfluxQL is whole when its last part has come. Anything else is a
// failure, and never an empty history.
func TestChunksThatAreNotWholeAreNoHistory(t *testing.T) {
	const (
		first = `{"results":[{"statement_id":0,"series":[{"name":"glucose","tags":{"device":"cgm-1"},"columns":["time","value"],"values":[[1761955200000267459,76],[1761955500000683244,180]],"partial":true}],"partial":true}]}` + "\n"
		last  = `{"results":[{"statement_id":0,"series":[{"name":"glucose","tags":{"device":"cgm-1"},"columns":["time","value"],"values":[[1761955800000029724,184]]}]}]}` + "\n"
	)
	for _, c := range []struct {
		name, body string
		rows       int
		fails      bool
	}{
		{"whole", first + last, 3, false},
		{"nothing there", `{"results":[{"statement_id":0}]}` + "\n", 0, false},
		{"without its last part", first, 2, true},
		{"cut in the middle", first + last[:40], 2, true},
		{"empty", "", 0, true},
		{"an error with the status 200", `{"results":[{"statement_id":0,"error":"database not found: none"}]}` + "\n", 0, true},
		{"an error after rows", first + `{"results":[{"statement_id":0,"error":"timeout"}]}`, 2, true},
		{"an error of the whole", `{"error":"authorization failed"}`, 0, true},
		{"a page", "<html>", 0, true},
	} {
		rows := 0
		err := chunks(strings.NewReader(c.body), func(s *series) error {
			return s.eachRow(func([][]byte) error { rows++; return nil })
		})
		if (err != nil) != c.fails || rows != c.rows {
			t.Errorf("%s: %d rows, %v", c.name, rows, err)
		}
	}
}

// scanned reads a quoted text by the rules of a language, as its server does, and
// returns what is left behind it.
func scanned(text string, quote byte, escapes map[byte]string) (value, rest string, ok bool) {
	if text == "" || text[0] != quote {
		return "", text, false
	}
	var out strings.Builder
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case quote:
			return out.String(), text[i+1:], true
		case '\n':
			return "", text, false
		case '\\':
			i++
			if i == len(text) {
				return "", text, false
			}
			plain, known := escapes[text[i]]
			if !known {
				return "", text, false
			}
			out.WriteString(plain)
		case '$':
			if quote == '"' && escapes['$'] != "" && strings.HasPrefix(text[i:], "${") {
				return "", text, false // an expression begins
			}
			out.WriteByte('$')
		default:
			out.WriteByte(text[i])
		}
	}
	return "", text, false
}

func FuzzInfluxQLQuoting(f *testing.F) {
	for _, text := range []string{"p-1", `x' OR '1'='1`, `\`, "a\nb", `"; DROP SERIES`, `é中`} {
		f.Add(text)
	}
	escapes := map[byte]string{'\\': `\`, '\'': `'`, '"': `"`, 'n': "\n"}
	f.Fuzz(func(t *testing.T, text string) {
		if value, rest, ok := scanned(influxString(text)+" AND", '\'', escapes); !ok || value != text || rest != " AND" {
			t.Errorf("the text %q is written %s", text, influxString(text))
		}
		if value, rest, ok := scanned(influxName(text)+" AND", '"', escapes); !ok || value != text || rest != " AND" {
			t.Errorf("the name %q is written %s", text, influxName(text))
		}
	})
}

func FuzzFluxQuoting(f *testing.F) {
	for _, text := range []string{"p-1", `p" or r.patient == "q`, `\`, "a\nb\r\t", "${1+1}", "$${", `\${`, `é中`} {
		f.Add(text)
	}
	escapes := map[byte]string{'\\': `\`, '"': `"`, 'n': "\n", 'r': "\r", 't': "\t", '$': "$"}
	f.Fuzz(func(t *testing.T, text string) {
		if value, rest, ok := scanned(fluxString(text)+" or", '"', escapes); !ok || value != text || rest != " or" {
			t.Errorf("the text %q is written %s", text, fluxString(text))
		}
	})
}

func TestServerThatAsksForADayIsAskedAgainWithinMinutes(t *testing.T) {
	for header, want := range map[string]string{"": "0s", "30": "30s", "86400": longestRest.String(), "4000000000": longestRest.String()} {
		if got := restOf(header).String(); got != want {
			t.Errorf("asked for %q s, it is left alone for %v, want %v", header, got, want)
		}
	}
}

// However a row is laid out, it is taken apart as any reader of JSON would.
func FuzzRows(f *testing.F) {
	for _, text := range []string{`[[1,"a,]\\\"[",null],[2,"",3.5]]`, `[]`, ` [ [ 1 , -2 , "x" ] ] `, `[[1,2]]`, `[[[1],2,3]]`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var want [][]any
		if !json.Valid([]byte(text)) || json.Unmarshal([]byte(text), &want) != nil || want == nil {
			return
		}
		for _, row := range want {
			for _, value := range row {
				switch value.(type) {
				case []any, map[string]any:
					return // no value of a row
				}
			}
			if len(row) != 3 {
				return
			}
		}
		s := series{Columns: []string{"a", "b", "c"}, Values: json.RawMessage(text)}
		rows := 0
		err := s.eachRow(func(values [][]byte) error {
			for i, token := range values {
				var got any
				if err := json.Unmarshal(token, &got); err != nil || !reflect.DeepEqual(got, want[rows][i]) {
					t.Errorf("%q: row %d, column %d is %q", text, rows, i, token)
				}
				if v, ok := thousandths(token); ok {
					if of, isOf := protocols.Of(got.(float64)); !isOf || of != v {
						t.Errorf("%q is read as %v, want %v", token, v, of)
					}
				}
			}
			rows++
			return nil
		})
		if err != nil || rows != len(want) {
			t.Errorf("%q: %d rows of %d, %v", text, rows, len(want), err)
		}
	})
}
