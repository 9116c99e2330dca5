package registry

import "time"

// UsedProtocol is a version of a protocol that patients were followed under. It
// never changes: the text is kept, so that what an alert names can be read for as
// long as the alert.
type UsedProtocol struct {
	ID      string
	Version string
	Text    string // the file, letter for letter
	First   time.Time
}
