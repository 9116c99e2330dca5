package language

import "vigie/protocols/protocoltest"

// The short names of these tests.
var (
	anyStatistic   = protocoltest.AnyStatistic
	at             = protocoltest.Time
	clearAt        = protocoltest.Limit
	drawComparison = protocoltest.DrawComparison
	drawHistory    = protocoltest.DrawHistory
	drawProtocol   = protocoltest.DrawProtocol
	enrolled       = protocoltest.Enrolment
	level          = protocoltest.Level
	literal        = protocoltest.Literal
	of             = protocoltest.Compare
	paris          = protocoltest.Paris
	protocolOf     = protocoltest.Protocol
	randomMeasures = protocoltest.RandomMeasures
	rule           = protocoltest.Rule
	v              = protocoltest.Number
)
