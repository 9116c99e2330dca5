package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// people are those whom the service tells: a mail server and a webhook that note
// each message they confirm.
type people struct {
	hook     *httptest.Server
	smtp     net.Listener
	refusing atomic.Bool  // both answer that it is not the time
	refused  atomic.Int64 // messages meanwhile

	mu    sync.Mutex
	came  map[string][]delivery // by message
	kills []time.Time           // of the process that sends
}

// delivery is one message that was confirmed.
type delivery struct {
	at   time.Time
	life int // how often the sender had been killed by then
}

func newPeople() (*people, error) {
	p := &people{}
	p.forget()
	var err error
	if p.smtp, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("listen for mail: %w", err)
	}
	p.hook = httptest.NewServer(http.HandlerFunc(p.called))
	go p.postOffice()
	return p, nil
}

func (p *people) close() {
	p.hook.Close()
	// Nobody is going to connect any more.
	_ = p.smtp.Close()
}

// forget makes ready for another trial.
func (p *people) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.came, p.kills = map[string][]delivery{}, nil
	p.refused.Store(0)
}

// killed notes that the sender was killed just now.
func (p *people) killed() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kills = append(p.kills, time.Now())
}

func (p *people) told(message string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.came[message] = append(p.came[message], delivery{time.Now(), len(p.kills)})
}

// noted is how soon after it was confirmed a message must be on record as such.
const noted = 5 * time.Second

// deliveries tells how often a message came too often. It may come again only
// when the sender was killed before it could note that it was confirmed: once in
// each of its lives, and soon before the life ended.
func (p *people) deliveries(message string) (came, inexcusable, again int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := p.came[message]
	for i := 1; i < len(all); i++ {
		before := all[i-1]
		if all[i].life > before.life && p.kills[before.life].Sub(before.at) < noted {
			again++
			continue
		}
		inexcusable++
	}
	return len(all), inexcusable, again
}

// strangers are messages that came and that nobody had written.
func (p *people) strangers(written map[string]letter) (ids []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for id := range p.came {
		if _, known := written[id]; !known {
			ids = append(ids, id)
		}
	}
	return ids
}

// called is the webhook.
func (p *people) called(w http.ResponseWriter, r *http.Request) {
	if p.refusing.Load() {
		p.refused.Add(1)
		http.Error(w, "not now", http.StatusInternalServerError)
		return
	}
	p.told(r.Header.Get("Idempotency-Key"))
}

func (p *people) postOffice() {
	for {
		conn, err := p.smtp.Accept()
		if err != nil {
			return // closed
		}
		go p.talk(conn)
	}
}

// talk is one session of SMTP. A mail counts when its content is accepted.
func (p *people) talk(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	// An answer that cannot be written ends the session with the next line.
	say := func(line string) { fmt.Fprintf(conn, "%s\r\n", line) }
	say("220 post office")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		verb, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(line)), " ")
		switch {
		case verb == "DATA":
			say("354 go")
			id, err := messageID(in)
			if err != nil {
				return
			}
			p.told(id)
			say("250 ok")
		case verb == "MAIL" && p.refusing.Load():
			p.refused.Add(1)
			say("451 4.3.0 not now")
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// messageID reads a mail and returns what stands before the @ of its Message-ID.
func messageID(in *bufio.Reader) (id string, err error) {
	for {
		line, err := in.ReadString('\n')
		if err != nil || line == ".\r\n" {
			return id, err
		}
		if value, ok := strings.CutPrefix(line, "Message-ID: <"); ok {
			id, _, _ = strings.Cut(value, "@")
		}
	}
}
