package servers

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// StandIn answers as InfluxDB 2.7.12 or 3.6.0 Core was seen to answer, where there is
// no such server. It holds points in memory. It understands the queries that Vigie
// asks and no others.
type StandIn struct {
	URL string

	mu      sync.Mutex
	version int
	points  map[string]map[string]any // fields, by series and time
	types   map[string]string         // of a field, by measurement and name
	tokens  map[string]Rights
	end     time.Duration // how long the bucket keeps
	now     func() time.Time
	writes  int
}

// Rights are what a token of a StandIn may do.
type Rights struct{ Read, Write bool }

// The names of a StandIn.
const (
	StandInOrg    = "sante"
	StandInBucket = "vigie"
	StandInToken  = "reads-and-writes"
)

// StandInTwo answers as 2.7.12. Beside StandInToken it knows "reads" and "writes".
func StandInTwo(t T) *StandIn { return standIn(t, 2) }

// StandInThree answers as 3.6.0 Core.
func StandInThree(t T) *StandIn { return standIn(t, 3) }

func standIn(t T, version int) *StandIn {
	t.Helper()
	s := &StandIn{version: version, points: map[string]map[string]any{}, types: map[string]string{}, now: time.Now, tokens: map[string]Rights{
		StandInToken: {true, true}, "reads": {Read: true}, "writes": {Write: true},
	}}
	server := httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Keep has the bucket keep its points for so long; 0 for ever.
func (s *StandIn) Keep(end time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.end = end
}

// Writes is how many writes were asked for.
func (s *StandIn) Writes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

// Points is how many points there are.
func (s *StandIn) Points() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.points)
}

// Series lists the points of a measurement, "series field=value,… time", all in the
// order of letters.
func (s *StandIn) Series(measurement string) (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, fields := range s.points {
		if series, at := cutLast(key); strings.HasPrefix(series, measurement+",") {
			var told []string
			for _, name := range slices.Sorted(maps.Keys(fields)) {
				told = append(told, fmt.Sprintf("%s=%v", name, fields[name]))
			}
			list = append(list, series+" "+strings.Join(told, ",")+" "+at)
		}
	}
	slices.Sort(list)
	return list
}

// Forget has the server forget of which type a field was: "weight value".
func (s *StandIn) Forget(field string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.types, field)
}

func (s *StandIn) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rights, known := s.tokens[strings.TrimPrefix(r.Header.Get("Authorization"), "Token ")]
	if s.version == 3 {
		s.three(w, r, known)
		return
	}
	w.Header().Set("X-Influxdb-Build", "OSS")
	w.Header().Set("X-Influxdb-Version", "v2.7.12")
	if r.URL.Path == "/ping" {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if !known {
		s.refuse(w, http.StatusUnauthorized, "unauthorized", "unauthorized access")
		return
	}
	switch r.URL.Path {
	case "/api/v2/write":
		s.write(w, r, rights)
	case "/api/v2/query":
		s.query(w, r, rights)
	case "/api/v2/buckets":
		s.buckets(w, r, rights)
	case "/api/v2/delete":
		s.delete(w, r, rights)
	default:
		s.refuse(w, http.StatusNotFound, "not found", "path not found")
	}
}

// refuse answers as 2.x does.
func (s *StandIn) refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Platform-Error-Code", code)
	reply(w, status, map[string]string{"code": code, "message": message})
}

func reply(w http.ResponseWriter, status int, body any) {
	text, err := json.Marshal(body)
	if err != nil {
		panic("servers: an answer that cannot be written: " + err.Error())
	}
	w.WriteHeader(status)
	// Who has gone reads no answer.
	_, _ = w.Write(text)
}

// organised reports whether the request names the organisation; the answer of a
// query has a preamble.
func (s *StandIn) organised(w http.ResponseWriter, r *http.Request, preamble string, unknown int) bool {
	switch org := r.URL.Query().Get("org"); org {
	case StandInOrg:
		return true
	case "":
		s.refuse(w, http.StatusBadRequest, "invalid", preamble+"Please provide either orgID or org")
	default:
		s.refuse(w, unknown, "not found", fmt.Sprintf("%sorganization name %q not found", preamble, org))
	}
	return false
}

func (s *StandIn) write(w http.ResponseWriter, r *http.Request, rights Rights) {
	s.writes++
	if !s.organised(w, r, "", http.StatusNotFound) {
		return
	}
	if bucket := r.URL.Query().Get("bucket"); bucket != StandInBucket {
		s.refuse(w, http.StatusNotFound, "not found", fmt.Sprintf("bucket %q not found", bucket))
		return
	}
	if !rights.Write {
		s.refuse(w, http.StatusForbidden, "forbidden", "insufficient permissions for write")
		return
	}
	lines, err := body(r)
	if err != nil {
		s.refuse(w, http.StatusBadRequest, "invalid", err.Error())
		return
	}
	var refused []string
	for _, line := range lines {
		p, err := parseLine(line)
		if err != nil {
			s.refuse(w, http.StatusBadRequest, "invalid", fmt.Sprintf("unable to parse '%s': %v", line, err))
			return
		}
		if message := s.keep(p); message != "" {
			refused = append(refused, message)
		}
	}
	if len(refused) > 0 {
		s.refuse(w, http.StatusUnprocessableEntity, "unprocessable entity",
			fmt.Sprintf("failure writing points to database: partial write: %s dropped=%d for database: 54de736c7349b3c9 for retention policy: autogen", refused[0], len(refused)))
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// keep keeps a point, or says why not.
func (s *StandIn) keep(p linePoint) string {
	if at := time.Unix(0, p.time); s.end > 0 && s.now().Sub(at) > s.end {
		return fmt.Sprintf("dropped 1 points outside retention policy of duration %v - oldest point %s at %s dropped because it violates a Retention Policy Lower Bound", s.end, p.series, at.UTC().Format(time.RFC3339))
	}
	measurement, _, _ := strings.Cut(p.series, ",")
	for name, value := range p.fields {
		kind := fmt.Sprintf("%T", value)
		if known := s.types[measurement+" "+name]; known != "" && known != kind {
			return fmt.Sprintf("field type conflict: input field %q on measurement %q is type %s, already exists as type %s", name, measurement, kind, known)
		}
	}
	key := fmt.Sprintf("%s %d", p.series, p.time)
	if s.points[key] == nil {
		s.points[key] = map[string]any{}
	}
	for name, value := range p.fields {
		s.types[measurement+" "+name] = fmt.Sprintf("%T", value)
		s.points[key][name] = value
	}
	return ""
}

func (s *StandIn) three(w http.ResponseWriter, r *http.Request, known bool) {
	if !known {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.Header()["Content-Type"] = nil
	switch r.URL.Path {
	case "/ping":
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Influxdb-Build", "Core")
		w.Header().Set("X-Influxdb-Version", "3.6.0")
		reply(w, http.StatusOK, map[string]string{"version": "3.6.0"})
	case "/api/v3/configure/database":
		w.Header().Set("Content-Type", "application/json")
		reply(w, http.StatusOK, []map[string]string{{"iox::database": "_internal"}, {"iox::database": StandInBucket}})
	case "/api/v2/write":
		s.writeThree(w, r)
	default:
		w.WriteHeader(http.StatusNotFound)
		_, _ = io.WriteString(w, "not found")
	}
}

// writeThree takes everything or nothing.
func (s *StandIn) writeThree(w http.ResponseWriter, r *http.Request) {
	s.writes++
	no := func(message string) {
		reply(w, http.StatusBadRequest, map[string]string{"code": "invalid", "message": "write buffer error: " + message})
	}
	if r.Header.Get("Content-Type") == "" {
		no("missing Content-Type")
		return
	}
	lines, err := body(r)
	if err != nil || len(lines) == 0 {
		no("incoming write was empty")
		return
	}
	points := make([]linePoint, len(lines))
	for i, line := range lines {
		p, err := parseLine(line)
		measurement, _, _ := strings.Cut(p.series, ",")
		for name, value := range p.fields {
			if known := s.types[measurement+" "+name]; known != "" && known != fmt.Sprintf("%T", value) {
				err = fmt.Errorf("invalid column type for column '%s'", name)
			}
		}
		if err != nil {
			no("parsing for line protocol failed")
			return
		}
		points[i] = p
	}
	for _, p := range points {
		s.keep(p)
	}
	w.WriteHeader(http.StatusNoContent)
}

func (s *StandIn) buckets(w http.ResponseWriter, r *http.Request, rights Rights) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	type rule struct {
		Type         string `json:"type"`
		EverySeconds int    `json:"everySeconds"`
	}
	type bucket struct {
		Name           string `json:"name"`
		RetentionRules []rule `json:"retentionRules"`
	}
	list := []bucket{}
	if name := r.URL.Query().Get("name"); rights.Read && (name == "" || name == StandInBucket) {
		list = append(list, bucket{StandInBucket, []rule{{"expire", int(s.end.Seconds())}}})
	}
	reply(w, http.StatusOK, map[string]any{"buckets": list})
}

var predicates = regexp.MustCompile(`^(?:_measurement="((?:[^"\\]|\\.)*)"(?: AND )?)?(.*)$`)

func (s *StandIn) delete(w http.ResponseWriter, r *http.Request, rights Rights) {
	if !s.organised(w, r, "", http.StatusNotFound) {
		return
	}
	if !rights.Write {
		s.refuse(w, http.StatusForbidden, "forbidden", "insufficient permissions to delete")
		return
	}
	var asked struct {
		Start, Stop time.Time
		Predicate   string
	}
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		s.refuse(w, http.StatusBadRequest, "invalid", err.Error())
		return
	}
	parts := predicates.FindStringSubmatch(asked.Predicate)
	var tags []string
	for _, test := range strings.Split(parts[2], " AND ") {
		if name, value, ok := strings.Cut(test, "="); ok {
			tags = append(tags, name+"="+tagText(unquote(value)))
		}
	}
	maps.DeleteFunc(s.points, func(key string, _ map[string]any) bool {
		series, at := cutLast(key)
		if n, err := strconv.ParseInt(at, 10, 64); err != nil || n < asked.Start.UnixNano() || n > asked.Stop.UnixNano() {
			return false
		}
		all := splitOutside(series, ',')
		if parts[1] != "" && all[0] != unquote(`"`+parts[1]+`"`) {
			return false
		}
		for _, tag := range tags {
			if !slices.Contains(all, tag) {
				return false
			}
		}
		return true
	})
	w.WriteHeader(http.StatusNoContent)
}

var (
	fluxBucket = regexp.MustCompile(`from\(bucket: ("(?:[^"\\]|\\.)*")\)`)
	fluxRange  = regexp.MustCompile(`range\(start: ([^,)]+)(?:, stop: ([^)]+))?\)`)
	fluxSchema = regexp.MustCompile(`schema\.tagValues\(bucket: ("(?:[^"\\]|\\.)*"), tag: "patient"`)
	fluxTest   = regexp.MustCompile(`r\.(\w+) == ("(?:[^"\\]|\\.)*")`)
)

func (s *StandIn) query(w http.ResponseWriter, r *http.Request, rights Rights) {
	const preamble = "failed to decode request body: "
	if !s.organised(w, r, preamble, http.StatusBadRequest) {
		return
	}
	var asked struct{ Query string }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil {
		s.refuse(w, http.StatusBadRequest, "invalid", preamble+err.Error())
		return
	}
	bucket := fluxBucket.FindStringSubmatch(asked.Query)
	index := fluxSchema.FindStringSubmatch(asked.Query)
	if index != nil {
		bucket = index
	}
	if bucket == nil || unquote(bucket[1]) != StandInBucket || !rights.Read {
		name := ""
		if bucket != nil {
			name = unquote(bucket[1])
		}
		s.refuse(w, http.StatusNotFound, "not found", fmt.Sprintf("failed to initialize execute state: could not find bucket %q", name))
		return
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.WriteHeader(http.StatusOK)
	out := bufio.NewWriter(w)
	if index != nil {
		s.patients(out, asked.Query)
	} else {
		s.rows(out, asked.Query)
	}
	_, _ = out.WriteString("\r\n")
	_ = out.Flush()
}

// tested are the values that a query asks for, by their column. What is tested for
// together by "or" is told by it.
func tested(query string) map[string][]string {
	wanted := map[string][]string{}
	for _, test := range fluxTest.FindAllStringSubmatch(query, -1) {
		wanted[test[1]] = append(wanted[test[1]], unquote(test[2]))
	}
	return wanted
}

// patients writes the names that the index holds; here it forgets at once.
func (s *StandIn) patients(out io.Writer, query string) {
	only := tested(query)["patient"]
	names := map[string]bool{}
	for key := range s.points {
		series, _ := cutLast(key)
		for _, tag := range splitOutside(series, ',')[1:] {
			name, value, _ := strings.Cut(tag, "=")
			if value = tagPlain(value); name == "patient" && (only == nil || slices.Contains(only, value)) {
				names[value] = true
			}
		}
	}
	if len(names) == 0 {
		return
	}
	fmt.Fprint(out, "#datatype,string,long,string\r\n#group,false,false,false\r\n#default,_result,,\r\n,result,table,_value\r\n")
	for _, name := range slices.Sorted(maps.Keys(names)) {
		fmt.Fprintf(out, ",,0,%s\r\n", cell(name))
	}
}

// rows writes a table for each field of each point.
func (s *StandIn) rows(out io.Writer, query string) {
	wanted := tested(query)
	var start, stop int64 = 0, 1 << 62
	if span := fluxRange.FindStringSubmatch(query); span != nil {
		start, stop = fluxNanos(span[1], start), fluxNanos(span[2], stop)
	}
	for table, key := range slices.Sorted(maps.Keys(s.points)) {
		series, at := cutLast(key)
		n, err := strconv.ParseInt(at, 10, 64)
		if err != nil || n < start || n >= stop {
			continue
		}
		parts := splitOutside(series, ',')
		tags := map[string]string{"_measurement": parts[0]}
		for _, tag := range parts[1:] {
			name, value, _ := strings.Cut(tag, "=")
			tags[name] = tagPlain(value)
		}
		if slices.ContainsFunc(slices.Collect(maps.Keys(wanted)), func(name string) bool { return !slices.Contains(wanted[name], tags[name]) }) {
			continue
		}
		names := slices.Sorted(maps.Keys(tags))
		for _, field := range slices.Sorted(maps.Keys(s.points[key])) {
			writeTable(out, table, n, names, tags, field, s.points[key][field])
		}
	}
}

func writeTable(out io.Writer, table int, at int64, names []string, tags map[string]string, field string, value any) {
	kind := map[string]string{"float64": "double", "int64": "long", "string": "string", "bool": "boolean"}[fmt.Sprintf("%T", value)]
	fmt.Fprintf(out, "#datatype,string,long,dateTime:RFC3339Nano,%s,string%s\r\n", kind, strings.Repeat(",string", len(names)))
	fmt.Fprintf(out, "#group,false,false,false,false,true%s\r\n#default,_result,,,,%s\r\n", strings.Repeat(",true", len(names)), strings.Repeat(",", len(names)))
	fmt.Fprintf(out, ",result,table,_time,_value,_field,%s\r\n", strings.Join(names, ","))
	fmt.Fprintf(out, ",,%d,%s,%s,%s", table, time.Unix(0, at).UTC().Format(time.RFC3339Nano), cell(fmt.Sprint(value)), field)
	for _, name := range names {
		fmt.Fprintf(out, ",%s", cell(tags[name]))
	}
	fmt.Fprint(out, "\r\n\r\n")
}

func cell(text string) string {
	if strings.ContainsAny(text, ",\"\r\n") {
		return `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
	}
	return text
}

func fluxNanos(text string, otherwise int64) int64 {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return otherwise
	}
	return t.UnixNano()
}

// linePoint is a line of line protocol.
type linePoint struct {
	series string // as it was written: measurement,tag=value
	fields map[string]any
	time   int64
}

func parseLine(line string) (p linePoint, err error) {
	parts := splitOutside(line, ' ')
	if len(parts) != 3 {
		return p, fmt.Errorf("missing fields or timestamp")
	}
	p = linePoint{series: parts[0], fields: map[string]any{}}
	if p.time, err = strconv.ParseInt(parts[2], 10, 64); err != nil {
		return p, fmt.Errorf("bad timestamp")
	}
	for _, field := range splitOutside(parts[1], ',') {
		name, text, _ := strings.Cut(field, "=")
		var value any
		switch {
		case strings.HasPrefix(text, `"`):
			value = unquote(text)
		case text == "true" || text == "false":
			value = text == "true"
		case strings.HasSuffix(text, "i"):
			value, err = strconv.ParseInt(strings.TrimSuffix(text, "i"), 10, 64)
		default:
			value, err = strconv.ParseFloat(text, 64)
		}
		if err != nil {
			return p, fmt.Errorf("invalid number")
		}
		p.fields[name] = value
	}
	return p, nil
}

// splitOutside cuts at a separator that is neither escaped nor in quotes.
func splitOutside(text string, separator byte) (parts []string) {
	quoted, start := false, 0
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\\':
			i++
		case text[i] == '"':
			quoted = !quoted
		case text[i] == separator && !quoted:
			parts, start = append(parts, text[start:i]), i+1
		}
	}
	return append(parts, text[start:])
}

func cutLast(text string) (before, after string) {
	i := strings.LastIndexByte(text, ' ')
	return text[:i], text[i+1:]
}

// unquote reads a text between quotes, with backslashes.
func unquote(text string) string {
	text = strings.TrimSuffix(strings.TrimPrefix(text, `"`), `"`)
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n", `\r`, "\r", `\t`, "\t", `\${`, "${").Replace(text)
}

func tagText(text string) string {
	return strings.NewReplacer(",", `\,`, " ", `\ `, "=", `\=`).Replace(text)
}

func tagPlain(text string) string {
	return strings.NewReplacer(`\,`, ",", `\ `, " ", `\=`, "=").Replace(text)
}

// body returns the lines of a request.
func body(r *http.Request) ([]string, error) {
	var reader io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		unpacked, err := gzip.NewReader(r.Body)
		if err != nil {
			return nil, err
		}
		reader = unpacked
	}
	text, err := io.ReadAll(reader)
	if err != nil {
		return nil, err
	}
	var lines []string
	for line := range strings.SplitSeq(string(text), "\n") {
		if line != "" {
			lines = append(lines, line)
		}
	}
	return lines, nil
}
