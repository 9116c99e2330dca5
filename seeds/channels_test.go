package seeds

import (
	"vigie/alerts"
	"vigie/alerts/channels/mail"
	"vigie/alerts/channels/webhook"
	"vigie/ingest/registry"
)

// The cohort names these channels; the program registers them.
func init() {
	for _, kind := range []alerts.Kind{mail.Kind, webhook.Kind} {
		registry.RegisterChannel(registry.Channel{Name: kind.Name, Takes: kind.Takes, Vanishes: kind.Vanishes})
	}
}
