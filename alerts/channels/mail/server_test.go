package mail_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"fmt"
	"math/big"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// server is a small mail server on a TCP port of this machine. Its answers can
// be set; it keeps what it accepts.
type server struct {
	t        *testing.T
	listener net.Listener
	identity tls.Certificate
	pool     *x509.CertPool

	noTLS            bool
	implicit         bool   // TLS from the first byte
	hangUp           bool   // after accepting the content
	hangsAt          string // the command that it never answers; CONNECT, CONTENT
	mail, rcpt, data string

	mu   sync.Mutex
	kept []kept
	open map[net.Conn]bool
	done sync.WaitGroup
}

// kept is a mail that was accepted.
type kept struct {
	from, to, content        string
	encrypted, authenticated bool
}

func serve(t *testing.T, change ...func(*server)) *server {
	t.Helper()
	s := &server{t: t, mail: "250 ok", rcpt: "250 ok", data: "250 ok", open: map[net.Conn]bool{}}
	for _, c := range change {
		c(s)
	}
	s.identity, s.pool = identity(t)
	var err error
	if s.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	s.done.Go(s.accept)
	t.Cleanup(s.close)
	return s
}

func (s *server) close() {
	s.listener.Close()
	s.mu.Lock()
	for conn := range s.open {
		conn.Close()
	}
	s.mu.Unlock()
	s.done.Wait()
}

func (s *server) port() int { return s.listener.Addr().(*net.TCPAddr).Port }

func (s *server) trust() *tls.Config { return &tls.Config{RootCAs: s.pool, ServerName: "127.0.0.1"} }

func (s *server) all() []kept {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.kept
}

func (s *server) only() kept {
	s.t.Helper()
	all := s.all()
	if len(all) != 1 {
		s.t.Fatalf("the server has %d mails, want 1", len(all))
	}
	return all[0]
}

func (s *server) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		s.mu.Lock()
		s.open[conn] = true
		s.mu.Unlock()
		s.done.Go(func() {
			defer conn.Close()
			if s.implicit {
				s.talk(tls.Server(conn, s.config()), true)
				return
			}
			s.talk(conn, false)
		})
	}
}

func (s *server) config() *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{s.identity}}
}

// talk is one session.
func (s *server) talk(conn net.Conn, encrypted bool) {
	in := bufio.NewReader(conn)
	say := func(line string) { fmt.Fprintf(conn, "%s\r\n", line) }
	hangs := func(verb string) bool {
		if verb != s.hangsAt {
			return false
		}
		_, _ = in.ReadByte() // until the other side goes away
		return true
	}
	if hangs("CONNECT") {
		return
	}
	if !encrypted || s.implicit {
		say("220 test")
	}
	mail := kept{encrypted: encrypted}
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimSpace(line)
		verb, rest, _ := strings.Cut(line, " ")
		if hangs(strings.ToUpper(verb)) {
			return
		}
		switch strings.ToUpper(verb) {
		case "EHLO":
			say("250-test")
			if !encrypted && !s.noTLS {
				say("250-STARTTLS")
			}
			say("250-ENHANCEDSTATUSCODES")
			say("250 AUTH PLAIN")
		case "STARTTLS":
			say("220 go")
			s.talk(tls.Server(conn, s.config()), true)
			return
		case "AUTH":
			mail.authenticated = strings.HasSuffix(rest, base64.StdEncoding.EncodeToString([]byte("\x00vigie\x00pass")))
			say(map[bool]string{true: "235 ok", false: "535 5.7.8 no"}[mail.authenticated])
		case "MAIL":
			mail.from = address(rest)
			say(s.mail)
		case "RCPT":
			mail.to = address(rest)
			say(s.rcpt)
		case "DATA":
			say("354 go")
			mail.content = content(in)
			if hangs("CONTENT") {
				return
			}
			if strings.HasPrefix(s.data, "2") {
				s.mu.Lock()
				s.kept = append(s.kept, mail)
				s.mu.Unlock()
			}
			say(s.data)
			if s.hangUp {
				return
			}
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

// address is what stands between angle brackets.
func address(rest string) string {
	from, to := strings.Index(rest, "<"), strings.Index(rest, ">")
	return rest[from : to+1]
}

func content(in *bufio.Reader) string {
	var all strings.Builder
	for {
		line, err := in.ReadString('\n')
		if err != nil || line == ".\r\n" {
			return all.String()
		}
		all.WriteString(strings.TrimPrefix(line, "."))
	}
}

// identity is a certificate for this machine and the pool that trusts it.
func identity(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	body, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(body)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{body}, PrivateKey: key}, pool
}
