// Package alerts takes a finding to a person who has dealt with it.
//
// A finding raises an alert, or adds to the one that stands for the same
// episode. People acknowledge and resolve; when the answer delay runs out on the
// team's calendar, the alert escalates. Messages wait in an outbox and leave
// through channels. Sub-folders are the channels, the clinicians' workspace and
// the stores.
package alerts
