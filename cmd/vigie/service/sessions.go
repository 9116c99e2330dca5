package service

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"

	"vigie/cmd/vigie/config"
	"vigie/ingest/disk"
)

// sessionsFile, in the data folder, says which sessions this node has opened at
// which broker: one that it should have and does not has forgotten messages.
const sessionsFile = "broker-sessions"

// sessionsLine is its one line.
const sessionsLine = "client %q at %q: %d\n"

// rememberedSessions is how many sessions that broker was given before; 0 for one
// that this node has not met under that name.
func rememberedSessions(data string, c config.Outside) (count int) {
	text, err := os.ReadFile(filepath.Join(data, sessionsFile))
	if err != nil {
		return 0
	}
	var client, host string
	if _, err := fmt.Sscanf(string(text), sessionsLine, &client, &host, &count); err != nil || client != c.ClientID || host != brokerHost(c) {
		return 0
	}
	return count
}

// rememberSessions writes down that the broker has the sessions now.
func rememberSessions(data string, c config.Outside) error {
	line := fmt.Sprintf(sessionsLine, c.ClientID, brokerHost(c), max(1, c.Sessions))
	err := errors.Join(disk.Make(data), disk.Write(filepath.Join(data, sessionsFile), []byte(line)))
	if err != nil {
		return fmt.Errorf("write down the sessions at the broker: %w", err)
	}
	return nil
}

// brokerHost is the broker without what is secret in its address.
func brokerHost(c config.Outside) string {
	address, err := url.Parse(c.URL)
	if err != nil {
		return ""
	}
	return address.Host
}
