// Package cbor reads the heads of CBOR data items (RFC 8949). What a format makes of them
// is the format's own. Nothing that is read is larger than what was given.
package cbor

import (
	"encoding/binary"
	"errors"
)

// The major types (RFC 8949, section 3.1).
const (
	Unsigned = iota
	Negative
	Bytes
	Text
	List
	Map
	Tagged
	Other
)

// The reasons why bytes are not CBOR that is read here.
var (
	ErrCut  = errors.New("it ends too early")
	ErrForm = errors.New("a form of CBOR in it is not one that is read here")
	ErrDeep = errors.New("it is nested too deeply")
)

// Head is what a data item begins with.
type Head struct {
	Major    byte
	Info     byte   // of a simple value, which one it is
	Argument uint64 // a number, or how many bytes or items follow; 0 for an item without an end
}

// Endless reports whether a break ends the item, and not a count.
func (h Head) Endless() bool { return h.Info == 31 }

// Reader reads CBOR from the beginning of Rest.
type Reader struct{ Rest []byte }

// Head reads what begins a data item.
func (r *Reader) Head() (Head, error) {
	first, err := r.Next(1)
	if err != nil {
		return Head{}, err
	}
	h := Head{Major: first[0] >> 5, Info: first[0] & 31}
	switch {
	case h.Info < 24:
		h.Argument = uint64(h.Info)
		return h, nil
	case h.Info < 28:
		wide, err := r.Next(1 << (h.Info - 24))
		if err != nil {
			return Head{}, err
		}
		var eight [8]byte
		copy(eight[8-len(wide):], wide)
		h.Argument = binary.BigEndian.Uint64(eight[:])
		return h, nil
	case h.Endless():
		return h, nil
	}
	return Head{}, ErrForm
}

// Next reads n bytes. They are part of Rest and not copied.
func (r *Reader) Next(n uint64) ([]byte, error) {
	if n > uint64(len(r.Rest)) {
		return nil, ErrCut
	}
	taken := r.Rest[:n]
	r.Rest = r.Rest[n:]
	return taken, nil
}

// Skip reads one data item of known length and leaves it out. deepest is how deep lists and
// maps in it may be nested.
func (r *Reader) Skip(deepest int) error {
	if deepest < 0 {
		return ErrDeep
	}
	h, err := r.Head()
	if err != nil {
		return err
	}
	items := uint64(0)
	switch {
	case h.Endless():
		return ErrForm
	case h.Major == Bytes || h.Major == Text:
		_, err := r.Next(h.Argument)
		return err
	case h.Major == List:
		items = h.Argument
	case h.Major == Map && h.Argument <= uint64(len(r.Rest)): // an item takes a byte at least
		items = 2 * h.Argument
	case h.Major == Map:
		return ErrCut
	case h.Major == Tagged:
		items = 1
	}
	for ; items > 0; items-- {
		if err := r.Skip(deepest - 1); err != nil {
			return err
		}
	}
	return nil
}
