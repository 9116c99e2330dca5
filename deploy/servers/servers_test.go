package servers_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"vigie/deploy/servers"
)

func TestMosquittoComesBackAtItsAddress(t *testing.T) {
	broker := servers.Mosquitto(t, servers.MosquittoConf{Persistence: true})
	reach(t, broker.Address)
	if err := broker.Kill(); err != nil {
		t.Fatal(err)
	}
	if c, err := net.Dial("tcp", broker.Address); err == nil {
		c.Close()
		t.Fatal("a killed broker still answers")
	}
	if err := broker.Start(); err != nil {
		t.Fatal(err)
	}
	reach(t, broker.Address)
}

func TestMosquittoRefusesWrongPassword(t *testing.T) {
	broker := servers.Mosquitto(t, servers.MosquittoConf{
		Users: map[string]string{"tensio-01": "right"},
		ACL:   "pattern write vigie/v1/%u/readings\n",
	})
	if got := connack(t, broker.Address, "tensio-01", "right"); got != 0 {
		t.Errorf("the right password was answered by %d", got)
	}
	if got := connack(t, broker.Address, "tensio-01", "wrong"); got != 5 {
		t.Errorf("a wrong password was answered by %d, want 5", got)
	}
}

// Of either generation, whichever influxd is given.
func TestInfluxKeepsPointsAcrossKill(t *testing.T) {
	influx := servers.Influx(t)
	write(t, influx, influx.Bucket, "weight value=82.1 1795297315")
	if err := influx.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := influx.Start(); err != nil {
		t.Fatal(err)
	}
	if got, err := influx.Count("vigie", "weight", "value"); err != nil || got != 1 {
		t.Errorf("of one point, %d are left: %v", got, err)
	}
}

func TestInfluxTellsWhatItHasWritten(t *testing.T) {
	influx := servers.Influx(t)
	bucket, err := influx.Database("counted")
	if err != nil {
		t.Fatal(err)
	}
	write(t, influx, bucket, "weight value=82.1 1795297315\nweight value=82.3 1795383715")
	write(t, influx, bucket, "weight value=82.2 1795297315") // in the place of the first
	if got, err := influx.Written("counted"); err != nil || got != 3 {
		t.Errorf("three points were written, it tells %d: %v", got, err)
	}
	if got, err := influx.Count("counted", "weight", "value"); err != nil || got != 2 {
		t.Errorf("two points are there, it tells %d: %v", got, err)
	}
	if got, err := influx.Written("vigie"); err != nil || got != 0 {
		t.Errorf("nothing was written to the other, it tells %d: %v", got, err)
	}
	if err := influx.Drop("counted"); err != nil {
		t.Fatal(err)
	}
	if got, err := influx.Count("counted", "weight", "value"); err == nil {
		t.Errorf("what was dropped has %d points", got)
	}
}

// write writes lines, whose times are in seconds.
func write(t *testing.T, influx *servers.InfluxServer, bucket, lines string) {
	t.Helper()
	address := influx.URL + "/api/v2/write?" + url.Values{"precision": {"s"}, "org": {influx.Org}, "bucket": {bucket}}.Encode()
	request, err := http.NewRequest(http.MethodPost, address, strings.NewReader(lines))
	if err != nil {
		t.Fatal(err)
	}
	if influx.Token != "" {
		request.Header.Set("Authorization", "Token "+influx.Token)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		t.Fatal(answer.Status)
	}
}

func TestPostgresKeepsRowsAcrossKill(t *testing.T) {
	postgres := servers.Postgres(t)
	run(t, postgres.URL, "create table kept as select 1 as one")
	if err := postgres.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := postgres.Start(); err != nil {
		t.Fatal(err)
	}
	run(t, postgres.URL, "select one from kept")
	other, err := postgres.Database()
	if err != nil {
		t.Fatal(err)
	}
	run(t, other, "create table kept as select 1 as one")
}

func TestNamedProgramMustBeThere(t *testing.T) {
	t.Setenv("VIGIE_TEST_MOSQUITTO", "/nowhere/mosquitto")
	if _, err := servers.Find("mosquitto"); err == nil || errors.Is(err, servers.ErrMissing) {
		t.Errorf("a wrong path must fail, not skip: %v", err)
	}
	if _, err := servers.Find("no-such-program"); !errors.Is(err, servers.ErrMissing) {
		t.Errorf("a program nobody has: %v", err)
	}
}

func reach(t *testing.T, address string) {
	t.Helper()
	c, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// connack connects with MQTT 3.1.1 and returns the broker's code.
func connack(t *testing.T, address, user, password string) byte {
	t.Helper()
	c, err := net.DialTimeout("tcp", address, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	body := "\x00\x04MQTT\x04\xc2\x00\x3c\x00\x01a" + field(user) + field(password)
	if _, err := io.WriteString(c, "\x10"+string(rune(len(body)))+body); err != nil {
		t.Fatal(err)
	}
	answer := make([]byte, 4)
	if _, err := io.ReadFull(c, answer); err != nil {
		t.Fatal(err)
	}
	return answer[3]
}

func field(s string) string { return "\x00" + string(rune(len(s))) + s }

func run(t *testing.T, url, sql string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close(ctx)
	if _, err := c.Exec(ctx, sql); err != nil {
		t.Fatal(err)
	}
}
