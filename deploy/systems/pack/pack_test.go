package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/deploy/systems"
	"vigie/ingest/disk"
)

// made is a release whose programs are a few letters.
func made(t *testing.T, list ...systems.System) *release {
	t.Helper()
	t.Chdir("../../..")
	r := &release{out: t.TempDir(), stage: t.TempDir(), version: "v1.2.0", time: time.Date(2026, 11, 29, 1, 2, 4, 0, time.UTC), goVersion: runtime.Version(), licences: []byte("terms")}
	for _, s := range list {
		if err := os.MkdirAll(filepath.Join(r.stage, s.Name()), 0o755); err != nil {
			t.Fatal(err)
		}
		for _, command := range systems.Programs {
			if err := os.WriteFile(r.program(s, command), []byte(command), 0o755); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.pack(s); err != nil {
			t.Fatal(err)
		}
	}
	return r
}

// unpacked lists an archive's files with their modes.
func unpacked(t *testing.T, name string) (files []string) {
	t.Helper()
	content, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Ext(name) == ".zip" {
		archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.File {
			files = append(files, fmt.Sprintf("%v %s", f.Mode(), f.Name))
		}
		return files
	}
	plain, err := gzip.NewReader(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	for archive := tar.NewReader(plain); ; {
		f, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, fmt.Sprintf("%v %s", f.FileInfo().Mode(), f.Name))
	}
}

func TestAnArchiveHoldsWhatItsSystemNeeds(t *testing.T) {
	r := made(t, systems.All...)
	for _, s := range systems.All {
		name, program, clicked := filepath.Join(r.out, "vigie-v1.2.0-"+s.Name()+".tar.gz"), "vigie", false
		if s.OS == "windows" {
			name, program = filepath.Join(r.out, "vigie-v1.2.0-"+s.Name()+".zip"), "vigie.exe"
		}
		for _, file := range unpacked(t, name) {
			_, name, _ := strings.Cut(file, " ")
			for part := range strings.SplitSeq(name, "/") {
				if err := disk.Portable(part); err != nil {
					t.Errorf("%s: %v", s.Name(), err)
				}
			}
			clicked = clicked || strings.HasSuffix(name, ".command")
		}
		folder := "vigie-v1.2.0-" + s.Name() + "/"
		for _, want := range []string{"-rwxr-xr-x " + folder + program, "-rw-r--r-- " + folder + "README.md", "-rw-r--r-- " + folder + "deploy/vigie.yaml", "-rw-r--r-- " + folder + "LICENSES.txt"} {
			if !slices.Contains(unpacked(t, name), want) {
				t.Errorf("%s: %q is not among %q", s.Name(), want, unpacked(t, name))
			}
		}
		if clicked != (s.OS == "darwin") {
			t.Errorf("%s: a file for a double click is there: %v", s.Name(), clicked)
		}
	}
}

// link is one of Markdown, without the place within a page.
var link = regexp.MustCompile(`\]\(([^)#]+)`)

func TestTheLinksOfTheGuidesLeadSomewhereInTheArchive(t *testing.T) {
	t.Chdir("../../..")
	followed := 0
	for _, guide := range guides {
		if path.Ext(guide) != ".md" {
			continue
		}
		text, err := os.ReadFile(guide)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range link.FindAllStringSubmatch(string(text), -1) {
			to := path.Join(path.Dir(guide), found[1])
			if strings.Contains(found[1], "://") || slices.Contains(guides, to) {
				followed++
				continue
			}
			t.Errorf("%s leads to %s, which is not in the archive", guide, to)
		}
	}
	if followed == 0 {
		t.Error("no guide leads to another")
	}
}

func TestTwoReleasesOfOneCommitAreTheSameBytes(t *testing.T) {
	var sums [2]strings.Builder
	for i := range sums {
		r := made(t, systems.System{OS: "linux", Arch: "amd64"}, systems.System{OS: "windows", Arch: "amd64"})
		if err := r.parts(); err != nil {
			t.Fatal(err)
		}
		if err := r.checksums(&sums[i]); err != nil {
			t.Fatal(err)
		}
		t.Chdir("deploy/systems/pack")
	}
	if sums[0].String() != sums[1].String() || strings.Count(sums[0].String(), "\n") != 3 {
		t.Errorf("the checksums are\n%s\nand\n%s", sums[0].String(), sums[1].String())
	}
}

func TestAReleaseIsOfACleanCommit(t *testing.T) {
	r := &release{}
	for modified, refused := range map[string]bool{"false": false, "true": true, "": true} {
		info := &debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "vcs.modified", Value: modified}, {Key: "vcs.time", Value: "2026-11-29T01:02:03Z"}}}
		if err := r.note(info); (err != nil) != refused {
			t.Errorf("vcs.modified=%q: %v", modified, err)
		}
	}
}

func TestLicencesAreFoundAndKnownByTheirText(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"LICENSE", "NOTICE.txt", "sub/LICENSE-MIT", "testdata/LICENSE", "license.go", "licensed.txt"} {
		if err := errors.Join(os.MkdirAll(filepath.Join(folder, filepath.Dir(name)), 0o755), os.WriteFile(filepath.Join(folder, name), nil, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	files, err := licencesOf(folder, false)
	if err != nil || !slices.Equal(files, []string{"LICENSE", "NOTICE.txt", filepath.Join("sub", "LICENSE-MIT")}) {
		t.Errorf("found %q, %v", files, err)
	}
	ours, err := os.ReadFile("../../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	if ids := spdx(ours); !slices.Equal(ids, []string{"Apache-2.0"}) {
		t.Errorf("the project's own licence is known as %q", ids)
	}
	if ids := spdx([]byte("do as you like")); len(ids) > 0 {
		t.Errorf("a text that is no licence is known as %q", ids)
	}
}

func TestSystemsAreNamedOnce(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range systems.All {
		if seen[s.Name()] {
			t.Errorf("%s is listed twice", s.Name())
		}
		seen[s.Name()] = true
	}
	guide, err := os.ReadFile("../../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range systems.All {
		if !strings.Contains(string(guide), "`"+s.Name()+"`") {
			t.Errorf("the README has no row for %s", s.Name())
		}
		if s.Like != "" && (!seen[s.Like] || s.Tests != systems.Apart) {
			t.Errorf("%s is said to be like %q", s.Name(), s.Like)
		}
	}
	if list, known := systems.Named("linux-armv7,windows-arm64"); !known || len(list) != 2 || list[0].ARM != "7" || list[1].Program("vigie") != "vigie.exe" {
		t.Errorf("%+v, %v", list, known)
	}
	if _, known := systems.Named("plan9-mips"); known {
		t.Error("a system that Vigie is not for is known")
	}
}
