// Package influx keeps the history of readings in InfluxDB, where dashboards and
// researchers look for it, and reads it back.
//
// It is fed from the journal of the transactional store, in the background: a
// reading is acknowledged before InfluxDB has heard of it, and InfluxDB may be
// away for hours. Any server works that speaks the interface of InfluxDB 2:
// 2.x, and 1.8 with "flux-enabled = true", whose bucket is "database/policy".
//
// # A reading as a point
//
//	measurement  the id of the measure: blood-pressure
//	tags         device, patient (pseudonymous), source, variant (where told apart)
//	fields       a float per component: systolic, diastolic, pulse
//	             id         of the reading, a string
//	             reported_battery  a float, where told
//	             flags, context    JSON in a string, where there are any
//	             day_only   true, where only the day is known
//	             sub_ms     a float: the nanoseconds of the time beyond its millisecond, where not 0
//	time         the millisecond of measurement, plus 0 to 999,999 ns taken from the id
//
// Points of one series and time overwrite each other. That makes sending again
// harmless: a reading always gives the same point. It must not make two readings
// one: two devices are two series, and two readings of one device and
// millisecond lie at different nanoseconds unless their ids happen to share one
// of a million places.
//
// The number of series is bounded by what the registry holds: devices in use
// times their measures, sources and variants.
package influx
