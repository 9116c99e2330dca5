package fhir

import "vigie/protocols"

// The code systems that are read.
const (
	loinc = "http://loinc.org"
	// frenchLOINC is the list of LOINC codes of the French agency, the same codes.
	// Source: mesures-observation-glucose of "Mesures de santé" 3.1.0.
	frenchLOINC = "https://mos.esante.gouv.fr/NOS/TRE_A04-Loinc/FHIR/TRE-A04-Loinc"
	// mdc is the nomenclature of ISO/IEEE 11073-10101, which personal health devices use.
	mdc  = "urn:iso:std:iso:11073:10101"
	ucum = "http://unitsofmeasure.org"
)

// meaning is what a code stands for.
type meaning struct{ measure, component string }

// further are the codes beside those that measures.yaml gives. The LOINC ones tell the
// same quantity by another method or unit; their names are those of LOINC 2.78. The MDC
// ones are those of the profiles of "Personal Health Devices" (HL7, 1.0.0).
var further = map[[2]string]meaning{
	{loinc, "55284-4"}: {"blood-pressure", ""},            // Blood pressure systolic and diastolic
	{loinc, "59408-5"}: {"oxygen-saturation", "value"},    // Oxygen saturation in Arterial blood by Pulse oximetry
	{loinc, "3141-9"}:  {"weight", "value"},               // Body weight Measured
	{loinc, "2339-0"}:  {"glucose", "value"},              // Glucose [Mass/volume] in Blood
	{loinc, "41653-7"}: {"glucose/capillary", "value"},    // Glucose [Mass/volume] in Capillary blood by Glucometer
	{loinc, "41604-0"}: {"glucose/capillary", "value"},    // Fasting glucose [Mass/volume] in Capillary blood by Glucometer
	{loinc, "14770-2"}: {"glucose/capillary", "value"},    // Fasting glucose [Moles/volume] in Capillary blood by Glucometer
	{loinc, "32016-8"}: {"glucose/capillary", "value"},    // Glucose [Mass/volume] in Capillary blood
	{loinc, "14743-9"}: {"glucose/capillary", "value"},    // Glucose [Moles/volume] in Capillary blood by Glucometer
	{loinc, "1556-0"}:  {"glucose/capillary", "value"},    // Fasting glucose [Mass/volume] in Capillary blood
	{loinc, "14760-3"}: {"glucose/capillary", "value"},    // Glucose [Moles/volume] in Capillary blood --2 hours post meal
	{loinc, "1558-6"}:  {"glucose", "value"},              // Fasting glucose [Mass/volume] in Serum or Plasma
	{loinc, "14771-0"}: {"glucose", "value"},              // Fasting glucose [Moles/volume] in Serum or Plasma
	{loinc, "1557-8"}:  {"glucose", "value"},              // Fasting glucose [Mass/volume] in Venous blood
	{loinc, "76629-5"}: {"glucose", "value"},              // Fasting glucose [Moles/volume] in Blood
	{loinc, "53049-3"}: {"glucose", "value"},              // Glucose [Mass/volume] in Serum or Plasma --pre-meal
	{loinc, "88365-2"}: {"glucose", "value"},              // Glucose [Mass/volume] in Blood --pre-meal
	{loinc, "16915-1"}: {"glucose", "value"},              // Glucose [Mass/volume] in Serum or Plasma --post meal
	{loinc, "87422-2"}: {"glucose", "value"},              // Glucose [Mass/volume] in Blood --post meal
	{loinc, "40287-5"}: {"glucose", "value"},              // Glucose [Moles/volume] in Serum or Plasma --1 hour post meal
	{loinc, "1521-4"}:  {"glucose", "value"},              // Glucose [Mass/volume] in Serum or Plasma --2 hours post meal
	{loinc, "6689-4"}:  {"glucose", "value"},              // Glucose [Mass/volume] in Blood --2 hours post meal
	{loinc, "99504-3"}: {"glucose/interstitial", "value"}, // Glucose [Mass/volume] in Interstitial fluid
	{loinc, "14745-4"}: {"glucose", "value"},              // Glucose [Moles/volume] in Body fluid
	{loinc, "15074-8"}: {"glucose", "value"},              // Glucose [Moles/volume] in Blood
	{mdc, "150020"}:    {"blood-pressure", ""},            // MDC_PRESS_BLD_NONINV
	{mdc, "150021"}:    {"blood-pressure", "systolic"},    // MDC_PRESS_BLD_NONINV_SYS
	{mdc, "150022"}:    {"blood-pressure", "diastolic"},   // MDC_PRESS_BLD_NONINV_DIA
	{mdc, "150023"}:    {"blood-pressure", "mean"},        // MDC_PRESS_BLD_NONINV_MEAN
	{mdc, "150456"}:    {"oxygen-saturation", "value"},    // MDC_PULS_OXIM_SAT_O2
	{mdc, "150364"}:    {"temperature", "value"},          // MDC_TEMP_BODY
	{mdc, "188736"}:    {"weight", "value"},               // MDC_MASS_BODY_ACTUAL
	{mdc, "160184"}:    {"glucose/capillary", "value"},    // MDC_CONC_GLU_CAPILLARY_WHOLEBLOOD
	{mdc, "160212"}:    {"glucose/interstitial", "value"}, // MDC_CONC_GLU_ISF
	{mdc, "149546"}:    {"heart-rate", "value"},           // MDC_PULS_RATE_NON_INV
	{mdc, "149530"}:    {"heart-rate", "value"},           // MDC_PULS_OXIM_PULS_RATE
}

// moments are the codes that say when by a meal it was measured, as their names above say.
var moments = map[[2]string]protocols.Meal{
	{loinc, "41604-0"}: protocols.Fasting, {loinc, "14770-2"}: protocols.Fasting, {loinc, "1556-0"}: protocols.Fasting,
	{loinc, "1558-6"}: protocols.Fasting, {loinc, "14771-0"}: protocols.Fasting, {loinc, "1557-8"}: protocols.Fasting, {loinc, "76629-5"}: protocols.Fasting,
	{loinc, "53049-3"}: protocols.Before, {loinc, "88365-2"}: protocols.Before,
	{loinc, "16915-1"}: protocols.After, {loinc, "87422-2"}: protocols.After, {loinc, "40287-5"}: protocols.AfterHour,
	{loinc, "1521-4"}: protocols.AfterTwo, {loinc, "6689-4"}: protocols.AfterTwo, {loinc, "14760-3"}: protocols.AfterTwo,
	{frenchLOINC, "53049-3"}: protocols.Fasting, // "Glucose à jeun" there
}

// momentOf is what a code says of the meal; empty for nothing.
func momentOf(system, code string) protocols.Meal {
	if meal, said := moments[[2]string{system, code}]; said || system != frenchLOINC {
		return meal
	}
	return moments[[2]string{loinc, code}]
}

// The extension of "Mesures de santé" in which an app says the moment: its address today, and
// that of the versions before. After an exercise, or otherwise, are no moments by a meal.
// Source: mesures-moment-of-measurement, and its codes for glucose, JDV_J157-MomentGlucose-ENS.
var momentExtensions = []string{
	"https://interop.esante.gouv.fr/ig/fhir/mesures/StructureDefinition/mesures-moment-of-measurement",
	"http://esante.gouv.fr/ci-sis/fhir/StructureDefinition/ENS_MomentOfMeasurement",
}

// finer is what two sayings of one moment say together: "fasting" and "before a meal" are
// fasting. They have to agree.
func finer(a, b protocols.Meal) (meal protocols.Meal, agree bool) {
	switch {
	case a.Holds(b):
		return b, true
	case b.Holds(a):
		return a, true
	}
	return a, false
}

// observed finds what an observation as a whole measures.
func observed(system, code string) (m *protocols.Measure, variant uint8) {
	if system == frenchLOINC {
		system = loinc
	}
	if known, ok := further[[2]string{system, code}]; ok {
		return named(known.measure)
	}
	if system != loinc || code == "" {
		return nil, 0
	}
	for _, m := range protocols.Measures() {
		if m.LOINC == code {
			return m, 0
		}
	}
	return nil, 0
}

// named reads "glucose/capillary".
func named(name string) (m *protocols.Measure, variant uint8) {
	for i := range name {
		if name[i] == '/' {
			m = protocols.MeasureByID(name[:i])
			return m, uint8(m.Variant(name[i+1:]))
		}
	}
	return protocols.MeasureByID(name), 0
}

// part finds which component of a measure a code is about, or −1.
func part(m *protocols.Measure, system, code string) int {
	if system == frenchLOINC {
		system = loinc
	}
	if known, ok := further[[2]string{system, code}]; ok && known.component != "" {
		if of, _ := named(known.measure); of == m {
			return m.Component(known.component)
		}
	}
	for i := range m.Components {
		if c := &m.Components[i]; system == loinc && code != "" && c.LOINC == code {
			return i
		}
	}
	return -1
}
