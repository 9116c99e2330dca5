package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"vigie/ingest/yaml"
	"vigie/protocols/document"
)

const sample = "../../../deploy/vigie.yaml"

func TestTheSampleShowsEveryKeyWithItsDefault(t *testing.T) {
	config, err := Load(sample, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	config.HTTP.Tokens, config.Protocols.Folders = nil, nil // empty in both
	if !reflect.DeepEqual(config, want) {
		t.Errorf("the sample differs from the defaults:\n%+v\n%+v", config, want)
	}
	data, err := os.ReadFile(sample)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := yaml.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range Keys() {
		if !has(doc, strings.Split(key, ".")) {
			t.Errorf("%s is not in the sample", key)
		}
	}
}

func has(node *document.Node, path []string) bool {
	for _, name := range path {
		if node = node.Get(name); node == nil {
			return false
		}
	}
	return true
}

func written(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "vigie.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestEachMistakeIsOneSentenceThatNamesTheKey(t *testing.T) {
	for _, mistake := range []struct{ file, want string }{
		{"brocker: {}", "1:1: brocker: no such key"},
		{"broker:\n  inside:\n    listenn: x", "3:5: broker.inside.listenn: no such key; the ones here are cert_file"},
		{"limits: {linger: soon}", `limits.linger: "soon" is not a duration`},
		{"limits: {queue: many}", `limits.queue: "many" is not a whole number`},
		{"limits: {device_rate: fast}", `limits.device_rate: "fast" is not a number`},
		{"broker: {inside: {enabled: perhaps}}", `"perhaps" is neither true nor false`},
		{"broker: {inside: {enabled: false}}", "no door is open"},
		{"broker: {outside: {url: localhost}}", "1:20: broker.outside.url: must be an address as tcp://host:1883"},
		{"broker:\n  outside: {url: 'ws://localhost'}", "2:13: broker.outside.url: must be an address as tcp://host:1883"},
		{"broker: {outside: {url: 'tcp://b', sessions: 4}}", "broker.outside.sessions: more than one needs broker.outside.shared_group"},
		{"broker: {inside: {listen: '1883'}}", "broker.inside.listen: must be host:port"},
		{"broker: {inside: {cert_file: a.pem}}", "broker.inside.key_file: is needed beside cert_file (in the environment: VIGIE_BROKER_INSIDE_KEY_FILE)"},
		{"log: {level: loud}", "vigie.yaml:1:7: log.level: must be one of: debug info warn error"},
		{"topics: {prefix: 'a/#'}", "topics.prefix: must be topic levels"},
		{"influx: {url: 'http://localhost:8086'}", "influx.bucket: is needed beside url"},
		{"{limits: {too_old: 90d}, retention: {readings: 90d}}", "retention.readings: must be longer than limits.too_old"},
		{"retention: {readings: 7d}", "retention.readings: must be 0s or at least 60d"},
		{"limits: {linger: 2h}", "limits.linger: must be at most 1s"},
		{"protocols: {folders: [/nowhere/at/all]}", "protocols.folders: the folder cannot be read"},
		{"influx: {token_file: /nowhere/at/all}", "the file of the secret cannot be read"},
		{"broker: {outside: {password_file: /nowhere/at/all}}", "1:20: broker.outside.password_file: the file of the secret cannot be read"},
		{"broker: {outside: {password: a, password_file: b}}", "1:33: broker.outside.password_file: stands beside broker.outside.password"},
		{"webhook: {secret: x}", "1:11: webhook.secret: shorter than 8 characters"},
		{"http: {tokens: {ward: short}}", "1:17: http.tokens.ward: shorter than 16 characters"},
		{"http: [1]", "expected keys beneath it"},
		{"mail: {host: smtp.example.org}", "mail.from: is needed beside host"},
		{"http: {tokens: {night: abcdefghijklmnop, ward: abcdefghijklmnop}}", "1:42: http.tokens.ward: the same as that of night"},
		{"data: [a]", "data: expected one value"},
		{"data: ''", "1:1: data: is missing"},
		{"limits: {too_old: 99999999999d}", `limits.too_old: "99999999999d" is longer than 106751d`},
	} {
		_, err := Load(written(t, mistake.file), nil)
		if err == nil || !strings.Contains(err.Error(), mistake.want) {
			t.Errorf("%s: got %v, want %q", mistake.file, err, mistake.want)
		}
	}
}

func TestTheEnvironmentWinsAndSecretsComeFromFiles(t *testing.T) {
	secret := written(t, "correct-horse-battery\r\n") // as an editor on Windows ends it
	config, err := Load(written(t, "influx: {url: 'http://a:1', bucket: b}\nlimits: {too_old: 10d}"), []string{
		"VIGIE_INFLUX_URL=http://b:2", "VIGIE_INFLUX_TOKEN_FILE=" + secret, "VIGIE_HTTP_TOKENS_NIGHT_WARD_FILE=" + secret,
		"VIGIE_BROKER_INSIDE_LISTEN=127.0.0.1:2883", "VIGIE_TEST_MOSQUITTO=/bin/true", "HOME=/",
	})
	if err != nil {
		t.Fatal(err)
	}
	if config.Influx.URL != "http://b:2" || string(config.Influx.Token) != "correct-horse-battery" || config.Broker.Inside.Listen != "127.0.0.1:2883" {
		t.Errorf("the environment was not heard: %+v", config)
	}
	if string(config.HTTP.Tokens["night-ward"]) != "correct-horse-battery" {
		t.Errorf("the token did not come from its file: %v", config.HTTP.Tokens)
	}
	if config.Limits.TooOld != 10*24*time.Hour {
		t.Errorf("too_old is %s, want ten days", config.Limits.TooOld)
	}
}

func TestAVariableThatNamesNoKeyIsRefused(t *testing.T) {
	for _, name := range []string{"VIGIE_INFLUX_URI=x", "VIGIE_LOG_LEVEL_FILE=x"} {
		if _, err := Load("", []string{name}); err == nil || !strings.Contains(err.Error(), "names no key") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAMistakeInTheEnvironmentNamesTheVariable(t *testing.T) {
	for entry, want := range map[string]string{
		"VIGIE_LOG_LEVEL=loud":                    "VIGIE_LOG_LEVEL in the environment: log.level: must be one of",
		"VIGIE_LIMITS_QUEUE=many":                 `VIGIE_LIMITS_QUEUE in the environment: "many" is not a whole number`,
		"VIGIE_BROKER_INSIDE_LISTEN=127.0.0.1":    "VIGIE_BROKER_INSIDE_LISTEN in the environment: broker.inside.listen: must be host:port",
		"VIGIE_HTTP_TOKENS=correct-horse-battery": "VIGIE_HTTP_TOKENS in the environment: each token has a variable of its own, with its name at the end: VIGIE_HTTP_TOKENS_DASHBOARD",
		"VIGIE_HTTP_TOKENS_FILE=/tokens":          "VIGIE_HTTP_TOKENS_DASHBOARD_FILE for a file",
		"VIGIE_MAIL_PASSWORD_FILE=/nowhere/all":   "VIGIE_MAIL_PASSWORD_FILE in the environment: the file of the secret cannot be read",
	} {
		if _, err := Load(written(t, "log: {format: json}"), []string{entry}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", entry, err, want)
		}
	}
}

func TestVariablesOfKubernetesAreLeftAlone(t *testing.T) {
	config, err := Load("", []string{
		"VIGIE_SERVICE_HOST=10.0.0.1", "VIGIE_SERVICE_PORT_MQTT=1883", "VIGIE_PORT=tcp://10.0.0.1:1883", "VIGIE_PORT_1883_TCP_ADDR=10.0.0.1",
	})
	if err != nil || !reflect.DeepEqual(config, Default()) {
		t.Errorf("got %+v, %v", config, err)
	}
}

func TestAddressesOfEveryKindAreTaken(t *testing.T) {
	for _, address := range []string{":1883", "[::1]:1883", "localhost:1883", "127.0.0.1:0"} {
		if _, err := Load("", []string{"VIGIE_BROKER_INSIDE_LISTEN=" + address}); err != nil {
			t.Error(err)
		}
	}
}

func TestEveryKeyComesFromTheEnvironment(t *testing.T) {
	config := Default()
	known := variables(reflect.ValueOf(&config).Elem(), "")
	for _, key := range Keys() {
		if _, ok := known[Variable(key)]; !ok && key != "http.tokens" {
			t.Errorf("%s cannot be set from the environment", key)
		}
	}
}

// TestAShortSecretOfEarlierDaysStillStarts has an operator start with the webhook secret
// of last month's file: the service starts and says that it has to be changed.
func TestAShortSecretOfEarlierDaysStillStarts(t *testing.T) {
	for secret, doubted := range map[string]bool{"": false, "hunter22": true, "fifteen letters": true, "sixteen letters!": false} {
		c, err := Load(written(t, "webhook: {secret: \""+secret+"\"}"), nil)
		if err != nil {
			t.Errorf("%d characters: %v", len(secret), err)
			continue
		}
		doubts := c.Doubts()
		if (len(doubts) == 1) != doubted || doubted && (!strings.Contains(doubts[0], "openssl rand") || strings.Contains(doubts[0], secret)) {
			t.Errorf("%d characters: %q", len(secret), doubts)
		}
	}
}

func TestASecretIsNeverPrinted(t *testing.T) {
	if text := Secret("hunter2").String(); strings.Contains(text, "hunter2") {
		t.Errorf("printed %q", text)
	}
}
