package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"time"

	"vigie/deploy/trials/attack/conformance"
)

// attacks are all there are, in the order in which they are tried.
var attacks = []attack{
	{"raw conformance list", conform},
	{"altered packets", alter},
	{"slow devices", slow},
	{"a flooding device", flood},
	{"strangers fill the log", strangers},
}

// many is a number for a whole run, and a smaller one for a quick one.
func (t *target) many(whole, quick int) int {
	if t.options.Quick {
		return quick
	}
	return whole
}

// conform sends what no library sends, as device 1.
func conform(_ context.Context, t *target) (int, error) {
	tried, differs, err := conformance.Run(t.as(1))
	for _, d := range differs {
		err = errors.Join(err, errors.New(d.String()))
	}
	return tried, err
}

// alter sends packets of the conformance list with bytes changed, cut and doubled. They
// are sent without a login or behind one; what is answered does not matter.
func alter(ctx context.Context, t *target) (int, error) {
	random := rand.New(rand.NewPCG(t.options.Seed, 0))
	cases := t.as(1).Cases()
	sent := 0
	for connection := range t.many(3000, 300) {
		if err := errors.Join(ctx.Err(), t.gone()); err != nil {
			return sent, err
		}
		conn, err := net.DialTimeout("tcp", t.broker, patience)
		if err != nil {
			return sent, err
		}
		var packets strings.Builder
		if random.IntN(4) > 0 {
			packets.WriteString(t.as(1).Connect(byte(4+random.IntN(2)), fmt.Sprintf("altered-%d", connection%4)))
		}
		for range 1 + random.IntN(20) {
			packets.WriteString(altered(random, cases[random.IntN(len(cases))].Send))
			sent++
		}
		// The broker may hang up in the middle.
		_, _ = io.WriteString(conn, packets.String())
		if err := conn.Close(); err != nil {
			return sent, err
		}
	}
	return sent, nil
}

func altered(random *rand.Rand, packet string) string {
	b := []byte(packet)
	for range random.IntN(4) {
		if len(b) == 0 {
			break
		}
		at := random.IntN(len(b))
		switch random.IntN(3) {
		case 0:
			b[at] = byte(random.IntN(256))
		case 1:
			b = b[:at]
		default:
			b = append(b, b[at:]...)
		}
	}
	return string(b)
}

// The slow devices come after those of the other attacks, each with as many connections
// as one may have.
const (
	firstSlow   = 4
	slowDevices = 8
	slowEach    = 8
)

// slow has each connection of these devices begin a large message and send no more of
// it, while the healthy device publishes one reading after another.
func slow(ctx context.Context, t *target) (int, error) {
	var open []net.Conn
	defer func() {
		for _, conn := range open {
			_ = conn.Close() // the broker may have been first
		}
	}()
	for i := range slowDevices * slowEach {
		device := firstSlow + i%slowDevices
		conn, err := t.login(device, fmt.Sprintf("slow-%d", i))
		if err != nil {
			return i, err
		}
		open = append(open, conn)
		large := conformance.Publish(t.as(device).Topic("readings"), strings.Repeat(" ", 900<<10))
		if _, err := io.WriteString(conn, large[:1000]); err != nil {
			return i, err
		}
	}
	for range t.many(20, 5) {
		if err := errors.Join(ctx.Err(), t.healthy()); err != nil {
			return len(open), err
		}
	}
	return len(open), nil
}

// flood sends rubbish as fast as it is taken, and reads nothing.
func flood(ctx context.Context, t *target) (sent int, err error) {
	conn, err := t.login(3, "flood")
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	rubbish := conformance.Publish(t.as(3).Topic("readings"), strings.Repeat("x", 1000))
	lasts := time.Duration(t.many(20, 3)) * time.Second
	if err := conn.SetDeadline(time.Now().Add(lasts)); err != nil {
		return 0, err
	}
	for {
		if _, err := io.WriteString(conn, rubbish); err != nil {
			break // its time is over, or the broker has hung up
		}
		sent++
	}
	return sent, errors.Join(ctx.Err(), t.gone())
}

// strangers log in with names as long as the protocol lets them be.
func strangers(ctx context.Context, t *target) (int, error) {
	stranger := t.as(0)
	stranger.Device = strings.Repeat("x", 65_000)
	hello := stranger.Connect(4, "stranger")
	count := t.many(3000, 500)
	for i := range count {
		if err := errors.Join(ctx.Err(), t.gone()); err != nil {
			return i, err
		}
		conn, err := net.DialTimeout("tcp", t.broker, patience)
		if err != nil {
			return i, err
		}
		// What is answered does not matter, and the broker may hang up in the middle.
		_, _ = io.WriteString(conn, hello)
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		_, _ = io.Copy(io.Discard, conn)
		if err := conn.Close(); err != nil {
			return i, err
		}
	}
	return count, nil
}
