package mail

import (
	"net/mail"

	"vigie/alerts"
)

// Kind describes the channel. An address is the bare one, "equipe@chu.example".
var Kind = alerts.Kind{
	Name:    alerts.Mail,
	Takes:   bare,
	Shown:   func(address string) string { return address },
	Example: "equipe@chu.example",
}

func bare(address string) bool {
	parsed, err := mail.ParseAddress(address)
	return err == nil && parsed.Address == address
}
