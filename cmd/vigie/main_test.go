package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
)

func TestADoubleClickMeansTheDemonstration(t *testing.T) {
	for _, c := range []struct {
		typed   []string
		clicked bool
		want    []string
	}{
		{nil, true, []string{"demo", "--open"}},
		{nil, false, nil},
		{[]string{"serve"}, false, []string{"serve"}},
		{[]string{"backup.vigie"}, true, []string{"backup.vigie"}}, // a file dropped on the program
	} {
		if got := arguments(c.typed, c.clicked); !slices.Equal(got, c.want) {
			t.Errorf("typed %q, clicked %v: %q, want %q", c.typed, c.clicked, got, c.want)
		}
	}
	if command, _, err := rootCommand().Find([]string{"demo"}); err != nil || command.Flags().Lookup("open") == nil {
		t.Errorf("the demonstration cannot open its page: %v", err)
	}
}

func TestTheWindowOfADoubleClickStaysUntilItIsRead(t *testing.T) {
	in, out := strings.NewReader("\nnot read"), &bytes.Buffer{}
	leave(in, out)
	if !strings.Contains(out.String(), "Entrée ferme cette fenêtre (Enter closes this window)") {
		t.Errorf("it says %q", out)
	}
	leave(strings.NewReader(""), out) // a window that is closed answers nothing
}

func TestAFailureIsSaidOnce(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
		said   string
	}{
		{nil, 0, ""},
		{fmt.Errorf("while checking: %w", exitStatus(3)), 3, ""},
		{errors.New("no"), 1, "vigie: no\n"},
	} {
		var out bytes.Buffer
		if status := statusOf(c.err, &out); status != c.status || out.String() != c.said {
			t.Errorf("%v: status %d, said %q", c.err, status, out.String())
		}
	}
}

// On Windows, Ctrl-C comes as an interrupt; the end of the session, of the machine or
// of the window comes as SIGTERM.
func TestEveryPoliteEndIsHeard(t *testing.T) {
	for _, signal := range []os.Signal{os.Interrupt, syscall.SIGTERM} {
		if !slices.Contains(stopping, signal) {
			t.Errorf("%v is not heard", signal)
		}
	}
}
