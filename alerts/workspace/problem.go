package workspace

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"vigie/alerts"
	"vigie/alerts/access"
	"vigie/ingest/registry"
	"vigie/protocols"
)

// problem is an error as RFC 9457 has it. Code is stable; detail is a sentence in
// the language of the request.
type problem struct {
	Type   string      `json:"type"`
	Title  string      `json:"title"`
	Status int         `json:"status"`
	Detail string      `json:"detail"`
	Code   alerts.Code `json:"code"`
	From   string      `json:"whole_from,omitempty"` // of not-whole: from this instant on, everything is there
	Faults []fault     `json:"problems,omitempty"`   // of unacceptable: what is wrong, by field
	Loosen []string    `json:"loosening,omitempty"`  // of loosens: what to name
}

// The codes of this package, beside those of alerts.
const (
	codeCannotErase alerts.Code = "cannot-erase"
	codeNoToken     alerts.Code = "no-token"
	codeGuesses     alerts.Code = "too-many-tokens"
	codeCrossOrigin alerts.Code = "cross-origin"
	codeNoPath      alerts.Code = "no-such-path"
	codeParameter   alerts.Code = "bad-parameter"
	codeMalformed   alerts.Code = "malformed"
	codeTooLarge    alerts.Code = "too-large"
	codeFull        alerts.Code = "too-many-streams"
	codeNotWhole    alerts.Code = "not-whole"
	codeInternal    alerts.Code = "internal"
	codeNotAllowed  alerts.Code = "not-allowed"
	codeAuthorGiven alerts.Code = "author-given"
	codeNotTheirs   alerts.Code = "not-of-this-team"
	codeNoMatch     alerts.Code = "no-if-match"
	codeChanged     alerts.Code = "changed-since"
	codeUnusable    alerts.Code = "unacceptable"
	codeLoosens     alerts.Code = "loosens"
	codeFewPatients alerts.Code = "few-patients"
	codeExists      alerts.Code = "exists"
	codeUsed        alerts.Code = "in-use"
)

// The codes of readings that cannot be struck out, or for which that cannot be undone.
const (
	NoSuchReading  alerts.Code = "no-such-reading"
	StruckBefore   alerts.Code = "already-struck"
	NotStruck      alerts.Code = "not-struck"
	TooManyAtOnce  alerts.Code = "too-many-readings"
	Replaced       alerts.Code = "replaced"
	OnlyInInfluxDB alerts.Code = "only-in-influxdb"
)

var statuses = map[alerts.Code]int{
	alerts.Unknown: http.StatusNotFound, alerts.NoAuthor: http.StatusUnprocessableEntity, alerts.NoOutcome: http.StatusUnprocessableEntity,
	alerts.TooLong: http.StatusUnprocessableEntity, alerts.AlreadyAcknowledged: http.StatusConflict, alerts.AlreadyResolved: http.StatusConflict,
	alerts.WorseSince: http.StatusConflict, alerts.TooLateToUndo: http.StatusConflict,
	alerts.HiddenCharacter: http.StatusUnprocessableEntity,
	alerts.NoReason:        http.StatusUnprocessableEntity, alerts.NotYet: http.StatusUnprocessableEntity,
	alerts.NoTeam: http.StatusUnprocessableEntity, alerts.NobodyThere: http.StatusConflict, alerts.Code(access.Blocked): http.StatusConflict,
	alerts.NoSnooze: http.StatusUnprocessableEntity, alerts.BadTime: http.StatusUnprocessableEntity,
	codeCannotErase: http.StatusConflict,
	codeNoToken:     http.StatusUnauthorized, codeGuesses: http.StatusTooManyRequests, codeCrossOrigin: http.StatusForbidden, codeNoPath: http.StatusNotFound,
	codeParameter: http.StatusBadRequest, codeMalformed: http.StatusBadRequest, codeTooLarge: http.StatusRequestEntityTooLarge,
	codeFull: http.StatusServiceUnavailable, codeNotWhole: http.StatusServiceUnavailable, codeInternal: http.StatusInternalServerError,
	codeNotAllowed: http.StatusForbidden,
	codeNotTheirs:  http.StatusUnprocessableEntity, codeAuthorGiven: http.StatusUnprocessableEntity,
	codeNoMatch: http.StatusPreconditionRequired, codeChanged: http.StatusPreconditionFailed, codeUnusable: http.StatusUnprocessableEntity, codeLoosens: http.StatusConflict, codeFewPatients: http.StatusConflict,
	registry.MergeUnknown: http.StatusNotFound, registry.MergeSelf: http.StatusConflict, registry.MergeBefore: http.StatusConflict,
	registry.MergeNot: http.StatusConflict, registry.MergeFollowed: http.StatusConflict,
	codeExists: http.StatusConflict, codeUsed: http.StatusConflict,
	NoSuchReading: http.StatusNotFound, StruckBefore: http.StatusConflict, NotStruck: http.StatusConflict, TooManyAtOnce: http.StatusUnprocessableEntity,
	Replaced: http.StatusConflict, OnlyInInfluxDB: http.StatusConflict,
	alerts.Code(access.TooManyTries): http.StatusTooManyRequests, alerts.Code(access.LinkOver): http.StatusGone,
}

func refuse(code alerts.Code, fr, en string) *alerts.Refused {
	return &alerts.Refused{Code: code, Text: protocols.Text{FR: fr, EN: en}}
}

var (
	errNoToken = refuse(codeNoToken,
		"Accès refusé : présentez un jeton valable dans l'en-tête « Authorization: Bearer … ».",
		"Access denied: show a valid token in the header “Authorization: Bearer …”.")
	errNotAllowed = refuse(codeNotAllowed,
		"Votre rôle ne le permet pas. Demandez à l'administrateur de la plateforme.",
		"Your role does not allow this. Ask the administrator of the service.")
	errAuthorGiven = refuse(codeAuthorGiven,
		"Un acte est signé par le compte qui le fait : ne donnez pas « author ».",
		"An act is signed by the account that does it: do not give “author”.")
	errGuesses = refuse(codeGuesses,
		"Trop de jetons erronés sont venus de cette adresse : patientez le temps qu'indique « Retry-After ».",
		"Too many wrong tokens came from this address: wait as long as “Retry-After” says.")
	errCrossOrigin = refuse(codeCrossOrigin,
		"Cette demande vient d'un autre site : elle est refusée.",
		"This request comes from another site: it is refused.")
	errNoPath = refuse(codeNoPath,
		"Rien ne se trouve à cette adresse, ou pas pour cette méthode.",
		"There is nothing at this address, or not for this method.")
	errFull = refuse(codeFull,
		"Trop de flux sont ouverts : réessayez dans un instant.",
		"Too many streams are open: try again in a moment.")
	errInternal = refuse(codeInternal,
		"Une erreur est survenue ; rien n'a été modifié. Réessayez, puis prévenez l'exploitant.",
		"Something went wrong; nothing was changed. Try again, then tell the operator.")
)

func badParameter(name, fr, en string) *alerts.Refused {
	return refuse(codeParameter, fmt.Sprintf("Paramètre « %s » : %s.", name, fr), fmt.Sprintf("Parameter “%s”: %s.", name, en))
}

// refusal turns any error into one that a person can read. What is not theirs to
// repair is logged and not shown.
func (w *Workspace) refusal(r *http.Request, err error) *alerts.Refused {
	var refused *alerts.Refused
	var kept *access.Refused
	switch {
	case errors.As(err, &refused):
		return refused
	case errors.As(err, &kept):
		return &alerts.Refused{Code: alerts.Code(kept.Code), Text: kept.Text}
	case errors.Is(err, alerts.ErrNotFound):
		return refuse(alerts.Unknown, "Aucune alerte ne porte cette référence.", "There is no alert with this reference.")
	case errors.Is(err, alerts.ErrCursor):
		return badParameter("after", "reprenez la valeur « next » de la page précédente", "use the value “next” of the page before")
	}
	if !errors.Is(err, context.Canceled) {
		w.Log.Error("request failed", "route", r.Pattern, "error", err)
	}
	return errInternal
}

// fail answers with a problem.
func (w *Workspace) fail(rw http.ResponseWriter, r *http.Request, err error) {
	refused := w.refusal(r, err)
	status := statuses[refused.Code]
	language := languageOf(r)
	h := rw.Header()
	if status == http.StatusServiceUnavailable {
		h.Set("Retry-After", "5")
	}
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Language", language)
	h.Set("Vary", "Accept-Language")
	said := problem{
		Type: "urn:vigie:problem:" + string(refused.Code), Title: http.StatusText(status),
		Status: status, Detail: refused.Text.In(language), Code: refused.Code,
	}
	var missing *notWhole
	if errors.As(err, &missing) {
		said.From = missing.from
	}
	var unfit *unacceptable
	if errors.As(err, &unfit) {
		said.Faults, said.Loosen = unfit.faults, unfit.unnamed
	}
	w.encode(rw, r, status, said)
}

// reply answers with JSON.
func (w *Workspace) reply(rw http.ResponseWriter, r *http.Request, status int, body any) {
	rw.Header().Set("Content-Type", "application/json")
	w.encode(rw, r, status, body)
}

func (w *Workspace) encode(rw http.ResponseWriter, r *http.Request, status int, body any) {
	w.hurry(rw)
	rw.WriteHeader(status)
	encoder := json.NewEncoder(rw)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		w.Log.Debug("answer not delivered", "route", r.Pattern, "error", err)
	}
}
