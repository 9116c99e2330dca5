package registry

// Contact is how a patient is reached and how he measures. It stands with the identity,
// so it is read, kept and exported like the identity.
type Contact struct {
	Phone     string   `json:"phone,omitempty" yaml:"phone,omitempty" validate:"omitempty,phone"`
	Hours     string   `json:"hours,omitempty" yaml:"hours,omitempty" validate:"max=120"` // when he prefers to be called, in words
	Carer     *Carer   `json:"carer,omitempty" yaml:"carer,omitempty" validate:"omitempty"`
	Physician *General `json:"general_practitioner,omitempty" yaml:"general_practitioner,omitempty" validate:"omitempty"`
	// Language is the one he speaks, as BCP 47 writes it: "fr", "ty", "pt-BR".
	Language string `json:"language,omitempty" yaml:"language,omitempty" validate:"omitempty,bcp47_language_tag"`
	// Measures are the ways in which he gives his readings, the usual one first.
	Measures []string `json:"measures_by,omitempty" yaml:"measures_by,omitempty" validate:"dive,oneof=device app phone paper"`
}

// Carer is who helps the patient at home.
type Carer struct {
	Name  string `json:"name" yaml:"name" validate:"required"`
	Tie   string `json:"tie,omitempty" yaml:"tie,omitempty"` // "fille", "voisin"
	Phone string `json:"phone" yaml:"phone" validate:"required,phone"`
	Hours string `json:"hours,omitempty" yaml:"hours,omitempty" validate:"max=120"`
}

// General is the médecin traitant. A patient need not have one.
type General struct {
	Name  string `json:"name" yaml:"name" validate:"required"`
	RPPS  string `json:"rpps,omitempty" yaml:"rpps,omitempty" validate:"omitempty,rpps"`
	Phone string `json:"phone,omitempty" yaml:"phone,omitempty" validate:"omitempty,phone"`
	Mail  string `json:"mail,omitempty" yaml:"mail,omitempty" validate:"omitempty,email"`
}
