// Package systems lists the systems that Vigie is for. The release, the table of what
// builds where, and the tests walk this list.
package systems

import "strings"

// System is an operating system on a processor, as Go names them.
type System struct {
	OS   string // "linux"
	Arch string // "amd64"
	ARM  string // of 32-bit ARM, the version that it has to have: "7"
}

// All are the systems that Vigie builds and runs on.
var All = []System{
	{OS: "linux", Arch: "amd64"},
	{OS: "linux", Arch: "arm64"},
	{OS: "linux", Arch: "arm", ARM: "7"},
	{OS: "linux", Arch: "386"},
	{OS: "darwin", Arch: "arm64"},
	{OS: "darwin", Arch: "amd64"},
	{OS: "windows", Arch: "amd64"},
	{OS: "windows", Arch: "arm64"},
	{OS: "freebsd", Arch: "amd64"},
}

// Programs are the commands that a person runs.
var Programs = []string{"vigie", "simulator"}

// Name is how people find it: "linux-armv7".
func (s System) Name() string {
	if s.ARM != "" {
		return s.OS + "-" + s.Arch + "v" + s.ARM
	}
	return s.OS + "-" + s.Arch
}

// Environment tells the toolchain to build for the system, without C and without what
// the person's own settings add.
func (s System) Environment() []string {
	return []string{"GOOS=" + s.OS, "GOARCH=" + s.Arch, "GOARM=" + s.ARM, "CGO_ENABLED=0", "GOFLAGS=-mod=readonly"}
}

// Program is the file name of a command there.
func (s System) Program(command string) string {
	if s.OS == "windows" {
		return command + ".exe"
	}
	return command
}

// Named are the systems with one of these names; all of them without a name, and false
// when a name is unknown.
func Named(names string) (list []System, known bool) {
	if names == "" {
		return All, true
	}
	for name := range strings.SplitSeq(names, ",") {
		found := false
		for _, s := range All {
			if s.Name() == name {
				list, found = append(list, s), true
			}
		}
		if !found {
			return nil, false
		}
	}
	return list, true
}
