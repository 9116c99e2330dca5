package main

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"

	"vigie/protocols"
	"vigie/protocols/written"
)

// tongue is that of what a command says to a person: "fr" or "en".
type tongue string

func (in *tongue) register(flags *pflag.FlagSet) {
	flags.StringVar((*string)(in), "language", "fr", "of what it says: fr or en")
}

// check returns an error where nobody here speaks the language.
func (in tongue) check() error {
	if in != "fr" && in != "en" {
		return fmt.Errorf("--language: %q is neither fr nor en", string(in))
	}
	return nil
}

// say is a text in the language, with its gaps filled. Both languages take the
// same values in the same order.
func (in tongue) say(text protocols.Text, gaps ...any) string {
	said := text.In(string(in))
	if len(gaps) == 0 {
		return said
	}
	return written.Sentence(string(in), said, gaps...)
}

// where is a line of a file and its column; a row as a whole has none.
func (in tongue) where(line int, column string) string {
	if column == "" {
		return in.say(protocols.Text{FR: "ligne %d", EN: "line %d"}, line)
	}
	return in.say(protocols.Text{FR: "ligne %d, colonne %s", EN: "line %d, column %s"}, line, column)
}

// noun is a word for one thing and for several.
type noun struct{ one, several protocols.Text }

// The things that are counted for a person.
var (
	readingNoun = noun{protocols.Text{FR: "mesure", EN: "reading"}, protocols.Text{FR: "mesures", EN: "readings"}}
	lineNoun    = noun{protocols.Text{FR: "ligne", EN: "line"}, protocols.Text{FR: "lignes", EN: "lines"}}
	patientNoun = noun{protocols.Text{FR: "patient", EN: "patient"}, protocols.Text{FR: "patients", EN: "patients"}}
	alertNoun   = noun{protocols.Text{FR: "alerte", EN: "alert"}, protocols.Text{FR: "alertes", EN: "alerts"}}

	passkeyNoun = noun{protocols.Text{FR: "clé d'accès", EN: "passkey"}, protocols.Text{FR: "clés d'accès", EN: "passkeys"}}

	fileNoun     = noun{protocols.Text{FR: "fichier", EN: "file"}, protocols.Text{FR: "fichiers", EN: "files"}}
	protocolNoun = noun{protocols.Text{FR: "protocole", EN: "protocol"}, protocols.Text{FR: "protocoles", EN: "protocols"}}
	errorNoun    = noun{protocols.Text{FR: "erreur", EN: "error"}, protocols.Text{FR: "erreurs", EN: "errors"}}
	warningNoun  = noun{protocols.Text{FR: "avertissement", EN: "warning"}, protocols.Text{FR: "avertissements", EN: "warnings"}}
	testNoun     = noun{protocols.Text{FR: "essai", EN: "test"}, protocols.Text{FR: "essais", EN: "tests"}}
	failureNoun  = noun{protocols.Text{FR: "échec", EN: "failed"}, protocols.Text{FR: "échecs", EN: "failed"}}
)

// some counts things.
func (in tongue) some(n int, of noun) string {
	word := of.several
	if written.Singular(string(in), n) {
		word = of.one
	}
	return fmt.Sprintf("%d %s", n, in.say(word))
}

// stamp is a local moment as a reader of the language writes it.
func (in tongue) stamp(t time.Time, zone *time.Location) string {
	if in == "en" {
		return t.In(zone).Format("2006-01-02 15:04")
	}
	return t.In(zone).Format("02/01/2006 15:04")
}

// number writes f with so many decimals.
func (in tongue) number(f float64, decimals int) string {
	return written.Decimal(string(in), f, decimals)
}

// exact writes a value with all its decimals.
func (in tongue) exact(v protocols.Value) string {
	if in == "en" {
		return v.String()
	}
	return v.French()
}
