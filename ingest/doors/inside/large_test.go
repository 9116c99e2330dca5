package inside

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"vigie/ingest"
)

// upload lets a device of MQTT 3.1.1 publish so many bytes, a piece each second while
// there is one, and returns how many were taken, and how the connection ended.
func upload(t *testing.T, size int, piece func(second int) int) (taken int, lasted time.Duration, end error) {
	device, broker := net.Pipe()
	door := &Door{
		options: Options{Prefix: "vigie/v1", Now: time.Now, Log: slog.New(slog.DiscardHandler)}, ctx: t.Context(), large: newLargeRoom(largeBytes),
		connections: map[*connection]struct{}{}, devices: map[string]map[*connection]struct{}{},
		submit: func(_ context.Context, m ingest.Message) { taken = max(m.Size, len(m.Payload)) },
	}
	c := newConnection(door, broker)
	c.established, c.alive = true, 90*time.Second
	hungUp := make(chan struct{})
	var sending sync.WaitGroup
	sending.Go(func() {
		defer device.Close()
		const topic = "\x00\x19vigie/v1/scale-1/readings\x00\x01"
		message := binary.AppendUvarint([]byte{0x32}, uint64(len(topic)+size))
		message = append(append(message, topic...), make([]byte, size)...)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for second := 0; len(message) > 0; second++ {
			if now := min(piece(second), len(message)); now > 0 {
				if _, err := device.Write(message[:now]); err != nil {
					return // it was hung up on
				}
				message = message[now:]
			}
			select {
			case <-tick.C:
			case <-hungUp:
				return
			}
		}
	})
	begun := time.Now()
	_, end = c.Read(make([]byte, 1))
	lasted = time.Since(begun)
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	close(hungUp)
	sending.Wait()
	return taken, lasted, end
}

// A patient's gateway at the edge of the mobile network has a week to tell of, after a
// failure of the network: it arrives, however long that takes.
func TestLargeMessageArrivesOverASlowLink(t *testing.T) {
	for name, c := range map[string]struct {
		size  int
		piece func(second int) int
	}{
		"2 KB a second":            {ingest.MaxPayload, func(int) int { return 2000 }},
		"a tunnel of a minute":     {ingest.MaxPayload, func(second int) int { return 3000 * (second / 60 % 2) }},
		"too large, to be told so": {3 * ingest.MaxPayload, func(int) int { return 2000 }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if taken, lasted, end := upload(t, c.size, c.piece); taken < c.size || !errors.Is(end, io.EOF) {
					t.Errorf("%d of %d bytes were taken, and after %v the connection ended with %v", taken, c.size, lasted, end)
				}
			})
		})
	}
}

// Whoever begins a large message and does not send it takes room that others need.
func TestLargeMessageThatDoesNotGetOnIsGivenUp(t *testing.T) {
	for name, c := range map[string]struct {
		piece func(second int) int
		most  time.Duration
	}{
		"silence": {func(second int) int {
			if second == 0 {
				return 100
			}
			return 0
		}, 2 * time.Minute},
		"silence after much": {func(second int) int {
			if second < 10 {
				return 90_000
			}
			return 0
		}, 2*time.Minute + 10*time.Second},
		"a byte a second":    {func(int) int { return 1 }, 2*time.Minute + 5*time.Second},
		"half what it takes": {func(int) int { return largeRate / 2 }, 4*time.Minute + 5*time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				taken, lasted, end := upload(t, ingest.MaxPayload, c.piece)
				if taken != 0 || !errors.Is(end, os.ErrDeadlineExceeded) || lasted > c.most {
					t.Errorf("%d bytes were taken, and after %v the connection ended with %v; it has %v", taken, lasted, end, c.most)
				}
			})
		})
	}
}

// room lets a connection of a device ask for room, and says what became of it.
func askForRoom(t *testing.T, r *largeRoom, device string, bytes int) (given chan *holding, c *connection) {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { theirs.Close() })
	door := &Door{options: Options{Log: slog.New(slog.DiscardHandler)}, connections: map[*connection]struct{}{}, devices: map[string]map[*connection]struct{}{}}
	c = newConnection(door, ours)
	c.device = device
	given = make(chan *holding, 1)
	go func() {
		if h, err := r.take(t.Context(), c, bytes); err == nil {
			given <- h
		}
	}()
	synctest.Wait()
	return given, c
}

// Eight devices with eight slow connections each leave room for everybody else.
func TestSlowLargeMessagesOfSomeDevicesKeepNobodyOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newLargeRoom(largeBytes)
		held := 0
		for i := range 64 {
			given, _ := askForRoom(t, r, string(rune('a'+i%8)), ingest.MaxPayload)
			held += len(given)
		}
		if held != 16 {
			t.Errorf("%d of 64 slow messages of eight devices hold room at once, want two each", held)
		}
		if given, _ := askForRoom(t, r, "healthy", 21<<10); len(given) != 1 {
			t.Error("a healthy device's 21 kB wait for them")
		}
	})
}

// Where so many devices are slow that there is no room left, who waits gets in once the
// slowest has had its time.
func TestNobodyWaitsForSlowLargeMessagesWithoutEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newLargeRoom(3 << 20)
		slow, first := askForRoom(t, r, "slow-1", 1<<20)
		time.Sleep(time.Millisecond) // the slowest is one of them
		askForRoom(t, r, "slow-2", 1<<20)
		done, third := askForRoom(t, r, "slow-3", 1<<20)
		r.came(<-done) // it waits to be committed: not its fault
		given, _ := askForRoom(t, r, "healthy", 21<<10)
		time.Sleep(largeHolds - time.Second)
		synctest.Wait()
		if len(given) != 0 || first.ending.Load() {
			t.Fatalf("room was given after less than %v", largeHolds)
		}
		time.Sleep(3 * time.Second)
		synctest.Wait()
		if !first.ending.Load() || third.ending.Load() {
			t.Fatalf("given up: the slow one %v, the one that has come %v", first.ending.Load(), third.ending.Load())
		}
		r.give(<-slow)
		synctest.Wait()
		if len(given) != 1 {
			t.Error("the healthy device still waits")
		}
	})
}
