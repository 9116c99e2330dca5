package main

import "vigie/protocols"

// What a replay says to a person. Both languages take the same values in the same
// order.
var (
	replayHead     = protocols.Text{FR: "%s, version %s\n%s, du %s au %s, heures de %s\n", EN: "%s, version %s\n%s, from %s to %s, times of %s\n"}
	replaySetting  = protocols.Text{FR: "%s : %s %s (par défaut %s)\n", EN: "%s: %s %s (default %s)\n"}
	replaySize     = protocols.Text{FR: "%s, %s jours-patient, %s\n\n", EN: "%s, %s patient-days, %s\n\n"}
	replayDaysOnly = protocols.Text{
		FR: "%d [mesure n'a que sa date : sans son heure, elle ne compte|mesures n'ont que leur date : sans leur heure, elles ne comptent] que dans les fenêtres de jours. Règles qui ne voient pas, ou pas entièrement, ce qui est sans heure : %s. --hour 08:00 donne une heure, si elle est connue.",
		EN: "%d [reading has only its date: without its hour it counts|readings have only their date: without their hour they count] in windows of days alone. Rules that do not see, or not wholly, what has no hour: %s. --hour 08:00 gives an hour, where it is known.",
	}
	replayNone     = protocols.Text{FR: "Aucune alerte.\n\n", EN: "No alert.\n\n"}
	replayAlerts   = protocols.Text{FR: "Alertes\n", EN: "Alerts\n"}
	replayMore     = protocols.Text{FR: "  … et %d [autre|autres] : --format json les donne toutes\n", EN: "  … and %d more: --format json gives them all\n"}
	replayTotals   = protocols.Text{FR: "Totaux : %s, %s pour 100 jours-patient (%s)\n", EN: "Totals: %s, %s per 100 patient-days (%s)\n"}
	replayRules    = protocols.Text{FR: "  règle\talertes\tpatients\tpour 100 jours-patient\tniveaux\n", EN: "  rule\talerts\tpatients\tper 100 patient-days\tlevels\n"}
	replayHours    = protocols.Text{FR: "Par heure de la journée du patient\n  ", EN: "By hour of the patient's day\n  "}
	replayMost     = protocols.Text{FR: "(au plus %d)", EN: "(at most %d)"}
	replayTogether = protocols.Text{FR: "Règles qui sonnent ensemble, à moins de 24 h\n", EN: "Rules that ring together, within 24 h\n"}
	replayShared   = protocols.Text{FR: "  %d sur %d de %s avec une de %s\n", EN: "  %d of %d of %s with one of %s\n"}
	replayReadings = protocols.Text{FR: "Mesures\n", EN: "Readings\n"}
	replayGlucose  = protocols.Text{
		FR: "  glucose : %s, moyenne %s mg/dL, GMI %s %%, CV %s %%%s\n",
		EN: "  glucose: %s, mean %s mg/dL, GMI %s %%, CV %s %%%s\n",
	}
	replayWorn  = protocols.Text{FR: ", port du capteur %s %%", EN: ", sensor worn %s %%"}
	replayZones = protocols.Text{
		FR: "    70-180 : %s %%   < 70 : %s %%   < 54 : %s %%   > 180 : %s %%   > 250 : %s %%\n",
		EN: "    70-180: %s %%   < 70: %s %%   < 54: %s %%   > 180: %s %%   > 250: %s %%\n",
	}
	replayFigures = protocols.Text{FR: "  %s : %s, moyenne %s, de %s à %s %s\n", EN: "  %s: %s, mean %s, from %s to %s %s\n"}
	replayAgainst = protocols.Text{FR: "\nComparaison avec %s : %s, %s pour 100 jours-patient\n", EN: "\nCompared with %s: %s, %s per 100 patient-days\n"}
	replaySides   = protocols.Text{FR: "  des deux côtés %d, premier seul %d, second seul %d\n", EN: "  both %d, first only %d, second only %d\n"}
	replayByRule  = protocols.Text{FR: "    %s : %d des deux côtés, %d premier seul, %d second seul\n", EN: "    %s: %d both, %d first only, %d second only\n"}

	replayRecorded  = protocols.Text{FR: "Série enregistrée", EN: "Recorded series"}
	replayPatient   = protocols.Text{FR: "Patient %s", EN: "Patient %s"}
	replayCohort    = protocols.Text{FR: "Cohorte de %d [patient suivi|patients suivis]", EN: "Cohort of %d [patient|patients]"}
	replaySimulated = protocols.Text{FR: "Cohorte simulée de %d [patient|patients] (graine %d)", EN: "Simulated cohort of %d [patient|patients] (seed %d)"}
	replaySkipped   = protocols.Text{
		FR: "%s : %d [ligne laissée de côté :|lignes laissées de côté, la première :] %s (%s)",
		EN: "%s: %d [line left aside:|lines left aside, the first:] %s (%s)",
	}
	replayBounded = protocols.Text{
		FR: "%s : %d [mesure est|mesures sont] au-delà de ce que l'appareil affiche, et [compte|comptent] pour la borne",
		EN: "%s: %d [reading is|readings are] beyond what the instrument shows, and [counts|count] as the bound",
	}
	replayStep = protocols.Text{
		FR: "%s : %s min d'après le fichier, au lieu de %s ; --settings en décide autrement",
		EN: "%s: %s min by the file, in the place of %s; --settings decides otherwise",
	}
	replayStepReason = protocols.Text{FR: "vu dans le fichier", EN: "seen in the file"}
	replayLeftOut    = protocols.Text{
		FR: "%s : %d [valeur facultative laissée de côté :|valeurs facultatives laissées de côté, la première :] %s (%s)",
		EN: "%s: %d optional [value left out:|values left out, the first:] %s (%s)",
	}
	progressEnd = protocols.Text{FR: "%s en %s\n", EN: "%s in %s\n"}
)

// What an explanation says to a person.
var (
	explainHead = protocols.Text{
		FR: "%s\n\n  règle     %s (%s, version %s)\n  patient   %s\n  moment    %s, heure de %s\n",
		EN: "%s\n\n  rule      %s (%s, version %s)\n  patient   %s\n  moment    %s, time of %s\n",
	}
	explainOrigin = protocols.Text{FR: "  origine   %s\n", EN: "  origin    %s\n"}
	explainHeld   = protocols.Text{FR: "  retenue par %s\n", EN: "  held back by %s\n"}
	explainLevel  = protocols.Text{FR: "\n%s %s : %s\n", EN: "\n%s %s: %s\n"}
	explainAsked  = protocols.Text{FR: "    une seconde mesure est attendue depuis le %s\n", EN: "    a second reading is waited for since %s\n"}
	explainWindow = protocols.Text{FR: "      du %s au %s, %s\n", EN: "      from %s to %s, %s\n"}
	explainLeave  = protocols.Text{FR: "      pour en sortir : %s\n", EN: "      to leave: %s\n"}
	explainSet    = protocols.Text{FR: "      %s réglé par %s le %s : %s\n", EN: "      %s set by %s on %s: %s\n"}
	explainNone   = protocols.Text{FR: "\nAucune mesure à regarder.\n", EN: "\nNo reading to look at.\n"}
	explainCited  = protocols.Text{FR: "\nLes dernières mesures regardées\n", EN: "\nThe latest readings looked at\n"}
)

var truthWords = map[protocols.Truth]protocols.Text{
	protocols.True: {FR: "vrai", EN: "true"}, protocols.False: {FR: "faux", EN: "false"}, protocols.NotEnough: {FR: "données insuffisantes", EN: "not enough data"},
}
