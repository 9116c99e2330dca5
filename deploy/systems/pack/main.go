// Pack makes a release out of a clean checkout: for every system an archive with the
// programs, the guides, the sample configuration and the licences of all parts; one
// file of checksums; and a list of parts (CycloneDX). The same commit and the same Go
// give the same bytes.
package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"
	_ "time/tzdata" // every program brings zones

	"vigie/deploy/systems"
)

func main() {
	out := flag.String("out", "", "folder for the release; it must be empty or not there")
	names := flag.String("systems", "", "only these, as linux-amd64,windows-arm64")
	flag.Parse()
	if err := run(*out, *names, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "pack:", err)
		os.Exit(1)
	}
}

func run(out, names string, say io.Writer) error {
	list, known := systems.Named(names)
	if out == "" || !known {
		return errors.New("say where to with --out, and only systems of deploy/systems")
	}
	if left, err := os.ReadDir(out); err == nil && len(left) > 0 {
		return fmt.Errorf("%s is not empty: give another folder, or remove it", out)
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	stage, err := os.MkdirTemp("", "vigie-release-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(stage)
	r := &release{out: out, stage: stage}
	for _, s := range list {
		began := time.Now()
		if err := r.build(s); err != nil {
			return fmt.Errorf("%s: %w", s.Name(), err)
		}
		fmt.Fprintf(say, "%-14s built in %3.0f s: %s\n", s.Name(), time.Since(began).Seconds(), r.weights(s))
	}
	if err := r.parts(); err != nil {
		return err
	}
	for _, s := range list {
		if err := r.pack(s); err != nil {
			return fmt.Errorf("%s: %w", s.Name(), err)
		}
	}
	return r.checksums(say)
}

// release is one being made.
type release struct {
	out, stage string
	version    string
	time       time.Time // of the commit
	modules    []*debug.Module
	goVersion  string
	licences   []byte // of all parts, one after another
}

// build builds the programs for a system, and reads what they were built from.
func (r *release) build(s systems.System) error {
	texts, err := systems.Packed(r.stage)
	if err != nil {
		return fmt.Errorf("pack the texts: %w", err)
	}
	for _, command := range systems.Programs {
		program := r.program(s, command)
		flags := append([]string{"build", "-trimpath", "-buildvcs=true", "-o", program, texts}, s.Stripped()...)
		build := exec.Command("go", append(flags, "./cmd/"+command)...)
		build.Env = append(os.Environ(), s.Environment()...)
		if said, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w: %s", command, err, said)
		}
		if _, err := systems.Weigh(program); err != nil {
			return err
		}
		info, err := buildinfo.ReadFile(program)
		if err != nil {
			return err
		}
		if err := r.note(info); err != nil {
			return err
		}
	}
	return nil
}

// note keeps what one program was built from. All are of one clean commit.
func (r *release) note(info *debug.BuildInfo) error {
	settings := map[string]string{}
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if settings["vcs.modified"] != "false" {
		return errors.New("a release is built from a clean checkout with its history: commit what was changed (deploy/release makes such a checkout)")
	}
	at, err := time.Parse(time.RFC3339, settings["vcs.time"])
	if err != nil {
		return fmt.Errorf("read the time of the commit: %w", err)
	}
	r.version, r.time, r.goVersion = info.Main.Version, at.UTC(), info.GoVersion
	for _, m := range info.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		if !slices.ContainsFunc(r.modules, func(known *debug.Module) bool { return known.Path == m.Path }) {
			r.modules = append(r.modules, m)
		}
	}
	slices.SortFunc(r.modules, func(a, b *debug.Module) int { return strings.Compare(a.Path, b.Path) })
	return nil
}

func (r *release) program(s systems.System, command string) string {
	return filepath.Join(r.stage, s.Name(), s.Program(command))
}

func (r *release) weights(s systems.System) string {
	var parts []string
	for _, command := range systems.Programs {
		if file, err := os.Stat(r.program(s, command)); err == nil {
			parts = append(parts, fmt.Sprintf("%s %.1f MiB", command, float64(file.Size())/(1<<20)))
		}
	}
	return strings.Join(parts, ", ")
}

// guides stand in every archive, where their links lead to one another.
var guides = []string{"README.md", "LICENSE", "deploy/README.md", "deploy/vigie.yaml", "deploy/registry.yaml", "protocols/README.md", "ingest/CONFORMANCE.md", "ingest/formats/native/README.md",
	"ingest/formats/fhir/README.md", "ingest/formats/gatt/README.md", "ingest/formats/openmhealth/README.md", "ingest/formats/senml/README.md",
	"ingest/formats/nightscout/README.md", "ingest/formats/recorded/README.md",
	"ingest/formats/fhir/samples/fhir.json", "ingest/formats/gatt/samples/gatt.json", "ingest/formats/openmhealth/samples/openmhealth.json",
	"ingest/formats/senml/samples/senml.json", "ingest/formats/senml/samples/senml-cbor.cbor", "ingest/formats/nightscout/samples/nightscout.json",
	"ingest/formats/native/readings.schema.json", "ingest/formats/native/status.schema.json", "ingest/formats/native/receipts.schema.json",
	"protocols/library/protocol.schema.json", "protocols/library/tests.schema.json", "seeds/stories/README.md",
	"deploy/pictures/worklist.png", "deploy/pictures/alert.png", "deploy/examples/device.py", "deploy/examples/device.mjs", "deploy/examples/device.c", "deploy/examples/device.ino"}

// pack makes the archive of one system.
func (r *release) pack(s systems.System) error {
	folder := "vigie-" + r.version + "-" + s.Name() + "/"
	var files []packed
	for _, command := range systems.Programs {
		content, err := os.ReadFile(r.program(s, command))
		if err != nil {
			return err
		}
		files = append(files, packed{folder + s.Program(command), content, true})
	}
	for _, guide := range guides {
		content, err := os.ReadFile(guide)
		if err != nil {
			return err
		}
		files = append(files, packed{folder + guide, content, false})
	}
	files = append(files, packed{folder + "LICENSES.txt", r.licences, false})
	if s.OS == "darwin" {
		// Finder starts it in a window at a double click.
		files = append(files, packed{folder + "vigie-demo.command", []byte("#!/bin/sh\ncd \"$(dirname \"$0\")\" && exec ./vigie demo --open\n"), true})
	}
	name := filepath.Join(r.out, strings.TrimSuffix(folder, "/"))
	if s.OS == "windows" {
		return writeZip(name+".zip", files, r.time)
	}
	return writeTar(name+".tar.gz", files, r.time)
}

// checksums writes SHA256SUMS, as sha256sum -c reads it, and says it.
func (r *release) checksums(say io.Writer) error {
	entries, err := os.ReadDir(r.out)
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, e := range entries {
		content, err := os.ReadFile(filepath.Join(r.out, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(content), e.Name())
	}
	fmt.Fprint(say, sums.String())
	return os.WriteFile(filepath.Join(r.out, "SHA256SUMS"), []byte(sums.String()), 0o644)
}
