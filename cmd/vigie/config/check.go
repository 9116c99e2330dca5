package config

import (
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"

	"github.com/go-playground/validator/v10"
)

// Check returns a sentence for the first key with a bad value.
func Check(c Config) error {
	err := rules.Struct(c)
	var failed validator.ValidationErrors
	if errors.As(err, &failed) {
		return explain(failed[0])
	}
	if err != nil {
		return fmt.Errorf("check the configuration: %w", err)
	}
	if !c.Broker.Inside.Enabled && c.Broker.Outside.URL == "" {
		return errors.New("broker: no door is open; set broker.inside.enabled to true or give broker.outside.url")
	}
	for name, token := range c.HTTP.Tokens {
		if len(token) < minToken {
			return fmt.Errorf("http.tokens.%s: shorter than %d characters; generate one, for example with: openssl rand -hex 32", name, minToken)
		}
	}
	return nil
}

// minToken keeps guessable tokens out, in characters.
const minToken = 16

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
		return err == nil && u.Host != "" && strings.Contains(" tcp mqtt ssl tls mqtts ws wss ", " "+u.Scheme+" ")
	})
	return v
}()

// ways says what to do about each kind of bad value.
var ways = map[string]string{
	"required":      "is missing",
	"required_with": "is needed beside %s",
	"oneof":         "must be one of: %s",
	"hostname_port": "must be host:port, as 127.0.0.1:1883",
	"http_url":      "must be an address as https://host:port",
	"broker":        "must be an address as tcp://host:1883 or tls://host:8883",
	"topic":         "must be topic levels without +, #, spaces or a slash at either end, as vigie/v1",
	"email":         "must be a mail address",
	"min":           "must be at least %s",
	"max":           "must be at most %s",
	"gt":            "must be more than %s",
}

func explain(f validator.FieldError) error {
	_, key, _ := strings.Cut(f.Namespace(), ".")
	way, ok := ways[f.Tag()]
	if !ok {
		way = "is not valid"
	}
	if strings.Contains(way, "%s") {
		way = fmt.Sprintf(way, strings.ToLower(f.Param()))
	}
	return fmt.Errorf("%s %s (in the environment: %s)", key, way, Variable(key))
}
