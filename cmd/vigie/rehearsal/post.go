package rehearsal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"time"

	"vigie/alerts"
	mailchannel "vigie/alerts/channels/mail"
	"vigie/alerts/channels/webhook"
	"vigie/seeds/stories"
)

// post is where messages to people arrive: a mail server and a receiver of webhooks on
// this machine, and a list of what the service counts as sent.
type post struct {
	stage    *stage
	smtp     net.Listener
	hooks    net.Listener
	server   *http.Server
	channels map[string]alerts.Channel
	serving  sync.WaitGroup
	mu       sync.Mutex
	down     map[string]bool
	subjects map[string]string // of the mails that arrived, by their id
	sent     []sent            // since the last look
}

// sent is one message that its channel has confirmed.
type sent struct {
	alerts.Outgoing
	at      time.Time
	subject string
}

func newPost(s *stage) (p *post, err error) {
	p = &post{stage: s, down: map[string]bool{}, subjects: map[string]string{}}
	if p.smtp, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, fmt.Errorf("open a mail server: %w", err)
	}
	if p.hooks, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return nil, errors.Join(fmt.Errorf("open a receiver of webhooks: %w", err), p.smtp.Close())
	}
	p.server = &http.Server{Handler: http.HandlerFunc(p.hook), ReadHeaderTimeout: patience}
	p.serving.Go(func() { _ = p.server.Serve(p.hooks) }) // ends with close
	p.serving.Go(p.accept)
	link := "http://vigie.example"
	p.channels = map[string]alerts.Channel{}
	for _, kind := range alerts.Kinds() {
		p.channels[kind.Name] = line{kind.Name, p}
	}
	p.channels[alerts.Mail], err = mailchannel.New(mailchannel.Config{Host: "127.0.0.1", Port: p.smtp.Addr().(*net.TCPAddr).Port, Security: mailchannel.Clear, From: "vigie@vigie.example", Link: link, Hello: "vigie.example"})
	if err == nil {
		p.channels[alerts.Webhook], err = webhook.New(webhook.Config{Secret: token, Link: link, Now: time.Now})
	}
	if err != nil {
		return nil, errors.Join(err, p.close())
	}
	return p, nil
}

func (p *post) close() error {
	err := errors.Join(p.smtp.Close(), p.server.Close())
	p.serving.Wait()
	return err
}

func (p *post) hookURL(team string) string {
	return fmt.Sprintf("http://%s/%s", p.hooks.Addr(), team)
}

// line is a channel that has no server here: it confirms all, and nothing while it is down.
type line struct {
	name string
	post *post
}

// Send is part of alerts.Channel.
func (l line) Send(context.Context, alerts.Outgoing) error {
	if l.post.isDown(l.name) {
		return fmt.Errorf("the channel %s is down", l.name)
	}
	return nil
}

// turn lets a channel fail, or work again.
func (p *post) turn(t *stories.Turn) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.channels[t.What] == nil {
		return fmt.Errorf("there is no channel %q: write one of %s", t.What, strings.Join(slices.Sorted(maps.Keys(p.channels)), ", "))
	}
	p.down[t.What] = t.To == "down"
	return nil
}

func (p *post) isDown(channel string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.down[channel]
}

// witnessed are the channels, whose confirmed messages are listed.
func (p *post) witnessed() map[string]alerts.Channel {
	seen := map[string]alerts.Channel{}
	for name, channel := range p.channels {
		seen[name] = witness{channel, p}
	}
	return seen
}

// witness is a channel whose confirmed messages are listed.
type witness struct {
	alerts.Channel
	post *post
}

// Send is part of alerts.Channel.
func (w witness) Send(ctx context.Context, m alerts.Outgoing) error {
	if err := w.Channel.Send(ctx, m); err != nil {
		return err
	}
	w.post.mu.Lock()
	defer w.post.mu.Unlock()
	w.post.sent = append(w.post.sent, sent{m, w.post.stage.Now(), w.post.subjects[m.ID]})
	return nil
}

// taken returns what was sent since it was last asked.
func (p *post) taken() []sent {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := p.sent
	p.sent = nil
	return list
}

func (p *post) hook(w http.ResponseWriter, _ *http.Request) {
	if p.isDown("webhook") {
		w.WriteHeader(http.StatusServiceUnavailable)
	}
}

func (p *post) accept() {
	for {
		conn, err := p.smtp.Accept()
		if err != nil {
			return
		}
		p.serving.Go(func() {
			defer conn.Close()
			_ = conn.SetDeadline(time.Now().Add(patience))
			p.talk(conn)
		})
	}
}

// talk is one session of a mail server that takes everything, or nothing.
func (p *post) talk(conn net.Conn) {
	in := bufio.NewReader(conn)
	say := func(line string) { fmt.Fprintf(conn, "%s\r\n", line) }
	if p.isDown("mail") {
		say("421 not now")
		return
	}
	say("220 vigie.example")
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		switch verb, _, _ := strings.Cut(strings.ToUpper(strings.TrimSpace(line)), " "); verb {
		case "EHLO", "HELO":
			say("250 vigie.example")
		case "DATA":
			say("354 go on")
			if !p.content(in) {
				return
			}
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// content reads one mail, up to its lone dot.
func (p *post) content(in *bufio.Reader) bool {
	var text strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return false
		}
		if line == ".\r\n" {
			break
		}
		text.WriteString(strings.TrimPrefix(line, "."))
	}
	message, err := mail.ReadMessage(strings.NewReader(text.String()))
	if err != nil {
		return false
	}
	subject, err := decoder.DecodeHeader(message.Header.Get("Subject"))
	if err != nil {
		return false
	}
	id, _, _ := strings.Cut(strings.Trim(message.Header.Get("Message-ID"), "<>"), "@")
	p.mu.Lock()
	defer p.mu.Unlock()
	p.subjects[id] = subject
	return true
}
