//go:build unix

package servers

import (
	"os"
	"syscall"
)

// Halt makes a process stand still until Resume.
func Halt(process *os.Process) error { return process.Signal(syscall.SIGSTOP) }

// Resume lets a process go on that was halted.
func Resume(process *os.Process) error { return process.Signal(syscall.SIGCONT) }

// Save asks a Mosquitto to write its database now.
func Save(mosquitto *Server) error { return mosquitto.Signal(syscall.SIGUSR1) }
