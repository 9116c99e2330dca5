package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/licensecheck"
)

// part is something that is inside the programs.
type part struct {
	name, version string
	folder        string // of its sources
}

// goRoot is the folder of Go's own tree.
func goRoot() (string, error) {
	out, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return "", fmt.Errorf("ask for the folder of Go: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// parts writes the list of everything that is inside, and gathers its licences.
func (r *release) parts() error {
	root, err := goRoot()
	if err != nil {
		return err
	}
	all := []part{{name: "Go", version: strings.TrimPrefix(r.goVersion, "go"), folder: root}}
	for _, m := range r.modules {
		folder, err := sourcesOf(m)
		if err != nil {
			return err
		}
		all = append(all, part{name: m.Path, version: m.Version, folder: folder})
	}
	bom := cyclonedx.NewBOM()
	bom.Metadata = &cyclonedx.Metadata{
		Timestamp: r.time.Format("2006-01-02T15:04:05Z"),
		Component: &cyclonedx.Component{Type: cyclonedx.ComponentTypeApplication, Name: "vigie", Version: r.version, BOMRef: "vigie",
			Licenses: &cyclonedx.Licenses{{License: &cyclonedx.License{ID: "Apache-2.0"}}}},
	}
	var components []cyclonedx.Component
	var text bytes.Buffer
	for _, p := range all {
		files, err := licencesOf(p.folder, p.folder == root)
		if err != nil {
			return err
		}
		if len(files) == 0 {
			return fmt.Errorf("%s %s comes without a licence: nobody may pass it on", p.name, p.version)
		}
		var ids []string
		for _, file := range files {
			content, err := os.ReadFile(filepath.Join(p.folder, file))
			if err != nil {
				return err
			}
			fmt.Fprintf(&text, "%s\n%s %s: %s\n%s\n\n%s\n\n", strings.Repeat("=", 78), p.name, p.version, filepath.ToSlash(file), strings.Repeat("=", 78),
				strings.TrimSpace(string(content)))
			ids = append(ids, spdx(content)...)
		}
		slices.Sort(ids)
		components = append(components, component(p, slices.Compact(ids)))
	}
	bom.Components = &components
	r.licences = text.Bytes()
	var out bytes.Buffer
	if err := cyclonedx.NewBOMEncoder(&out, cyclonedx.BOMFileFormatJSON).SetPretty(true).Encode(bom); err != nil {
		return fmt.Errorf("write the list of parts: %w", err)
	}
	return os.WriteFile(filepath.Join(r.out, "vigie-"+r.version+".cdx.json"), out.Bytes(), 0o644)
}

func component(p part, ids []string) cyclonedx.Component {
	address := "pkg:golang/" + p.name + "@" + p.version
	if p.name == "Go" {
		address = "pkg:golang/std@" + p.version
	}
	c := cyclonedx.Component{Type: cyclonedx.ComponentTypeLibrary, Name: p.name, Version: p.version, PackageURL: address, BOMRef: address, Scope: cyclonedx.ScopeRequired}
	licences := cyclonedx.Licenses{}
	for _, id := range ids {
		licences = append(licences, cyclonedx.LicenseChoice{License: &cyclonedx.License{ID: id}})
	}
	if len(licences) > 0 {
		c.Licenses = &licences
	}
	return c
}

// sourcesOf is where the sources of a module are on this machine.
func sourcesOf(m *debug.Module) (string, error) {
	out, err := exec.Command("go", "mod", "download", "-json", m.Path+"@"+m.Version).Output()
	if err != nil {
		return "", fmt.Errorf("find the sources of %s: %w", m.Path, err)
	}
	var found struct{ Dir string }
	if err := json.Unmarshal(out, &found); err != nil || found.Dir == "" {
		return "", fmt.Errorf("find the sources of %s: %s", m.Path, out)
	}
	return found.Dir, nil
}

// licenceName are the names that files with terms have.
var licenceName = regexp.MustCompile(`(?i)^(licen[cs]e|copying|notice|unlicense|patents)([-_.].*)?$`)

// licencesOf lists the files with terms in a folder of sources, in a fixed order. Of
// a shallow one, as Go's own tree, those on top are enough: what lies below is not in
// the programs.
func licencesOf(folder string, shallow bool) (files []string, err error) {
	err = filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if path != folder && (shallow || name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_")) {
				return filepath.SkipDir
			}
			return nil
		}
		if !licenceName.MatchString(name) || slices.Contains([]string{".go", ".mod", ".sum"}, filepath.Ext(name)) {
			return nil
		}
		file, err := filepath.Rel(folder, path)
		files = append(files, file)
		return err
	})
	slices.Sort(files)
	return files, err
}

// spdx are the identifiers of the licences in a text, where most of it is theirs.
func spdx(text []byte) (ids []string) {
	coverage := licensecheck.Scan(text)
	if coverage.Percent < 75 {
		return nil
	}
	for _, match := range coverage.Match {
		ids = append(ids, match.ID)
	}
	return ids
}
