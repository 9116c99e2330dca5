// Package config is everything an operator can set: one typed value, read from a
// file, then from the environment, then checked.
//
// Every key of the file also comes from the environment: broker.inside.listen is
// VIGIE_BROKER_INSIDE_LISTEN. A secret comes from a file when its key has _file
// added: influx.token_file. deploy/vigie.yaml shows every key with its default.
package config

import (
	"net/netip"
	"time"

	"vigie/alerts/erasure"
	"vigie/ingest"
)

// Config is the configuration of the service.
type Config struct {
	Data      string    `yaml:"data" validate:"required"` // folder of the embedded store
	Topics    Topics    `yaml:"topics"`
	Broker    Broker    `yaml:"broker"`
	Store     Store     `yaml:"store"`
	Influx    Influx    `yaml:"influx"`
	HTTP      HTTP      `yaml:"http"`
	Access    Access    `yaml:"access"`
	Mail      Mail      `yaml:"mail"`
	Webhook   Webhook   `yaml:"webhook"`
	Push      Push      `yaml:"push"`
	Protocols Protocols `yaml:"protocols"`
	Limits    Limits    `yaml:"limits"`
	Technical Technical `yaml:"technical"`
	Retention Retention `yaml:"retention"`
	Log       Log       `yaml:"log"`
	Language  string    `yaml:"language" validate:"oneof=fr en"` // of messages to people
}

// Topics says where devices publish.
type Topics struct {
	Prefix string `yaml:"prefix" validate:"required,topic"`
	// Gateways are mappings of gateways, by the names of those that ship or by their files.
	Gateways    []string `yaml:"gateways"`
	GatewayZone string   `yaml:"gateway_zone"` // of local times of gateways
}

// Broker holds the two doors; both may be open.
type Broker struct {
	Inside  Inside  `yaml:"inside"`
	Outside Outside `yaml:"outside"`
}

// Inside is the MQTT broker inside the process.
type Inside struct {
	Enabled  bool     `yaml:"enabled"`
	Listen   string   `yaml:"listen" validate:"required,address"`
	CertFile string   `yaml:"cert_file" validate:"required_with=KeyFile"`
	KeyFile  string   `yaml:"key_file" validate:"required_with=CertFile"`
	Proxies  Networks `yaml:"proxies" validate:"dive,cidr"` // of TCP balancers that say whom they have a connection from (PROXY protocol)
}

// Outside is an MQTT 3.1.1 broker that runs elsewhere. An empty URL closes this
// door.
type Outside struct {
	URL          string `yaml:"url" validate:"omitempty,broker"`
	ClientID     string `yaml:"client_id" validate:"required_with=URL"`
	SharedGroup  string `yaml:"shared_group"` // several nodes share the messages
	Sessions     int    `yaml:"sessions" validate:"min=0,max=64"`
	User         string `yaml:"user"`
	Password     Secret `yaml:"password"`
	PasswordFile string `yaml:"password_file"` // read at every connection, where the files of other secrets are read at the start
	CAFile       string `yaml:"ca_file"`
	CertFile     string `yaml:"cert_file" validate:"required_with=KeyFile"`
	KeyFile      string `yaml:"key_file" validate:"required_with=CertFile"`
	Receipts     bool   `yaml:"receipts"`  // publish receipts to that broker
	Mosquitto    string `yaml:"mosquitto"` // folder in which the password file and the access list of a Mosquitto are kept written
}

// Store is the transactional store: embedded unless a PostgreSQL URL is given.
type Store struct {
	Postgres Postgres `yaml:"postgres"`
}

// Postgres is the store that several nodes share.
type Postgres struct {
	URL Secret `yaml:"url"`
}

// Influx is where readings also go. With an empty URL they stay in the store alone.
type Influx struct {
	URL         string        `yaml:"url" validate:"omitempty,http_url"`
	Token       Secret        `yaml:"token"`
	Org         string        `yaml:"org"`
	Bucket      string        `yaml:"bucket" validate:"required_with=URL"`
	CAFile      string        `yaml:"ca_file"`
	CannotErase string        `yaml:"cannot_erase" validate:"omitempty,oneof=accepted"` // version 3, which deletes nothing
	EndsAfter   time.Duration `yaml:"ends_after" validate:"min=0"`                      // the end of the bucket, where the law sets one
	Former      FormerInflux  `yaml:"former"`
}

// FormerInflux is the server that was fed before, from which `vigie influx feed` takes
// what the store has forgotten. An empty URL names none.
type FormerInflux struct {
	URL    string `yaml:"url" validate:"omitempty,http_url"`
	Token  Secret `yaml:"token"`
	Org    string `yaml:"org"`
	Bucket string `yaml:"bucket" validate:"required_with=URL"`
	CAFile string `yaml:"ca_file"`
}

// HTTP is the interface for programs and the pages for people.
type HTTP struct {
	Listen    string            `yaml:"listen" validate:"required,address"`
	PublicURL string            `yaml:"public_url" validate:"omitempty,http_url"` // in links to people
	Tokens    map[string]Secret `yaml:"tokens"`                                   // of the operator's programs, by name; the name becomes the author
	CertFile  string            `yaml:"cert_file" validate:"required_with=KeyFile"`
	KeyFile   string            `yaml:"key_file" validate:"required_with=CertFile"`
	// StatusListen has /readyz, /status and /metrics on a listener of its own.
	StatusListen string   `yaml:"status_listen" validate:"omitempty,address"`
	Proxies      Networks `yaml:"proxies" validate:"dive,cidr"` // whose X-Forwarded-For is believed
}

// Networks are ranges of addresses, as 10.0.0.0/8. In the environment they are
// separated by commas.
type Networks []string

// Prefixes are the networks, once checked.
func (n Networks) Prefixes() []netip.Prefix {
	var list []netip.Prefix
	for _, text := range n {
		if network, err := netip.ParsePrefix(text); err == nil {
			list = append(list, network.Masked())
		}
	}
	return list
}

// Access says how people get in.
type Access struct {
	SecondFactor string        `yaml:"second_factor" validate:"oneof=required optional"`
	Idle         time.Duration `yaml:"idle" validate:"min=1m"`     // a login ends without a request for so long
	Absolute     time.Duration `yaml:"absolute" validate:"min=5m"` // and after so long whatever happens
	Known        string        `yaml:"known_passwords"`            // file of passwords that nobody may choose, one a line
	OpenID       OpenID        `yaml:"openid"`
}

// OpenID is the OpenID Connect provider at which people may sign in. An empty issuer names
// none.
type OpenID struct {
	Name         string   `yaml:"name" validate:"required"` // on the button
	Issuer       string   `yaml:"issuer" validate:"omitempty,http_url"`
	Discovery    string   `yaml:"discovery" validate:"omitempty,http_url"` // where not below the issuer, as the standard has it
	ClientID     string   `yaml:"client_id" validate:"required_with=Issuer"`
	ClientSecret Secret   `yaml:"client_secret" validate:"required_with=Issuer"`
	Scopes       []string `yaml:"scopes"`
	ACRValues    []string `yaml:"acr_values"`                           // levels of assurance: the provider has to show one of them
	Identifier   string   `yaml:"identifier_claim" validate:"required"` // claim that holds the national identifier
	CAFile       string   `yaml:"ca_file"`
}

// Optional lets people in with a password alone.
const Optional = "optional"

// Mail is the SMTP channel. An empty host closes it.
type Mail struct {
	Host     string `yaml:"host"`
	Port     int    `yaml:"port" validate:"min=1,max=65535"`
	TLS      string `yaml:"tls" validate:"oneof=starttls tls none"`
	User     string `yaml:"user"`
	Password Secret `yaml:"password"`
	From     string `yaml:"from" validate:"required_with=Host,omitempty,email"`
	// Administrators of the service are told last, of what no step of a team has answered.
	Administrators []string `yaml:"administrators" validate:"dive,email"`
}

// Webhook is the channel to other systems; teams give the address. An empty
// secret closes it.
type Webhook struct {
	Secret Secret `yaml:"secret"`
}

// Push is the channel to telephones and browsers, which people subscribe by themselves. An
// empty contact closes it.
type Push struct {
	Contact string `yaml:"contact"` // whom a push service may write to
	Key     Secret `yaml:"key"`     // 32 bytes in base64; one is made and kept in Data when empty
	// Networks are private ones in which a push service may be.
	Networks Networks `yaml:"networks" validate:"dive,cidr"`
	CAFile   string   `yaml:"ca_file"`
}

// Protocols are the care protocols beside those that ship.
type Protocols struct {
	Folders []string `yaml:"folders"`
}

// Limits bound what devices can ask for.
type Limits struct {
	TooOld          time.Duration `yaml:"too_old" validate:"min=1h"`
	FutureTolerance time.Duration `yaml:"future_tolerance" validate:"min=0"`
	DeviceRate      float64       `yaml:"device_rate" validate:"gt=0"`       // readings a second of one device, sustained
	DeviceInFlight  int           `yaml:"device_in_flight" validate:"min=1"` // messages of one device
	Queue           int           `yaml:"queue" validate:"min=1"`            // messages of all devices
	Batch           int           `yaml:"batch" validate:"min=1,max=100000"` // readings in one commit
	Linger          time.Duration `yaml:"linger" validate:"min=0,max=1s"`    // how long a commit waits for more at most; its rate says how long
	States          int           `yaml:"states" validate:"min=1"`           // enrolments whose evaluation is kept in memory
}

// Technical says when the state of a device is a matter for its team.
type Technical struct {
	OfflineGrace time.Duration `yaml:"offline_grace" validate:"min=0"`
}

// Retention says how long what is kept stays in the transactional store, and why, by
// category (erasure.Kinds). Zero keeps it for ever. Readings leave only after InfluxDB
// has them.
type Retention struct {
	Readings  time.Duration `yaml:"readings" validate:"min=0"`
	SetAsides time.Duration `yaml:"set_asides" validate:"min=0"`
	Messages  time.Duration `yaml:"messages" validate:"min=0"` // to people, once sent
	Alerts    time.Duration `yaml:"alerts" validate:"min=0"`   // once resolved, of patients whose care has ended
	Acts      time.Duration `yaml:"acts" validate:"min=0"`     // strikes of many patients, once done
	Sessions  time.Duration `yaml:"sessions" validate:"min=0"` // of people, once over
	Trail     time.Duration `yaml:"trail" validate:"min=0"`    // of whom and why: who, what and when stay
	Identity  time.Duration `yaml:"identity" validate:"min=0"` // and all that is left, after the end of the care
	// Grounds say why each is kept, where it is for another reason than the usual one.
	Grounds Grounds `yaml:"grounds"`
}

// Grounds say, by category, why it is kept. An empty one is the usual ground.
type Grounds struct {
	Readings  string `yaml:"readings"`
	SetAsides string `yaml:"set_asides"`
	Messages  string `yaml:"messages"`
	Alerts    string `yaml:"alerts"`
	Acts      string `yaml:"acts"`
	Sessions  string `yaml:"sessions"`
	Trail     string `yaml:"trail"`
	Identity  string `yaml:"identity"`
}

// Ground is why a category of erasure.Kinds is kept; empty for the usual ground.
func (r *Retention) Ground(kept string) string {
	g := &r.Grounds
	return map[string]string{
		erasure.KeptReadings: g.Readings, erasure.KeptAsides: g.SetAsides, erasure.KeptMessages: g.Messages, erasure.KeptAlerts: g.Alerts,
		erasure.KeptActs: g.Acts, erasure.KeptSessions: g.Sessions, erasure.KeptTrail: g.Trail, erasure.KeptIdentity: g.Identity,
	}[kept]
}

// For is how long a category of erasure.Kinds is kept; zero for ever.
func (r *Retention) For(kept string) time.Duration {
	return map[string]time.Duration{
		erasure.KeptReadings: r.Readings, erasure.KeptAsides: r.SetAsides, erasure.KeptMessages: r.Messages, erasure.KeptAlerts: r.Alerts,
		erasure.KeptActs: r.Acts, erasure.KeptSessions: r.Sessions, erasure.KeptTrail: r.Trail, erasure.KeptIdentity: r.Identity,
	}[kept]
}

// Log is what the service says of itself.
type Log struct {
	Level  string `yaml:"level" validate:"oneof=debug info warn error"`
	Format string `yaml:"format" validate:"oneof=text json"`
}

// Secret is a word that is never printed.
type Secret string

// String hides the secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "•••"
}

// Default is the configuration of one machine with nothing installed.
func Default() Config {
	const day = 24 * time.Hour
	return Config{
		Data:   "data",
		Topics: Topics{Prefix: "vigie/v1"},
		Broker: Broker{Inside: Inside{Enabled: true, Listen: "127.0.0.1:1883"}, Outside: Outside{ClientID: "vigie", Sessions: 1, Receipts: true}},
		HTTP:   HTTP{Listen: "127.0.0.1:8080", Proxies: Networks{"127.0.0.0/8", "::1/128"}},
		Access: Access{SecondFactor: "required", Idle: 30 * time.Minute, Absolute: 12 * time.Hour, OpenID: OpenID{
			Name: "Pro Santé Connect", Scopes: []string{"openid", "scope_all"}, ACRValues: []string{"eidas1"}, Identifier: "SubjectNameID",
		}},
		Mail:      Mail{Port: 587, TLS: "starttls"},
		Push:      Push{Networks: Networks{}},
		Limits:    Limits{TooOld: 31 * day, FutureTolerance: 5 * time.Minute, DeviceRate: 1000, DeviceInFlight: 256, Queue: 20_000, Batch: 5_000, Linger: 4 * time.Millisecond, States: 20_000},
		Technical: Technical{OfflineGrace: ingest.OfflineGrace},
		Language:  "fr",
		Retention: Retention{
			Readings: 400 * day, SetAsides: 400 * day, Messages: 90 * day, Acts: 400 * day, Sessions: 30 * day,
		},
		Log: Log{Level: "info", Format: "text"},
	}
}
