package words

import "vigie/protocols"

// part is a condition with how it came out.
type part struct {
	condition *protocols.Condition
	truth     protocols.Truth
	leaf      int // of a comparison: its place as it is written
	kids      []part
}

// outcomes are what the truth of a condition is made of.
type outcomes struct {
	teller
	compared []protocols.Compared
	next     int // the comparison that is looked at next
}

// partOf goes through a condition in the order in which it is written.
func (o *outcomes) partOf(c *protocols.Condition) part {
	p := part{condition: c}
	switch {
	case c.Compare != nil:
		p.leaf, p.truth = o.next, o.compared[o.next].Truth
		o.next++
	case c.Not != nil:
		p.kids = []part{o.partOf(c.Not)}
		p.truth = opposite(p.kids[0].truth)
	case c.All != nil:
		p.truth = p.several(o, c.All, protocols.False)
	case c.Of != nil:
		p.truth = p.some(o, c)
	case c.Score != nil:
		p.truth = p.score(o, c.Score)
	default:
		p.truth = p.several(o, c.Any, protocols.True)
	}
	return p
}

// some is the outcome of a number of conditions.
func (p *part) some(o *outcomes, c *protocols.Condition) protocols.Truth {
	count := map[protocols.Truth]int{}
	for i := range c.Of {
		kid := o.partOf(&c.Of[i])
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

// score is the outcome of a score.
func (p *part) score(o *outcomes, s *protocols.Score) protocols.Truth {
	for i := range s.Parts {
		p.kids = append(p.kids, o.partOf(&s.Parts[i].When))
	}
	takes := o.protocol.Value(&s.From, o.enrolment.Settings)
	switch {
	case p.points() >= takes:
		return protocols.True
	case s.Sum(func(i int) bool { return p.kids[i].truth != protocols.False }) < takes:
		return protocols.False
	}
	return protocols.NotEnough
}

// points is what a score came to.
func (p *part) points() protocols.Value {
	return p.condition.Score.Sum(func(i int) bool { return p.kids[i].truth == protocols.True })
}

// several is the outcome of a combination, in which one deciding part is enough.
func (p *part) several(o *outcomes, list []protocols.Condition, deciding protocols.Truth) protocols.Truth {
	truth := opposite(deciding)
	for i := range list {
		kid := o.partOf(&list[i])
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

// scores lists the scores that are true and made the part come out so.
func (p *part) scores() (found []*part) {
	if p.condition.Score != nil && p.truth == protocols.True {
		return []*part{p}
	}
	for i := range p.kids {
		if p.condition.Not == nil && p.kids[i].truth == p.truth {
			found = append(found, p.kids[i].scores()...)
		}
	}
	return found
}

// spoken is the first part with a sentence among those that made the part come out so; nil
// for none. Of any, the first one that is true decides.
func (p *part) spoken() *part {
	if p.condition.Sentence != (protocols.Text{}) {
		return p
	}
	for i := range p.kids {
		if kid := &p.kids[i]; p.condition.Not == nil && p.condition.Score == nil && kid.truth == p.truth {
			if found := kid.spoken(); found != nil || p.condition.Any != nil {
				return found
			}
		}
	}
	return nil
}

// leaves lists the comparisons of a part, in the order in which they are written.
func (p *part) leaves() []int {
	if p.condition.Compare != nil {
		return []int{p.leaf}
	}
	var found []int
	for i := range p.kids {
		found = append(found, p.kids[i].leaves()...)
	}
	return found
}
