package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// longest is how many words a sentence may have here. 25 are the aim.
const longest = 32

// TestNamesAreExplainedInShortSentences walks every exported name: each has a comment, and
// no sentence there or in a guide is so long that it is read twice.
func TestNamesAreExplainedInShortSentences(t *testing.T) {
	for _, guide := range []string{"README.md", "deploy/README.md", "protocols/README.md"} {
		text, err := os.ReadFile(filepath.Join("../..", guide))
		if err != nil {
			t.Fatal(err)
		}
		for _, sentence := range longOnes(string(text)) {
			t.Errorf("%s: cut this sentence in two: %s", guide, sentence)
		}
	}
	names := 0
	for _, folder := range []string{"cmd", "ingest", "alerts", "protocols", "seeds", "deploy"} {
		err := filepath.WalkDir(filepath.Join("../..", folder), func(path string, _ os.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
			if err != nil {
				return err
			}
			for name, comment := range explained(file) {
				names++
				if strings.TrimSpace(comment) == "" {
					t.Errorf("%s: %s has no comment", path, name)
				}
				for _, sentence := range longOnes(comment) {
					t.Errorf("%s, %s: cut this sentence in two: %s", path, name, sentence)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if names < 1000 {
		t.Errorf("%d names were looked at", names)
	}
}

// explained lists the exported names of a file, and the package, with their comments.
func explained(file *ast.File) map[string]string {
	names := map[string]string{}
	if file.Doc != nil {
		names["package "+file.Name.Name] = file.Doc.Text()
	}
	for _, declared := range file.Decls {
		switch d := declared.(type) {
		case *ast.FuncDecl:
			if owner := ownerOf(d); d.Name.IsExported() && ast.IsExported(owner) {
				names[owner+"."+d.Name.Name] = d.Doc.Text()
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch s := spec.(type) {
				case *ast.TypeSpec:
					if s.Name.IsExported() {
						names[s.Name.Name] = d.Doc.Text() + s.Doc.Text()
					}
				case *ast.ValueSpec:
					for _, name := range s.Names {
						if name.IsExported() {
							names[name.Name] = d.Doc.Text() + "\n" + s.Doc.Text() + "\n" + s.Comment.Text()
						}
					}
				}
			}
		}
	}
	return names
}

// ownerOf names the type of a method; "Func" for a function.
func ownerOf(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return "Func"
	}
	of := d.Recv.List[0].Type
	if star, ok := of.(*ast.StarExpr); ok {
		of = star.X
	}
	if generic, ok := of.(*ast.IndexExpr); ok {
		of = generic.X
	}
	if name, ok := of.(*ast.Ident); ok {
		return name.Name
	}
	return ""
}

var (
	code     = regexp.MustCompile("(?s)```.*?```")
	apart    = regexp.MustCompile(`^\s*([-*>|#]|\d+\.\s|\t|    )`)
	sentence = regexp.MustCompile(`[.!?:;]\)?\s+`)
)

// longOnes returns the sentences of a text that are too long. Tables, headings and code
// are none; a line of a list begins one.
func longOnes(text string) (long []string) {
	var paragraph strings.Builder
	end := func() {
		for _, one := range sentence.Split(paragraph.String(), -1) {
			words := strings.FieldsFunc(one, unicode.IsSpace)
			count := 0
			for _, word := range words {
				if strings.ContainsFunc(word, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
					count++
				}
			}
			if count > longest {
				long = append(long, fmt.Sprintf("%d words: %s", count, strings.Join(words, " ")))
			}
		}
		paragraph.Reset()
	}
	for line := range strings.Lines(code.ReplaceAllString(text, "")) {
		first := apart.FindString(line)
		if strings.TrimSpace(line) == "" || first != "" {
			end()
		}
		switch strings.TrimSpace(first) {
		case "|", "#", "":
			if first != "" {
				continue // a table, a heading, code
			}
		}
		paragraph.WriteString(strings.TrimSpace(line) + " ")
	}
	end()
	return long
}

func TestLongSentencesAreFound(t *testing.T) {
	words := strings.Repeat("word ", longest)
	for text, want := range map[string]int{
		words + "more.": 1, words + ". More.": 0, "- " + words + "\n- more": 0, "| " + words + "more |": 0,
		"```\n" + words + "more\n```": 0, "Begin " + words + "\nmore.": 1, "1. " + words + "more": 1,
	} {
		if got := len(longOnes(text)); got != want {
			t.Errorf("%d found in %q, want %d", got, text, want)
		}
	}
}
