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

// The mark is the variant, when by a meal it was, and whether a flag keeps the reading out of
// the rules.
const keptOut = 1

func markOf(r *protocols.Reading) protocols.Value {
	mark := protocols.Value(r.Variant) << 1
	if meal := r.Meal(); meal != "" {
		mark |= protocols.Value(1+slices.Index(mealNames, string(meal))) << 16
	}
	return mark
}

func (k *heard) clear() { k.at, k.values = moment.FarPast, k.values[:0] }

// before reports whether a reading alike was told, and whether one that no flag
// keeps out was. Only a reading of the latest moment takes a look.
func (k *heard) before(r *protocols.Reading, at moment.Instant) (any, counting bool) {
	if at != k.at || r.DayOnly || r.Measure.Occurs {
		return false, false
	}
	mark := markOf(r)
	for rest := k.values; len(rest) > 0; rest = rest[1+len(r.Values):] {
		if rest[0]&^keptOut == mark && slices.Equal(rest[1:1+len(r.Values)], r.Values) {
			any, counting = true, counting || rest[0]&keptOut == 0
		}
	}
	return any, counting
}

// hear notes a reading, which differs from those before.
func (k *heard) hear(r *protocols.Reading, at moment.Instant, ignored bool) {
	if r.DayOnly || r.Measure.Occurs {
		return
	}
	if at != k.at {
		k.at, k.values = at, k.values[:0]
	}
	mark := markOf(r)
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
	any, counting := s.heard[place].before(r, at)
	return counting || any && s.plan.Measures[place].Ignores(r)
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
		ignores := s.plan.Measures[place].Ignores
		first, _ := slices.BinarySearchFunc(history, r, func(h, r *protocols.Reading) int { return h.Time.Compare(r.Time) })
		for _, known := range history[first:] {
			if !known.Time.Equal(r.Time) {
				break
			}
			if known.Alike(r) && !news[identityOf(known)] && (ignores(r) || !ignores(known)) {
				delete(news, identityOf(r))
				break
			}
		}
	}
	return news
}
