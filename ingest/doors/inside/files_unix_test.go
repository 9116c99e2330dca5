//go:build unix

package inside_test

import "syscall"

// openFiles is how many files this process may have open; 0 where the system does
// not tell.
func openFiles() uint64 {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil {
		return 0
	}
	return uint64(files.Cur) // signed on FreeBSD
}
