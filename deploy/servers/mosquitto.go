package servers

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// MosquittoConf says what a broker should do beyond listening on loopback.
type MosquittoConf struct {
	// Persistence keeps sessions and queued messages on disk, after every change.
	Persistence bool
	// Users maps user names to passwords; anybody may connect when there is none.
	Users map[string]string
	// ACL is the text of an acl_file; everything is allowed when it is empty.
	ACL string
	// Files is a folder that holds a password file, passwords, and an access list, acl, in the
	// place of Users and ACL.
	Files string
	// Extra is added to the configuration as it is.
	Extra string
}

// Mosquitto starts a broker for a test. Its queues are unbounded, where
// Mosquitto's own default drops the 1,001st message in silence.
func Mosquitto(t T, conf MosquittoConf) *Server {
	t.Helper()
	Need(t, "mosquitto")
	s, err := StartMosquitto(t.TempDir(), conf)
	bind(t, s, err)
	return s
}

// StartMosquitto starts a broker that keeps its files in dir. The caller ends it.
func StartMosquitto(dir string, conf MosquittoConf) (*Server, error) {
	program, err := Find("mosquitto")
	if err != nil {
		return nil, err
	}
	file := filepath.Join(dir, "mosquitto.conf")
	s := &Server{
		Dir: dir, name: "mosquitto", ready: " running",
		command: func() *exec.Cmd { return exec.Command(program, "-c", file) },
	}
	return s, start(s, func(port int) error { return conf.write(dir, file, port) })
}

func (c MosquittoConf) write(dir, file string, port int) error {
	var b strings.Builder
	fmt.Fprintf(&b, "listener %d 127.0.0.1\n", port)
	b.WriteString("user root\nlog_dest stderr\nlog_type error\nlog_type warning\nlog_type notice\nlog_type information\n")
	b.WriteString("connection_messages false\n")
	b.WriteString("max_queued_messages 0\nmax_queued_bytes 0\nset_tcp_nodelay true\n")
	if c.Persistence {
		fmt.Fprintf(&b, "persistence true\npersistence_location %s/\nautosave_on_changes true\nautosave_interval 1\n", dir)
	}
	if c.Files != "" {
		fmt.Fprintf(&b, "allow_anonymous false\npassword_file %s\nacl_file %s\n", filepath.Join(c.Files, "passwords"), filepath.Join(c.Files, "acl"))
	} else if len(c.Users) == 0 {
		b.WriteString("allow_anonymous true\n")
	} else {
		passwords := filepath.Join(dir, "passwords")
		if err := writePasswords(passwords, c.Users); err != nil {
			return err
		}
		fmt.Fprintf(&b, "allow_anonymous false\npassword_file %s\n", passwords)
	}
	if c.ACL != "" {
		acl := filepath.Join(dir, "acl")
		if err := os.WriteFile(acl, []byte(c.ACL), 0o600); err != nil {
			return err
		}
		fmt.Fprintf(&b, "acl_file %s\n", acl)
	}
	b.WriteString(c.Extra)
	return os.WriteFile(file, []byte(b.String()), 0o600)
}

// Passwords replaces the users of a Mosquitto that has some. It takes them once it
// is started again.
func Passwords(t T, s *Server, users map[string]string) {
	t.Helper()
	if err := writePasswords(filepath.Join(s.Dir, "passwords"), users); err != nil {
		t.Fatalf("change the passwords of the broker: %v", err)
	}
}

// writePasswords writes a password file in clear and has mosquitto_passwd hash it.
func writePasswords(file string, users map[string]string) error {
	program, err := Find("mosquitto_passwd")
	if err != nil {
		return err
	}
	var b strings.Builder
	for user, password := range users {
		fmt.Fprintf(&b, "%s:%s\n", user, password)
	}
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		return err
	}
	if out, err := exec.Command(program, "-U", file).CombinedOutput(); err != nil {
		return fmt.Errorf("hash the passwords: %w: %s", err, out)
	}
	return nil
}
