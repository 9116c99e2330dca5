package registry

import (
	"bytes"
	"errors"

	"vigie/ingest/yaml"
	"vigie/protocols/document"
)

// partBytes is how much of a long document is read at once.
const partBytes = 1 << 20

// ParseYAML reads a document for Check, however long it is: an export of a large
// registry exceeds what yaml.Parse reads. Such a document is read in parts,
// each some items of one list, so its lists have to be in block style, one dash
// an item, as Write writes them. Every error is a *yaml.Error.
func ParseYAML(data []byte) (*document.Node, error) {
	if len(data) <= yaml.MaxBytes {
		return yaml.Parse(data)
	}
	whole := &document.Node{Kind: document.Mapping, Line: 1, Column: 1}
	for _, p := range split(data) {
		n, err := yaml.Parse(p.text)
		if bad := new(yaml.Error); errors.As(err, &bad) {
			bad.Line += p.shift
			return nil, bad
		}
		if err != nil {
			return nil, err
		}
		move(n, p.shift)
		add(whole, n)
	}
	return whole, nil
}

// part is a stretch of a document that can be read by itself.
type part struct {
	text  []byte
	shift int // how many lines before it the document has more
}

// split cuts a document before an item of a list whenever a part is long enough,
// and begins the next part with the key of that list.
func split(data []byte) []part {
	var parts []part
	var key, text []byte
	indent, shift, number := -1, 0, 0
	for line := range bytes.Lines(data) {
		number++
		trimmed := bytes.TrimLeft(line, " ")
		depth := len(line) - len(trimmed)
		dash := bytes.HasPrefix(trimmed, []byte("- "))
		switch {
		case depth == 0 && !dash && len(bytes.TrimSpace(line)) > 0 && line[0] != '#':
			key, indent = line, -1
		case dash && indent < 0:
			indent = depth
		case dash && depth == indent && len(text) >= partBytes:
			parts = append(parts, part{text, shift})
			text, shift = bytes.Clone(key), number-2 // the key stands one line above this item
		}
		text = append(text, line...)
	}
	return append(parts, part{text, shift})
}

// move corrects the lines of a part.
func move(n *document.Node, lines int) {
	n.Line += lines
	for _, k := range n.Keys {
		k.Line += lines
	}
	for _, item := range n.Items {
		move(item, lines)
	}
}

// add puts the lists of a part behind those that were read before.
func add(whole, n *document.Node) {
	for i, key := range n.Keys {
		list := whole.Get(key.Text)
		if list == nil || list.Kind != document.List {
			whole.Keys, whole.Items = append(whole.Keys, key), append(whole.Items, n.Items[i])
			continue
		}
		list.Items = append(list.Items, n.Items[i].Items...)
	}
}
