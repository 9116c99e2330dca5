package service

import (
	"maps"

	"vigie/ingest"
	"vigie/ingest/formats/fhir"
	"vigie/ingest/formats/gatt"
	"vigie/ingest/formats/native"
	"vigie/ingest/formats/openmhealth"
)

// formats holds, by topic, what decodes the messages there: a line for each format with a
// topic of its own. Both doors take their topics from it.
var formats = map[string]ingest.Decoder{
	ingest.ReadingsTopic: native.Decoder{},
	fhir.Topic:           fhir.Decoder{},
	gatt.Topic:           gatt.Decoder{},
	openmhealth.Topic:    openmhealth.Decoder{},
}

// Formats are the decoders by their topics.
func Formats() map[string]ingest.Decoder { return maps.Clone(formats) }
