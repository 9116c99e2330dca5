package service

import (
	"fmt"
	"slices"
	"testing"

	"vigie/alerts"
	"vigie/cmd/vigie/config"
	"vigie/ingest/registry"
	"vigie/ingest/yaml"
	"vigie/protocols/document"
)

// TestEveryChannelIsToldOfWhereverChannelsAre walks the channels: each can be opened,
// knows its own addresses, and a team may name them.
func TestEveryChannelIsToldOfWhereverChannelsAre(t *testing.T) {
	for _, kind := range alerts.Kinds {
		if channels[kind.Name] == nil {
			t.Errorf("%s: nothing opens it", kind.Name)
		}
		if got := alerts.ChannelOf(kind.Example); got != kind.Name {
			t.Errorf("%s: its address %s goes by %s", kind.Name, kind.Example, got)
		}
		if shown := (alerts.Outgoing{Channel: kind.Name, To: kind.Example}).Recipient(); shown == "" || shown == "?" {
			t.Errorf("%s: its recipient is shown as %q", kind.Name, shown)
		}
		key := "mail"
		if kind.Name == alerts.Webhook { // it calls a system
			key = "webhook"
		}
		team := fmt.Sprintf("teams: [{id: a, name: A, time_zone: Europe/Paris, opens: '08:00', closes: '18:00', days: [monday], %s: %s}]", key, listedFor(key, kind.Example))
		doc, err := yaml.Parse([]byte(team))
		if err != nil {
			t.Fatal(err)
		}
		if _, problems, err := registry.Check(t.Context(), doc, nil, nil); err != nil || document.Refused(problems) {
			t.Errorf("%s: a team cannot name %s: %+v, %v", kind.Name, kind.Example, problems, err)
		}
	}
	for name := range channels {
		if !slices.ContainsFunc(alerts.Kinds, func(k alerts.Kind) bool { return k.Name == name }) {
			t.Errorf("%s is opened, and alerts do not know it", name)
		}
	}
}

func listedFor(key, address string) string {
	if key == "mail" {
		return "['" + address + "']"
	}
	return "'" + address + "'"
}

// TestOnlyWhatIsConfiguredIsOpened opens no channel by default, and each by its keys.
func TestOnlyWhatIsConfiguredIsOpened(t *testing.T) {
	s := &Service{Options: Options{Config: config.Default()}}
	if found, err := s.configuredChannels(); err != nil || len(found) > 0 {
		t.Errorf("by default %v, %v", found, err)
	}
	s.Config.Mail.Host, s.Config.Mail.From = "smtp.example.org", "vigie@chu.example"
	s.Config.Webhook.Secret = "correct-horse-battery"
	found, err := s.configuredChannels()
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range alerts.Kinds {
		if found[kind.Name] == nil {
			t.Errorf("%s is configured and not opened", kind.Name)
		}
	}
}
