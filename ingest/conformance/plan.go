// Package conformance judges what a device sends against a numbered plan of
// requirements. Passing says that the device speaks well; whether it is eligible is the
// protocol's word.
package conformance

import (
	"slices"
	"strings"

	"vigie/protocols"
)

// Version is that of the plan. It moves when a requirement is added or means something
// else; a number is never used again.
const Version = "3"

// Part is a chapter of the plan.
type Part string

// The parts.
const (
	Connection  Part = "connection"
	Publication Part = "publication"
	Payload     Part = "payload"
	Measures    Part = "measures"
	Behaviour   Part = "behaviour"
)

// Requirement is one line of the plan.
type Requirement struct {
	Number string // "L6"; that of one measure has its name behind: "M1/glucose"
	Part   Part
	Asks   protocols.Text
	Mend   protocols.Text   // what to do where it is not met
	Codes  []protocols.Code // of receipts that show that it is not met
}

// The requirements that no code of a receipt shows.
const (
	logsIn    = "C1"
	listens   = "C2"
	online    = "C3"
	ownTopic  = "P1"
	qos       = "P2"
	notKept   = "P3"
	others    = "L16"
	ofDevice  = "L17"
	oneOfAnID = "B1"
	oneID     = "B2"
	again     = "B3"
	noRepeat  = "B4"
	whole     = "B5"

	rightName   = "C4"
	notExpired  = "C5"
	authority   = "C6"
	keepAlive   = "C7"
	session     = "C8"
	unanswered  = "C9"
	pauses      = "C10"
	subscribes  = "C11"
	takenOver   = "C12"
	lateHello   = "C13"
	twiceHello  = "C14"
	lateAck     = "B6"
	doubledAck  = "B7"
	withheldAck = "B8"
	goesOn      = "B9"
	buffers     = "B10"
	rightTime   = "B11"
)

func say(fr, en string) protocols.Text { return protocols.Text{FR: fr, EN: en} }

// plan is the one list of requirements. Where one message breaks several, the first of
// them in this order is the primary one, and the others follow from it.
var plan = []Requirement{
	{logsIn, Connection, say("L'appareil se connecte sous son nom, avec son mot de passe.", "The device logs in under its name, with its password."),
		say("utiliser le nom et le mot de passe que le banc affiche", "use the name and the password that the bench prints"), nil},
	{listens, Connection, say("Il s'abonne à ses accusés (receipts).", "It subscribes to its receipts."),
		say("s'abonner à {préfixe}/{appareil}/receipts, QoS 1", "subscribe to {prefix}/{device}/receipts, QoS 1"), nil},
	{online, Connection, say("Il dit qu'il est en ligne (status), et laisse un testament.", "It says that it is online (status), and leaves a last will."),
		say(`publier {"online":true} sous status, et {"online":false} comme testament`, `publish {"online":true} under status, and {"online":false} as the last will`), nil},
	{rightName, Connection, say("Il refuse un certificat au nom d'un autre.", "It refuses a certificate in another name."),
		say("vérifier le nom du serveur dans son certificat", "check the server's name in its certificate"), nil},
	{notExpired, Connection, say("Il refuse un certificat qui a expiré.", "It refuses a certificate that has expired."),
		say("vérifier les dates du certificat, horloge à l'heure", "check the dates of the certificate, with the clock set"), nil},
	{authority, Connection, say("Il refuse un certificat d'une autorité inconnue.", "It refuses a certificate of an unknown authority."),
		say("vérifier la chaîne jusqu'à l'autorité qui lui est donnée", "check the chain up to the authority that it was given"), nil},
	{keepAlive, Connection, say("Il donne signe de vie (keep-alive de 30 min au plus).", "It gives signs of life (a keep-alive of 30 min at most)."),
		say("choisir un keep-alive de 60 à 300 s, et envoyer PINGREQ à temps", "choose a keep-alive of 60 to 300 s, and send PINGREQ in time"), nil},
	{session, Connection, say("Il garde sa session et son client id, pour reprendre une connexion perdue.", "It keeps its session and its client id, to take over a lost connection."),
		say("clean session à 0 (MQTT 5 : une expiration), toujours le même client id", "clean session 0 (MQTT 5: an expiry), always the same client id"), nil},
	{unanswered, Connection, say("Il abandonne une connexion à laquelle rien ne répond, et en ouvre une autre.", "It gives up a connection that nothing answers, and opens another."),
		say("ne pas attendre CONNACK plus de 30 s", "do not wait for CONNACK for more than 30 s"), nil},
	{pauses, Connection, say("Il laisse passer du temps entre deux essais de connexion.", "It lets time pass between two attempts to connect."),
		say("doubler la pause à chaque échec, de 1 s à 5 min", "double the pause with each failure, from 1 s to 5 min"), nil},
	{subscribes, Connection, say("Il se réabonne quand le broker a oublié sa session.", "It subscribes again where the broker has forgotten its session."),
		say("s'abonner à chaque connexion, ou lire session present", "subscribe with every connection, or read session present"), nil},
	{takenOver, Connection, say("Quand une autre connexion prend la sienne, sous le même client id, il en ouvre une autre et renvoie.", "Where another connection takes over its own, under the same client id, it opens another and sends again."),
		say("se reconnecter après une pause, sous le même client id, et renvoyer ce qui n'a pas été acquitté", "connect again after a pause, under the same client id, and send again what was not acknowledged"), nil},
	{lateHello, Connection, say("Il attend un CONNACK tardif, et publie ensuite.", "It waits for a CONNACK that comes late, and publishes then."),
		say("attendre CONNACK 10 à 30 s", "wait for CONNACK for 10 to 30 s"), nil},
	{twiceHello, Connection, say("Un CONNACK reçu deux fois ne l'empêche pas de publier.", "A CONNACK that comes twice does not keep it from publishing."),
		say("ignorer le second, ou se reconnecter", "ignore the second, or connect again"), nil},
	{ownTopic, Publication, say("Il publie sous son propre nom, sous un sujet connu.", "It publishes under its own name, under a topic that is known."),
		say("publier sous {préfixe}/{appareil}/readings", "publish under {prefix}/{device}/readings"), []protocols.Code{protocols.WrongTopic}},
	{qos, Publication, say("Il publie en QoS 1 ou 2 : lui seul est acquitté.", "It publishes at QoS 1 or 2: nothing else is acknowledged."),
		say("publier en QoS 1", "publish at QoS 1"), nil},
	{notKept, Publication, say("Ses messages ne sont pas retenus (retain).", "Its messages are not retained."),
		say("laisser l'indicateur retain à 0", "leave the flag retain at 0"), nil},
	{"P4", Publication, say("Un message tient en 1 Mio et 10 000 mesures.", "A message holds at most 1 MiB and 10,000 readings."),
		say("envoyer plusieurs messages", "send several messages"), []protocols.Code{protocols.TooLarge}},
	{"L1", Payload, say("Le message est du JSON, et a la forme d'une mesure.", "The payload is JSON, in the shape of a reading."),
		say("vigie readings check dit ce qui ne va pas, hors ligne", "vigie readings check says offline what is wrong"), []protocols.Code{protocols.Malformed}},
	{"L2", Payload, say("Il n'a aucun champ de plus.", "It has no other field."),
		say("enlever le champ, ou le mettre dans context", "remove the field, or put it into context"), []protocols.Code{protocols.UnknownField}},
	{"L3", Payload, say("La mesure est connue.", "The measure is known."),
		say("vigie measures les liste", "vigie measures lists them"), []protocols.Code{protocols.UnknownMeasure}},
	{"L4", Payload, say("Aucun champ ni aucune composante obligatoire ne manque.", "No required field or component is missing."),
		say("les envoyer ; omettre un champ facultatif plutôt que null", "send them; omit an optional field rather than null"), []protocols.Code{protocols.MissingValue}},
	{"L5", Payload, say("Un nombre est un nombre, ou une borne.", "A number is a number, or a bound."),
		say(`écrire 142, non "142" ; "LOW" s'écrit {"below": 40}`, `write 142, not "142"; "LOW" is written {"below": 40}`), []protocols.Code{protocols.NotANumber}},
	{"L6", Payload, say("L'unité est connue.", "The unit is known."),
		say("employer son code UCUM", "use its UCUM code"), []protocols.Code{protocols.UnknownUnit}},
	{"L10", Payload, say("L'heure a son décalage.", "The time has its offset."),
		say("écrire +01:00, ou Z pour UTC", "write +01:00, or Z for UTC"), []protocols.Code{protocols.NoTimeZone}},
	{"L11", Payload, say("L'horloge a été mise à l'heure.", "The clock was set."),
		say("la mettre à l'heure à la connexion ; sans horloge, donner age", "set it when it connects; without a clock, give age"), []protocols.Code{protocols.ClockNotSet}},
	{"L12", Payload, say("L'heure n'est pas à venir.", "The time has come."),
		say("mettre l'horloge à l'heure, vérifier le décalage", "set the clock, check the offset"), []protocols.Code{protocols.FutureTime}},
	{"L13", Payload, say("La mesure n'est pas plus ancienne qu'il n'est accepté.", "The reading is not older than is accepted."),
		say("envoyer les mesures dès qu'il y a un réseau", "send readings as soon as there is a network"), []protocols.Code{protocols.TooOld}},
	{"L14", Payload, say("Unités et drapeaux s'écrivent comme le guide les écrit.", "Units and flags are spelled as the guide has them."),
		say("employer le code que l'accusé nomme", "use the code that the receipt names"), []protocols.Code{protocols.OtherSpelling}},
	{"L15", Payload, say("Les drapeaux sont connus.", "The flags are known."),
		say("vigie measures les liste", "vigie measures lists them"), []protocols.Code{protocols.UnknownWord}},
	{others, Payload, say("L'appareil n'envoie que les mesures qu'il annonce.", "The device sends the measures that it claims, and no others."),
		say("les ajouter au profil (--measure), ou ne pas les envoyer", "add them to the profile (--measure), or do not send them"), []protocols.Code{protocols.MeasureMismatch}},
	{ofDevice, Payload, say("Batterie et âge sont possibles (0 à 100 % ; 366 jours au plus).", "Battery and age are such as can be (0 to 100 %; 366 days at most)."),
		say("corriger le champ, ou l'omettre", "correct the field, or omit it"), []protocols.Code{protocols.Implausible}},
	{"L18", Payload, say("Deux champs ne disent pas deux choses d'une même mesure.", "Two fields do not say two things of one reading."),
		say("n'en envoyer qu'un, ou les tirer de la même source", "send one of them, or take both from one source"), []protocols.Code{protocols.Inconsistent}},
	{ofUnits, Measures, say("L'unité est de celles de la mesure.", "The unit is one of the measure."),
		say("vigie measures les liste", "vigie measures lists them"), []protocols.Code{protocols.UnitMismatch}},
	{ofRange, Measures, say("La valeur est de celles qu'un instrument indique.", "The value is one that an instrument reports."),
		say("vérifier l'unité, puis l'instrument", "check the unit, then the instrument"), []protocols.Code{protocols.Implausible}},
	{ofComponents, Measures, say("Ses composantes obligatoires sont là, et aucune autre que les siennes.", "Its required components are there, and none but its own."),
		say("les envoyer toutes dans la même mesure", "send all of them in one reading"), []protocols.Code{protocols.MissingValue, protocols.UnknownField}},
	{ofPairs, Measures, say("Ses composantes ne se contredisent pas.", "Its components do not contradict each other."),
		say("vérifier qu'elles ne sont pas interverties", "check that they are not swapped"), []protocols.Code{protocols.Inconsistent}},
	{ofSpecimen, Measures, say("Elle dit de quelle sorte elle est (context.specimen).", "It says of which kind it is (context.specimen)."),
		say("ajouter context.specimen", "add context.specimen"), []protocols.Code{protocols.Malformed}},
	{ofEnds, Measures, say("Au-delà de ce que l'appareil sait indiquer, elle est une borne, ni un mot ni un nombre convenu.", "Beyond what the device can show it is a bound, neither a word nor a number that stands for one."),
		say(`écrire {"below": 40} ou {"above": 400}, avec le bout de l'échelle de l'appareil`, `write {"below": 40} or {"above": 400}, with the end of the device's scale`), []protocols.Code{protocols.NotANumber}},
	{ofFlags, Measures, say("Ses drapeaux sont de ceux qu'une telle mesure peut porter, et que le profil annonce.", "Its flags are those that such a reading can carry, and that the profile claims."),
		say("corriger le drapeau, ou l'ajouter au profil (flags)", "correct the flag, or add it to the profile (flags)"), nil},
	{ofCadence, Measures, say("Elle vient à la cadence annoncée.", "It comes as often as is claimed."),
		say("corriger la cadence du profil (every), ou celle de l'appareil", "correct the cadence of the profile (every), or that of the device"), nil},
	{oneOfAnID, Behaviour, say("Un id désigne une seule mesure.", "An id names one measurement."),
		say("donner un id nouveau à chaque mesure, et à chaque correction", "give each measurement, and each correction, an id of its own"), []protocols.Code{protocols.Contradiction}},
	{oneID, Behaviour, say("Une mesure garde son id quand elle est renvoyée.", "A measurement keeps its id when it is sent again."),
		say("tirer l'id de la mesure, ou le garder avec elle", "derive the id from the measurement, or keep it with it"), nil},
	{again, Behaviour, say("Ce qui n'a pas été acquitté est renvoyé.", "What was not acknowledged is sent again."),
		say("garder un message jusqu'à son PUBACK, et le renvoyer après une reconnexion", "keep a message until its PUBACK, and send it again after a reconnection"), nil},
	{noRepeat, Behaviour, say("Ce qui est refusé n'est pas renvoyé tel quel.", "What was refused is not sent again as it was."),
		say("lire l'accusé (set-aside), corriger ou abandonner", "read the receipt (set-aside), correct or give up"), nil},
	{whole, Behaviour, say("Chaque mesure annoncée a été envoyée.", "Each measure that was claimed was sent."),
		say("faire une mesure de chaque sorte", "take a measurement of each kind"), nil},
	{lateAck, Behaviour, say("Un acquittement tardif ne lui fait pas répéter le message sans cesse.", "A late acknowledgement does not make it repeat the message again and again."),
		say("attendre PUBACK ; ne renvoyer qu'après une reconnexion", "wait for PUBACK; send again after a reconnection only"), nil},
	{doubledAck, Behaviour, say("Un acquittement reçu deux fois ne le dérange pas.", "An acknowledgement that comes twice does not disturb it."),
		say("ignorer un PUBACK sans message en attente", "ignore a PUBACK for which no message waits"), nil},
	{withheldAck, Behaviour, say("Ce qui n'est jamais acquitté est renvoyé, connexion ouverte ou non.", "What is never acknowledged is sent again, whether or not the connection stays open."),
		say("se reconnecter sans PUBACK au bout d'un délai, et renvoyer", "reconnect without a PUBACK after a time, and send again"), nil},
	{goesOn, Behaviour, say("Une mesure refusée ne retient pas les suivantes.", "A reading that is refused does not hold up the next ones."),
		say("lire l'accusé (set-aside), et passer à la mesure suivante", "read the receipt (set-aside), and go on to the next reading"), nil},
	{buffers, Behaviour, say("Ce qui est mesuré sans réseau est gardé, et vient avec l'heure de sa mesure.", "What is measured without a network is kept, and comes with the time of its measurement."),
		say("garder mesure, id et heure ensemble jusqu'au PUBACK", "keep reading, id and time together until the PUBACK"), nil},
	{rightTime, Behaviour, say("Son horloge est à l'heure, dans son fuseau.", "Its clock is right, in its zone."),
		say("mettre l'horloge à l'heure ; vérifier fuseau et heure d'été", "set the clock; check the zone and daylight saving"), nil},
}

// Plan lists the requirements.
func Plan() []Requirement { return slices.Clone(plan) }

// showing is the requirement that a code alone shows not to be met.
func showing(code protocols.Code) string {
	for i := range plan {
		if plan[i].Part != Measures && slices.Contains(plan[i].Codes, code) {
			return plan[i].Number
		}
	}
	return "L1" // of a code that concerns the registry, which a bench does not have
}

// placeOf is the place in the plan; -1 for what is not in it.
func placeOf(number string) int {
	number, _, _ = strings.Cut(number, "/")
	return slices.IndexFunc(plan, func(r Requirement) bool { return r.Number == number })
}
