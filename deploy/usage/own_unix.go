//go:build unix

package usage

import (
	"syscall"
	"time"
)

// Own is the user and system time that this process has taken on all processors so
// far; 0 where the system does not tell.
func Own() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
