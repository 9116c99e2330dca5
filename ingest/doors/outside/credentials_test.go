package outside_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vigie/deploy/servers"
)

// eventually waits for something that nobody announces.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("never happened: %s", what)
		}
	}
}

func TestPasswordThatChangesNeedsNoRestart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "password")
	write := func(password string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(password+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first")
	broker := servers.Mosquitto(t, servers.MosquittoConf{Persistence: true, Users: map[string]string{"vigie": "first", "tensio-01": "s2"}})
	var log servers.Journal
	o := options(broker.Address)
	o.User, o.PasswordFile, o.Log = "vigie", file, slog.New(slog.NewTextHandler(&log, nil))
	in := make(inbox, 10)
	door := open(t, o, in.submit)

	if err := broker.Stop(); err != nil {
		t.Fatal(err)
	}
	servers.Passwords(t, broker, map[string]string{"vigie": "second", "tensio-01": "s2"})
	if err := broker.Start(); err != nil {
		t.Fatal(err)
	}
	device := connect(t, broker.Address, "tensio-01", "s2")
	device.send("vigie/v1/tensio-01/readings", "while the password is wrong")
	device.acknowledged(1)
	eventually(t, "the log says what is wrong", func() bool { return strings.Contains(log.String(), "check user and password") })
	if door.Connected() {
		t.Error("connected with a password that is no longer good")
	}
	if err := os.Remove(file); err != nil { // somebody is just writing it
		t.Fatal(err)
	}
	eventually(t, "the log says that the file is missing", func() bool { return strings.Contains(log.String(), "the password that was read before") })
	write("second")
	if m := in.next(t); string(m.Payload) != "while the password is wrong" {
		t.Errorf("%q came", m.Payload)
	} else {
		m.Done(nil)
	}
	if got := strings.Count(log.String(), "check user and password"); got != 1 {
		t.Errorf("the log says %d times that the password is wrong", got)
	}
}
