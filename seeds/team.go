package seeds

import (
	_ "embed"
	"fmt"
	"time"

	"github.com/goccy/go-yaml"

	"vigie/ingest/registry"
)

//go:embed team.yaml
var team []byte

// Staff are simulated care teams and what they do with their alerts.
type Staff struct {
	Teams  []registry.Team `yaml:"teams"`
	Habits Habits          `yaml:"habits"`
}

// Habits are what the people of a simulated team do.
type Habits struct {
	Rounds          []string      `yaml:"rounds"`           // local times of day
	PatientsARound  int           `yaml:"patients_a_round"` // at most
	Away            []string      `yaml:"away"`             // dates on which nobody comes
	MailOpenedAfter time.Duration `yaml:"mail_opened_after"`
	MailMissed      float64       `yaml:"mail_missed"` // share, as all below
	CallOpenedAfter time.Duration `yaml:"call_opened_after"`
	CallMissed      float64       `yaml:"call_missed"`
	ClosedUnread    float64       `yaml:"closed_unread"`
	ClosedAtOnce    float64       `yaml:"closed_at_once"`
	ClosedAfter     time.Duration `yaml:"closed_after"`
}

// ReadStaff reads a file of simulated teams; the one that ships when data is nil.
func ReadStaff(data []byte) (Staff, error) {
	if data == nil {
		data = team
	}
	var s Staff
	if err := yaml.UnmarshalWithOptions(data, &s, yaml.DisallowUnknownField()); err != nil {
		return s, fmt.Errorf("read the simulated team: %w", err)
	}
	if len(s.Teams) == 0 || s.Habits.PatientsARound <= 0 {
		return s, fmt.Errorf("read the simulated team: it needs teams, and patients_a_round above 0")
	}
	return s, nil
}
