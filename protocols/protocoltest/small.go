package protocoltest

import "strings"

// Small is a whole protocol, as short as they get. Tests change one line
// of it at a time.
const Small = `id: small
version: "1"
status: example
title: {fr: Petit, en: Small}
pathology: {icd10: I50, title: {fr: Maladie, en: Disease}}
origin: nowhere
eligibility:
  patient: {fr: Tous, en: All}
  devices: [{kind: scale}]
observations:
  - {measure: weight, mandatory: true, cadence: {times: 1, per: day}}
  - {measure: glucose, variant: interstitial, cadence: {every: 5m}}
  - {measure: blood-pressure}
parameters:
  gain: {title: {fr: prise, en: gain}, unit: kg, default: 2, min: 1, max: 5, origin: here}
rules:
  - id: up
    title: {fr: Hausse, en: Rise}
    origin: here
    levels:
      - level: yellow
        when: {measure: weight, above: 100 kg}
      - level: orange
        when: {measure: weight, statistic: rise, window: 3d, above: gain, clear: 1 kg}
  - id: silent
    title: {fr: Silence, en: Silence}
    origin: here
    absence: {measure: weight, missing: [{level: technical, periods: 2}]}
answer: {orange: 8h, yellow: 24h, technical: 24h}
too_late: 24h
patient: {fr: Bonjour, en: Hello}
`

// With is Small with one line in the place of another.
func With(line, instead string) string {
	if strings.Count(Small, line) != 1 {
		panic(line + " is not one line of the small protocol")
	}
	return strings.Replace(Small, line, instead, 1)
}
