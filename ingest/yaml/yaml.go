// Package yaml reads YAML (and so JSON) into document.Node: care
// protocols, their tests, registry imports and configuration all come through
// here, so that every complaint about any of them names a line and a column.
//
// It reads plain data only. Anchors, aliases, merge keys, tags, repeated keys
// and several documents in one file are refused: each of them lets a file say
// something else than what a reviewer sees.
package yaml

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	goyaml "github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"vigie/protocols"
	"vigie/protocols/document"
)

// The bounds of a document. They are far above any file that a person writes,
// and keep a hostile one from using up the stack or the memory.
const (
	MaxBytes = 8 << 20
	MaxDepth = 64
	MaxKeys  = 1024 // of one mapping
)

// Error says what is wrong with a document and where.
type Error struct {
	Line    int // from 1
	Column  int // from 1
	Message protocols.Text
}

// Error is the sentence a person reads.
func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message.EN)
}

// Problem returns e in the form of the other complaints about a document.
func (e *Error) Problem() document.Problem {
	return document.Problem{Line: e.Line, Column: e.Column, Code: "not-yaml", Message: e.Message, Severity: document.Error}
}

// Parse reads one YAML document. An empty one is a Null node. Every error is an
// *Error. It never panics.
func Parse(data []byte) (root *document.Node, err error) {
	// The library has panicked on malformed input before; a file that makes it
	// do so is a file that cannot be read, not the end of the service.
	defer func() {
		if cause := recover(); cause != nil {
			root, err = nil, &Error{1, 1, protocols.Text{FR: fmt.Sprintf("ceci n'est pas du YAML valable (%v)", cause), EN: fmt.Sprintf("this is not valid YAML (%v)", cause)}}
		}
	}()
	if len(data) > MaxBytes {
		return nil, &Error{1, 1, protocols.Text{FR: fmt.Sprintf("le document contient %d octets ; %d au plus sont lus : le partager", len(data), MaxBytes), EN: fmt.Sprintf("the document holds %d bytes; at most %d are read, so split it", len(data), MaxBytes)}}
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff")) // editors on Windows begin a file with it
	if err := checkText(data); err != nil {
		return nil, err
	}
	tokens := lexer.Tokenize(string(data))
	if err := checkTokens(tokens); err != nil {
		return nil, err
	}
	file, err := parser.Parse(tokens, 0)
	if err != nil {
		return nil, syntaxError(err)
	}
	return one(file)
}

// one returns the only document of the file.
func one(file *ast.File) (*document.Node, error) {
	var body ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		if body != nil {
			at := position(doc.Body)
			return nil, &Error{at.Line, at.Column, protocols.Text{FR: "un deuxième document commence ici ; mettre chacun dans son propre fichier", EN: "a second document begins here; put each in a file of its own"}}
		}
		body = doc.Body
	}
	if body == nil {
		return &document.Node{Kind: document.Null, Line: 1, Column: 1}, nil
	}
	return convert(body)
}

// checkText refuses what is not text, with its position.
func checkText(data []byte) error {
	line, column := 1, 1
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && size == 1 {
			return &Error{line, column, protocols.Text{FR: "ce texte n'est pas en UTF-8 ; enregistrer le fichier en UTF-8", EN: "this is not UTF-8 text; save the file as UTF-8"}}
		}
		if r == 0 {
			return &Error{line, column, protocols.Text{FR: "un caractère NUL n'a pas sa place dans un fichier de texte", EN: "a NUL character has no place in a text file"}}
		}
		column++
		if r == '\n' {
			line, column = line+1, 1
		}
		i += size
	}
	return nil
}

// refused says why a kind of token has no place in a document.
var refused = map[token.Type]protocols.Text{
	token.AnchorType:     protocols.Text{FR: "les ancres (&name) ne sont pas lues ; écrire le contenu là où il faut", EN: "anchors (&name) are not read; write the content out where it is needed"},
	token.AliasType:      protocols.Text{FR: "les alias (*name) ne sont pas lus ; écrire le contenu, ou le mettre entre guillemets si c'est du texte", EN: "aliases (*name) are not read; write the content out, or put it in quotes if it is text"},
	token.MergeKeyType:   protocols.Text{FR: "les clés de fusion (<<) ne sont pas lues ; écrire les clés", EN: "merge keys (<<) are not read; write the keys out"},
	token.TagType:        protocols.Text{FR: "les étiquettes (!name) ne sont pas lues ; enlever l'étiquette, ou la mettre entre guillemets si c'est du texte", EN: "tags (!name) are not read; remove the tag, or put it in quotes if it is text"},
	token.DirectiveType:  protocols.Text{FR: "les directives (%) ne sont pas lues ; enlever la ligne", EN: "directives (%) are not read; remove the line"},
	token.MappingKeyType: protocols.Text{FR: "les clés explicites (?) ne sont pas lues ; écrire « clé: valeur »", EN: "explicit keys (?) are not read; write \"key: value\""},
}

// checkTokens refuses what a document may not hold, and counts how deep and how
// wide it is before anything recursive looks at it.
func checkTokens(tokens token.Tokens) error {
	var size extent
	for _, t := range tokens {
		at := t.Position
		if why, ok := refused[t.Type]; ok {
			return &Error{at.Line, at.Column, why}
		}
		size.add(t)
		if size.depth() > MaxDepth {
			return &Error{at.Line, at.Column, protocols.Text{FR: fmt.Sprintf("ceci est emboîté sur plus de %d niveaux", MaxDepth), EN: fmt.Sprintf("this is nested more than %d deep", MaxDepth)}}
		}
		if size.keys() > MaxKeys {
			return &Error{at.Line, at.Column, protocols.Text{FR: fmt.Sprintf("il y a plus de %d clés côte à côte ; en faire une liste", MaxKeys), EN: fmt.Sprintf("there are more than %d keys side by side; make it a list", MaxKeys)}}
		}
	}
	return nil
}

// extent follows tokens to know where in a document they are.
type extent struct {
	blocks []block // around the token
	flow   []block // brackets around the token
}

// block is a mapping or a list, its keys counted so far.
type block struct{ column, keys int }

func (e *extent) depth() int { return len(e.blocks) + len(e.flow) }

func (e *extent) keys() int {
	switch {
	case len(e.flow) > 0:
		return e.flow[len(e.flow)-1].keys
	case len(e.blocks) > 0:
		return e.blocks[len(e.blocks)-1].keys
	}
	return 0
}

func (e *extent) add(t *token.Token) {
	switch t.Type {
	case token.CommentType:
	case token.SequenceStartType, token.MappingStartType:
		e.flow = append(e.flow, block{})
	case token.SequenceEndType, token.MappingEndType:
		e.flow = e.flow[:max(0, len(e.flow)-1)]
	default:
		e.addToBlock(t)
	}
}

func (e *extent) addToBlock(t *token.Token) {
	isKey := t.Next != nil && t.Next.Type == token.MappingValueType
	if len(e.flow) > 0 {
		if isKey {
			e.flow[len(e.flow)-1].keys++
		}
		return
	}
	column := t.Position.Column
	for len(e.blocks) > 0 && e.blocks[len(e.blocks)-1].column > column {
		e.blocks = e.blocks[:len(e.blocks)-1]
	}
	if !isKey && t.Type != token.SequenceEntryType {
		return
	}
	if len(e.blocks) == 0 || e.blocks[len(e.blocks)-1].column < column {
		e.blocks = append(e.blocks, block{column: column})
	}
	if isKey {
		e.blocks[len(e.blocks)-1].keys++
	}
}

// syntaxError keeps the position and the words of the library's error.
func syntaxError(err error) error {
	var syntax *goyaml.SyntaxError
	if errors.As(err, &syntax) && syntax.Token != nil {
		at := syntax.Token.Position
		return &Error{at.Line, at.Column, invalid(syntax.Message)}
	}
	var twice *goyaml.DuplicateKeyError
	if errors.As(err, &twice) && twice.Token != nil {
		at := twice.Token.Position
		return &Error{at.Line, at.Column, invalid(twice.Message)}
	}
	return &Error{1, 1, invalid(err.Error())}
}

// repeated is how the library says that a key stands twice, and where it stood first.
var repeated = regexp.MustCompile(`^mapping key "(.*)" already defined at \[(\d+):\d+\]$`)

// invalid says in both languages what people do most, and else keeps the words of the YAML
// library, which speaks English.
func invalid(words string) protocols.Text {
	if twice := repeated.FindStringSubmatch(words); twice != nil {
		return protocols.Say("la clé « %s » est déjà à la ligne %s : n'en garder qu'une", "the key %q stands at line %s already: keep one", twice[1], twice[2])
	}
	if strings.Contains(words, "character '\t'") {
		return protocols.Say("une tabulation n'est pas lue ici : mettre des espaces à la place", "a tab is not read here: put spaces in its place")
	}
	return protocols.Text{FR: "ceci n'est pas du YAML valable : " + words, EN: "this is not valid YAML: " + words}
}

// decimals reports whether a key is what stands behind the comma of a number.
func decimals(key string) bool {
	return key != "" && strings.Trim(key, "0123456789") == ""
}
