// Package console is the terminal or the window that a person sees a program in, and
// the browser beside it.
package console

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"

	"golang.org/x/term"
)

// Lively reports whether out is a terminal on which escape sequences move the cursor.
func Lively(out io.Writer) bool {
	file, ok := out.(*os.File)
	return ok && term.IsTerminal(int(file.Fd())) && escapes(file)
}

// Clicked reports whether a double click started this program, whose window then
// closes with it. Only Windows tells.
func Clicked() bool { return clicked() }

// Browse opens an address in the person's browser, and returns once the browser has
// been asked. BROWSER, where it is set, names the program to ask.
func Browse(ctx context.Context, address string) error {
	command := append(browser(runtime.GOOS, os.Getenv("BROWSER")), address)
	if err := exec.CommandContext(ctx, command[0], command[1:]...).Run(); err != nil {
		return fmt.Errorf("open the browser (%s): %w; open %s yourself", command[0], err, address)
	}
	return nil
}

// browser is the command that opens an address, which follows it, on a system.
func browser(system, chosen string) []string {
	switch {
	case chosen != "":
		return []string{chosen}
	case system == "windows":
		return []string{"rundll32", "url.dll,FileProtocolHandler"}
	case system == "darwin":
		return []string{"open"}
	}
	return []string{"xdg-open"}
}
