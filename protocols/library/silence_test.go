package library_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"vigie/ingest/yaml"
	"vigie/protocols"
	"vigie/protocols/engine"
	"vigie/protocols/language"
	"vigie/protocols/library"
	"vigie/protocols/trial"
)

// silence is an endangered patient for whom an earlier library rang nothing, or too
// mildly, with what has to ring for him now.
type silence struct {
	who      string
	protocol string
	readings string // of a test, one a line
	pause    string // as in a test; empty for none
	rule     string
	level    protocols.Level
	by       string // the moment by which it rings
	after    int    // in days: how long before that it has to ring anew; 0 for ever
}

// silences is the list of them: first what was seen, then the kinds behind it. Why that
// level and that time: what may kill within hours is red or is heard within the hour;
// what may end in a hospital within days is orange the day it is known; what drifts for
// weeks is yellow.
var silences = []silence{
	// Seen.
	{"first week of heart failure, 79 to 82.6 kg in six days with oedema and orthopnoea from 0 to 3", "heart-failure", `
      - {at: day 1 07:30, every: 1d, measure: weight, value: [79, 79.6, 80.2, 80.8, 81.4, 82, 82.6]}
      - {at: day 1 07:40, every: 1d, measure: symptom, values: {oedema: [0, 0, 1, 1, 2, 3, 3], orthopnoea: [0, 0, 1, 1, 2, 3, 3]}}`,
		"", "congestion", protocols.Red, "day 5 09:00", 0},
	{"chest pain at 3 of 3", "heart-failure", `
      - {at: day 1 08:00, measure: symptom, values: {chest-pain: 3}}`, "", "chest-pain", protocols.Red, "day 1 08:00", 0},
	{"oedema at 3 of 3", "heart-failure", `
      - {at: day 1 08:00, measure: symptom, values: {oedema: 3}}`, "", "oedema", protocols.Orange, "day 1 08:00", 0},
	{"dizziness at 3 of 3", "heart-failure", `
      - {at: day 1 08:00, measure: symptom, values: {dizziness: 3}}`, "", "dizziness", protocols.Orange, "day 1 08:00", 0},
	{"orthopnoea at 3 of 3", "heart-failure", `
      - {at: day 1 08:00, measure: symptom, values: {orthopnoea: 3}}`, "", "orthopnoea", protocols.Orange, "day 1 08:00", 0},
	{"a tensiometer that sends pulse 145 and 148", "heart-failure", `
      - {at: day 1 08:00, every: 5m, measure: blood-pressure, values: {systolic: 120, diastolic: 70, pulse: [145, 148]}}`,
		"", "cuff-pulse-fast", protocols.Orange, "day 1 08:05", 0},
	{"a slow pulse of one day by the oximeter, then 36 twice a day by the tensiometer", "heart-failure", `
      - {at: day 1 08:00, every: 5m, measure: heart-rate, value: [48, 47]}
      - {at: day 2 09:00, every: 5m, days: 20, measure: blood-pressure, values: {systolic: 120, diastolic: 70, pulse: [36, 36]}}`,
		"", "cuff-pulse-slow", protocols.Orange, "day 2 09:05", 0},
	{"saturation of 96, 70, 95 and 70 three minutes apart", "heart-failure", `
      - {at: day 1 08:00, every: 3m, measure: oxygen-saturation, value: [96, 70, 95, 70]}`,
		"", "saturation-low", protocols.Orange, "day 1 08:30", 0},
	{"ventilated, saturation of 96, 70, 95 and 70 three minutes apart", "respiratory-failure", `
      - {at: day 1 08:00, every: 3m, measure: oxygen-saturation, value: [96, 70, 95, 70]}`,
		"", "saturation-low", protocols.Red, "day 1 08:30", 0},
	{"sensor glucose at 400 for 60 h", "diabetes", `
      - {at: day 1 00:00, every: 5m, for: 60h, measure: glucose, variant: interstitial, value: 400}`,
		"", "very-high-glucose", protocols.Red, "day 1 12:30", 0},
	{"capillary glucose at 450 four times a day for two days", "diabetes", `
      - {at: day 1 08:00, every: 4h, for: 16h, days: 2, measure: glucose, variant: capillary, value: 450}`,
		"", "very-high-capillary", protocols.Orange, "day 1 09:00", 0},
	{"one capillary glucose of 30", "diabetes", `
      - {at: day 1 08:00, measure: glucose, variant: capillary, value: 30}`,
		"", "severe-hypoglycaemia", protocols.Red, "day 1 08:00", 0},
	{"pregnancy, capillary glucose of 280 four times in a day", "diabetes-pregnancy", `
      - {at: day 1 08:00, every: 4h, for: 16h, measure: glucose, variant: capillary, value: 280}`,
		"", "very-high-capillary", protocols.Orange, "day 1 09:00", 0},
	{"graft, potassium at 2.4", "kidney-failure-graft", `
      - {at: day 1, measure: potassium, value: 2.4}`, "", "potassium-low", protocols.Red, "day 1 12:00", 0},
	{"graft, pressure of 80 over 45 twice", "kidney-failure-graft", `
      - {at: day 1 08:00, every: 5m, measure: blood-pressure, values: {systolic: [80, 80], diastolic: 45}}`,
		"", "pressure-low", protocols.Orange, "day 1 08:05", 0},
	{"graft, 40.2 °C", "kidney-failure-graft", `
      - {at: day 1 08:00, measure: temperature, value: 40.2}`, "", "fever", protocols.Red, "day 1 08:30", 0},
	{"ventilated, spot saturation of 78, 78 and 77", "respiratory-failure", `
      - {at: day 1 08:00, every: 5m, measure: oxygen-saturation, value: [78, 78, 77]}`,
		"", "saturation-low", protocols.Red, "day 1 08:15", 0},
	{"respiratory rate of 32, 39.5 °C and breathlessness at 3: the rate", "respiratory-failure", `
      - {at: day 1 08:00, measure: respiratory-rate, value: 32}
      - {at: day 1 08:01, measure: temperature, value: 39.5}
      - {at: day 1 08:02, measure: symptom, values: {breathlessness: 3}}`,
		"", "breathing-very-fast", protocols.Orange, "day 1 08:15", 0},
	{"respiratory rate of 32, 39.5 °C and breathlessness at 3: the breath", "respiratory-failure", `
      - {at: day 1 08:02, measure: symptom, values: {breathlessness: 3}}`,
		"", "breathlessness", protocols.Orange, "day 1 08:02", 0},
	{"respiratory rate of 32, 39.5 °C and breathlessness at 3: the fever", "respiratory-failure", `
      - {at: day 1 08:01, measure: temperature, value: 39.5}`,
		"", "temperature-high", protocols.Orange, "day 1 08:31", 0},
	{"oxygen, breathlessness at 3", "respiratory-failure-oxygen", `
      - {at: day 1 08:00, measure: symptom, values: {breathlessness: 3}}`, "", "breathlessness", protocols.Orange, "day 1 08:00", 0},
	{"COPD, breathlessness at 3 without an oximeter", "copd", `
      - {at: day 1 08:00, measure: symptom, values: {breathlessness: 3}}`, "", "breathlessness", protocols.Orange, "day 1 08:00", 0},
	{"dialysis, ultrafiltration at 3,000 mL/h", "kidney-failure", `
      - {at: day 1 08:00, measure: dialysis-session, values: {weight-start: 72, dry-weight: 70, weight-end: 70, ultrafiltration-rate: 3000}}`,
		"", "ultrafiltration-fast", protocols.Orange, "day 1 08:00", 0},
	{"dialysis, ultrafiltration of 750 mL/h for a dry weight of 50 kg", "kidney-failure", `
      - {at: day 1 08:00, measure: dialysis-session, values: {weight-start: 52, dry-weight: 50, weight-end: 50, ultrafiltration-rate: 750}}`,
		"", "ultrafiltration-fast", protocols.Yellow, "day 1 08:00", 0},
	{"dialysis, venous pressure of 480", "kidney-failure", `
      - {at: day 1 08:00, measure: dialysis-session, values: {weight-start: 72, dry-weight: 70, weight-end: 70, venous-pressure: 480}}`,
		"", "venous-pressure-high", protocols.Orange, "day 1 08:00", 0},
	{"dialysis, arterial pressure of −400", "kidney-failure", `
      - {at: day 1 08:00, measure: dialysis-session, values: {weight-start: 72, dry-weight: 70, weight-end: 70, arterial-pressure: -400}}`,
		"", "arterial-pressure-low", protocols.Orange, "day 1 08:00", 0},
	{"dialysis, 205 mmHg before the session", "kidney-failure", `
      - {at: day 1 08:00, measure: dialysis-session, values: {weight-start: 72, dry-weight: 70, weight-end: 70, systolic-start: 205}}`,
		"", "pressure-before-session", protocols.Orange, "day 1 08:00", 0},
	{"peritoneal dialysis, 4 kg in six days", "peritoneal-dialysis", `
      - {at: day 1 08:00, every: 1d, measure: weight, value: [70, 70.6, 71.3, 72, 72.7, 73.4, 74]}`,
		"", "weight-up", protocols.Orange, "day 6 09:00", 0},
	{"dialysis, no session for 13 days", "kidney-failure", `
      - {at: day 1 08:00, measure: dialysis-session, values: {weight-start: 72, dry-weight: 70, weight-end: 70}}`,
		"", "long-without-session", protocols.Red, "day 11 00:00", 0},
	{"hypertension, 170 over 105 for days", "hypertension", `
      - {at: day 1 08:00, every: 5m, days: 3, measure: blood-pressure, values: {systolic: [170, 170], diastolic: 105}}`,
		"", "pressure-high-days", protocols.Orange, "day 3 00:00", 0},

	// The first days, before a baseline exists.
	{"first days of COPD, saturation of 86", "copd", `
      - {at: day 1 08:00, every: 10m, measure: oxygen-saturation, value: [86, 86]}`, "", "saturation-low", protocols.Orange, "day 1 08:10", 0},
	{"first days after a graft, creatinine from 120 to 150 in two days", "kidney-failure-graft", `
      - {at: day 1 08:00, every: 2d, measure: creatinine, value: [120, 150]}`, "", "creatinine-jump", protocols.Red, "day 3 08:00", 0},
	{"first week of a graft, creatinine from 80 to 121 in six days, 15 at most in two", "kidney-failure-graft", `
      - {at: day 1 08:00, every: 2d, measure: creatinine, value: [80, 95, 109, 121]}`, "", "creatinine-jump", protocols.Red, "day 7 08:00", 0},

	// The return from hospital, with a baseline that is no longer the patient's.
	{"heart failure, weighed every third day, 7.6 kg in three weeks", "heart-failure", `
      - {at: day 1 07:30, every: 3d, measure: weight, value: [80, 80, 80, 80, 80, 80, 80, 80, 80, 80, 81, 82.1, 83.2, 84.3, 85.4, 86.5, 87.6]}`,
		"", "weight-gain-slow", protocols.Orange, "day 40 08:00", 0},
	{"heart failure, oedema and orthopnoea from 0 to 1 to 2, twenty days each: oedema", "heart-failure", `
      - {at: day 1 08:00, every: 1d, for: 20d, measure: symptom, values: {oedema: 0, orthopnoea: 0}}
      - {at: day 21 08:00, every: 1d, for: 20d, measure: symptom, values: {oedema: 1, orthopnoea: 1}}
      - {at: day 41 08:00, every: 1d, for: 20d, measure: symptom, values: {oedema: 2, orthopnoea: 2}}`,
		"", "oedema", protocols.Yellow, "day 42 08:00", 0},
	{"heart failure, oedema and orthopnoea from 0 to 1 to 2, twenty days each: orthopnoea", "heart-failure", `
      - {at: day 1 08:00, every: 1d, for: 20d, measure: symptom, values: {oedema: 0, orthopnoea: 0}}
      - {at: day 21 08:00, every: 1d, for: 20d, measure: symptom, values: {oedema: 1, orthopnoea: 1}}
      - {at: day 41 08:00, every: 1d, for: 20d, measure: symptom, values: {oedema: 2, orthopnoea: 2}}`,
		"", "orthopnoea", protocols.Yellow, "day 42 08:00", 0},
	{"heart failure with a scale and an oximeter, pulse from 70 to 92 for a week", "heart-failure", `
      - {at: day 1 08:00, every: 1d, for: 20d, measure: heart-rate, value: 70}
      - {at: day 21 08:00, every: 1d, for: 7d, measure: heart-rate, value: 92}`,
		"", "oximeter-pulse-rise", protocols.Yellow, "day 23 08:00", 0},
	{"heart failure, saturation from 99 to 94", "heart-failure", `
      - {at: day 1 08:00, every: 1d, for: 20d, measure: oxygen-saturation, value: 99}
      - {at: day 21 08:00, every: 1d, for: 20d, measure: oxygen-saturation, value: 94}`,
		"", "saturation-below-usual", protocols.Yellow, "day 22 08:15", 0}, // a second reading may contradict it within the quarter
	{"heart failure, home from hospital eight kilos lighter, 0.4 kg a day since", "heart-failure", `
      - {at: day 1 07:30, every: 1d, for: 14d, measure: weight, value: 84}
      - {at: day 25 07:30, every: 1d, for: 8d, measure: weight, value: 76, add: 0.4}`,
		"{from: day 15 00:00, until: day 25 00:00, reason: hôpital}", "weight-gain-fast", protocols.Orange, "day 32 08:00", 0},
	{"COPD, home from hospital with 93 where 88 was usual, 88 again after ten days", "copd", `
      - {at: day 1 07:30, every: 1d, for: 14d, measure: oxygen-saturation, value: 88}
      - {at: day 25 07:30, every: 1d, for: 10d, measure: oxygen-saturation, value: 93}
      - {at: day 35 07:30, every: 1d, for: 5d, measure: oxygen-saturation, value: 88}`,
		"{from: day 15 00:00, until: day 25 00:00, reason: hôpital}", "saturation-below-usual", protocols.Yellow, "day 38 08:00", 0},

	// The patient with only one of the devices.
	{"heart failure with an oximeter alone, pulse of 140", "heart-failure", `
      - {at: day 1 08:00, every: 5m, measure: heart-rate, value: [140, 142]}`, "", "pulse-fast", protocols.Orange, "day 1 08:05", 0},
	{"diabetes with a flash sensor read every eight hours, 38 once", "diabetes", `
      - {at: day 1 08:00, measure: glucose, variant: interstitial, value: 110}
      - {at: day 1 16:00, measure: glucose, variant: interstitial, value: 38}`, "", "hypoglycaemia-scan", protocols.Red, "day 1 16:30", 0},
	{"diabetes with a flash sensor read every eight hours, 400 for a day", "diabetes", `
      - {at: day 1 08:00, every: 8h, for: 33h, measure: glucose, variant: interstitial, value: 400}`, "", "very-high-scans", protocols.Orange, "day 2 01:00", 0},
	{"pregnancy with a flash sensor read every six hours, 38 once", "diabetes-pregnancy", `
      - {at: day 1 10:00, measure: glucose, variant: interstitial, value: 110}
      - {at: day 1 16:00, measure: glucose, variant: interstitial, value: 38}`, "", "hypoglycaemia-scan", protocols.Red, "day 1 16:30", 0},
	{"pregnancy with a flash sensor read every six hours, 260 for a day", "diabetes-pregnancy", `
      - {at: day 1 06:00, every: 6h, for: 20h, measure: glucose, variant: interstitial, value: 260}`, "", "very-high-scans", protocols.Orange, "day 1 19:00", 0},

	// A dangerous state that is steady.
	{"COPD, 84 % every day", "copd", `
      - {at: day 1 08:00, every: 1d, for: 30d, measure: oxygen-saturation, value: 84}`, "", "saturation-low", protocols.Orange, "day 1 08:15", 0},
	{"COPD, breathlessness of 0, then 1, then 2, for twenty days each", "copd", `
      - {at: day 1 08:00, every: 1d, for: 20d, measure: symptom, values: {breathlessness: 0}}
      - {at: day 21 08:00, every: 1d, for: 20d, measure: symptom, values: {breathlessness: 1}}
      - {at: day 41 08:00, every: 1d, for: 20d, measure: symptom, values: {breathlessness: 2}}`, "", "breathlessness-drift", protocols.Yellow, "day 35 08:00", 0},
	{"COPD, short of breath at 2 for four weeks where 1 is the usual that was set", "copd", `
      - {at: day 1 08:00, every: 1d, for: 28d, measure: symptom, values: {breathlessness: 2}}`, "", "breathlessness-steady", protocols.Yellow, "day 12 08:00", 0},
	{"oxygen, breathlessness of 0, then 1, then 2, for twenty days each", "respiratory-failure-oxygen", `
      - {at: day 1 08:00, every: 1d, for: 20d, measure: symptom, values: {breathlessness: 0}}
      - {at: day 21 08:00, every: 1d, for: 20d, measure: symptom, values: {breathlessness: 1}}
      - {at: day 41 08:00, every: 1d, for: 20d, measure: symptom, values: {breathlessness: 2}}`, "", "breathlessness-drift", protocols.Yellow, "day 35 08:00", 0},
	{"oxygen, short of breath at 2 for four weeks where 1 is the usual that was set", "respiratory-failure-oxygen", `
      - {at: day 1 08:00, every: 1d, for: 28d, measure: symptom, values: {breathlessness: 2}}`, "", "breathlessness-steady", protocols.Yellow, "day 12 08:00", 0},
	{"ventilated, breathlessness of 0, then 1, then 2, for twenty days each", "respiratory-failure", `
      - {at: day 1 08:00, every: 1d, for: 20d, measure: symptom, values: {breathlessness: 0}}
      - {at: day 21 08:00, every: 1d, for: 20d, measure: symptom, values: {breathlessness: 1}}
      - {at: day 41 08:00, every: 1d, for: 20d, measure: symptom, values: {breathlessness: 2}}`, "", "breathlessness-drift", protocols.Yellow, "day 35 08:00", 0},
	{"ventilated, short of breath at 2 for four weeks where 1 is the usual that was set", "respiratory-failure", `
      - {at: day 1 08:00, every: 1d, for: 28d, measure: symptom, values: {breathlessness: 2}}`, "", "breathlessness-steady", protocols.Yellow, "day 12 08:00", 0},
	{"COPD, ill from the first day, each sign just short of danger", "copd", `
      - {at: day 1 08:00, every: 1d, for: 6d, measure: symptom, values: {breathlessness: 2, cough: 2, sputum: 2}}
      - {at: day 1 08:05, every: 1d, for: 6d, measure: oxygen-saturation, value: 88}
      - {at: day 1 08:06, every: 1d, for: 6d, measure: heart-rate, value: 129}
      - {at: day 1 08:07, every: 1d, for: 6d, measure: respiratory-rate, value: 24}`, "", "signs-together", protocols.Orange, "day 1 09:00", 0},
	{"ventilated, ill from the first day, each sign just short of danger", "respiratory-failure", `
      - {at: day 1 08:00, every: 1d, for: 6d, measure: symptom, values: {breathlessness: 2}}
      - {at: day 1 08:06, every: 1d, for: 6d, measure: heart-rate, value: 128}
      - {at: day 1 08:07, every: 1d, for: 6d, measure: respiratory-rate, value: 24}
      - {at: day 1 08:08, every: 12h, for: 6d, measure: temperature, value: 38.9}`, "", "signs-together", protocols.Orange, "day 1 09:00", 0},
	{"ventilated, saturation of 76 every five minutes for six hours", "respiratory-failure", `
      - {at: day 1 22:00, every: 5m, for: 2h, measure: oxygen-saturation, value: 92}
      - {at: day 2 00:05, every: 5m, for: 6h, measure: oxygen-saturation, value: 76}`, "", "saturation-low", protocols.Red, "day 2 00:30", 0},
	{"ventilated, 35 breaths a minute in one night", "respiratory-failure", `
      - {at: day 1 08:00, measure: ventilation, values: {hours: 8, respiratory-rate: 35}}`, "", "breathing-fast", protocols.Orange, "day 1 09:00", 0},
	{"ventilated, no ventilation on two nights of three", "respiratory-failure", `
      - {at: day 1 08:00, every: 1d, measure: ventilation, values: {hours: [0, 0, 8, 0, 0, 8, 0, 0, 8]}}`, "", "ventilation-off-often", protocols.Orange, "day 7 12:00", 0},
	{"hypertension, 175 over 95 every morning for a month", "hypertension", `
      - {at: day 1 08:00, every: 1d, for: 30d, measure: blood-pressure, values: {systolic: 175, diastolic: 95}}`, "", "pressure-high-days", protocols.Orange, "day 3 00:00", 0},
	{"heart failure, 88 over 55 every morning", "heart-failure", `
      - {at: day 1 08:00, every: 1d, for: 10d, measure: blood-pressure, values: {systolic: 88, diastolic: 55}}`, "", "blood-pressure-low", protocols.Orange, "day 1 08:30", 0},

	// A slow drift.
	{"heart failure, 0.12 kg a day for six weeks", "heart-failure", `
      - {at: day 1 07:30, every: 1d, for: 42d, measure: weight, value: 80, add: 0.12}`, "", "weight-month", protocols.Yellow, "day 42 08:00", 0},
	{"COPD, one point of saturation a fortnight for eight weeks", "copd", `
      - {at: day 1 07:30, every: 1d, for: 14d, measure: oxygen-saturation, value: 94}
      - {at: day 15 07:30, every: 1d, for: 14d, measure: oxygen-saturation, value: 93}
      - {at: day 29 07:30, every: 1d, for: 14d, measure: oxygen-saturation, value: 91}
      - {at: day 43 07:30, every: 1d, for: 14d, measure: oxygen-saturation, value: 90}`, "", "saturation-month", protocols.Yellow, "day 56 08:00", 0},
	{"graft, creatinine up 8 µmol/L every two weeks for half a year", "kidney-failure-graft", `
      - {at: day 1 08:00, every: 14d, for: 182d, measure: creatinine, value: 120, add: 8}`, "", "creatinine-rising", protocols.Orange, "day 180 08:00", 0},
	{"ventilated, ten minutes less each night for a month", "respiratory-failure", `
      - {at: day 1 07:30, every: 1d, for: 30d, measure: ventilation, values: {hours: 9}, add: {hours: -0.17}}`, "", "ventilation-month", protocols.Yellow, "day 30 12:00", 0},
	{"peritoneal dialysis, 0.2 kg a day for four weeks", "peritoneal-dialysis", `
      - {at: day 1 07:30, every: 1d, for: 28d, measure: weight, value: 70, add: 0.2}`, "", "weight-month", protocols.Yellow, "day 28 08:00", 0},

	// A finished improvement: better for a time, then as bad as before.
	{"heart failure, four kilos gone by diuretics, back in ten days", "heart-failure", `
      - {at: day 1 07:30, every: 1d, for: 14d, measure: weight, value: 84}
      - {at: day 15 07:30, every: 1d, for: 8d, measure: weight, value: 83.5, add: -0.5}
      - {at: day 23 07:30, every: 1d, for: 10d, measure: weight, value: 80.4, add: 0.4}`, "", "weight-gain-fast", protocols.Orange, "day 30 08:00", 7},
	{"diabetes, three good days between two runs of high ones", "diabetes", `
      - {at: day 1 08:00, every: 4h, for: 16h, days: 4, measure: glucose, variant: capillary, value: 270}
      - {at: day 5 08:00, every: 4h, for: 16h, days: 3, measure: glucose, variant: capillary, value: 130}
      - {at: day 8 08:00, every: 4h, for: 16h, days: 3, measure: glucose, variant: capillary, value: 270}`, "", "high-days-capillary", protocols.Orange, "day 11 00:00", 2},

	// The first days, seen by one device each.
	{"first week of heart failure with a scale alone, 3 kg in six days", "heart-failure", `
      - {at: day 1 07:30, every: 1d, measure: weight, value: [79, 79.5, 80, 80.5, 81, 81.5, 82]}`, "", "weight-gain-fast", protocols.Orange, "day 7 08:00", 0},
	{"first days of heart failure with a questionnaire alone, short of breath at 2 for two days", "heart-failure", `
      - {at: day 1 08:00, every: 1d, measure: symptom, values: {breathlessness: [2, 2]}}`, "", "breathlessness-unusual", protocols.Yellow, "day 2 08:00", 0},
	{"first days of COPD with a spirometer alone, FEV1 from 1.6 to 1.2", "copd", `
      - {at: day 1 08:00, every: 1d, measure: fev1, value: [1.6, 1.5, 1.35, 1.2]}`, "", "fev1-fall", protocols.Yellow, "day 4 08:00", 0},
	{"first nights of a ventilator that is not used at all", "respiratory-failure", `
      - {at: day 1 07:30, every: 1d, for: 5d, measure: ventilation, values: {hours: 0}}`, "", "ventilation-short", protocols.Orange, "day 4 00:00", 0},
	{"first days of oxygen that is not used at all", "respiratory-failure-oxygen", `
      - {at: day 1 09:30, every: 1d, for: 5d, measure: oxygen-therapy, values: {hours: 0}}`, "", "oxygen-short", protocols.Orange, "day 4 00:00", 0},
	{"first days of oxygen, flow from 1.5 to 4 L/min in three days", "respiratory-failure-oxygen", `
      - {at: day 1 09:30, every: 1d, measure: oxygen-therapy, values: {hours: 16, flow: [1.5, 2, 3, 4]}}`, "", "flow-rising", protocols.Orange, "day 4 10:00", 0},
	{"first days of oxygen, short of breath from 1 to 2 and saturation at 88", "respiratory-failure-oxygen", `
      - {at: day 1 08:00, every: 1d, measure: symptom, values: {breathlessness: [0, 1, 2, 2]}}
      - {at: day 1 08:05, every: 1d, measure: oxygen-saturation, value: [92, 90, 88, 88]}`, "", "breathlessness", protocols.Yellow, "day 4 09:00", 0},
	{"heart failure, a diuretic too strong: 5 kg lost in five weeks", "heart-failure", `
      - {at: day 1 07:30, every: 1d, for: 14d, measure: weight, value: 80}
      - {at: day 15 07:30, every: 1d, for: 35d, measure: weight, value: 80, add: -0.14}`, "", "weight-loss-month", protocols.Yellow, "day 49 08:00", 0},
	{"peritoneal dialysis, 4 kg lost in six days", "peritoneal-dialysis", `
      - {at: day 1 08:00, every: 1d, measure: weight, value: [70, 69.4, 68.7, 68, 67.3, 66.6, 66]}`, "", "weight-down", protocols.Yellow, "day 7 09:00", 0},
	{"oxygen, a tenth of a litre more every four days for ten weeks", "respiratory-failure-oxygen", `
      - {at: day 1 09:30, every: 1d, for: 70d, measure: oxygen-therapy, values: {hours: 16, flow: 1.5}, add: {flow: 0.025}}`, "", "flow-month", protocols.Yellow, "day 70 12:00", 0},
	{"oxygen, one point of saturation a week for five weeks", "respiratory-failure-oxygen", `
      - {at: day 1 08:00, every: 1d, for: 7d, measure: oxygen-saturation, value: 93}
      - {at: day 8 08:00, every: 1d, for: 7d, measure: oxygen-saturation, value: 92}
      - {at: day 15 08:00, every: 1d, for: 7d, measure: oxygen-saturation, value: 91}
      - {at: day 22 08:00, every: 1d, for: 7d, measure: oxygen-saturation, value: 90}
      - {at: day 29 08:00, every: 1d, for: 7d, measure: oxygen-saturation, value: 89}
      - {at: day 36 08:00, every: 1d, for: 7d, measure: oxygen-saturation, value: 88}`, "", "saturation-month", protocols.Yellow, "day 42 12:00", 0},
	{"ventilated, one point of saturation a week for five weeks", "respiratory-failure", `
      - {at: day 1 08:00, every: 1d, for: 7d, measure: oxygen-saturation, value: 94}
      - {at: day 8 08:00, every: 1d, for: 7d, measure: oxygen-saturation, value: 93}
      - {at: day 15 08:00, every: 1d, for: 7d, measure: oxygen-saturation, value: 92}
      - {at: day 22 08:00, every: 1d, for: 7d, measure: oxygen-saturation, value: 91}
      - {at: day 29 08:00, every: 1d, for: 7d, measure: oxygen-saturation, value: 90}
      - {at: day 36 08:00, every: 1d, for: 7d, measure: oxygen-saturation, value: 89}`, "", "saturation-month", protocols.Yellow, "day 42 12:00", 0},
	{"graft, weight up 0.15 kg a day for six weeks", "kidney-failure-graft", `
      - {at: day 1 07:30, every: 1d, for: 42d, measure: weight, value: 72, add: 0.15}`, "", "weight-month", protocols.Yellow, "day 42 12:00", 0},
	{"heart failure, home from hospital 4 kg heavier and steady", "heart-failure", `
      - {at: day 1 07:30, every: 1d, for: 14d, measure: weight, value: 80}
      - {at: day 25 07:30, every: 1d, for: 14d, measure: weight, value: 84}`,
		"{from: day 15 00:00, until: day 25 00:00, reason: hôpital}", "weight-gain-slow", protocols.Yellow, "day 30 08:00", 0},
	{"peritoneal dialysis, home from hospital 3 kg lighter, 0.5 kg a day since", "peritoneal-dialysis", `
      - {at: day 1 07:30, every: 1d, for: 14d, measure: weight, value: 73}
      - {at: day 25 07:30, every: 1d, for: 9d, measure: weight, value: 70, add: 0.5}`,
		"{from: day 15 00:00, until: day 25 00:00, reason: hôpital}", "weight-up", protocols.Orange, "day 33 09:00", 0},
	{"graft, home from hospital with 200 where 120 was usual", "kidney-failure-graft", `
      - {at: day 1 08:00, every: 7d, for: 28d, measure: creatinine, value: 120}
      - {at: day 40 08:00, every: 7d, for: 8d, measure: creatinine, value: 200}`,
		"{from: day 30 00:00, until: day 39 00:00, reason: hôpital}", "creatinine-rising", protocols.Orange, "day 40 12:00", 0},
	{"ventilated, home from hospital with four hours a night where eight were usual", "respiratory-failure", `
      - {at: day 1 07:30, every: 1d, for: 14d, measure: ventilation, values: {hours: 8}}
      - {at: day 25 07:30, every: 1d, for: 14d, measure: ventilation, values: {hours: 4}}`,
		"{from: day 15 00:00, until: day 25 00:00, reason: hôpital}", "ventilation-month", protocols.Yellow, "day 26 12:00", 0},
	{"hypertension, three good days between two runs of 172", "hypertension", `
      - {at: day 1 08:00, every: 1d, for: 5d, measure: blood-pressure, values: {systolic: 172, diastolic: 95}}
      - {at: day 6 08:00, every: 1d, for: 3d, measure: blood-pressure, values: {systolic: 128, diastolic: 80}}
      - {at: day 9 08:00, every: 1d, for: 4d, measure: blood-pressure, values: {systolic: 172, diastolic: 95}}`, "", "pressure-high-days", protocols.Orange, "day 12 00:00", 3},
	{"gestational diabetes, 1.10 g/L fasting every morning, all else in range", "diabetes-pregnancy", `
      - {at: day 1 07:00, every: 1d, for: 7d, measure: glucose, variant: capillary, value: 110}
      - {at: day 1 10:00, every: 4h, for: 11h, days: 7, measure: glucose, variant: capillary, value: 115}`, "", "fasting-high", protocols.Yellow, "day 4 00:00", 0},
	{"gestational diabetes, 1.10 g/L fasting for a week, and 1.30 an hour after breakfast", "diabetes-pregnancy", `
      - {at: day 1 07:00, every: 90m, for: 2h, days: 7, measure: glucose, variant: capillary, value: [110, 130]}`, "", "fasting-high", protocols.Orange, "day 8 00:00", 0},
	{"graft, a first creatinine of 500 with nothing before it", "kidney-failure-graft", `
      - {at: day 1 08:00, measure: creatinine, value: 500}`, "", "creatinine-very-high", protocols.Orange, "day 1 08:00", 0},
	{"graft, a first creatinine of 500 of which the laboratory gives the day alone", "kidney-failure-graft", `
      - {at: day 1, measure: creatinine, value: 500}`, "", "creatinine-very-high", protocols.Orange, "day 1 12:00", 0},
	{"graft, creatinine from 200 to 130 by treatment, then 200 again", "kidney-failure-graft", `
      - {at: day 1 08:00, every: 7d, measure: creatinine, value: [200, 190, 160, 140, 130, 130, 130, 165, 200]}`, "", "creatinine-rising", protocols.Orange, "day 57 12:00", 9},
	{"COPD, saturation back at 86 after a good week", "copd", `
      - {at: day 1 08:00, every: 1d, for: 4d, measure: oxygen-saturation, value: 86}
      - {at: day 5 08:00, every: 1d, for: 7d, measure: oxygen-saturation, value: 92}
      - {at: day 12 08:00, every: 1d, for: 3d, measure: oxygen-saturation, value: 86}`, "", "saturation-low", protocols.Orange, "day 12 08:30", 2},
	{"diabetes with a meter alone, 52 once a day for four days", "diabetes", `
      - {at: day 1 08:00, every: 4h, for: 16h, days: 4, measure: glucose, variant: capillary, value: [150, 52, 160, 170]}`, "", "severe-hypoglycaemia", protocols.Orange, "day 4 20:00", 0},
	{"diabetes, 45 for half an hour every night for four nights", "diabetes", `
      - {at: day 1 00:00, every: 5m, for: 3h, measure: glucose, variant: interstitial, value: 120}
      - {at: day 1 03:00, every: 5m, for: 35m, days: 4, measure: glucose, variant: interstitial, value: 45}
      - {at: day 1 03:40, every: 5m, for: 20h, days: 4, measure: glucose, variant: interstitial, value: 120}`, "", "severe-hypoglycaemia", protocols.Orange, "day 5 00:00", 0},
}

// TestNoneOfTheSilencesIsLeft plays each of them under the whole protocol with its
// default settings.
func TestNoneOfTheSilencesIsLeft(t *testing.T) {
	shipped, err := library.Library(yaml.Parse)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range silences {
		t.Run(s.protocol+"/"+s.who, func(t *testing.T) {
			findings, by := heard(t, newest(shipped, s.protocol), s)
			if !slices.ContainsFunc(findings, func(f protocols.Finding) bool {
				return f.Rule == s.rule && f.Level >= s.level && (f.Kind == protocols.Raised || f.Kind == protocols.Risen) && !f.Found.After(by) && !f.TooLate &&
					(s.after == 0 || f.At.After(by.AddDate(0, 0, -s.after)))
			}) {
				var rang []string
				for _, f := range findings {
					rang = append(rang, fmt.Sprintf("%s %s %s at %s", f.Rule, f.Level, f.Kind, f.At.In(by.Location()).Format("02/01 15:04")))
				}
				t.Errorf("%s does not ring %s by %s; what rang: %s", s.rule, s.level, s.by, strings.Join(rang, ", "))
			}
		})
	}
}

// heard plays the readings up to the moment by which something has to ring.
func heard(t *testing.T, p *protocols.Protocol, s silence) ([]protocols.Finding, time.Time) {
	t.Helper()
	pauses := ""
	if s.pause != "" {
		pauses = "    pauses: [" + s.pause + "]\n"
	}
	text := fmt.Sprintf("protocol: %s\ntests:\n  - name: silence\n%s    readings:%s\n    until: %s\n    expect: []\n", p.ID, pauses, s.readings, s.by)
	doc, err := yaml.Parse([]byte(text))
	if err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	timelines, problems := language.ParseTimelines(p, doc)
	if len(timelines) != 1 {
		t.Fatalf("%+v in\n%s", problems, text)
	}
	plan, err := engine.NewPlan(p)
	if err != nil {
		t.Fatal(err)
	}
	findings, err := trial.Play(&timelines[0], plan)
	if err != nil {
		t.Fatal(err)
	}
	return findings, timelines[0].Until
}
