// Package engine evaluates the readings of one patient against one version of a
// protocol, reading by reading. Package plain, beside it, finds the same from a
// whole history in the simplest way; a property test holds the two equal.
//
// NewPlan makes a protocol ready, once for all its patients. Plan.For makes the
// State of one enrolment, which is a protocols.Evaluator. Numbers flow one way: a
// reading goes to the series that take it, from there to the gauges that compute
// statistics, to the leaves that compare them, to the rules, which rise and fall
// between levels.
//
//	state.go       a reading's way through series and gauges to the rules
//	condition.go   leaves, and conditions in Kleene's logic
//	state_rule.go  where a rule stands, and its episodes
//	state_late.go  readings that come late
//	state_keep.go  snapshots
//
// The rooms within know nothing of a State:
//
//	internal/plan     a protocol made ready, and what cannot be evaluated
//	internal/series   what is kept of the past, and the arithmetic of each statistic
//	internal/absence  what is expected and did not come
//	internal/moment   the time
package engine
