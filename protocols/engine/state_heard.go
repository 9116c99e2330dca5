package engine

import (
	"slices"

	"vigie/protocols"
	"vigie/protocols/engine/internal/moment"
)

// heard is what has been told of the latest moment of a measure. One measurement can
// be told twice: under two ids, or through two gateways. Both readings are kept; the
// measurement counts once.
type heard struct {
	at     moment.Instant
	values []protocols.Value // of each reading that differs: a mark, and its values
}

// The mark is the variant, when by a meal it was, whether a flag keeps the reading out of
// the rules, and the flags that rules look at.
const (
	keptOut   = 1
	flagsFrom = 32
	flagsMask = -1 << flagsFrom
)

func markOf(r *protocols.Reading) protocols.Value {
	mark := protocols.Value(r.Variant) << 1
	if meal := r.Meal(); meal != "" {
		mark |= protocols.Value(1+slices.Index(mealNames, string(meal))) << 16
	}
	return mark
}

func (k *heard) clear() { k.at, k.values = moment.FarPast, k.values[:0] }

// before reports whether a reading alike was told, and whether one that no flag keeps out
// was, with which flags. Only a reading of the latest moment takes a look.
func (k *heard) before(r *protocols.Reading, at moment.Instant) (any, counting bool, flags int32) {
	if at != k.at || r.DayOnly || r.Measure.Occurs {
		return false, false, 0
	}
	mark := markOf(r)
	for rest := k.values; len(rest) > 0; rest = rest[1+len(r.Values):] {
		if rest[0]&^(keptOut|flagsMask) != mark || !slices.Equal(rest[1:1+len(r.Values)], r.Values) {
			continue
		}
		any = true
		if rest[0]&keptOut == 0 {
			counting, flags = true, flags|int32(rest[0]>>flagsFrom)
		}
	}
	return any, counting, flags
}

// hear notes a reading, which differs from those before, and its flags.
func (k *heard) hear(r *protocols.Reading, at moment.Instant, ignored bool, flags int32) {
	if r.DayOnly || r.Measure.Occurs {
		return
	}
	if at != k.at {
		k.at, k.values = at, k.values[:0]
	}
	mark := markOf(r) | protocols.Value(flags)<<flagsFrom
	if ignored {
		mark |= keptOut
	}
	k.values = append(append(k.values, mark), r.Values...)
}

// repeats reports whether a reading of the latest moment tells nothing that has not
// been told. Where that moment told several measurements, one that was told already may
// still come first among them, and what it begins there must not be missed.
func (s *State) repeats(r *protocols.Reading, place int, at moment.Instant) bool {
	if s.guards[place] != nil && r.Source == protocols.FromProfessional {
		return false // it may make a reading believed that was doubted
	}
	m := &s.plan.Measures[place]
	any, counting, told := s.heard[place].before(r, at)
	return counting && m.Says(r) == told || any && m.Ignores(r)
}

// news are the late readings that tell something new: of a measurement that was told
// before, in time, the rules have been told as well.
func (s *State) news(late, history []*protocols.Reading) map[identity]bool {
	news := make(map[identity]bool, len(late))
	for _, r := range late {
		news[identityOf(r)] = true
	}
	for _, r := range late {
		place := s.plan.Places[r.Measure.Ordinal()]
		if place < 0 {
			continue
		}
		m, known, told := &s.plan.Measures[place], false, int32(0)
		first, _ := slices.BinarySearchFunc(history, r, func(h, r *protocols.Reading) int { return h.Time.Compare(r.Time) })
		for _, h := range history[first:] {
			if !h.Time.Equal(r.Time) {
				break
			}
			if h.Alike(r) && !news[identityOf(h)] && (m.Ignores(r) || !m.Ignores(h)) {
				known, told = true, told|m.Says(h)
			}
		}
		if known && (m.Ignores(r) || m.Says(r)&^told == 0) {
			delete(news, identityOf(r))
		}
	}
	return news
}
