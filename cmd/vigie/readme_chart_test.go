package main

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The README's command charts a file as LibreView writes it, unedited.
func TestTheREADMEChartsAFileOfLibreView(t *testing.T) {
	guide, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	command := regexp.MustCompile(`(?m)^go run ./cmd/vigie (replay .*libreview\.csv.*)$`).FindSubmatch(guide)
	if command == nil {
		t.Fatal("the README has no command that charts a file of LibreView")
	}
	folder := t.TempDir()
	if err := os.WriteFile(filepath.Join(folder, "libreview.csv"), []byte(libreviewFR), 0o600); err != nil {
		t.Fatal(err)
	}
	line := strings.Fields(strings.NewReplacer("libreview.csv", filepath.Join(folder, "libreview.csv"), "libreview.html", filepath.Join(folder, "libreview.html")).Replace(string(command[1])))
	if err := vigie(t, line...); err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(folder, "libreview.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"<svg", `class="dot"`, "112"} {
		if !strings.Contains(string(page), part) {
			t.Errorf("the page does not show %q", part)
		}
	}
	if strings.Contains(string(page), "7 min") {
		t.Error("a scan seven minutes after a kept value is taken for the step of the sensor")
	}
	if strings.Contains(string(page), "DUPONT") {
		t.Error("the page names the person of the file")
	}
}
