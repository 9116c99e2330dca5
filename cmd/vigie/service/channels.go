package service

import (
	"fmt"
	"time"

	"vigie/alerts"
	"vigie/alerts/channels/mail"
	"vigie/alerts/channels/webhook"
	"vigie/cmd/vigie/config"
)

// channels are how each kind of channel is opened from the configuration, with the link
// that its messages carry. A channel that nobody has configured is nil.
var channels = map[string]func(c *config.Config, link string) (alerts.Channel, error){
	alerts.Mail:    openMail,
	alerts.Webhook: openWebhook,
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
	for name, open := range channels {
		channel, err := open(&s.Config, linkOf(s.Config.HTTP))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if channel != nil {
			found[name] = channel
		}
	}
	return found, nil
}
