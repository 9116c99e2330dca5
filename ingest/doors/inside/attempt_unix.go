//go:build unix

package inside

import "syscall"

// attempt is a write that does not wait.
type attempt struct {
	p  []byte
	n  int
	do func(fd uintptr) (done bool)
}

// write writes as much as a connection takes at once, and returns how much that was.
func (a *attempt) write(raw syscall.RawConn, p []byte) int {
	if a.do == nil {
		a.do = func(fd uintptr) bool {
			if n, err := syscall.Write(int(fd), a.p); err == nil {
				a.n = n
			}
			return true
		}
	}
	a.p, a.n = p, 0
	_ = raw.Write(a.do) // nothing was written then, and the next Write says why
	a.p = nil
	return a.n
}
