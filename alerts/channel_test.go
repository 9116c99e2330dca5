package alerts_test

import (
	"testing"

	"vigie/alerts"
)

func init() {
	for _, name := range []string{alerts.Mail, alerts.Webhook} {
		alerts.Register(alerts.Kind{Name: name, System: name == alerts.Webhook, Shown: func(address string) string { return address }})
	}
}

func TestAContactNamesItsChannel(t *testing.T) {
	for contact, want := range map[string][2]string{
		"equipe@chu.example":          {alerts.Mail, "equipe@chu.example"},
		`"a:b"@chu.example`:           {alerts.Mail, `"a:b"@chu.example`},
		"webhook:https://x.example/a": {alerts.Webhook, "https://x.example/a"},
		"sms:+33612345678":            {"sms", "+33612345678"},
	} {
		channel, address := alerts.ChannelOf(contact)
		if got := [2]string{channel, address}; got != want || alerts.Contact(channel, address) != contact {
			t.Errorf("%s is %v, want %v", contact, got, want)
		}
	}
	if got := (alerts.Outgoing{Channel: "carrier-pigeon", To: "secret"}).Recipient(); got != "carrier-pigeon" {
		t.Errorf("an address of a channel that is not there is shown as %q", got)
	}
}
