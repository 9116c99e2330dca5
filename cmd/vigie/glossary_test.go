package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// verbs had several meanings each. Now a function that begins with one of them means what
// a glossary says.
var verbs = regexp.MustCompile(`^(find|settle|act|plan|take(?:On|Over|Back)?|note)(?:[A-Z]\w*)?$`)

// TestNamesKeepOneMeaning walks the functions that are named by one of the verbs. The
// glossary of their package, or of a folder above it, says what the verb means, and every
// glossary says the same.
func TestNamesKeepOneMeaning(t *testing.T) {
	t.Parallel()
	meanings, functions := map[string]string{}, 0
	for _, folder := range []string{"ingest", "alerts", "protocols", "seeds"} {
		root := filepath.Join("../..", folder)
		err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
			if err != nil || !entry.IsDir() {
				return err
			}
			words, named := glossary(t, path)
			for above := filepath.Dir(path); len(above) >= len(root); above = filepath.Dir(above) {
				over, _ := glossary(t, above)
				for word, meaning := range over {
					if words[word] == "" {
						words[word] = meaning
					}
				}
			}
			for verb, function := range named {
				functions++
				meaning, _, _ := strings.Cut(words[verb], ", such as ")
				switch {
				case meaning == "":
					t.Errorf("%s: %s is %q, which no glossary of its folders explains", path, function, verb)
				case meanings[verb] == "":
					meanings[verb] = meaning
				case meanings[verb] != meaning:
					t.Errorf("%s: %q is %q here and %q elsewhere", path, verb, meaning, meanings[verb])
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if functions < 20 {
		t.Errorf("%d names were looked at", functions)
	}
}

// glossary reads the glossary of a package, and one function for each of the verbs by
// which its functions are named.
func glossary(t *testing.T, folder string) (words, named map[string]string) {
	t.Helper()
	words, named = map[string]string{}, map[string]string{}
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if _, list, found := strings.Cut(file.Doc.Text(), "Glossary"); found {
			_, list, _ = strings.Cut(list, ":")
			list, _, _ = strings.Cut(strings.Join(strings.Fields(list), " "), ".")
			for entry := range strings.SplitSeq(list, "; ") {
				word, meaning, _ := strings.Cut(entry, " = ")
				words[strings.TrimSpace(word)] = meaning
			}
		}
		for _, declared := range file.Decls {
			if function, ok := declared.(*ast.FuncDecl); ok {
				name := function.Name.Name
				if parts := verbs.FindStringSubmatch(strings.ToLower(name[:1]) + name[1:]); parts != nil {
					named[strings.TrimSpace(strings.ToLower(strings.Replace(parts[1], "take", "take ", 1)))] = name
				}
			}
		}
	}
	return words, named
}
