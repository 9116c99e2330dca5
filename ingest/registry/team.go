package registry

import "time"

// Team is a care team, the opérateur.
type Team struct {
	ID       string   `json:"id" yaml:"id" validate:"required,name"`
	Name     string   `json:"name" yaml:"name" validate:"required"`
	Zone     string   `json:"time_zone" yaml:"time_zone" validate:"required,zone"`
	Opens    string   `json:"opens" yaml:"opens" validate:"required,clock"`   // local, "08:30"
	Closes   string   `json:"closes" yaml:"closes" validate:"required,clock"` // local, "18:00"; on the next day when not later than opens
	Days     []string `json:"days" yaml:"days" validate:"required,dive,oneof=monday tuesday wednesday thursday friday saturday sunday"`
	Contacts Contacts `json:"contacts,omitempty" yaml:"contacts,omitempty"`                             // told first; systems hear of everything
	Mail     []string `json:"mail,omitempty" yaml:"mail,omitempty" validate:"dive,email"`               // contacts of mail, see First
	Escalate Contacts `json:"escalate,omitempty" yaml:"escalate,omitempty"`                             // told when the answer delay has run out
	Webhook  string   `json:"webhook,omitempty" yaml:"webhook,omitempty" validate:"omitempty,http_url"` // a contact of webhook, see First
	// Public holidays are those of mainland France; what overseas adds follows
	// from Zone.
	AlsaceMoselle bool `json:"alsace_moselle,omitempty" yaml:"alsace_moselle,omitempty"` // closed on Good Friday and 26 December as well
	OnHolidays    bool `json:"on_holidays,omitempty" yaml:"on_holidays,omitempty"`       // open on public holidays
	// GlucoseUnit is written beside mg/dL on pages, for who reads meters in another unit;
	// mg/dL alone when it says nothing.
	GlucoseUnit string `json:"glucose_unit,omitempty" yaml:"glucose_unit,omitempty" validate:"omitempty,oneof=mg/dL g/L mmol/L"`
	// Further opening hours: days that differ, an afternoon after a lunch break, nights.
	Further []Hours `json:"further_hours,omitempty" yaml:"further_hours,omitempty" validate:"dive"`
	// EscalateThen are the further steps of the escalation, in order.
	EscalateThen []Contacts `json:"escalate_then,omitempty" yaml:"escalate_then,omitempty"`
	// OutOfHours says by level what becomes of what rings while the team is closed: "tell"
	// at once into its box, "wait" for the opening, or "on-call". Tell when it says nothing.
	OutOfHours map[string]string `json:"out_of_hours,omitempty" yaml:"out_of_hours,omitempty" validate:"dive,keys,oneof=red orange,endkeys,oneof=tell wait on-call"`
	Rota       *Rota             `json:"rota,omitempty" yaml:"rota,omitempty" validate:"omitempty"`
}

// Hours are opening hours on some days of the week.
type Hours struct {
	Days   []string `json:"days" yaml:"days" validate:"required,dive,oneof=monday tuesday wednesday thursday friday saturday sunday"`
	Opens  string   `json:"opens" yaml:"opens" validate:"required,clock"`
	Closes string   `json:"closes" yaml:"closes" validate:"required,clock"`
}

// Rota says who is on duty, by the team's clock on the wall.
type Rota struct {
	People    []Person   `json:"people" yaml:"people" validate:"required,dive"`
	Shifts    []Shift    `json:"shifts,omitempty" yaml:"shifts,omitempty" validate:"dive"`
	Overrides []Override `json:"overrides,omitempty" yaml:"overrides,omitempty" validate:"dive"`
}

// Person is somebody who can be called.
type Person struct {
	ID   string   `json:"id" yaml:"id" validate:"required,name"`
	Name string   `json:"name" yaml:"name" validate:"required"`
	Mail []string `json:"mail,omitempty" yaml:"mail,omitempty" validate:"dive,email"` // contacts of mail, see Reached

	Contacts Contacts `json:"contacts,omitempty" yaml:"contacts,omitempty"`
}

// Shift is a duty that comes again. It ends on the next day when it does not end later
// than it begins. People take turns, a week each, from the week of Start on.
type Shift struct {
	Days   []string `json:"days,omitempty" yaml:"days,omitempty" validate:"dive,oneof=monday tuesday wednesday thursday friday saturday sunday"` // every day when empty
	From   string   `json:"from" yaml:"from" validate:"required,clock"`
	Until  string   `json:"until" yaml:"until" validate:"required,clock"`
	People []string `json:"people" yaml:"people" validate:"required,dive,name"`
	Start  string   `json:"start,omitempty" yaml:"start,omitempty" validate:"omitempty,datetime=2006-01-02"`
}

// Override puts somebody on duty in place of whoever the shifts name. A swap is two of
// them.
type Override struct {
	From   time.Time `json:"from" yaml:"from" validate:"required"`
	Until  time.Time `json:"until" yaml:"until" validate:"required"`
	Person string    `json:"person" yaml:"person" validate:"required,name"`
	Author string    `json:"author" yaml:"author" validate:"required"`
	Reason string    `json:"reason" yaml:"reason" validate:"required"`
}
