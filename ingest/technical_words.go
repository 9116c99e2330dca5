package ingest

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"vigie/protocols"
	"vigie/protocols/written"
)

// technicalRule is what an alert about a device says: what happened, behind the device's
// name, and what whoever reads it does next. Says is empty where a rule says more than that.
type technicalRule struct{ title, says, advice protocols.Text }

// technicalTitles are the rules as a person reads them.
var technicalTitles = map[string]technicalRule{
	RuleImplausible: {
		title:  protocols.Text{FR: "Mesure impossible", EN: "Impossible reading"},
		advice: protocols.Text{FR: "Faire refaire la mesure. Si cela revient, faire vérifier l'appareil.", EN: "Have it measured again. If it happens again, have the device checked."},
	},
	RuleContradiction: {
		title:  protocols.Text{FR: "Valeurs contradictoires", EN: "Contradictory values"},
		advice: protocols.Text{FR: "Demander au patient ce que l'appareil affichait, ou faire refaire la mesure.", EN: "Ask the patient what the device showed, or have it measured again."},
	},
	RuleReused: {
		title: protocols.Text{FR: "Identifiant réutilisé", EN: "Id used again"},
		says: protocols.Text{FR: "de nouvelles mesures portent l'identifiant d'anciennes, comme après un changement de pile ; toutes sont gardées.",
			EN: "new readings carry the ids of former ones, as after a change of battery; all are kept."},
		advice: protocols.Text{FR: "Pour l'exploitant : réglage de l'appareil à revoir. Rien à demander au patient.", EN: "For the operator: check the settings of the device. Nothing to ask the patient."},
	},
	RuleBattery: {
		title:  protocols.Text{FR: "Batterie faible", EN: "Low battery"},
		advice: protocols.Text{FR: "Demander au patient de changer la pile ou de recharger l'appareil.", EN: "Ask the patient to change the battery or to charge the device."},
	},
	RuleOffline: {
		title:  protocols.Text{FR: "Appareil hors ligne", EN: "Device offline"},
		advice: protocols.Text{FR: "Si cela dure un jour, appeler le patient : appareil branché, chargé, près de sa box ?", EN: "If it lasts a day, call the patient: is the device plugged in, charged, near the internet box?"},
	},
	RuleRivals: {
		title: protocols.Text{FR: "Deux appareils sous un même nom", EN: "Two devices under one name"},
		says: protocols.Text{FR: "deux connexions se coupent sans cesse l'une l'autre ; des mesures peuvent tarder.",
			EN: "two connections keep cutting each other off; readings may come late."},
		advice: protocols.Text{FR: "Pour l'exploitant : deux appareils partagent ce compte MQTT (« client id »), ou l'un se reconnecte sans raison. Rien à demander au patient.",
			EN: "For the operator: two devices share this MQTT account (client id), or one reconnects for no reason. Nothing to ask the patient."},
	},
	RuleClock: {
		title: protocols.Text{FR: "Horloge de l'appareil fausse", EN: "Device clock wrong"},
		advice: protocols.Text{FR: "Faire remettre l'appareil à l'heure. D'ici là, demander au patient l'heure de ses mesures.",
			EN: "Have the device set to the right time. Until then, ask the patient when the readings were taken."},
	},
	RuleNothingUsed: {
		title: protocols.Text{FR: "Aucune mesure utilisable", EN: "No usable readings"},
		says: protocols.Text{FR: "depuis un jour au moins, rien de ce qui en vient n'est utilisable : les valeurs du patient ne sont pas suivies.",
			EN: "for a day at least, nothing that it sends can be used: the patient's values are not being monitored."},
		advice: protocols.Text{FR: "Appeler le patient et prendre ses mesures au téléphone ; faire vérifier l'appareil.", EN: "Call the patient and take the readings over the phone; have the device checked."},
	},
	RuleUnit: {
		title: protocols.Text{FR: "Unité douteuse", EN: "Doubtful unit"},
		advice: protocols.Text{FR: "Avant d'agir, appeler le patient : quel nombre et quelle unité lit-il à l'écran ? Puis faire régler l'unité de l'appareil.",
			EN: "Before you act, call the patient: which number and which unit are on the screen? Then have the unit of the device set."},
	},
	RuleJunk: {
		title: protocols.Text{FR: "Messages illisibles", EN: "Unreadable messages"},
		says: protocols.Text{FR: "rien n'est lisible dans ses messages ; les suivants de ce jour sont comptés et ne sont plus gardés.",
			EN: "nothing in its messages can be read; the next ones of this day are counted and no longer kept."},
		advice: protocols.Text{FR: "Appeler le patient s'il n'est plus suivi par ailleurs ; prévenir l'exploitant.", EN: "Call the patient if nothing else monitors them; tell the operator."},
	},
	RuleFlooding: {
		title:  protocols.Text{FR: "Appareil trop bavard", EN: "Device sending too much"},
		says:   protocols.Text{FR: "transmet plus vite qu'il n'est permis ; ses mesures sont ralenties, rien n'est perdu.", EN: "sends faster than it may; its readings are slowed down, nothing is lost."},
		advice: protocols.Text{FR: "Pour l'exploitant. Rien à demander au patient.", EN: "For the operator. Nothing to ask the patient."},
	},
}

// named puts the device before what is said of it: "Balance (b-0012) : batterie à 12 %."
func (d *device) named(says protocols.Text) protocols.Text {
	kind := protocols.Text{FR: "appareil", EN: "device"}
	if d.takes != nil {
		kind = d.takes.Title
	}
	return protocols.Text{
		FR: fmt.Sprintf("%s (%s) : %s", large(kind.FR), d.name, says.FR),
		EN: fmt.Sprintf("%s (%s): %s", large(kind.In("en")), d.name, says.In("en")),
	}
}

func large(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

// moment is a time on the clock of who has the device: "le 20 nov. à 05:55"; the day alone
// where nothing more is known.
func (d *device) moment(t time.Time, dayOnly bool) protocols.Text {
	if e := d.holder(t); e != nil && e.zone != nil {
		t = t.In(e.zone)
	}
	day := protocols.Text{FR: "le " + written.Day("fr", t), EN: "on " + written.Day("en", t)}
	if dayOnly {
		return day
	}
	return protocols.Text{FR: day.FR + t.Format(" à 15:04"), EN: day.EN + t.Format(" at 15:04")}
}

// valueOf is a value of a reading with its unit, as people write it.
func valueOf(r *protocols.Reading, component int) protocols.Text {
	value, limit := r.Shown(component)
	unit := r.Measure.Components[component].Unit
	return protocols.Text{
		FR: limit.Sign() + protocols.InUnit(value.French(), unit, "fr", " "),
		EN: limit.Sign() + protocols.InUnit(value.String(), unit, "en", " "),
	}
}

// called is what a component is called: the measure alone, where it has no other.
func called(m *protocols.Measure, component string) protocols.Text {
	if i := m.Component(component); i >= 0 && len(m.Components) > 1 {
		return m.Components[i].Title
	}
	return m.Title
}

// impossible says which value no instrument can report, and what it would be in the unit
// in which one can.
func impossible(d *device, r *protocols.Reading, broken []protocols.Compared, fits []string, at time.Time) protocols.Text {
	moment := d.moment(at, r.DayOnly)
	if len(broken) == 0 {
		what := protocols.Text{FR: "valeur impossible", EN: "impossible value"}
		if r.Measure != nil {
			what = protocols.Text{FR: r.Measure.Title.FR + ", valeur impossible", EN: r.Measure.Title.In("en") + ", impossible value"}
		}
		return d.named(protocols.Text{FR: what.FR + " " + moment.FR + ", écartée.", EN: what.EN + " " + moment.EN + ", set aside."})
	}
	component := r.Measure.Component(broken[0].Component)
	name, value := called(r.Measure, broken[0].Component), valueOf(r, component)
	says := protocols.Text{
		FR: fmt.Sprintf("%s %s %s, impossible", name.FR, value.FR, moment.FR),
		EN: fmt.Sprintf("%s %s %s, impossible", name.In("en"), value.EN, moment.EN),
	}
	if len(fits) > 0 {
		unit, would := protocols.SpokenUnit(fits[0]), protocols.Text{FR: "possible", EN: "possible"}
		if other, possible := meant(r, fits[0]); possible {
			would = valueOf(tenths(other), 0)
		}
		says.FR += fmt.Sprintf(" ; en %s ce serait %s", unit.FR, would.FR)
		says.EN += fmt.Sprintf("; in %s it would be %s", unit.In("en"), would.EN)
	}
	return d.named(protocols.Text{FR: says.FR + ". Valeur écartée.", EN: says.EN + ". The value was set aside."})
}

// tenths is a reading of one component, to the tenth.
func tenths(r *protocols.Reading) *protocols.Reading {
	rounded := *r
	rounded.Values = []protocols.Value{protocols.Value(protocols.RoundedRatio(int64(r.Values[0]), 100) * 100)}
	return &rounded
}

// setUnit is what to do about a value that another unit fits.
func setUnit(m *protocols.Measure) protocols.Text {
	unit := protocols.Text{FR: "l'unité attendue", EN: "the expected unit"}
	if m != nil {
		unit = protocols.SpokenUnit(m.Components[0].Unit)
		unit.EN = unit.In("en")
	}
	return protocols.Text{
		FR: "Faire régler l'appareil en " + unit.FR + ", puis refaire la mesure.",
		EN: "Have the device set to " + cmp.Or(unit.EN, unit.FR) + ", then have it measured again.",
	}
}

// weak says how low a battery is.
func weak(d *device, level int) protocols.Text {
	return d.named(protocols.Text{FR: fmt.Sprintf("batterie à %d %%.", level), EN: fmt.Sprintf("battery at %d%%.", level)})
}

// silentSince says since when a device has been offline, and for how long nothing came.
func silentSince(d *device, since time.Time, grace time.Duration) protocols.Text {
	moment, long := d.moment(since, false), inUnits(grace)
	return d.named(protocols.Text{
		FR: fmt.Sprintf("hors ligne depuis %s, rien reçu pendant %s.", moment.FR, long),
		EN: fmt.Sprintf("offline since %s, nothing received for %s.", strings.TrimPrefix(moment.EN, "on "), long),
	})
}

// differing says in which values two readings of one name differ.
func differing(d *device, kept, other *protocols.Reading) protocols.Text {
	moment := d.moment(kept.Time, kept.DayOnly)
	var fr, en string
	for i, c := range kept.Measure.Components {
		if kept.Values[i] == other.Values[i] {
			continue
		}
		name, was, is := called(kept.Measure, c.Name), toldOf(kept, i), toldOf(other, i)
		fr += fmt.Sprintf(", %s %s puis %s", name.FR, was.FR, is.FR)
		en += fmt.Sprintf(", %s %s then %s", name.In("en"), was.EN, is.EN)
	}
	return d.named(protocols.Text{
		FR: fmt.Sprintf("la mesure du %s est venue deux fois%s. La première est gardée, l'autre mise de côté.", strings.TrimPrefix(moment.FR, "le "), fr),
		EN: fmt.Sprintf("the measurement of %s came twice%s. The first is kept, the other is set aside.", strings.TrimPrefix(moment.EN, "on "), en),
	})
}

// toldOf is a value of one of two readings, or that it has none.
func toldOf(r *protocols.Reading, component int) protocols.Text {
	if r.Values[component] == protocols.Missing {
		return protocols.Text{FR: "rien", EN: "none"}
	}
	return valueOf(r, component)
}

// inDoubt says what a value may be.
func inDoubt(d *device, r, other *protocols.Reading, unit string) protocols.Text {
	is, would, moment, spoken := valueOf(r, 0), valueOf(tenths(other), 0), d.moment(r.Time, r.DayOnly), protocols.SpokenUnit(unit)
	return d.named(protocols.Text{
		FR: fmt.Sprintf("%s %s %s, mais d'autres de ses valeurs ne sont possibles qu'en %s. Si celle-ci l'est aussi, elle vaut %s.", r.Measure.Title.FR, is.FR, moment.FR, spoken.FR, would.FR),
		EN: fmt.Sprintf("%s %s %s, but others of its values are possible in %s only. If this one is in that unit too, it is %s.", r.Measure.Title.In("en"), is.EN, moment.EN, spoken.In("en"), would.EN),
	})
}
