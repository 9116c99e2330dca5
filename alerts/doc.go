// Package alerts takes a finding to a person who has dealt with it.
//
// A finding raises an alert, or adds to the one that stands for the same episode:
// Apply decides that, in the transaction that keeps the readings, through a Ledger.
// People act: Acknowledge, Release, Note, Assign, Transfer, CallBack, Snooze, Close. Pass says
// what time alone brings, on the team's Calendar and Rota. Messages wait in an outbox,
// and the Dispatcher sends them through channels until they are confirmed.
//
// # The life of an alert
//
// An alert stays in front of somebody until the patient is safe. These rules say how.
// Each has an example that runs, Example_ruleN, and testdata/life.txt holds a table of
// every state and everything that can happen in it.
//
//  1. An episode that no alert stands for raises one. While an alert of the same rule is
//     unanswered, or is taken on and its condition holds, the episode joins it, also where
//     another version of the protocol finds it.
//  2. A level only rises. A rise calls people, and opens again what was taken on. A rise
//     above a resolved alert raises a new one.
//  3. The end of a condition is noted and closes nothing. Silence ends nothing.
//  4. Resolving is about what was seen. While the condition holds on, a new alert that
//     names the resolved one comes back: at once when it is graver, else with the first
//     reading after the rest time of its level. A red comes back without a reading too. Its
//     rest is opening time; for a reading it is time on the wall where somebody on duty is
//     called for reds.
//     An orange that is no graver comes back on the list and in the digest of the next
//     opening, from which its deadline runs.
//  5. Graver is a higher level, one more sign of a combination, or a figure beyond the
//     worst one that people were told of, by the hysteresis of the rule, or by a twentieth
//     of its threshold where it has none.
//  6. Evidence lapses. A reading is evidence for as long as the rule looks back, for seven
//     days and for three usual intervals at least. Of what happened, such as a shock, it is
//     for as long as the rule looks back alone. The next reading for which the condition
//     holds then begins anew: it rings, and as a new alert where somebody had answered.
//     The former alert is not over: nobody has measured since.
//  7. Further episodes of an unanswered alert that is over ring, once in the rest time of
//     its level on the wall; those between are counted as flips. A milder one does not
//     ring. So it is for who has taken an alert on. After a resolved alert that was over,
//     the next episode is a new alert: a red rings, others do within the rest time only
//     when they are graver.
//  8. Missing readings cannot be silenced. When resolved they come back at each further
//     step of the rule, then every week, until a reading, a pause or the end of the
//     follow-up. A pause holds them back, and their deadline starts anew at its end.
//  9. A silence that was there before Vigie could look stands on the list with a deadline
//     at once. The team is told once for all such patients, at its next opening.
//  10. What is found too late is shown, and told once at the next opening of the team.
//     When it goes on, it rings. What people answered for, and late readings make graver,
//     is to be looked at again by a deadline. A rule about events rings for seven days after the
//     event; older than a day it waits for the opening.
//  11. Taking an alert on starts a clock. When it runs out, whoever took it on is asked
//     again, then the escalation goes on. A figure that got worse since opens it again.
//  12. What nobody answers goes up, step by step: a red twice to each step of the team's
//     chain, an orange once, then to the administrator of the service. Yellow and technical
//     alerts go to the first step alone. When all were told in vain, also after
//     somebody had taken it on, and it is still measured a day after for a red, three for an
//     orange, people are called anew; of missing readings, after a week.
//  13. People are called once for a patient until somebody answers or something graver is
//     found, as long as that call goes on: what is found after its last step, and after the
//     rest time of its level, calls anew. Systems hear of everything. Yellow waits for the digest of the next opening.
//  14. While the team is closed, what rings goes where the team has chosen for that level:
//     into its box at once, nowhere before the opening, or to whoever is on duty. Where a
//     rota has nobody then, the first step of the escalation is called.
//  15. A snooze is bounded by the level, ends by itself, and at once when the alert gets
//     graver. Missing readings cannot be snoozed.
//  16. Closing asks for an outcome; for a red that another person has taken on, for a red
//     that needed nothing, and for a false alarm, for the reason. A patient who was not reached leaves a red open.
//  17. A late reading moves the beginning of its episode back. Late readings never hide an
//     alert: an end that they undo is taken back, and what was resolved as over opens
//     again with the team in charge now.
//  18. A finding that was made before changes nothing.
//  19. Who acted may undo it for a minute, as long as nothing else has changed the alert:
//     it is as if the act had not been, and the deadline is what it was. The events keep
//     both; whoever had been told of the act is told that it is undone.
//  20. A reading that is struck out never was. An alert that rested on it alone is closed by
//     that act, with its reason, and whoever was woken is told. One that has another reason
//     stays, with the level and the words of what is left. Undone, what held rings again.
//  21. An alert may be transferred to another team, with a reason: its messages and its
//     clock are those of that team, and nobody has answered it there. It is refused where
//     nobody reads that team's alerts. What comes back, or begins anew, is the patient's
//     team's. So is the alert once that team is no more.
//  22. Where two records are merged as those of one person, people are called once for
//     both, and the worklist has one row. Each alert stays with the record that its readings
//     came to. Once the merge is taken back, each record is called for by itself.
//
// Glossary: raise = make an alert; ring = call people; find = search; apply = findings
// to alerts; act = what a person does; take on = acknowledge; take back = undo; resolve
// = end an alert, by an act; note = write down for later, and change nothing else; plan
// = what is laid out beforehand; take = get the next of what is there, which nobody else
// gets then; lapse = evidence that is too old; rest = the time a resolved alert stays
// away; flip = an episode that was counted without a ring.  Sub-folders are the
// channels, the access of people and the clinicians' workspace. The stores stand in
// ingest/stores, each beside the readings, so that what a reading raises is committed
// with it; all of them pass the tests of ingest/stores/storetest.
package alerts
