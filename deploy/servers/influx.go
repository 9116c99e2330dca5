package servers

import (
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
	influx := &InfluxServer{Server: s, URL: "http://" + s.Address, Generation: 2, Bucket: "vigie", Org: "vigie", Token: "of-the-tests"}
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
	request.Header.Set("Authorization", "Token "+s.Token)
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
	_, err = s.post("/api/v2/buckets", map[string]any{"orgID": found.Orgs[0].ID, "name": name, "retentionRules": []any{}})
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

// Database makes a database, or a bucket of 2.x, that keeps for ever, and returns the name of its bucket.
func (s *InfluxServer) Database(name string) (bucket string, err error) {
	if s.Generation == 2 {
		return s.bucket(name)
	}
	query := fmt.Sprintf(`CREATE DATABASE %q WITH NAME "forever"`, name)
	answer, err := http.PostForm(s.URL+"/query", url.Values{"q": {query}})
	if err != nil {
		return "", fmt.Errorf("make the database %s: %w", name, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || bytes.Contains(body, []byte(`"error"`)) {
		return "", fmt.Errorf("make the database %s: %s: %s: %w", name, answer.Status, body, err)
	}
	return name + "/forever", nil
}
