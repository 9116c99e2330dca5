// Package sqlite is the embedded store: one file, one writer, readers beside it.
//
// What a commit writes is laid out for the commit. A batch of readings is one
// row of the journal, appended; beside it each reading goes into the table
// clustered by patient, measure and time, from which history is read without
// jumping about, and its id into the table that tells repetitions. Names that
// come back in every reading (devices, patients, measures) are numbers here, so
// that a blood pressure takes some forty bytes.
//
// Durability: write-ahead log with synchronous=FULL. When Update returns nil the
// log has been synced.
package sqlite
