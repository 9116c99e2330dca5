package registry

import (
	"context"
	"time"
)

// Store keeps a registry with its history. Every implementation passes the same
// tests (ingest/stores/storetest).
type Store interface {
	Known
	Holder

	// Import adds what reg holds, or puts it in the place of what has the same
	// id, in one transaction, and appends what changed to the history under the
	// author's name. What the registry holds beside stays. Importing the same
	// again changes nothing. A device that an enrolment no longer names was the
	// patient's until then; one that is added was the patient's from then on, or
	// since the enrolment began when it is new, if another patient had it before. It takes
	// out what Gone names. What is damaged is kept anew. Stores do it with the function
	// Import.
	Import(ctx context.Context, reg *Registry, author string, at time.Time) (Changes, error)
	// Export returns all of it, secrets in the place of passwords. The reading
	// of each identity is logged under access.
	Export(ctx context.Context, access Access) (Registry, error)

	// Devices lists devices, by name, from behind one on; at most limit of them.
	Devices(ctx context.Context, after string, limit int) ([]Device, error)
	// Enrolments lists enrolments, by id, from behind one on; at most limit of them.
	Enrolments(ctx context.Context, after string, limit int) ([]Enrolment, error)
	// PatientsWithINS lists the patients who have a matricule, by id. No trait is read.
	PatientsWithINS(ctx context.Context, ins string) ([]string, error)

	// PatientsFed lists the patients whose enrolments a device feeds, or fed, by id.
	PatientsFed(ctx context.Context, device string) ([]string, error)

	// Teams lists every care team, by id.
	Teams(ctx context.Context) ([]Team, error)

	// EnrolmentsUnder lists the enrolments under a protocol, whatever its
	// version, by id.
	EnrolmentsUnder(ctx context.Context, protocol string) ([]Enrolment, error)
	// EnrolmentAt returns an enrolment with its settings and protocol version as
	// the registry held them at that time; ErrNotFound when it was not there yet.
	EnrolmentAt(ctx context.Context, id string, t time.Time) (*Enrolment, error)
	// Versions lists every version of an enrolment, oldest first.
	Versions(ctx context.Context, id string) ([]Version, error)

	// UseProtocol keeps the text of a protocol version at its first use. A
	// version that is kept already stays as it is.
	UseProtocol(ctx context.Context, used UsedProtocol) error
	// UsedProtocols lists every version ever used, by id and version.
	UsedProtocols(ctx context.Context) ([]UsedProtocol, error)

	// Faces lists every patient by name, without the matricule, by id.
	Faces(ctx context.Context) ([]Face, error)
	// FacesOf lists some patients by name, by id. Those that are not kept are left out.
	FacesOf(ctx context.Context, patients []string) ([]Face, error)
	// Touched lists what has changed since a mark.
	Touched(ctx context.Context, since Mark) (Touched, error)
	// Identity returns the traits of a patient, and logs who read them.
	Identity(ctx context.Context, patient string, access Access) (*Identity, error)
	// IdentityVersions lists what was kept of an identity, oldest first, and logs who read it.
	IdentityVersions(ctx context.Context, patient string, access Access) ([]IdentityVersion, error)
	// Accesses lists who read the identity of a patient, oldest first.
	Accesses(ctx context.Context, patient string) ([]Access, error)
}

// Access is one reading of somebody's identity.
type Access struct {
	Author string    `json:"author"`
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

// Version is an enrolment as it was from At on.
type Version struct {
	At        time.Time `json:"at"`
	Author    string    `json:"author"`
	Enrolment Enrolment `json:"enrolment"`
}

// Changes is what an import did.
type Changes struct {
	Added     int `json:"added"`
	Changed   int `json:"changed"`
	Unchanged int `json:"unchanged"`
	// Passwords holds those that were generated. Only their hashes are kept:
	// this is the one moment to hand them to whoever sets up the devices.
	Passwords []Credential `json:"-"`
}

// Credential is what a device connects with.
type Credential struct {
	Device   string
	Password string
}
