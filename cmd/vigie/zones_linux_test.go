package main

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A minimal image has no time zones of its own: deadlines, opening hours and the
// handover of alerts need those of the program. The zones of this machine are hidden
// under an empty folder, which the program alone sees.
func TestZonesAreThereInAnEmptyImage(t *testing.T) {
	const hide = `mount -t tmpfs none /usr/share/zoneinfo || exit 99; exec "$@"`
	command := exec.Command("sh", "-c", hide, "sh", os.Args[0], "registry", "import", "--dry-run", "--author", "a nurse", "--data", t.TempDir(), "../../deploy/registry.yaml")
	command.Env = append(os.Environ(), asVigie+"=yes", "ZONEINFO=", "GOROOT=/nowhere")
	command.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}},
	}
	out, err := command.CombinedOutput()
	var exit *exec.ExitError
	switch hidden := !errors.As(err, &exit) || exit.ExitCode() != 99; {
	case errors.Is(err, os.ErrPermission), !hidden:
		t.Skipf("this user may not hide the zones of this machine: %v\n%s", err, out)
	case err != nil:
		t.Errorf("%v\n%s", err, out)
	}
}

func TestEveryProgramBringsZones(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{if eq .Name "main"}}{{.ImportPath}} {{.Imports}}{{end}}`, "vigie/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for program := range strings.Lines(string(out)) {
		if fields := strings.FieldsFunc(program, func(r rune) bool { return strings.ContainsRune(" []\n", r) }); !slices.Contains(fields, "time/tzdata") {
			t.Errorf(`%s: import _ "time/tzdata" in its main.go`, fields[0])
		}
	}
}
