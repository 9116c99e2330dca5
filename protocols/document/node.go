// Package document is how our own files are read: protocols, their tests, the
// registry, the configuration. An adapter turns YAML or JSON into nodes; a Reader
// takes values out of them and gathers what is wrong, in French and English, each
// with its line and column and, where there is one, a way out.
//
// A node is one value as written. A place is a node with the path that leads to
// it. A form says which keys a mapping has: Reader.Open holds a mapping against it,
// and SchemaOf writes the same form for editors.
package document

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"vigie/protocols"
)

// Node is one value in a document with its position, so that every complaint can
// name a line and a column. Adapters build it from YAML or JSON.
type Node struct {
	Kind   NodeKind
	Text   string  // of a scalar, as written
	Quoted bool    // the scalar was quoted: it is a string whatever it looks like
	Keys   []*Node // of a mapping, in order, beside Items
	Items  []*Node // values of a mapping, or items of a list
	Line   int     // from 1
	Column int     // from 1
}

// NodeKind tells what a Node is.
type NodeKind uint8

// The kinds of node.
const (
	Null NodeKind = iota
	Scalar
	Mapping
	List
)

// Get returns the value under key, or nil.
func (n *Node) Get(key string) *Node {
	if n == nil || n.Kind != Mapping {
		return nil
	}
	for i, k := range n.Keys {
		if k.Text == key {
			return n.Items[i]
		}
	}
	return nil
}

// Listed returns the items of a list; none of a nil node.
func (n *Node) Listed() []*Node {
	if n == nil || n.Kind != List {
		return nil
	}
	return n.Items
}

// Find returns the place at a path such as "teams[2].name". Where nothing stands there,
// its node is the deepest one on the way: that is where something is missing.
func (n *Node) Find(path string) Place {
	found := n
	for step := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		next := found.Get(step)
		if i, err := strconv.Atoi(step); err == nil && i < len(found.Listed()) {
			next = found.Items[i]
		}
		if next == nil {
			break
		}
		found = next
	}
	return Place{found, path}
}

// Problem is one complaint about a document.
type Problem struct {
	File       string         `json:"file,omitempty"`
	Line       int            `json:"line"`
	Column     int            `json:"column"`
	Path       string         `json:"path,omitempty"` // "rules[2].when.above"
	Code       string         `json:"code"`           // stable, kebab-case
	Message    protocols.Text `json:"message"`
	Suggestion protocols.Text `json:"suggestion,omitzero"`
	Severity   Severity       `json:"severity"`
}

// Severity tells a problem that forbids use from one to look at.
type Severity string

// The severities, named as SARIF names them.
const (
	Error   Severity = "error"
	Warning Severity = "warning"
)

// InOrder sorts problems by where they stand in their document.
func InOrder(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}

// ByFile sorts the problems of several documents, those of one together and in order.
func ByFile(problems []Problem) {
	InOrder(problems)
	slices.SortStableFunc(problems, func(a, b Problem) int { return cmp.Compare(a.File, b.File) })
}

// Refused reports whether one of the problems is an Error.
func Refused(problems []Problem) bool {
	return slices.ContainsFunc(problems, func(p Problem) bool { return p.Severity == Error })
}
