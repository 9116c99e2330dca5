package main

import (
	"bufio"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"vigie/seeds/devices"
)

// target is the broker that a command publishes to.
type target struct {
	broker string
	prefix string
}

func (t *target) flags(flags *pflag.FlagSet) {
	flags.StringVar(&t.broker, "broker", "tcp://127.0.0.1:1883", "the broker: tcp://host:port, or tls://host:port")
	flags.StringVar(&t.prefix, "prefix", devices.DefaultPrefix, "prefix of the topics")
}

// hostPort is the broker's address for a connection without TLS.
func (t *target) hostPort() (string, error) {
	u, err := url.Parse(t.broker)
	if err != nil || u.Scheme != "tcp" || u.Port() == "" {
		return "", fmt.Errorf("--broker %q is not tcp://host:port", t.broker)
	}
	return u.Host, nil
}

// readPassword returns the password of a device: the one that was given, or the
// only line of a file, so that it need not stand in the list of processes.
func readPassword(given, file string) (string, error) {
	if given != "" && file != "" {
		return "", errors.New("give --password or --password-file, not both")
	}
	if file == "" {
		return given, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("reading the password: %w", err)
	}
	return strings.TrimSpace(string(text)), nil
}

// readPasswords reads the file that `vigie registry import --passwords` writes:
// device,password on each line.
func readPasswords(file string) (names []string, passwords map[string]string, err error) {
	in, err := os.Open(file)
	if err != nil {
		return nil, nil, fmt.Errorf("reading the passwords: %w", err)
	}
	defer in.Close()
	passwords = map[string]string{}
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		name, password, found := strings.Cut(line, ",")
		if !found {
			return nil, nil, fmt.Errorf("%s, line %d: a line holds a device, a comma and its password", file, n)
		}
		names = append(names, name)
		passwords[name] = password
	}
	return names, passwords, lines.Err()
}
