//go:build !linux

package usage

import "time"

// Processor is the user and system time that a process has taken so far.
func Processor(int) (time.Duration, error) { return 0, ErrUnknown }

// Children is the user and system time that the living children of a process have
// taken so far.
func Children(int) (time.Duration, error) { return 0, ErrUnknown }

// Memory is how many bytes of memory a process has for itself.
func Memory(int) (int64, error) { return 0, ErrUnknown }

// Resident is how many bytes of memory a process holds, mapped files included.
func Resident(int) (int64, error) { return 0, ErrUnknown }
