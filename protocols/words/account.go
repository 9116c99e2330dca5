package words

import (
	"fmt"
	"strings"
	"time"

	"vigie/protocols"
)

var levelInWords = map[protocols.Level]protocols.Text{
	protocols.Technical: {FR: "technique", EN: "technical"}, protocols.Yellow: {FR: "à surveiller", EN: "to watch"},
	protocols.Orange: {FR: "à traiter", EN: "to deal with"}, protocols.Red: {FR: "à traiter en priorité", EN: "to deal with first"},
}

// Account says in one sentence where the rule stands, and the gravest reason.
func Account(a *protocols.Account, zone *time.Location) protocols.Text {
	why := a.Levels[telling(a)]
	reasons := protocols.Text{FR: sentences(why.Comparisons, "fr", " ; "), EN: sentences(why.Comparisons, "en", "; ")}
	title := protocols.Text{FR: a.Title.FR, EN: a.Title.In("en")}
	switch {
	case a.Level != protocols.NoLevel:
		word, since, lingers := levelInWords[a.Level], a.Since.In(zone), protocols.Text{}
		if why.Truth != protocols.True {
			lingers = protocols.Text{FR: ", n'ayant pas passé le seuil de retour", EN: ", not being past the threshold to leave"}
			if why.Comparisons[0].Statistic == protocols.MissingPeriods {
				lingers = protocols.Text{FR: ", rien de complet n'étant venu depuis", EN: ", nothing complete having come since"}
			}
		}
		return protocols.Text{
			FR: fmt.Sprintf("%s sonne, %s, depuis le %s%s : %s", title.FR, word.FR, since.Format("02/01/2006 à 15:04"), lingers.FR, reasons.FR),
			EN: fmt.Sprintf("%s rings, %s, since %s%s: %s", title.EN, word.EN, since.Format("2006-01-02 15:04"), lingers.EN, reasons.EN),
		}
	case why.Truth == protocols.True && len(a.HeldBy) > 0:
		return protocols.Text{
			FR: fmt.Sprintf("%s ne sonne pas : retenue par %s", title.FR, strings.Join(a.HeldBy, ", ")),
			EN: fmt.Sprintf("%s does not ring: held back by %s", title.EN, strings.Join(a.HeldBy, ", ")),
		}
	case !why.Asked.IsZero():
		return protocols.Text{
			FR: fmt.Sprintf("%s ne sonne pas encore : une seconde mesure est attendue ; %s", title.FR, reasons.FR),
			EN: fmt.Sprintf("%s does not ring yet: a second reading is waited for; %s", title.EN, reasons.EN),
		}
	case why.Truth == protocols.NotEnough:
		return protocols.Text{
			FR: fmt.Sprintf("%s ne sonne pas, faute de données : %s", title.FR, reasons.FR),
			EN: fmt.Sprintf("%s does not ring, for want of data: %s", title.EN, reasons.EN),
		}
	}
	return protocols.Text{
		FR: fmt.Sprintf("%s ne sonne pas : %s", title.FR, reasons.FR),
		EN: fmt.Sprintf("%s does not ring: %s", title.EN, reasons.EN),
	}
}

// telling is the place of the level that says most about where the rule stands:
// the one it is at, else the gravest that is true, else the mildest, which is
// the first that could be.
func telling(a *protocols.Account) int {
	best := 0
	for i, l := range a.Levels {
		if l.Level == a.Level {
			return i
		}
		if l.Truth == protocols.True {
			best = i
		}
	}
	return best
}

func sentences(compared []protocols.Compared, language, between string) string {
	all := make([]string, len(compared))
	for i := range compared {
		all[i] = compared[i].Sentence.In(language)
	}
	return strings.Join(all, between)
}
