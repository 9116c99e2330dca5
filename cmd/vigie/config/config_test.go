package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/alerts/erasure"
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
	config.HTTP.Tokens, config.Protocols.Folders, config.Mail.Administrators, config.Broker.Inside.Proxies, config.Topics.Gateways = nil, nil, nil, nil, nil // empty in both
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
	for _, key := range allKeys(reflect.TypeFor[Config](), "") {
		if !has(doc, strings.Split(key, ".")) {
			t.Errorf("%s is not in the sample", key)
		}
	}
}

// Every category that is kept for a time has a key for it, and one for its ground.
func TestEveryCategoryHasItsTimeAndItsGround(t *testing.T) {
	for _, kept := range erasure.Kinds {
		c, err := Load("", []string{Variable("retention."+kept.Key) + "=7305d", Variable("retention.grounds."+kept.Key) + "=décision du 3 mars"})
		if err != nil || c.Retention.For(kept.Key) != 7305*24*time.Hour || c.Retention.Ground(kept.Key) != "décision du 3 mars" {
			t.Errorf("%s: %v for %q, %v", kept.Key, c.Retention.For(kept.Key), c.Retention.Ground(kept.Key), err)
		}
	}
}

// allKeys lists every key, in the order of the sample file.
func allKeys(of reflect.Type, path string) []string {
	var list []string
	for i := range of.NumField() {
		field := of.Field(i)
		name := document.Join(path, tag(field))
		if field.Type.Kind() == reflect.Struct {
			list = append(list, allKeys(field.Type, name)...)
			continue
		}
		list = append(list, name)
	}
	return list
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
	for _, mistake := range []struct{ file, fr, en string }{
		{"brocker: {}", "vigie.yaml:1:1: brocker : il n'y a pas ici de clé « brocker » ; vouliez-vous dire « broker » ?", `1:1: brocker: there is no key "brocker" here; did you mean "broker"?`},
		{"broker:\n  inside:\n    listenn: x", "3:5: broker.inside.listenn : il n'y a pas", `did you mean "listen"?`},
		{"limits: {linger: soon}", "1:18: limits.linger : « soon » n'est pas une durée", `limits.linger: "soon" is not a duration`},
		{"limits: {queue: many}", "limits.queue : « many » n'est pas un nombre entier", `limits.queue: "many" is not a whole number`},
		{"limits: {device_rate: fast}", "limits.device_rate : « fast » n'est pas un nombre", `limits.device_rate: "fast" is not a number`},
		{"broker: {inside: {enabled: perhaps}}", "1:28: broker.inside.enabled : « perhaps » n'est pas une réponse par true ou false", `"perhaps" is not an answer by true or false`},
		{"broker: {inside: {enabled: ''}}", "broker.inside.enabled : une valeur est attendue ici", "a value is expected here"},
		{"log: {level: }", "log.level : une valeur est attendue ici", "a value is expected here"},
		{"broker: {inside: {enabled: false}}", "1:9: broker : aucune porte n'est ouverte", "no door is open"},
		{"broker: {outside: {url: localhost}}", "1:25: broker.outside.url : écrire une adresse comme tcp://hôte:1883", "must be an address as tcp://host:1883"},
		{"broker:\n  outside: {url: 'ws://localhost'}", "2:18: broker.outside.url : écrire une adresse", "must be an address as tcp://host:1883"},
		{"broker: {outside: {url: 'tcp://b', sessions: 4}}", "broker.outside.sessions : plusieurs sessions demandent broker.outside.shared_group", "more than one needs broker.outside.shared_group"},
		{"broker: {inside: {listen: '1883'}}", "broker.inside.listen : écrire hôte:port", "must be host:port"},
		{"broker: {inside: {cert_file: a.pem}}", "1:18: broker.inside.key_file : ceci manque à côté de cert_file", "is needed beside cert_file"},
		{"log: {level: loud}", "vigie.yaml:1:14: log.level : écrire l'un de : debug info warn error", "must be one of: debug info warn error"},
		{"topics: {prefix: 'a/#'}", "topics.prefix : écrire des niveaux de topic", "must be topic levels"},
		{"influx: {url: 'http://localhost:8086'}", "influx.bucket : ceci manque à côté de url", "is needed beside url"},
		{"{limits: {too_old: 90d}, retention: {readings: 90d}}", "retention.readings : doit dépasser limits.too_old", "must be longer than limits.too_old"},
		{"retention: {trail: 7d}", "retention.trail : écrire 0s, ou 365d au moins", "must be 0s or at least 365d"},
		{"retention: {readings: 7d}", "1:23: retention.readings : écrire 0s, ou 60d au moins", "must be 0s or at least 60d"},
		{"limits: {linger: 2h}", "limits.linger : doit valoir 1s au plus", "must be at most 1s"},
		{"http: {proxies: [10.0.0.0/8, ward]}", "1:30: http.proxies[1] : écrire un réseau", "must be a network"},
		{"protocols: {folders: [/nowhere/at/all]}", "protocols.folders : le dossier ne peut pas être lu", "the folder cannot be read"},
		{"influx: {token_file: /nowhere/at/all}", "1:22: influx.token_file : le fichier du secret ne peut pas être lu", "the file of the secret cannot be read"},
		{"broker: {outside: {password_file: /nowhere/at/all}}", "1:35: broker.outside.password_file : le fichier du secret ne peut pas être lu", "the file of the secret cannot be read"},
		{"broker: {outside: {password: a, password_file: b}}", "1:48: broker.outside.password_file : broker.outside.password est là aussi", "is there too"},
		{"webhook: {secret: x}", "1:19: webhook.secret : moins de 8 caractères", "shorter than 8 characters; generate one"},
		{"http: {tokens: {ward: short}}", "1:23: http.tokens.ward : moins de 16 caractères", "shorter than 16 characters"},
		{"{http: {public_url: 'https://v.example'}, access: {openid: {issuer: 'https://psc.example', client_secret: x}}}", "access.openid.client_id : ceci manque à côté de issuer", "is needed beside issuer"},
		{"{http: {public_url: 'https://v.example'}, access: {openid: {issuer: 'https://psc.example', client_id: v}}}", "access.openid.client_secret : ceci manque à côté de issuer", "is needed beside issuer"},
		{"{http: {public_url: 'https://v.example'}, access: {openid: {issuer: 'http://psc.example', client_id: v, client_secret: x}}}", "access.openid.issuer : écrire une adresse https", "must be an https address"},
		{"{http: {public_url: 'https://v.example'}, access: {openid: {issuer: 'https://psc.example', discovery: 'http://psc.example/x', client_id: v, client_secret: x}}}", "access.openid.discovery : écrire une adresse https", "must be an https address"},
		{"{http: {public_url: 'http://v.example'}, access: {openid: {issuer: 'https://psc.example', client_id: v, client_secret: x}}}", "http.public_url : écrire une adresse https", "must be an https address"},
		{"access: {openid: {issuer: 'https://psc.example', client_id: v, client_secret: x}}", "http.public_url : access.openid renvoie les personnes à cette adresse", "sends people back to this address"},
		{"{http: {public_url: 'https://v.example'}, access: {openid: {issuer: 'https://psc.example', client_id: v, client_secret: x, scopes: [profile]}}}", "access.openid.scopes : openid doit en être", "openid has to be among them"},
		{"{http: {public_url: 'https://v.example'}, access: {openid: {issuer: 'https://psc.example', client_id: v, client_secret: x, acr_values: []}}}", "access.openid.acr_values : sans niveau exigé", "without a level any way"},
		{"http: [1]", "1:7: http : ceci doit être un ensemble de clés", "this must be a mapping of keys"},
		{"mail: {host: smtp.example.org}", "1:7: mail.from : ceci manque à côté de host", "is needed beside host"},
		{"http: {tokens: {night: abcdefghijklmnop, ward: abcdefghijklmnop}}", "1:48: http.tokens.ward : c'est aussi celui de night", "the same as that of night"},
		{"data: [a]", "data : une seule valeur est attendue ici", "a single value is expected here"},
		{"data: ''", "1:7: data : ceci manque", "is missing"},
		{"limits: {too_old: 99999999999d}", "limits.too_old : « 99999999999d » dépasse 106751d", `limits.too_old: "99999999999d" is longer than 106751d`},
		{"{", "vigie.yaml:1:", "not valid YAML"},
	} {
		for language, want := range map[string]string{"fr": mistake.fr, "en": mistake.en} {
			_, err := Load(written(t, mistake.file), []string{"VIGIE_LANGUAGE=" + language})
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s: got %v, want %q alone", mistake.file, err, want)
			}
		}
	}
}

// TestAllMistakesAreToldAtOnce has an operator correct a file in one go, and its
// environment.
func TestAllMistakesAreToldAtOnce(t *testing.T) {
	file := written(t, "broker:\n  inside: {listen: '1883', enabled: oui}\nlimits: {queue: many, batch: 0}\nlogs: {}\ninflux: {url: 'http://a:1'}\nwebhook: {secret: x}\n")
	_, err := Load(file, []string{"VIGIE_LOG_LEVEL=loud", "VIGIE_INFLUX_URI=x"})
	mistakes := new(Mistakes)
	if !errors.As(err, &mistakes) {
		t.Fatalf("got %v", err)
	}
	var got []string
	for _, p := range mistakes.Problems {
		place := p.File
		if p.Line > 0 {
			place = fmt.Sprint(p.Line)
		}
		got = append(got, place+" "+p.Path)
		if p.Message.FR == "" || p.Message.EN == "" || (p.Suggestion.FR == "") != (p.Suggestion.EN == "") {
			t.Errorf("%+v is not said in both languages", p)
		}
	}
	want := []string{"VIGIE_INFLUX_URI ", "VIGIE_LOG_LEVEL log.level", "2 broker.inside.listen", "2 broker.inside.enabled", "3 limits.queue", "3 limits.batch", "4 logs", "5 influx.bucket", "6 webhook.secret"}
	if !slices.Equal(got, want) {
		t.Errorf("told\n%q\nwant\n%q", got, want)
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
		if _, err := Load("", []string{name}); err == nil || !strings.Contains(err.Error(), "ne nomme aucune clé") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestAMistakeInTheEnvironmentNamesTheVariable(t *testing.T) {
	for entry, want := range map[string]string{
		"VIGIE_LOG_LEVEL=loud":                    "VIGIE_LOG_LEVEL dans l'environnement : log.level : écrire l'un de",
		"VIGIE_LIMITS_QUEUE=many":                 "VIGIE_LIMITS_QUEUE dans l'environnement : limits.queue : « many » n'est pas un nombre entier",
		"VIGIE_BROKER_INSIDE_LISTEN=127.0.0.1":    "VIGIE_BROKER_INSIDE_LISTEN dans l'environnement : broker.inside.listen : écrire hôte:port",
		"VIGIE_HTTP_PROXIES=10.0.0.0/8,ward":      "VIGIE_HTTP_PROXIES dans l'environnement : http.proxies[1] : écrire un réseau",
		"VIGIE_HTTP_TOKENS=correct-horse-battery": "VIGIE_HTTP_TOKENS dans l'environnement : chaque jeton a une variable à lui, avec son nom à la fin ; VIGIE_HTTP_TOKENS_DASHBOARD",
		"VIGIE_HTTP_TOKENS_FILE=/tokens":          "VIGIE_HTTP_TOKENS_DASHBOARD_FILE pour un fichier",
		"VIGIE_HTTP_TOKENS_NIGHT_WARD=short":      "VIGIE_HTTP_TOKENS_NIGHT_WARD dans l'environnement : http.tokens.night-ward : moins de 16 caractères",
		"VIGIE_MAIL_PASSWORD_FILE=/nowhere/all":   "VIGIE_MAIL_PASSWORD_FILE dans l'environnement : mail.password : le fichier du secret ne peut pas être lu",
		"VIGIE_BROKER_INSIDE_KEY_FILE=a.pem":      "broker.inside.cert_file : ceci manque à côté de key_file (dans l'environnement : VIGIE_BROKER_INSIDE_CERT_FILE)",
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
	for _, key := range allKeys(reflect.TypeFor[Config](), "") {
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
