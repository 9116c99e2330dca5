package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"vigie/protocols"
)

// layout is the numbering of measures, fixed when a measure is first stored.
type layout struct {
	nums     []int16 // by Measure.Ordinal
	measures map[int16]*protocols.Measure
}

// parts is what readings refer to by place.
type parts struct {
	num                  int16
	components, variants []string
}

// load reads the numbering and adds the measures that are new.
func (l *layout) load(ctx context.Context, tx pgx.Tx) error {
	known, err := storedMeasures(ctx, tx)
	if err != nil {
		return fmt.Errorf("read the numbers of measures: %w", err)
	}
	l.nums, l.measures = make([]int16, len(protocols.Measures())), map[int16]*protocols.Measure{}
	for _, m := range protocols.Measures() {
		num, err := number(ctx, tx, m, known[m.ID])
		if err != nil {
			return fmt.Errorf("number the measure %s: %w", m.ID, err)
		}
		l.nums[m.Ordinal()], l.measures[num] = num, m
	}
	return nil
}

func storedMeasures(ctx context.Context, tx pgx.Tx) (map[string]parts, error) {
	known := map[string]parts{}
	rows, err := tx.Query(ctx, "SELECT name, num, components, variants FROM measures")
	if err != nil {
		return nil, err
	}
	var name string
	var p parts
	_, err = pgx.ForEachRow(rows, []any{&name, &p.num, &p.components, &p.variants}, func() error {
		known[name] = parts{p.num, slices.Clone(p.components), slices.Clone(p.variants)}
		return nil
	})
	return known, err
}

// number returns the number of a measure, and stores what is new of it. Another
// node may do the same at this moment.
func number(ctx context.Context, tx pgx.Tx, m *protocols.Measure, known parts) (int16, error) {
	components := make([]string, len(m.Components))
	for i := range m.Components {
		components[i] = m.Components[i].Name
	}
	if !continues(known.components, components) || !continues(known.variants, m.Variants) {
		return 0, errors.New("its components or variants are not those the database was written with, in the same order; new ones may only be appended")
	}
	// A newer node beside this one may have appended already: then there is
	// nothing to add.
	if known.num != 0 && len(components) <= len(known.components) && len(m.Variants) <= len(known.variants) {
		return known.num, nil
	}
	variants := m.Variants
	if variants == nil {
		variants = []string{}
	}
	err := tx.QueryRow(ctx, `INSERT INTO measures (name, components, variants) VALUES ($1, $2, $3)
		ON CONFLICT (name) DO UPDATE SET components = excluded.components, variants = excluded.variants RETURNING num`,
		m.ID, components, variants).Scan(&known.num)
	return known.num, err
}

// continues reports whether one list begins with the other.
func continues(a, b []string) bool {
	n := min(len(a), len(b))
	return slices.Equal(a[:n], b[:n])
}
