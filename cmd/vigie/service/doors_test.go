package service

import (
	"testing"
	"time"

	mqtt "github.com/eclipse/paho.mqtt.golang"

	"vigie/ingest/registry"
)

// A device that was lost is given another password; whoever has it stays connected with
// the former one no longer than a moment.
func TestPasswordThatIsReissuedEndsTheConnectionsOfTheFormerOne(t *testing.T) {
	s, _ := running(t)
	issue := func(password string) {
		t.Helper()
		reg := &registry.Registry{Devices: []registry.Device{{Name: "bp-1", Serial: "1", Kind: "blood-pressure-monitor", Password: password}}}
		if _, err := s.Registry().Import(t.Context(), reg, "a nurse", time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	issue("the-first-password")
	lost := make(chan error, 1)
	client := mqtt.NewClient(mqtt.NewClientOptions().AddBroker(s.Broker()).SetClientID("bp-1").SetUsername("bp-1").SetPassword("the-first-password").
		SetAutoReconnect(false).SetConnectionLostHandler(func(_ mqtt.Client, err error) { lost <- err }))
	if token := client.Connect(); !token.WaitTimeout(20*time.Second) || token.Error() != nil {
		t.Fatalf("connect: %v", token.Error())
	}
	defer client.Disconnect(0)
	issue("the-second-password")
	select {
	case <-lost:
	case <-time.After(20 * time.Second):
		t.Error("the device is still connected with a password that is no longer right")
	}
}
