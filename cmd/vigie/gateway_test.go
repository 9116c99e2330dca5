package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vigie/cmd/vigie/config"
	"vigie/cmd/vigie/service"
)

func gatewayLine(t *testing.T, in string, args ...string) (string, error) {
	t.Helper()
	root := rootCommand()
	var out bytes.Buffer
	root.SetOut(&out)
	root.SetIn(strings.NewReader(in))
	root.SetArgs(append([]string{"gateway"}, args...))
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

// The owner of a gateway finds its mapping, tries it on a message, and makes one of their
// own.
func TestAMappingIsTriedOnAMessage(t *testing.T) {
	if out, err := gatewayLine(t, "", "list"); err != nil || !strings.Contains(out, "theengs") || !strings.Contains(out, "home/+/BTtoMQTT/+") {
		t.Errorf("%v\n%s", err, out)
	}
	topic := []string{"--topic", "home/g/BTtoMQTT/AABBCCDDEEFF", "-"}
	for payload, want := range map[string]string{
		`{"weighing_mode":"person","unit":"kg","weight":61.45}`:  "AABBCCDDEEFF weight value=61.45 receipt\n",
		`{"weighing_mode":"person","unit":"jin","weight":61.45}`: "refused unknown-unit unit\n",
		`{"tempc":21}`: "aucune mesure",
	} {
		out, err := gatewayLine(t, payload, append([]string{"test", "theengs"}, topic...)...)
		if refused := errors.Is(err, exitStatus(1)); !strings.Contains(out, want) || refused != strings.HasPrefix(want, "refused") {
			t.Errorf("%s: %v, %q", payload, err, out)
		}
	}
	text, err := gatewayLine(t, "", "show", "theengs")
	if err != nil {
		t.Fatal(err)
	}
	own := filepath.Join(t.TempDir(), "own.yaml")
	if err := os.WriteFile(own, []byte(strings.Replace(text, "value: weight", "value: kilos", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := gatewayLine(t, "", "check", "--language", "en", own); !errors.Is(err, exitStatus(1)) || !strings.Contains(out, "the sample gives") {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := gatewayLine(t, "", "check", "theengs", "esphome"); err != nil || out != "" {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := gatewayLine(t, "", "test", "theengs", "--topic", "elsewhere", "-"); err == nil || !strings.Contains(err.Error(), "home/+/BTtoMQTT/+") {
		t.Errorf("another topic: %v", err)
	}
}

func TestGatewaysOfAConfigurationAreCheckedAtTheStart(t *testing.T) {
	own := filepath.Join(t.TempDir(), "own.yaml")
	text, err := service.Mapping("theengs")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(own, []byte(strings.Replace(string(text), "gateway: theengs", "gateway: own", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		topics config.Topics
		want   string
	}{
		{config.Topics{Prefix: "vigie/v1", Gateways: []string{"theengs", "esphome", "home-assistant", "thingsboard"}}, ""},
		{config.Topics{Prefix: "vigie/v1", Gateways: []string{"omron-bridge"}, GatewayZone: "Indian/Reunion"}, ""},
		{config.Topics{Prefix: "vigie/v1", Gateways: []string{"omron-bridge"}}, "gateway_zone"},
		{config.Topics{Prefix: "vigie/v1", Gateways: []string{"theengs", own}}, "also belong to home/+/BTtoMQTT/+"},
		{config.Topics{Prefix: "omron", Gateways: []string{"omron-bridge"}, GatewayZone: "Europe/Paris"}, "also belong to omron/+/+"},
		{config.Topics{Prefix: "vigie/v1", Gateways: []string{"zigbee"}}, "thingsboard"},
	} {
		if _, err := service.Gateways(c.topics); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.topics, err, c.want)
		}
	}
}
