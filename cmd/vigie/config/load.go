package config

import (
	"fmt"
	"math"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"vigie/ingest/yaml"
	"vigie/protocols/document"
)

// prefix begins every variable of the environment.
const prefix = "VIGIE"

// Load reads the file (none when name is empty), then the environment as
// os.Environ gives it, and checks the result. Each error is one sentence that
// names the key and the way out.
func Load(name string, environment []string) (Config, error) {
	config, set := Default(), places{}
	if name != "" {
		if err := fromFile(&config, name, set); err != nil {
			return config, err
		}
	}
	if err := fromEnvironment(&config, environment, set); err != nil {
		return config, err
	}
	return config, check(config, set)
}

func fromFile(config *Config, name string, set places) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return fmt.Errorf("read the configuration: %w", err)
	}
	doc, err := yaml.Parse(data)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if doc == nil || doc.Kind == document.Null {
		return nil
	}
	if err := fill(reflect.ValueOf(config).Elem(), doc, ""); err != nil {
		return fmt.Errorf("%s:%w", name, err)
	}
	locate(doc, "", func(key string, node *document.Node) {
		set[key] = fmt.Sprintf("%s:%d:%d", name, node.Line, node.Column)
	})
	return nil
}

// locate tells where every key beneath a node stands.
func locate(node *document.Node, path string, tell func(key string, node *document.Node)) {
	for i, key := range node.Keys {
		full := join(path, key.Text)
		tell(full, key)
		tell(strings.TrimSuffix(full, "_file"), key)
		locate(node.Items[i], full, tell)
	}
}

// placed is a complaint about a key of the file.
func placed(node *document.Node, key, format string, args ...any) error {
	return fmt.Errorf("%d:%d: %s: %s", node.Line, node.Column, key, fmt.Sprintf(format, args...))
}

// fill sets the fields of a struct from a mapping.
func fill(into reflect.Value, node *document.Node, path string) error {
	if node.Kind == document.Null {
		return nil
	}
	if node.Kind != document.Mapping {
		return placed(node, path, "expected keys beneath it")
	}
	for i, key := range node.Keys {
		name := key.Text
		full := join(path, name)
		bare, isFile := secretFile(into, name)
		field, ok := fieldOf(into, bare)
		if !ok {
			return placed(key, full, "no such key; the ones here are %s", strings.Join(keysOf(into.Type()), ", "))
		}
		if err := set(field, node.Items[i], full, isFile); err != nil {
			return err
		}
	}
	return nil
}

// set gives one field its value.
func set(field reflect.Value, node *document.Node, path string, isFile bool) error {
	switch {
	case field.Kind() == reflect.Struct:
		return fill(field, node, path)
	case field.Kind() == reflect.Slice:
		return setList(field, node, path)
	case field.Kind() == reflect.Map:
		return setMap(field, node, path)
	case node.Kind != document.Scalar:
		return placed(node, path, "expected one value")
	}
	if err := parse(field, node.Text, isFile); err != nil {
		return placed(node, path, "%v", err)
	}
	return nil
}

func setList(field reflect.Value, node *document.Node, path string) error {
	if node.Kind != document.List {
		return placed(node, path, "expected a list")
	}
	var list []string
	for _, item := range node.Items {
		if item.Kind != document.Scalar {
			return placed(item, path, "expected one value per item")
		}
		list = append(list, item.Text)
	}
	field.Set(reflect.ValueOf(list).Convert(field.Type()))
	return nil
}

func setMap(field reflect.Value, node *document.Node, path string) error {
	if node.Kind != document.Mapping {
		return placed(node, path, "expected names beneath it")
	}
	entries := map[string]Secret{}
	for i, key := range node.Keys {
		name, isFile := strings.CutSuffix(key.Text, "_file")
		value := node.Items[i]
		if value.Kind != document.Scalar {
			return placed(value, join(path, key.Text), "expected one value")
		}
		var secret Secret
		if err := parse(reflect.ValueOf(&secret).Elem(), value.Text, isFile); err != nil {
			return placed(value, join(path, key.Text), "%v", err)
		}
		entries[name] = secret
	}
	field.Set(reflect.ValueOf(entries))
	return nil
}

// parse reads text into a field of a plain kind; for isFile, text names the
// file that holds it.
func parse(field reflect.Value, text string, isFile bool) error {
	if isFile {
		data, err := os.ReadFile(text)
		if err != nil {
			return fmt.Errorf("the file of the secret cannot be read: %w", err)
		}
		text = strings.TrimSpace(string(data))
	}
	if field.Type() == reflect.TypeFor[time.Duration]() {
		d, err := ParseDuration(text)
		field.SetInt(int64(d))
		return err
	}
	switch field.Kind() {
	case reflect.String:
		field.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		field.SetBool(text == "true")
	case reflect.Int:
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", text)
		}
		field.SetInt(int64(n))
	case reflect.Float64:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return fmt.Errorf("%q is not a number", text)
		}
		field.SetFloat(f)
	}
	return nil
}

// ParseDuration reads "30s", "2h", and days as "31d".
func ParseDuration(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		const day, most = 24 * time.Hour, math.MaxInt64 / (24 * time.Hour)
		n, err := strconv.ParseInt(days, 10, 64) // where an int has 32 bits, too
		switch {
		case err == nil && (n > int64(most) || n < -int64(most)):
			return 0, fmt.Errorf("%q is longer than %dd, the longest duration there is; write 0s for one without end where that is allowed", text, most)
		case err == nil:
			return time.Duration(n) * day, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration: write 30s, 2h or 31d", text)
	}
	return d, nil
}

// fromEnvironment sets every key that the environment gives. A variable that
// begins like ours and names no key is refused: it would be a wish not heard.
func fromEnvironment(config *Config, environment []string, set places) error {
	known := variables(reflect.ValueOf(config).Elem(), "")
	for _, entry := range environment {
		name, value, _ := strings.Cut(entry, "=")
		if !strings.HasPrefix(name, prefix+"_") || foreign.MatchString(name) {
			continue
		}
		if err := fromVariable(config, known, name, value); err != nil {
			return err
		}
	}
	for _, key := range Keys() {
		for _, entry := range environment {
			name, _, _ := strings.Cut(entry, "=")
			if strings.TrimSuffix(name, "_FILE") == Variable(key) || name == Variable(key) {
				set[key] = name + " in the environment"
			}
		}
	}
	return nil
}

// foreign are the variables that begin like ours and are others': those of the
// tests, and those that Kubernetes makes for a service named vigie.
var foreign = regexp.MustCompile(`^VIGIE_(TEST_|SERVICE_|PORT($|_))`)

func fromVariable(config *Config, known map[string]reflect.Value, name, value string) error {
	if token, ok := strings.CutPrefix(name, prefix+"_HTTP_TOKENS_"); ok && token != "FILE" && token != "" {
		return setToken(config, token, name, value)
	}
	field, ok := known[name]
	bare, isFile := strings.CutSuffix(name, "_FILE")
	if !ok && isFile {
		field, ok = known[bare]
		ok = ok && field.Type() == reflect.TypeFor[Secret]()
	} else {
		isFile = false
	}
	if name == prefix+"_HTTP_TOKENS" || name == prefix+"_HTTP_TOKENS_FILE" {
		return fmt.Errorf("%s in the environment: each token has a variable of its own, with its name at the end: %s_HTTP_TOKENS_DASHBOARD, or %s_HTTP_TOKENS_DASHBOARD_FILE for a file", name, prefix, prefix)
	}
	if !ok {
		return fmt.Errorf("%s in the environment names no key; see deploy/vigie.yaml, or remove it", name)
	}
	if field.Kind() == reflect.Slice {
		between := ":"
		if field.Type() == reflect.TypeFor[Networks]() {
			between = ","
		}
		field.Set(reflect.ValueOf(strings.Split(value, between)).Convert(field.Type()))
		return nil
	}
	if err := parse(field, value, isFile); err != nil {
		return fmt.Errorf("%s in the environment: %w", name, err)
	}
	return nil
}

func setToken(config *Config, token, name, value string) error {
	bare, isFile := strings.CutSuffix(token, "_FILE")
	var secret Secret
	if err := parse(reflect.ValueOf(&secret).Elem(), value, isFile); err != nil {
		return fmt.Errorf("%s in the environment: %w", name, err)
	}
	if config.HTTP.Tokens == nil {
		config.HTTP.Tokens = map[string]Secret{}
	}
	config.HTTP.Tokens[strings.ToLower(strings.ReplaceAll(bare, "_", "-"))] = secret
	return nil
}

// variables maps each variable of the environment to the field it sets.
func variables(of reflect.Value, path string) map[string]reflect.Value {
	found := map[string]reflect.Value{}
	for i := range of.NumField() {
		name := join(path, tag(of.Type().Field(i)))
		field := of.Field(i)
		switch {
		case field.Kind() == reflect.Struct:
			for variable, inner := range variables(field, name) {
				found[variable] = inner
			}
		case field.Kind() != reflect.Map:
			found[Variable(name)] = field
		}
	}
	return found
}

// Variable is the name in the environment of a key: influx.url is
// VIGIE_INFLUX_URL.
func Variable(key string) string {
	return prefix + "_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// Keys lists every key, in the order of the sample file.
func Keys() []string { return keys(reflect.TypeFor[Config](), "") }

func keys(of reflect.Type, path string) []string {
	var list []string
	for i := range of.NumField() {
		field := of.Field(i)
		name := join(path, tag(field))
		if field.Type.Kind() == reflect.Struct {
			list = append(list, keys(field.Type, name)...)
			continue
		}
		list = append(list, name)
	}
	return list
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func tag(field reflect.StructField) string { return field.Tag.Get("yaml") }

func keysOf(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		names = append(names, tag(t.Field(i)))
	}
	slices.Sort(names)
	return names
}

func fieldOf(of reflect.Value, name string) (reflect.Value, bool) {
	for i := range of.NumField() {
		if tag(of.Type().Field(i)) == name {
			return of.Field(i), true
		}
	}
	return reflect.Value{}, false
}

// secretFile tells whether name asks for the file of a secret, and the key of
// that secret.
func secretFile(of reflect.Value, name string) (bare string, isFile bool) {
	if _, plain := fieldOf(of, name); plain {
		return name, false
	}
	bare, ok := strings.CutSuffix(name, "_file")
	if !ok {
		return name, false
	}
	field, known := fieldOf(of, bare)
	if !known || field.Type() != reflect.TypeFor[Secret]() {
		return name, false
	}
	return bare, true
}
