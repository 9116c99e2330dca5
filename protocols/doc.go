// Package protocols is the domain: measures and their units, readings, care
// protocols with their rules, and the evaluation of readings against rules.
//
// It is pure: the standard library only, no input or output, no clock. What
// time it is, is passed in.
//
// # How readings are evaluated
//
// In the room engine, a Plan makes a protocol ready, and a State evaluates one
// patient reading by reading. Its room plain says the same from a whole history, in
// the simple way. A property test holds the two equal on random protocols and
// histories. What follows binds both.
//
// Each rule has an example that runs, Example_ruleN in the room trial.
//
//  1. Numbers. A Value counts thousandths. Sums, means, medians, shares and
//     slopes are exact fractions and compared as such. Six things are rounded
//     to the thousandth, halves away from zero, before they are used: a number
//     divided by another of its reading, a multiple of a parameter, the mean of a civil day as part of a slope
//     or a baseline, a distance from a baseline in per cent or in deviations, the
//     coefficient of variation, and what is shown to people. A deviation is the sample
//     standard deviation of the daily means of the baseline, or Most where that is less, or Least where that is more.
//  2. Time is that of measurement; when a reading arrives changes nothing, as
//     long as the patient's settings and version stay (20, 21).
//  3. Evaluation. A rule is evaluated on each reading that feeds one of its
//     comparisons, or what is subtracted there (Beside): of its measure and variant, with the component (or whichever, for a flag: 1 for
//     a reading that carries it, 0 for another), not flagged as
//     the observation ignores, within the hours of the day on the patient's clock,
//     of the moment by a meal that is asked for, by what the reading says,
//     and, when only its day is known, for a window of civil days without hours. A rule with comparisons that run over consecutive days is
//     evaluated as well at the end of each civil day that has readings. Readings
//     of one moment are taken in canonical order, after the end of a day at that
//     moment and before deadlines at that moment.
//  4. Twins. Two readings that tell one measurement (Reading.Alike) are both kept
//     and count once: the first for what is expected, the first that no flag
//     keeps out for the rules. Events, doses and dates without an hour have no
//     twins.
//  5. Windows. A duration window holds the readings later than t − Length and up
//     to t. A window of civil days holds those since the patient's local midnight
//     that began the first day; days are 23 or 25 hours long when the clock
//     changes.
//  6. Latest. The zero window is the latest reading (for Step the latest two, for
//     Streak the latest ones), less than seven days old: an older value is no
//     evidence beside a new one.
//  7. Not enough data. A window without readings gives no figure, except for wear
//     and days covered, which are then 0. A step needs two readings, a slope two
//     days, a variation two readings and a mean above 0, a baseline its AtLeast
//     days, a distance in per cent a baseline above 0, one in deviations three days. From the civil day on which
//     its Seed was set for the patient, a baseline takes no earlier day, and is that value,
//     with Least for its deviation, while fewer than AtLeast days hold a reading. Two
//     readings of which one is subtracted from the other (Beside) are at most Within apart. A window under its floor of expected readings gives no figure. Wear
//     expects a reading at every step of the observation's cadence, over the
//     length of the window, or over what has passed of a window of civil days; it
//     never exceeds 100 %.
//  8. Three answers. Conditions combine by Kleene's logic: what cannot be known
//     neither starts nor ends anything. A number of conditions is so when that many
//     are, and is not when no longer so many can be. A score is so when the points of
//     its true parts reach it, and is not when those of its open parts would not.
//  9. Levels. Each level has two conditions: enter, which uses the threshold, and
//     stay, which uses the clear threshold if there is one. On each evaluation
//     the highest level to enter wins, if it is not below the current one. If it
//     is below, the current level stays while stay is true or unknown. Once stay
//     is false, the highest level to enter follows, or rest.
//  10. Leaving. A clear threshold has to be passed to leave: above 60 clear 50
//     leaves at 49.9. A margin is a clear threshold that far from the threshold.
//     In a negation the two ways trade places.
//  11. Holding back. A rule that another one holds back neither starts nor rises
//     while that one is active, nor tells of readings for which it is so; what
//     waits to be confirmed meanwhile is dropped, and what is missing is counted
//     on. A rule that yields to another one is held back in the same way, but only at the
//     levels that are not graver than the one at which the other stands.
//  12. Episodes. An episode lasts from when a rule leaves rest until it is back at
//     rest, and is named after the rule and the moment it began, with a number
//     when readings of that very moment have begun another before. Findings are:
//     it is raised; it has risen above its highest level; again, a reading for
//     which some level is so; ended; resumed. Falling within an episode says
//     nothing. Only a reading or the end of a day with readings ends an episode;
//     silence never does.
//     When an episode is raised or rises, each remark of the rule whose condition is
//     true then is added to what it says. No reading causes an evaluation because a
//     remark looks at it.
//  13. Lasting asks that the comparison has been so on every reading for that
//     long. A silence longer than Gap (Lasting itself, when there is no Gap)
//     begins the stretch anew. Leaving looks at the latest reading alone.
//  14. Days asks that the statistic of each of so many consecutive civil days is
//     so. A day counts once it is over. A day without readings is open: it breaks
//     the row without ending anything. Leaving looks at the latest day alone.
//  15. Events begin with a reading that satisfies Where, and count once readings
//     have satisfied it for Lasting. An event is over when a reading is no
//     longer back after having been back for Ending, or when a silence exceeds Gap (the longer of
//     the two others, when there is no Gap). The window counts the events that
//     began in it.
//  16. Confirm makes a level wait, when it is first so, for the next reading of
//     the same measure, ConfirmApart after the first at the earliest: if it is
//     still so then, the level is raised at that second reading; if a reading
//     says that it is not, nothing has happened; if none comes within the
//     time, or none that tells, the level is raised when the time has run out.
//  17. Absence judges each civil day or week (from Monday) of the patient once, at
//     its deadline: Before on its last day, or its end, plus Grace. It is missing
//     when fewer than Times readings were measured in it by then; flags do not
//     matter. Periods count from the first whole one after the enrolment began,
//     up to the last whose deadline does not come after its end. A period that a
//     pause touches does not count, and the row begins anew after it. The next
//     reading with which its period has all Times readings ends the episode, even
//     if that period has been judged, and the row begins anew. Where an absence
//     names components, only a reading that holds all of them counts.
//  18. Sessions. A reading of a measure of sessions is one session, and its time
//     is the session's: nothing else says when a session began or ended. An
//     absence per session expects Times readings within Grace before or after
//     that time, the session's own reading among them, and judges each session
//     once, when Grace is over; a reading may belong to two sessions that are
//     near each other. A session that lacks some is missing; so many in a row
//     raise. The reading with which a session has all that is expected ends the
//     episode, and the row begins anew; what is measured away from any session
//     ends nothing, nor does a time without sessions. A session during a pause,
//     before the enrolment began or less than Grace before its end does not
//     count. A reading of which only the day is known is no session and belongs
//     to none.
//  19. Late. A reading is late when something after it has been evaluated, among
//     the rules that share measures or hold one another back. Those rules are
//     evaluated again from that reading on, and held against what was reported. A
//     reported episode stands for the one of the same beginning, or for one that
//     it overlaps; it is never taken back, and stands for one only. When its end
//     was reported and later readings undo it, it has resumed, unless one
//     that goes on stands for both. What in-order delivery would have raised and
//     nothing stands for is raised, named and explained as in-order delivery
//     would have done. This holds for readings up to 35 days older than the
//     latest one. Only the late readings produce Again findings. Readings already
//     known produce none, even if a level now holds for them, so the number of
//     Again findings depends on the order of delivery.
//  20. Settings. A reading is evaluated by the settings and the version in force
//     when it arrives, whenever it was measured: they are what the care team
//     holds right for the patient when somebody first sees that value. So a
//     setting that was made less strict keeps a late reading from raising what
//     the former one would have raised, and one that was made stricter raises
//     what the former one would not have, also for the readings after the late
//     one, which are evaluated again with it. What was raised before a change
//     stays raised until a reading ends it. An explanation names the settings by
//     which it was raised, with their author and date.
//  21. Versions. Another version of the protocol begins with every rule at rest;
//     what the former one raised stays raised. What waits to be confirmed then
//     waits on where the new version has it wait since the same moment: when no
//     reading comes within its time, it is raised. What the new version would
//     have raised by then, for it asks for no second reading or waits less long,
//     takes a reading to be raised.
//
// Glossary: reading = what a device measured at one time; value = one number of it;
// finding = what evaluation has to say; episode = from leaving rest to being back at
// rest; hold = be true of a condition; rise = reach a higher level; evidence = the
// readings that a comparison used; explain = say which those were; find = search; plan =
// what is laid out beforehand, such as a protocol made ready to be evaluated; note =
// write down for later, and change nothing else; take over = go on with what another one
// began.
package protocols
