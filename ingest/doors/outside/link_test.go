package outside

import (
	"errors"
	"io"
	"net"
	"reflect"
	"strings"
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
			l := newLink(near, func(is bool) { greeted, remembered = true, is }, nil)
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

// Publications come whole and in their order, however the bytes are cut; the client
// reads everything else.
func TestPublicationsAreTakenOffInFrontOfTheClient(t *testing.T) {
	long := strings.Repeat("x", 300)
	sent := "\x20\x02\x00\x00" + // the answer to the connection
		"\x32\x09\x00\x03a/b\x00\x07hi" + // QoS 1
		"\x90\x03\x00\x01\x01" + // a subscription is taken
		"\x31\x07\x00\x03a/cyo" + // QoS 0, retained
		"\x32\xb3\x02\x00\x03a/d\x01\x00" + long +
		"\xd0\x00"
	for _, piece := range []int{1, 3, 7, len(sent)} {
		near, far := net.Pipe()
		var came []publication
		l := newLink(near, func(bool) {}, func(p publication) { came = append(came, p) })
		go func() {
			for rest := sent; rest != ""; rest = rest[min(piece, len(rest)):] {
				_, _ = io.WriteString(far, rest[:min(piece, len(rest))])
			}
			far.Close()
		}()
		read, err := io.ReadAll(l)
		if want := "\x20\x02\x00\x00\x90\x03\x00\x01\x01\xd0\x00"; err != nil || string(read) != want {
			t.Errorf("in pieces of %d, the client reads %x, %v", piece, read, err)
		}
		want := []publication{
			{topic: "a/b", id: 7, qos: 1, payload: []byte("hi")},
			{topic: "a/c", retained: true, payload: []byte("yo")},
			{topic: "a/d", id: 256, qos: 1, payload: []byte(long)},
		}
		if !reflect.DeepEqual(came, want) {
			t.Errorf("in pieces of %d, %+v came", piece, came)
		}
		l.drop(errors.New("the test is over"))
	}
}

func TestWhatIsNoPublicationEndsTheLink(t *testing.T) {
	for name, sent := range map[string]string{
		"topic longer than the packet":   "\x32\x04\x00\x09ab",
		"no topic":                       "\x30\x01\x00",
		"no packet id":                   "\x32\x03\x00\x01a",
		"QoS 3":                          "\x36\x05\x00\x01a\x00\x01",
		"length of more than four bytes": "\x32\xff\xff\xff\xff\x01",
	} {
		near, far := net.Pipe()
		l := newLink(near, func(bool) {}, func(publication) { t.Errorf("%s: was taken", name) })
		go func() { _, _ = io.WriteString(far, "\x20\x02\x00\x00"+sent); far.Close() }()
		if _, err := io.ReadAll(l); !errors.Is(err, errMalformed) {
			t.Errorf("%s: %v", name, err)
		}
		l.drop(errors.New("the test is over"))
	}
}
