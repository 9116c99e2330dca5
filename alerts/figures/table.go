package figures

import (
	"time"

	"vigie/protocols"
)

// Unit says how a figure is read.
type Unit string

// The units.
const (
	Number  Unit = "number"
	Days    Unit = "days"
	PerDays Unit = "per-100-patient-days"
	Percent Unit = "percent"
	Seconds Unit = "seconds"
)

// Family is a question that figures answer together.
type Family struct {
	ID    string
	Title protocols.Text
}

// Figure is one row of the table of figures.
type Figure struct {
	ID         string
	Family     string
	Unit       Unit
	Title      protocols.Text
	Definition protocols.Text
	// OfLine gives it for all alerts, a level or a rule; false where there is none. Nil
	// for what is known of the whole alone, by Of.
	OfLine func(*Line) (float64, bool)
	Of     func(*Figures) (float64, bool)
}

// Value is the figure of the whole interval; false where there is none.
func (g *Figure) Value(f *Figures) (float64, bool) {
	if g.OfLine != nil {
		return g.OfLine(&f.All)
	}
	return g.Of(f)
}

// Families are the four questions, in the order in which they are shown.
var Families = []Family{
	{"reach", protocols.Text{FR: "Qui est suivi", EN: "Who is followed"}},
	{"answers", protocols.Text{FR: "Réponse de l'équipe", EN: "Answers of the team"}},
	{"relevance", protocols.Text{FR: "Pertinence des alertes", EN: "Relevance of the alerts"}},
	{"continuity", protocols.Text{FR: "Continuité du suivi", EN: "Continuity"}},
}

// Table is the one list of figures: pages, CSV and JSON walk it.
var Table = []Figure{
	{
		"patients", "reach", Number,
		protocols.Text{FR: "Patients suivis", EN: "Patients followed"},
		protocols.Text{
			FR: "Patients dont une inclusion court au moins un instant de la période.",
			EN: "Patients of whom an enrolment runs at some time of the period.",
		},
		func(l *Line) (float64, bool) { return float64(l.Patients), true }, nil,
	},
	{
		"patient-days", "reach", Days,
		protocols.Text{FR: "Jours-patients", EN: "Patient-days"},
		protocols.Text{
			FR: "Somme des durées de suivi dans la période, en jours de 24 h, pauses comprises. Un patient sous deux protocoles compte une fois. Pour une règle : les jours sous son protocole. L'équipe est celle d'aujourd'hui.",
			EN: "Sum of the time followed within the period, in days of 24 h, pauses included. A patient under two protocols counts once. For a rule: the days under its protocol. The team is that of today.",
		},
		func(l *Line) (float64, bool) { return l.Days, true }, nil,
	},
	{
		"in-time", "answers", Percent,
		protocols.Text{FR: "Réponses dans le délai", EN: "Answered within the delay"},
		protocols.Text{
			FR: "Part des alertes auxquelles une personne a répondu avant la première relance. Le délai court aux heures de l'équipe. Les alertes dont le délai court encore, et celles constatées trop tard, ne comptent pas.",
			EN: "Share of alerts that a person answered before the first escalation. The delay runs in the hours of the team. Alerts whose delay still runs, and those found too late, do not count.",
		},
		(*Line).InTimeShare, nil,
	},
	{
		"answered", "answers", Number,
		protocols.Text{FR: "Alertes avec réponse", EN: "Alerts answered"},
		protocols.Text{
			FR: "Alertes de la période qu'une personne a prises en charge, confiées, rappelées, mises en sommeil ou closes. Un acte annulé n'est pas une réponse.",
			EN: "Alerts of the period that a person acknowledged, assigned, arranged to call back, snoozed or closed. An act that was undone is no answer.",
		},
		func(l *Line) (float64, bool) { return float64(l.Answered), true }, nil,
	},
	{
		"answer-median", "answers", Seconds,
		protocols.Text{FR: "Délai de réponse médian", EN: "Median time to answer"},
		protocols.Text{
			FR: "La moitié des alertes avec réponse l'ont reçue en ce temps au plus. Il court jour et nuit, du signalement à la première réponse.",
			EN: "Half of the answered alerts were answered within this time. It runs day and night, from the call to the first answer.",
		},
		func(l *Line) (float64, bool) { return l.Median.Seconds(), l.Answered > 0 }, nil,
	},
	{
		"answer-p90", "answers", Seconds,
		protocols.Text{FR: "Délai de réponse, neuf fois sur dix", EN: "Time to answer, nine in ten"},
		protocols.Text{
			FR: "Neuf alertes avec réponse sur dix l'ont reçue en ce temps au plus.",
			EN: "Nine of ten answered alerts were answered within this time.",
		},
		func(l *Line) (float64, bool) { return l.P90.Seconds(), l.Answered > 0 }, nil,
	},
	{
		"alerts", "relevance", Number,
		protocols.Text{FR: "Alertes", EN: "Alerts"},
		protocols.Text{
			FR: "Alertes signalées dans la période, au niveau qu'elles ont atteint. Les épisodes répétés qu'une alerte réunit comptent pour une.",
			EN: "Alerts raised in the period, at the level they reached. Repeated episodes that one alert stands for count as one.",
		},
		func(l *Line) (float64, bool) { return float64(l.Alerts), true }, nil,
	},
	{
		"rate", "relevance", PerDays,
		protocols.Text{FR: "Alertes pour 100 jours-patients", EN: "Alerts per 100 patient-days"},
		protocols.Text{
			FR: "Alertes de la période, divisées par les jours-patients, fois 100.",
			EN: "Alerts of the period, divided by the patient-days, times 100.",
		},
		(*Line).Rate, nil,
	},
	{
		"closed", "relevance", Number,
		protocols.Text{FR: "Alertes closes", EN: "Alerts closed"},
		protocols.Text{
			FR: "Alertes de la période qu'une personne a closes depuis. Celles dont la mesure a été rayée ne comptent pas.",
			EN: "Alerts of the period that a person has closed since. Those whose reading was struck out do not count.",
		},
		func(l *Line) (float64, bool) { return float64(l.Closed), true }, nil,
	},
	{
		"false-alarms", "relevance", Percent,
		protocols.Text{FR: "Fausses alertes", EN: "False alarms"},
		protocols.Text{
			FR: "Part des alertes closes avec l'issue « fausse alerte », seule ou parmi d'autres.",
			EN: "Share of the closed alerts with the outcome “false alarm”, alone or among others.",
		},
		(*Line).FalseShare, nil,
	},
	{
		ID: "transmission", Family: "continuity", Unit: Percent,
		Title: protocols.Text{FR: "Transmission", EN: "Transmission"},
		Definition: protocols.Text{
			FR: "Part des jours-patients sans alerte en cours pour mesures non transmises. Une telle alerte court de son signalement au retour des mesures, sinon à sa clôture. Celles de plus de 90 jours avant la période ne comptent pas.",
			EN: "Share of patient-days without a running alert about missing readings. Such an alert runs from its call until readings come, or else until it is closed. Those from more than 90 days before the period do not count.",
		},
		Of: (*Figures).Transmission,
	},
	{
		ID: "silences", Family: "continuity", Unit: Number,
		Title: protocols.Text{FR: "Alertes de non-transmission", EN: "Alerts about missing readings"},
		Definition: protocols.Text{
			FR: "Alertes de la période pour des mesures attendues qui ne sont pas venues.",
			EN: "Alerts of the period about expected readings that did not come.",
		},
		Of: func(f *Figures) (float64, bool) { return float64(f.Silences), true },
	},
	{
		ID: "messages-sent", Family: "continuity", Unit: Number,
		Title: protocols.Text{FR: "Messages remis", EN: "Messages delivered"},
		Definition: protocols.Text{
			FR: "Messages écrits dans la période au sujet d'alertes, que leur canal a confirmés. Ils sont gardés 30 jours après l'envoi. Le filtre par protocole ne s'y applique pas.",
			EN: "Messages written in the period about alerts that their channel has confirmed. They are kept for 30 days after they were sent. The filter by protocol does not apply.",
		},
		Of: func(f *Figures) (float64, bool) { return f.messages(func(m *Messages) int { return m.Sent }) },
	},
	{
		ID: "messages-waiting", Family: "continuity", Unit: Number,
		Title: protocols.Text{FR: "Messages en attente", EN: "Messages waiting"},
		Definition: protocols.Text{
			FR: "Messages de la période qui ne sont pas encore partis.",
			EN: "Messages of the period that have not left yet.",
		},
		Of: func(f *Figures) (float64, bool) { return f.messages(func(m *Messages) int { return m.Waiting }) },
	},
	{
		ID: "messages-given-up", Family: "continuity", Unit: Number,
		Title: protocols.Text{FR: "Messages jamais remis", EN: "Messages never delivered"},
		Definition: protocols.Text{
			FR: "Messages de la période refusés par leur canal, ou trop vieux pour partir.",
			EN: "Messages of the period that their channel refused, or that became too old.",
		},
		Of: func(f *Figures) (float64, bool) { return f.messages(func(m *Messages) int { return m.GivenUp }) },
	},
}

func (f *Figures) messages(of func(*Messages) int) (float64, bool) {
	total := 0
	for i := range f.Messages {
		total += of(&f.Messages[i])
	}
	return float64(total), true
}

// Duration is a figure in seconds as a length of time.
func Duration(seconds float64) time.Duration { return time.Duration(seconds * float64(time.Second)) }
