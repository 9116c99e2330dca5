package usage

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// ticks is how many of the units of /proc make a second: 100 on every Linux.
const ticks = 100

// Processor is the user and system time that a process has taken so far.
func Processor(pid int) (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, fmt.Errorf("read the processor time of a process: %w", err)
	}
	_, sum, err := stat(text)
	return sum, err
}

// Children is the user and system time that the living children of a process have
// taken so far.
func Children(parent int) (total time.Duration, err error) {
	processes, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, err
	}
	for _, name := range processes {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		of, sum, err := stat(text)
		if err != nil {
			return 0, err
		}
		if of == parent {
			total += sum
		}
	}
	return total, nil
}

// stat reads the parent and the processor time in /proc/PID/stat, see proc(5).
func stat(text []byte) (parent int, processor time.Duration, err error) {
	// The name, in brackets, may hold anything. The parent is the second field after
	// it; user and system time are the 12th and 13th.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	if len(fields) < 13 {
		return 0, 0, fmt.Errorf("read the processor time of a process: %d fields in /proc", len(fields))
	}
	if parent, err = strconv.Atoi(fields[1]); err != nil {
		return 0, 0, fmt.Errorf("read the parent of a process: %w", err)
	}
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			return 0, 0, fmt.Errorf("read the processor time of a process: %w", err)
		}
		processor += time.Duration(n) * time.Second / ticks
	}
	return parent, processor, nil
}

// Memory is how many bytes of memory a process has for itself. Pages of files that
// it has mapped do not count: they are the system's.
func Memory(pid int) (int64, error) { return status(pid, "RssAnon:") }

// Resident is how many bytes of memory a process holds, mapped files included.
func Resident(pid int) (int64, error) { return status(pid, "VmRSS:") }

func status(pid int, field string) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("read the memory of a process: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, field); ok {
			kib, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
			return kib << 10, err
		}
	}
	return 0, fmt.Errorf("read the memory of a process: the system does not tell that of process %d", pid)
}
