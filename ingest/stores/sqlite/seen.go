package sqlite

import (
	"bytes"
	"errors"
	"fmt"

	"zombiezen.com/go/sqlite"

	"vigie/ingest"
)

// seenSize is how many ids a row of seen holds at most. With UUIDs that is just
// under a quarter of a page, beyond which SQLite spreads a row over several.
const seenSize = 56

// fileIDs files the ids of share readings, device by device.
func (w *writer) fileIDs(g *generation, share int) error {
	for until := min(w.known+share, len(g.byID)); w.known < until; {
		first := &g.entries[g.byID[w.known]]
		w.keys = w.keys[:0]
		for ; w.known < until && g.entries[g.byID[w.known]].device == first.device; w.known++ {
			w.keys = append(w.keys, g.entries[g.byID[w.known]].key)
		}
		if err := w.fileKeys(first.device, w.keys); err != nil {
			return err
		}
	}
	return nil
}

// fileKeys merges ids, in their order, into the rows of their device.
func (w *writer) fileKeys(device int64, keys [][]byte) error {
	if top, ok := w.tops[device]; ok && top < string(keys[len(keys)-1]) {
		w.tops[device] = string(keys[len(keys)-1])
	}
	for len(keys) > 0 {
		row, found, err := w.rowFor(device, keys[0])
		if err != nil {
			return err
		}
		n := len(keys)
		if found && bytes.Compare(row.upto, keys[0]) >= 0 { // not the last row: it takes what comes before its end
			for n = 1; n < len(keys) && bytes.Compare(keys[n], row.upto) <= 0; n++ {
			}
		}
		if err := w.replace(device, row, mergeKeys(row.keys(), keys[:n])); err != nil {
			return err
		}
		keys = keys[n:]
	}
	return nil
}

// seenRow is a row of seen.
type seenRow struct {
	upto, ids []byte
}

// keys splits the ids of a row.
func (r *seenRow) keys() (keys [][]byte) {
	for rest := (body{rest: r.ids}); len(rest.rest) > 0 && !rest.bad; {
		key := rest.rest
		rest.skipID()
		keys = append(keys, key[:len(key)-len(rest.rest)])
	}
	return keys
}

// skipID passes over what appendID has written.
func (b *body) skipID() {
	if n := b.uvarint(); n > 0 {
		b.take(n)
	} else {
		b.take(16)
	}
}

// rowFor finds the row into which an id belongs: the first that reaches up to
// it, or else the last one while it has room.
func (w *writer) rowFor(device int64, key []byte) (row seenRow, found bool, err error) {
	if row, found, err = w.seenOf(w.seen, device, key); err != nil || found {
		return row, found, err
	}
	row, found, err = w.seenOf(w.seenLast, device, nil)
	if err != nil || !found || len(row.keys()) >= seenSize {
		return seenRow{}, false, err
	}
	return row, true, nil
}

// seenOf reads one row of seen. One that is damaged is set apart, and the next one
// asked for.
func (w *writer) seenOf(stmt *sqlite.Stmt, device int64, key []byte) (row seenRow, found bool, err error) {
	for {
		stmt.BindInt64(1, device)
		if key != nil {
			stmt.BindBytes(2, key)
		}
		found, err = stmt.Step()
		fits := true
		if found {
			row = seenRow{upto: columnBytes(stmt, 0), ids: columnBytes(stmt, 1)}
			w.guard = w.guard[:0].Int(device).Bytes(row.upto).Bytes(row.ids)
			fits = intact(stmt, 2, w.guard.Sum())
		}
		if err = errors.Join(err, stmt.Reset()); err != nil || fits {
			return row, found, err
		}
		if err := w.setIDsApart(device, &row); err != nil {
			return seenRow{}, false, err
		}
	}
}

// setIDsApart takes a damaged row out of seen. Repetitions of its device are from then
// on told by the history as well.
func (w *writer) setIDsApart(device int64, row *seenRow) error {
	name := fmt.Sprintf("%d %X", device, row.upto)
	w.store.met.tell(ingest.Damage{Table: "seen", Row: name})
	delete(w.tops, device)
	if err := w.store.setApart(w.conn, "seen", name, 0, device, 0, row.ids); err != nil {
		return err
	}
	return w.deleteSeen(device, *row)
}

// mergeKeys merges two ordered lists and drops what is in both.
func mergeKeys(a, b [][]byte) [][]byte {
	merged := make([][]byte, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch order := bytes.Compare(a[0], b[0]); {
		case order < 0:
			merged, a = append(merged, a[0]), a[1:]
		case order > 0:
			merged, b = append(merged, b[0]), b[1:]
		default:
			a = a[1:]
		}
	}
	return append(append(merged, a...), b...)
}

// replace puts ids in the place of a row, in as many rows as they need. Ids that
// grow fill their rows; others leave room for those between.
func (w *writer) replace(device int64, row seenRow, keys [][]byte) error {
	size := seenSize
	if last := keys[len(keys)-1]; len(keys) > seenSize && bytes.Equal(last, row.upto) {
		rows := (len(keys) + seenSize - 1) / seenSize
		size = (len(keys) + rows - 1) / rows
	}
	kept := false
	for len(keys) > 0 {
		n := min(size, len(keys))
		w.body = w.body[:0]
		for _, key := range keys[:n] {
			w.body = append(w.body, key...)
		}
		kept = kept || bytes.Equal(keys[n-1], row.upto)
		w.seenPut.BindInt64(1, device)
		w.seenPut.BindBytes(2, keys[n-1])
		w.seenPut.BindBytes(3, w.body)
		w.guard = w.guard[:0].Int(device).Bytes(keys[n-1]).Bytes(w.body)
		w.seenPut.BindInt64(4, w.guard.Sum())
		if err := run(w.seenPut); err != nil {
			return err
		}
		keys = keys[n:]
	}
	if kept || row.upto == nil {
		return nil
	}
	return w.deleteSeen(device, row)
}

func (w *writer) deleteSeen(device int64, row seenRow) error {
	w.seenDelete.BindInt64(1, device)
	w.seenDelete.BindBytes(2, row.upto)
	return run(w.seenDelete)
}

// maxTops bounds for how many devices the highest id is remembered.
const maxTops = 1 << 18

// wasFiled reports whether an id is in seen. One above the highest id of its
// device is not: with ids that grow, as UUIDs of version 7 do, the table is not
// even looked at.
func (w *writer) wasFiled(device int64, id string) (bool, error) {
	top, ok := w.tops[device]
	if !ok {
		row, _, err := w.seenOf(w.seenLast, device, nil)
		if err != nil {
			return false, err
		}
		if len(w.tops) >= maxTops {
			clear(w.tops)
		}
		top = string(row.upto)
		w.tops[device] = top
	}
	w.id = appendID(w.id[:0], id)
	if string(w.id) > top {
		return false, nil
	}
	row, _, err := w.seenOf(w.seen, device, w.id)
	if err != nil {
		return false, err
	}
	for rest := (body{rest: row.ids}); len(rest.rest) > 0 && !rest.bad; {
		key := rest.rest
		rest.skipID()
		switch order := bytes.Compare(key[:len(key)-len(rest.rest)], w.id); {
		case order == 0:
			return true, nil
		case order > 0:
			return false, nil
		}
	}
	return false, nil
}
