package simulation

import "math"

// Suspicion is what the readings up to one day say of an illness: the logarithm of the
// odds that one has begun.
type Suspicion struct {
	Day  int
	Odds float64
}

// Steps at which a course is compared with what was measured: days since its beginning.
var elapsed = []int{1, 2, 3, 4, 5, 7, 9, 12, 15, 19, 24, 28}

// strengths are how strongly an illness may show, against its phenotype's middle.
var strengths = []float64{0.6, 1.1}

// noise is how a sign scatters on quiet days: the part of its variance that stays for
// days, and how much of that is left the next day.
type noise struct{ slow, memory float64 }

var noises = [signs]noise{
	onWeight: {0.44, 0.85}, onSaturation: {0.44, 0.6},
	onBreath: {0.7, 0.9}, onOedema: {0.7, 0.9}, onOrthopnoea: {0.7, 0.9}, onFatigue: {0.7, 0.9}, onCough: {0.7, 0.9}, onSputum: {0.7, 0.9},
}

// Suspicions is the best detector that we know how to write for a kind of illness. It is
// no protocol and cannot be one: it knows what is usual for this patient without having to
// learn it, how each sign scatters and for how long, every phenotype, how it builds up and
// how frequent it is. It weighs each possible course against quiet days by its likelihood
// (a Kalman filter for each sign whitens what stays for days).
func (p *Patient) Suspicions(kind string, days int) []Suspicion {
	seen := p.byDay(days)
	courses := p.courses(kind)
	var all []Suspicion
	for d := range days {
		if len(seen[d]) == 0 {
			continue
		}
		odds := 0.0
		for i := range courses {
			odds += courses[i].weight * math.Exp(min(courses[i].against(seen, d), 300))
		}
		all = append(all, Suspicion{d, math.Log(odds)})
	}
	return all
}

// look is one sign of one day.
type look struct {
	sign sign
	off  float64 // mean of the day, in standard deviations
	many float64 // how many measurements it is the mean of

	surprise float64 // what a quiet patient would not have been expected to show
	variance float64 // of the surprise
	gain     float64 // how much of a surprise stays expected
}

func (p *Patient) byDay(days int) [][]look {
	seen := make([][]look, days)
	for _, o := range p.Observed {
		if o.Day >= days {
			continue
		}
		known := false
		for i := range seen[o.Day] {
			if l := &seen[o.Day][i]; l.sign == o.Sign {
				l.off = (l.off*l.many + o.Off) / (l.many + 1)
				l.many++
				known = true
			}
		}
		if !known {
			seen[o.Day] = append(seen[o.Day], look{sign: o.Sign, off: o.Off, many: 1})
		}
	}
	filter(seen)
	return seen
}

// filter works out how surprising each look is after those before it.
func filter(seen [][]look) {
	var expected, unsure [signs]float64
	for s := range unsure {
		unsure[s] = noises[s].slow
	}
	for d := range seen {
		for s, n := range noises {
			expected[s] *= n.memory
			unsure[s] = n.memory*n.memory*unsure[s] + n.slow*(1-n.memory*n.memory)
		}
		for i := range seen[d] {
			l := &seen[d][i]
			s := l.sign
			// A single absurd value does not decide.
			l.surprise = min(max(l.off, -5), 5) - expected[s]
			l.variance = unsure[s] + (1-noises[s].slow)/l.many
			l.gain = unsure[s] / l.variance
			expected[s] += l.gain * l.surprise
			unsure[s] *= 1 - l.gain
		}
	}
}

// course is one way in which an illness may have come up to today.
type course struct {
	weight float64        // before anything was measured
	height [signs]float64 // in standard deviations of the sign
	part   []float64      // of the height, by day since the beginning
}

func (p *Patient) courses(kind string) []course {
	var all []course
	for _, name := range p.world.inGroups[kind] {
		phenotype := p.world.Illness[kind][name]
		builds := []float64{phenotype.Build.From, phenotype.Build.middle(), phenotype.Build.To}
		if phenotype.Build.From == phenotype.Build.To {
			builds = []float64{phenotype.Build.middle()}
		}
		for _, build := range builds {
			for _, strength := range strengths {
				all = append(all, p.cut(&phenotype, build, strength, phenotype.Share/float64(len(builds)*len(strengths)))...)
			}
		}
	}
	return all
}

// cut lists a course at each of the days since its beginning.
func (p *Patient) cut(phenotype *Phenotype, build, strength, weight float64) (all []course) {
	var height [signs]float64
	for s, name := range signNames {
		if n, has := phenotype.Signs[name]; has && p.scatter[s] > 0 {
			height[s] = strength * n.middle() / p.scatter[s]
		}
	}
	last := build + phenotype.Hold.middle()
	for _, k := range elapsed {
		if float64(k) > last+1 {
			break
		}
		c := course{weight: weight, height: height, part: make([]float64, k)}
		for j := range k {
			c.part[j] = math.Pow(min(1, float64(j+1)/build), phenotype.Shape.middle())
		}
		all = append(all, c)
	}
	return all
}

// against is the logarithm of the likelihood of what was measured up to day d under the
// course, against that of quiet days.
func (c *course) against(seen [][]look, d int) float64 {
	sum := 0.0
	var kept [signs]float64 // of the course, what the filter takes for noise that stays
	for j, part := range c.part {
		at := d - len(c.part) + 1 + j
		if at < 0 {
			continue
		}
		for s := range kept {
			kept[s] *= noises[s].memory
		}
		for i := range seen[at] {
			l := &seen[at][i]
			m := c.height[l.sign]*part - kept[l.sign]
			sum += (l.surprise*m - m*m/2) / l.variance
			kept[l.sign] += l.gain * m
		}
	}
	return sum
}
