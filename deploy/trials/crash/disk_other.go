//go:build !linux

package main

import "errors"

// mountSmall is not to be had on this system.
func mountSmall(string) (unmount func() error, err error) {
	return nil, errors.New("a trial with a full disk needs Linux")
}

// isFull is never asked where no small file system can be made.
func isFull(error) bool { return false }
