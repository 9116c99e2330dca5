// Moved is vigie serve with a clock that a trial moves. It is no part of a release.
//
//	moved ADDRESS
//
// takes its configuration from the environment alone, and listens at ADDRESS. Each
// line there is a duration by which the clock steps; the answer is a line once it
// has.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"
	_ "time/tzdata" // every program brings zones

	"vigie/cmd/vigie/config"
	"vigie/cmd/vigie/service"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "moved:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 1 {
		return errors.New("give one address to listen at for steps of the clock, as 127.0.0.1:4000")
	}
	c, err := config.Load("", os.Environ())
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", args[0])
	if err != nil {
		return fmt.Errorf("listen for steps of the clock: %w", err)
	}
	defer listener.Close()
	var now clock
	go now.follow(listener)
	running, err := service.Start(ctx, service.Options{Config: c, Now: now.read, Log: slog.New(slog.NewTextHandler(os.Stderr, nil))})
	if err != nil {
		return err
	}
	fmt.Println("page  ", running.Page())
	fmt.Println("broker", running.Broker())
	<-ctx.Done()
	return running.Close()
}

// clock is the time of the machine and what it was moved by, in nanoseconds.
type clock struct{ shift atomic.Int64 }

func (c *clock) read() time.Time { return time.Now().Add(time.Duration(c.shift.Load())) }

// follow steps the clock as connections say, until the listener is closed.
func (c *clock) follow(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go c.obey(conn)
	}
}

// obey steps the clock by each line of a connection, and closes a connection that
// says anything else.
func (c *clock) obey(conn net.Conn) {
	defer conn.Close()
	for lines := bufio.NewScanner(conn); lines.Scan(); {
		by, err := time.ParseDuration(lines.Text())
		if err != nil {
			return
		}
		c.shift.Add(int64(by))
		if _, err := fmt.Fprintln(conn, c.read().Format(time.RFC3339Nano)); err != nil {
			return
		}
	}
}
