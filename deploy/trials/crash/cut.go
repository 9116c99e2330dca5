package main

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
)

// wire is a network between the devices and their broker that breaks in the
// middle of packets, in either direction.
type wire struct {
	listener net.Listener
	to       func() string
	left     atomic.Int64 // cuts to be made
	cuts     atomic.Int64 // cuts made
	open     sync.WaitGroup
}

func newWire(cuts int, to func() string) (*wire, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	w := &wire{listener: listener, to: to}
	w.left.Store(int64(cuts))
	w.open.Go(w.accept)
	return w, nil
}

func (w *wire) close() error {
	err := w.listener.Close()
	w.open.Wait()
	return err
}

func (w *wire) accept() {
	for {
		device, err := w.listener.Accept()
		if err != nil {
			return // closed
		}
		w.open.Go(func() { w.carry(device) })
	}
}

// carry passes bytes on, until a side has had its share.
func (w *wire) carry(device net.Conn) {
	defer device.Close()
	broker, err := net.Dial("tcp", w.to())
	if err != nil {
		return
	}
	defer broker.Close()
	up, down := int64(-1), int64(-1)
	if w.left.Add(-1) >= 0 {
		// A reading is about 130 bytes, an acknowledgement 4.
		if up = rand.Int64N(4000); rand.IntN(3) == 0 {
			up, down = -1, rand.Int64N(100)
		}
	}
	var passing sync.WaitGroup
	passing.Go(func() { w.pass(broker, device, up) })
	w.pass(device, broker, down)
	passing.Wait()
}

// pass copies as many bytes as it may, without end when most is negative, and
// then cuts both ways.
func (w *wire) pass(to, from net.Conn, most int64) {
	var source io.Reader = from
	if most >= 0 {
		source = io.LimitReader(from, most)
	}
	n, err := io.Copy(to, source)
	if err == nil && n == most {
		w.cuts.Add(1)
	}
	// The other direction ends with the connection.
	_ = errors.Join(to.Close(), from.Close())
}

// cut lets the network break while the service is well.
func cut(b *bench, ctx context.Context) (r row, err error) {
	times := 10 * max(5, b.options.Kills)
	t, err := b.newTrial(ctx, b.wardFor(times/10))
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, t.close()) }()
	straight := t.crowd.address
	t.crowd.close()
	network, err := newWire(times, straight)
	if err != nil {
		return r, err
	}
	t.crowd = newCrowd(ctx, t.ward, window, func() string { return network.listener.Addr().String() })
	defer func() { t.crowd.close(); err = errors.Join(err, network.close()) }()
	if err := t.node.start(); err != nil {
		return r, err
	}
	j, err := t.finish(ctx)
	if err != nil {
		return r, err
	}
	return row{counts: j.counts, times: int(network.cuts.Load()), note: j.atStake()}, nil
}
