// Package edition says which Vigie a program is: its version, its commit, and the Go
// and the system that it was built with.
package edition

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
)

// Edition is what a program knows of itself. A text is empty where nothing is known.
type Edition struct {
	Version  string // "v1.2.0"; of a commit without a tag, as Go writes it; "devel" of changed sources
	Commit   string // 40 hexadecimal digits
	Modified bool   // the sources differ from the commit
	Go       string // "go1.26.8"
	System   string // "linux/amd64"
}

// Current is the edition of this program.
var Current = sync.OnceValue(func() Edition {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return Edition{Go: runtime.Version(), System: system}
	}
	e := of(info)
	if _, source, _, ok := runtime.Caller(0); e.Commit == "" && ok && runs() {
		e.Commit, e.Modified = ask(filepath.Dir(source))
	}
	return e
})

const system = runtime.GOOS + "/" + runtime.GOARCH

// of reads what the toolchain stamped a program with.
func of(info *debug.BuildInfo) Edition {
	e := Edition{Version: info.Main.Version, Go: info.GoVersion, System: system}
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			e.Commit = setting.Value
		case "vcs.modified":
			e.Modified = setting.Value == "true"
		}
	}
	if e.Version == "" || e.Version == "(devel)" {
		e.Version = "devel"
	}
	return e
}

// runs reports whether go run has just built this program, which it does not stamp
// with a commit. Its sources are then what they were a moment ago.
func runs() bool {
	program, err := os.Executable()
	return err == nil && strings.Contains(filepath.ToSlash(program), "/go-build")
}

// ask asks git for the commit of a folder of sources; without an answer, nothing is
// known.
func ask(folder string) (commit string, modified bool) {
	out, err := exec.Command("git", "-C", folder, "rev-parse", "HEAD").Output()
	if err != nil {
		return "", false
	}
	changes, err := exec.Command("git", "-C", folder, "status", "--porcelain", "--untracked-files=no").Output()
	return strings.TrimSpace(string(out)), err == nil && len(changes) > 0
}

// String is one line for people: "v1.2.0, commit 1a2b3c4d5e6f, go1.26.8, linux/amd64".
func (e Edition) String() string {
	commit := "unknown"
	if e.Commit != "" {
		commit = e.Commit[:min(12, len(e.Commit))]
	}
	if e.Modified {
		commit += " and changes"
	}
	return strings.Join([]string{e.Version, "commit " + commit, e.Go, e.System}, ", ")
}
