package openid

// Fault is why nobody was signed in. Kind is for the sentence that the person reads, Reason
// for the log. Neither holds a code, a token or what the provider says of a person.
type Fault struct {
	Kind   Kind
	Reason string
}

// Kind is what somebody can do about a fault.
type Kind string

// The kinds.
const (
	Down    Kind = "down"    // the provider does not answer: later, or another way in
	Setup   Kind = "setup"   // the provider or the configuration is not as it has to be: the operator
	Spent   Kind = "spent"   // the provider does not take the code, or takes it no more: begin again
	Forged  Kind = "forged"  // the answer is not one to this question: begin again
	Weak    Kind = "weak"    // the person was not identified strongly enough
	Refused Kind = "refused" // the person or the provider said no
)

// Error is part of error.
func (f *Fault) Error() string { return f.Reason }

func fault(kind Kind, reason string) *Fault { return &Fault{Kind: kind, Reason: reason} }
