package servers

import (
	"errors"
	"os"
)

var errSignals = errors.New("Windows has no signals: run this on another system")

// Halt makes a process stand still until Resume: not to be had on Windows.
func Halt(*os.Process) error { return errSignals }

// Resume lets a process go on that was halted: not to be had on Windows.
func Resume(*os.Process) error { return errSignals }

// Save asks a Mosquitto to write its database now: not to be had on Windows.
func Save(*Server) error { return errSignals }
