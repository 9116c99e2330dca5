package sqlite

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"

	"vigie/ingest"
	"vigie/protocols"
)

// names remembers which number stands for which device and patient.
type names struct {
	devices  dictionary
	patients dictionary
}

// settle makes the numbers given in a transaction lasting, forget takes them
// back.
func (n *names) settle() { n.devices.settle(); n.patients.settle() }
func (n *names) forget() { n.devices.forget(); n.patients.forget() }

// maxNames bounds what a dictionary remembers; beyond it starts afresh, and
// looks up again.
const maxNames = 1 << 18

// dictionary caches one table of names in both directions.
type dictionary struct {
	mu    sync.RWMutex
	nums  map[string]int64
	names map[int64]string
	given []string // in the transaction under way: not yet in names, which readers see
}

func (d *dictionary) num(name string) (int64, bool) {
	d.mu.RLock()
	num, ok := d.nums[name]
	d.mu.RUnlock()
	return num, ok
}

func (d *dictionary) name(num int64) (string, bool) {
	d.mu.RLock()
	name, ok := d.names[num]
	d.mu.RUnlock()
	return name, ok
}

// learn remembers a pair; given tells that it is new in the transaction under way.
func (d *dictionary) learn(num int64, name string, given bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.nums == nil || (len(d.nums) >= maxNames && len(d.given) == 0) {
		d.nums, d.names = map[string]int64{}, map[int64]string{}
	}
	d.nums[name] = num
	d.names[num] = name
	if given {
		d.given = append(d.given, name)
	}
}

func (d *dictionary) settle() {
	if len(d.given) == 0 { // only the writer touches given
		return
	}
	d.mu.Lock()
	d.given = d.given[:0]
	d.mu.Unlock()
}

func (d *dictionary) forget() {
	if len(d.given) == 0 {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range d.given {
		delete(d.names, d.nums[name])
		delete(d.nums, name)
	}
	d.given = d.given[:0]
}

// number returns the number of a name, and gives one in this transaction when
// it has none.
func (d *dictionary) number(conn *sqlite.Conn, table, name string) (int64, error) {
	if num, ok := d.num(name); ok {
		return num, nil
	}
	num, err := numberOf(conn, table, name)
	if err != nil {
		return 0, err
	}
	if num != 0 {
		d.learn(num, name, false)
		return num, nil
	}
	if err := sqlitex.Execute(conn, "INSERT INTO "+table+" (name) VALUES (?)", &sqlitex.ExecOptions{Args: []any{name}}); err != nil {
		return 0, fmt.Errorf("give %q a number: %w", name, err)
	}
	num = conn.LastInsertRowID()
	err = sqlitex.Execute(conn, "UPDATE "+table+" SET sum = checksum(num, name) WHERE num = ?", &sqlitex.ExecOptions{Args: []any{num}})
	if err != nil {
		return 0, fmt.Errorf("give %q a number: %w", name, err)
	}
	d.learn(num, name, true)
	return num, nil
}

// find returns the number of a name, 0 when it has none.
func (d *dictionary) find(conn *sqlite.Conn, table, name string) (int64, error) {
	if num, ok := d.num(name); ok {
		return num, nil
	}
	return numberOf(conn, table, name)
}

// numberOf reads the number of a name, 0 when it has none.
func numberOf(conn *sqlite.Conn, table, name string) (num int64, err error) {
	fits := true
	err = sqlitex.Execute(conn, "SELECT num, sum FROM "+table+" WHERE name = ?", &sqlitex.ExecOptions{
		Args: []any{name},
		ResultFunc: func(row *sqlite.Stmt) error {
			num = row.ColumnInt64(0)
			fits = intact(row, 1, ingest.Guard(nil).Int(num).Text(name).Sum())
			return nil
		},
	})
	if err == nil && !fits {
		err = fmt.Errorf("the number of %q in %s: %w; restore a backup", name, table, ingest.ErrDamaged)
	}
	return num, err
}

func lookUp(conn *sqlite.Conn, sql, name string) (num int64, err error) {
	err = sqlitex.Execute(conn, sql, &sqlitex.ExecOptions{
		Args:       []any{name},
		ResultFunc: func(row *sqlite.Stmt) error { num = row.ColumnInt64(0); return nil },
	})
	return num, err
}

// spelled returns the name that a number stands for.
func (d *dictionary) spelled(conn *sqlite.Conn, table string, num int64) (string, error) {
	if name, ok := d.name(num); ok {
		return name, nil
	}
	name, found := "", false
	err := sqlitex.Execute(conn, "SELECT num, name, sum FROM "+table+" WHERE num = ?", &sqlitex.ExecOptions{
		Args: []any{num},
		ResultFunc: func(row *sqlite.Stmt) error {
			name, found = row.ColumnText(1), intact(row, 2, sumOf(row, 0, 2))
			return nil
		},
	})
	if err == nil && !found {
		err = fmt.Errorf("the name of number %d in %s: %w; restore a backup", num, table, ingest.ErrDamaged)
	}
	if err != nil {
		return "", err
	}
	d.learn(num, name, false)
	return name, nil
}

const (
	deviceNames  = "device_names"
	patientNames = "patient_names"
)

// layout is the numbering of measures, fixed when a measure is first stored.
type layout struct {
	nums     []int64 // by Measure.Ordinal
	measures map[int64]*protocols.Measure
}

// load reads the numbering and adds the measures that are new. Components and
// variants are stored by place, so those of a known measure may only have been
// appended to.
func (l *layout) load(conn *sqlite.Conn) error {
	// A name that was changed would have its measure begin anew, without its history.
	err := sqlitex.Execute(conn, "SELECT num, name, components, variants, sum FROM measure_names", &sqlitex.ExecOptions{
		ResultFunc: func(row *sqlite.Stmt) error {
			if !intact(row, 4, sumOf(row, 0, 4)) {
				return fmt.Errorf("the measures that it holds: %w; restore a backup", ingest.ErrDamaged)
			}
			return nil
		},
	})
	if err != nil {
		return err
	}
	l.nums = make([]int64, len(protocols.Measures()))
	l.measures = map[int64]*protocols.Measure{}
	for _, m := range protocols.Measures() {
		num, err := storeMeasure(conn, m)
		if err != nil {
			return fmt.Errorf("number the measure %s: %w", m.ID, err)
		}
		l.nums[m.Ordinal()] = num
		l.measures[num] = m
	}
	return nil
}

func storeMeasure(conn *sqlite.Conn, m *protocols.Measure) (num int64, err error) {
	parts := make([]string, len(m.Components))
	for i := range m.Components {
		parts[i] = m.Components[i].Name
	}
	components, variants := strings.Join(parts, " "), strings.Join(m.Variants, " ")
	var before [2]string
	err = sqlitex.Execute(conn, "SELECT num, components, variants FROM measure_names WHERE name = ?", &sqlitex.ExecOptions{
		Args: []any{m.ID},
		ResultFunc: func(row *sqlite.Stmt) error {
			num, before = row.ColumnInt64(0), [2]string{row.ColumnText(1), row.ColumnText(2)}
			return nil
		},
	})
	if err != nil {
		return 0, err
	}
	if !appended(before[0], components) || !appended(before[1], variants) {
		return 0, errors.New("its components or variants are not those the store was written with, in the same order; new ones may only be appended")
	}
	if num != 0 && before == [2]string{components, variants} {
		return num, nil
	}
	err = sqlitex.Execute(conn, `INSERT INTO measure_names (name, components, variants) VALUES (?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET components = excluded.components, variants = excluded.variants`,
		&sqlitex.ExecOptions{Args: []any{m.ID, components, variants}})
	if err != nil {
		return 0, err
	}
	if num == 0 {
		num = conn.LastInsertRowID()
	}
	return num, sqlitex.Execute(conn, "UPDATE measure_names SET sum = checksum(num, name, components, variants) WHERE num = ?", &sqlitex.ExecOptions{Args: []any{num}})
}

// appended reports whether the words of now begin with those of before.
func appended(before, now string) bool {
	return before == "" || now == before || strings.HasPrefix(now, before+" ")
}
