package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestCommandsHoldFlagsWiringAndPrinting holds the two programs to it, as far as a test
// can. A function that is given nothing of a command line, of the tools, or to write to,
// computes: it is short here, or stands in the package that owns the fact. What only
// computes is not imported.
func TestCommandsHoldFlagsWiringAndPrinting(t *testing.T) {
	const longest = 40 // lines
	computing := []string{"archive/zip", "math/big", "math/bits", "encoding/binary", "compress/gzip", "database/sql", "hash/crc32"}
	for _, folder := range []string{"../vigie", "../simulator"} {
		names, err := filepath.Glob(folder + "/*.go")
		if err != nil || len(names) == 0 {
			t.Fatal(err, names)
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			places := token.NewFileSet()
			file, err := parser.ParseFile(places, name, text, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, imported := range file.Imports {
				if path := strings.Trim(imported.Path.Value, `"`); slices.Contains(computing, path) && !strings.HasPrefix(filepath.Base(name), "demo") {
					t.Errorf("%s imports %s: what computes stands in the package that owns the fact", name, path)
				}
			}
			for _, declared := range file.Decls {
				f, is := declared.(*ast.FuncDecl)
				if !is || f.Body == nil {
					continue
				}
				lines := places.Position(f.End()).Line - places.Position(f.Pos()).Line
				given := string(text[places.Position(f.Pos()).Offset:places.Position(f.Body.Pos()).Offset])
				if lines > longest && !isWiring(given) {
					t.Errorf("%s: %s computes on %d lines: it belongs into the package that owns the fact", name, f.Name.Name, lines)
				}
			}
		}
	}
}

// isWiring reports whether a function is given a command line, tools, or where to write.
func isWiring(signature string) bool {
	return slices.ContainsFunc([]string{"cobra.", "pflag.", "Flags)", "context.Context", "service.", "config.", "io.Writer", "io.Reader", "strings.Builder", "bytes.Buffer", "tongue", "Report)"},
		func(given string) bool { return strings.Contains(signature, given) })
}
