package main

import (
	"errors"
	"fmt"
	"syscall"
)

// mountSmall makes a file system of 48 MiB in a folder, and returns what takes it
// away again.
func mountSmall(folder string) (unmount func() error, err error) {
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, "size=48m"); err != nil {
		return nil, fmt.Errorf("making a small file system needs root: %w", err)
	}
	return func() error { return syscall.Unmount(folder, 0) }, nil
}

// isFull reports whether an error says that there is no room left.
func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) }
