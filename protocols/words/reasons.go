package words

import "vigie/protocols"

// part is a condition with how it came out.
type part struct {
	condition *protocols.Condition
	truth     protocols.Truth
	leaf      int // of a comparison: its place as it is written
	kids      []part
}

// partOf goes through a condition in the order in which it is written.
func partOf(c *protocols.Condition, compared []protocols.Compared, next *int) part {
	p := part{condition: c}
	switch {
	case c.Compare != nil:
		p.leaf, p.truth = *next, compared[*next].Truth
		*next++
	case c.Not != nil:
		p.kids = []part{partOf(c.Not, compared, next)}
		p.truth = opposite(p.kids[0].truth)
	case c.All != nil:
		p.truth = p.several(c.All, compared, next, protocols.False)
	case c.Of != nil:
		p.truth = p.some(c, compared, next)
	default:
		p.truth = p.several(c.Any, compared, next, protocols.True)
	}
	return p
}

// some is the outcome of a number of conditions.
func (p *part) some(c *protocols.Condition, compared []protocols.Compared, next *int) protocols.Truth {
	count := map[protocols.Truth]int{}
	for i := range c.Of {
		kid := partOf(&c.Of[i], compared, next)
		p.kids = append(p.kids, kid)
		count[kid.truth]++
	}
	switch {
	case count[protocols.True] >= c.AtLeast:
		return protocols.True
	case count[protocols.True]+count[protocols.NotEnough] < c.AtLeast:
		return protocols.False
	}
	return protocols.NotEnough
}

// several is the outcome of a combination, in which one deciding part is enough.
func (p *part) several(list []protocols.Condition, compared []protocols.Compared, next *int, deciding protocols.Truth) protocols.Truth {
	truth := opposite(deciding)
	for i := range list {
		kid := partOf(&list[i], compared, next)
		p.kids = append(p.kids, kid)
		switch {
		case kid.truth == deciding:
			truth = deciding
		case kid.truth == protocols.NotEnough && truth != deciding:
			truth = protocols.NotEnough
		}
	}
	return truth
}

func opposite(t protocols.Truth) protocols.Truth {
	switch t {
	case protocols.True:
		return protocols.False
	case protocols.False:
		return protocols.True
	}
	return protocols.NotEnough
}

// mark marks the comparisons that made the part come out so: one that is false is a
// reason under a negation, and one that is true is none where its own combination is
// not.
func (p *part) mark(compared []protocols.Compared) {
	switch {
	case p.condition.Compare != nil:
		compared[p.leaf].Reason = true
	case p.condition.Not != nil:
		p.kids[0].mark(compared)
	default:
		for i := range p.kids {
			if p.kids[i].truth == p.truth {
				p.kids[i].mark(compared)
			}
		}
	}
}
