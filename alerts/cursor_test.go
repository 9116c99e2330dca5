package alerts_test

import (
	"errors"
	"testing"
	"time"

	"vigie/alerts"
	"vigie/protocols"
)

func FuzzCursor(f *testing.F) {
	f.Add(alerts.Cursor{Level: protocols.Red, RaisedAt: time.Unix(1_795_420_830, 5), ID: "k3alert"}.String())
	f.Add("")
	f.Add("NC4x")
	f.Fuzz(func(t *testing.T, text string) {
		cursor, err := alerts.ParseCursor(text)
		if err != nil {
			if !errors.Is(err, alerts.ErrCursor) {
				t.Fatalf("%q: %v is no answer for a person", text, err)
			}
			return
		}
		again, err := alerts.ParseCursor(cursor.String())
		if err != nil || again != cursor {
			t.Fatalf("%q is %+v, written and read again %+v, %v", text, cursor, again, err)
		}
	})
}
