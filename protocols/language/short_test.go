package language

import "vigie/protocols/protocoltest"

// The short names of these tests.
var (
	anyStatistic   = protocoltest.AnyStatistic
	clearAt        = protocoltest.Limit
	drawComparison = protocoltest.DrawComparison
	drawProtocol   = protocoltest.DrawProtocol
	level          = protocoltest.Level
	literal        = protocoltest.Literal
	of             = protocoltest.Compare
	protocolOf     = protocoltest.Protocol
	rule           = protocoltest.Rule
	v              = protocoltest.Number
)
