package service

import (
	"fmt"
	"time"

	"vigie/alerts"
	"vigie/alerts/channels/mail"
	"vigie/alerts/channels/push"
	"vigie/alerts/channels/webhook"
	"vigie/cmd/vigie/config"
	"vigie/ingest/registry"
)

// channelOf is a channel, and how it is opened from the configuration with the link that
// its messages carry. open returns nil for a channel that nobody has configured.
type channelOf struct {
	kind alerts.Kind
	open func(c *config.Config, link string) (alerts.Channel, error)
}

// channels are all there are, each in a line.
var channels = []channelOf{
	{webhook.Kind, openWebhook},
	{mail.Kind, openMail},
	{push.Kind, openPush},
}

func init() {
	for _, c := range channels {
		alerts.Register(c.kind)
		registry.RegisterChannel(registry.Channel{Name: c.kind.Name, Takes: c.kind.Takes, Vanishes: c.kind.Vanishes})
	}
}

func openMail(of *config.Config, link string) (alerts.Channel, error) {
	c := of.Mail
	if c.Host == "" {
		return nil, nil
	}
	return mail.New(mail.Config{
		Host: c.Host, Port: c.Port, Security: mail.Security(c.TLS), Username: c.User, Password: string(c.Password), From: c.From, Link: link,
	})
}

func openWebhook(of *config.Config, link string) (alerts.Channel, error) {
	if of.Webhook.Secret == "" {
		return nil, nil
	}
	// Receivers compare the timestamp with the clock on the wall.
	return webhook.New(webhook.Config{Secret: string(of.Webhook.Secret), Link: link, Now: time.Now})
}

func (s *Service) configuredChannels() (map[string]alerts.Channel, error) {
	found := map[string]alerts.Channel{}
	for _, c := range channels {
		channel, err := c.open(&s.Config, linkOf(s.Config.HTTP))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.kind.Name, err)
		}
		if channel != nil {
			found[c.kind.Name] = channel
		}
	}
	return found, nil
}
