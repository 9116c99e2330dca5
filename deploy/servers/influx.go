package servers

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
)

// InfluxServer is a running InfluxDB 1.8. It serves the write and Flux query
// interfaces of 2.x too; a bucket there is "database/retention policy".
type InfluxServer struct {
	*Server
	URL    string
	Bucket string // of the database made at the start
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
	influx := &InfluxServer{Server: s, URL: "http://" + s.Address}
	if influx.Bucket, err = influx.Database("vigie"); err != nil {
		return nil, errors.Join(err, s.Kill())
	}
	return influx, nil
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

// Database makes a database that keeps for ever, and returns the name of its bucket.
func (s *InfluxServer) Database(name string) (bucket string, err error) {
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
