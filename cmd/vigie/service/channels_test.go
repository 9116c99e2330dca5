package service

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/cmd/vigie/config"
	"vigie/ingest/registry"
	"vigie/ingest/yaml"
	"vigie/protocols/document"
)

// TestEveryChannelIsToldOfWhereverChannelsAre walks the channels: a team may name each for
// all that it tells, in a file as in a store, and its messages leave by that channel.
func TestEveryChannelIsToldOfWhereverChannelsAre(t *testing.T) {
	folders, err := os.ReadDir("../../../alerts/channels")
	if err != nil || len(folders) == 0 {
		t.Fatal(folders, err)
	}
	for _, folder := range folders {
		if !slices.ContainsFunc(channels, func(c channelOf) bool { return c.kind.Name == folder.Name() }) {
			t.Errorf("%s: no line of channels opens it", folder.Name())
		}
	}
	for _, kind := range alerts.Kinds() {
		if shown := (alerts.Outgoing{Channel: kind.Name, To: kind.Example}).Recipient(); shown == "" || shown == "?" {
			t.Errorf("%s: its recipient is shown as %q", kind.Name, shown)
		}
		contact, beside := fmt.Sprintf("{%s: ['%s']}", kind.Name, kind.Example), []string(nil)
		if kind.Vanishes { // never alone
			contact, beside = fmt.Sprintf("{%s: ['%s'], mail: [garde@chu.example]}", kind.Name, kind.Example), []string{"garde@chu.example"}
		}
		text := fmt.Sprintf("teams: [{id: a, name: A, time_zone: Europe/Paris, opens: '08:00', closes: '18:00', days: [monday], contacts: %s, escalate: %s, escalate_then: [%s], "+
			"rota: {people: [{id: p, name: P, contacts: %s}]}}]", contact, contact, contact, contact)
		team := teamNamed(t, text)
		want := append(beside, alerts.Contact(kind.Name, kind.Example))
		if kind.System {
			if !slices.Equal(team.Systems, want) || len(team.Contacts) > 0 {
				t.Errorf("%s: %v hears of everything and %v is told, want %v to hear", kind.Name, team.Systems, team.Contacts, want)
			}
			continue
		}
		for where, got := range map[string][]string{"first": team.Contacts, "escalation": team.Escalate, "further step": team.Chain[0], "on duty": team.Rota.People["p"].Contacts} {
			if !slices.Equal(got, want) {
				t.Errorf("%s, %s: %v is told, want %v", kind.Name, where, got, want)
			}
		}
		if out := alerts.Notice(alerts.EventRenewal, team, "k", time.Now()); len(out) != len(want) || out[len(beside)].Channel != kind.Name || out[len(beside)].To != kind.Example {
			t.Errorf("%s: a message leaves as %+v", kind.Name, out)
		}
	}
}

// teamNamed reads a team from a file, keeps it as a store does, and has alerts know it.
func teamNamed(t *testing.T, text string) alerts.Team {
	t.Helper()
	doc, err := yaml.Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	reg, problems, err := registry.Check(t.Context(), doc, nil, nil)
	if err != nil || document.Refused(problems) {
		t.Fatalf("a team cannot be named so: %s: %+v, %v", text, problems, err)
	}
	kept, err := registry.JSON(&reg.Teams[0])
	if err != nil {
		t.Fatal(err)
	}
	var again registry.Team
	if err := json.Unmarshal(kept, &again); err != nil {
		t.Fatal(err)
	}
	team, err := teamOf(&again)
	if err != nil {
		t.Fatal(err)
	}
	return team
}

// TestFilesInUseNameTheirContactsAsBefore reads plain lists and one webhook.
func TestFilesInUseNameTheirContactsAsBefore(t *testing.T) {
	team := teamNamed(t, "teams: [{id: a, name: A, time_zone: Europe/Paris, opens: '08:00', closes: '18:00', days: [monday], mail: [a@chu.example], "+
		"escalate: [b@chu.example], escalate_then: [[c@chu.example]], webhook: 'https://records.example/x', rota: {people: [{id: p, name: P, mail: [d@chu.example]}]}}]")
	got := fmt.Sprint(team.Contacts, team.Escalate, team.Chain, team.Systems, team.Rota.People["p"].Contacts)
	if want := "[a@chu.example] [b@chu.example] [[c@chu.example]] [webhook:https://records.example/x] [d@chu.example]"; got != want {
		t.Errorf("read as %s, want %s", got, want)
	}
}

// TestOnlyWhatIsConfiguredIsOpened opens no channel by default, and each by its keys.
func TestOnlyWhatIsConfiguredIsOpened(t *testing.T) {
	s := &Service{Options: Options{Config: config.Default()}}
	if found, err := s.configuredChannels(); err != nil || len(found) > 0 {
		t.Errorf("by default %v, %v", found, err)
	}
	s.Config.Mail.Host, s.Config.Mail.From = "smtp.example.org", "vigie@chu.example"
	s.Config.Webhook.Secret = "correct-horse-battery"
	s.Config.Push.Contact, s.Config.Data = "mailto:dsi@chu.example", t.TempDir()
	found, err := s.configuredChannels()
	if err != nil {
		t.Fatal(err)
	}
	if got := slices.Sorted(maps.Keys(found)); !slices.Equal(got, []string{alerts.Mail, alerts.Push, alerts.Webhook}) {
		t.Errorf("opened are %v", got)
	}
}
