package workspace_test

import (
	"vigie/alerts"
	"vigie/alerts/channels/mail"
	"vigie/alerts/channels/webhook"
	"vigie/ingest/registry"
)

func init() {
	for _, kind := range []alerts.Kind{webhook.Kind, mail.Kind} {
		alerts.Register(kind)
		registry.RegisterChannel(kind.Name, kind.Takes)
	}
}
