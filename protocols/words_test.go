package protocols

// Words lists the keys and statistics of the language, for manuals to be held
// against.
func Words() []string {
	words := append([]string{}, statisticWords...)
	for _, f := range []*form{protocolForm, eligibilityForm, observationForm, cadenceForm, parameterForm, ruleForm, levelForm, absenceForm, missingForm, comparisonForm, baselineForm, eventForm, testsForm, timelineForm, deliveryForm, pauseForm} {
		words = append(words, f.keys()...)
	}
	return words
}
