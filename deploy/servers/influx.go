package servers

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// InfluxServer is a running InfluxDB: 1.8 in its default configuration, or 2.x with an
// organisation and a token, whichever the program is.
type InfluxServer struct {
	*Server
	URL        string
	Generation int    // 1 or 2
	Bucket     string // made at the start; "database/retention policy" in 1.8
	Org        string // of 2.x; empty in 1.8
	Token      string // may do everything in 2.x; empty in 1.8

	ids map[string]string // of the buckets of 2.x, by their names
}

// Influx starts an InfluxDB for a test, with an empty bucket. Starting takes
// three seconds: tests of one package share a server and take a Database each.
func Influx(t T) *InfluxServer {
	t.Helper()
	Need(t, "influxd")
	s, err := StartInflux(t.TempDir())
	if err != nil {
		t.Fatalf("%v", err)
	}
	bind(t, s.Server, nil)
	return s
}

// StartInflux starts an InfluxDB that keeps its files in dir. The caller ends it.
func StartInflux(dir string) (*InfluxServer, error) {
	program, err := Find("influxd")
	if err != nil {
		return nil, err
	}
	said, err := exec.Command(program, "version").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("ask %s for its version: %w: %s", program, err, said)
	}
	if bytes.Contains(said, []byte("InfluxDB v2")) || bytes.Contains(said, []byte("InfluxDB 2")) {
		return startInfluxTwo(program, dir)
	}
	file := filepath.Join(dir, "influxdb.conf")
	s := &Server{
		Dir: dir, name: "influxd", ready: "Listening on HTTP",
		command: func() *exec.Cmd { return exec.Command(program, "-config", file) },
	}
	err = start(s, func(port int) error {
		return os.WriteFile(file, fmt.Appendf(nil, influxConf, dir, dir, dir, port), 0o600)
	})
	if err != nil {
		return nil, err
	}
	influx := &InfluxServer{Server: s, URL: "http://" + s.Address, Generation: 1}
	if influx.Bucket, err = influx.Database("vigie"); err != nil {
		return nil, errors.Join(err, s.Kill())
	}
	return influx, nil
}

// startInfluxTwo starts 2.x, and sets it up as a person would at its first start.
func startInfluxTwo(program, dir string) (*InfluxServer, error) {
	port := 0
	s := &Server{
		Dir: dir, name: "influxd", ready: "Listening",
		command: func() *exec.Cmd {
			return exec.Command(program, "--reporting-disabled", "--log-level", "info", "--bolt-path", filepath.Join(dir, "influxd.bolt"), "--sqlite-path", filepath.Join(dir, "influxd.sqlite"),
				"--engine-path", filepath.Join(dir, "engine"), "--http-bind-address", fmt.Sprintf("127.0.0.1:%d", port))
		},
	}
	if err := start(s, func(free int) error { port = free; return nil }); err != nil {
		return nil, err
	}
	influx := &InfluxServer{Server: s, URL: "http://" + s.Address, Generation: 2, Bucket: "vigie", Org: "vigie", Token: "of-the-tests", ids: map[string]string{}}
	_, err := influx.post("/api/v2/setup", map[string]any{"username": "tests", "password": "tests-tests", "org": influx.Org, "bucket": influx.Bucket, "token": influx.Token})
	if err != nil {
		return nil, errors.Join(err, s.Kill())
	}
	return influx, nil
}

// post sends JSON to the interface of 2.x.
func (s *InfluxServer) post(path string, body any) (answer []byte, err error) {
	return s.call(http.MethodPost, path, body)
}

func (s *InfluxServer) call(method, path string, body any) ([]byte, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequest(method, s.URL+path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if s.Token != "" {
		request.Header.Set("Authorization", "Token "+s.Token)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	read, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %s: %s", method, path, answer.Status, read)
	}
	return read, err
}

// bucket makes a bucket of 2.x that keeps for ever.
func (s *InfluxServer) bucket(name string) (string, error) {
	read, err := s.call(http.MethodGet, "/api/v2/orgs?org="+url.QueryEscape(s.Org), nil)
	if err != nil {
		return "", err
	}
	var found struct{ Orgs []struct{ ID string } }
	if err := json.Unmarshal(read, &found); err != nil || len(found.Orgs) != 1 {
		return "", fmt.Errorf("find the organisation %s: %w: %s", s.Org, err, read)
	}
	org := found.Orgs[0].ID
	if read, err = s.post("/api/v2/buckets", map[string]any{"orgID": org, "name": name, "retentionRules": []any{}}); err != nil {
		return "", err
	}
	var made struct{ ID string }
	if err := json.Unmarshal(read, &made); err != nil || made.ID == "" {
		return "", fmt.Errorf("make the bucket %s: %w: %s", name, err, read)
	}
	s.ids[name] = made.ID
	// InfluxQL, in which Count asks, knows databases.
	_, err = s.post("/api/v2/dbrps", map[string]any{"orgID": org, "bucketID": made.ID, "database": name, "retention_policy": "forever", "default": true})
	return name, err
}

const influxConf = `reporting-disabled = true
bind-address = "127.0.0.1:0"
[meta]
dir = "%s/meta"
[data]
dir = "%s/data"
wal-dir = "%s/wal"
query-log-enabled = false
[http]
bind-address = "127.0.0.1:%d"
log-enabled = false
max-body-size = 0
[monitor]
store-enabled = false
`

// Written is how many points the server has written to a Database since it started.
// Its own counters are asked, which costs it next to nothing.
func (s *InfluxServer) Written(database string) (int64, error) {
	if s.Generation == 2 {
		return s.writtenTwo(database)
	}
	body, err := s.get("/debug/vars")
	if err != nil {
		return 0, err
	}
	var all map[string]json.RawMessage
	if err := json.Unmarshal(body, &all); err != nil {
		return 0, fmt.Errorf("read the counters of InfluxDB: %w", err)
	}
	var written int64
	for name, raw := range all {
		if !strings.HasPrefix(name, "shard:") {
			continue
		}
		var shard struct {
			Tags   struct{ Database string }
			Values struct{ WritePointsOk int64 }
		}
		if err := json.Unmarshal(raw, &shard); err != nil {
			return 0, fmt.Errorf("read the counters of InfluxDB: %w", err)
		}
		if shard.Tags.Database == database {
			written += shard.Values.WritePointsOk
		}
	}
	return written, nil
}

// writtenTwo asks the metrics of 2.x. For each shard there are the number of requests
// and that of their points, of all and of those that came to nothing; 2.7.12 has the
// names of the two the wrong way round. Points are never fewer than requests. They
// count from when a request begins: those on their way are taken off.
func (s *InfluxServer) writtenTwo(bucket string) (int64, error) {
	body, err := s.get("/metrics")
	if err != nil {
		return 0, err
	}
	ours := fmt.Sprintf("bucket=%q", s.ids[bucket])
	shards := map[string]map[string]float64{} // by their labels
	var underWay float64
	for lines := bufio.NewScanner(bytes.NewReader(body)); lines.Scan(); {
		metric, value, _ := strings.Cut(lines.Text(), "} ")
		name, labels, _ := strings.Cut(metric, "{")
		of, isShard := strings.CutPrefix(name, "storage_shard_write_")
		sign := map[string]float64{"storage_writer_req_points_sum": 1, "storage_writer_ok_points_sum": -1, "storage_writer_err_points_sum": -1}[name]
		if sign == 0 && (!isShard || !strings.Contains(labels, ours)) {
			continue
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, fmt.Errorf("read the metric %s of InfluxDB: %w", name, err)
		}
		underWay += sign * n
		if !isShard {
			continue
		}
		if shards[labels] == nil {
			shards[labels] = map[string]float64{}
		}
		shards[labels][of] = n
	}
	written := -int64(underWay)
	for _, told := range shards {
		written += int64(max(told["count"], told["sum"]) - max(told["err_count"], told["err_sum"]))
	}
	return written, nil
}

// Count is how many points of a Database have a field: two readings in one point
// count once.
func (s *InfluxServer) Count(database, measurement, field string) (int64, error) {
	body, err := s.get("/query?" + url.Values{"db": {database}, "q": {fmt.Sprintf("SELECT count(%q) FROM %q", field, measurement)}}.Encode())
	if err != nil {
		return 0, err
	}
	var answer struct {
		Results []struct{ Series []struct{ Values [][]any } }
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return 0, fmt.Errorf("count the points of InfluxDB: %w", err)
	}
	if len(answer.Results) != 1 || len(answer.Results[0].Series) != 1 {
		return 0, fmt.Errorf("count the points of InfluxDB: it answers %s", body)
	}
	count, ok := answer.Results[0].Series[0].Values[0][1].(float64)
	if !ok {
		return 0, fmt.Errorf("count the points of InfluxDB: it answers %s", body)
	}
	return int64(count), nil
}

// Drop removes a Database with all that is in it.
func (s *InfluxServer) Drop(database string) error {
	if s.Generation == 2 {
		_, err := s.call(http.MethodDelete, "/api/v2/buckets/"+s.ids[database], nil)
		return err
	}
	if err := s.Order(fmt.Sprintf("DROP DATABASE %q", database)); err != nil {
		return fmt.Errorf("drop the database %s: %w", database, err)
	}
	return nil
}

// Order has InfluxDB 1.x do something. It waits for the whole answer: who hangs up before
// takes the order back.
func (s *InfluxServer) Order(query string) error {
	answer, err := http.PostForm(s.URL+"/query", url.Values{"q": {query}})
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK || bytes.Contains(body, []byte(`"error"`)) {
		return fmt.Errorf("%s: %s", answer.Status, body)
	}
	return nil
}

func (s *InfluxServer) get(path string) ([]byte, error) { return s.call(http.MethodGet, path, nil) }

// Database makes a database, or a bucket of 2.x, that keeps for ever, and returns the name of its bucket.
func (s *InfluxServer) Database(name string) (bucket string, err error) {
	if s.Generation == 2 {
		return s.bucket(name)
	}
	if err := s.Order(fmt.Sprintf(`CREATE DATABASE %q WITH NAME "forever"`, name)); err != nil {
		return "", fmt.Errorf("make the database %s: %w", name, err)
	}
	return name + "/forever", nil
}
