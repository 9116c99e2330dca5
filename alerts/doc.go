// Package alerts takes a finding to a person who has dealt with it.
//
// A finding raises an alert, or adds to the one that stands for the same episode:
// Apply decides that, in the transaction that keeps the readings. People
// Acknowledge and Resolve. When the answer delay runs out on the team's Calendar,
// the Escalator tells further people. Messages wait in an outbox, and the
// Dispatcher sends them through channels until they are confirmed.
//
// Sub-folders are the channels, the clinicians' workspace and the stores, which
// all pass the tests of stores/storetest.
package alerts
