package workspace_test

import (
	"vigie/alerts"
	"vigie/alerts/channels/mail"
	"vigie/alerts/channels/push"
	"vigie/alerts/channels/webhook"
	"vigie/ingest/registry"
)

func init() {
	for _, kind := range []alerts.Kind{webhook.Kind, mail.Kind, push.Kind} {
		alerts.Register(kind)
		registry.RegisterChannel(registry.Channel{Name: kind.Name, Takes: kind.Takes, Vanishes: kind.Vanishes})
	}
}
