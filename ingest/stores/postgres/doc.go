// Package postgres is the store for several nodes: any number of identical Vigie
// nodes work on one PostgreSQL database (14 or later), each taking any device's
// readings. It keeps what ingest, the registry and alerts declare, so that what a
// reading raises is committed with it.
//
// # One transaction
//
// What a batch of readings brings is one transaction at READ COMMITTED. What can
// wait until the commit does, and locks are taken in one order, so that two nodes
// wait for each other rather than deadlock: states (by enrolment), readings (by
// device and id), the status of devices (by name), the alerts, and last the end of the journal. A deadlock that happens all the same is
// ingest.ErrConflict, like any other meeting of two nodes.
//
// # One patient, one node at a time
//
// A state carries a version. SaveStates writes it only if the version is still
// the one that was loaded, and holds the row until the commit; who comes second
// gets ErrConflict, loads again and evaluates again. Claim asks for the versions
// of a whole batch beforehand and holds them, so that a node whose memory is old
// loads what has changed and does not evaluate in vain. A node that met no other of late,
// and has all it needs in memory, does without.
// Recollect then reads what it needs together.
//
// A node that has a patient in memory does not read at all. Measured with a
// thousand patients and one node (BenchmarkNodes), a reading costs 17 µs of
// processor in PostgreSQL and as much in Vigie. With three nodes and readings that
// reach any of them, two of three find their memory old: 57 µs and 46 µs, and more
// the longer the windows of the protocol are. Where the broker
// can route by client or topic within a shared subscription, let it.
//
// The same reading delivered to two nodes at once waits on the primary key of
// the readings: exactly one of them finds it fresh.
//
// # The journal
//
// Sequence numbers are given out in the order of commits, so that a reader that
// has seen number n never meets a smaller one later. Numbers from a sequence do
// not have that property: a transaction may take 7, and commit after the one
// that took 8 was read. Here the readings of a batch get their numbers in the
// last statement before the commit, under a lock (of the kind pg_advisory_xact_lock)
// that ends with it; statement and commit leave in one message, so the lock
// lasts no longer than the commit takes. Numbers grow, and may leave gaps.
//
// # Alerts
//
// What findings do to the alerts of an enrolment is serialised by whoever writes the
// findings, who holds the enrolment's state; technical findings, which may concern
// a device alone, wait for each other by device. An act of a person waits on the
// alert's row. Events get their numbers under a lock that ends with the commit, so
// that they too are numbered in the order of commits. A message is claimed by the
// node that is about to send it.
//
// # Background work
//
// Lead gives work that must not be done twice at once to one node, by a lease
// that is renewed while the node lives.
//
// # Upgrades
//
// Nodes migrate the schema when they start, one at a time. Old and new nodes
// work side by side on one database because a step only adds: tables, indexes,
// columns that have a default. A step that old nodes could not work with raises
// the floor beside it, see Migrate, and they refuse to start.
package postgres
