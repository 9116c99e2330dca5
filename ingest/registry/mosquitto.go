package registry

import (
	"fmt"
	"strings"
)

// Mosquitto is what a Mosquitto broker is given of the registry: its password_file and its
// acl_file.
type Mosquitto struct {
	Passwords, ACL string
	// Left are the devices whose password was set by an earlier Vigie. Its digest has no
	// form that Mosquitto understands: give each a new password.
	Left []string
}

// MosquittoOf writes both files for devices. user is Vigie's own name at the broker and
// secret its digest, see HashSecret; both may be empty.
func MosquittoOf(devices []Device, prefix, user, secret string) Mosquitto {
	var m Mosquitto
	var lines strings.Builder
	for i := range devices {
		if d := &devices[i]; strings.HasPrefix(d.Secret, derivedScheme) {
			fmt.Fprintf(&lines, "%s:%s\n", d.Name, d.Secret)
		} else {
			m.Left = append(m.Left, d.Name)
		}
	}
	acl := fmt.Sprintf("pattern write %s/%%u/#\npattern read %[1]s/%%u/receipts\n", prefix)
	if user != "" {
		if secret != "" {
			fmt.Fprintf(&lines, "%s:%s\n", user, secret)
		}
		acl += fmt.Sprintf("\nuser %s\ntopic readwrite %s/#\n", user, prefix)
	}
	m.Passwords, m.ACL = lines.String(), acl
	return m
}
