package service

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"vigie/cmd/vigie/config"
	"vigie/deploy/servers"
	"vigie/ingest/registry"
)

// A real Mosquitto lets in, by the files that are written for it, the devices of the
// registry and Vigie, and each to its own topics.
func TestMosquittoKnowsTheDevicesOfTheRegistry(t *testing.T) {
	s, c := running(t)
	c.Broker.Outside.User, c.Broker.Outside.Password = "vigie", "a secret of the service"
	reg := registry.Registry{Devices: []registry.Device{
		{Name: "scale-1", Kind: "scale", Password: "the first long password"},
		{Name: "scale-2", Kind: "scale", Password: "the other long password"},
		{Name: "scale-3", Kind: "scale", Secret: "sha256$c2FsdA$" + strings.Repeat("A", 43)},
	}}
	if _, err := s.Registry().Import(t.Context(), &reg, "a nurse", time.Now()); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(t.TempDir(), "mosquitto")
	left, err := writeMosquitto(t.Context(), s.backend.registry, c, folder)
	if err != nil || !slices.Equal(left, []string{"scale-3"}) {
		t.Fatalf("left out: %v, %v", left, err)
	}
	text, err := os.ReadFile(filepath.Join(folder, "passwords"))
	if err != nil || strings.Contains(string(text), "long password") {
		t.Fatalf("a password stands in the file, or %v", err)
	}
	broker := servers.Mosquitto(t, servers.MosquittoConf{Files: folder})
	connect := func(user, password string) (mqtt.Client, error) {
		client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker("tcp://" + broker.Address).SetClientID(user).SetUsername(user).SetPassword(password).SetConnectRetry(false))
		token := client.Connect()
		token.Wait()
		t.Cleanup(func() { client.Disconnect(0) })
		return client, token.Error()
	}
	for _, refused := range [][2]string{{"scale-1", "the other long password"}, {"scale-1", ""}, {"scale-3", "the first long password"}, {"scale-9", "x"}} {
		if _, err := connect(refused[0], refused[1]); err == nil {
			t.Errorf("%s gets in with %q", refused[0], refused[1])
		}
	}
	device, err := connect("scale-1", "the first long password")
	if err != nil {
		t.Fatal(err)
	}
	vigie, err := connect("vigie", "a secret of the service")
	if err != nil {
		t.Fatal(err)
	}
	came := make(chan string, 10)
	if token := vigie.Subscribe("vigie/v1/+/readings", 1, func(_ mqtt.Client, m mqtt.Message) { came <- m.Topic() }); token.Wait() && token.Error() != nil {
		t.Fatal(token.Error())
	}
	for _, topic := range []string{"vigie/v1/scale-2/readings", "vigie/v1/scale-1/readings"} { // another's, then its own
		device.Publish(topic, 1, false, "x").Wait()
	}
	if topic := <-came; topic != "vigie/v1/scale-1/readings" {
		t.Errorf("a device publishes under %s", topic)
	}
}

// The service keeps the files written as devices come.
func TestFilesOfMosquittoFollowTheRegistry(t *testing.T) {
	c := config.Default()
	c.Data = t.TempDir()
	c.Broker.Inside.Enabled, c.HTTP.Listen = false, "127.0.0.1:0"
	c.Broker.Outside.Mosquitto = filepath.Join(t.TempDir(), "mosquitto")
	s, err := Start(t.Context(), Options{Config: c, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	add := func(name string) {
		reg := registry.Registry{Devices: []registry.Device{{Name: name, Kind: "scale", Password: "the first long password"}}}
		if _, err := s.Registry().Import(t.Context(), &reg, "a nurse", time.Now()); err != nil {
			t.Fatal(err)
		}
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			text, err := os.ReadFile(filepath.Join(c.Broker.Outside.Mosquitto, "passwords"))
			if err == nil && strings.Contains(string(text), name+":$7$") {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s is not in the file: %v", name, err)
			}
		}
	}
	add("scale-1")
	add("scale-2")
}
