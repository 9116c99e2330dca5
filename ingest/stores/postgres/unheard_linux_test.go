package postgres

import (
	"net"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A machine that lost its power says nothing any more, nor does a network that was
// cut. A node that waited for the system to notice would keep its devices waiting
// for a quarter of an hour, though the database is up again elsewhere.
func TestADatabaseThatVanishedIsGivenUpWithinSeconds(t *testing.T) {
	s := open(t, database(t), Options{})
	conn, err := s.pool.Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	raw, err := conn.Conn().PgConn().Conn().(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	for what, option := range map[string]struct{ name, most int }{
		"waiting for an acknowledgement, in ms": {unix.TCP_USER_TIMEOUT, 20_000},
		"silence before it is asked, in s":      {unix.TCP_KEEPIDLE, 10},
		"between two questions, in s":           {unix.TCP_KEEPINTVL, 5},
		"questions":                             {unix.TCP_KEEPCNT, 4},
	} {
		var got int
		if err := raw.Control(func(fd uintptr) { got, err = unix.GetsockoptInt(int(fd), unix.IPPROTO_TCP, option.name) }); err != nil {
			t.Fatal(err)
		}
		if err != nil || got <= 0 || got > option.most {
			t.Errorf("%s: %d, %v; want at most %d", what, got, err, option.most)
		}
	}
}

func TestADatabaseOnThisMachineIsReachedByItsSocket(t *testing.T) {
	url := database(t)
	address, rest, _ := strings.Cut(strings.TrimPrefix(url, "postgres://vigie@"), "/")
	_, port, _ := strings.Cut(address, ":")
	name, _, _ := strings.Cut(rest, "?")
	_, parameters, _ := strings.Cut(url, "?")
	open(t, "postgres://vigie@/"+name+"?host="+shared.Server(t).Dir+"&port="+port+"&"+parameters, Options{})
}
