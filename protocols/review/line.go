package review

import (
	"vigie/protocols"
	"vigie/protocols/danger"
	"vigie/protocols/document"
	"vigie/protocols/language"
)

// hard notes a number that readings are compared with and that nobody can set: neither
// a parameter nor a line of the table of danger. How many readings or days it takes is
// no such number, nor is 0, nor the gravest grade, nor whether an event happened.
func (c *checker) hard(at document.Place, when *protocols.Condition) {
	c.walk(at, when, func(at document.Place, compared *protocols.Comparison) {
		component := &compared.Measure.Components[compared.Component]
		if compared.Happens() || component.Unit == "{score}" && compared.Threshold.Value == component.High {
			return
		}
		if counts := compared.Result() == "1" || compared.Result() == "d"; (!counts || compared.Scaled() == protocols.InDeviations) && c.inFile(compared.Threshold) && danger.LineOf(compared) == nil {
			c.hardNumber(at.Key(language.OperatorKey(compared.Operator)))
		}
		for _, side := range compared.Where.Sides() {
			if c.inFile(*side.Limit) && danger.LineOfBound(compared, side) == nil {
				c.hardNumber(at.Key("where").Key(language.OperatorKey(side.Operator)))
			}
		}
	})
}

// inFile reports whether an operand is a number in the file, other than 0, or a parameter
// that admits one value.
func (c *checker) inFile(o protocols.Operand) bool {
	p := c.protocol.Parameter(o.Parameter)
	return o.Value != 0 && (o.Parameter == "" || p != nil && p.Min == p.Max)
}

func (c *checker) hardNumber(at document.Place) {
	c.Note(at, document.Warning, "hard-number", protocols.Say("ce nombre ne peut pas être réglé, et n'est pas une ligne du tableau des dangers", "nobody can set this number, and it is no line of the table of danger"), protocols.Say("en faire un paramètre, avec son origine et ses bornes ; `vigie measures` montre les lignes du tableau", "make it a parameter, with its origin and bounds; `vigie measures` shows the lines of the table"))
}
