package config

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/document"
)

// prefix begins every variable of the environment.
const prefix = "VIGIE"

// Load reads the file (none when name is empty), then the environment as
// os.Environ gives it, and checks the result. An error of what is written there is a
// *Mistakes, which holds all of them.
func Load(name string, environment []string) (Config, error) {
	config := Default()
	l := newLoader(&config)
	if name != "" {
		if err := l.fromFile(name); err != nil {
			return config, err
		}
	}
	l.fromEnvironment(environment)
	l.check()
	if len(l.Problems) == 0 {
		return config, nil
	}
	document.InOrder(l.Problems)
	return config, &Mistakes{l.Problems, config.Language}
}

// Mistakes are all that is wrong with a configuration.
type Mistakes struct {
	Problems []document.Problem // without a line: of a variable of the environment, or of no place at all
	Language string             // in which the configuration asks to be answered
}

// Error says one mistake a line: where, which key, what is wrong, the way out.
func (m *Mistakes) Error() string {
	lines := make([]string, len(m.Problems))
	for i, p := range m.Problems {
		said := p.Message
		if p.Path != "" {
			said = protocols.Say("%s : %s", "%s: %s", p.Path, said)
		}
		if p.Suggestion != none {
			said = protocols.Say("%s ; %s", "%s; %s", said, p.Suggestion)
		}
		switch {
		case p.Line > 0:
			said = protocols.Say("%s:%d:%d: %s", "%s:%d:%d: %s", p.File, p.Line, p.Column, said)
		case p.File != "":
			said = protocols.Say("%s dans l'environnement : %s", "%s in the environment: %s", p.File, said)
		case p.Path != "":
			said = protocols.Say("%s (dans l'environnement : %s)", "%s (in the environment: %s)", said, Variable(p.Path))
		}
		lines[i] = said.In(m.Language)
	}
	return strings.Join(lines, "\n")
}

// loader reads one configuration and gathers what is wrong with it.
type loader struct {
	document.Filler
	config *Config
	file   string
	doc    *document.Node    // of the file; nil for none
	from   map[string]string // by key, the variable that gives it
}

func newLoader(config *Config) *loader {
	l := &loader{config: config, from: map[string]string{}}
	l.Filler = document.Filler{Tag: "yaml", Whole: true, Other: l.secretFile, Own: map[reflect.Type]func(document.Place, reflect.Value){
		reflect.TypeFor[time.Duration]():     l.duration,
		reflect.TypeFor[map[string]Secret](): l.tokens,
	}}
	return l
}

func (l *loader) fromFile(name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("lire la configuration (read the configuration): %w", err)
	}
	l.file = name
	l.doc, err = yaml.Parse(data)
	if bad := new(yaml.Error); errors.As(err, &bad) {
		l.Problems = append(l.Problems, bad.Problem())
	} else if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	l.Fill(document.Place{Node: l.doc}, l.config)
	for i := range l.Problems {
		l.Problems[i].File = name
	}
	return nil
}

// secretFile takes a key that names the file of a secret: token_file beside token.
func (l *loader) secretFile(key, value document.Place, into reflect.Value) bool {
	bare, ok := strings.CutSuffix(key.Node.Text, "_file")
	if !ok {
		return false
	}
	field, known := fieldOf(into, bare)
	if !known || field.Type() != reflect.TypeFor[Secret]() {
		return false
	}
	l.secret(value, field)
	return true
}

// secret reads a secret from the file that stands at a place.
func (l *loader) secret(at document.Place, into reflect.Value) {
	name := l.Word(at)
	data, err := os.ReadFile(name)
	if err != nil {
		l.Fault(at, "bad-file", unreadableSecret(err), protocols.Text{})
		return
	}
	into.SetString(strings.TrimSpace(string(data)))
}

func unreadableSecret(err error) protocols.Text {
	return protocols.Say("le fichier du secret ne peut pas être lu : %v", "the file of the secret cannot be read: %v", err)
}

// tokens reads secrets by name; those whose name ends in _file stand in files.
func (l *loader) tokens(at document.Place, into reflect.Value) {
	keys, values := l.Pairs(at)
	found := map[string]Secret{}
	for i, key := range keys {
		var one Secret
		name, isFile := strings.CutSuffix(key.Node.Text, "_file")
		if isFile {
			l.secret(values[i], reflect.ValueOf(&one).Elem())
		} else {
			l.Fill(values[i], &one)
		}
		found[name] = one
	}
	into.Set(reflect.ValueOf(found))
}

func (l *loader) duration(at document.Place, into reflect.Value) {
	d, wrong := duration(l.Word(at))
	if wrong != (protocols.Text{}) {
		l.Fault(at, "bad-duration", wrong, protocols.Text{})
		return
	}
	into.SetInt(int64(d))
}

// ParseDuration reads "30s", "2h", and days as "31d".
func ParseDuration(text string) (time.Duration, error) {
	d, wrong := duration(text)
	if wrong != (protocols.Text{}) {
		return 0, fmt.Errorf("%s (%s)", wrong.FR, wrong.EN)
	}
	return d, nil
}

func duration(text string) (d time.Duration, wrong protocols.Text) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		const day, most = 24 * time.Hour, math.MaxInt64 / (24 * time.Hour)
		n, err := strconv.ParseInt(days, 10, 64) // where an int has 32 bits, too
		switch {
		case err == nil && (n > int64(most) || n < -int64(most)):
			return 0, protocols.Say("« %s » dépasse %dd, la plus longue durée qui soit ; écrire 0s pour une durée sans fin, là où c'est permis",
				"%q is longer than %dd, the longest duration there is; write 0s for one without end where that is allowed", text, int64(most))
		case err == nil:
			return time.Duration(n) * day, protocols.Text{}
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, protocols.Say("« %s » n'est pas une durée : écrire 30s, 2h ou 31d", "%q is not a duration: write 30s, 2h or 31d", text)
	}
	return d, protocols.Text{}
}

// fromEnvironment sets every key that the environment gives. A variable that
// begins like ours and names no key is refused: it would be a wish not heard.
func (l *loader) fromEnvironment(environment []string) {
	known := variables(reflect.ValueOf(l.config).Elem(), "")
	for _, entry := range environment {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, prefix+"_") || foreign.MatchString(name) {
			continue
		}
		before := len(l.Problems)
		l.fromVariable(known, name, value)
		for i := range l.Problems[before:] {
			l.Problems[before+i].File = name
		}
	}
}

// foreign are the variables that begin like ours and are others': those of the
// tests, and those that Kubernetes makes for a service named vigie.
var foreign = regexp.MustCompile(`^VIGIE_(TEST_|SERVICE_|PORT($|_))`)

// tokenPrefix begins the variables of tokens, each with its name behind.
const tokenPrefix = prefix + "_HTTP_TOKENS"

func (l *loader) fromVariable(known map[string]variable, name, value string) {
	at := document.Place{Node: &document.Node{Kind: document.Scalar, Text: value}}
	if token, ok := strings.CutPrefix(name, tokenPrefix+"_"); ok && token != "FILE" && token != "" {
		l.fromTokenVariable(at, name, token)
		return
	}
	if name == tokenPrefix || name == tokenPrefix+"_FILE" {
		l.Fault(at, "unknown-key", protocols.Say("chaque jeton a une variable à lui, avec son nom à la fin", "each token has a variable of its own, with its name at the end"),
			protocols.Say("%s_DASHBOARD, ou %s_DASHBOARD_FILE pour un fichier", "%s_DASHBOARD, or %s_DASHBOARD_FILE for a file", tokenPrefix, tokenPrefix))
		return
	}
	bare, isFile := strings.CutSuffix(name, "_FILE")
	of, ok := known[name]
	if isFile = isFile && !ok; isFile {
		of, ok = known[bare]
		ok = ok && of.field.Type() == reflect.TypeFor[Secret]()
	}
	if !ok {
		l.Fault(at, "unknown-key", protocols.Say("cette variable ne nomme aucune clé", "this variable names no key"), protocols.Say("voir deploy/vigie.yaml, ou l'enlever", "see deploy/vigie.yaml, or remove it"))
		return
	}
	at.Path = of.key
	l.from[of.key] = name
	switch {
	case isFile:
		l.secret(at, of.field)
	case of.field.Kind() == reflect.Slice:
		l.FillValue(document.Place{Node: listed(value, of.field.Type()), Path: of.key}, of.field)
	default:
		l.FillValue(at, of.field)
	}
}

// listed makes a list of what a variable holds: networks stand between commas, since
// addresses hold colons.
func listed(value string, of reflect.Type) *document.Node {
	between := ":"
	if of == reflect.TypeFor[Networks]() {
		between = ","
	}
	list := &document.Node{Kind: document.List}
	for item := range strings.SplitSeq(value, between) {
		list.Items = append(list.Items, &document.Node{Kind: document.Scalar, Text: item})
	}
	return list
}

func (l *loader) fromTokenVariable(at document.Place, name, token string) {
	bare, isFile := strings.CutSuffix(token, "_FILE")
	key := strings.ToLower(strings.ReplaceAll(bare, "_", "-"))
	at.Path = document.Join("http.tokens", key)
	l.from[at.Path] = name
	var secret Secret
	if isFile {
		l.secret(at, reflect.ValueOf(&secret).Elem())
	} else {
		l.Fill(at, &secret)
	}
	if l.config.HTTP.Tokens == nil {
		l.config.HTTP.Tokens = map[string]Secret{}
	}
	l.config.HTTP.Tokens[key] = secret
}

// variable is what a variable of the environment sets.
type variable struct {
	key   string
	field reflect.Value
}

// variables maps each variable of the environment to the field it sets.
func variables(of reflect.Value, path string) map[string]variable {
	found := map[string]variable{}
	for i := range of.NumField() {
		key := document.Join(path, tag(of.Type().Field(i)))
		field := of.Field(i)
		switch {
		case field.Kind() == reflect.Struct:
			maps.Copy(found, variables(field, key))
		case field.Kind() != reflect.Map:
			found[Variable(key)] = variable{key, field}
		}
	}
	return found
}

// Variable is the name in the environment of a key: influx.url is
// VIGIE_INFLUX_URL.
func Variable(key string) string {
	return prefix + "_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

func tag(field reflect.StructField) string { return field.Tag.Get("yaml") }

func fieldOf(of reflect.Value, name string) (reflect.Value, bool) {
	for i := range of.NumField() {
		if tag(of.Type().Field(i)) == name {
			return of.Field(i), true
		}
	}
	return reflect.Value{}, false
}
