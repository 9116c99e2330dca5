package service

import (
	"maps"

	"vigie/ingest"
	"vigie/ingest/formats/fhir"
	"vigie/ingest/formats/gatt"
	"vigie/ingest/formats/native"
	"vigie/ingest/formats/nightscout"
	"vigie/ingest/formats/openmhealth"
	"vigie/ingest/formats/senml"
)

// formats holds, by topic, what decodes the messages there: a line for each format with a
// topic of its own. Both doors take their topics from it.
var formats = map[string]ingest.Decoder{
	ingest.ReadingsTopic: native.Decoder{},
	fhir.Topic:           fhir.Decoder{},
	gatt.Topic:           gatt.Decoder{},
	nightscout.Topic:     nightscout.Decoder{},
	openmhealth.Topic:    openmhealth.Decoder{},
	senml.Topic:          senml.Decoder{},
	senml.CBORTopic:      senml.CBORDecoder{},
}

// Formats are the decoders by their topics.
func Formats() map[string]ingest.Decoder { return maps.Clone(formats) }
