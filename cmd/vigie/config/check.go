package config

import (
	"errors"
	"maps"
	"net"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/go-playground/validator/v10"

	"vigie/alerts/access/openid"
	"vigie/alerts/erasure"
	"vigie/protocols"
	"vigie/protocols/document"
)

// wrong notes a bad value of a key, where it was set or is missing. A key that could not
// be read is not complained about again.
func (l *loader) wrong(key, code string, message, wayOut protocols.Text) {
	for i := range l.Problems {
		if l.Problems[i].Path == key || l.Problems[i].Path == key+"_file" {
			return
		}
	}
	p := document.Problem{Path: key, Code: code, Message: message, Suggestion: wayOut, Severity: document.Error}
	whole, _, _ := strings.Cut(key, "[") // a variable gives a whole list
	if name, ok := l.from[whole]; ok {
		p.File = name
	} else if at := l.where(key); at != nil {
		p.File, p.Line, p.Column = l.file, at.Line, at.Column
	}
	l.Problems = append(l.Problems, p)
}

// where finds a key in the file, or the part in which it is missing; nil when the file
// says nothing of it.
func (l *loader) where(key string) *document.Node {
	if l.doc == nil {
		return nil
	}
	dot := strings.LastIndexByte(key, '.') // -1 in front of a key of the whole
	part := l.doc.Find(key[:max(dot, 0)]).Node
	for _, name := range []string{key[dot+1:], key[dot+1:] + "_file"} {
		if at := part.Get(name); at != nil {
			return at
		}
	}
	if at := l.doc.Find(key).Node; at != l.doc {
		return at
	}
	return nil
}

// check notes every key with a bad value.
func (l *loader) check() {
	c := l.config
	err := rules.Struct(c)
	var failed validator.ValidationErrors
	if errors.As(err, &failed) {
		for _, f := range failed {
			l.explain(f)
		}
	} else if err != nil {
		l.wrong("", "unreadable", protocols.Say("la configuration ne peut pas être vérifiée : %v", "the configuration cannot be checked: %v", err), none)
	}
	if !c.Broker.Inside.Enabled && c.Broker.Outside.URL == "" {
		l.wrong("broker", "no-door", protocols.Say("aucune porte n'est ouverte", "no door is open"), protocols.Say("mettre broker.inside.enabled à true, ou donner broker.outside.url", "set broker.inside.enabled to true, or give broker.outside.url"))
	}
	l.checkOutside()
	l.checkRetention()
	l.checkPush()
	l.checkOpenID()
	for _, folder := range c.Protocols.Folders {
		if _, err := os.ReadDir(folder); err != nil {
			l.wrong("protocols.folders", "bad-folder", protocols.Say("le dossier ne peut pas être lu : %v", "the folder cannot be read: %v", err), protocols.Say("le corriger ou l'enlever", "correct or remove it"))
		}
	}
	l.checkSecrets()
}

func (l *loader) checkOutside() {
	of := &l.config.Broker.Outside
	if of.Sessions > 1 && of.SharedGroup == "" {
		l.wrong("broker.outside.sessions", "no-group", protocols.Say("plusieurs sessions demandent broker.outside.shared_group, sinon chacune reçoit tout", "more than one needs broker.outside.shared_group, or each would receive everything"), none)
	}
	if of.PasswordFile == "" {
		return
	}
	if of.Password != "" {
		l.wrong("broker.outside.password_file", "twice", protocols.Say("broker.outside.password est là aussi", "broker.outside.password is there too"), protocols.Say("garder l'un des deux", "keep one of them"))
	} else if _, err := os.ReadFile(of.PasswordFile); err != nil {
		l.wrong("broker.outside.password_file", "bad-file", unreadableSecret(err), none)
	}
}

// longCare is the least after which alerts, the trail or an identity may go: a figure of
// ours, above which no protocol looks back and no bill is made.
const longCare = 365 * 24 * time.Hour

func (l *loader) checkRetention() {
	for _, kept := range []string{erasure.KeptAlerts, erasure.KeptTrail, erasure.KeptIdentity} {
		if age := l.config.Retention.For(kept); age != 0 && age < longCare {
			l.wrong("retention."+kept, "too-small", protocols.Say("écrire 0s, ou 365d au moins : le suivi et ses bilans regardent jusque-là", "must be 0s or at least 365d: care and its reports look that far back"), none)
		}
	}
	switch c := l.config; {
	case c.Retention.Readings == 0:
	case c.Retention.Readings < minHistory:
		l.wrong("retention.readings", "too-small", protocols.Say("écrire 0s, ou 60d au moins : l'évaluation regarde jusque-là", "must be 0s or at least 60d: evaluation looks that far back"), none)
	case c.Retention.Readings <= c.Limits.TooOld:
		l.wrong("retention.readings", "too-small", protocols.Say("doit dépasser limits.too_old, sinon une mesure qui revient pourrait passer pour une nouvelle", "must be longer than limits.too_old, or a reading that comes again could be taken for a new one"), none)
	}
}

// checkPush holds that push services can write to somebody, as some of them demand, and
// that nodes which share a store sign alike: a browser takes messages of one key.
func (l *loader) checkPush() {
	of := &l.config.Push
	if of.Contact == "" {
		return
	}
	if !strings.HasPrefix(of.Contact, "mailto:") && !strings.HasPrefix(of.Contact, "https://") {
		l.wrong("push.contact", "bad-contact", protocols.Say("un service de push doit pouvoir écrire à quelqu'un", "a push service must be able to write to somebody"), protocols.Say("écrire mailto:dsi@chu.example, ou une adresse https", "write mailto:dsi@chu.example, or an https address"))
	}
	if of.Key == "" && l.config.Store.Postgres.URL != "" {
		l.wrong("push.key", "required", protocols.Say("les nœuds qui partagent un PostgreSQL doivent signer avec la même clé", "nodes that share a PostgreSQL must sign with the same key"), protocols.Say("donner la même à tous, par exemple celle de : openssl rand -base64 32", "give all of them the same, for example that of: openssl rand -base64 32"))
	}
}

// checkOpenID holds that nobody between reads what goes to the provider, or comes back.
func (l *loader) checkOpenID() {
	of, public := &l.config.Access.OpenID, l.config.HTTP.PublicURL
	if of.Issuer == "" {
		return
	}
	secure := protocols.Say("écrire une adresse https (http : sur cette machine seulement)", "must be an https address (http: on this machine only)")
	for _, one := range []struct{ key, address string }{{"issuer", of.Issuer}, {"discovery", of.Discovery}} {
		if one.address != "" && !openid.Safe(one.address) {
			l.wrong("access.openid."+one.key, "bad-value", secure, none)
		}
	}
	switch {
	case public == "":
		l.wrong("http.public_url", "required", protocols.Say("access.openid renvoie les personnes à cette adresse : ceci manque", "access.openid sends people back to this address: it is missing"), protocols.Say("écrire l'adresse des pages, comme https://vigie.example.org", "give the address of the pages, as https://vigie.example.org"))
	case !openid.Safe(public):
		l.wrong("http.public_url", "bad-value", secure, none)
	}
	if !slices.Contains(of.Scopes, "openid") {
		l.wrong("access.openid.scopes", "bad-value", protocols.Say("openid doit en être", "openid has to be among them"), none)
	}
	if len(of.ACRValues) == 0 {
		l.wrong("access.openid.acr_values", "required", protocols.Say("sans niveau exigé, n'importe quelle identification suffirait", "without a level any way to be identified would do"), protocols.Say("pour Pro Santé Connect : [eidas1]", "for Pro Santé Connect: [eidas1]"))
	}
}

func (l *loader) checkSecrets() {
	if secret := l.config.Webhook.Secret; secret != "" && len(secret) < leastSecret {
		l.wrong("webhook.secret", "weak-secret", tooShort(leastSecret), generate)
	}
	tokens := l.config.HTTP.Tokens
	for _, name := range slices.Sorted(maps.Keys(tokens)) {
		key := document.Join("http.tokens", name)
		if len(tokens[name]) < minToken {
			l.wrong(key, "weak-secret", tooShort(minToken), generate)
			continue
		}
		for _, other := range slices.Sorted(maps.Keys(tokens)) {
			if other < name && tokens[other] == tokens[name] {
				l.wrong(key, "same-secret", protocols.Say("c'est aussi celui de %s : personne ne saurait qui a agi", "the same as that of %s, and nobody could tell who acted", other), protocols.Say("en générer un autre", "generate another one"))
				break
			}
		}
	}
}

// none is the way out where the sentence says it.
var none protocols.Text

// minToken keeps guessable tokens and secrets out, in characters. A webhook.secret of
// earlier days may have leastSecret: its receiver has to change it too, and until then
// messages go out.
const (
	minToken    = 16
	leastSecret = 8
)

func tooShort(least int) protocols.Text {
	return protocols.Say("moins de %d caractères", "shorter than %d characters", least)
}

var generate = protocols.Say("en générer un, par exemple par : openssl rand -hex 32", "generate one, for example with: openssl rand -hex 32")

// Doubts are sentences about what works and should be changed.
func (c *Config) Doubts() (list []string) {
	if secret := c.Webhook.Secret; secret != "" && len(secret) < minToken {
		list = append(list, "webhook.secret can be guessed: it is "+tooShort(minToken).EN+"; "+generate.EN+"; give the receivers the same, and restart")
	}
	return list
}

// minHistory is what evaluation needs of the past.
const minHistory = 60 * 24 * time.Hour

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

// ways says what is wrong with each kind of bad value; %s is what it is held against.
var ways = map[string]protocols.Text{
	"required":      {FR: "ceci manque", EN: "is missing"},
	"required_with": {FR: "ceci manque à côté de %s", EN: "is needed beside %s"},
	"oneof":         {FR: "écrire l'un de : %s", EN: "must be one of: %s"},
	"address":       {FR: "écrire hôte:port, comme 127.0.0.1:1883", EN: "must be host:port, as 127.0.0.1:1883"},
	"http_url":      {FR: "écrire une adresse comme https://hôte:port", EN: "must be an address as https://host:port"},
	"broker":        {FR: "écrire une adresse comme tcp://hôte:1883 ou tls://hôte:8883", EN: "must be an address as tcp://host:1883 or tls://host:8883"},
	"topic":         {FR: "écrire des niveaux de topic sans +, #, espace, ni barre au début ou à la fin, comme vigie/v1", EN: "must be topic levels without +, #, spaces or a slash at either end, as vigie/v1"},
	"email":         {FR: "ce n'est pas une adresse de courriel", EN: "must be a mail address"},
	"cidr":          {FR: "écrire un réseau, comme 10.0.0.0/8 ; pour une seule adresse 10.0.0.1/32", EN: "must be a network, as 10.0.0.0/8; for one address 10.0.0.1/32"},
	"min":           {FR: "doit valoir %s au moins", EN: "must be at least %s"},
	"max":           {FR: "doit valoir %s au plus", EN: "must be at most %s"},
	"gt":            {FR: "doit dépasser %s", EN: "must be more than %s"},
}

func (l *loader) explain(f validator.FieldError) {
	_, key, _ := strings.Cut(f.Namespace(), ".")
	way, ok := ways[f.Tag()]
	switch {
	case !ok:
		way = protocols.Say("cette valeur ne convient pas", "is not valid")
	case strings.Contains(way.EN, "%s"):
		way = protocols.Say(way.FR, way.EN, parameter(f))
	}
	l.wrong(key, "bad-value", way, none)
}

// parameter is what a rule compares with, as the file would say it.
func parameter(f validator.FieldError) string {
	if f.Tag() != "required_with" {
		return f.Param()
	}
	if bare, isFile := strings.CutSuffix(f.Param(), "File"); isFile {
		return strings.ToLower(bare) + "_file"
	}
	return strings.ToLower(f.Param())
}
