package words

import (
	"strings"

	"vigie/protocols"
)

// mark notes beside the first comparison of each part that is true what the part adds.
func (t *saying) mark() {
	for _, score := range t.scores {
		for i := range score.kids {
			if score.kids[i].truth != protocols.True {
				continue
			}
			first := &t.why.Comparisons[score.kids[i].leaves()[0]]
			first.Points = score.condition.Score.Parts[i].Points
			first.Sentence.FR += " : " + french.points(first.Points)
			first.Sentence.EN += ": " + english.points(first.Points)
		}
	}
}

// fillScore fills a place of the first score that made it ring.
func (t *saying) fillScore(in *tongue, p protocols.SentencePlace) (string, bool) {
	if len(t.scores) == 0 {
		return "", false
	}
	switch score := t.scores[0]; p.Value {
	case "score":
		return in.points(score.points()), true
	case "score_from":
		return in.points(t.takes(score)), true
	default:
		return t.parts(in, score), true
	}
}

// scored says what a score came to, from where on it rings, and what adds to it.
func (t *saying) scored(in *tongue, score *part) string {
	return in.pick("%s, alerte dès %s : %s", "%s, rings from %s: %s", in.points(score.points()), in.plainNumber(t.takes(score)), t.parts(in, score))
}

func (t *saying) takes(score *part) protocols.Value {
	return t.protocol.Value(&score.condition.Score.From, t.enrolment.Settings)
}

// parts says what adds to a score, each with its points. Parts that say the same, such as
// two steps of one deviation, are told once.
func (t *saying) parts(in *tongue, score *part) string {
	var said []string
	adds := map[string]protocols.Value{}
	for i := range score.kids {
		if score.kids[i].truth != protocols.True {
			continue
		}
		what := t.partSaid(in, &score.kids[i])
		if adds[what] == 0 {
			said = append(said, what)
		}
		adds[what] += score.condition.Score.Parts[i].Points
	}
	for i, what := range said {
		said[i] = what + in.pick(" : ", ": ") + in.points(adds[what])
	}
	return strings.Join(said, in.pick(" ; ", "; "))
}

// partSaid says what came out in one part.
func (t *saying) partSaid(in *tongue, kid *part) string {
	var said []string
	for _, leaf := range kid.leaves() {
		if c := &t.why.Comparisons[leaf]; c.Reason {
			what, _ := t.brief(in, t.asked[leaf], c)
			said = append(said, what)
		}
	}
	return strings.Join(said, in.pick(" et ", " and "))
}

// points counts points: "1,5 point", "2 points".
func (in *tongue) points(n protocols.Value) string {
	if n == 1000 || n < 2000 && in.code == "fr" {
		return in.plainNumber(n) + " point"
	}
	return in.plainNumber(n) + " points"
}
