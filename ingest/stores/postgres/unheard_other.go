//go:build !linux

package postgres

import "syscall"

// giveUpUnheard leaves to the system how long a connection goes on that nobody
// acknowledges.
func giveUpUnheard(string, string, syscall.RawConn) error { return nil }
