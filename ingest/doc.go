// Package ingest takes a payload to a committed, evaluated reading.
//
// The life of a reading: a door (doors) receives a Message and submits it to the
// Pipeline, which decodes it there and then, in the door's goroutine: a Decoder
// (formats) turns it into readings or refusals. The queue makes devices wait when
// there is no room. The committer takes what is waiting, a batch at a time: the
// directory finds device and enrolments, as the registry has them; check says
// whether the reading may be kept.
//
// Then comes one transaction of the Store (stores). The reading is kept unless its
// id was seen before, and the care protocol evaluates it. Findings are kept with the
// alert changes and messages that follow from them, as are the evaluation's state
// and what is set aside. Only then is the message done with: the door acknowledges,
// and a receipt goes to the device. InfluxDB is fed from what was committed, in the background.
//
// What time alone brings, silence above all, is found by Pipeline.Sweep; what was
// set aside is tried again by Pipeline.Retry. Both run where batches are
// committed, so that an enrolment is never evaluated twice at once.
//
// Glossary: submit = a door gives a message to the pipeline; take = get the next of what
// is there, which nobody else gets then; take over = go on with what another one began;
// find = search; add = keep a finding for the commit under way; apply = findings to
// alerts; settle = what was pending becomes final; set aside = keep what cannot be used,
// with the reason; act = what a person does; plan = what is laid out beforehand; note =
// write down for later, and change nothing else; refuse = say no, with a code and a path.
//
// Sub-folders are the doors (a broker inside, a broker outside), the formats of
// payloads, the stores, and the registry. They do not know each other.
package ingest
