package ingest_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	sqlitelib "zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/ingest"
)

// sleeper is a service with a device that says whether it is online.
type sleeper struct{ *service }

func (s sleeper) says(online bool) { s.saysAt(online, s.clock()) }

func (s sleeper) saysAt(online bool, at time.Time) {
	s.t.Helper()
	payload := `{"online":false}`
	if online {
		payload = `{"online":true}`
	}
	err := s.submit(ingest.Message{Topic: "vigie/v1/scale-1/status", Device: "scale-1", Client: "scale-1", Payload: []byte(payload), Received: at})
	if err != nil {
		s.t.Fatal(err)
	}
}

// after moves the clock, sweeps, and expects these findings in all.
func (s sleeper) after(d time.Duration, want ...string) {
	s.t.Helper()
	s.move(d)
	if _, err := s.Sweep(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	expect(s.t, "found", s.offline(), want)
}

// offline lists what was found about the device's connection.
func (s sleeper) offline() []string {
	return slices.DeleteFunc(s.found(), func(f string) bool { return !strings.HasSuffix(f, " "+ingest.RuleOffline) })
}

// explains expects these words in why the device was found.
func (s sleeper) explains(want string) {
	s.t.Helper()
	var why string
	err := s.store.Read(s.t.Context(), func(conn *sqlitelib.Conn) error {
		return sqlitex.Execute(conn, "SELECT why FROM findings WHERE kind = 'raised' AND rule = 'device-offline'", &sqlitex.ExecOptions{
			ResultFunc: func(row *sqlitelib.Stmt) error { why = row.ColumnText(0); return nil }})
	})
	if err != nil || !strings.Contains(why, want) {
		s.t.Errorf("it explains itself as %q (%v), want %q in it", why, err, want)
	}
}

const raised, ended = "raised device-offline", "ended device-offline"

func TestADeviceThatStaysOfflineIsFoundOnceItsGraceHasPassed(t *testing.T) {
	s := sleeper{begin(t)}
	s.says(true)
	s.says(false)
	s.after(ingest.OfflineGrace - time.Second)
	s.says(false)
	s.restart()
	s.after(time.Second, raised)
	s.says(false)
	s.after(10*ingest.OfflineGrace, raised)
	s.restart()
	s.says(true)
	s.after(0, raised, ended)
	s.says(false)
	s.after(ingest.OfflineGrace, raised, ended, raised)
	s.explains("pendant 30 h.")
}

func TestADeviceThatWakesOnceADayToSendIsNeverOffline(t *testing.T) {
	s := sleeper{begin(t)}
	for day := range 10 {
		s.says(true)
		s.send("scale-1", weight("day "+string(rune('a'+day)), s.clock(), 82))
		s.says(false)
		s.after(24 * time.Hour)
	}
	s.after(ingest.OfflineGrace, raised)
}

func TestWhatADeviceMeasuresShowsThatItLivesThoughItDoesNotSaySo(t *testing.T) {
	s := sleeper{begin(t)}
	s.says(false)
	s.move(20 * time.Hour)
	s.send("scale-1", weight("a", s.clock(), 82))
	s.send("bp-1", strings.Replace(weight("b", s.clock().Add(time.Hour-time.Minute), 82), "scale", "bp", 1)) // of another device
	s.after(ingest.OfflineGrace - time.Minute)
	s.after(time.Minute, raised)
}

func TestStatusMessagesThatComeInAnotherOrderSayTheSame(t *testing.T) {
	messages := []struct {
		online bool
		after  time.Duration
	}{{true, 0}, {false, time.Minute}, {true, time.Hour}, {false, 2 * time.Hour}}
	for _, order := range [][]int{{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2}, {2, 3, 1, 0}} {
		s := sleeper{begin(t)}
		began := s.clock()
		s.move(3 * time.Hour)
		for _, i := range order {
			s.saysAt(messages[i].online, began.Add(messages[i].after))
		}
		s.after(ingest.OfflineGrace - 4*time.Hour)
		s.after(3*time.Hour, raised)
		s.saysAt(true, began.Add(time.Hour)) // late
		s.after(time.Hour, raised)
		s.says(true)
		s.after(time.Hour, raised, ended)
	}
}

func TestAClockPutBackDoesNotMakeADeviceMute(t *testing.T) {
	s := sleeper{begin(t)}
	s.says(true)
	s.move(-2 * time.Hour)
	s.says(false)
	s.after(ingest.OfflineGrace, raised)
}

func TestTheOperatorChoosesTheGrace(t *testing.T) {
	s := sleeper{begin(t, func(c *ingest.Config) { c.Limits.OfflineGrace = 0 })}
	s.says(false)
	s.after(0, raised)
	s.says(true)
	s.after(0, raised, ended)
	for grace, want := range map[time.Duration]string{90 * time.Minute: "pendant 90 min.", 20 * time.Second: "pendant 20 s."} {
		s := sleeper{begin(t, func(c *ingest.Config) { c.Limits.OfflineGrace = grace })}
		s.says(false)
		s.after(grace, raised)
		s.explains(want)
	}
}

func TestTheBatteryToldWithAReadingMeasuredBeforeTheConnectionIsHeard(t *testing.T) {
	s := sleeper{begin(t)}
	measured := s.clock()
	s.move(time.Minute)
	s.says(true)
	s.send("scale-1", strings.Replace(weight("a", measured, 82), `"unit"`, `"battery":9,"unit"`, 1))
	expect(t, "found", s.found(), []string{"raised battery-low"})
}
