package protocols

import "time"

// Finding is what evaluation has to say: something began, got worse, goes on or
// ended. Findings are committed with the readings that caused them.
type Finding struct {
	Kind      FindingKind
	Enrolment string // empty for a technical finding about a device nobody is enrolled with
	Patient   string // pseudonymous; may be empty for a technical finding
	Device    string // set for technical findings
	Protocol  string // id; empty for technical findings of the service itself
	Version   string // of the protocol
	Rule      string
	Level     Level
	// Episode names the stretch of time during which the condition held, after its
	// beginning as it was known when it was raised: readings that come in order give
	// the same name, and one that comes late does not rename what was raised.
	Episode string
	At      time.Time // measurement time of what caused it
	Found   time.Time // the time that was passed in
	// TooLate tells that the alert limit of the protocol had passed when it was
	// found: it is shown, not rung.
	TooLate bool
	// Figure is the value of the first comparison that is true, and Signs how many of
	// the level's comparisons are. Signs is 0 where no figure is at hand.
	Figure Value
	Signs  int
	// HidesValues tells of a technical finding that values of the patient may be
	// hidden by what it is about.
	HidesValues bool
	// Explanation is set on Raised and Risen, and on Revised where it is at hand.
	Explanation *Explanation
	// Author and Reason tell, of Withdrawn and Revised, who has struck out what it rested
	// on, and why.
	Author, Reason string
}

// FindingKind tells what happened to an episode.
type FindingKind uint8

// The kinds of finding.
const (
	Raised    FindingKind = iota + 1 // an episode began
	Risen                            // its level is higher than before
	Again                            // one more reading for which it holds
	Ended                            // the condition no longer holds; silence never says so
	Resumed                          // late readings show that it had not ended: it goes on
	Withdrawn                        // what it rested on was struck out: it never was
	Revised                          // some of what it rested on was struck out: its level, beginning and explanation are these now
)

var kindNames = [...]string{"", "raised", "risen", "again", "ended", "resumed", "withdrawn", "revised"}

// String returns the name used in JSON and the database.
func (k FindingKind) String() string { return kindNames[k] }
