package access

import (
	"slices"

	"vigie/protocols"
)

// Right is one thing that somebody may do.
type Right string

// The rights. What concerns one patient holds for the patients of one's teams
// only, unless the glass was broken.
const (
	SeePatients    Right = "see-patients"    // alerts, readings and settings of patients
	SeeIdentity    Right = "see-identity"    // their names and identity traits
	Act            Right = "act"             // acknowledge, resolve, note
	EnterReadings  Right = "enter-readings"  // what a patient reads out on the phone; strike a reading out
	Prescribe      Right = "prescribe"       // thresholds, validation and renewal of an enrolment
	Enrol          Right = "enrol"           // patients, devices, enrolments, consents, pauses
	ManageTeam     Right = "manage-team"     // rota, contacts, hours
	SeeFigures     Right = "see-figures"     // counts about many patients
	SeeDevices     Right = "see-devices"     // devices, what was set aside, deliveries
	ManageAccounts Right = "manage-accounts" // accounts, roles, tokens
	SeeTrail       Right = "see-trail"       // who has seen and done what
	BreakGlass     Right = "break-glass"     // see a patient of another team, for a reason
)

// Rights lists all of them.
func Rights() []Right {
	return []Right{SeePatients, SeeIdentity, Act, EnterReadings, Prescribe, Enrol, ManageTeam, SeeFigures, SeeDevices, ManageAccounts, SeeTrail, BreakGlass}
}

// Role is what somebody is in the service.
type Role string

// The roles.
const (
	Physician      Role = "physician"
	Nurse          Role = "nurse"
	Coordinator    Role = "coordinator"
	Administrator  Role = "administrator"
	Operator       Role = "operator"
	Vendor         Role = "vendor"
	Representative Role = "representative"
	Patient        Role = "patient"
	Carer          Role = "carer"
)

// RoleInfo is one row of the table of roles.
type RoleInfo struct {
	ID     Role
	Title  protocols.Text
	Rights []Right
	// InTeams says that the role is held in care teams: without a team it sees nobody.
	InTeams bool
}

// roles is the one table of roles. Accounts of patients and carers have no right yet: a
// patient enters readings without an account, see Accounts.GiveKey.
var roles = []RoleInfo{
	{Physician, protocols.Text{FR: "médecin", EN: "physician"},
		[]Right{SeePatients, SeeIdentity, Act, EnterReadings, Prescribe, Enrol, SeeFigures, SeeDevices, BreakGlass}, true},
	{Nurse, protocols.Text{FR: "infirmier", EN: "nurse"},
		[]Right{SeePatients, SeeIdentity, Act, EnterReadings, SeeFigures, SeeDevices, BreakGlass}, true},
	{Coordinator, protocols.Text{FR: "coordinateur", EN: "coordinator"},
		[]Right{SeePatients, SeeIdentity, Act, EnterReadings, Enrol, ManageTeam, SeeFigures, SeeDevices}, true},
	{Administrator, protocols.Text{FR: "administrateur", EN: "administrator"},
		[]Right{ManageAccounts, SeeTrail, ManageTeam}, false},
	{Operator, protocols.Text{FR: "exploitant", EN: "operator"}, []Right{SeeDevices, SeeFigures}, false},
	{Vendor, protocols.Text{FR: "fabricant", EN: "vendor"}, []Right{SeeDevices}, true},
	{Representative, protocols.Text{FR: "représentant des usagers", EN: "users' representative"}, []Right{SeeFigures}, false},
	{Patient, protocols.Text{FR: "patient", EN: "patient"}, nil, false},
	{Carer, protocols.Text{FR: "aidant", EN: "carer"}, nil, false},
}

// Roles lists the roles with their rights.
func Roles() []RoleInfo { return slices.Clone(roles) }

// Info returns the row of a role; ok is false for a role that does not exist.
func (r Role) Info() (info RoleInfo, ok bool) {
	i := slices.IndexFunc(roles, func(info RoleInfo) bool { return info.ID == r })
	if i < 0 {
		return RoleInfo{}, false
	}
	return roles[i], true
}
