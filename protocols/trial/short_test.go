package trial

import "vigie/protocols/protocoltest"

// The short names of these tests.
type randomCase = protocoltest.Case

var (
	clearAt      = protocoltest.Limit
	clock        = protocoltest.Clock
	drawCase     = protocoltest.DrawCase
	enrolled     = protocoltest.Enrolment
	level        = protocoltest.Level
	literal      = protocoltest.Literal
	of           = protocoltest.Compare
	protocolOf   = protocoltest.Protocol
	reading      = protocoltest.Reading
	rule         = protocoltest.Rule
	silence      = protocoltest.Silence
	followedFrom = protocoltest.FollowedFrom
	v            = protocoltest.Number
)
