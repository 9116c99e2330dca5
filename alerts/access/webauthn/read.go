package webauthn

import (
	"math"

	"vigie/protocols/cbor"
)

// deepest is how deep what an authenticator sends may be nested (CTAP 2.1, section 8).
const deepest = 4

// fields reads a map and calls each before every value, with the label: a number, or a text
// that is not empty. A label that is there twice is refused.
func fields(r *cbor.Reader, each func(label int64, name string) error) error {
	head, err := r.Head()
	if err != nil {
		return err
	}
	if head.Major != cbor.Map || head.Endless() {
		return cbor.ErrForm
	}
	type label struct {
		number int64
		name   string
	}
	seen := map[label]bool{}
	for range head.Argument {
		of, err := r.Head()
		if err != nil {
			return err
		}
		var l label
		if of.Major == cbor.Text && !of.Endless() && of.Argument > 0 {
			name, err := r.Next(of.Argument)
			if err != nil {
				return err
			}
			l.name = string(name)
		} else if l.number, err = number(of); err != nil {
			return err
		}
		if seen[l] {
			return cbor.ErrForm
		}
		seen[l] = true
		if err := each(l.number, l.name); err != nil {
			return err
		}
	}
	return nil
}

// number is the whole number that a head stands for.
func number(h cbor.Head) (int64, error) {
	if h.Major > cbor.Negative || h.Endless() || h.Argument > math.MaxInt64 {
		return 0, cbor.ErrForm
	}
	if h.Major == cbor.Negative {
		return -1 - int64(h.Argument), nil
	}
	return int64(h.Argument), nil
}

// numberOrBytes reads a whole number, or bytes, which are not nil then.
func numberOrBytes(r *cbor.Reader) (int64, []byte, error) {
	head, err := r.Head()
	if err != nil {
		return 0, nil, err
	}
	if head.Major != cbor.Bytes {
		n, err := number(head)
		return n, nil, err
	}
	if head.Endless() {
		return 0, nil, cbor.ErrForm
	}
	text, err := r.Next(head.Argument)
	if text == nil {
		text = []byte{}
	}
	return 0, text, err
}

// text reads a text.
func text(r *cbor.Reader) (string, error) {
	head, err := r.Head()
	if err != nil {
		return "", err
	}
	if head.Major != cbor.Text || head.Endless() {
		return "", cbor.ErrForm
	}
	read, err := r.Next(head.Argument)
	return string(read), err
}
