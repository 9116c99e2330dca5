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

func TestInfluxKeepsPointsAcrossKill(t *testing.T) {
	influx := servers.Influx(t)
	write := influx.URL + "/api/v2/write?precision=s&bucket=" + url.QueryEscape(influx.Bucket)
	answer, err := http.Post(write, "text/plain", strings.NewReader("weight value=82.1 1795297315"))
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		t.Fatal(answer.Status)
	}
	if err := influx.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := influx.Start(); err != nil {
		t.Fatal(err)
	}
	answer, err = http.Get(influx.URL + "/query?db=vigie&q=" + url.QueryEscape("select * from weight"))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if body, _ := io.ReadAll(answer.Body); !strings.Contains(string(body), "82.1") {
		t.Errorf("the point is gone: %s", body)
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
