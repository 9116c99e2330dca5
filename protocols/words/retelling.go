package words

import (
	"slices"
	"strings"

	"vigie/protocols"
)

// mostReasons is how many reasons a nurse reads in one sentence. The others are counted;
// the calculation holds them all.
const mostReasons = 4

// retelling puts reasons one after the other, and says nothing twice: of a second reason about
// the same number it says what is new, without its name and without the value again.
type retelling struct {
	*saying
	apart bool // a second reason stands behind a semicolon, for it has a limit of its own
	list  []string
	about []subject // of each of list
}

// subject is what a reason is about, and the value that it says of it.
type subject struct {
	name  string
	value string
}

// add takes in a reason; said is all that it says by itself.
func (t *retelling) add(in *tongue, asked *protocols.Comparison, c *protocols.Compared, said string) {
	if slices.Contains(t.list, said) {
		return
	}
	own := subject{in.name(asked), t.valueSaid(in, asked, c)}
	at := slices.IndexFunc(t.about, func(s subject) bool { return s.name == own.name })
	if at < 0 || own.value != "" && t.about[at].value != own.value || t.about[at].value == "" {
		t.list, t.about = append(t.list, said), append(t.about, own)
		return
	}
	rest := t.rest(in, asked, c)
	switch {
	case rest == "" || strings.Contains(t.list[at], rest):
	case t.apart:
		if _, whole := t.brief(in, asked, c); !whole {
			rest += ", " + in.rings(asked, c, t.enrolment.Zone)
		}
		t.list[at] += in.pick(" ; ", "; ") + rest
	default:
		t.list[at] += ", " + rest
	}
}

// valueSaid is the value that a reason says of its number; empty where it says none, as a
// count.
func (t *saying) valueSaid(in *tongue, asked *protocols.Comparison, c *protocols.Compared) string {
	unit := asked.Measure.Components[asked.Component].Unit
	switch {
	case asked.Happens() || c.Value == protocols.Missing || unit == "{score}":
		return ""
	case c.Moved != nil && (asked.Minus != nil || asked.Statistic == protocols.Improbable):
		return c.Moved.ToLimit.Sign() + in.amount(shownOf(c, c.Moved.To), unit)
	case c.Moved == nil && asked.Statistic.Row().Gives == protocols.GivesLevel:
		return c.Limit.Sign() + in.amount(c.Shown(), c.Unit)
	}
	return ""
}

// rest is what a reason says beside its name and its value; empty for nothing.
func (t *saying) rest(in *tongue, asked *protocols.Comparison, c *protocols.Compared) string {
	switch {
	case c.Moved != nil && asked.Minus != nil:
		return t.against(in, asked, c, shownOf(c, c.Moved.From), asked.Measure.Components[asked.Component].Unit)
	case t.valueSaid(in, asked, c) != "":
		return strings.TrimPrefix(strings.TrimSpace(in.lasts(t, asked)), ", ")
	}
	said, _ := t.brief(in, asked, c)
	return strings.TrimLeft(strings.TrimPrefix(said, in.name(asked)), " ,")
}
