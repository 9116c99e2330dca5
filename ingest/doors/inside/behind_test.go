package inside_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"vigie/deploy/servers"
	"vigie/ingest/doors/inside"
)

// A balancer in front says whom it has a connection from: the log has to name the device's
// address. Whoever else says so is not heard.
func TestAddressBehindABalancerIsThatOfTheDevice(t *testing.T) {
	for balancers, believed := range map[string]bool{"127.0.0.0/8": true, "198.51.100.0/24": false} {
		s := begin(t)
		listener, err := inside.Listen("127.0.0.1:0", false)
		if err != nil {
			t.Fatal(err)
		}
		var log servers.Journal
		door, err := inside.Open(inside.Options{
			Listener: inside.Behind(listener, []netip.Prefix{netip.MustParsePrefix(balancers)}), Prefix: "vigie/v1", Now: s.now,
			Authenticate: inside.Credentials(s.store), Log: slog.New(slog.NewTextHandler(&log, nil)),
		}, s.pipeline.Submit)
		if err != nil {
			t.Fatal(err)
		}
		s.addr = door.Addr().String()
		for _, header := range []string{"PROXY TCP4 203.0.113.9 198.51.100.1 5555 1883\r\n",
			"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xcb\x00\x71\x09\xc6\x33\x64\x01\x15\xb3\x07\x5b"} {
			h := hand{s.dial()}
			h.send(header + connect5("scale-1", "x", "\x00", ""))
			answer, err := io.ReadAll(io.LimitReader(h.conn, 4))
			if accepted := err == nil && len(answer) == 4 && answer[0] == 0x20 && answer[3] == 0; accepted != believed {
				t.Errorf("balancers in %s: a device behind one is let in: %v (%x, %v)", balancers, accepted, answer, err)
			}
			h.conn.Close()
			stranger := hand{s.dial()}
			stranger.send(header + strings.Replace(connect5("scale-1", "x", "\x00", ""), "password-of", "not-that-of", 1))
			_, _ = io.ReadAll(stranger.conn)
		}
		if named := strings.Count(log.String(), "from=203.0.113.9:5555"); named != map[bool]int{true: 2}[believed] {
			t.Errorf("balancers in %s: the log names the address %d times: %s", balancers, named, log.String())
		}
		if err := fmt.Sprint(door.Stop(), door.Close()); err != "<nil> <nil>" {
			t.Error(err)
		}
	}
}
