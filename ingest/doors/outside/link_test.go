package outside

import (
	"errors"
	"io"
	"net"
	"testing"
)

// Receipts of what came by an earlier connection may be ready before the next one
// is: the broker would hang up on whoever publishes before saying hello.
func TestNothingIsPublishedBeforeTheBrokerAnswers(t *testing.T) {
	for _, c := range []struct {
		name       string
		answer     string // to the connection
		greeted    bool
		remembered bool
	}{
		{"new session", "\x20\x02\x00\x00", true, false},
		{"session kept", "\x20\x02\x01\x00", true, true},
		{"refused", "\x20\x02\x00\x05", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			near, far := net.Pipe()
			var greeted, remembered bool
			l := newLink(near, func(is bool) { greeted, remembered = true, is })
			defer l.drop(errors.New("the test is over"))
			if l.offer([]byte("early")) {
				t.Error("a receipt was taken before the broker answered")
			}
			go func() { _, _ = io.WriteString(far, c.answer) }()
			answer := make([]byte, len(c.answer))
			if _, err := io.ReadFull(l, answer); err != nil || string(answer) != c.answer {
				t.Fatalf("the client reads %x, %v", answer, err)
			}
			if greeted != c.greeted || remembered != c.remembered {
				t.Errorf("greeted %v, remembered %v", greeted, remembered)
			}
			if l.offer([]byte("late")) != c.greeted {
				t.Errorf("receipts taken: %v", !c.greeted)
			}
		})
	}
}
