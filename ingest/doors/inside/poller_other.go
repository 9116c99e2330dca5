//go:build !linux

package inside

import "net"

// poller is what Linux has: elsewhere each connection keeps its goroutine.
type poller struct{}

func openPoller() (*poller, error)                    { return nil, nil }
func (*poller) adopt(conn net.Conn) (net.Conn, error) { return conn, nil }
func (*poller) run()                                  {}
func (*poller) expire()                               {}
func (*poller) close() error                          { return nil }

type socket struct{ impatient bool }

func socketOf(net.Conn) *socket              { return nil }
func (*socket) park(*connection) bool        { return false }
func (*socket) late() bool                   { return false }
func (*socket) writeNow([]byte) (int, error) { return 0, nil }

func (*connection) plain() bool { return false }

// nothing is what a socket has to read that does not wait.
type nothing struct{}

func (nothing) Error() string { return "nothing to read" }

var errNothing error = nothing{}
