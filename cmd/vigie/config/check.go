package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-playground/validator/v10"
)

// Check returns a sentence for the first key with a bad value.
func Check(c Config) error { return check(c, places{}) }

func check(c Config, set places) error {
	err := rules.Struct(c)
	var failed validator.ValidationErrors
	if errors.As(err, &failed) {
		return explain(failed[0], set)
	}
	if err != nil {
		return fmt.Errorf("check the configuration: %w", err)
	}
	switch {
	case !c.Broker.Inside.Enabled && c.Broker.Outside.URL == "":
		return errors.New("broker: no door is open; set broker.inside.enabled to true or give broker.outside.url")
	case c.Broker.Outside.Sessions > 1 && c.Broker.Outside.SharedGroup == "":
		return set.complain("broker.outside.sessions", "more than one needs broker.outside.shared_group, or each would receive everything")
	case c.Broker.Outside.Password != "" && c.Broker.Outside.PasswordFile != "":
		return set.complain("broker.outside.password_file", "stands beside broker.outside.password; keep one of them")
	case c.Retention.Readings != 0 && c.Retention.Readings < minHistory:
		return set.complain("retention.readings", "must be 0s or at least 60d: evaluation looks that far back")
	case c.Retention.Readings != 0 && c.Retention.Readings <= c.Limits.TooOld:
		return set.complain("retention.readings", "must be longer than limits.too_old, or a reading that comes again could be taken for a new one")
	}
	if file := c.Broker.Outside.PasswordFile; file != "" {
		if _, err := os.ReadFile(file); err != nil {
			return set.complain("broker.outside.password_file", fmt.Sprintf("the file of the secret cannot be read: %v", err))
		}
	}
	for _, folder := range c.Protocols.Folders {
		if _, err := os.ReadDir(folder); err != nil {
			return set.complain("protocols.folders", fmt.Sprintf("the folder cannot be read, correct or remove it: %v", err))
		}
	}
	if secret := c.Webhook.Secret; secret != "" && len(secret) < leastSecret {
		return set.complain("webhook.secret", tooShort(leastSecret))
	}
	for name, token := range c.HTTP.Tokens {
		if len(token) < minToken {
			return set.complain("http.tokens."+name, tooShort(minToken))
		}
		for other := range c.HTTP.Tokens {
			if other < name && c.HTTP.Tokens[other] == token {
				return set.complain("http.tokens."+name, fmt.Sprintf("the same as that of %s, and nobody could tell who acted; generate another one", other))
			}
		}
	}
	return nil
}

// minToken keeps guessable tokens and secrets out, in characters. A webhook.secret of
// earlier days may have leastSecret: its receiver has to change it too, and until then
// messages go out.
const (
	minToken    = 16
	leastSecret = 8
)

func tooShort(least int) string {
	return fmt.Sprintf("shorter than %d characters; generate one, for example with: openssl rand -hex 32", least)
}

// Doubts are sentences about what works and should be changed.
func (c *Config) Doubts() (list []string) {
	if secret := c.Webhook.Secret; secret != "" && len(secret) < minToken {
		list = append(list, "webhook.secret can be guessed: it is "+tooShort(minToken)+"; give the receivers the same, and restart")
	}
	return list
}

// minHistory is what evaluation needs of the past.
const minHistory = 60 * 24 * time.Hour

// places tells where each key was set: file, line and column, or the name of a
// variable of the environment.
type places map[string]string

// complain is one sentence about a key, with where it was set or can be.
func (p places) complain(key, sentence string) error {
	if place, ok := p[key]; ok {
		return fmt.Errorf("%s: %s: %s", place, key, sentence)
	}
	return fmt.Errorf("%s: %s (in the environment: %s)", key, sentence, Variable(key))
}

var rules = func() *validator.Validate {
	v := validator.New(validator.WithRequiredStructEnabled())
	v.RegisterTagNameFunc(func(field reflect.StructField) string { return tag(field) })
	must := func(name string, check validator.Func) {
		if err := v.RegisterValidation(name, check); err != nil {
			panic("config: " + err.Error())
		}
	}
	must("topic", func(f validator.FieldLevel) bool {
		text := f.Field().String()
		return !strings.ContainsAny(text, "+#$ ") && !strings.HasPrefix(text, "/") && !strings.HasSuffix(text, "/")
	})
	must("broker", func(f validator.FieldLevel) bool {
		u, err := url.Parse(f.Field().String())
		return err == nil && u.Host != "" && slices.Contains([]string{"tcp", "mqtt", "tls", "ssl", "mqtts"}, u.Scheme)
	})
	must("address", func(f validator.FieldLevel) bool {
		_, port, err := net.SplitHostPort(f.Field().String())
		number, notNumber := strconv.Atoi(port)
		return err == nil && notNumber == nil && number >= 0 && number <= 65535
	})
	return v
}()

// ways says what to do about each kind of bad value.
var ways = map[string]string{
	"required":      "is missing",
	"required_with": "is needed beside %s",
	"oneof":         "must be one of: %s",
	"address":       "must be host:port, as 127.0.0.1:1883",
	"http_url":      "must be an address as https://host:port",
	"broker":        "must be an address as tcp://host:1883 or tls://host:8883",
	"topic":         "must be topic levels without +, #, spaces or a slash at either end, as vigie/v1",
	"email":         "must be a mail address",
	"cidr":          "must be a network, as 10.0.0.0/8; for one address 10.0.0.1/32",
	"min":           "must be at least %s",
	"max":           "must be at most %s",
	"gt":            "must be more than %s",
}

func explain(f validator.FieldError, set places) error {
	_, key, _ := strings.Cut(f.Namespace(), ".")
	way, ok := ways[f.Tag()]
	if !ok {
		way = "is not valid"
	}
	if strings.Contains(way, "%s") {
		way = fmt.Sprintf(way, parameter(f))
	}
	return set.complain(key, way)
}

// parameter is what a rule compares with, as the file would say it.
func parameter(f validator.FieldError) string {
	if f.Tag() != "required_with" {
		return f.Param()
	}
	switch f.Param() {
	case "CertFile":
		return "cert_file"
	case "KeyFile":
		return "key_file"
	}
	return strings.ToLower(f.Param())
}
