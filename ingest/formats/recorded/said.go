package recorded

import (
	"errors"

	"vigie/ingest/formats/values"
	"vigie/protocols"
)

// said is why a row cannot be used, as an error.
type said protocols.Text

// Error returns the English sentence.
func (s said) Error() string { return s.EN }

// Why a row cannot be used.
var (
	errShort      = said{FR: "la ligne est trop courte", EN: "the row is too short"}
	errOtherKind  = said{FR: "une autre sorte de ligne, que --where laisse de côté", EN: "another kind of row, which --where leaves out"}
	errRepeated   = said{FR: "elle répète une autre ligne", EN: "it repeats another line"}
	errNoLow      = said{FR: "au-dessous de ce que l'appareil affiche : dire cette limite avec --low", EN: "below what the instrument shows: say what that is with --low"}
	errNoHigh     = said{FR: "au-dessus de ce que l'appareil affiche : dire cette limite avec --high", EN: "above what the instrument shows: say what that is with --high"}
	errAmbiguous  = said{FR: "la virgule peut séparer des décimales ou des milliers : le dire avec --decimal", EN: "the comma can part decimals or thousands: say which with --decimal"}
	errOtherUnit  = said{FR: "l'unité de la cellule n'est pas celle de sa colonne", EN: "the unit of the cell is not that of its column"}
	errForm       = said{FR: "l'heure n'est pas écrite comme --time-format le dit", EN: "the time is not written as --time-format says"}
	errNoZone     = said{FR: "l'heure n'a pas de fuseau, et aucun n'est donné", EN: "the time has no zone and none was given"}
	errNotSeconds = said{FR: "ce n'est pas un nombre de secondes depuis le début", EN: "not a number of seconds from the start"}
	errNoStart    = said{FR: "l'heure est en secondes, et le début n'est pas donné", EN: "the time is in seconds and no start was given"}
	errNoTime     = said{
		FR: "ce n'est pas une heure : RFC 3339, une heure locale comme 2006-01-02T15:04:05, un jour comme 2006-01-02, ou des secondes depuis le début ; le dire autrement avec --time-format",
		EN: "not a time: RFC 3339, a local time as 2006-01-02T15:04:05, a day as 2006-01-02, or seconds from the start; say another way with --time-format",
	}
	errEitherDay = said{
		FR: "le jour et le mois peuvent être dans un sens ou dans l'autre : le dire avec --time-format, DD/MM/YYYY ou MM/DD/YYYY",
		EN: "day and month can stand in either order: say which with --time-format, DD/MM/YYYY or MM/DD/YYYY",
	}
	errSkipped = said{FR: "cette heure locale n'existe pas : on a avancé les horloges par-dessus", EN: "this local time does not exist: the clocks went forward over it"}
	errNothing = said{FR: "aucune valeur n'est écrite", EN: "no value was recorded"}
)

// sentence is what an error says in both languages.
func sentence(err error) protocols.Text {
	var s said
	if errors.As(err, &s) {
		return protocols.Text(s)
	}
	return protocols.Text{EN: err.Error()}
}

// why says a reason for who reads a table.
func why(m *protocols.Measure, reason protocols.Reason) protocols.Text {
	if reason.Code == protocols.MissingValue {
		return protocols.Text(errNothing)
	}
	return values.Told(m, reason)
}
