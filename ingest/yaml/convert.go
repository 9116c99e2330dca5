package yaml

import (
	"fmt"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"vigie/protocols"
	"vigie/protocols/document"
)

// convert turns the library's tree into ours.
func convert(node ast.Node) (*document.Node, error) {
	switch node := node.(type) {
	case *ast.MappingNode:
		return mapping(node, node.Values)
	case *ast.MappingValueNode:
		return mapping(node, []*ast.MappingValueNode{node})
	case *ast.SequenceNode:
		return list(node)
	case *ast.NullNode:
		return scalar(node, document.Null), nil
	case *ast.LiteralNode:
		n := scalar(node, document.Scalar)
		n.Text, n.Quoted = node.Value.Value, true
		return n, nil
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		return scalar(node, document.Scalar), nil
	}
	at := position(node)
	return nil, &Error{at.Line, at.Column, protocols.Text{FR: fmt.Sprintf("%s n'a pas sa place ici", node.Type()), EN: fmt.Sprintf("%s has no place here", node.Type())}}
}

func mapping(whole ast.Node, pairs []*ast.MappingValueNode) (*document.Node, error) {
	at := position(whole)
	n := &document.Node{Kind: document.Mapping, Line: at.Line, Column: at.Column}
	seen := make(map[string]int, len(pairs))
	for _, pair := range pairs {
		key, err := convert(pair.Key)
		if err != nil {
			return nil, err
		}
		if key.Kind != document.Scalar {
			return nil, &Error{key.Line, key.Column, protocols.Text{FR: "une clé doit être un mot", EN: "a key must be a word"}}
		}
		if first, twice := seen[key.Text]; twice {
			if decimals(key.Text) {
				return nil, &Error{key.Line, key.Column, protocols.Text{FR: "écrire les décimales après un point : entre accolades, 38,5 se lit comme 38 et une clé 5", EN: "write decimals after a point: between braces, 38,5 is read as 38 and a key 5"}}
			}
			return nil, &Error{key.Line, key.Column, protocols.Text{FR: fmt.Sprintf("la clé %q est déjà à la ligne %d", key.Text, first), EN: fmt.Sprintf("the key %q is already on line %d", key.Text, first)}}
		}
		seen[key.Text] = key.Line
		value, err := convert(pair.Value)
		if err != nil {
			return nil, err
		}
		n.Keys = append(n.Keys, key)
		n.Items = append(n.Items, value)
	}
	return n, nil
}

func list(sequence *ast.SequenceNode) (*document.Node, error) {
	at := position(sequence)
	n := &document.Node{Kind: document.List, Line: at.Line, Column: at.Column}
	for _, value := range sequence.Values {
		item, err := convert(value)
		if err != nil {
			return nil, err
		}
		n.Items = append(n.Items, item)
	}
	return n, nil
}

func scalar(node ast.Node, kind document.NodeKind) *document.Node {
	t := node.GetToken()
	at := position(node)
	quoted := t.Type == token.SingleQuoteType || t.Type == token.DoubleQuoteType
	text := t.Value
	if t.Type == token.ImplicitNullType {
		text = ""
	}
	return &document.Node{Kind: kind, Text: text, Quoted: quoted, Line: at.Line, Column: at.Column}
}

// position is where the node is written; the library gives some nodes of its own
// making no position, and those are where the document begins.
func position(node ast.Node) token.Position {
	if node == nil {
		return token.Position{Line: 1, Column: 1}
	}
	t := node.GetToken()
	switch block := node.(type) {
	case *ast.MappingValueNode: // its own token is the colon
		t = block.Key.GetToken()
	case *ast.MappingNode:
		if len(block.Values) > 0 && !block.IsFlowStyle {
			t = block.Values[0].Key.GetToken()
		}
	}
	if t == nil || t.Position == nil || t.Position.Line < 1 {
		return token.Position{Line: 1, Column: 1}
	}
	at := *t.Position
	at.Column = max(1, at.Column)
	return at
}
