// Package sqlite is the embedded store: one file, one writer, readers beside it.
// It keeps what ingest, the registry and alerts declare, so that what a reading
// raises is committed with it.
//
// A commit is quick because it only appends: a batch of readings is one row of
// the journal, and what is in the journal is kept. From there readings are filed
// later, sorted, a share with each following commit: into blocks, from which a
// patient's history is read, and into seen, the ids by which repetitions are
// told. What is not filed yet is also in memory (see generation), so that nothing
// is ever missing; after a restart it is read back from the journal.
//
// Filed at once, each reading would touch pages of its own in two trees, and
// every page touched is written twice: into the log and into the file. Measured
// with 1,000 patients, that was three quarters of the work of the whole service.
//
// Names that come back in every reading (devices, patients, measures) are
// numbers here, so that a blood pressure takes some forty bytes.
//
// Durability: write-ahead log with synchronous=FULL. When Update returns nil the
// log has been synced.
package sqlite
