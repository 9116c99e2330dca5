package servers

import (
	"io"
	"log/slog"
	"net"

	mqtt "github.com/mochi-mqtt/server/v2"
	"github.com/mochi-mqtt/server/v2/listeners"
)

// Hooked starts an MQTT broker inside the test, for what no broker outside does:
// its hook decides who may connect and what is acknowledged. It returns the broker
// and its host:port.
func Hooked(t T, hook mqtt.Hook, config any) (*mqtt.Server, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen for the broker of the test: %v", err)
	}
	broker := mqtt.New(&mqtt.Options{InlineClient: true, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err := broker.AddHook(hook, config); err != nil {
		t.Fatalf("start the broker of the test: %v", err)
	}
	if err := broker.AddListener(listeners.NewNet("test", listener)); err != nil {
		t.Fatalf("start the broker of the test: %v", err)
	}
	if err := broker.Serve(); err != nil { // returns once it listens
		t.Fatalf("start the broker of the test: %v", err)
	}
	t.Cleanup(func() {
		if err := broker.Close(); err != nil {
			t.Fatalf("close the broker of the test: %v", err)
		}
	})
	return broker, listener.Addr().String()
}
