package edition

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
)

func TestAProgramSaysWhatItWasBuiltFrom(t *testing.T) {
	commit := strings.Repeat("a1", 20)
	stamped := func(version, modified string) *debug.BuildInfo {
		return &debug.BuildInfo{GoVersion: "go1.26.8", Main: debug.Module{Version: version},
			Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: commit}, {Key: "vcs.modified", Value: modified}}}
	}
	for _, c := range []struct {
		info *debug.BuildInfo
		want string
	}{
		{stamped("v1.2.0", "false"), "v1.2.0, commit a1a1a1a1a1a1, go1.26.8, " + system},
		{stamped("(devel)", "true"), "devel, commit a1a1a1a1a1a1 and changes, go1.26.8, " + system},
		{&debug.BuildInfo{GoVersion: "go1.26.8"}, "devel, commit unknown, go1.26.8, " + system},
	} {
		if got := of(c.info).String(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// go run stamps nothing, so the program asks git.
func TestTheCommitOfSourcesIsKnownWithoutAStamp(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not installed")
	}
	folder := t.TempDir()
	git := func(args ...string) string {
		t.Helper()
		command := exec.Command("git", append([]string{"-C", folder, "-c", "user.name=a", "-c", "user.email=a@example.org"}, args...)...)
		out, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v: %s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	file := filepath.Join(folder, "main.go")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if commit, modified := ask(folder); commit != "" || modified {
		t.Errorf("a folder without history has commit %q, changed %v", commit, modified)
	}
	write("package main")
	git("init", "-q")
	git("add", "main.go")
	git("commit", "-qm", "first")
	want := git("rev-parse", "HEAD")
	if commit, modified := ask(folder); commit != want || modified {
		t.Errorf("commit %q, changed %v; want %q", commit, modified, want)
	}
	write("package other")
	if commit, modified := ask(folder); commit != want || !modified {
		t.Errorf("after a change: commit %q, changed %v", commit, modified)
	}
}

func TestThisProgramKnowsItsGo(t *testing.T) {
	if e := Current(); e.Go != runtime.Version() || e.System != system || e.Version == "" {
		t.Errorf("%+v", e)
	}
}
