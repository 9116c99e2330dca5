package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/tools/go/packages"

	"vigie/deploy/systems"
)

// compile builds the programs, and vets all packages with their tests, which compiles
// what they are made of.
func compile(s systems.System) (programs, tests outcome) {
	folder, err := os.MkdirTemp("", "vigie-check-")
	if err != nil {
		return outcome{err: err}, outcome{err: err}
	}
	defer os.RemoveAll(folder)
	packed, err := systems.Packed(folder)
	if err != nil {
		return outcome{err: err}, outcome{err: err}
	}
	build := append([]string{"build", "-buildvcs=false", "-o", folder + "/", packed}, s.Stripped()...)
	for _, command := range systems.Programs {
		build = append(build, "./cmd/"+command)
	}
	return built(s, folder, toolchain(s, build...)), outcome{"compile, vetted", toolchain(s, vetting(s)...)}
}

// vetting is how the packages are vetted: where deploy/test runs their tests as this machine
// compiles them, in that way, and else as the programs are, so that nothing is compiled twice.
func vetting(s systems.System) []string {
	vet := []string{"vet"}
	if s.Tests != systems.Native {
		vet = append(vet, s.Stripped()...)
	}
	return append(vet, "./...")
}

// built weighs the programs in a folder, and tells the weight of the heaviest.
func built(s systems.System, folder string, err error) outcome {
	if err != nil {
		return outcome{err: err}
	}
	var most int64
	for _, command := range systems.Programs {
		weight, err := systems.Weigh(filepath.Join(folder, s.Program(command)))
		if err != nil {
			return outcome{err: fmt.Errorf("%s: %w", s.Name(), err)}
		}
		most = max(most, weight)
	}
	return outcome{fmt.Sprintf("built, %.1f MiB", float64(most)/(1<<20)), nil}
}

// toolchain runs go for a system.
func toolchain(s systems.System, args ...string) error {
	command := exec.Command("go", args...)
	if s.Tests != systems.Native { // whose packages deploy/test has compiled as this machine does
		command.Env = append(os.Environ(), s.Environment()...)
	}
	if said, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: go %s: %w\n%s", s.Name(), args[0], err, said)
	}
	return nil
}

// typeCheck reads everything that a system would compile, down to the standard
// library, and makes no code.
func typeCheck(s systems.System) (programs, tests outcome) {
	programs.well, tests.well = "types hold", "types hold"
	all, err := packages.Load(&packages.Config{
		Mode:  packages.NeedName | packages.NeedFiles | packages.NeedCompiledGoFiles | packages.NeedImports | packages.NeedDeps | packages.NeedTypes | packages.NeedSyntax | packages.NeedTypesInfo,
		Tests: true, Env: append(os.Environ(), s.Environment()...),
	}, "./...")
	if err != nil {
		err = fmt.Errorf("%s: list the packages: %w", s.Name(), err)
		return outcome{err: err}, outcome{err: err}
	}
	packages.Visit(all, nil, func(p *packages.Package) {
		of := &programs
		if strings.HasSuffix(p.ID, ".test]") || strings.HasSuffix(p.ID, ".test") {
			of = &tests
		}
		for _, problem := range p.Errors {
			of.err = fmt.Errorf("%s: %s: %w", s.Name(), p.ID, problem)
		}
	})
	return programs, tests
}
