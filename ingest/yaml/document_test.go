package yaml

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"vigie/protocols/document"
)

// draw writes a node as one line, to compare.
func draw(n *document.Node) string {
	switch n.Kind {
	case document.Null:
		return "null"
	case document.Scalar:
		if n.Quoted {
			return fmt.Sprintf("%q", n.Text)
		}
		return n.Text
	case document.List:
		parts := make([]string, len(n.Items))
		for i, item := range n.Items {
			parts[i] = draw(item)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	}
	parts := make([]string, len(n.Items))
	for i, item := range n.Items {
		parts[i] = n.Keys[i].Text + ": " + draw(item)
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

// An editor on Windows ends lines in its own way, and may begin with a byte order
// mark.
func TestAFileWrittenOnWindowsIsReadAlike(t *testing.T) {
	for _, file := range []string{"../../deploy/vigie.yaml", "../../deploy/registry.yaml", "../../protocols/library/heart-failure.yaml"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		windows := "\ufeff" + strings.ReplaceAll(string(text), "\n", "\r\n")
		got, err := Parse([]byte(windows))
		if err != nil {
			t.Errorf("%s with CRLF: %v", file, err)
			continue
		}
		if draw(got) != draw(want) {
			t.Errorf("%s with CRLF and a byte order mark is read otherwise", file)
		}
	}
	_, err := Parse([]byte("a: 1\r\nb: 2\r\nb: 3\r\n"))
	var bad *Error
	if !errors.As(err, &bad) || bad.Line != 3 || bad.Column != 1 {
		t.Errorf("a mistake in line 3 is said to be at %+v (%v)", bad, err)
	}
}

func TestReadsPlainData(t *testing.T) {
	for _, c := range []struct{ yaml, want string }{
		{"", "null"},
		{"# nothing but a comment\n", "null"},
		{"a: 1\nb: [2 kg, x]\n", "{a: 1, b: [2 kg, x]}"},
		{"a:\n  b: '1'\n  c: \"12:00\"\n  d: 12:00\n", `{a: {b: "1", c: "12:00", d: 12:00}}`},
		{"- x: 1\n  y: 2\n- z\n", "[{x: 1, y: 2}, z]"},
		{"a:\nb: ~\nc: null\n", "{a: null, b: null, c: null}"},
		{"a: |\n  one\n  two\nb: >-\n  one\n  two\n", `{a: "one\ntwo\n", b: "one two"}`},
		{"---\na: 1\n...\n", "{a: 1}"},
		{`{"a": [1, 2.5, true], "b": {"c": null}}`, "{a: [1, 2.5, true], b: {c: null}}"},
		{"a: -1.50\nb: 0x10\nc: .inf\nd: yes\n", "{a: -1.50, b: 0x10, c: .inf, d: yes}"},
		{"é: à jeun, « très » bien\n", "{é: à jeun, « très » bien}"},
	} {
		root, err := Parse([]byte(c.yaml))
		if err != nil {
			t.Errorf("%q: %v", c.yaml, err)
			continue
		}
		if got := draw(root); got != c.want {
			t.Errorf("%q is read as %s; want %s", c.yaml, got, c.want)
		}
	}
}

func TestEveryNodeHasItsPlace(t *testing.T) {
	root, err := Parse([]byte("title:\n  fr: Poids\nrules:\n  - id: one\n    when: {above: 2 kg}\n"))
	if err != nil {
		t.Fatal(err)
	}
	above := root.Get("rules").Items[0].Get("when").Get("above")
	if above.Line != 5 || above.Column != 19 {
		t.Errorf("above is at %d:%d; want 5:19", above.Line, above.Column)
	}
	if fr := root.Get("title").Get("fr"); fr.Line != 2 || fr.Column != 7 {
		t.Errorf("fr is at %d:%d; want 2:7", fr.Line, fr.Column)
	}
}

func TestRefusesWithASentenceAndAPlace(t *testing.T) {
	for name, c := range map[string]struct {
		yaml         string
		line, column int
		says         string
	}{
		"a repeated key":     {"a: 1\nb: 2\na: 3\n", 3, 1, "the key \"a\" stands at line 1 already"},
		"a tab":              {"a:\n\t- b\n", 2, 1, "a tab is not read here"},
		"an anchor":          {"a: &x 1\n", 1, 4, "anchors"},
		"an alias":           {"a: *x\n", 1, 4, "aliases"},
		"a merge key":        {"a:\n  <<: {b: 1}\n", 2, 3, "merge keys"},
		"a tag":              {"a: !!int 3\n", 1, 4, "tags"},
		"two documents":      {"a: 1\n---\nb: 2\n", 3, 1, "second document"},
		"an unclosed list":   {"a: [1, 2\n", 1, 4, "not valid YAML"},
		"a key in the air":   {"a: 1\n b: 2\n", 1, 4, "not valid YAML"},
		"what is not text":   {"a: \"\xff\"\n", 1, 5, "UTF-8"},
		"a NUL character":    {"a: \x00\n", 1, 4, "NUL"},
		"a list as a key":    {"[a]: 1\n", 1, 4, "not valid YAML"},
		"depth between [":    {strings.Repeat("[", 100_000), 1, 65, "nested"},
		"depth in one line":  {strings.Repeat("- ", 100_000), 1, 129, "nested"},
		"depth line by line": {staircase(2000), 65, 65, "nested"},
	} {
		_, err := Parse([]byte(c.yaml))
		var where *Error
		if !errors.As(err, &where) {
			t.Errorf("%s: got %v; want an *Error", name, err)
			continue
		}
		if where.Line != c.line || where.Column != c.column || !strings.Contains(where.Message.EN, c.says) {
			t.Errorf("%s: got %v; want line %d, column %d and %q", name, err, c.line, c.column, c.says)
		}
	}
}

func TestRefusesWhatIsTooLarge(t *testing.T) {
	_, err := Parse(make([]byte, MaxBytes+1))
	if err == nil || !strings.Contains(err.Error(), "split it") {
		t.Errorf("got %v; want a refusal that says how to go on", err)
	}
}

func staircase(depth int) string {
	var b strings.Builder
	for i := range depth {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}

// FuzzDocument holds Parse to its word: no input makes it panic or run away, and
// what it accepts has a place for every node.
func FuzzDocument(f *testing.F) {
	for _, seed := range []string{
		"a: 1\nb: [2, {c: d}]\n", "- - - a\n", "a: |\n  x\n", "? a\n: b\n", "{a: [", "'", "\"\\u00", "a: &b *b", "%YAML 1.2\n---\n",
		"a:\r\n  b: 1\r\n", "<<: *a", "! a", "- !!binary |\n  AA==", "a: >\n\n\n", "\ufeffa: 1", "a:\tb", "[a, b]: c", "...\n---\n...",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		begun := time.Now()
		root, err := Parse(data)
		if spent := time.Since(begun); spent > 5*time.Second {
			t.Fatalf("%d bytes took %v", len(data), spent)
		}
		if err != nil {
			var where *Error
			if !errors.As(err, &where) || where.Line < 1 || where.Column < 1 {
				t.Fatalf("an error without a place: %v", err)
			}
			return
		}
		everywhere(t, root)
	})
}

func everywhere(t *testing.T, n *document.Node) {
	if n == nil || n.Line < 1 || n.Column < 1 {
		t.Fatalf("a node without a place: %+v", n)
	}
	if n.Kind == document.Mapping && len(n.Keys) != len(n.Items) {
		t.Fatalf("a mapping of %d keys and %d values", len(n.Keys), len(n.Items))
	}
	for _, item := range n.Items {
		everywhere(t, item)
	}
}
