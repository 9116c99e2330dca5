// Package usage says what a process has used of the machine: processor time and
// memory. Own works on every system; the others need Linux's /proc.
package usage

import "errors"

// ErrUnknown is returned where the system does not tell.
var ErrUnknown = errors.New("what a process uses is told on Linux only")
