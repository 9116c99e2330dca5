package alerts

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"vigie/protocols"
)

// Cursor is a place in a list of alerts, which runs by falling level, then by
// rising time of raising, then by id; or, newest first, by falling time, then id.
type Cursor struct {
	Level    protocols.Level
	RaisedAt time.Time
	ID       string
}

// ErrCursor is returned for a cursor that no page has given out.
var ErrCursor = errors.New("not a cursor of a list of alerts: use the one that came with the page before")

// After is the cursor behind an alert: the next page begins there.
func After(a *Alert) Cursor { return Cursor{a.Level, a.RaisedAt, a.ID} }

// String writes the cursor so that it fits into an address.
func (c Cursor) String() string {
	plain := fmt.Sprintf("%d.%d.%s", c.Level, c.RaisedAt.UnixNano(), c.ID)
	return base64.RawURLEncoding.EncodeToString([]byte(plain))
}

// ParseCursor reads what String writes; ErrCursor otherwise.
func ParseCursor(text string) (Cursor, error) {
	plain, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return Cursor{}, ErrCursor
	}
	parts := strings.SplitN(string(plain), ".", 3)
	if len(parts) != 3 {
		return Cursor{}, ErrCursor
	}
	level, err := strconv.ParseUint(parts[0], 10, 8)
	if err != nil || level > uint64(protocols.Red) {
		return Cursor{}, ErrCursor
	}
	nanos, err := strconv.ParseInt(parts[1], 10, 64)
	if err != nil {
		return Cursor{}, ErrCursor
	}
	return Cursor{protocols.Level(level), time.Unix(0, nanos).UTC(), parts[2]}, nil
}
