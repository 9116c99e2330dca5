// Package ingest takes a payload to a committed, evaluated reading.
//
// The life of a reading: a door receives a Message; a Decoder turns it into
// readings or refusals; the registry resolves device, patient and enrolments;
// the measure and the enrolment validate it; the care protocol evaluates it; one
// transaction keeps the reading, the findings with the alert changes and
// messages that follow from them, and the evaluation's state; only then does the
// door acknowledge, and a receipt goes to the device. InfluxDB is fed from what
// was committed, in the background.
//
// Sub-folders are the doors (a broker inside, a broker outside), the formats of
// payloads, the stores, and the registry. They do not know each other.
package ingest
