// Package influx feeds InfluxDB with what is kept, where dashboards and researchers
// look for it, and reads back what the store has forgotten.
//
// It is fed from the journal of the transactional store, in the background: a reading
// is acknowledged before InfluxDB has heard of it, and InfluxDB may be away for hours.
// Which server answers is found out (generation.go): 1.8 is read in InfluxQL, 2.x in
// Flux, 3 is fed and never read. What is wrong with a server, or with how it is
// configured, becomes a sentence with its key (fault.go); what it says of points
// becomes a reason without its words (refusal.go). Deletions and marks come in the
// order of the journal (removal.go), what an operator asks for behind it (feed.go).
//
// # A reading as a point
//
//	measurement  the id of the measure: blood-pressure
//	tags         device, patient (pseudonymous), source, variant (where told apart):
//	             what a reading can never change
//	fields       a float per component: systolic, diastolic, pulse
//	             id_high, id_low    the halves of an id that is a UUID, as whole numbers
//	             short_id_high, short_id_low
//	                                the bytes of an id of up to sixteen, the first in the highest
//	                                place, zeros behind them, as two whole numbers
//	             reported_battery   a float, where told
//	             date_only          1, where only the day is known
//	             sub_ms             a float: the nanoseconds of the time beyond its millisecond, where not 0
//	             struck             1 for a reading that is struck out, 0 once that was undone
//	time         the millisecond of measurement, plus 0 to 999,999 ns taken from the id
//
// All of them are numbers, so that a mean over every field has no text in its way. A
// reading that has texts has a second point, with the same tags and time:
//
//	measurement  blood-pressure.words
//	fields       id                 one that is neither
//	             flags, context     JSON in a string, where there are any
//
// Earlier versions wrote id, flags, context and day_only (true) beside the numbers;
// such points are read as well.
//
// Points of one series and time overwrite each other. That makes sending again
// harmless: a reading always gives the same point. It must not make two readings
// one: two devices are two series, and two readings of one device and
// millisecond lie at different nanoseconds unless their ids happen to share one
// of a million places.
//
// The number of series is bounded by what the registry holds: devices in use
// times their measures, sources and variants, twice where there are words.
package influx
