package stories

import (
	"strings"

	"vigie/protocols/document"
)

// A story may be written in French or in English, or in both: what is written in
// French is read as the English beside it. The keys of readings are those of the
// tests of a protocol, the keys of teams and devices those of a registry.
var french = map[string]string{
	// a story
	"histoire": "story", "début": "start", "fuseau": "time_zone", "équipes": "teams", "appareils": "devices", "déroulé": "course",
	"seulement": "only", "propos": "about", "copies": "copies", "administrateurs": "administrators",
	// a patient
	"protocole": "protocol", "équipe": "team", "réglages": "settings", "depuis": "from", "ordonnance_jusque": "prescription_end",
	"consentement": "consent", "motif": "reason", "auteur": "author", "jusque": "until", "valeur": "value",
	// a team
	"ouvre": "opens", "ferme": "closes", "jours": "days", "courriel": "mail", "astreinte": "escalate", "nom": "name",
	"jours_fériés": "on_holidays",
	// what happens
	"à": "at", "envoi": "send", "change": "change", "prend": "acknowledge", "clôt": "resolve", "rend": "release", "relève": "hand-over", "attribue": "assign", "transmet": "transfer", "réunit": "merge", "sépare": "unmerge", "rappelle": "call-back", "annule": "undo", "raye": "strike", "rétablit": "unstrike", "moment": "time", "met_de_côté": "snooze",
	"service":    "service",
	"messagerie": "mailbox", "canaux": "channels", "état": "status",
	// a reading
	"mesure": "measure", "valeurs": "values", "tous_les": "every", "pendant": "for", "ajoute": "add", "appareil": "device",
	"reçu": "received", "deux_fois": "twice", "réponse": "verdict", "variante": "variant",
	// an act
	"règle": "rule", "par": "by", "issue": "outcome", "issues": "outcomes", "refusé": "refused", "vu": "seen", "niveau": "level",
	// what must be so
	"prévenus": "told", "liste": "list", "alerte": "alert", "pourquoi": "why", "objet": "subject", "avant": "before",
	"dit": "says", "dit_maintenant": "says-now", "événements": "events", "aucune": "none", "ordre": "order",
	"situation": "state", "active": "active", "occurrences": "occurrences",
}

// frenchWords are the words that may stand as a value, by key.
var frenchWords = map[string]map[string]string{
	"level": {"rouge": "red", "jaune": "yellow", "technique": "technical"},
	"state": {"ouverte": "open", "prise": "acknowledged", "close": "resolved"},
	"why": {
		"nouvelle": "raised", "aggravée": "risen", "encore": "recurred", "reprise": "resumed", "sans_réponse": "escalated", "confiée": "handed-over",
		"récapitulatif": "digest", "prise": "acknowledged", "pire": "worse", "relance": "follow-up", "rappel": "call-back", "rendue": "released",
		"notée": "noted", "attribuée": "assigned", "mise_de_côté": "snoozed", "de_retour": "woken", "en_pause": "paused", "finie": "ended",
		"annulée": "undone", "rayée": "struck", "close": "resolved", "non_remise": "undelivered",
	},
	"service": {"arrêt": "stop", "démarrage": "start", "panne": "kill"},
	"mailbox": {"panne": "down", "marche": "up"},
	"webhook": {"panne": "down", "marche": "up"}, "channels": {"panne": "down", "marche": "up"},
	"days": {
		"lundi": "monday", "mardi": "tuesday", "mercredi": "wednesday", "jeudi": "thursday", "vendredi": "friday", "samedi": "saturday", "dimanche": "sunday",
	},
	"verdict": {"acceptée": "accepted", "doublon": "duplicate"},
	"outcome": {
		"patient_contacté": "patient-called", "traitement_adapté": "treatment-changed", "rendez-vous": "appointment", "adressé": "referred",
		"mesuré_de_nouveau": "measured-again", "matériel_réglé": "device-fixed", "rien_à_faire": "no-action",
	},
}

func init() {
	frenchWords["events"] = frenchWords["why"]
	frenchWords["outcomes"] = frenchWords["outcome"]
}

// translate puts English in the place of French, everywhere below n. under is the key
// that n stands under.
func translate(n *document.Node, under string) {
	if n == nil {
		return
	}
	if n.Kind == document.Scalar {
		if day, ok := strings.CutPrefix(n.Text, "jour "); ok {
			n.Text = "day " + day
		}
		if english, ok := frenchWords[under][n.Text]; ok {
			n.Text = english
		}
		return
	}
	for i, item := range n.Items {
		key := under
		if n.Kind == document.Mapping {
			if english, ok := french[n.Keys[i].Text]; ok {
				n.Keys[i].Text = english
			}
			if under != "channels" { // below it stand the names of channels
				key = n.Keys[i].Text
			}
		}
		translate(item, key)
	}
}
